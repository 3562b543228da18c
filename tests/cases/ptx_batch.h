// SPDX-License-Identifier: Apache-2.0
//
// Kernels whose PTX is assembled together: a run of ptxas takes longer than a kernel.
#ifndef TENFOLD_TESTS_CASES_PTX_BATCH_H_
#define TENFOLD_TESTS_CASES_PTX_BATCH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/fused/fused_kernel.h"

namespace tenfold::testing {

class PtxBatch {
 public:
  void Add(FusedKernel kernel);
  size_t size() const { return kernels_.size(); }
  // One module of them all, through the program `ptxas`; files go to `folder`.
  absl::Status Assemble(const std::string& ptxas, const std::string& folder) const;

 private:
  std::vector<FusedKernel> kernels_;
};

// False where there is no CUDA toolkit.
bool PtxasWorks(const std::string& ptxas);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_CASES_PTX_BATCH_H_
