// SPDX-License-Identifier: Apache-2.0
//
// Conversions from and to f8 as programs, at every ISA level, against those of graph/float8.h, which
// tests/graph/types holds to the formats' definition.
#include "tenfold/graph/float8.h"

#include <bit>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

template <typename T>
T FromBits(uint64_t bits) {
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
  return value;
}

// `wanted` gives the bits of one converted element.
template <typename Wanted>
void ExpectConverts(DType from, const std::vector<uint64_t>& values, DType to, Overflow overflow,
                    Wanted wanted) {
  const DType inputs[] = {from};
  const ScalarProgram program = ScalarBuilder::Record(inputs, [&](std::span<const Scalar> in) {
    const bool beyond = overflow == Overflow::kBeyond;
    return std::vector<Scalar>{beyond ? ConvertToFloat8(in[0], to, overflow) : Convert(in[0], to)};
  });
  ASSERT_TRUE(program.Verify().ok()) << program.ToString();
  for (IsaLevel level : TestedLevels()) {
    const BlockInterpreter interpreter(program, level);
    const BlockResult result =
        RunBlocks(interpreter, program, {values}, {false}, static_cast<int64_t>(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_TRUE(SameValue(to, result.outputs[0][i], wanted(values[i])))
          << Name(from) << " to " << Name(to) << " on " << Name(level) << ": bits " << values[i];
    }
  }
}

std::vector<uint64_t> AllBits(int width) {
  std::vector<uint64_t> values(size_t{1} << width);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i;
  return values;
}

// Values of any type that f8 rounds in every way: each f8, the points between, and what lies next to them.
template <typename Wide>
std::vector<uint64_t> Around() {
  std::vector<uint64_t> values;
  using Bits = std::conditional_t<sizeof(Wide) == 8, uint64_t, uint32_t>;
  for (int bits = 0; bits < 65536; bits += 64) {  // f16 with four bits of mantissa
    const auto x = static_cast<Wide>(ToFloat(F16{static_cast<uint16_t>(bits)}));
    for (int offset : {-1, 0, 1}) values.push_back(std::bit_cast<Bits>(x) + static_cast<Bits>(offset));
  }
  for (Wide x : {Wide{1e30}, Wide{-1e30}, Wide{1e-30}, Wide{464}, Wide{465}, Wide{61439}, Wide{61440}}) {
    values.push_back(std::bit_cast<Bits>(x));
  }
  return values;
}

template <typename T>
class Float8Programs : public ::testing::Test {
 public:
  static constexpr DType kType = DTypeOf<T>();

  template <typename From>
  static void ExpectRounds(const std::vector<uint64_t>& values) {
    for (Overflow overflow : {Overflow::kSaturate, Overflow::kBeyond}) {
      ExpectConverts(DTypeOf<From>(), values, kType, overflow, [overflow](uint64_t bits) -> uint64_t {
        const From x = FromBits<From>(bits);
        if constexpr (std::is_class_v<From>) {
          return ToFloat8<T>(ToFloat(x), overflow).bits;
        } else {
          return ToFloat8<T>(static_cast<double>(x), overflow).bits;  // i64: beyond the range where it rounds
        }
      });
    }
  }
};

using Formats = ::testing::Types<F8E4M3FN, F8E5M2>;
TYPED_TEST_SUITE(Float8Programs, Formats);

TYPED_TEST(Float8Programs, EveryValueConvertsToEveryType) {
  const std::vector<uint64_t> values = AllBits(8);
  const DType from = DTypeOf<TypeParam>();
  ExpectConverts(from, values, DType::kF32, Overflow::kSaturate, [](uint64_t bits) -> uint64_t {
    return std::bit_cast<uint32_t>(ToFloat(TypeParam{static_cast<uint8_t>(bits)}));
  });
  // By way of f32, whose conversions are tested elsewhere.
  for (DType to : kComputedDTypes) {
    const DType wide[] = {DType::kF32};
    const ScalarProgram convert = ScalarBuilder::Record(
        wide, [&](std::span<const Scalar> in) { return std::vector<Scalar>{Convert(in[0], to)}; });
    ExpectConverts(from, values, to, Overflow::kSaturate, [&](uint64_t bits) {
      const uint64_t f = std::bit_cast<uint32_t>(ToFloat(TypeParam{static_cast<uint8_t>(bits)}));
      return EvaluateReference(convert, {&f, 1}).outputs[0];
    });
  }
}

TYPED_TEST(Float8Programs, ValuesOfTheOtherFormatRound) {
  using Other = std::conditional_t<std::is_same_v<TypeParam, F8E5M2>, F8E4M3FN, F8E5M2>;
  this->template ExpectRounds<Other>(AllBits(8));
}

TYPED_TEST(Float8Programs, EverySixteenBitValueRounds) {
  this->template ExpectRounds<F16>(AllBits(16));
  this->template ExpectRounds<BF16>(AllBits(16));
  this->template ExpectRounds<int16_t>(AllBits(16));
  this->template ExpectRounds<uint16_t>(AllBits(16));
  this->template ExpectRounds<int8_t>(AllBits(8));
  this->template ExpectRounds<uint8_t>(AllBits(8));
}

TYPED_TEST(Float8Programs, WiderValuesRoundOnce) {
  this->template ExpectRounds<float>(Around<float>());
  this->template ExpectRounds<double>(Around<double>());
  std::vector<uint64_t> integers = AllBits(17);
  for (int shift = 17; shift < 64; ++shift) integers.push_back(uint64_t{1} << shift);
  for (int64_t i = 1; i < 1000; ++i) integers.push_back(static_cast<uint64_t>(-i * 67));
  this->template ExpectRounds<int64_t>(integers);
  this->template ExpectRounds<uint64_t>(integers);
}

TEST(Float8Verify, NoPrimitiveConvertsF8) {
  ScalarProgram program;
  program.inputs = {DType::kF8E5M2};
  program.instrs = {{.prim = Prim::kInput, .type = DType::kF8E5M2},
                    {.prim = Prim::kConvert, .type = DType::kF32, .args = {0, -1, -1}}};
  program.outputs = {1};
  EXPECT_EQ(program.Verify().message().find("an f8 is converted by other primitives") == std::string::npos,
            false);
  program.inputs = {DType::kI4};
  EXPECT_FALSE(program.Verify().ok());
}

}  // namespace
}  // namespace tenfold::testing
