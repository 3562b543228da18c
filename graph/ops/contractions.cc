// SPDX-License-Identifier: Apache-2.0
//
// Sums of products over shared dims. The loop nest is the reference (graph/matmul_reference.h).
#include "tenfold/graph/ops/contractions.h"

#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

absl::Status InferMatMul(InferContext& c) { return InferMatMulOf(c, 0, 1); }

}  // namespace

// [..., m, k] x [..., k, n] -> [..., m, n], batch dims broadcast. As in NumPy, a vector on the left is a row,
// on the right a column, and its dim is dropped from the result.
absl::Status InferMatMulOf(InferContext& c, int lhs_input, int rhs_input) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(lhs_input, 1));
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(rhs_input, 1));
  const Shape& lhs = c.shape(lhs_input);
  const Shape& rhs = c.shape(rhs_input);
  if (!lhs.has_rank() || !rhs.has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  TENFOLD_RETURN_IF_ERROR(c.SameDim(lhs_input, -1, rhs_input, rhs.rank() == 1 ? -1 : -2, "inner dims"));
  const auto batch_of = [](const Shape& s) {
    const int count = s.rank() > 2 ? s.rank() - 2 : 0;
    return Shape(std::vector<Dim>(s.dims().begin(), s.dims().begin() + count));
  };
  TENFOLD_ASSIGN_OR_RETURN(Shape batch,
                           c.Broadcast(batch_of(lhs), batch_of(rhs), "batch dims", lhs_input, rhs_input));
  std::vector<Dim> dims = batch.dims();
  if (lhs.rank() > 1) dims.push_back(lhs.dim(lhs.rank() - 2));
  if (rhs.rank() > 1) dims.push_back(rhs.dim(rhs.rank() - 1));
  return c.SetOutput(0, Shape(std::move(dims)));
}

std::vector<OpDef> ContractionOps() {
  return {
      {.name = "MatMul",
       .inputs = {{"lhs", "T", kNumeric, "[..., m, k], or [k]"},
                  {"rhs", "T", kNumeric, "[..., k, n], or [k]"}},
       .outputs = {{"y", "T", kNumeric, "[..., m, n]"}},
       .doc =
           "The matrix product, batch dims broadcast as in NumPy. Integers wrap; f16 and bf16 accumulate in "
           "f32.",
       .bound = "An implementation other than the reference may sum in another order: see docs/numerics.md.",
       .infer = InferMatMul,
       .computation = Contraction{}}};
}

}  // namespace tenfold
