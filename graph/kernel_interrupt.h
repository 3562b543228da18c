// SPDX-License-Identifier: Apache-2.0
//
// What long loops poll, made of a host kernel's context.
#ifndef TENFOLD_GRAPH_KERNEL_INTERRUPT_H_
#define TENFOLD_GRAPH_KERNEL_INTERRUPT_H_

#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/kernel_context.h"

namespace tenfold {

// The context must stay.
inline KernelInterrupt InterruptOf(KernelContext& context) {
  return {[](void* c) -> int32_t { return static_cast<KernelContext*>(c)->ShouldStop(); }, &context};
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_KERNEL_INTERRUPT_H_
