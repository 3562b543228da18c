// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/safetensors.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/ingest/safetensors_writer.h"
#include "tenfold/tests/graph/ingest/safetensors_bytes.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
using std::string;
using testing::ElementsAre;
using testing::Pair;

string TempPath(const string& name) { return testing::TempDir() + "/" + name; }

// Values that differ, -0 and NaN among them, in any dtype.
Tensor Sample(DType dtype, const Dims& dims) {
  Tensor tensor = *Tensor::Allocate(dtype, dims);
  VisitDType(dtype, [&]<typename T>(std::type_identity<T>) {
    int i = 0;
    for (T& value : tensor.mutable_values<T>()) {
      const float number = static_cast<float>(i++ % 2);
      if constexpr (std::is_same_v<T, F16>)
        value = ToF16(number);
      else if constexpr (std::is_same_v<T, BF16>)
        value = ToBF16(number);
      else if constexpr (std::is_class_v<T>)
        value = ToFloat8<T>(number);
      else
        value = static_cast<T>(number);
    }
  });
  return tensor;
}

// The bytes that the reference implementation writes for these two (safetensors 0.8, save_file).
TEST(Safetensors, ReadsWhatTheReferenceWrites) {
  const string json =
      R"({"__metadata__":{"format":"np"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}      )";
  const float values[] = {1.5f, -2.0f};
  const int64_t scalar = -7;
  string data(16, '\0');
  std::memcpy(data.data(), values, 8);
  std::memcpy(data.data() + 8, &scalar, 8);
  const string bytes = SafetensorsBytes(json, data);
  const auto file = SafetensorsFile::FromBytes(bytes, "w.safetensors");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_THAT((*file)->metadata(), ElementsAre(Pair("format", "np")));
  ASSERT_EQ((*file)->entries().size(), 2u);
  EXPECT_EQ((*file)->entries()[1].name, "b");
  EXPECT_EQ((*file)->Load("a")->ToString(), "f32[2] {1.5, -2}");
  EXPECT_EQ((*file)->Load("b")->ToString(), "i64[] {-7}");
}

TEST(Safetensors, EveryDTypeAndShapeComesBack) {
  NamedTensors tensors;
  for (const DType dtype : kAllDTypes) {
    if (IsPacked(dtype)) continue;  // the format has none
    for (const Dims& dims : {Dims{}, Dims{0, 3}, Dims{7}, Dims{33, 129}})
      tensors.emplace_back(absl::StrCat(Name(dtype), "/", DimsToString(dims)), Sample(dtype, dims));
  }
  const string path = TempPath("all.safetensors");
  ASSERT_TRUE(SaveSafetensors(tensors, path).ok());
  std::ifstream in(path, std::ios::binary);
  const string bytes((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(*WriteSafetensors(tensors), bytes);
  for (const Storage storage : {Storage::kAuto, Storage::kCopy, Storage::kMmap}) {
    const auto file = SafetensorsFile::Open(path, {.storage = storage});
    ASSERT_TRUE(file.ok()) << file.status().message();
    for (const auto& [name, tensor] : tensors) {
      const absl::StatusOr<Tensor> back = (*file)->Load(name);
      ASSERT_TRUE(back.ok()) << back.status().message();
      EXPECT_TRUE(SameBits(*back, tensor)) << name;
    }
  }
  EXPECT_EQ(ReadSafetensors(bytes, "x")->size(), tensors.size());
}

TEST(Safetensors, HasNoPackedElements) {
  const uint8_t one = 1;
  const Tensor packed = *Tensor::Splat(DType::kI4, Dims{3}, &one);
  EXPECT_EQ(WriteSafetensors({{"w", packed}}).status().message(),
            "error[E0303 unsupported-array-dtype]: 'w', i4[3], cannot be written: the .safetensors format "
            "has no i4\n"
            "  help: write it as i8, which holds every value: Tensor::Unpack()");
}

TEST(Safetensors, AnEmptyFileOfTensors) {
  const string bytes = *WriteSafetensors({});
  EXPECT_EQ(bytes.size(), 64u);
  EXPECT_EQ(ReadSafetensors(bytes, "x")->size(), 0u);
}

// The documented order and alignment: whole multiples of 64 bytes first, then by falling element size.
TEST(SafetensorsWriter, AlignsByOrderAlone) {
  NamedTensors tensors = {{"tiny", Sample(DType::kI8, {3})},     {"wide", Sample(DType::kF64, {5})},
                          {"half", Sample(DType::kF16, {5})},    {"z64", Sample(DType::kF32, {16})},
                          {"a128", Sample(DType::kI8, {2, 64})}, {"none", Sample(DType::kF32, {0})}};
  const string bytes = *WriteSafetensors(tensors);
  const auto file = *SafetensorsFile::FromBytes(bytes, "x");
  std::vector<string> names;
  for (const SafetensorsEntry& entry : file->entries()) names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("a128", "none", "z64", "wide", "half", "tiny"));
  EXPECT_EQ(file->entries()[3].begin, 192u);
  EXPECT_EQ(file->entries()[4].begin, 232u);
  EXPECT_EQ((bytes.size() - 245) % 64, 0u);  // the header, before 245 bytes of data

  std::swap(tensors[0], tensors[4]);
  EXPECT_EQ(*WriteSafetensors(tensors), bytes) << "the order of the arguments is seen";
}

TEST(SafetensorsWriter, PadsWithTensorsOnRequest) {
  const NamedTensors tensors = {{"tenfold.padding.0", Sample(DType::kI8, {3})},
                                {"b", Sample(DType::kF16, {5})}};
  const string bytes = *WriteSafetensors(tensors, {.align_all = true});
  const auto file = *SafetensorsFile::FromBytes(bytes, "x");
  std::vector<string> names;
  for (const SafetensorsEntry& entry : file->entries()) {
    names.push_back(entry.name);
    if (entry.dtype_name == "U8") continue;
    EXPECT_EQ(entry.begin % 64, 0u) << entry.name;
  }
  EXPECT_THAT(names, ElementsAre("b", "tenfold.padding.1", "tenfold.padding.0", "tenfold.padding.2"));
  EXPECT_EQ(bytes.size() % 64, 0u);
}

TEST(SafetensorsWriter, SplatsAreWrittenOutAndNansCanonical) {
  const uint32_t nan = 0xff812345u;
  const Tensor splat = *Tensor::Splat(DType::kF32, Dims{100'000}, &nan);
  const Tensor dense = *Tensor::Wrap(DType::kF32, Dims{1}, &nan, nullptr);
  const NamedTensors back = *ReadSafetensors(*WriteSafetensors({{"s", splat}, {"d", dense}}), "x");
  for (const auto& [name, tensor] : back) {
    for (const int64_t i : {int64_t{0}, tensor.num_elements() - 1}) {
      uint32_t bits = 0;
      std::memcpy(&bits, static_cast<const char*>(tensor.data()) + 4 * i, 4);
      EXPECT_EQ(bits, 0x7fc00000u) << name;
    }
  }
  EXPECT_EQ(back[0].second.num_elements(), 100'000);
}

TEST(SafetensorsWriter, NamesAreAnyText) {
  const NamedTensors tensors = {{"block/0:\"1\"\n", Tensor::Scalar(1.0f)}, {"größe", Tensor::Scalar(2.0f)}};
  const NamedTensors back = *ReadSafetensors(*WriteSafetensors(tensors), "x");
  EXPECT_EQ(back[0].first, "block/0:\"1\"\n");
  EXPECT_EQ(back[1].first, "größe");
}

TEST(SafetensorsWriter, Refusals) {
  const auto error = [](const NamedTensors& tensors) {
    return string(WriteSafetensors(tensors).status().message());
  };
  const Tensor one = Tensor::Scalar(1.0f);
  EXPECT_EQ(error({{"", one}}),
            "error[E0313 bad-array-name]: '' cannot be the name of an array in a .safetensors file\n"
            "  help: names are UTF-8, not empty, and not the format's own __metadata__");
  EXPECT_EQ(error({{"__metadata__", one}}).substr(0, 51),
            "error[E0313 bad-array-name]: '__metadata__' cannot ");
  EXPECT_EQ(error({{"\xff", one}}).substr(0, 45), "error[E0313 bad-array-name]: '\\xff' cannot be");
  EXPECT_EQ(error({{"a", one}, {"a", one}}), "error[E0312 duplicate-array]: two arrays have the name 'a'");
  EXPECT_EQ(WriteSafetensors({}, {.metadata = {{"k", "\xff"}}}).status().message(),
            "error[E0313 bad-array-name]: the metadata 'k' is not UTF-8");
}

// ---------------------------------------------------------------------------------------------------------

TEST(SafetensorsStorage, MappedTensorsLieInTheFileAndKeepIt) {
  const string path = TempPath("mapped.safetensors");
  ASSERT_TRUE(SaveSafetensors({{"w", Sample(DType::kF32, {16})}}, path).ok());
  Tensor tensor;
  {
    const auto file = *SafetensorsFile::Open(path, {.storage = Storage::kMmap});
    tensor = *file->Load("w");
    EXPECT_EQ(file->Load("w")->data(), tensor.data()) << "the tensor was copied";
  }
  fs::remove(path);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
  EXPECT_EQ(tensor.at<float>(15), 1.0f);
}

TEST(SafetensorsStorage, SmallFilesAreReadAndLargeOnesMapped) {
  const auto in_place = [](const string& path, Storage storage) {
    const auto file = *SafetensorsFile::Open(path, {.storage = storage});
    return file->Load("w")->data() == file->Load("w")->data();
  };
  const string small = TempPath("small.safetensors"), large = TempPath("large.safetensors");
  ASSERT_TRUE(SaveSafetensors({{"w", Sample(DType::kI8, {1000})}}, small).ok());
  const int8_t one = 1;
  const Tensor wide = *Tensor::Splat(DType::kI8, Dims{static_cast<int64_t>(kMapThreshold)}, &one);
  ASSERT_TRUE(SaveSafetensors({{"w", wide}}, large).ok());
  EXPECT_FALSE(in_place(small, Storage::kAuto));
  EXPECT_TRUE(in_place(small, Storage::kMmap));
  EXPECT_TRUE(in_place(large, Storage::kAuto));
  EXPECT_FALSE(in_place(large, Storage::kCopy));
  fs::remove(large);
}

// Foreign files align nothing: 'b' begins at byte 1 of the data.
TEST(SafetensorsStorage, MisalignedTensorsAreCopied) {
  const string json = R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},)"
                      R"("b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  const float value = 2.5f;
  string data(5, '\7');
  std::memcpy(data.data() + 1, &value, 4);
  const string path = TempPath("odd.safetensors");
  std::ofstream(path, std::ios::binary)
      << SafetensorsBytes(json + string((64 - (json.size() + 8) % 64), ' '), data);
  const auto file = *SafetensorsFile::Open(path, {.storage = Storage::kMmap});
  EXPECT_EQ(file->Load("a")->at<int8_t>(0), 7);
  EXPECT_EQ(file->Load("b")->at<float>(0), 2.5f);
  EXPECT_EQ(file->Load("a")->data(), file->Load("a")->data());
  const Tensor copy = *file->Load("b");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(copy.data()) % 64, 0u);
}

TEST(SafetensorsStorage, BorrowedBytesAreKeptByTheirOwner) {
  auto bytes = std::make_shared<string>(*WriteSafetensors({{"w", Sample(DType::kI8, {4})}}));
  std::weak_ptr<string> watch = bytes;
  NamedTensors tensors = *ReadSafetensors(*bytes, "x", {.storage = Storage::kBorrow}, bytes);
  EXPECT_EQ(tensors[0].second.data(), bytes->data() + bytes->size() - 4);
  bytes.reset();
  EXPECT_EQ(tensors[0].second.at<int8_t>(1), 1);
  EXPECT_FALSE(watch.expired());
  tensors.clear();
  EXPECT_TRUE(watch.expired());
}

TEST(SafetensorsStorage, WhatASourceCannotDoIsRefused) {
  EXPECT_EQ(LoadSafetensors("x.safetensors", {.storage = Storage::kBorrow}).status().message(),
            "error[E0334 cannot-borrow]: 'x.safetensors' is a file, and only memory can be borrowed\n"
            "  help: use storage = mmap for files");
  EXPECT_EQ(ReadSafetensors("", "x.safetensors", {.storage = Storage::kMmap}).status().message(),
            "error[E0334 cannot-borrow]: 'x.safetensors' is memory, and only a file can be mapped\n"
            "  help: use storage = borrow for memory");
}

}  // namespace
}  // namespace tenfold
