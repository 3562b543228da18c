// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/array_argument.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {
namespace {

absl::StatusOr<Tensor> ReadArrayFile(absl::string_view path, const Limits& limits) {
  constexpr absl::string_view kArchive = ".npz";
  // At the first ".npz:", since a member's name may hold anything, a colon too.
  const size_t colon = path.find(".npz:");
  if (colon != absl::string_view::npos) {
    const size_t end = colon + kArchive.size();
    return LoadArray(path.substr(0, end), path.substr(end + 1), limits);
  }
  if (!absl::EndsWith(path, kArchive)) return LoadArray(path, "", limits);
  TENFOLD_ASSIGN_OR_RETURN(const NamedTensors arrays, LoadNpz(path, limits));
  const std::string names = absl::StrJoin(arrays, ", ", [](std::string* out, const auto& array) {
    absl::StrAppend(out, "'", Printable(array.first), "'");
  });
  return MakeError(
      "E0524",
      absl::StrCat("'", Printable(path), "' is an archive of arrays: ", names.empty() ? "none" : names),
      arrays.empty() ? "" : absl::StrCat("name one: ", Printable(path), ":", Printable(arrays[0].first)));
}

}  // namespace

std::optional<NamedArgument> SplitNamedArgument(absl::string_view text) {
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos || equals == 0 || equals + 1 == text.size()) return std::nullopt;
  return NamedArgument{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

ArrayForm FormOf(absl::string_view value) {
  if (value == "random" || absl::StartsWith(value, "random:")) return ArrayForm::kRandom;
  const size_t bracket = value.find('[');
  const bool literal = bracket != absl::string_view::npos && ParseDType(value.substr(0, bracket)).has_value();
  return literal ? ArrayForm::kLiteral : ArrayForm::kFile;
}

absl::string_view StripAt(absl::string_view path) {
  return absl::StartsWith(path, "@") ? path.substr(1) : path;
}

absl::StatusOr<Tensor> ReadArray(absl::string_view value, const Limits& limits) {
  if (FormOf(value) == ArrayForm::kLiteral) return ParseTensorLiteral(value, limits);
  return ReadArrayFile(StripAt(value), limits);
}

}  // namespace tenfold
