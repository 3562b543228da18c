// SPDX-License-Identifier: Apache-2.0
//
// An op at a dtype, as graphs to run and the values to feed: made from the registry, so that a new op is a
// new case without a line here.
#ifndef TENFOLD_TESTS_BITS_BIT_CASE_H_
#define TENFOLD_TESTS_BITS_BIT_CASE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/tests/bits/bit_patterns.h"

namespace tenfold::testing {

struct BitCase {
  const OpDef* op = nullptr;
  DType dtype = DType::kF32;  // of the type variable; of Cast, its input's

  // Inputs with symbolic dims; one output for each setting of the attributes, named by it: "to=f16".
  Graph alone;
  // The same inputs; each setting twice: between ops whose inverse exists, so that they hide nothing
  // ("to=f16, negated"), and for floats between ops that round ("to=f16, scaled").
  Graph chained;
};

// Every op of `registry` that a user builds, at every dtype that it admits.
absl::StatusOr<std::vector<BitCase>> AllBitCases(const std::shared_ptr<const OpRegistry>& registry);

// What a case is fed: first its special values, then random ones.
class BitFeeds {
 public:
  BitFeeds(const BitCase& bit_case, int64_t random_elements, uint64_t seed);
  bool next_is_special() const { return next_special_ < special_sizes_.size(); }
  bool done() const { return !next_is_special() && remaining_ <= 0; }
  // The tensors of the next run, in the order of the inputs.
  absl::StatusOr<std::vector<Tensor>> Next();

 private:
  absl::StatusOr<std::vector<Tensor>> Specials(size_t run);
  absl::StatusOr<std::vector<Tensor>> Random();
  absl::StatusOr<std::vector<Tensor>> Allocate(const SymbolValues& sizes) const;

  const BitCase& case_;
  std::vector<SymbolValues> special_sizes_, random_sizes_;
  size_t next_special_ = 0, next_random_ = 0;
  int64_t remaining_, vector_elements_;
  BitSource source_;
};

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_BITS_BIT_CASE_H_
