// SPDX-License-Identifier: Apache-2.0
//
// From sample arrays of an input to its contract.
#ifndef TENFOLD_GRAPH_DERIVE_CONTRACT_H_
#define TENFOLD_GRAPH_DERIVE_CONTRACT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "tenfold/graph/contract.h"

namespace tenfold {

// The input that a contract is for.
struct ContractSubject {
  std::string name;
  TensorType type;
  std::string location = {};         // "model.tnt:3:9"; may be empty
  std::optional<int64_t> axis = {};  // of the columns; negative ones count from the end. Default: the last
};

struct ContractSample {
  Tensor values;
  std::string source;  // "train.npy"; may be empty
};

// What all samples together show. Dims that the input declares as constants must be the samples'; those with
// symbols stay so, and bounds of symbols do not matter: a sample may have more rows than a run. An input of
// unknown rank takes the samples' dims, and those in which they differ become symbols. Errors: E0402, E0604,
// E0605, E0606, E0614.
absl::StatusOr<Contract> DeriveContract(const ContractSubject& input,
                                        std::span<const ContractSample> samples);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_DERIVE_CONTRACT_H_
