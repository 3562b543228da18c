// SPDX-License-Identifier: Apache-2.0
//
// If, Loop, Scan and Call: what a body must look like, and the types of what comes out.
#include "tenfold/graph/control.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

const TensorType& InputType(const Graph& body, int i) { return body.value(body.inputs()[i]).type; }
const TensorType& OutputType(const Graph& body, int i) { return body.value(body.outputs()[i].value).type; }

absl::StatusOr<ControlLayout> LayOut(InferContext& c) {
  size_t count = c.num_inputs();
  while (count > 0 && !c.has(static_cast<int>(count) - 1)) --count;
  absl::StatusOr<ControlLayout> layout = LayOutControl(c.op(), count, c.attrs());
  if (layout.ok()) return layout;
  const Diagnostic d = DiagnosticsOf(layout.status())[0];
  absl::string_view message = d.message;
  message.remove_prefix(std::min(message.size(), c.op().name.size() + 2));
  return c.Fail(d.code, d.code == "E0102" ? message : absl::string_view(d.message),
                d.help.empty() ? Mend() : d.help[0]);
}

absl::Status NeedsOneElement(InferContext& c, int i) {
  const Shape& shape = c.shape(i);
  if (shape.has_rank() && shape.num_elements() == Dim(1)) return absl::OkStatus();
  return c.Fail("E0207", absl::StrCat(c.InputText(i), ", but one element is needed"),
                absl::StrCat("ReduceMax(", c.NameOf(i), ") or Reshape(", c.NameOf(i), ", {}) gives one"));
}

// What the symbols of a body stand for in the graph around it.
class BodySymbols {
 public:
  // Holds the types that the body declares against those it is given (E0504). The last `captured` are the
  // very same, so that a pass may put the one in the place of the other.
  absl::Status Bind(InferContext& c, const Graph& body, absl::string_view what,
                    const std::vector<TensorType>& given, int captured) {
    if (body.inputs().size() != given.size()) {
      return c.Fail("E0504", absl::StrCat(what, " takes ", CountText(body.inputs().size(), "input"),
                                          ", but is given ", given.size()));
    }
    for (size_t i = 0; i < given.size(); ++i) {
      const TensorType& declared = InputType(body, static_cast<int>(i));
      if (!declared.shape.has_rank() || !given[i].shape.has_rank() ||
          declared.shape.rank() != given[i].shape.rank())
        continue;
      for (int d = 0; d < declared.shape.rank(); ++d) {
        if (const auto symbol = declared.shape.dim(d).symbol())
          map_.try_emplace(*symbol, given[i].shape.dim(d));
      }
    }
    for (size_t i = 0; i < given.size(); ++i) {
      const int input = static_cast<int>(i);
      const TensorType& declared = InputType(body, input);
      const bool is_captured = i + captured >= given.size();
      if (is_captured ? declared == given[i] : Fits(declared, given[i])) continue;
      return c.Fail("E0504",
                    absl::StrCat("input '", body.DisplayName(body.inputs()[input]), "' of ", what, " is ",
                                 declared.ToString(), ", but is given ", given[i].ToString()));
    }
    std::vector<std::string> names;
    for (ValueId input : body.inputs()) {
      const Shape& shape = body.value(input).type.shape;
      if (!shape.has_rank()) continue;
      for (const Dim& dim : shape.dims()) dim.CollectSymbols(names);
    }
    known_.insert(names.begin(), names.end());
    return absl::OkStatus();
  }

  // The dim in the graph around; nullopt if it depends on what only a run of the body knows.
  std::optional<Dim> Outside(const Dim& dim) const {
    std::vector<std::string> names;
    dim.CollectSymbols(names);
    for (const std::string& name : names) {
      if (!known_.contains(name)) return std::nullopt;
    }
    return dim.Substitute(map_);
  }

  // From here on the symbol is another dim, or unknown.
  void Set(const std::string& symbol, Dim dim) { map_[symbol] = std::move(dim); }
  void Forget(const std::string& symbol) { known_.erase(symbol); }

 private:
  bool Fits(const TensorType& declared, const TensorType& given) const {
    if (declared.dtype != given.dtype || declared.shape.has_rank() != given.shape.has_rank()) return false;
    if (!declared.shape.has_rank()) return true;
    if (declared.shape.rank() != given.shape.rank()) return false;
    for (int d = 0; d < declared.shape.rank(); ++d) {
      if (!(declared.shape.dim(d).Substitute(map_) == given.shape.dim(d))) return false;
    }
    return true;
  }

  SymbolMap map_;
  absl::flat_hash_set<std::string> known_;  // those that occur in the inputs of the body
};

absl::Status SetResults(InferContext& c, std::vector<TensorType> types) {
  if (types.empty()) return c.Fail("E0103", "the body gives no results");
  TENFOLD_RETURN_IF_ERROR(c.SetNumOutputs(Dim(static_cast<int64_t>(types.size()))));
  for (size_t i = 0; i < types.size(); ++i)
    TENFOLD_RETURN_IF_ERROR(c.SetOutputType(static_cast<int>(i), std::move(types[i])));
  return absl::OkStatus();
}

std::vector<TensorType> Operands(const InferContext& c, int first, int count) {
  std::vector<TensorType> types;
  for (int i = 0; i < count; ++i) types.push_back(c.type(first + i));
  return types;
}

// A shape outside the body, with an extent that only a run knows for each dim that cannot be said.
Shape OutsideShape(InferContext& c, const BodySymbols& symbols, const Shape& shape) {
  if (!shape.has_rank()) return shape;
  std::vector<Dim> dims;
  for (const Dim& dim : shape.dims()) {
    const std::optional<Dim> outside = symbols.Outside(dim);
    dims.push_back(outside ? *outside : c.RunTimeDim());
  }
  return Shape(std::move(dims));
}

// --- If ----------------------------------------------------------------------------------------------------

absl::Status InferIf(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout, LayOut(c));
  TENFOLD_RETURN_IF_ERROR(NeedsOneElement(c, 0));
  const std::vector<TensorType> captured = Operands(c, layout.lead, layout.captured);
  const Graph& then = c.body(0);
  const Graph& otherwise = c.body(1);
  BodySymbols then_symbols, else_symbols;
  TENFOLD_RETURN_IF_ERROR(then_symbols.Bind(c, then, "the first branch", captured, layout.captured));
  TENFOLD_RETURN_IF_ERROR(else_symbols.Bind(c, otherwise, "the second branch", captured, layout.captured));
  if (then.outputs().size() != otherwise.outputs().size()) {
    return c.Fail("E0103", absl::StrCat("its branches differ: '", then.name, "' gives ",
                                        CountText(then.outputs().size(), "result"), ", '", otherwise.name,
                                        "' gives ", otherwise.outputs().size()));
  }
  std::vector<TensorType> results;
  for (int i = 0; i < static_cast<int>(then.outputs().size()); ++i) {
    const TensorType& a = OutputType(then, i);
    const TensorType& b = OutputType(otherwise, i);
    const auto differ = [&](absl::string_view code, absl::string_view what, Mend help) {
      return c.Fail(code,
                    absl::StrCat(what, " of its branches differ: result ", i, " is ", a.ToString(), " '",
                                 then.outputs()[i].name, "' in '", then.name, "' and ", b.ToString(), " '",
                                 otherwise.outputs()[i].name, "' in '", otherwise.name, "'"),
                    std::move(help));
    };
    if (a.dtype != b.dtype) {
      return differ("E0205", "dtypes",
                    absl::StrCat("Cast(", then.outputs()[i].name, ", to=", Name(b.dtype), ") in '", then.name,
                                 "', or the other way round"));
    }
    if (a.shape.has_rank() && b.shape.has_rank() && a.shape.rank() != b.shape.rank()) {
      return differ("E0207", "ranks", "Reshape or Unsqueeze one of them: sizes may differ, ranks may not");
    }
    TensorType merged = {a.dtype, Shape::UnknownRank()};
    if (a.shape.has_rank() && b.shape.has_rank()) {
      std::vector<Dim> dims;
      for (int d = 0; d < a.shape.rank(); ++d) {
        const std::optional<Dim> x = then_symbols.Outside(a.shape.dim(d));
        const std::optional<Dim> y = else_symbols.Outside(b.shape.dim(d));
        dims.push_back(x && y && *x == *y ? *x : c.RunTimeDim());
      }
      merged.shape = Shape(std::move(dims));
    }
    results.push_back(std::move(merged));
  }
  return SetResults(c, std::move(results));
}

// --- Loop and Scan -----------------------------------------------------------------------------------------

// "carried value 's' goes into the body as f32[2] and comes out of it as f32[3]".
std::string CarriedText(const ControlLayout& layout, const Graph& body, int i) {
  const ValueId input = body.inputs()[layout.body_lead + i];
  return absl::StrCat("carried value '", body.DisplayName(input), "' goes into the body as ",
                      body.value(input).type.ToString(), " and comes out of it as ",
                      OutputType(body, layout.output_lead + i).ToString());
}

// The symbols of the body that change from one iteration to the next. Refuses what would not be a type of
// every iteration.
absl::StatusOr<std::vector<std::string>> VaryingSymbols(InferContext& c, const ControlLayout& layout) {
  const Graph& body = c.body(0);
  std::vector<std::string> varying;
  SymbolMap next;
  const auto refuse = [&](absl::string_view code, int i, absl::string_view why, Mend help) {
    return c.Fail(code, absl::StrCat(CarriedText(layout, body, i), why), std::move(help));
  };
  const auto types = [&](int i) {
    return std::pair(InputType(body, layout.body_lead + i), OutputType(body, layout.output_lead + i));
  };
  for (int i = 0; i < layout.carried; ++i) {
    const auto [in, out] = types(i);
    if (in.dtype != out.dtype) {
      return refuse("E0205", i, ": the dtype must stay",
                    absl::StrCat("Cast(", body.outputs()[layout.output_lead + i].name,
                                 ", to=", Name(in.dtype), ") at the end of the body"));
    }
    if (in.shape.has_rank() != out.shape.has_rank() ||
        (in.shape.has_rank() && in.shape.rank() != out.shape.rank())) {
      return refuse("E0207", i, ": the rank must stay", "Reshape it at the end of the body");
    }
    if (!in.shape.has_rank()) continue;
    for (int d = 0; d < in.shape.rank(); ++d) {
      if (in.shape.dim(d) == out.shape.dim(d)) continue;
      const std::optional<std::string> symbol = in.shape.dim(d).symbol();
      if (!symbol) continue;
      if (next.try_emplace(*symbol, out.shape.dim(d)).second) varying.push_back(*symbol);
    }
  }
  for (int i = 0; i < layout.carried; ++i) {
    const auto [in, out] = types(i);
    if (!in.shape.has_rank()) continue;
    for (int d = 0; d < in.shape.rank(); ++d) {
      if (in.shape.dim(d).Substitute(next) == out.shape.dim(d)) continue;
      return refuse("E0504", i, absl::StrCat(": dim ", d, " changes, and is not declared so"),
                    "declare it by a symbol of its own, or leave the type out");
    }
  }
  // What does not change cannot have the size of what does.
  const absl::flat_hash_set<std::string> changing(varying.begin(), varying.end());
  const auto check = [&](const TensorType& type, const std::string& what) -> absl::Status {
    std::vector<std::string> names;
    if (type.shape.has_rank()) {
      for (const Dim& dim : type.shape.dims()) dim.CollectSymbols(names);
    }
    for (const std::string& name : names) {
      if (!changing.contains(name)) continue;
      return c.Fail("E0504",
                    absl::StrCat("the size ", name,
                                 " of a carried value changes from one iteration "
                                 "to the next, but is a size of ",
                                 what, " ", type.ToString(), ", too"),
                    "declare the carried value's size by a symbol of its own");
    }
    return absl::OkStatus();
  };
  for (int i = layout.carried; i < layout.num_passed(); ++i) {
    TENFOLD_RETURN_IF_ERROR(check(InputType(body, layout.body_lead + i), "what is given to every one,"));
  }
  for (int i = 0; i < layout.lead + layout.num_passed(); ++i) {
    if (c.has(i)) TENFOLD_RETURN_IF_ERROR(check(c.type(i), "an operand,"));
  }
  return varying;
}

// The results: carried values as the last iteration leaves them, and rows stacked along `steps`.
absl::Status SetLoopResults(InferContext& c, const ControlLayout& layout, BodySymbols& symbols,
                            std::optional<Dim> steps) {
  const Graph& body = c.body(0);
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<std::string> varying, VaryingSymbols(c, layout));
  // Folding may come to know how often it goes round. What was unknown stays so, or types would change.
  if (c.attrs().Get<std::vector<std::string>>(kSymbolsAttr).size() > varying.size()) steps.reset();
  // A row's shape is that of every iteration.
  BodySymbols fixed = symbols;
  for (const std::string& symbol : varying) {
    fixed.Forget(symbol);
    symbols.Set(symbol, c.RunTimeDim());
  }
  std::vector<TensorType> results;
  for (int i = 0; i < layout.carried; ++i) {
    const TensorType& type = InputType(body, layout.body_lead + i);
    results.push_back({type.dtype, OutsideShape(c, symbols, type.shape)});
  }
  const int first = layout.output_lead + layout.carried;
  for (int k = 0; first + k < static_cast<int>(body.outputs().size()); ++k) {
    const TensorType& row = OutputType(body, first + k);
    if (!row.shape.has_rank()) {
      results.push_back(row);
      continue;
    }
    std::vector<Dim> dims;
    for (const Dim& dim : row.shape.dims()) {
      const std::optional<Dim> outside = fixed.Outside(dim);
      if (!outside) {
        return c.Fail("E0221",
                      absl::StrCat("output '", body.outputs()[first + k].name,
                                   "' of the body is stacked, and "
                                   "is ",
                                   row.ToString(), ", whose size ", dim.ToString(),
                                   " is not the same in every iteration"),
                      "Pad it to one size in the body, or carry it along by Concat");
      }
      dims.push_back(*outside);
    }
    const std::optional<int> axis = NormalizeAxis(layout.OutputAxis(k).axis, row.shape.rank() + 1);
    if (!axis) {
      return c.Fail("E0203",
                    absl::StrCat("axis ", layout.OutputAxis(k).axis, " in scan_output_axes is outside [",
                                 -row.shape.rank() - 1, ", ", row.shape.rank() + 1,
                                 ") for a stacked result of rank ", row.shape.rank() + 1));
    }
    if (!steps) steps = c.RunTimeDim();
    dims.insert(dims.begin() + *axis, *steps);
    results.push_back({row.dtype, Shape(std::move(dims))});
  }
  return SetResults(c, std::move(results));
}

// Whether the condition stays true for sure.
bool NeverEndsEarly(const InferContext& c, const Graph& body) {
  const auto is_true = [](const Tensor* t) {
    return t != nullptr && t->num_elements() == 1 && t->at<bool>(0);
  };
  if (c.has(1) && !is_true(c.constant(1))) return false;
  const ValueId condition = body.outputs()[0].value;
  return condition == body.inputs()[1] || is_true(body.ConstantValue(condition));
}

absl::Status InferLoop(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout, LayOut(c));
  for (int i : {0, 1}) {
    if (c.has(i)) TENFOLD_RETURN_IF_ERROR(NeedsOneElement(c, i));
  }
  const Graph& body = c.body(0);
  std::vector<TensorType> given = {{DType::kI64, Shape()}, {DType::kBool, Shape()}};
  for (TensorType& type : Operands(c, layout.lead, layout.num_passed())) given.push_back(std::move(type));
  BodySymbols symbols;
  TENFOLD_RETURN_IF_ERROR(symbols.Bind(c, body, "the body", given, layout.captured));
  if (static_cast<int>(body.outputs().size()) < layout.output_lead + layout.carried) {
    return c.Fail("E0103", absl::StrCat("the body gives ", CountText(body.outputs().size(), "result"),
                                        ", but a condition and ", CountText(layout.carried, "carried value"),
                                        " are needed"));
  }
  const TensorType& condition = OutputType(body, 0);
  if (!IsBool(condition.dtype) || !condition.shape.has_rank() ||
      !(condition.shape.num_elements() == Dim(1))) {
    return c.Fail("E0206", absl::StrCat("the first result of the body, '", body.outputs()[0].name, "', is ",
                                        condition.ToString(), ", but must be a bool[]: whether to go on"));
  }
  std::optional<Dim> steps;
  if (c.has(0) && c.contents(0) && c.contents(0)->size() == 1 && NeverEndsEarly(c, body)) {
    steps = Max((*c.contents(0))[0], Dim(0));
    if (!steps->valid()) steps.reset();
  }
  return SetLoopResults(c, layout, symbols, steps);
}

absl::Status InferScan(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout, LayOut(c));
  const Graph& body = c.body(0);
  std::optional<Dim> steps;
  std::optional<int> first_of_length;
  for (int i = 0; i < layout.scanned; ++i) {
    const int input = layout.carried + i;
    const Shape& shape = c.shape(input);
    if (!shape.has_rank()) return c.Fail("E0209", absl::StrCat(c.InputText(input), ", and is scanned"));
    const int64_t axis = layout.scan_inputs[i].axis;
    const std::optional<int> normal = NormalizeAxis(axis, shape.rank());
    if (!normal) {
      return c.Fail("E0203", absl::StrCat("axis ", axis, " in scan_input_axes is outside [", -shape.rank(),
                                          ", ", shape.rank(), "): ", c.InputText(input)));
    }
    const Dim& length = shape.dim(*normal);
    if (!steps) steps = length, first_of_length = input;
    if (*steps == length) continue;
    return c.Fail("E0201",
                  absl::StrCat("lengths of scanned inputs differ: ", c.InputText(*first_of_length), ", ",
                               c.InputText(input), ": ", steps->ToString(), " against ", length.ToString()));
  }
  const std::optional<std::vector<TensorType>> given =
      PassedTypes(layout, Operands(c, layout.lead, layout.num_passed()));
  BodySymbols symbols;
  TENFOLD_RETURN_IF_ERROR(symbols.Bind(c, body, "the body", *given, layout.captured));
  if (static_cast<int>(body.outputs().size()) < layout.carried) {
    return c.Fail("E0103",
                  absl::StrCat("the body gives ", CountText(body.outputs().size(), "result"), ", but ",
                               CountText(layout.carried, "carried value"), " must be given back"));
  }
  const size_t rows = body.outputs().size() - layout.carried;
  if (layout.scan_outputs.size() > rows) {
    return c.Fail("E0102", absl::StrCat("scan_output_axes or scan_output_directions has ",
                                        CountText(layout.scan_outputs.size(), "value"), " for ",
                                        CountText(rows, "stacked result")));
  }
  return SetLoopResults(c, layout, symbols, steps);
}

// --- Call --------------------------------------------------------------------------------------------------

absl::Status InferCall(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout, LayOut(c));
  const Graph& function = c.body(0);
  if (function.name != c.attrs().Get<std::string>("function"))
    return c.Fail("E9001", absl::StrCat("its body is '", function.name, "'"));
  BodySymbols symbols;
  TENFOLD_RETURN_IF_ERROR(symbols.Bind(c, function, absl::StrCat("function '", function.name, "'"),
                                       Operands(c, 0, layout.captured), 0));
  std::vector<TensorType> results;
  for (int i = 0; i < static_cast<int>(function.outputs().size()); ++i) {
    const TensorType& type = OutputType(function, i);
    results.push_back({type.dtype, OutsideShape(c, symbols, type.shape)});
  }
  return SetResults(c, std::move(results));
}

// --- The ops -----------------------------------------------------------------------------------------------

AttrDef Captured() {
  return {
      "captured", AttrKind::kInt, int64_t{0},
      "how many of the last operands are values that the body reads of the graph around it; the text form "
      "and C++ find them"};
}

PortDef Results() { return {"results", "", kAnyType, "", Arity::kVariadic}; }

AttrDef IntsAttr(const char* name, const char* doc) {
  return {name, AttrKind::kInts, std::vector<int64_t>(), doc};
}

}  // namespace

std::vector<OpDef> ControlOps() {
  return {
      {.name = "If",
       .inputs = {{"condition", "B", kBoolOnly, "one element"},
                  {"captured_values", "", kAnyType, "", Arity::kVariadic, 0}},
       .attrs = {Captured(), SymbolsAttr()},
       .outputs = {Results()},
       .doc =
           "Computes one of two graphs: the first if the condition is true, else the second. Their results "
           "have the same dtypes and ranks; sizes may differ, and then only a run knows them.",
       .infer = InferIf,
       .computation = Control{ControlKind::kIf}},
      {.name = "Loop",
       .inputs = {{"trip_count", "I", DTypeSet{DType::kI64}, "at most so many iterations", Arity::kOptional},
                  {"condition", "B", kBoolOnly, "whether to begin", Arity::kOptional},
                  {"carried", "", kAnyType, "before the first iteration", Arity::kVariadic, 0}},
       .attrs = {Captured(), SymbolsAttr()},
       .outputs = {Results()},
       .doc = "Computes a graph again and again, while its condition is true and the trip count is not "
              "reached. It takes the iteration's number (i64[]), the condition (bool[]) and the carried "
              "values, and gives the next condition, the next carried values and any number of rows. Results "
              "are the last carried values and the rows stacked along a new first dim. Carried values may "
              "change their sizes.",
       .infer = InferLoop,
       .computation = Control{ControlKind::kLoop}},
      {.name = "Scan",
       .inputs = {{"carried_and_scanned", "", kAnyType, "", Arity::kVariadic, 1}},
       .attrs = {Captured(),
                 {"num_scan_inputs", AttrKind::kInt, std::nullopt,
                  "how many of the last operands are scanned"},
                 IntsAttr("scan_input_axes", "the axis along which each is scanned; 0 where left out"),
                 IntsAttr("scan_input_directions", "1: from the last element to the first"),
                 IntsAttr("scan_output_axes", "the axis along which rows of each output are stacked"),
                 IntsAttr("scan_output_directions", "1: the first row becomes the last"),
                 SymbolsAttr()},
       .outputs = {Results()},
       .doc = "Computes a graph for each element of the scanned inputs along an axis. It takes the carried "
              "values and an element of each, and gives the next carried values and any number of rows. "
              "Results are the last carried values and the rows stacked.",
       .infer = InferScan,
       .computation = Control{ControlKind::kScan}},
      {.name = "Call",
       .inputs = {{"arguments", "", kAnyType, "", Arity::kVariadic, 0}},
       .attrs = {{"function", AttrKind::kString, std::nullopt, "its name"}, SymbolsAttr()},
       .outputs = {Results()},
       .doc = "Computes a function, which is a graph that is kept once, whoever calls it. The symbols of its "
              "parameters are sizes of the arguments.",
       .infer = InferCall,
       .computation = Control{ControlKind::kCall}},
  };
}

}  // namespace tenfold
