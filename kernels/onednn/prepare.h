// SPDX-License-Identifier: Apache-2.0
//
// Preparing a kernel with the library, whose C++ interface throws: that ends here.
#ifndef TENFOLD_KERNELS_ONEDNN_PREPARE_H_
#define TENFOLD_KERNELS_ONEDNN_PREPARE_H_

#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/onednn/packing_cache.h"
#include "tenfold/kernels/onednn/single_thread.h"
#include "tenfold/runtime/kernel_provider.h"

namespace tenfold {

// `kernel`, after its Prepare(constant, cache, interrupt), which may throw dnnl::error. Null if that was
// false, or if the library refuses; E0402 with `no_memory` as its message if there is no memory.
template <typename Kernel>
absl::StatusOr<std::unique_ptr<Kernel>> Prepare(std::unique_ptr<Kernel> kernel,
                                                const std::optional<Tensor>& constant, PackingCache& cache,
                                                const KernelInterrupt* interrupt,
                                                absl::string_view no_memory) {
  const ScopedSingleThread single;
  try {
    if (!kernel->Prepare(constant, cache, interrupt)) return nullptr;
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) return MakeError("E0402", std::string(no_memory));
    return nullptr;
  }
  return kernel;
}

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_ONEDNN_PREPARE_H_
