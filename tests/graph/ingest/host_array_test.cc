// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/host_array.h"

#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tenfold {
namespace {

using std::string;

std::vector<int32_t> Counting(size_t n) {
  std::vector<int32_t> values(n);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

struct View {
  Dims dims, strides;
  int64_t offset = 0;
};

absl::StatusOr<Tensor> Copy(const std::vector<int32_t>& memory, const View& view, const Limits& limits = {}) {
  return CopyStrided({.dtype = DType::kI32,
                      .dims = view.dims,
                      .byte_strides = view.strides,
                      .memory = std::as_bytes(std::span(memory)),
                      .offset = view.offset},
                     limits);
}

string Text(const absl::StatusOr<Tensor>& tensor) {
  return tensor.ok() ? tensor->ToString() : string(tensor.status().message());
}

TEST(CopyStrided, AnyStrides) {
  const std::vector<int32_t> memory = Counting(12);
  EXPECT_EQ(Text(Copy(memory, {{3, 4}, {16, 4}})), "i32[3,4] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}");
  EXPECT_EQ(Text(Copy(memory, {{4, 3}, {4, 16}})), "i32[4,3] {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}");
  EXPECT_EQ(Text(Copy(memory, {{2, 2}, {16, 8}, 4})), "i32[2,2] {1, 3, 5, 7}");
  // Reversed, as a[::-1, ::-2] of NumPy.
  EXPECT_EQ(Text(Copy(memory, {{3, 2}, {-16, -8}, 44})), "i32[3,2] {11, 9, 7, 5, 3, 1}");
  // Repeated, as broadcast_to.
  EXPECT_EQ(Text(Copy(memory, {{2, 3}, {0, 4}, 8})), "i32[2,3] {2, 3, 4, 2, 3, 4}");
  EXPECT_EQ(Text(Copy(memory, {{2, 2, 2}, {24, 0, -4}, 4})), "i32[2,2,2] {1, 0, 1, 0, 7, 6, 7, 6}");
  EXPECT_EQ(Text(Copy(memory, {{}, {}, 44})), "i32[] {11}");
  EXPECT_EQ(Text(Copy(memory, {{0, 5}, {1, 1}, 1000})), "i32[0,5] {}");
}

TEST(CopyStrided, EveryElementSizeAtAnyAddress) {
  std::vector<char> bytes(64);
  std::iota(bytes.begin(), bytes.end(), 0);
  for (const DType dtype : {DType::kU8, DType::kU16, DType::kU32, DType::kU64}) {
    const auto size = static_cast<int64_t>(SizeOf(dtype));
    const Dims dims = {3}, strides = {-(size + 1)};
    const absl::StatusOr<Tensor> tensor = CopyStrided({.dtype = dtype,
                                                       .dims = dims,
                                                       .byte_strides = strides,
                                                       .memory = std::as_bytes(std::span(bytes)),
                                                       .offset = 33});
    ASSERT_TRUE(tensor.ok()) << tensor.status().message();
    const auto* out = static_cast<const char*>(tensor->data());
    for (int64_t i = 0; i < 3; ++i) {
      for (int64_t b = 0; b < size; ++b) EXPECT_EQ(out[i * size + b], 33 - i * (size + 1) + b) << Name(dtype);
    }
  }
}

TEST(CopyStrided, NothingOutsideTheMemoryIsRead) {
  const std::vector<int32_t> memory = Counting(12);
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(
      Text(Copy(memory, {{13}, {4}})),
      "error[E0332 bad-view]: the view i32[13] with byte strides [4] leaves its memory: from offset 0 it "
      "reaches from byte 0 up to byte 52, relative to it, and the memory has 48 bytes");
  EXPECT_EQ(
      Text(Copy(memory, {{2}, {-4}})),
      "error[E0332 bad-view]: the view i32[2] with byte strides [-4] leaves its memory: from offset 0 it "
      "reaches from byte -4 up to byte 4, relative to it, and the memory has 48 bytes");
  for (const View& view :
       {View{{}, {}, 45}, View{{}, {}, -1}, View{{}, {}, most}, View{{12}, {4}, 1}, View{{2, 2}, {44, 4}}}) {
    EXPECT_EQ(Text(Copy(memory, view)).substr(0, 20), "error[E0332 bad-view") << view.offset;
  }
  EXPECT_EQ(Text(Copy(memory, {{2}, {4, 4}})),
            "error[E0332 bad-view]: the view i32[2] with byte strides [4,4] has 1 dim and 2 strides");
  EXPECT_EQ(Text(Copy(memory, {{-1}, {4}})),
            "error[E0332 bad-view]: the view i32[-1] with byte strides [4] has a negative extent");
  for (const View& view : {View{{3}, {most}}, View{{most}, {most}}, View{{3, 3}, {most / 2, most / 2}},
                           View{{3}, {std::numeric_limits<int64_t>::min()}}}) {
    const string text = Text(Copy(memory, view));
    EXPECT_NE(text.find("reaches farther than can be addressed"), string::npos) << text;
  }
}

TEST(CopyStrided, RepetitionIsBounded) {
  Limits limits;
  limits.tensor_bytes = 4000;
  EXPECT_TRUE(Copy(Counting(1), {{1000}, {0}}, limits).ok());
  EXPECT_EQ(Text(Copy(Counting(1), {{1001}, {0}}, limits)),
            "error[E0402 too-large]: a view i32[1001] has more than 4000 bytes, the limit tensor_bytes");
  EXPECT_EQ(
      Text(Copy(Counting(1), {{int64_t{1} << 40, int64_t{1} << 40}, {0, 0}})),
      "error[E0402 too-large]: a view i32[1099511627776,1099511627776] has more than 68719476736 bytes, the "
      "limit tensor_bytes");
}

TEST(CopyStrided, BoolsAreChecked) {
  const std::vector<uint8_t> bytes = {1, 0, 9, 1};
  const Dims dims = {2, 2}, strides = {1, 2};
  EXPECT_EQ(
      Text(CopyStrided({.dtype = DType::kBool,
                        .dims = dims,
                        .byte_strides = strides,
                        .memory = std::as_bytes(std::span(bytes))})),
      "error[E0304 bad-bool]: the memory of a bool[2,2] has the byte 9 as element [0,1] (1 of 4 elements "
      "neither 0 nor 1)\n"
      "  help: hand it over as u8, and compare with 0 in the graph: Cast(x, DType::kBool)");
}

TEST(Borrow, UsesTheMemoryAndKeepsItsOwner) {
  auto values = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::weak_ptr<std::vector<float>> watch = values;
  {
    const Tensor tensor = *Borrow(std::span<const float>(*values), Dims{2, 3}, values);
    EXPECT_EQ(tensor.data(), values->data());
    values.reset();
    EXPECT_EQ(tensor.ToString(), "f32[2,3] {1, 2, 3, 4, 5, 6}");
  }
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(Text(Borrow(std::span<const float>(), Dims{0}, nullptr)), "f32[0] {}");
}

TEST(Borrow, RefusesWhatATensorCannotBe) {
  alignas(8) const char bytes[16] = {};
  const auto error = [&](DType dtype, const Dims& dims, size_t from, size_t size) {
    return Text(Borrow(dtype, dims, std::as_bytes(std::span(bytes)).subspan(from, size), nullptr));
  };
  EXPECT_EQ(error(DType::kF32, {2}, 2, 8),
            "error[E0334 cannot-borrow]: the memory of a f32[2] cannot be borrowed: its address is no "
            "multiple of 4\n"
            "  help: copy it: Tensor::FromSpan, or CopyStrided for memory without alignment");
  EXPECT_EQ(error(DType::kF32, {3}, 0, 16),
            "error[E0334 cannot-borrow]: a f32[3] takes 12 bytes, but the memory to borrow has 16\n"
            "  help: hand over exactly the memory of the elements, or another shape");
  EXPECT_EQ(error(DType::kF32, {-1}, 0, 4),
            "error[E0402 too-large]: a tensor f32[-1] cannot be: an extent is negative");
  const uint8_t two = 2;
  EXPECT_EQ(
      Text(Borrow(DType::kBool, Dims{}, std::as_bytes(std::span(&two, 1)), nullptr)),
      "error[E0304 bad-bool]: the memory of a bool[] has the byte 2 as the element (1 of 1 element neither 0 "
      "nor 1)\n  help: hand it over as u8, and compare with 0 in the graph: Cast(x, DType::kBool)");
}

}  // namespace
}  // namespace tenfold
