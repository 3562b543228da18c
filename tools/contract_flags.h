// SPDX-License-Identifier: Apache-2.0
//
// Contracts on command lines: `tenfold-import --contract x=train.npy`, `tenfold-run --contract=warn`.
#ifndef TENFOLD_TOOLS_CONTRACT_FLAGS_H_
#define TENFOLD_TOOLS_CONTRACT_FLAGS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/limits.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/policy_flags.h"

namespace tenfold {

// The samples that contracts are made from.
class ContractFlags {
 public:
  // Declares --contract and --contract-axis; the object must outlive the parser.
  void Add(Flags& flags);

  // The inputs that are named, once each.
  std::vector<std::string> inputs() const;

  // Gives each of them a contract, in place of the one that it had; says in lines what was learnt, and what
  // policies did to the samples. All errors are reported: E0602, E0325, those of IngestFile and
  // DeriveContract.
  absl::StatusOr<std::vector<std::string>> MakeContracts(Graph& graph, const PolicyFlags& policies,
                                                         const Limits& limits) const;

 private:
  std::vector<NamedArgument> samples_;
  std::map<std::string, int64_t> axes_;
};

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_CONTRACT_FLAGS_H_
