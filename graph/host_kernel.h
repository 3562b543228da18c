// SPDX-License-Identifier: Apache-2.0
//
// A host function over tensors as the computation of an op. graph/kernel_context.h says what it is given.
#ifndef TENFOLD_GRAPH_HOST_KERNEL_H_
#define TENFOLD_GRAPH_HOST_KERNEL_H_

#include <cstdint>

#include "absl/status/status.h"

namespace tenfold {

class KernelContext;

// The same for interpreter, folder and executor. Called only where an output has elements.
struct HostKernel {
  absl::Status (*run)(KernelContext& context) = nullptr;
  // Bytes of scratch for each thread, from the context's dims alone; null: none.
  int64_t (*scratch_bytes)(const KernelContext& context) = nullptr;
  int64_t cost = 1;  // operations for each element of inputs and outputs, roughly: what budgets count
  // The extents of outputs follow from values: `run` gives each its place (KernelContext::PlaceOutput), and
  // is called whatever the extents.
  bool places_outputs = false;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_HOST_KERNEL_H_
