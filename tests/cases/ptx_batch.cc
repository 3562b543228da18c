// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/ptx_batch.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/cuda/ptx_kernel.h"

namespace tenfold::testing {

void PtxBatch::Add(FusedKernel kernel) {
  // The cases of one op often make the same kernel.
  const std::string text = kernel.ToString();
  const bool known = std::any_of(kernels_.begin(), kernels_.end(),
                                 [&](const FusedKernel& k) { return k.ToString() == text; });
  if (!known) kernels_.push_back(std::move(kernel));
}

absl::Status PtxBatch::Assemble(const std::string& ptxas, const std::string& folder) const {
  if (kernels_.empty()) return absl::OkStatus();
  std::vector<const FusedKernel*> kernels;
  for (const FusedKernel& kernel : kernels_) kernels.push_back(&kernel);
  TENFOLD_ASSIGN_OR_RETURN(const PtxModule module, CompileToPtx(kernels));
  const std::string base = folder + "/cases";
  std::ofstream(base + ".ptx") << module.ptx;
  const std::string command = absl::StrCat(ptxas, " --warning-as-error -O1 -arch=sm_80 ", base, ".ptx -o ",
                                           base, ".cubin > ", base, ".log 2>&1");
  if (std::system(command.c_str()) == 0) return absl::OkStatus();
  std::ifstream log(base + ".log");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  return absl::InternalError(absl::StrCat("ptxas refuses the kernels of the cases:\n", text.substr(0, 4000)));
}

bool PtxasWorks(const std::string& ptxas) {
  return !ptxas.empty() && std::system(absl::StrCat(ptxas, " --version > /dev/null 2>&1").c_str()) == 0;
}

}  // namespace tenfold::testing
