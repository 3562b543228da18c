// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npz.h"

#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"

namespace tenfold {
namespace {

using std::string;

string TestData(const string& name) { return "tests/graph/ingest/testdata/" + name; }

string Error(const string& name, const Limits& limits = {}) {
  const absl::StatusOr<NamedTensors> tensors = LoadNpz(TestData(name), limits);
  if (tensors.ok()) return "loaded";
  string text(tensors.status().message());
  const size_t folder = text.find(TestData(""));
  return folder == string::npos ? text : text.erase(folder, TestData("").size());
}

// The values that make_testdata.py stores at row-major position `k`.
double Expected(DType t, int64_t k) {
  if (IsBool(t)) return k % 3 == 0;
  return static_cast<double>(IsUnsignedInteger(t) ? k + 100 : k - 3);
}

template <typename T>
double ToDouble(T value) {
  if constexpr (std::is_same_v<T, F16> || std::is_same_v<T, BF16>)
    return ToFloat(value);
  else
    return static_cast<double>(value);
}

TEST(LoadNpz, EveryTypeByteOrderAndLayoutAsNumPyWritesThem) {
  const absl::StatusOr<NamedTensors> tensors = LoadNpz(TestData("every_type.npz"));
  ASSERT_TRUE(tensors.ok()) << tensors.status().message();
  ASSERT_EQ(tensors->size(), 12u * 2 * 2 * 4);
  for (const auto& [name, tensor] : *tensors) {
    const std::vector<string> parts = absl::StrSplit(name, '-');  // "f4-be-F-cube"
    const string kind = string(Name(tensor.dtype())).substr(0, 1) + std::to_string(SizeOf(tensor.dtype()));
    EXPECT_EQ(kind, parts[0]) << name;
    const Dims dims = parts[3] == "0d"      ? Dims{}
                      : parts[3] == "empty" ? Dims{0, 3}
                      : parts[3] == "one"   ? Dims{1}
                                            : Dims{2, 3, 4};
    ASSERT_EQ(tensor.dims(), dims) << name;
    VisitComputed(tensor.dtype(), [&, &tensor = tensor, &name = name]<typename T>(std::type_identity<T>) {
      for (int64_t k = 0; k < tensor.num_elements(); ++k) {
        EXPECT_EQ(ToDouble(tensor.values<T>()[k]), Expected(tensor.dtype(), k)) << name << " element " << k;
      }
    });
  }
}

TEST(LoadNpz, StoredAndDeflatedAreTheSame) {
  const absl::StatusOr<NamedTensors> stored = LoadNpz(TestData("stored.npz"));
  const absl::StatusOr<NamedTensors> deflated = LoadNpz(TestData("deflated.npz"));
  ASSERT_TRUE(stored.ok()) << stored.status().message();
  ASSERT_TRUE(deflated.ok()) << deflated.status().message();
  ASSERT_EQ(stored->size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*stored)[i].first, i == 0 ? "layer/w" : "b");
    EXPECT_EQ((*deflated)[i].first, (*stored)[i].first);
    EXPECT_TRUE(SameBits((*stored)[i].second, (*deflated)[i].second));
  }
  EXPECT_EQ((*stored)[0].second.values<float>()[63], 63.0f);
}

TEST(LoadNpz, Zip64AndMembersWithoutEnding) {
  for (const char* name : {"zip64.npz", "bare_name.npz"}) {
    const absl::StatusOr<NamedTensors> tensors = LoadNpz(TestData(name));
    ASSERT_TRUE(tensors.ok()) << tensors.status().message();
    ASSERT_EQ(tensors->size(), 1u);
    EXPECT_EQ((*tensors)[0].first, "a");
    EXPECT_EQ((*tensors)[0].second.ToString(), "f32[2] {1.5, -2}");
  }
}

TEST(LoadNpz, Refusals) {
  EXPECT_EQ(
      Error("duplicate.npz"),
      "error[E0312 duplicate-array]: 'duplicate.npz' has two arrays of the name 'a'\n"
      "  help: to keep the last of each name: python3 -c 'import sys, numpy as np; np.savez(sys.argv[2], "
      "**dict(np.load(sys.argv[1])))' tests/graph/ingest/testdata/duplicate.npz "
      "tests/graph/ingest/testdata/duplicate.last.npz");
  // libzip refuses to open an archive of which two members have the very same name.
  for (const bool in_memory : {false, true}) {
    const string bytes = *ReadFile(TestData("same_name.npz"), 1 << 20);
    const absl::Status status =
        in_memory ? ReadNpz(bytes, "x.npz").status() : LoadNpz(TestData("same_name.npz")).status();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(DiagnosticsOf(status)[0].code, "E0312");
    EXPECT_NE(DiagnosticsOf(status)[0].message.find("has two arrays of the name 'a'"), string::npos);
  }
  EXPECT_EQ(
      Error("bzip2.npz"),
      "error[E0310 bad-npz]: 'bzip2.npz: a' cannot be unpacked: its compression method is 12; stored (0) "
      "and deflated (8) are known\n"
      "  help: write the archive again with numpy.savez or numpy.savez_compressed");
  EXPECT_EQ(Error("encrypted.npz"),
            "error[E0310 bad-npz]: 'encrypted.npz: a' cannot be unpacked: it is encrypted\n"
            "  help: write the archive again with numpy.savez or numpy.savez_compressed");
  EXPECT_EQ(Error("bad_crc.npz"),
            "error[E0310 bad-npz]: 'bad_crc.npz: a' cannot be unpacked: CRC error\n"
            "  help: write the archive again with numpy.savez or numpy.savez_compressed");
  EXPECT_EQ(Error("small.npy"),
            "error[E0310 bad-npz]: 'small.npy' is no readable .npz archive: Not a zip archive\n"
            "  help: it is an .npy file: mv tests/graph/ingest/testdata/small.npy "
            "tests/graph/ingest/testdata/small.mended.npy");
  EXPECT_EQ(
      Error("not_npy.npz"),
      "error[E0307 not-npy]: 'not_npy.npz: notes.txt' is no .npy file: it begins with 'hello', not with "
      "'\\x93NUMPY'\n"
      "  help: write it with NumPy: numpy.save(\"x.npy\", array)");
}

// To libzip, an empty file is an archive of nothing.
TEST(LoadNpz, AnEmptyFileIsNoArchive) {
  EXPECT_EQ(string(ReadNpz("", "x.npz").status().message()),
            "error[E0310 bad-npz]: 'x.npz' is no readable .npz archive: it has 0 bytes\n"
            "  help: the file was cut off while it was written or copied: write or copy it again");
  const string path = testing::TempDir() + "/empty.npz";
  ASSERT_TRUE(WriteFileAtomically(path, "").ok());
  EXPECT_NE(string(LoadNpz(path).status().message()).find("it has 0 bytes"), string::npos);
}

TEST(LoadNpz, InflationIsBoundedBeforeItHappens) {
  Limits limits;
  limits.inflate_ratio = 1;
  EXPECT_EQ(Error("deflated.npz", limits),
            "error[E0402 too-large]: 'deflated.npz' has 527 bytes, which would inflate to 576, more than the "
            "limit inflate_ratio = 1 allows\n"
            "  help: if that is meant, allow it: --inflate-ratio 2 (in C++, Limits::inflate_ratio)");
  EXPECT_EQ(Error("stored.npz", limits), "loaded");
}

TEST(LoadNpzMember, OneArray) {
  const absl::StatusOr<Tensor> tensor = LoadNpzMember(TestData("stored.npz"), "layer/w");
  ASSERT_TRUE(tensor.ok()) << tensor.status().message();
  EXPECT_EQ(tensor->dims(), (Dims{8, 8}));
}

TEST(LoadNpzMember, OffersTheNearestName) {
  EXPECT_EQ(string(LoadNpzMember(TestData("stored.npz"), "layer/W").status().message()),
            "error[E0311 no-such-array]: 'tests/graph/ingest/testdata/stored.npz' has no array 'layer/W'\n"
            "  it holds 'layer/w', 'b'\n"
            "  help: did you mean tests/graph/ingest/testdata/stored.npz:layer/w?");
}

TEST(WriteNpz, ReadsBackAndIsDeterministic) {
  NamedTensors tensors;
  tensors.emplace_back("w", *Tensor::FromVector(std::vector<float>{1, 2, 3, 4}, Dims{2, 2}));
  tensors.emplace_back("caf\xc3\xa9/b", Tensor::Scalar(int64_t{-7}));
  tensors.emplace_back("a.npy", Tensor::Scalar(true));
  const absl::StatusOr<string> bytes = WriteNpz(tensors);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  EXPECT_EQ(*bytes, *WriteNpz(tensors));
  const absl::StatusOr<NamedTensors> back = ReadNpz(*bytes, "x.npz");
  ASSERT_TRUE(back.ok()) << back.status().message();
  ASSERT_EQ(back->size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ((*back)[i].first, tensors[i].first);
    EXPECT_TRUE(SameBits((*back)[i].second, tensors[i].second));
  }

  const string path = testing::TempDir() + "/saved.npz";
  ASSERT_TRUE(SaveNpz(tensors, path).ok());
  EXPECT_EQ(*ReadFile(path, 1 << 20), *bytes);
  EXPECT_TRUE(LoadNpzMember(path, "caf\xc3\xa9/b").ok());
}

// More than fits into one piece of what is written.
TEST(WriteNpz, LargeArraysAndSplats) {
  Tensor counting = *Tensor::Allocate(DType::kF64, Dims{33, 1111});
  std::iota(counting.mutable_values<double>().begin(), counting.mutable_values<double>().end(), 0.5);
  const int16_t seven = 7;
  const Tensor splat = *Tensor::Splat(DType::kI16, Dims{100'001}, &seven);
  const NamedTensors tensors = {
      {"c", counting}, {"s", splat}, {"e", *Tensor::Allocate(DType::kF32, Dims{0, 2})}};
  const string path = testing::TempDir() + "/large.npz";
  ASSERT_TRUE(SaveNpz(tensors, path).ok());
  EXPECT_EQ(*ReadFile(path, 1 << 20), *WriteNpz(tensors));
  const absl::StatusOr<NamedTensors> back = LoadNpz(path);
  ASSERT_TRUE(back.ok()) << back.status().message();
  for (size_t i = 0; i < tensors.size(); ++i) EXPECT_TRUE(SameBits((*back)[i].second, tensors[i].second));
}

TEST(WriteNpz, EntriesAreStoredAndDatedAtTheFirstDay) {
  const string bytes = *WriteNpz({{"x", Tensor::Scalar(1.0f)}});
  EXPECT_EQ(bytes.substr(0, 4), "PK\3\4");
  EXPECT_EQ(bytes.substr(8, 2), string("\0\0", 2)) << "compression method";
  EXPECT_EQ(bytes.substr(10, 4), string("\0\0\x21\0", 4)) << "time and date";
}

TEST(WriteNpz, AnArchiveOfNothing) {
  const absl::StatusOr<string> bytes = WriteNpz({});
  ASSERT_TRUE(bytes.ok());
  const absl::StatusOr<NamedTensors> back = ReadNpz(*bytes, "x.npz");
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_TRUE(back->empty());
}

TEST(WriteNpz, Refusals) {
  const Tensor one = Tensor::Scalar(1.0f);
  const auto error = [](const NamedTensors& tensors) { return string(WriteNpz(tensors).status().message()); };
  EXPECT_EQ(error({{"x", one}, {"x", one}}), "error[E0312 duplicate-array]: two arrays have the name 'x'");
  for (const string& name :
       {string(""), string("a\0b", 3), string("\xff"), string("a/"), string(70000, 'a')}) {
    EXPECT_NE(error({{name, one}}).find("error[E0313 bad-array-name]"), string::npos);
  }
  EXPECT_EQ(error({{"", one}}),
            "error[E0313 bad-array-name]: '' cannot be the name of an array in an .npz archive\n"
            "  help: names are UTF-8 of 1 to 65531 bytes, without zero bytes and no '/' at the end");
  EXPECT_EQ(error({{"w", Tensor::Scalar(BF16{})}}),
            "error[E0303 unsupported-array-dtype]: bf16[] cannot be written: the .npy format has no bf16\n"
            "  the array is 'w'\n"
            "  help: write it as f32, which holds every bf16 value: Cast(x, DType::kF32)");
}

}  // namespace
}  // namespace tenfold
