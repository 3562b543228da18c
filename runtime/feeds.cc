// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/feeds.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/cast.h"
#include "tenfold/runtime/symbols.h"

namespace tenfold {
namespace {

const TensorType& TypeOf(const Plan& plan, int i) { return plan.values[plan.inputs[i].value].type; }

// "'x'".
std::string Quoted(const Plan& plan, int i) { return absl::StrCat("'", plan.inputs[i].name, "'"); }

// "input 'x' is f32[N,64]".
std::string Declared(const Plan& plan, int i) {
  return absl::StrCat("input ", Quoted(plan, i), " is ", TypeOf(plan, i).ToString());
}

absl::Status Refuse(const Plan& plan, int i, absl::string_view code, std::string message,
                    std::vector<std::string> notes = {}, std::string help = "") {
  Diagnostic d;
  d.code = std::string(code);
  d.message = std::move(message);
  d.location = plan.inputs[i].location;
  d.notes = std::move(notes);
  if (!help.empty()) d.help.push_back(std::move(help));
  return ToStatus(std::move(d));
}

// "'x' is declared as f32[N,64] (examples/digits.cc:24) and was fed [3,64]".
std::string FedNote(const Plan& plan, int i, const Dims& fed) {
  const std::string& location = plan.inputs[i].location;
  return absl::StrCat(Quoted(plan, i), " is declared as ", TypeOf(plan, i).ToString(),
                      location.empty() ? "" : absl::StrCat(" (", location, ")"), " and was fed ",
                      DimsToString(fed));
}

// `values` is null where they are not known to be all there.
absl::Status WrongDType(const Plan& plan, int i, absl::string_view fed, DType dtype, const Tensor* values) {
  const DType declared = TypeOf(plan, i).dtype;
  std::string how;
  std::vector<std::string> notes;
  if (values != nullptr) {
    const CastSurvey survey = SurveyCast(*values, declared);
    notes.push_back(DescribeCast(*values, declared, survey));
    const std::optional<CastRule> rule = BestRule(survey);
    if (rule) how = absl::StrCat(" (cast=", Name(*rule), ")");
  }
  return Refuse(plan, i, "E0604", absl::StrCat(Declared(plan, i), ", it was fed ", fed), std::move(notes),
                absl::StrCat("cast the array to ", Name(declared), " where it is loaded", how,
                             ", or declare ", Quoted(plan, i), " as ", Name(dtype)));
}

// The help of a feed whose values would fit in another shape; empty if they would in none, or in several.
std::string ReshapeHelp(const Plan& plan, int i, DType dtype, std::span<const int64_t> dims) {
  const std::optional<int64_t> count = NumElements(dims);
  if (!count || *count == 0) return "";
  const absl::StatusOr<Dims> fitting = DimsForCount(plan, i, dtype, *count);
  if (!fitting.ok()) return "";
  return absl::StrCat("its ", *count, *count == 1 ? " value fits" : " values fit", " as ",
                      DimsToString(*fitting), ": reshape the array");
}

// The notes of a conflict between the input that binds a symbol and another one (or the same).
std::vector<std::string> BothNotes(const Plan& plan, int a, int b, std::span<const Dims> fed) {
  std::vector<std::string> notes = {FedNote(plan, a, fed[a])};
  if (b != a) notes.push_back(FedNote(plan, b, fed[b]));
  return notes;
}

const PlanSymbol* FindSymbol(const Plan& plan, absl::string_view name) {
  for (const PlanSymbol& s : plan.symbols) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

// Dim `d` of input `i` is not what its expression says under `symbols`.
absl::Status Conflict(const Plan& plan, int i, int d, std::span<const Dims> fed,
                      const SymbolValues& symbols) {
  const Dim& dim = TypeOf(plan, i).shape.dim(d);
  std::vector<std::string> names;
  dim.CollectSymbols(names);
  const PlanSymbol* const symbol = FindSymbol(plan, names[0]);
  if (dim.symbol()) {
    return Refuse(plan, i, "E0606",
                  absl::StrCat(*dim.symbol(), " is ", symbols.at(*dim.symbol()), " in ",
                               Quoted(plan, symbol->input), " and ", fed[i][d], " in ", Quoted(plan, i)),
                  BothNotes(plan, symbol->input, i, fed));
  }
  const std::optional<int64_t> expected = dim.Evaluate(symbols);
  const std::string values = absl::StrJoin(names, ", ", [&](std::string* out, const std::string& name) {
    absl::StrAppend(out, name, " is ", symbols.at(name), " in ", Quoted(plan, FindSymbol(plan, name)->input));
  });
  return Refuse(plan, i, "E0606",
                absl::StrCat("dim ", d, " of ", Quoted(plan, i), " is ", fed[i][d], ", but ", dim.ToString(),
                             expected ? absl::StrCat(" is ", *expected) : " has no value", ": ", values),
                BothNotes(plan, symbol->input, i, fed));
}

}  // namespace

absl::Status CheckFeed(const Plan& plan, int i, DType dtype, std::span<const int64_t> dims,
                       const Tensor* values) {
  const TensorType& type = TypeOf(plan, i);
  const std::string fed = absl::StrCat(Name(dtype), DimsToString(dims));
  if (dtype != type.dtype) return WrongDType(plan, i, fed, dtype, values);
  if (static_cast<int>(dims.size()) != type.shape.rank()) {
    return Refuse(plan, i, "E0605",
                  absl::StrCat(Declared(plan, i), ", it was fed ", fed, ": rank ", dims.size(),
                               " instead of ", type.shape.rank()),
                  {}, ReshapeHelp(plan, i, dtype, dims));
  }
  for (int d = 0; d < type.shape.rank(); ++d) {
    const Dim& expected = type.shape.dim(d);
    if (expected.is_constant() && dims[d] != expected.constant()) {
      return Refuse(plan, i, "E0605",
                    absl::StrCat(Declared(plan, i), ", it was fed ", fed, ": dim ", d, " is ", dims[d],
                                 " instead of ", expected.constant()),
                    {}, ReshapeHelp(plan, i, dtype, dims));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Dims> DimsForCount(const Plan& plan, int i, DType dtype, int64_t count) {
  const TensorType& type = TypeOf(plan, i);
  if (dtype != type.dtype)
    return WrongDType(plan, i, absl::StrCat(count, " values of ", Name(dtype)), dtype, nullptr);
  const Dim elements = type.shape.num_elements();
  if (elements.is_constant()) {
    const std::optional<Dims> dims = type.shape.Evaluate({});
    if (dims && elements.constant() == count) return *dims;
    // A dim of 0 makes the count 0 whatever the others are.
    if (dims || elements.constant() != count) {
      return Refuse(plan, i, "E0403",
                    absl::StrCat(Declared(plan, i), ", which holds ", elements.ToString(),
                                 " values, it was given ", count));
    }
  }
  std::vector<std::string> names;
  elements.CollectSymbols(names);
  const std::optional<Affine> affine =
      names.size() == 1 ? AffineIn(elements, names[0]) : std::optional<Affine>();
  const std::optional<int64_t> value = affine ? Solve(*affine, count) : std::nullopt;
  if (value) {
    if (std::optional<Dims> dims = type.shape.Evaluate({{names[0], *value}})) return *std::move(dims);
  }
  return Refuse(plan, i, "E0605",
                absl::StrCat(Declared(plan, i), ", it was given ", count, " values: ",
                             affine ? absl::StrCat("no ", names[0], " makes that many")
                                    : "its extents do not follow from their number"),
                {}, affine ? "" : "give the extents with the values");
}

absl::Status ResolveSymbols(const Plan& plan, std::span<const Dims> fed, SymbolValues& symbols) {
  symbols.clear();
  for (const PlanSymbol& s : plan.symbols) {
    const Dim& dim = TypeOf(plan, s.input).shape.dim(s.dim);
    const int64_t extent = fed[s.input][s.dim];
    const std::optional<Affine> affine = AffineIn(dim, s.name);
    const std::optional<int64_t> value = affine ? Solve(*affine, extent) : std::nullopt;
    if (!value) {
      return Refuse(plan, s.input, "E0605",
                    absl::StrCat(Declared(plan, s.input), ": dim ", s.dim, " is ", extent, ", and ",
                                 dim.ToString(), " is that for no ", s.name));
    }
    if (*value < s.bounds.min || (s.bounds.max && *value > *s.bounds.max)) {
      return Refuse(plan, s.input, "E0607",
                    absl::StrCat(s.name, " is ", *value, " in ", Quoted(plan, s.input), ", outside ",
                                 BoundsToString(s.bounds)),
                    {FedNote(plan, s.input, fed[s.input])});
    }
    symbols[s.name] = *value;
  }
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    const std::vector<Dim>& dims = TypeOf(plan, static_cast<int>(i)).shape.dims();
    for (size_t d = 0; d < dims.size(); ++d) {
      if (dims[d].is_constant() || dims[d].Evaluate(symbols) == fed[i][d]) continue;
      return Conflict(plan, static_cast<int>(i), static_cast<int>(d), fed, symbols);
    }
  }
  return absl::OkStatus();
}

absl::Status UnknownInput(const Plan& plan, absl::string_view name) {
  std::vector<std::string> names;
  for (const PlanInput& input : plan.inputs) names.push_back(input.name);
  Diagnostic d;
  d.code = "E0602";
  d.message = absl::StrCat("the graph has no input '", name, "'");
  for (size_t i = 0; i < plan.inputs.size(); ++i) d.notes.push_back(Declared(plan, static_cast<int>(i)));
  if (names.empty()) d.notes.push_back("it has no inputs");
  const std::string nearest = NearestName(name, names);
  if (!nearest.empty()) d.help.push_back(DidYouMean(nearest));
  return ToStatus(std::move(d));
}

absl::Status FedTwice(const Plan& plan, int i) {
  return Refuse(plan, i, "E0609", absl::StrCat("input ", Quoted(plan, i), " was fed twice"));
}

absl::Status MissingInputs(const Plan& plan, std::span<const int> missing) {
  std::vector<Diagnostic> diagnostics;
  for (int i : missing) {
    Diagnostic d;
    d.code = "E0603";
    d.message = absl::StrCat(Declared(plan, i), ", it was fed nothing");
    d.location = plan.inputs[i].location;
    diagnostics.push_back(std::move(d));
  }
  return ToStatus(std::move(diagnostics));
}

}  // namespace tenfold
