// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/array_argument.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {
namespace {

// Where the name of a file of many arrays ends, if that of an array follows: at the first ".npz:" or
// ".safetensors:", since an array's name may hold anything, a colon too.
size_t EndOfArchiveName(absl::string_view path) {
  size_t end = absl::string_view::npos;
  for (const absl::string_view ending : {".npz:", ".safetensors:"}) {
    const size_t at = path.find(ending);
    if (at != absl::string_view::npos) end = std::min(end, at + ending.size() - 1);
  }
  return end;
}

absl::StatusOr<std::vector<std::string>> NamesIn(absl::string_view path, const Limits& limits) {
  std::vector<std::string> names;
  if (IsSafetensors(path)) {
    TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const SafetensorsFile> file,
                             SafetensorsFile::Open(path, {.limits = limits}));
    for (const SafetensorsEntry& entry : file->entries()) names.push_back(entry.name);
    return names;
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<NpzFile> file, NpzFile::Open(path, limits));
  names = file->names();
  return names;
}

// The numbers of "[[1, 2], [3, 4]]", and their number in each innermost bracket if it is always the same.
struct BareNumbers {
  std::vector<absl::string_view> numbers;
  int64_t row = 0;
};

std::optional<BareNumbers> ReadBareNumbers(absl::string_view text) {
  BareNumbers bare;
  int64_t row = 0;
  while (!text.empty()) {
    const size_t end = text.find_first_of(" ,;\t[](){}");
    const absl::string_view word = text.substr(0, end);
    double value = 0;
    if (!word.empty() && !absl::SimpleAtod(word, &value)) return std::nullopt;
    if (!word.empty()) bare.numbers.push_back(word), ++row;
    if (end == absl::string_view::npos) break;
    if (absl::StrContains("])}", text[end]) && row > 0) {
      if (bare.row != 0 && bare.row != row) return std::nullopt;
      bare.row = std::exchange(row, 0);
    }
    text.remove_prefix(end + 1);
  }
  if (bare.numbers.empty() || (bare.row != 0 && row != 0)) return std::nullopt;
  return bare;
}

// The extents of `count` elements; nullopt if the shape says too little, or something else.
std::optional<Dims> DimsFor(const Shape& shape, int64_t count) {
  if (!shape.has_rank()) return std::nullopt;
  Dims dims;
  int64_t known = 1;
  int unknown = -1;
  for (int d = 0; d < shape.rank(); ++d) {
    const Dim& dim = shape.dim(d);
    if (!dim.is_constant() && unknown >= 0) return std::nullopt;
    if (!dim.is_constant()) unknown = d;
    dims.push_back(dim.is_constant() ? dim.constant() : 1);
    if (__builtin_mul_overflow(known, dims.back(), &known)) return std::nullopt;
  }
  if (unknown >= 0 && known > 0) dims[unknown] = count / known;
  return dims;
}

}  // namespace

absl::Status WithLiteral(const absl::Status& error, const NamedArgument& argument, const TensorType* type) {
  std::vector<Diagnostic> diagnostics = DiagnosticsOf(error);
  const std::optional<BareNumbers> bare = ReadBareNumbers(argument.value);
  if (diagnostics.size() != 1 || diagnostics[0].code != "E0521" || !bare) return error;
  const auto count = static_cast<int64_t>(bare->numbers.size());
  Dims dims = {count};
  if (bare->row != 0 && bare->row < count) dims = {count / bare->row, bare->row};
  const std::optional<Dims> declared = type == nullptr ? std::nullopt : DimsFor(type->shape, count);
  if (declared && NumElements(*declared) == count) dims = *declared;
  const std::string literal = absl::StrCat(type == nullptr ? Name(DType::kF32) : Name(type->dtype),
                                           DimsToString(dims), " ", absl::StrJoin(bare->numbers, " "));
  diagnostics[0].help = {absl::StrCat("values are written with their type: ",
                                      ShellQuote(absl::StrCat(argument.name, "=", literal)))};
  return ToStatus(std::move(diagnostics));
}

absl::Status LacksName(absl::string_view flag, const NamedArgument& argument, absl::string_view what,
                       std::span<const std::string> names) {
  constexpr size_t kMostNames = 4;
  Diagnostic d;
  d.code = "E0602";
  d.message = absl::StrCat(flag, " '", Printable(argument.value), "' does not name the ", what,
                           " that it is for: it is written NAME=VALUE");
  if (names.empty()) d.notes.push_back(absl::StrCat("the graph has no ", what, "s"));
  for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
    // No edit: an argument that is added would leave the wrong one.
    d.help.push_back(absl::StrCat(flag, " ", ShellQuote(absl::StrCat(names[i], "=", argument.value))));
  }
  return ToStatus(std::move(d));
}

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

absl::StatusOr<ArrayName> NameArrayFile(absl::string_view path, const Limits& limits) {
  const size_t end = EndOfArchiveName(path);
  if (end != absl::string_view::npos) {
    return ArrayName{std::string(path.substr(0, end)), std::string(path.substr(end + 1))};
  }
  if (!HoldsManyArrays(path)) return ArrayName{std::string(path), ""};
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(path, limits));
  const std::string list = absl::StrJoin(names, ", ", [](std::string* out, const std::string& name) {
    absl::StrAppend(out, "'", Printable(name), "'");
  });
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min<size_t>(names.size(), 4); ++i) {
    shown.push_back(ShellQuote(absl::StrCat(path, ":", names[i])));
  }
  return MakeError(
      "E0524",
      absl::StrCat("'", Printable(path), "' is a file of several arrays: ", names.empty() ? "none" : list),
      names.empty() ? "" : absl::StrCat("name one: ", absl::StrJoin(shown, " or ")));
}

absl::StatusOr<Tensor> ReadArray(absl::string_view value, const Limits& limits) {
  if (FormOf(value) == ArrayForm::kLiteral) return ParseTensorLiteral(value, limits);
  TENFOLD_ASSIGN_OR_RETURN(const ArrayName name, NameArrayFile(StripAt(value), limits));
  return LoadArray(name, {.limits = limits});
}

}  // namespace tenfold
