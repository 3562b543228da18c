// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy.h"

#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/tests/graph/ingest/npy_bytes.h"

namespace tenfold {
namespace {

using std::string;

// A value for row-major position `k` that differs in every byte where the type has room.
template <typename T>
T ValueAt(int64_t k) {
  if constexpr (std::is_same_v<T, bool>) return k % 3 == 1;
  uint64_t bits = 0;
  for (int b = 0; b < 8; ++b) bits |= static_cast<uint64_t>(0x11 * (b + 1) + k) << (8 * b);
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
  return value;
}

// The row-major position of the element that is stored as number `n`.
int64_t RowMajorPosition(const Dims& dims, bool fortran_order, int64_t n) {
  if (!fortran_order) return n;
  int64_t position = 0;
  Dims index;
  for (int64_t d : dims) {
    index.push_back(n % d);
    n /= d;
  }
  for (size_t i = 0; i < dims.size(); ++i) position = position * dims[i] + index[i];
  return position;
}

template <typename T>
string Contents(const Dims& dims, bool fortran_order, bool big_endian) {
  string bytes;
  for (int64_t n = 0; n < *NumElements(dims); ++n) {
    const T value = ValueAt<T>(RowMajorPosition(dims, fortran_order, n));
    char item[sizeof(T)];
    std::memcpy(item, &value, sizeof(T));
    for (size_t b = 0; b < sizeof(T); ++b) bytes.push_back(item[big_endian ? sizeof(T) - 1 - b : b]);
  }
  return bytes;
}

string PythonShape(const Dims& dims) {
  string text = "(";
  for (int64_t d : dims) text += std::to_string(d) + (dims.size() == 1 ? "," : ", ");
  return text + ")";
}

string DescrOf(DType t, bool big_endian) {
  const char letter = IsBool(t) ? 'b' : IsFloat(t) ? 'f' : IsSignedInteger(t) ? 'i' : 'u';
  const char order = SizeOf(t) == 1 ? '|' : big_endian ? '>' : '<';
  return string{order, letter} + std::to_string(SizeOf(t));
}

const std::vector<Dims>& Shapes() {
  static const auto* const kShapes = new std::vector<Dims>{
      {}, {0}, {1}, {7}, {2, 3}, {1, 5}, {3, 0, 2}, {2, 3, 4}, {2, 1, 3, 1, 2}, {40, 70}, {33, 2, 34}};
  return *kShapes;
}

TEST(ReadNpy, EveryTypeByteOrderLayoutAndVersion) {
  for (DType t : kComputedDTypes) {
    if (t == DType::kBF16) continue;  // the format has none
    for (bool big_endian : {false, true}) {
      for (bool fortran_order : {false, true}) {
        for (const Dims& dims : Shapes()) {
          VisitComputed(t, [&]<typename T>(std::type_identity<T>) {
            const int version = 1 + static_cast<int>(dims.size()) % 3;
            const string file = Npy(DescrOf(t, big_endian), PythonShape(dims),
                                    Contents<T>(dims, fortran_order, big_endian), fortran_order, version);
            const absl::StatusOr<Tensor> tensor = ReadNpy(file, "x.npy");
            ASSERT_TRUE(tensor.ok()) << tensor.status().message();
            ASSERT_EQ(tensor->dtype(), t);
            ASSERT_EQ(tensor->dims(), dims);
            for (int64_t k = 0; k < tensor->num_elements(); ++k) {
              const T expected = ValueAt<T>(k);
              ASSERT_EQ(std::memcmp(&tensor->values<T>()[k], &expected, sizeof(T)), 0)
                  << file.substr(10, 60) << " element " << k;
            }
          });
        }
      }
    }
  }
}

TEST(ReadNpy, ByteOrderOfSingleBytesDoesNotMatter) {
  for (const string descr : {"|u1", "<u1", ">u1", "=u1"}) {
    EXPECT_TRUE(ReadNpy(Npy(descr, "(2,)", "ab"), "x.npy").ok()) << descr;
  }
}

TEST(ReadNpy, Python2Shapes) {
  const absl::StatusOr<Tensor> tensor = ReadNpy(Npy("|u1", "(2L, 1L)", "ab"), "x.npy");
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(tensor->dims(), (Dims{2, 1}));
}

TEST(ReadNpy, KeepsNanPayloads) {
  const absl::StatusOr<Tensor> tensor = ReadNpy(Npy("<f4", "()", string("\1\2\xc3\xff", 4)), "x.npy");
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(std::bit_cast<uint32_t>(tensor->values<float>()[0]), 0xffc30201u);
}

TEST(WriteNpy, WritesTheBytesOfNumPy) {
  const std::vector<float> values = {1.5f, -2.0f};
  const absl::StatusOr<string> bytes = WriteNpy(*Tensor::FromVector(values, Dims{2}));
  ASSERT_TRUE(bytes.ok());
  const absl::StatusOr<string> numpy = ReadFile("tests/graph/ingest/testdata/small.npy", 1000);
  ASSERT_TRUE(numpy.ok()) << numpy.status().message();
  EXPECT_EQ(*bytes, *numpy);
}

TEST(WriteNpy, ReadsBackEveryTypeAndShape) {
  for (DType t : kComputedDTypes) {
    if (t == DType::kBF16) continue;
    for (const Dims& dims : Shapes()) {
      VisitComputed(t, [&]<typename T>(std::type_identity<T>) {
        const string file = Npy(DescrOf(t, false), PythonShape(dims), Contents<T>(dims, false, false));
        const Tensor tensor = *ReadNpy(file, "x.npy");
        const absl::StatusOr<string> written = WriteNpy(tensor);
        ASSERT_TRUE(written.ok()) << written.status().message();
        EXPECT_EQ(written->size() % 64, tensor.stored_bytes() % 64);
        const absl::StatusOr<Tensor> back = ReadNpy(*written, "x.npy");
        ASSERT_TRUE(back.ok()) << back.status().message();
        EXPECT_TRUE(SameBits(tensor, *back)) << tensor.type().ToString();
      });
    }
  }
}

TEST(WriteNpy, StoresASplatInFullAndMakesNansCanonical) {
  const uint32_t nan = 0xffc30201;
  const absl::StatusOr<string> splat = WriteNpy(*Tensor::Splat(DType::kF32, Dims{3}, &nan));
  ASSERT_TRUE(splat.ok());
  const string canonical("\0\0\xc0\x7f", 4);
  EXPECT_EQ(splat->substr(splat->size() - 12), canonical + canonical + canonical);
}

TEST(SaveNpy, LoadsBackFromDisk) {
  const string path = testing::TempDir() + "/saved.npy";
  const Tensor tensor = *Tensor::FromVector(std::vector<int64_t>{1, -2, 3}, Dims{3, 1});
  ASSERT_TRUE(SaveNpy(tensor, path).ok());
  const absl::StatusOr<Tensor> back = LoadNpy(path);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_TRUE(SameBits(tensor, *back));
}

}  // namespace
}  // namespace tenfold
