// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/array_name.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/shape.h"

namespace tenfold {
namespace {

// "data/text.npy" -> "data/text.f8.npy"; another ending is kept, since numpy.save appends its own.
std::string Beside(absl::string_view file, absl::string_view suffix, absl::string_view ending) {
  return absl::StrCat(absl::StripSuffix(file, ending), ".", suffix, ending);
}

// Longer than any path, so that none is cut.
constexpr size_t kWholePath = 1 << 16;

}  // namespace

std::string ArrayName::ToString() const {
  const std::string path = Printable(reference.empty() ? file : reference, kWholePath);
  if (member.empty()) return absl::StrCat("'", path, "'");
  return absl::StrCat("'", path, ": ", Printable(member), "'");
}

std::string ArrayName::Reference() const {
  return member.empty() ? Printable(file, kWholePath)
                        : absl::StrCat(Printable(file, kWholePath), ":", Printable(member));
}

std::string ReferenceName(absl::string_view file, absl::string_view member) {
  return member.empty() ? std::string(file) : absl::StrCat(file, ": ", member);
}

std::string NumpyCommand(const ArrayName& name, absl::string_view expression, absl::string_view suffix,
                         absl::string_view load, absl::string_view modules) {
  const std::string python = absl::StrCat("python3 -c 'import sys, numpy as np", modules, "; ");
  const std::string& path = name.file;
  const std::string file = ShellQuote(path);
  if (name.member.empty()) {
    return absl::StrCat(python, "a = np.load(sys.argv[1]", load, "); np.save(sys.argv[2], ", expression,
                        ")' ", file, " ", ShellQuote(Beside(path, suffix, ".npy")));
  }
  return absl::StrCat(python, "d = dict(np.load(sys.argv[1]", load,
                      ")); n = sys.argv[2]; a = d[n]; d[n] = ", expression, "; np.savez(sys.argv[3], **d)' ",
                      file, " ", ShellQuote(name.member), " ", ShellQuote(Beside(path, suffix, ".npz")));
}

std::string SafetensorsCommand(const ArrayName& name, absl::string_view framework,
                               absl::string_view expression, absl::string_view suffix) {
  const std::string& path = name.file;
  return absl::StrCat("python3 -c 'import sys; from safetensors.", framework,
                      " import load_file, save_file; d = load_file(sys.argv[1]); n = sys.argv[2]; d[n] = ",
                      expression, "; save_file(d, sys.argv[3])' ", ShellQuote(path), " ",
                      ShellQuote(name.member), " ", ShellQuote(Beside(path, suffix, ".safetensors")));
}

namespace {

// The one name that is `wanted` with a prefix more or less, as "model." and "module." are put before the
// names of weights; empty if there is none, or several.
std::string WithOtherPrefix(absl::string_view wanted, std::span<const std::string> names) {
  const auto behind_dot = [](absl::string_view whole, absl::string_view part) {
    return !part.empty() && whole.size() > part.size() + 1 && absl::EndsWith(whole, part) &&
           absl::StrContains("./", whole[whole.size() - part.size() - 1]);
  };
  std::string found;
  for (const std::string& name : names) {
    if (!behind_dot(name, wanted) && !behind_dot(wanted, name)) continue;
    if (!found.empty()) return "";
    found = name;
  }
  return found;
}

}  // namespace

absl::Status NoSuchArray(const ArrayName& name, std::span<const std::string> names) {
  Diagnostic d;
  d.code = "E0311";
  d.message = absl::StrCat(ArrayName{name.file, "", "", name.reference}.ToString(), " has no array '",
                           Printable(name.member), "'");
  constexpr size_t kShownNames = 10;
  std::string list;
  for (size_t i = 0; i < std::min(names.size(), kShownNames); ++i)
    absl::StrAppend(&list, i == 0 ? "" : ", ", "'", Printable(names[i]), "'");
  if (names.size() > kShownNames) absl::StrAppend(&list, ", ... (", names.size(), ")");
  d.notes.push_back(names.empty() ? "it holds no arrays" : absl::StrCat("it holds ", list));
  std::string near = WithOtherPrefix(name.member, names);
  if (near.empty()) near = NearestName(name.member, names);
  const bool in_graph = !name.reference.empty();
  // Of several that are as near, nobody knows which.
  std::vector<std::string> others(names.begin(), names.end());
  std::erase(others, near);
  const std::string next = NearestName(name.member, others);
  const bool clear = next.empty() || !IsSlip(name.member, next);
  const ArrayName meant = {in_graph ? name.reference : name.file, near};
  if (!near.empty())
    d.help.push_back(
        {absl::StrCat("did you mean ", meant.Reference(),
                      clear ? "" : absl::StrCat(", or ", ArrayName{meant.file, next}.Reference()), "?"),
         in_graph && clear
             ? std::vector<Edit>{ReplacePart{ReplacePart::kReference, 0, absl::StrCat(meant.file, ":", near)}}
             : std::vector<Edit>()});
  return ToStatus(std::move(d));
}

std::string ElementAt(std::span<const int64_t> dims, int64_t position) {
  if (dims.empty()) return "the element";
  Dims index(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    index[i] = position % dims[i];
    position /= dims[i];
  }
  return absl::StrCat("element ", DimsToString(index));
}

std::string Count(uint64_t n, absl::string_view noun) {
  return absl::StrCat(n, " ", noun, n == 1 ? "" : "s");
}

}  // namespace tenfold
