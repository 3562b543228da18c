// SPDX-License-Identifier: Apache-2.0
//
// Random tensors for trying a graph out. The same seed and name give the same bits on every machine.
#ifndef TENFOLD_TOOLS_RANDOM_TENSOR_H_
#define TENFOLD_TOOLS_RANDOM_TENSOR_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Floats: close to a normal distribution of mean 0 and variance 1, never beyond 6. Signed integers: uniform
// in [-100, 100], unsigned ones in [0, 100]. Bools: a fair coin. Each name has a sequence of its own, so that
// one input's values do not depend on the others. E0402 over limits.tensor_bytes.
absl::StatusOr<Tensor> RandomTensor(DType dtype, std::span<const int64_t> dims, uint64_t seed,
                                    absl::string_view name, const Limits& limits = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_RANDOM_TENSOR_H_
