// SPDX-License-Identifier: Apache-2.0
//
// The command line of tenfold-run.
#ifndef TENFOLD_TOOLS_RUN_ARGUMENTS_H_
#define TENFOLD_TOOLS_RUN_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tenfold/compiler/compile.h"
#include "tenfold/runtime/run_options.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/policy_flags.h"

namespace tenfold {

struct RunArguments {
  std::string model;
  std::vector<NamedArgument> inputs, outputs, expectations;
  std::optional<double> rtol, atol;
  int64_t max_ulp = 0;
  bool equal_nan = false;
  bool validate = false;
  std::string compare_with;  // another graph; empty: none
  CompileOptions compile;
  PolicyFlags policies;
  ContractMode contract = ContractMode::kEnforce;
  int64_t deadline = 0;  // milliseconds; 0: none
  int64_t repeat = 0;
  int64_t warmup = 0;
  std::string profile;  // a file; empty: none
  bool profile_table = false;
  uint64_t seed = 0;
  bool fix = false;

  // So that every value can be looked at.
  bool ComputesByNode() const { return validate || !compare_with.empty(); }
};

// Flags set `arguments`, which must outlive them.
void DeclareRunFlags(Flags& flags, RunArguments& arguments);

// What is wrong with flags that contradict each other; empty if none do.
std::string FindContradiction(const RunArguments& arguments);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_RUN_ARGUMENTS_H_
