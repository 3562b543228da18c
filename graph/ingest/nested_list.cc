// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/nested_list.h"

#include <algorithm>
#include <string>

namespace tenfold {
namespace {

std::string LengthText(int64_t length) {
  return length < 0 ? "a number" : absl::StrCat("a list of ", length);
}

}  // namespace

std::optional<ListProblem> FindRagged(int64_t index, const Dims& list, const Dims& first) {
  if (list == first) return std::nullopt;
  const size_t depth = static_cast<size_t>(
      std::mismatch(list.begin(), list.end(), first.begin(), first.end()).first - list.begin());
  ListProblem problem;
  problem.path.assign(depth + 1, 0);
  problem.other_path = problem.path;
  problem.path[0] = index;
  problem.length = depth < list.size() ? list[depth] : -1;
  problem.other_length = depth < first.size() ? first[depth] : -1;
  return problem;
}

absl::Status RefuseList(const ListProblem& problem, const std::source_location& where) {
  const std::string location = absl::StrCat(where.file_name(), ":", where.line());
  if (!problem.literal.ok()) {
    const absl::Status located = WithLocation(problem.literal, location);
    if (problem.path.empty()) return located;
    return WithNote(located, absl::StrCat("it is element ", DimsToString(problem.path), " of the list"));
  }
  return WithLocation(
      MakeError(
          "E0331",
          absl::StrCat("the list is ragged: ", DimsToString(problem.path), " is ", LengthText(problem.length),
                       ", but ", DimsToString(problem.other_path), " is ", LengthText(problem.other_length)),
          "give all lists of one depth the same length"),
      location);
}

}  // namespace tenfold
