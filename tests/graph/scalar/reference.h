// SPDX-License-Identifier: Apache-2.0
//
// A second, plain implementation of the primitives, one element at a time, to test the interpreter against;
// and the interpreter behind an interface of bit patterns.
#ifndef TENFOLD_TESTS_GRAPH_SCALAR_REFERENCE_H_
#define TENFOLD_TESTS_GRAPH_SCALAR_REFERENCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold::testing {

// Values are bit patterns, in the low bytes.
struct ReferenceResult {
  std::vector<uint64_t> outputs;
  bool failed = false;
};
ReferenceResult EvaluateReference(const ScalarProgram& program, std::span<const uint64_t> inputs);

// `value` rounded once, half to even, to a type of floats. Every i64, u64, f32 and f64 is a long double.
uint64_t RoundReference(DType type, long double value);

bool IsNanBits(DType type, uint64_t bits);
// The same bits, or both NaN: a NaN's bits are not specified inside a program.
bool SameValue(DType type, uint64_t a, uint64_t b);

// Runs `program` over any number of elements; inputs[i][e]. A uniform input has one element.
struct BlockResult {
  std::vector<std::vector<uint64_t>> outputs;  // [output][element]
  int64_t first_error = -1;
};
BlockResult RunBlocks(const BlockInterpreter& interpreter, const ScalarProgram& program,
                      const std::vector<std::vector<uint64_t>>& inputs, const std::vector<bool>& is_uniform,
                      int64_t count);

// The levels that this machine can run.
std::vector<IsaLevel> TestedLevels();

// Signed zeros, infinities, NaN, subnormals, the limits of every integer type and their neighbours, as far as
// `type` has them.
std::vector<uint64_t> SpecialValues(DType type);

// SplitMix64: fixed, so that a failure can be repeated anywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  int Below(int bound) { return static_cast<int>(Next() % static_cast<uint64_t>(bound)); }
  // Any bit pattern of `type`, special values and small numbers more often than others.
  uint64_t Value(DType type);

 private:
  uint64_t state_;
};

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_GRAPH_SCALAR_REFERENCE_H_
