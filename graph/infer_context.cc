// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/infer_context.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

// The narrowest dtype that holds every value of both, for the Cast that a help line names; nullopt if none
// does.
std::optional<DType> LosslessCommonType(DType a, DType b) {
  const auto holds = [](DType wide, DType narrow) {
    if (wide == narrow) return true;
    if (!kComputed.Contains(wide)) return false;  // of two dtypes the result is one that is computed in
    if (IsBool(narrow)) return true;
    if (IsBool(wide)) return false;
    if (IsFloat8(narrow)) return IsFloat(wide);
    if (narrow == DType::kI4) return !IsUnsignedInteger(wide);
    if (narrow == DType::kU4) return true;
    if (IsInteger(wide)) {
      if (!IsInteger(narrow)) return false;
      if (IsSignedInteger(wide) == IsSignedInteger(narrow)) return SizeOf(wide) >= SizeOf(narrow);
      return IsSignedInteger(wide) && SizeOf(wide) > SizeOf(narrow);
    }
    const auto exact_integer_bits = [](DType t) {
      return t == DType::kBF16 ? 8 : t == DType::kF16 ? 11 : t == DType::kF32 ? 24 : 53;
    };
    if (IsInteger(narrow))
      return exact_integer_bits(wide) >= BitWidth(narrow) - (IsSignedInteger(narrow) ? 1 : 0);
    return SizeOf(wide) > SizeOf(narrow);
  };
  std::optional<DType> best;
  for (DType t : kAllDTypes) {
    if (holds(t, a) && holds(t, b) && (!best.has_value() || SizeOf(t) < SizeOf(*best))) best = t;
  }
  return best;
}

std::string QuotedName(absl::string_view name) { return name.empty() ? "" : absl::StrCat(" '", name, "'"); }

// "Reshape(x, {-1, 784})": the mend if the last dims of input `i` hold `want` elements.
Mend ReshapeHelp(int i, const InferInput& input, const Dim& want) {
  if (!input.type.shape.has_rank() || input.name.empty() || !want.is_constant() || want.constant() <= 0)
    return {};
  const Dim total = input.type.shape.num_elements();
  // Of the last dims: others would tear rows apart.
  Dim tail = 1;
  for (int d = input.type.shape.rank() - 1; d >= 0 && !(tail == want); --d)
    tail = tail * input.type.shape.dim(d);
  const std::optional<Dim> rows = tail == want ? Dim::DivideExactly(total, want) : std::nullopt;
  if (!rows.has_value()) return {};
  const std::string product = absl::StrJoin(input.type.shape.dims(), "*",
                                            [](std::string* out, const Dim& d) { *out += d.ToString(); });
  std::string count = total.is_constant() ? absl::StrCat(product, " = ", total.constant()) : product;
  const std::string shape = absl::StrCat("{-1, ", want.constant(), "}");
  return {absl::StrCat(input.name, " has ", count, " elements: Reshape(", input.name, ", ", shape, ") gives ",
                       TensorType{input.type.dtype, Shape{*rows, want}}.ToString()),
          {WrapOperand{i, "Reshape", shape}}};
}

// "Transpose(w)": the mend if input `i` is a matrix whose other dim is `want`.
Mend TransposeHelp(int i, const InferInput& input, int dim, const Dim& want) {
  const Shape& shape = input.type.shape;
  if (shape.rank() != 2 || input.name.empty() || !(shape.dim(1 - dim) == want)) return {};
  const TensorType transposed = {input.type.dtype, Shape{shape.dim(1), shape.dim(0)}};
  return {absl::StrCat("if ", input.name, " lies the other way: Transpose(", input.name, ") gives ",
                       transposed.ToString()),
          {WrapOperand{i, "Transpose", ""}}};
}

std::string AxesHelp(int rank) {
  if (rank == 0) return "it has no axes";
  if (rank == 1) return "its only axis is 0, or -1";
  return absl::StrCat("its axes are 0 to ", rank - 1, ", or from the end -1 to ", -rank);
}

// "Reshape(b, {3, 1, 1})": the mend if an input is a vector along one dim of another that is not the last, as
// the bias of a convolution is along the channels.
Mend ChannelsHelp(std::span<const InferInput> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& vector = inputs[i].type.shape;
    if (!vector.has_rank() || vector.rank() != 1 || !vector.dim(0).is_constant() || inputs[i].name.empty())
      continue;
    for (const InferInput& other : inputs) {
      const Shape& large = other.type.shape;
      if (!large.has_rank() || large.rank() < 2) continue;
      std::vector<int> along;
      for (int d = 0; d < large.rank(); ++d) {
        if (large.dim(d) == vector.dim(0)) along.push_back(d);
      }
      if (along.size() != 1 || along[0] == large.rank() - 1) continue;
      std::vector<int64_t> shape(large.rank() - along[0], 1);
      shape[0] = vector.dim(0).constant();
      const std::string literal = absl::StrCat("{", absl::StrJoin(shape, ", "), "}");
      return {absl::StrCat("if ", inputs[i].name, " goes along dim ", along[0], " of ",
                           other.name.empty() ? "the other" : other.name, ": Reshape(", inputs[i].name, ", ",
                           literal, ")"),
              {WrapOperand{static_cast<int>(i), "Reshape", literal}}};
    }
  }
  return {};
}

// "Reshape(s, {0, 1})": the mend if an input's dims are the first ones of another, as those of a reduction
// without keepdims are.
Mend LeadingDimsHelp(std::span<const InferInput> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& small = inputs[i].type.shape;
    if (!small.has_rank() || small.rank() == 0 || inputs[i].name.empty()) continue;
    for (const InferInput& other : inputs) {
      const Shape& large = other.type.shape;
      if (!large.has_rank() || large.rank() <= small.rank()) continue;
      if (!std::equal(small.dims().begin(), small.dims().end(), large.dims().begin())) continue;
      std::vector<int> shape(large.rank(), 1);
      std::fill_n(shape.begin(), small.rank(), 0);
      std::vector<Dim> dims = small.dims();
      dims.resize(large.rank(), Dim(1));
      const std::string literal = absl::StrCat("{", absl::StrJoin(shape, ", "), "}");
      return {absl::StrCat("if ", inputs[i].name, " goes along the first dims of ",
                           other.name.empty() ? "the other" : other.name, ": Reshape(", inputs[i].name, ", ",
                           literal, ") gives ",
                           TensorType{inputs[i].type.dtype, Shape(std::move(dims))}.ToString(),
                           ", as a reduction with keepdims=true does"),
              {WrapOperand{static_cast<int>(i), "Reshape", literal}}};
    }
  }
  return {};
}

// A node may have thousands of inputs; no reader wants so many.
constexpr int kMostOrigins = 8;

// No op takes a longer list of extents or positions.
constexpr int64_t kMostListed = 1 << 16;

// Whether a size is a product, k*N*M, and the number no multiple of k.
bool IsNoMultiple(const Dim& product, const Dim& number) {
  if (product.is_constant() || !number.is_constant()) return false;
  std::vector<std::string> names;
  product.CollectSymbols(names);
  SymbolValues ones;
  for (const std::string& name : names) ones[name] = 1;
  const std::optional<int64_t> k = product.Evaluate(ones);
  return k && *k > 1 && number.constant() % *k != 0 && Dim::DivideExactly(product, *k).has_value();
}

// Whether two sizes are equal for some values of the symbols, as far as can be seen, and not only where both
// are 0, as 784*N and 780*N are.
bool MayBeEqual(const Dim& x, const Dim& y) {
  const Dim above = x - y, below = y - x;
  if (!above.valid() || !below.valid() || above.is_constant()) return above == Dim(0);
  if (Max(above, 1) == above || Max(below, 1) == below) return false;
  if (IsNoMultiple(x, y) || IsNoMultiple(y, x)) return false;
  // x = q * (x - y): if that is 0, so is x.
  return !Dim::DivideExactly(x, above) && !Dim::DivideExactly(y, above);
}

// Nothing but broadcasting makes sense of a size that is 1, or 0 where there is nothing at all.
bool IsAtMostOne(const Dim& d) { return !d.is_constant() && Min(d, 1) == d; }

// Which of two sizes that are assumed to be equal stands for both: a number, or what is said in less.
bool IsSimpler(const Dim& x, const Dim& y) {
  if (x.is_constant() || y.is_constant()) return x.is_constant();
  if (x.size() != y.size()) return x.size() < y.size();
  if (x.symbol().has_value() != y.symbol().has_value()) return x.symbol().has_value();
  return Dim::Compare(x, y) < 0;
}

WrapOperand CastOperand(int i, DType to) { return {i, "Cast", absl::StrCat("to=", Name(to))}; }

}  // namespace

InferContext::InferContext(const OpDef& op, std::string node_name, std::span<const InferInput> inputs,
                           const Attrs& attrs, const InferScope& scope)
    : op_(op),
      node_name_(std::move(node_name)),
      inputs_(inputs),
      attrs_(attrs),
      scope_(scope),
      results_(op.outputs.size()),
      given_(inputs) {}

// "lhs"; "inputs[2]" of a variadic port.
std::string InferContext::PortText(int i) const {
  const PortDef& port = op_.InputPort(i);
  if (port.arity != Arity::kVariadic) return port.name;
  return absl::StrCat(port.name, "[", i - static_cast<int>(op_.inputs.size()) + 1, "]");
}

std::string InferContext::InputText(int i) const {
  return absl::StrCat(PortText(i), QuotedName(given_[i].name), " is ", given_[i].type.ToString());
}

std::string InferContext::NameOf(int i) const {
  return inputs_[i].name.empty() ? op_.InputPort(i).name : inputs_[i].name;
}

absl::Status InferContext::Fail(absl::string_view code, absl::string_view message, Mend help) {
  Diagnostic d;
  d.code = std::string(code);
  d.message = absl::StrCat(op_.name, QuotedName(node_name_), ": ", message);
  std::vector<std::string> origins;
  const int named = op_.inputs.empty() ? 0 : num_inputs();  // a fused node's ports are not
  for (int i = 0; i < named; ++i) {
    if (inputs_[i].origin.empty()) continue;
    if (static_cast<int>(origins.size()) == kMostOrigins) {
      origins.push_back("...");
      break;
    }
    origins.push_back(absl::StrCat(PortText(i), " comes from ", inputs_[i].origin));
  }
  if (!origins.empty()) d.notes.push_back(absl::StrJoin(origins, ", "));
  if (!help.empty()) d.help.push_back(std::move(help));
  return ToStatus(std::move(d));
}

absl::Status InferContext::CheckDTypes() {
  std::map<std::string, int> first;  // type variable -> the first input bound to it
  for (int i = 0; i < num_inputs(); ++i) {
    const PortDef& port = op_.InputPort(i);
    if (!has(i)) continue;
    if (!port.dtypes.Contains(dtype(i))) {
      Mend help;
      if (!port.dtypes.Contains(DType::kF32) || !inputs_[i].name.empty()) {
        const DType to = port.dtypes.Contains(DType::kF32)    ? DType::kF32
                         : port.dtypes.Contains(DType::kBool) ? DType::kBool
                                                              : DType::kI64;
        help = absl::StrCat("Cast(", inputs_[i].name.empty() ? "x" : inputs_[i].name, ", to=", Name(to),
                            ") converts it, if that is meant");
      }
      return Fail("E0206", absl::StrCat(InputText(i), ", but ", op_.name, " takes ", port.dtypes.ToString()),
                  help);
    }
    if (port.type_var.empty()) continue;  // each of a variadic port has its own
    auto [it, is_first] = first.try_emplace(port.type_var, i);
    if (is_first || dtype(it->second) == dtype(i)) continue;
    const int j = it->second;
    Mend help = "no dtype holds both without loss: Cast one of them to the dtype that is meant";
    if (const std::optional<DType> common = LosslessCommonType(dtype(j), dtype(i))) {
      std::vector<std::string> casts;
      std::vector<Edit> edits;
      for (int k : {j, i}) {
        if (dtype(k) != *common) {
          edits.push_back(CastOperand(k, *common));
          casts.push_back(absl::StrCat("Cast(", NameOf(k), ", to=", Name(*common), ")"));
        }
      }
      help = {
          absl::StrCat(absl::StrJoin(casts, " and "), casts.size() == 1 ? " loses nothing" : " lose nothing"),
          std::move(edits)};
    }
    return Fail("E0205", absl::StrCat("dtypes differ: ", InputText(j), ", ", InputText(i)), help);
  }
  return absl::OkStatus();
}

absl::Status InferContext::DoNotBroadcast(const Dim& x, const Dim& y, int from_end, bool same_rank,
                                          absl::string_view what) {
  std::vector<std::string> texts;
  for (int k = 0; k < num_inputs(); ++k) {
    if (has(k)) texts.push_back(InputText(k));
  }
  Mend help = LeadingDimsHelp(given_);
  if (help.empty()) help = ChannelsHelp(given_);
  const bool provable = x.is_constant() && y.is_constant();
  if (help.empty() && !provable && same_rank) {
    help = absl::StrCat("declare both dims as ", x.is_constant() ? x.ToString() : y.ToString(),
                        " if they are always equal");
  }
  if (help.empty())
    help = "aligned at the last dim, dims must be equal or 1: Reshape or Transpose one of them";
  return Fail("E0202",
              absl::StrCat(what, " do not broadcast: ", absl::StrJoin(texts, ", "), "; at dim -", from_end,
                           ", ", x.ToString(), " against ", y.ToString()),
              std::move(help));
}

absl::StatusOr<Dim> InferContext::BroadcastDim(std::span<const BroadcastOperand> operands, int from_end,
                                               absl::string_view what) {
  const auto dim_of = [&](const BroadcastOperand& operand) {
    const int rank = operand.shape->rank();
    return from_end <= rank ? operand.shape->dim(rank - from_end) : Dim(1);
  };
  Dim extent = 1;
  bool differ = false;
  for (const BroadcastOperand& operand : operands) {
    const Dim dim = dim_of(operand);
    if (dim == Dim(1) || dim == extent) continue;
    differ = differ || !(extent == Dim(1));
    if (extent == Dim(1)) extent = dim;
  }
  if (!differ) return extent;
  // What the sizes are assumed to be: that of an operand of which nothing may be assumed, or the simplest.
  const BroadcastOperand* chosen = nullptr;
  for (const BroadcastOperand& operand : operands) {
    const Dim dim = dim_of(operand);
    if (dim == Dim(1) || (operand.input >= 0 && IsAtMostOne(dim))) continue;
    const bool better = chosen == nullptr || (operand.input < 0 && chosen->input >= 0) ||
                        ((operand.input < 0) == (chosen->input < 0) && !(dim == dim_of(*chosen)) &&
                         !dim_of(*chosen).is_constant() && IsSimpler(dim, dim_of(*chosen)));
    if (better) chosen = &operand;
  }
  extent = chosen == nullptr ? Dim(1) : dim_of(*chosen);
  for (const BroadcastOperand& operand : operands) {
    const Dim dim = dim_of(operand);
    if (dim == Dim(1) || dim == extent) continue;
    const Dim taken = IsAtMostOne(dim) ? Dim(1) : extent;
    if (operand.input >= 0 && TakeDim(operand.input, operand.shape->rank() - from_end, taken)) continue;
    const bool same_rank = std::all_of(operands.begin(), operands.end(), [&](const BroadcastOperand& other) {
      return other.shape->rank() == operands[0].shape->rank();
    });
    const bool chosen_first = chosen != nullptr && chosen < &operand;
    return chosen_first ? DoNotBroadcast(extent, dim, from_end, same_rank, what)
                        : DoNotBroadcast(dim, extent, from_end, same_rank, what);
  }
  return extent;
}

absl::StatusOr<Shape> InferContext::BroadcastOperands(std::span<const BroadcastOperand> operands,
                                                      absl::string_view what) {
  int rank = 0;
  for (const BroadcastOperand& operand : operands) {
    if (!operand.shape->has_rank()) return Shape::UnknownRank();
    rank = std::max(rank, operand.shape->rank());
  }
  std::vector<Dim> dims(rank);
  for (int i = 1; i <= rank; ++i) {
    TENFOLD_ASSIGN_OR_RETURN(dims[rank - i], BroadcastDim(operands, i, what));
  }
  return Shape(std::move(dims));
}

absl::StatusOr<Shape> InferContext::Broadcast(const Shape& a, const Shape& b, absl::string_view what,
                                              int input_a, int input_b) {
  const BroadcastOperand operands[] = {{&a, input_a}, {&b, input_b}};
  return BroadcastOperands(operands, what);
}

absl::StatusOr<Shape> InferContext::BroadcastAll() {
  std::vector<BroadcastOperand> operands;
  for (int i = 0; i < num_inputs(); ++i) {
    if (has(i)) operands.push_back({&shape(i), i});
  }
  return BroadcastOperands(operands, "shapes");
}

absl::Status InferContext::RankAtLeast(int i, int rank) {
  if (!shape(i).has_rank() || shape(i).rank() >= rank) return absl::OkStatus();
  return Fail("E0207", absl::StrCat(InputText(i), ", but at least ", rank,
                                    rank == 1 ? " dim is" : " dims are", " needed"));
}

absl::Status InferContext::SameDim(int lhs, int lhs_dim, int rhs, int rhs_dim, absl::string_view what) {
  if (!shape(lhs).has_rank() || !shape(rhs).has_rank()) return absl::OkStatus();
  if (lhs_dim < 0) lhs_dim += shape(lhs).rank();
  if (rhs_dim < 0) rhs_dim += shape(rhs).rank();
  const Dim& x = shape(lhs).dim(lhs_dim);
  const Dim& y = shape(rhs).dim(rhs_dim);
  if (x == y) return absl::OkStatus();
  if (IsSimpler(x, y) ? TakeDim(rhs, rhs_dim, x) : TakeDim(lhs, lhs_dim, y)) return absl::OkStatus();
  Mend help = ReshapeHelp(lhs, given_[lhs], y);
  if (help.empty()) help = TransposeHelp(rhs, given_[rhs], rhs_dim, x);
  if (help.empty()) help = TransposeHelp(lhs, given_[lhs], lhs_dim, y);
  if (help.empty() && !(x.is_constant() && y.is_constant())) {
    help = absl::StrCat("declare both dims alike: ", x.ToString(), " and ", y.ToString(),
                        MayBeEqual(x, y) ? " cannot be proven equal" : " cannot be equal");
  }
  return Fail("E0201", absl::StrCat(what, " differ: ", InputText(lhs), ", ", InputText(rhs)), help);
}

bool InferContext::TakeDim(int i, int dim, const Dim& must) {
  const Dim& is = shape(i).dim(dim);
  if (is == must) return true;
  // The elements of packed tensors have no addresses that a view could begin with.
  const bool allowed = scope_.assumptions != nullptr && !IsPacked(dtype(i)) && MayBeEqual(is, must);
  if (!allowed) return false;
  const Dim& given = given_[i].type.shape.dim(dim);
  assumptions_.push_back(
      {given, must, absl::StrCat("dim ", dim, " of ", PortText(i), QuotedName(Printable(given_[i].name))), i,
       dim});
  return true;
}

bool InferContext::TakeShape(int i, const Shape& must) {
  const Shape& is = shape(i);
  if (!is.has_rank() || !must.has_rank() || is.rank() != must.rank()) return is == must;
  bool fits = true;
  for (int d = 0; fits && d < is.rank(); ++d) fits = TakeDim(i, d, must.dim(d));
  return fits;
}

bool InferContext::TakeSize(const Dim& is, const Dim& must, std::string what) {
  if (is == must) return true;
  if (scope_.assumptions == nullptr || !MayBeEqual(is, must)) return false;
  assumptions_.push_back({is, must, std::move(what)});
  return true;
}

absl::StatusOr<int> InferContext::Axis(absl::string_view name, int rank) {
  const int64_t axis = attrs_.Get<int64_t>(name);
  const std::optional<int> normal = NormalizeAxis(axis, rank);
  if (normal.has_value()) return *normal;
  return Fail(
      "E0203",
      absl::StrCat(name, "=", axis, " is outside [", -rank, ", ", rank, ") for a tensor of rank ", rank),
      AxesHelp(rank));
}

absl::StatusOr<std::vector<int>> InferContext::Axes(absl::string_view name, int rank) {
  TENFOLD_ASSIGN_OR_RETURN(std::vector<int> axes,
                           NormalizeAxes(name, attrs_.Get<std::vector<int64_t>>(name), rank));
  if (axes.empty()) {
    for (int i = 0; i < rank; ++i) axes.push_back(i);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

absl::StatusOr<std::vector<int>> InferContext::NormalizeAxes(absl::string_view name,
                                                             std::span<const int64_t> listed, int rank) {
  std::vector<int> axes;
  for (int64_t axis : listed) {
    const std::optional<int> normal = NormalizeAxis(axis, rank);
    if (!normal.has_value()) {
      return Fail("E0203",
                  absl::StrCat("axis ", axis, " in ", name, " is outside [", -rank, ", ", rank,
                               ") for a tensor of rank ", rank),
                  AxesHelp(rank));
    }
    if (std::find(axes.begin(), axes.end(), *normal) != axes.end()) {
      return Fail("E0203", absl::StrCat(name, " names axis ", *normal, " twice"));
    }
    axes.push_back(*normal);
  }
  return axes;
}

absl::StatusOr<Contents> InferContext::Known(int i) {
  const Shape& shape = inputs_[i].type.shape;
  if (shape.has_rank() && shape.rank() > 1) {
    return Fail("E0207", absl::StrCat(InputText(i), ", but a list is needed"),
                absl::StrCat("Reshape(", NameOf(i), ", {-1}) makes it one"));
  }
  if (contents(i).has_value()) return *contents(i);
  // A constant that is too long to be followed through other ops is known all the same.
  const Tensor* const tensor = constant(i);
  if (tensor != nullptr && kIndex.Contains(tensor->dtype()) && tensor->num_elements() <= kMostListed) {
    Contents listed;
    for (int64_t k = 0; k < tensor->num_elements(); ++k) {
      listed.push_back(tensor->dtype() == DType::kI32 ? Dim(tensor->at<int32_t>(k))
                                                      : Dim(tensor->at<int64_t>(k)));
    }
    return listed;
  }
  return Fail("E0211",
              absl::StrCat(InputText(i),
                           ", whose values are not known while the graph is built, and the "
                           "shape of the result follows from them"),
              absl::StrCat("write ", op_.InputPort(i).name,
                           " as a constant, or compute it from constants and from Shape of a value"));
}

absl::StatusOr<std::vector<int64_t>> InferContext::KnownInts(int i) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents known, Known(i));
  std::vector<int64_t> values;
  for (const Dim& dim : known) {
    if (!dim.is_constant()) {
      return Fail("E0211",
                  absl::StrCat(InputText(i), " and holds ", dim.ToString(),
                               ", but its values must be known while the graph is built"),
                  absl::StrCat("write ", op_.InputPort(i).name, " as a constant"));
    }
    values.push_back(dim.constant());
  }
  return values;
}

absl::Status InferContext::SetOutputType(int i, TensorType type) {
  if (const Shape& shape = type.shape; shape.has_rank()) {
    for (const Dim& dim : shape.dims()) {
      if (!dim.valid()) return Fail("E0402", "the size of the result overflows 64 bits");
      if (dim.is_constant() && dim.constant() < 0) {
        return Fail("E0208", absl::StrCat("the result would have a negative extent: ", shape.ToString()));
      }
    }
    if (!shape.num_elements().valid()) return Fail("E0402", "the size of the result overflows 64 bits");
  }
  results_[i].type = std::move(type);
  return absl::OkStatus();
}

absl::Status InferContext::SetOutput(int i, Shape shape) {
  const PortDef& port = op_.OutputPort(i);
  DType dtype = DType::kF32;
  bool bound = false;
  for (int k = 0; k < num_inputs() && !bound; ++k) {
    if (has(k) && op_.InputPort(k).type_var == port.type_var) dtype = this->dtype(k), bound = true;
  }
  if (!bound) {
    const AttrValue* attr = attrs_.Find(port.type_var);
    if (attr != nullptr && KindOf(*attr) == AttrKind::kDType) dtype = std::get<DType>(*attr), bound = true;
  }
  for (DType t : kAllDTypes) {
    if (!bound && port.dtypes == DTypeSet{t}) dtype = t, bound = true;
  }
  if (!bound) return Fail("E9001", absl::StrCat("nothing binds the dtype of output ", port.name));
  return SetOutputType(i, {dtype, std::move(shape)});
}

absl::Status InferContext::SetContents(int i, Contents contents) {
  for (const Dim& dim : contents) {
    if (!dim.valid()) return absl::OkStatus();  // unknown: values are wrapped at run time, dims are not
  }
  // Narrow integers wrap at run time: what does not surely fit is not followed.
  const int width = BitWidth(results_[i].type.dtype);
  for (const Dim& dim : contents) {
    const bool fits = dim.is_constant() && dim.constant() >> (width - 1) == dim.constant() >> 63;
    if (width < 64 && !fits) return absl::OkStatus();
  }
  if (static_cast<int>(contents.size()) <= kMaxKnownContents) results_[i].contents = std::move(contents);
  return absl::OkStatus();
}

AttrDef SymbolsAttr() {
  return {kSymbolsAttr, AttrKind::kStrings, std::vector<std::string>(),
          "names for extents of results that only a run knows; found where they are left out"};
}

Dim InferContext::RunTimeDim() {
  const auto* const value = attrs_.Find(kSymbolsAttr);
  const auto* const given = value == nullptr ? nullptr : std::get_if<std::vector<std::string>>(value);
  const size_t next = run_time_symbols_.size();
  if (given != nullptr && next < given->size()) {
    run_time_symbols_.push_back((*given)[next]);
  } else {
    std::string hint;  // an identifier, which text writes without quotes
    for (char ch : node_name_.empty() ? op_.name : node_name_) hint += absl::ascii_isalnum(ch) ? ch : '_';
    if (absl::ascii_isdigit(hint[0])) hint = absl::StrCat("_", hint);
    hint = absl::StrCat(hint, "_", next);
    run_time_symbols_.push_back(scope_.fresh_symbol == nullptr ? hint : scope_.fresh_symbol(hint));
  }
  return Dim::Symbol(run_time_symbols_.back());
}

absl::Status InferContext::SetNumOutputs(const Dim& count) {
  // Far above what any op is meant for; a graph's own limit, which is lower, is asked once there is a node.
  constexpr int64_t kMost = 1 << 16;
  if (!count.is_constant() || count.constant() < op_.outputs.back().least || count.constant() > kMost) {
    return Fail("E0212", absl::StrCat(count.ToString(), " results are asked for; there can be ",
                                      op_.outputs.back().least, " to ", kMost));
  }
  results_.resize(op_.outputs.size() - 1 + count.constant());
  return absl::OkStatus();
}

}  // namespace tenfold
