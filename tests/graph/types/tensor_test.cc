// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/tensor.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

std::string CodeOf(const absl::Status& status) { return DiagnosticsOf(status)[0].code; }

TEST(Tensor, AllocationsAreAligned) {
  for (int64_t n : {0, 1, 7, 1000}) {
    const Tensor t = Tensor::Allocate(DType::kF32, Dims{n}).value();
    ASSERT_NE(t.data(), nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(t.data()) % kTensorAlignment, 0u);
    EXPECT_EQ(t.num_elements(), n);
    EXPECT_EQ(t.stored_bytes(), 4u * n);
  }
}

TEST(Tensor, RefusesWhatCannotBeAllocated) {
  constexpr int64_t kHuge = int64_t{1} << 40;
  for (const Dims& dims :
       {Dims{kHuge, kHuge}, Dims{kHuge, kHuge, 0}, Dims{INT64_MAX}, Dims{int64_t{1} << 61}, Dims{-1}}) {
    EXPECT_EQ(CodeOf(Tensor::Allocate(DType::kF32, dims).status()), "E0402");
    const float zero = 0;
    EXPECT_EQ(CodeOf(Tensor::Splat(DType::kF32, dims, &zero).status()), "E0402");
    EXPECT_EQ(CodeOf(Tensor::Wrap(DType::kF32, dims, &zero, nullptr).status()), "E0402");
  }
  EXPECT_EQ(CodeOf(Tensor::FromVector<float>({1, 2, 3}, Dims{2, 2}).status()), "E0403");
}

TEST(Tensor, ASplatStoresOneValue) {
  const int32_t seven = 7;
  const Tensor t = Tensor::Splat(DType::kI32, Dims{1000, 1000}, &seven).value();
  EXPECT_TRUE(t.is_splat());
  EXPECT_EQ(t.stored_bytes(), 4u);
  EXPECT_EQ(t.logical_bytes(), 4000000u);
  EXPECT_EQ(t.at<int32_t>(999999), 7);
  const Tensor dense = t.Materialize().value();
  EXPECT_FALSE(dense.is_splat());
  EXPECT_EQ(dense.values<int32_t>()[123456], 7);
  EXPECT_TRUE(SameBits(t, dense));
  EXPECT_FALSE(Tensor::Scalar(1.0f).is_splat());  // so that values() works
}

TEST(Tensor, ReshapeSharesMemory) {
  const Tensor t = Tensor::FromVector<int8_t>({1, 2, 3, 4, 5, 6}, Dims{2, 3}).value();
  const Tensor r = t.Reshape(Dims{3, 2}).value();
  EXPECT_EQ(r.data(), t.data());
  EXPECT_EQ(r.ToString(), "i8[3,2] {1, 2, 3, 4, 5, 6}");
  EXPECT_EQ(CodeOf(t.Reshape(Dims{4}).status()), "E0403");
}

TEST(Tensor, WrapKeepsTheOwnerAlive) {
  auto owner = std::make_shared<std::vector<double>>(3, 1.5);
  std::weak_ptr<std::vector<double>> watch = owner;
  {
    const void* const data = owner->data();
    const Tensor t = Tensor::Wrap(DType::kF64, Dims{3}, data, std::move(owner)).value();
    EXPECT_EQ(t.at<double>(2), 1.5);
    EXPECT_FALSE(watch.expired());
  }
  EXPECT_TRUE(watch.expired());
}

TEST(Tensor, PrintsShort) {
  EXPECT_EQ(Tensor::FromVector<float>({1, 0.1f, -0.0f, 1e-30f, INFINITY, NAN}, Dims{2, 3})->ToString(),
            "f32[2,3] {1, 0.1, -0, 1e-30, inf, nan}");
  EXPECT_EQ(Tensor::FromVector<int32_t>({1, 2, 3}, Dims{3})->ToString(2), "i32[3] {1, 2, ...}");
  EXPECT_EQ(Tensor::Scalar(true).ToString(), "bool[] {true}");
  EXPECT_EQ(Tensor::Scalar<uint64_t>(UINT64_MAX).ToString(), "u64[] {18446744073709551615}");
  EXPECT_EQ(Tensor().ToString(), "f32[0] {}");
  const float zero = 0;
  EXPECT_EQ(Tensor::Splat(DType::kF32, Dims{9, 9}, &zero)->ToString(), "f32[9,9] splat 0");
}

template <typename Half>
Half Read(double d) {
  if constexpr (std::is_same_v<Half, F16>)
    return ToF16(d);
  else
    return ToBF16(d);
}

template <typename Half>
void EveryHalfReadsBack() {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Half half = {static_cast<uint16_t>(bits)};
    if (std::isnan(ToFloat(half))) continue;
    const std::string text = ElementToString(Tensor::Scalar(half), 0);
    double d = 0;
    std::from_chars(text.data(), text.data() + text.size(), d);
    ASSERT_EQ(Read<Half>(d), half) << text;
    ASSERT_LE(text.size(), 12u) << text;
  }
}

TEST(Tensor, HalvesPrintTheShortestTextThatReadsBack) {
  EveryHalfReadsBack<F16>();
  EveryHalfReadsBack<BF16>();
  EXPECT_EQ(ElementToString(Tensor::Scalar(ToF16(0.1)), 0), "0.1");
  EXPECT_EQ(ElementToString(Tensor::Scalar(ToBF16(3.14159)), 0), "3.14");
  EXPECT_EQ(ElementToString(Tensor::Scalar(ToF16(65504.0)), 0), "65500");
}

TEST(SameBits, NansAreOneValueAndZerosAreTwo) {
  const auto f32 = [](uint32_t bits) { return Tensor::Scalar(std::bit_cast<float>(bits)); };
  EXPECT_TRUE(SameBits(f32(0x7fc00000), f32(0xff800001)));
  EXPECT_FALSE(SameBits(f32(0), f32(0x80000000)));
  EXPECT_FALSE(SameBits(Tensor::Scalar(1.0f), Tensor::Scalar(1.0)));
  EXPECT_FALSE(SameBits(Tensor::FromVector<float>({1}, Dims{1}).value(), Tensor::Scalar(1.0f)));
  EXPECT_TRUE(SameBits(Tensor::Scalar(F16{0x7c01}), Tensor::Scalar(F16{0xfe00})));
  EXPECT_FALSE(SameBits(Tensor::Scalar<int32_t>(0x7fc00000), Tensor::Scalar<int32_t>(0x7fc00001)));
}

// Longer than the blocks that are skipped whole: a NaN at every place in turn.
TEST(CanonicalizeNans, FindsThemAnywhere) {
  constexpr int64_t kCount = 200;
  for (int64_t at = 0; at < kCount; ++at) {
    std::vector<uint32_t> bits(kCount, 0x7f800000);
    bits[at] = 0xff800001;
    CanonicalizeNans(DType::kF32, bits.data(), kCount - 1);
    for (int64_t i = 0; i < kCount; ++i) {
      const uint32_t nan = at == kCount - 1 ? 0xff800001 : 0x7fc00000;  // the last is not to be touched
      ASSERT_EQ(bits[i], i == at ? nan : 0x7f800000) << i << " of " << at;
    }
  }
}

TEST(CanonicalizeNans, LeavesEverythingElse) {
  uint16_t f16[] = {0x7c01, 0xffff, 0x7c00, 0xfc00, 0x8000, 0x3c00};
  CanonicalizeNans(DType::kF16, f16, 6);
  EXPECT_EQ(std::vector<uint16_t>(f16, f16 + 6),
            (std::vector<uint16_t>{0x7e00, 0x7e00, 0x7c00, 0xfc00, 0x8000, 0x3c00}));
  uint16_t bf16[] = {0x7f81, 0xffc0, 0xff80};
  CanonicalizeNans(DType::kBF16, bf16, 3);
  EXPECT_EQ(std::vector<uint16_t>(bf16, bf16 + 3), (std::vector<uint16_t>{0x7fc0, 0x7fc0, 0xff80}));
  uint64_t f64[] = {0xfff0000000000001, 0x7ff0000000000000};
  CanonicalizeNans(DType::kF64, f64, 2);
  EXPECT_EQ(f64[0], 0x7ff8000000000000u);
  EXPECT_EQ(f64[1], 0x7ff0000000000000u);
}

}  // namespace
}  // namespace tenfold
