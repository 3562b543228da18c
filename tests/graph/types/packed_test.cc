// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/packed.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {
namespace {

TEST(Packed, TheFirstElementIsTheLowHalf) {
  const uint8_t bytes[] = {0x8f, 0x70};
  EXPECT_EQ(PackedElement<int8_t>(bytes, 0), -1);
  EXPECT_EQ(PackedElement<int8_t>(bytes, 1), -8);
  EXPECT_EQ(PackedElement<int8_t>(bytes, 2), 0);
  EXPECT_EQ(PackedElement<int8_t>(bytes, 3), 7);
  EXPECT_EQ(PackedElement<uint8_t>(bytes, 0), 15);
  EXPECT_EQ(PackedElement<uint8_t>(bytes, 1), 8);
}

TEST(Packed, BytesOfElements) {
  EXPECT_EQ(BytesOf(DType::kI4, 0), 0u);
  EXPECT_EQ(BytesOf(DType::kI4, 1), 1u);
  EXPECT_EQ(BytesOf(DType::kU4, 2), 1u);
  EXPECT_EQ(BytesOf(DType::kU4, 3), 2u);
  EXPECT_EQ(BytesOf(DType::kU4, ~uint64_t{0}), uint64_t{1} << 63);
  EXPECT_EQ(BytesOf(DType::kF8E5M2, 3), 3u);
  EXPECT_EQ(BytesOf(DType::kF16, 3), 6u);
}

// Every part of every short list, there and back; what lies around it stays.
TEST(Packed, EveryRangeUnpacks) {
  for (DType dtype : {DType::kI4, DType::kU4}) {
    for (int64_t count = 0; count <= 9; ++count) {
      std::vector<int8_t> values(count);
      for (int64_t i = 0; i < count; ++i) {
        values[i] = static_cast<int8_t>(dtype == DType::kI4 ? (i * 5) % 16 - 8 : (i * 7) % 16);
      }
      std::vector<uint8_t> packed(BytesOf(dtype, count) + 1, 0xee);
      PackElements(values.data(), count, packed.data());
      EXPECT_EQ(packed.back(), 0xee);
      EXPECT_EQ(count % 2 == 0 ? 0 : packed[count / 2] >> 4, 0);
      for (int64_t begin = 0; begin <= count; ++begin) {
        for (int64_t end = begin; end <= count; ++end) {
          std::vector<int8_t> out(end - begin + 1, 99);
          UnpackElements(dtype, packed.data(), begin, end, out.data());
          EXPECT_EQ(std::vector<int8_t>(out.begin(), out.end() - 1),
                    std::vector<int8_t>(values.begin() + begin, values.begin() + end));
          EXPECT_EQ(out.back(), 99);
        }
      }
    }
  }
}

TEST(Packed, TensorsTakeHalfTheBytes) {
  const std::vector<int8_t> values = {-8, -1, 0, 1, 7};
  const Tensor unpacked = *Tensor::FromVector(values, Dims{5});
  const Tensor tensor = *unpacked.Pack(DType::kI4);
  EXPECT_EQ(tensor.stored_bytes(), 3u);
  EXPECT_EQ(tensor.logical_bytes(), 3u);
  EXPECT_EQ(tensor.ToString(), "i4[5] {-8, -1, 0, 1, 7}");
  EXPECT_EQ(tensor.at<int8_t>(1), -1);
  EXPECT_TRUE(SameBits(*tensor.Unpack(), unpacked));
  EXPECT_EQ(tensor.Reshape(Dims{5, 1})->type().ToString(), "i4[5,1]");
}

TEST(Packed, SplatsStoreOneElement) {
  const uint8_t element = 0xf3;  // what does not belong to it is dropped
  const Tensor splat = *Tensor::Splat(DType::kU4, Dims{3, 3}, &element);
  EXPECT_EQ(splat.stored_bytes(), 1u);
  EXPECT_EQ(splat.logical_bytes(), 5u);
  EXPECT_EQ(splat.ToString(), "u4[3,3] splat 3");
  const Tensor dense = *splat.Materialize();
  const uint8_t bytes[] = {0x33, 0x33, 0x33, 0x33, 0x03};
  ASSERT_EQ(dense.stored_bytes(), sizeof(bytes));
  EXPECT_EQ(std::memcmp(dense.data(), bytes, sizeof(bytes)), 0);
  EXPECT_TRUE(SameBits(splat, dense));
  EXPECT_EQ(splat.Unpack()->ToString(), "u8[3,3] splat 3");
}

TEST(Packed, WhatLiesBehindTheLastElementDoesNotCount) {
  const uint8_t one[] = {0x21, 0x03}, other[] = {0x21, 0xf3}, different[] = {0x21, 0x04};
  const auto wrap = [](const uint8_t* bytes) { return *Tensor::Wrap(DType::kI4, Dims{3}, bytes, nullptr); };
  EXPECT_TRUE(SameBits(wrap(one), wrap(other)));
  EXPECT_FALSE(SameBits(wrap(one), wrap(different)));
}

}  // namespace
}  // namespace tenfold
