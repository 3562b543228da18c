// SPDX-License-Identifier: Apache-2.0
//
// Conversions to and from the 16-bit floats: exhaustive from 16 bits, and from f32 and f64 around every value
// that a 16-bit float has and every value halfway between two.

#include "tenfold/graph/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

ScalarProgram Conversion(DType from, DType to) {
  const DType inputs[] = {from};
  return ScalarBuilder::Record(
      inputs, [&](std::span<const Scalar> in) { return std::vector<Scalar>{Convert(in[0], to)}; });
}

void ExpectConverts(DType from, DType to, const std::vector<uint64_t>& values) {
  const ScalarProgram program = Conversion(from, to);
  for (IsaLevel level : TestedLevels()) {
    const BlockInterpreter interpreter(program, level);
    const BlockResult result =
        RunBlocks(interpreter, program, {values}, {false}, static_cast<int64_t>(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      const uint64_t expected = EvaluateReference(program, {&values[i], 1}).outputs[0];
      ASSERT_TRUE(SameValue(to, result.outputs[0][i], expected))
          << Name(from) << " to " << Name(to) << " on " << Name(level) << ": 0x"
          << absl::StrCat(absl::Hex(values[i]), " gives 0x", absl::Hex(result.outputs[0][i]), ", not 0x",
                          absl::Hex(expected));
    }
  }
}

std::vector<uint64_t> AllSixteenBits() {
  std::vector<uint64_t> values(65536);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i;
  return values;
}

TEST(Half, EverySixteenBitFloatConvertsToEveryType) {
  for (DType from : {DType::kF16, DType::kBF16}) {
    for (DType to : kComputedDTypes) ExpectConverts(from, to, AllSixteenBits());
  }
}

// The neighbourhood of each 16-bit value h and of the point halfway to the next, in the wider type.
std::vector<uint64_t> AroundEveryHalf(DType half, DType wide) {
  std::vector<uint64_t> values;
  for (uint32_t h = 0; h < 65536; ++h) {
    const float value = half == DType::kF16 ? ToFloat(F16{static_cast<uint16_t>(h)})
                                            : ToFloat(BF16{static_cast<uint16_t>(h)});
    const uint64_t bits =
        wide == DType::kF32 ? std::bit_cast<uint32_t>(value) : std::bit_cast<uint64_t>(double{value});
    // The last bit of h in the wider format; in the subnormal range of f16 it is further up, so try all.
    const int first = (wide == DType::kF32 ? 23 : 52) - (half == DType::kF16 ? 10 : 7);
    const int last = half == DType::kF16 && (h & 0x7c00) == 0 ? first + 10 : first;
    for (int bit = first; bit <= last; ++bit) {
      const uint64_t tie = uint64_t{1} << (bit - 1);
      for (uint64_t offset : {uint64_t{0}, uint64_t{1}, tie - 1, tie, tie + 1, 2 * tie - 1}) {
        values.push_back(bits + offset);
      }
    }
  }
  return values;
}

TEST(Half, RoundsOnceFromWiderFloats) {
  for (DType half : {DType::kF16, DType::kBF16}) {
    for (DType wide : {DType::kF32, DType::kF64}) ExpectConverts(wide, half, AroundEveryHalf(half, wide));
  }
}

// f64 values that are just past a tie of the 16-bit type by less than f32 can hold.
TEST(Half, RoundsOnceFromIntegersAndF64WithDistantBits) {
  for (DType half : {DType::kF16, DType::kBF16}) {
    std::vector<uint64_t> doubles, ints;
    for (int e = -30; e < 40; ++e) {
      for (uint64_t top = 0; top < 1 << 12; ++top) {
        const uint64_t base = uint64_t(1023 + e) << 52 | top << 40;
        for (uint64_t low : {0, 1}) doubles.push_back(base | low);
      }
    }
    for (int shift = 0; shift < 52; ++shift) {
      for (uint64_t top = 1 << 8; top < 1 << 11; ++top) {
        for (int low : {-1, 0, 1}) ints.push_back((top << shift) + low);
      }
    }
    ExpectConverts(DType::kF64, half, doubles);
    ExpectConverts(DType::kI64, half, ints);
    ExpectConverts(DType::kU64, half, ints);
  }
}

TEST(Half, ScalarFormsAgreeWithTheInterpreter) {
  for (DType half : {DType::kF16, DType::kBF16}) {
    const std::vector<uint64_t> values = AroundEveryHalf(half, DType::kF32);
    for (uint64_t bits : values) {
      const float f = std::bit_cast<float>(static_cast<uint32_t>(bits));
      const uint64_t scalar = half == DType::kF16 ? ToF16(f).bits : ToBF16(f).bits;
      ASSERT_EQ(scalar, RoundReference(half, f)) << Name(half) << " of 0x" << absl::StrCat(absl::Hex(bits));
    }
  }
}

}  // namespace
}  // namespace tenfold::testing
