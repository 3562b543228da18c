// SPDX-License-Identifier: Apache-2.0
//
// Ops of matrices that are no products.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

absl::Status InferDet(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 2));
  if (!(x.dim(x.rank() - 2) == x.dim(x.rank() - 1))) {
    return c.Fail("E0201", absl::StrCat(c.InputText(0), ", but a determinant is one of a square matrix"));
  }
  return c.SetOutput(0, Shape(std::vector<Dim>(x.dims().begin(), x.dims().end() - 2)));
}

int64_t DetScratch(const KernelContext& c) {
  if (c.output().count == 0) return 0;
  const int64_t n = c.input(0).dims.back();
  return n * n * static_cast<int64_t>(sizeof(double));
}

// Of the matrix a, n x n, which is overwritten: the product of the pivots of Gaussian elimination, each the
// largest in magnitude of what is left of its column.
double Determinant(const KernelContext& c, double* a, int64_t n) {
  double product = 1;
  for (int64_t k = 0; k < n && !c.ShouldStop(); ++k) {
    int64_t pivot = k;
    for (int64_t row = k + 1; row < n; ++row) {
      if (std::abs(a[row * n + k]) > std::abs(a[pivot * n + k])) pivot = row;
    }
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      product = -product;
    }
    product *= a[k * n + k];
    for (int64_t row = k + 1; row < n; ++row) {
      // A zero needs no elimination, and 0 / 0 in a singular matrix would make NaN of it.
      if (a[row * n + k] == 0) continue;
      const double factor = a[row * n + k] / a[k * n + k];
      for (int64_t column = k + 1; column < n; ++column) {
        const double part = factor * a[k * n + column];
        a[row * n + column] -= part;
      }
    }
  }
  return product;
}

absl::Status RunDet(KernelContext& c) {
  const KernelTensor &x = c.input(0), &y = c.output();
  const int64_t n = x.dims.back();
  const int64_t cost = n < 128 ? n * n * n + 1 : int64_t{1} << 21;
  return c.ForEachRange(y.count, cost, [&](int64_t begin, int64_t end, void* scratch) {
    VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
      double* const a = static_cast<double*>(scratch);
      for (int64_t i = begin; i < end; ++i) {
        for (int64_t e = 0; e < n * n; ++e) a[e] = static_cast<double>(Widen(x.values<T>()[i * n * n + e]));
        y.mutable_values<T>()[i] = Narrow<T>(Determinant(c, a, n));
      }
    });
    return absl::OkStatus();
  });
}

}  // namespace

std::vector<OpDef> LinearAlgebraOps() {
  return {
      {.name = "Det",
       .inputs = {{"x", "T", kFloat, "[..., n, n]"}},
       .outputs = {{"y", "T", kFloat, "[...]"}},
       .doc =
           "The determinant of each matrix, 1 of one without elements, by Gaussian elimination with partial "
           "pivoting in f64, rounded once.",
       .bound = "That of Gaussian elimination in f64.",
       .infer = InferDet,
       .computation = HostKernel{.run = RunDet, .scratch_bytes = DetScratch, .cost = 256}},
  };
}

}  // namespace tenfold
