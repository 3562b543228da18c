// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/tensor_literal.h"

#include <bit>
#include <cmath>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/text/element.h"

namespace tenfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Tensor Read(absl::string_view text) {
  absl::StatusOr<Tensor> tensor = ParseTensorLiteral(text);
  EXPECT_TRUE(tensor.ok()) << text << "\n" << tensor.status();
  return tensor.ok() ? *tensor : Tensor();
}

std::string Refusal(absl::string_view text) {
  const absl::StatusOr<Tensor> tensor = ParseTensorLiteral(text);
  EXPECT_FALSE(tensor.ok()) << text;
  return std::string(tensor.status().message());
}

TEST(ParseTensorLiteral, ReadsBothForms) {
  for (const char* text : {"f32[2,3] {1, 2, 3, 4, 5, 6}", "f32[2,3] 1 2 3 4 5 6", "f32[2,3] 1,2,3,4,5,6",
                           " f32[2, 3]\n1 2 3\n4 5 6 "}) {
    const Tensor tensor = Read(text);
    EXPECT_EQ(tensor.type().ToString(), "f32[2,3]");
    EXPECT_THAT(tensor.values<float>(), ElementsAre(1, 2, 3, 4, 5, 6)) << text;
  }
  EXPECT_EQ(Read("f32[] 3").at<float>(0), 3);
  EXPECT_EQ(Read("i64[0] {}").num_elements(), 0);
  EXPECT_EQ(Read("i64[0]").num_elements(), 0);
  const Tensor splat = Read("f16[1000,1000] splat 0.5");
  EXPECT_TRUE(splat.is_splat());
  EXPECT_EQ(ToFloat(splat.at<F16>(999)), 0.5f);
}

TEST(ParseTensorLiteral, ReadsTheLimitsOfEachInteger) {
  EXPECT_THAT(Read("i8[2] -128 127").values<int8_t>(), ElementsAre(-128, 127));
  EXPECT_THAT(Read("u8[2] 0 255").values<uint8_t>(), ElementsAre(0, 255));
  EXPECT_THAT(Read("i64[2] -9223372036854775808 9223372036854775807").values<int64_t>(),
              ElementsAre(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(Read("u64[1] 18446744073709551615").values<uint64_t>(), ElementsAre(~uint64_t{0}));
}

TEST(ParseTensorLiteral, RefusesWithThePlaceAndTheReason) {
  EXPECT_EQ(Refusal("i8[2] 1 300"),
            "error[E0506 bad-element]: element 1: '300' is out of the range of i8, -128 to 127\n"
            "  --> tensor:1:9\n"
            "  1 | i8[2] 1 300\n"
            "    |         ^~~");
  EXPECT_EQ(Refusal("f32[2,3] 1 2 3"),
            "error[E0403 wrong-element-count]: shape [2,3] holds 6 elements, but 3 were given\n"
            "  --> tensor:1:1\n"
            "  1 | f32[2,3] 1 2 3\n"
            "    | ^~~~~~~~");
  EXPECT_THAT(Refusal("f16[1] 65520"), HasSubstr("'65520' would become infinite as f16"));
  EXPECT_THAT(Refusal("f32[1] 1e39"), HasSubstr("'1e39' would become infinite as f32"));
  EXPECT_THAT(Refusal("f64[1] -1e5000"), HasSubstr("'-1e5000' would become infinite as f64"));
  EXPECT_THAT(Refusal("f32[1] -nan"), HasSubstr("a NaN has no sign here, write nan"));
  EXPECT_THAT(Refusal("f32[1] infinity"), HasSubstr("'infinity' is no number"));
  EXPECT_THAT(Refusal("f32[1] 1_000"), HasSubstr("'1_000' is no number"));
  EXPECT_THAT(Refusal("i32[1] 1.0"), HasSubstr("'1.0' is no integer, as i32 needs"));
  EXPECT_THAT(Refusal("i32[1] nan"), HasSubstr("'nan' is no integer"));
  EXPECT_THAT(Refusal("u8[1] -1"), HasSubstr("'-1' is out of the range of u8, 0 to 255"));
  EXPECT_THAT(Refusal("u64[1] 18446744073709551616"),
              HasSubstr("out of the range of u64, 0 to 18446744073709551615"));
  EXPECT_THAT(Refusal("bool[1] 1"), HasSubstr("'1' is no bool: write true or false"));
  EXPECT_THAT(Refusal("f32[N] 1"), HasSubstr("needs an integer for each dim, not f32[N]"));
  EXPECT_THAT(Refusal("f32[2] {1, 2"), HasSubstr("this '{' is never closed"));
  EXPECT_THAT(Refusal("f32[2] {1, ...}"), HasSubstr("E0505"));
  EXPECT_THAT(Refusal("f32[2] {1, 2} 3"), HasSubstr("expected the end of the tensor, found '3'"));
  EXPECT_THAT(Refusal("f32[2] {1, 2,}"), HasSubstr("expected a number, found '}'"));
  EXPECT_THAT(Refusal("f99[2] 1 2"), HasSubstr("does not begin with a dtype"));
  EXPECT_THAT(Refusal("f32[1000000000,1000000000] 1"), HasSubstr("E0402"));
  EXPECT_THAT(Refusal("f32[3000000000,3000000000,3000000000] 1"), HasSubstr("E0402"));
  EXPECT_THAT(Refusal("f32[1000000000] 1"), HasSubstr("but 1 were given"));  // and no 4 GB for it
  EXPECT_THAT(Refusal(""), HasSubstr("E0210"));
}

// Every 16-bit float, and random wide ones, through text and back.
TEST(TensorLiteral, RoundTripsEveryHalf) {
  for (DType dtype : {DType::kF16, DType::kBF16}) {
    Tensor all = *Tensor::Allocate(dtype, Dims{65536});
    auto* bits = static_cast<uint16_t*>(all.mutable_data());
    for (int i = 0; i < 65536; ++i) bits[i] = static_cast<uint16_t>(i);
    EXPECT_TRUE(SameBits(Read(TensorLiteral(all)), all)) << Name(dtype);
  }
}

TEST(TensorLiteral, RoundTripsRandomBitsOfEveryDType) {
  std::mt19937_64 random(7);
  for (DType dtype : kAllDTypes) {
    Tensor tensor = *Tensor::Allocate(dtype, Dims{5, 1000});
    auto* bytes = static_cast<uint8_t*>(tensor.mutable_data());
    for (size_t i = 0; i < tensor.stored_bytes(); ++i)
      bytes[i] = static_cast<uint8_t>(random()) & (IsBool(dtype) ? 1 : 255);
    EXPECT_TRUE(SameBits(Read(TensorLiteral(tensor)), tensor)) << Name(dtype);
  }
}

TEST(TensorLiteral, KeepsSplatsAndBreaksLongLists) {
  const float zero = 0;
  EXPECT_EQ(TensorLiteral(*Tensor::Splat(DType::kF32, Dims{1000, 1000}, &zero)), "f32[1000,1000] splat 0");
  EXPECT_EQ(TensorLiteral(Tensor::Scalar(true)), "bool[] {true}");
  EXPECT_EQ(TensorLiteral(Read("i8[2] 1 2"), 1), "i8[2] {1, ...}");
  EXPECT_EQ(TensorLiteral(Read("i8[2] 1 2"), 0), "i8[2] {...}");
}

float HalfOf(absl::string_view text) {
  F16 value;
  EXPECT_TRUE(ReadElement(text, DType::kF16, &value)) << text;
  return ToFloat(value);
}

TEST(ReadElement, RoundsADecimalToHalfOnce) {
  // 1 + 2^-11 lies halfway between two f16 values. The digits behind it are lost in a double, but decide.
  EXPECT_EQ(HalfOf("1.00048828125"), 1.0f);
  EXPECT_EQ(HalfOf("1.000488281250000000000000000000000001"), 1.0009765625f);
  EXPECT_EQ(HalfOf("1.000488281249999999999999999999999999"), 1.0f);
  EXPECT_EQ(HalfOf("-1.000488281250000000000000000000000001"), -1.0009765625f);
  EXPECT_EQ(HalfOf("100048828125000000000000000000000000001e-38"), 1.0009765625f);
  EXPECT_EQ(HalfOf("65519.99999999999999999999999"), 65504.0f);
  EXPECT_EQ(HalfOf("2.98023223876953125e-8"), 0.0f);  // half the least subnormal: to even
  EXPECT_EQ(HalfOf("2.980232238769531250000000000001e-8"), 0x1p-24f);
}

TEST(ReadElement, KeepsTheSignOfZeroAndOfUnderflow) {
  for (const char* text : {"-0", "-0.0", "-1e-400"}) {
    double value = 1;
    ASSERT_TRUE(ReadElement(text, DType::kF64, &value));
    EXPECT_EQ(value, 0);
    EXPECT_TRUE(std::signbit(value)) << text;
  }
}

}  // namespace
}  // namespace tenfold
