// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/feeds.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/cast.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/runtime/symbols.h"

namespace tenfold {
namespace {

using Origins = std::span<const FeedOrigin>;

const TensorType& TypeOf(const Plan& plan, int i) { return plan.values[plan.inputs[i].value].type; }

// "'x'".
std::string Quoted(const Plan& plan, int i) { return absl::StrCat("'", plan.inputs[i].name, "'"); }

// "input 'x' is f32[N,64]".
std::string Declared(const Plan& plan, int i) {
  return absl::StrCat("input ", Quoted(plan, i), " is ", TypeOf(plan, i).ToString());
}

absl::Status Refuse(const Plan& plan, int i, absl::string_view code, std::string message,
                    std::vector<std::string> notes = {}, std::vector<std::string> help = {}) {
  Diagnostic d;
  d.code = std::string(code);
  d.message = std::move(message);
  d.location = plan.inputs[i].location;
  d.notes = std::move(notes);
  for (std::string& line : help) d.help.push_back(std::move(line));
  return ToStatus(std::move(d));
}

// " by 'x.npy'"; empty if nobody said.
std::string ByOrigin(const Plan& plan, int i, Origins origins) {
  const FeedOrigin* const origin = FindOrigin(plan, i, origins);
  return origin == nullptr ? "" : absl::StrCat(" by ", origin->text);
}

// "'x' is declared as f32[N,64] (examples/digits.cc:24) and was fed [3,64] by 'x.npy'".
std::string FedNote(const Plan& plan, int i, const Dims& fed, Origins origins) {
  const std::string& location = plan.inputs[i].location;
  return absl::StrCat(Quoted(plan, i), " is declared as ", TypeOf(plan, i).ToString(),
                      location.empty() ? "" : absl::StrCat(" (", location, ")"), " and was fed ",
                      DimsToString(fed), ByOrigin(plan, i, origins));
}

// `values` is null where they are not known to be all there.
absl::Status WrongDType(const Plan& plan, int i, absl::string_view fed, DType dtype, const Tensor* values,
                        Origins origins) {
  const DType declared = TypeOf(plan, i).dtype;
  std::string how;
  std::vector<std::string> notes;
  const bool packed = IsPacked(dtype) || IsPacked(declared);  // which arrays are not cast to or from
  if (values != nullptr && !packed) {
    const CastSurvey survey = SurveyCast(*values, declared);
    notes.push_back(DescribeCast(*values, declared, survey));
    const std::optional<CastRule> rule = BestRule(survey);
    if (rule) how = absl::StrCat(" (cast=", Name(*rule), ")");
  }
  const FeedOrigin* const origin = FindOrigin(plan, i, origins);
  if (origin != nullptr && !origin->array) {
    return Refuse(plan, i, "E0604", absl::StrCat(Declared(plan, i), ", it was fed ", fed), std::move(notes),
                  {absl::StrCat("write it as ", Name(declared))});
  }
  if (packed) {
    return Refuse(
        plan, i, "E0604", absl::StrCat(Declared(plan, i), ", it was fed ", fed), std::move(notes),
        {absl::StrCat("declare ", Quoted(plan, i), " as ", Name(dtype), ", and Cast it in the graph")});
  }
  return Refuse(plan, i, "E0604", absl::StrCat(Declared(plan, i), ", it was fed ", fed), std::move(notes),
                {absl::StrCat("cast the array to ", Name(declared), " where it is loaded", how,
                              ", or declare ", Quoted(plan, i), " as ", Name(dtype))});
}

// What can be done about an array of the wrong shape, in the terms of whoever has it: `expression` is
// NumPy's, in which $ is the array, "$.reshape(3, 64)"; `tensor` of ours, where there is one.
std::string ChangeShape(const FeedOrigin* origin, absl::string_view expression, std::span<const int64_t> dims,
                        absl::string_view suffix, absl::string_view tensor) {
  if (origin == nullptr) return std::string(tensor);
  if (!origin->array) return absl::StrCat("write ", DimsToString(dims));
  const ArrayName& array = *origin->array;
  if (absl::EndsWith(array.file, ".safetensors")) {
    return SafetensorsCommand(array, "numpy", absl::StrReplaceAll(expression, {{"$", "d[n]"}}), suffix);
  }
  return NumpyCommand(array, absl::StrReplaceAll(expression, {{"$", "a"}}), suffix);
}

// True if the constant dims of the input are those of `dims`.
bool Fits(const Shape& declared, std::span<const int64_t> dims) {
  for (int d = 0; d < declared.rank(); ++d) {
    const Dim& dim = declared.dim(d);
    if (dim.is_constant() ? dim.constant() != dims[d] : dims[d] < 0) return false;
  }
  return true;
}

// "3, 64".
std::string List(std::span<const int64_t> numbers) { return absl::StrJoin(numbers, ", "); }

// The help of a feed whose dims are the declared ones in another order, perhaps without the first one, which
// counts samples; empty if no order fits.
std::string TransposeHelp(const Plan& plan, int i, std::span<const int64_t> dims, Origins origins) {
  const Shape& declared = TypeOf(plan, i).shape;
  constexpr int kMostDims = 6;  // 720 orders
  const int rank = static_cast<int>(dims.size());
  const bool one_sample =
      declared.rank() == rank + 1 &&
      !(declared.rank() > 0 && declared.dim(0).is_constant() && declared.dim(0).constant() != 1);
  if ((declared.rank() != rank && !one_sample) || declared.rank() > kMostDims) return "";
  std::vector<int64_t> order(dims.size());
  std::iota(order.begin(), order.end(), 0);
  while (std::next_permutation(order.begin(), order.end())) {
    Dims permuted;
    if (one_sample) permuted.push_back(1);
    for (const int64_t axis : order) permuted.push_back(dims[axis]);
    if (!Fits(declared, permuted)) continue;
    const FeedOrigin* const origin = FindOrigin(plan, i, origins);
    if (origin != nullptr && !origin->array) return "";
    return absl::StrCat(
        "if its dims are in another order, transposing by (", List(order), ")",
        one_sample ? " and a dim for the one sample give " : " gives ", DimsToString(permuted), ": ",
        ChangeShape(origin, absl::StrCat("$.transpose(", List(order), ")", one_sample ? "[None]" : ""),
                    permuted, "transposed", "declare it as it is and Transpose it in the graph"));
  }
  return "";
}

// The numbers of elements that the first dims hold, for each number of them.
std::vector<int64_t> PrefixProducts(std::span<const int64_t> dims) {
  std::vector<int64_t> products;
  int64_t product = 1;
  for (const int64_t dim : dims) products.push_back(product *= dim);
  return products;
}

// True if a reshape from one to the other merges neighbouring dims, or splits dims, and does not both: so
// rows stay rows.
bool MergesOrSplits(std::span<const int64_t> from, std::span<const int64_t> to) {
  const auto within = [](std::vector<int64_t> some, std::vector<int64_t> all) {
    all.push_back(1);
    std::sort(all.begin(), all.end());
    return std::all_of(some.begin(), some.end(),
                       [&](int64_t n) { return std::binary_search(all.begin(), all.end(), n); });
  };
  const std::vector<int64_t> a = PrefixProducts(from), b = PrefixProducts(to);
  return within(a, b) || within(b, a);
}

// The help of a feed whose values would fit in another shape; empty if they would in none, in several, or
// only with parts of rows put together.
std::string ReshapeHelp(const Plan& plan, int i, DType dtype, std::span<const int64_t> dims,
                        Origins origins) {
  const std::optional<int64_t> count = NumElements(dims);
  if (!count || *count == 0) return "";
  const absl::StatusOr<Dims> fitting = DimsForCount(plan, i, dtype, *count);
  if (!fitting.ok() || !MergesOrSplits(dims, *fitting)) return "";
  return absl::StrCat(
      "its ", *count, *count == 1 ? " value fits" : " values fit", " as ", DimsToString(*fitting), ": ",
      ChangeShape(FindOrigin(plan, i, origins), absl::StrCat("$.reshape(", List(*fitting), ")"), *fitting,
                  "reshaped", absl::StrCat("feed tensor.Reshape(Dims{", List(*fitting), "})")));
}

// "$[:, :4]", of axis 1.
std::string Slice(int axis, absl::string_view range) {
  std::string text = "$[";
  for (int d = 0; d < axis; ++d) absl::StrAppend(&text, ":, ");
  return absl::StrCat(text, range, "]");
}

// The help of a feed that has more along one axis than was declared, as an index or labels beside the data.
std::vector<std::string> TrimHelp(const Plan& plan, int i, std::span<const int64_t> dims, Origins origins) {
  const Shape& declared = TypeOf(plan, i).shape;
  const FeedOrigin* const origin = FindOrigin(plan, i, origins);
  if (declared.rank() != static_cast<int>(dims.size()) || origin == nullptr || !origin->array) return {};
  int axis = -1;
  for (int d = 0; d < declared.rank(); ++d) {
    if (!declared.dim(d).is_constant() || declared.dim(d).constant() == dims[d]) continue;
    if (axis >= 0 || declared.dim(d).constant() > dims[d]) return {};
    axis = d;
  }
  if (axis < 0) return {};
  const int64_t wanted = declared.dim(axis).constant(), rest = dims[axis] - wanted;
  Dims trimmed(dims.begin(), dims.end());
  trimmed[axis] = wanted;
  const auto help = [&](absl::string_view which, const std::string& range) {
    return absl::StrCat("if the ", which, " ", rest, " of axis ", axis, " ", rest == 1 ? "is" : "are",
                        " not wanted: ", ChangeShape(origin, Slice(axis, range), trimmed, "trimmed", ""));
  };
  return {help("first", absl::StrCat(rest, ":")), help("last", absl::StrCat(":", wanted))};
}

// Where the values fit in no way: the declaration that takes them, its symbols kept where they can be.
std::string DeclareHelp(const Plan& plan, int i, DType dtype, std::span<const int64_t> dims) {
  std::vector<Dim> declared(dims.begin(), dims.end());
  const Shape& shape = TypeOf(plan, i).shape;
  for (int d = 0; shape.rank() == static_cast<int>(dims.size()) && d < shape.rank(); ++d) {
    if (!shape.dim(d).is_constant()) declared[d] = shape.dim(d);
  }
  return absl::StrCat("if the array is right, declare ", Quoted(plan, i), " as ",
                      TensorType{dtype, Shape(std::move(declared))}.ToString());
}

std::vector<std::string> ShapeHelp(const Plan& plan, int i, DType dtype, std::span<const int64_t> dims,
                                   Origins origins) {
  std::vector<std::string> help;
  for (std::string line :
       {TransposeHelp(plan, i, dims, origins), ReshapeHelp(plan, i, dtype, dims, origins)}) {
    if (!line.empty()) help.push_back(std::move(line));
  }
  for (std::string& line : TrimHelp(plan, i, dims, origins)) help.push_back(std::move(line));
  if (help.empty()) help.push_back(DeclareHelp(plan, i, dtype, dims));
  return help;
}

// The notes of a conflict between the input that binds a symbol and another one (or the same).
std::vector<std::string> BothNotes(const Plan& plan, int a, int b, std::span<const Dims> fed,
                                   Origins origins) {
  std::vector<std::string> notes = {FedNote(plan, a, fed[a], origins)};
  if (b != a) notes.push_back(FedNote(plan, b, fed[b], origins));
  return notes;
}

std::string WiderBoundsHelp(const PlanSymbol& s, int64_t value) {
  DimBounds wider = s.bounds;
  wider.min = std::min(wider.min, value);
  if (wider.max) wider.max = std::max(*wider.max, value);
  return absl::StrCat("a graph that takes it declares: where ", s.name, " in ", BoundsToString(wider));
}

const PlanSymbol* FindSymbol(const Plan& plan, absl::string_view name) {
  for (const PlanSymbol& s : plan.symbols) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

// What can be done where dim `d` of input `i` is another number of rows, or whatever the symbol counts, than
// in the input that it is read from.
std::vector<std::string> ConflictHelp(const Plan& plan, const PlanSymbol& symbol, int i, int d,
                                      std::span<const Dims> fed, Origins origins) {
  std::vector<std::string> help;
  int longer = i, axis = d, other = symbol.input, other_axis = symbol.dim;
  if (fed[longer][axis] < fed[other][other_axis]) std::swap(longer, other), std::swap(axis, other_axis);
  const int64_t count = fed[other][other_axis];
  const FeedOrigin* const origin = FindOrigin(plan, longer, origins);
  const bool bare = TypeOf(plan, symbol.input).shape.dim(symbol.dim).symbol().has_value();
  if (bare && longer != other && origin != nullptr && origin->array) {
    Dims trimmed = fed[longer];
    trimmed[axis] = count;
    help.push_back(
        absl::StrCat("if the first ", count, " of axis ", axis, " of ", Quoted(plan, longer), " belong to ",
                     Quoted(plan, other), ": ",
                     ChangeShape(origin, Slice(axis, absl::StrCat(":", count)), trimmed, "first", "")));
  }
  help.push_back(absl::StrCat("if they need not agree, declare dim ", d, " of ", Quoted(plan, i),
                              " by another symbol than ", symbol.name));
  return help;
}

// Dim `d` of input `i` is not what its expression says under `symbols`.
absl::Status Conflict(const Plan& plan, int i, int d, std::span<const Dims> fed, const SymbolValues& symbols,
                      Origins origins) {
  const Dim& dim = TypeOf(plan, i).shape.dim(d);
  std::vector<std::string> names;
  dim.CollectSymbols(names);
  const PlanSymbol* const symbol = FindSymbol(plan, names[0]);
  if (dim.symbol()) {
    return Refuse(plan, i, "E0606",
                  absl::StrCat(*dim.symbol(), " is ", symbols.at(*dim.symbol()), " in ",
                               Quoted(plan, symbol->input), " and ", fed[i][d], " in ", Quoted(plan, i)),
                  BothNotes(plan, symbol->input, i, fed, origins),
                  ConflictHelp(plan, *symbol, i, d, fed, origins));
  }
  const std::optional<int64_t> expected = dim.Evaluate(symbols);
  const std::string values = absl::StrJoin(names, ", ", [&](std::string* out, const std::string& name) {
    absl::StrAppend(out, name, " is ", symbols.at(name), " in ", Quoted(plan, FindSymbol(plan, name)->input));
  });
  return Refuse(plan, i, "E0606",
                absl::StrCat("dim ", d, " of ", Quoted(plan, i), " is ", fed[i][d], ", but ", dim.ToString(),
                             expected ? absl::StrCat(" is ", *expected) : " has no value", ": ", values),
                BothNotes(plan, symbol->input, i, fed, origins));
}

}  // namespace

const FeedOrigin* FindOrigin(const Plan& plan, int i, Origins origins) {
  for (const FeedOrigin& origin : origins) {
    if (origin.input == plan.inputs[i].name) return &origin;
  }
  return nullptr;
}

absl::Status CheckFeed(const Plan& plan, int i, DType dtype, std::span<const int64_t> dims,
                       const Tensor* values, Origins origins) {
  const TensorType& type = TypeOf(plan, i);
  const std::string fed = absl::StrCat(Name(dtype), DimsToString(dims), ByOrigin(plan, i, origins));
  if (dtype != type.dtype) return WrongDType(plan, i, fed, dtype, values, origins);
  if (static_cast<int>(dims.size()) != type.shape.rank()) {
    return Refuse(plan, i, "E0605",
                  absl::StrCat(Declared(plan, i), ", it was fed ", fed, ": rank ", dims.size(),
                               " instead of ", type.shape.rank()),
                  {}, ShapeHelp(plan, i, dtype, dims, origins));
  }
  for (int d = 0; d < type.shape.rank(); ++d) {
    const Dim& expected = type.shape.dim(d);
    if (expected.is_constant() && dims[d] != expected.constant()) {
      return Refuse(plan, i, "E0605",
                    absl::StrCat(Declared(plan, i), ", it was fed ", fed, ": dim ", d, " is ", dims[d],
                                 " instead of ", expected.constant()),
                    {}, ShapeHelp(plan, i, dtype, dims, origins));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Dims> DimsForCount(const Plan& plan, int i, DType dtype, int64_t count) {
  const TensorType& type = TypeOf(plan, i);
  if (dtype != type.dtype)
    return WrongDType(plan, i, absl::StrCat(count, " values of ", Name(dtype)), dtype, nullptr, {});
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
  return Refuse(
      plan, i, "E0605",
      absl::StrCat(Declared(plan, i), ", it was given ", count, " values: ",
                   affine ? absl::StrCat("no ", names[0], " makes that many")
                          : "its extents do not follow from their number"),
      {}, affine ? std::vector<std::string>() : std::vector<std::string>{"give the extents with the values"});
}

absl::Status ResolveSymbols(const Plan& plan, std::span<const Dims> fed, SymbolValues& symbols,
                            Origins origins, const SymbolValues* around) {
  symbols.clear();
  for (const PlanSymbol& s : plan.symbols) {
    if (s.from == PlanSymbol::From::kStep) continue;
    if (s.from == PlanSymbol::From::kAround) {
      if (around == nullptr || !around->contains(s.name))
        return MakeError("E9001", absl::StrCat("the symbol ", s.name, " has no value"));
      symbols[s.name] = around->at(s.name);
      continue;
    }
    const Dim& dim = TypeOf(plan, s.input).shape.dim(s.dim);
    const int64_t extent = fed[s.input][s.dim];
    const std::optional<Affine> affine = AffineIn(dim, s.name);
    const std::optional<int64_t> value = affine ? Solve(*affine, extent) : std::nullopt;
    if (!value) {
      return Refuse(plan, s.input, "E0605",
                    absl::StrCat(Declared(plan, s.input), ": dim ", s.dim, " is ", extent, ", and ",
                                 dim.ToString(), " is that for no ", s.name),
                    {FedNote(plan, s.input, fed[s.input], origins)});
    }
    if (*value < s.bounds.min || (s.bounds.max && *value > *s.bounds.max)) {
      return Refuse(plan, s.input, "E0607",
                    absl::StrCat(s.name, " is ", *value, " in ", Quoted(plan, s.input), ", outside ",
                                 BoundsToString(s.bounds)),
                    {FedNote(plan, s.input, fed[s.input], origins)}, {WiderBoundsHelp(s, *value)});
    }
    symbols[s.name] = *value;
  }
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    const std::vector<Dim>& dims = TypeOf(plan, static_cast<int>(i)).shape.dims();
    for (size_t d = 0; d < dims.size(); ++d) {
      if (dims[d].is_constant() || dims[d].Evaluate(symbols) == fed[i][d]) continue;
      return Conflict(plan, static_cast<int>(i), static_cast<int>(d), fed, symbols, origins);
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
    const Shape& shape = TypeOf(plan, i).shape;
    d.help.push_back(absl::StrCat("--input ", ShellQuote(absl::StrCat(plan.inputs[i].name, "=FILE.npy")),
                                  shape.has_rank() ? ", or =random to try it" : ""));
    diagnostics.push_back(std::move(d));
  }
  return ToStatus(std::move(diagnostics));
}

}  // namespace tenfold
