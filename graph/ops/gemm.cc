// SPDX-License-Identifier: Apache-2.0
//
// Gemm, which is MatMul with what surrounds it in a fully connected layer.
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// x * factor, or x itself.
Value Scaled(Value x, double factor) {
  if (factor == 1) return x;
  return IsFloat(x.dtype()) ? x * factor : x * static_cast<int64_t>(factor);
}

Value BuildGemm(std::span<const Value> in, const Attrs& attrs) {
  const auto side = [&](int i, const char* transposed) {
    return attrs.Get<bool>(transposed) ? ApplyOp("Transpose", {in[i]}) : in[i];
  };
  const Value product =
      Scaled(ApplyOp("MatMul", {side(0, "transA"), side(1, "transB")}), attrs.Get<double>("alpha"));
  const bool has_c = in.size() > 2 && in[2].builder() != nullptr;
  return has_c ? product + Scaled(in[2], attrs.Get<double>("beta")) : product;
}

absl::Status InferGemm(InferContext& c) {
  for (const char* name : {"alpha", "beta"}) {
    const double factor = c.attrs().Get<double>(name);
    if (IsFloat(c.dtype(0)) || (factor == std::trunc(factor) && std::abs(factor) <= 0x1p53)) continue;
    return c.Fail("E0102", absl::StrCat("attribute '", name, "' is ", factor,
                                        ", but must be a whole number for integers: ", Name(c.dtype(0))));
  }
  if (!c.shape(0).has_rank() || !c.shape(1).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  for (int i : {0, 1}) {
    if (c.shape(i).rank() != 2)
      return c.Fail("E0207", absl::StrCat(c.InputText(i), ", but must be a matrix"));
  }
  const int a_rows = c.attrs().Get<bool>("transA") ? 1 : 0, b_rows = c.attrs().Get<bool>("transB") ? 1 : 0;
  TENFOLD_RETURN_IF_ERROR(c.SameDim(0, 1 - a_rows, 1, b_rows, "inner dims"));
  const Shape result = {c.shape(0).dim(a_rows), c.shape(1).dim(1 - b_rows)};
  if (c.has(2)) TENFOLD_RETURN_IF_ERROR(CheckBroadcastsTo(c, 2, result, "the product"));
  return c.SetOutput(0, result);
}

}  // namespace

std::vector<OpDef> GemmOps() {
  return {{.name = "Gemm",
           .inputs = {{"a", "T", kNumeric, "[m, k], or [k, m] with transA"},
                      {"b", "T", kNumeric, "[k, n], or [n, k] with transB"},
                      {.name = "c",
                       .type_var = "T",
                       .dtypes = kNumeric,
                       .doc = "broadcast to [m, n]",
                       .arity = Arity::kOptional}},
           .attrs = {{"alpha", AttrKind::kFloat, AttrValue(1.0), "factor of the product"},
                     {"beta", AttrKind::kFloat, AttrValue(1.0), "factor of c"},
                     {"transA", AttrKind::kBool, AttrValue(false), "a lies the other way"},
                     {"transB", AttrKind::kBool, AttrValue(false), "b lies the other way"}},
           .outputs = {{"y", "T", kNumeric, "[m, n]"}},
           .doc = "alpha * a x b + beta * c: MatMul, Mul and Add in this order. A factor of 1 is no "
                  "multiplication; one of 0 is, so that 0 * Inf is NaN.",
           .bound = "That of MatMul: see docs/numerics.md.",
           .infer = InferGemm,
           .computation = Composite{BuildGemm}}};
}

}  // namespace tenfold
