// SPDX-License-Identifier: Apache-2.0
//
// Einsum, by two inputs at a time: what only one of them has and nobody needs is summed, what both have and
// nobody needs is the inner dim of a MatMul, and what is needed stays.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/einsum_equation.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

bool Has(const EinsumLabels& labels, EinsumLabel label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

int64_t PositionOf(const EinsumLabels& labels, EinsumLabel label) {
  return std::find(labels.begin(), labels.end(), label) - labels.begin();
}

// --- Inference ---------------------------------------------------------------------------------------------

using LabelDims = std::map<EinsumLabel, Dim>;

// The extent of each label; one of 1 is broadcast.
absl::StatusOr<LabelDims> DimsOfLabels(InferContext& c, const EinsumEquation& equation) {
  LabelDims dims;
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    LabelDims own;
    for (size_t d = 0; d < equation.inputs[i].size(); ++d) {
      const EinsumLabel label = equation.inputs[i][d];
      const Dim& dim = c.shape(static_cast<int>(i)).dim(static_cast<int>(d));
      const auto [twin, is_first] = own.emplace(label, dim);
      if (!is_first && !c.TakeDim(static_cast<int>(i), static_cast<int>(d), twin->second)) {
        return c.Fail("E0201", absl::StrCat("the label ", EinsumLabelText(label), " of ",
                                            c.InputText(static_cast<int>(i)), " stands for ",
                                            twin->second.ToString(), " and for ", dim.ToString()));
      }
      const auto [known, is_new] = dims.emplace(label, dim);
      if (is_new || known->second == dim || dim == Dim(1)) continue;
      if (known->second == Dim(1)) {
        known->second = dim;
        continue;
      }
      if (!c.TakeDim(static_cast<int>(i), static_cast<int>(d), known->second)) {
        return c.Fail("E0201", absl::StrCat("the label ", EinsumLabelText(label), " stands for ",
                                            known->second.ToString(), " and, in ",
                                            c.InputText(static_cast<int>(i)), ", for ", dim.ToString()));
      }
    }
  }
  return dims;
}

std::vector<int> RanksOf(std::span<const Value> in) {
  std::vector<int> ranks;
  for (const Value& v : in) ranks.push_back(v.shape().rank());
  return ranks;
}

absl::Status InferEinsum(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  std::vector<int> ranks;
  for (int i = 0; i < c.num_inputs(); ++i) ranks.push_back(c.shape(i).rank());
  const std::string text = c.attrs().Get<std::string>("equation");
  const absl::StatusOr<EinsumEquation> equation = ParseEinsum(text, ranks);
  if (!equation.ok()) {
    return c.Fail("E0102", absl::StrCat("attribute 'equation' is ", ToString(AttrValue(text)), ": ",
                                        equation.status().message()));
  }
  TENFOLD_ASSIGN_OR_RETURN(const LabelDims dims, DimsOfLabels(c, *equation));
  std::vector<Dim> result;
  for (const EinsumLabel label : equation->result) result.push_back(dims.at(label));
  return c.SetOutput(0, Shape(std::move(result)));
}

// --- Building ----------------------------------------------------------------------------------------------

// A value with a label for each dim, all distinct.
struct Term {
  Value value;
  EinsumLabels labels;

  Dim DimOf(EinsumLabel label) const {
    return value.shape().dim(static_cast<int>(PositionOf(labels, label)));
  }
};

// The sum over the labels that `keep` denies.
template <typename Keep>
Term SumOut(const Term& term, Keep keep) {
  Term rest;
  Ints axes;
  for (size_t d = 0; d < term.labels.size(); ++d) {
    if (keep(term.labels[d])) {
      rest.labels.push_back(term.labels[d]);
    } else {
      axes.push_back(static_cast<int64_t>(d));
    }
  }
  if (axes.empty()) return term;
  rest.value = ApplyOp("ReduceSum", {term.value}, {{"axes", axes}, {"keepdims", false}});
  return rest;
}

Term Ordered(const Term& term, const EinsumLabels& order) {
  if (term.labels == order) return term;
  Ints perm;
  for (const EinsumLabel label : order) perm.push_back(PositionOf(term.labels, label));
  return {ApplyOp("Transpose", {term.value}, {{"perm", perm}}), order};
}

// The diagonal of two dims: the sum over the second of what is left when all else has become a zero that
// changes no sum. A NaN beside the diagonal does not show.
Value Diagonal(Value x, int64_t first, int64_t second) {
  const Value on = ApplyOp("Equal", {PositionsAlong(x, first), PositionsAlong(x, second)});
  const Value alone =
      IsFloat(x.dtype()) ? ApplyOp("Where", {on, x, -0.0}) : ApplyOp("Where", {on, x, int64_t{0}});
  return ApplyOp("ReduceSum", {alone}, {{"axes", Ints{second}}, {"keepdims", false}});
}

// An input with distinct labels, without dims of extent 1 that are broadcast.
Term Prepared(Value x, EinsumLabels labels, const LabelDims& dims) {
  for (size_t d = 0; d < labels.size();) {
    const int64_t first = PositionOf(labels, labels[d]);
    if (first < static_cast<int64_t>(d)) {
      x = Diagonal(x, first, static_cast<int64_t>(d));
    } else if (x.shape().dim(static_cast<int>(d)) == Dim(1) && !(dims.at(labels[d]) == Dim(1))) {
      x = ApplyOp("Squeeze", {x, {static_cast<int64_t>(d)}});
    } else {
      ++d;
      continue;
    }
    labels.erase(labels.begin() + static_cast<int64_t>(d));
  }
  return {x, std::move(labels)};
}

// The extents of a result of Reshape, piece by piece.
class NewShape {
 public:
  // One extent: the product of those of the dims [begin, end) of x.
  void Add(Value x, size_t begin, size_t end) {
    Dim product = 1;
    for (size_t d = begin; d < end; ++d) product = product * x.shape().dim(static_cast<int>(d));
    numbers_.push_back(product.is_constant() ? product.constant() : 0);
    all_numbers_ = all_numbers_ && product.is_constant();
    std::optional<Value> piece;
    for (size_t d = begin; d < end && !product.is_constant(); ++d) {
      const Value extent = ExtentOf(x, static_cast<int64_t>(d));
      piece = piece ? *piece * extent : extent;
    }
    pieces_.push_back(
        piece ? Operand(*piece)
              : Operand(x.builder()->Const(LiteralToTensor(Ints{numbers_.back()}, DType::kI64), "")));
  }
  // An extent for each of the dims [begin, end).
  void AddEach(Value x, size_t begin, size_t end) {
    for (size_t d = begin; d < end; ++d) Add(x, d, d + 1);
  }
  Value Of(Value x) const {
    const Operand shape = all_numbers_ ? Operand(numbers_)
                                       : Operand(ApplyOpMulti("Concat", pieces_, {{"axis", int64_t{0}}})[0]);
    return ApplyOp("Reshape", {x, shape}, {{"allowzero", true}});
  }

 private:
  Ints numbers_;
  bool all_numbers_ = true;
  std::vector<Operand> pieces_;
};

// With labels [batch..., rows..., columns...] the dims [begin, end) and those behind them as one each.
Value AsMatrices(Value x, size_t batch, size_t rows) {
  const size_t rank = static_cast<size_t>(x.shape().rank());
  if (rows == 1 && rank == batch + 2) return x;
  NewShape shape;
  shape.AddEach(x, 0, batch);
  shape.Add(x, batch, batch + rows);
  shape.Add(x, batch + rows, rank);
  return shape.Of(x);
}

Value WithOnes(Value x, size_t at, size_t count) {
  if (count == 0) return x;
  Ints axes;
  for (size_t i = 0; i < count; ++i) axes.push_back(static_cast<int64_t>(at + i));
  return ApplyOp("Unsqueeze", {x, axes});
}

// Both inputs as one, with the labels that `keep` grants.
template <typename Keep>
Term Contract(Term a, Term b, Keep keep) {
  a = SumOut(a, [&](EinsumLabel label) { return keep(label) || Has(b.labels, label); });
  b = SumOut(b, [&](EinsumLabel label) { return keep(label) || Has(a.labels, label); });
  EinsumLabels batch, inner, rows, columns;
  for (const EinsumLabel label : a.labels) {
    (!Has(b.labels, label) ? rows : keep(label) ? batch : inner).push_back(label);
  }
  for (const EinsumLabel label : b.labels) {
    if (!Has(a.labels, label)) columns.push_back(label);
  }
  const auto joined = [](std::initializer_list<const EinsumLabels*> lists) {
    EinsumLabels all;
    for (const EinsumLabels* list : lists) all.insert(all.end(), list->begin(), list->end());
    return all;
  };
  EinsumLabels labels = joined({&batch, &rows, &columns});
  if (inner.empty()) {
    const Value x = Ordered(a, joined({&batch, &rows})).value,
                y = Ordered(b, joined({&batch, &columns})).value;
    return {WithOnes(x, batch.size() + rows.size(), columns.size()) * WithOnes(y, batch.size(), rows.size()),
            std::move(labels)};
  }
  const Value x = Ordered(a, joined({&batch, &rows, &inner})).value,
              y = Ordered(b, joined({&batch, &inner, &columns})).value;
  Value product = ApplyOp(
      "MatMul", {AsMatrices(x, batch.size(), rows.size()), AsMatrices(y, batch.size(), inner.size())});
  if (rows.size() != 1 || columns.size() != 1) {
    NewShape shape;
    shape.AddEach(x, 0, batch.size() + rows.size());
    shape.AddEach(y, batch.size() + inner.size(), batch.size() + inner.size() + columns.size());
    product = shape.Of(product);
  }
  return {product, std::move(labels)};
}

// The terms that are left, and how many of them have each label, the result among them.
class Terms {
 public:
  Terms(std::vector<Term> terms, EinsumLabels result) : terms_(std::move(terms)), result_(std::move(result)) {
    for (const EinsumLabel label : result_) ++count_[label];
    for (const Term& term : terms_) Count(term, 1);
  }

  Value Contracted() {
    while (terms_.size() > 1) {
      const auto [i, j] = NextPair();
      Term a = std::move(terms_[i]), b = std::move(terms_[j]);
      terms_.erase(terms_.begin() + static_cast<int64_t>(j));
      Count(a, -1), Count(b, -1);
      terms_[i] = Contract(std::move(a), std::move(b), [&](EinsumLabel label) { return count_[label] > 0; });
      Count(terms_[i], 1);
    }
    return Ordered(SumOut(terms_[0], [&](EinsumLabel label) { return Has(result_, label); }), result_).value;
  }

 private:
  void Count(const Term& term, int by) {
    for (const EinsumLabel label : term.labels) count_[label] += by;
  }

  // Those whose result is smallest, the first of several; in order where extents are not known, or where
  // there are too many to try them all.
  std::pair<size_t, size_t> NextPair() const {
    constexpr size_t kMostTried = 16;
    std::pair<size_t, size_t> best = {0, 1};
    if (terms_.size() == 2 || terms_.size() > kMostTried) return best;
    int64_t smallest = std::numeric_limits<int64_t>::max();
    for (size_t i = 0; i < terms_.size(); ++i) {
      for (size_t j = i + 1; j < terms_.size(); ++j) {
        const std::optional<int64_t> size = SizeOfPair(terms_[i], terms_[j]);
        if (!size) return {0, 1};
        if (*size < smallest) smallest = *size, best = {i, j};
      }
    }
    return best;
  }

  std::optional<int64_t> SizeOfPair(const Term& a, const Term& b) const {
    Dim size = 1;
    for (const EinsumLabel label : a.labels) {
      if (count_.at(label) > 1 + (Has(b.labels, label) ? 1 : 0)) size = size * a.DimOf(label);
    }
    for (const EinsumLabel label : b.labels) {
      if (!Has(a.labels, label) && count_.at(label) > 1) size = size * b.DimOf(label);
    }
    if (!size.valid()) return std::numeric_limits<int64_t>::max();
    return size.is_constant() ? std::optional(size.constant()) : std::nullopt;
  }

  std::vector<Term> terms_;
  EinsumLabels result_;
  std::map<EinsumLabel, int> count_;
};

Value BuildEinsum(std::span<const Value> in, const Attrs& attrs) {
  // Inference has admitted it.
  const absl::StatusOr<EinsumEquation> equation =
      ParseEinsum(attrs.Get<std::string>("equation"), RanksOf(in));
  if (!equation.ok()) return Value();
  LabelDims dims;
  for (size_t i = 0; i < in.size(); ++i) {
    for (size_t d = 0; d < equation->inputs[i].size(); ++d) {
      Dim& dim = dims.emplace(equation->inputs[i][d], Dim(1)).first->second;
      if (dim == Dim(1)) dim = in[i].shape().dim(static_cast<int>(d));
    }
  }
  std::vector<Term> terms;
  for (size_t i = 0; i < in.size(); ++i) terms.push_back(Prepared(in[i], equation->inputs[i], dims));
  return Terms(std::move(terms), equation->result).Contracted();
}

}  // namespace

std::vector<OpDef> EinsumOps() {
  return {
      {.name = "Einsum",
       .inputs =
           {{.name = "inputs", .type_var = "T", .dtypes = kNumeric, .doc = "", .arity = Arity::kVariadic}},
       .attrs = {{"equation", AttrKind::kString, std::nullopt,
                  "a letter for each dim of each input, \"ij,jk->ik\": a letter of several is summed over, "
                  "unless the result has it, and one that an input has twice is its diagonal. Without -> "
                  "the result has the letters that stand once, in the order of the alphabet. An ellipsis "
                  "stands for any dims, which are broadcast"}},
       .outputs = {{"y", "T", kNumeric, ""}},
       .doc = "The sum of products that an equation in NumPy's notation says. Of several inputs, those two "
              "come first whose product is smallest. Integers wrap.",
       .bound = "That of MatMul and ReduceSum.",
       .infer = InferEinsum,
       .computation = Composite{BuildEinsum}}};
}

}  // namespace tenfold
