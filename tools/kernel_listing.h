// SPDX-License-Identifier: Apache-2.0
//
// The code of a plan's fused kernels: `tenfold-dump --kernels`.
#ifndef TENFOLD_TOOLS_KERNEL_LISTING_H_
#define TENFOLD_TOOLS_KERNEL_LISTING_H_

#include <string>

#include "absl/status/statusor.h"
#include "tenfold/runtime/kernel_provider.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// One kernel after another, each behind a comment that names it and the nodes that it computes. LLVM IR and
// assembly are those of this machine's CPU, by `options`; PTX is for compute capability 8.0 and needs no GPU.
absl::StatusOr<std::string> ListKernels(const Plan& plan, KernelListing listing,
                                        const KernelCompileOptions& options);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_KERNEL_LISTING_H_
