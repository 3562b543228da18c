// SPDX-License-Identifier: Apache-2.0
//
// Feeds held against a contract: whether they keep it, at the speed of memory, and if not, why not.
#ifndef TENFOLD_GRAPH_CONTRACT_CHECKER_H_
#define TENFOLD_GRAPH_CONTRACT_CHECKER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/contract.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Immutable and thread-safe.
class ContractChecker {
 public:
  // Of an input called `input`, declared at `location`. The contract must be one (FindContractFault). Errors:
  // E0402.
  static absl::StatusOr<ContractChecker> Create(std::string input, std::string location, Contract contract);

  // Asked every millisecond or so of work: whether to give up. What is said of the feed is worth nothing
  // then.
  using Stop = absl::FunctionRef<bool()>;

  // Whether every value is as the contract says. `data` is row-major, of the contract's dtype, and its
  // extents fit the contract's shape.
  bool Holds(std::span<const int64_t> dims, const void* data, Stop stop) const;
  // What is not: E0612 for NaN, E0613 for what lies outside the ranges, each with its first value. `file` is
  // where the feed comes from, as a command line names it; empty if that is not known.
  std::vector<Diagnostic> Violations(std::span<const int64_t> dims, const void* data, Stop stop,
                                     absl::string_view file = "") const;

 private:
  ContractChecker() = default;
  template <typename T>
  absl::Status Prepare();
  template <typename T>
  bool AllHold(const ColumnLayout& layout, const T* values, Stop stop) const;
  template <typename T>
  std::vector<Diagnostic> Explain(std::span<const int64_t> dims, const T* values, Stop stop,
                                  absl::string_view file) const;

  std::string input_, location_;
  Contract contract_;
  // The bounds of each column as keys (graph/value_order.h), and whether it admits NaN, as integers of the
  // keys' width; repeated until they are long enough for whole vectors.
  int64_t period_ = 0;
  Tensor low_, high_, admits_;
  bool any_admits_ = false;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONTRACT_CHECKER_H_
