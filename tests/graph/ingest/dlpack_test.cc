// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/dlpack.h"

#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tenfold {
namespace {

using std::string;

// A producer that counts how often its deleter is called.
class Producer {
 public:
  Producer() : memory_(256 / 8) {
    std::iota(bytes(), bytes() + 256, 0);
    managed_.dl_tensor.data = memory_.data();
    managed_.dl_tensor.device = {kDLCPU, 0};
    managed_.dl_tensor.dtype = {kDLInt, 8, 1};
    managed_.manager_ctx = this;
    managed_.deleter = [](DLManagedTensor* self) { ++static_cast<Producer*>(self->manager_ctx)->deleted_; };
  }
  Producer& Shape(Dims dims) {
    dims_ = std::move(dims);
    managed_.dl_tensor.shape = dims_.data();
    managed_.dl_tensor.ndim = static_cast<int>(dims_.size());
    return *this;
  }
  Producer& Strides(Dims strides) {
    strides_ = std::move(strides);
    managed_.dl_tensor.strides = strides_.data();
    return *this;
  }
  Producer& Type(uint8_t code, uint8_t bits, uint16_t lanes = 1) {
    managed_.dl_tensor.dtype = {code, bits, lanes};
    return *this;
  }
  DLTensor& tensor() { return managed_.dl_tensor; }
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(memory_.data()); }
  DlpackHandle Export() { return DlpackHandle(&managed_); }
  int deleted() const { return deleted_; }

 private:
  std::vector<uint64_t> memory_;
  Dims dims_, strides_;
  DLManagedTensor managed_ = {};
  int deleted_ = 0;
};

TEST(FromDlpack, UsesCompactMemoryInPlaceUntilTheLastTensorIsGone) {
  Producer producer;
  producer.Shape({2, 3});
  {
    absl::StatusOr<Tensor> tensor = FromDlpack(producer.Export());
    ASSERT_TRUE(tensor.ok()) << tensor.status().message();
    EXPECT_EQ(tensor->data(), producer.bytes());
    EXPECT_EQ(tensor->ToString(), "i8[2,3] {0, 1, 2, 3, 4, 5}");
    const Tensor second = *tensor;
    tensor = Tensor();
    EXPECT_EQ(second.at<int8_t>(5), 5);
    EXPECT_EQ(producer.deleted(), 0);
  }
  EXPECT_EQ(producer.deleted(), 1);
}

TEST(FromDlpack, CopiesWhatCannotBeUsedInPlaceAndGivesItBackAtOnce) {
  struct Case {
    std::function<void(Producer&)> prepare;
    const char* expected;
  };
  const Case cases[] = {
      {[](Producer& p) { p.Shape({2, 3}).Strides({1, 2}); }, "i8[2,3] {0, 2, 4, 1, 3, 5}"},
      {[](Producer& p) { p.Shape({3}).Strides({-2}).tensor().byte_offset = 9; }, "i8[3] {9, 7, 5}"},
      {[](Producer& p) { p.Shape({2, 2}).Strides({0, 1}); }, "i8[2,2] {0, 1, 0, 1}"},
      {[](Producer& p) { p.Shape({2}).Type(kDLUInt, 16).tensor().byte_offset = 1; }, "u16[2] {513, 1027}"},
  };
  for (const Case& c : cases) {
    Producer producer;
    c.prepare(producer);
    const absl::StatusOr<Tensor> tensor = FromDlpack(producer.Export());
    ASSERT_TRUE(tensor.ok()) << tensor.status().message();
    EXPECT_EQ(tensor->ToString(), c.expected);
    EXPECT_EQ(producer.deleted(), 1) << c.expected;
  }
}

TEST(FromDlpack, StridesOfSingleExtentsDoNotMatter) {
  Producer producer;
  producer.Shape({1, 4, 1}).Strides({77, 1, -5});
  const Tensor tensor = *FromDlpack(producer.Export());
  EXPECT_EQ(tensor.data(), producer.bytes());
}

TEST(FromDlpack, StoragePolicies) {
  {
    Producer producer;
    producer.Shape({4});
    const Tensor tensor = *FromDlpack(producer.Export(), Storage::kCopy);
    EXPECT_NE(tensor.data(), producer.bytes());
    EXPECT_EQ(producer.deleted(), 1);
  }
  {
    Producer producer;
    producer.Shape({2, 2}).Strides({1, 2});
    EXPECT_EQ(FromDlpack(producer.Export(), Storage::kBorrow).status().message(),
              "error[E0334 cannot-borrow]: the DLPack tensor i8[2,2] cannot be borrowed: its byte strides "
              "are [1,2], "
              "not row-major\n  help: use storage = copy, or export a contiguous tensor");
    EXPECT_EQ(producer.deleted(), 1);
  }
  {
    Producer producer;
    producer.Shape({2}).Type(kDLFloat, 32).tensor().byte_offset = 2;
    EXPECT_EQ(FromDlpack(producer.Export(), Storage::kBorrow).status().message(),
              "error[E0334 cannot-borrow]: the memory of a f32[2] cannot be borrowed: its address is no "
              "multiple of "
              "4\n  help: copy it: Tensor::FromSpan, or CopyStrided for memory without alignment");
    EXPECT_EQ(producer.deleted(), 1);
  }
  Producer producer;
  EXPECT_EQ(FromDlpack(producer.Export(), Storage::kMmap).status().message(),
            "error[E0334 cannot-borrow]: a DLPack tensor is memory, and only a file can be mapped\n"
            "  help: use storage = borrow for memory");
  EXPECT_EQ(producer.deleted(), 1);
}

TEST(FromDlpack, ScalarsAndEmptyOnes) {
  Producer scalar;
  scalar.tensor().byte_offset = 7;
  EXPECT_EQ(FromDlpack(scalar.Export())->ToString(), "i8[] {7}");
  EXPECT_EQ(scalar.deleted(), 1);
  Producer empty;
  empty.Shape({3, 0}).tensor().data = nullptr;
  EXPECT_EQ(FromDlpack(empty.Export())->ToString(), "i8[3,0] {}");
  EXPECT_EQ(empty.deleted(), 1);
}

// Every refusal gives the tensor back, once.
TEST(FromDlpack, Refusals) {
  struct Case {
    std::function<void(Producer&)> prepare;
    const char* expected;
  };
  const Case cases[] = {
      {[](Producer& p) { p.tensor().device = {kDLCUDA, 1}; },
       "error[E0333 bad-dlpack]: the DLPack tensor lies on the device cuda:1, not on the CPU\n"
       "  help: copy it to the CPU before it is exported: x.cpu() in PyTorch"},
      {[](Producer& p) {
         const int32_t unknown = 99;
         std::memcpy(&p.tensor().device.device_type, &unknown, sizeof(unknown));
       },
       "error[E0333 bad-dlpack]: the DLPack tensor lies on the device of DLPack type 99:0, not on the CPU\n"
       "  help: copy it to the CPU before it is exported: x.cpu() in PyTorch"},
      {[](Producer& p) { p.Type(kDLComplex, 64); },
       "error[E0333 bad-dlpack]: the DLPack tensor holds complex64, which Tenfold does not have\n"
       "  help: convert it before it is exported, for example to f32"},
      {[](Producer& p) { p.Type(kDLFloat, 8); },
       "error[E0333 bad-dlpack]: the DLPack tensor holds f8, which Tenfold does not have\n"
       "  help: convert it before it is exported, for example to f32"},
      {[](Producer& p) { p.Type(99, 8); },
       "error[E0333 bad-dlpack]: the DLPack tensor holds DLPack type 99 of 8 bits, which Tenfold does not "
       "have\n"
       "  help: convert it before it is exported, for example to f32"},
      {[](Producer& p) { p.Type(kDLFloat, 32, 4); },
       "error[E0333 bad-dlpack]: the DLPack tensor has elements of 4 lanes; Tenfold takes those of one"},
      {[](Producer& p) { p.Shape({-1}); },
       "error[E0333 bad-dlpack]: the DLPack tensor has the shape [-1], which no array can have"},
      {[](Producer& p) { p.tensor().ndim = -1; },
       "error[E0333 bad-dlpack]: the DLPack tensor has -1 dims; the limit rank is 32"},
      {[](Producer& p) { p.tensor().ndim = 33; },
       "error[E0333 bad-dlpack]: the DLPack tensor has 33 dims; the limit rank is 32"},
      {[](Producer& p) { p.tensor().ndim = 1; },
       "error[E0333 bad-dlpack]: the DLPack tensor has dims, but no shape"},
      {[](Producer& p) { p.tensor().data = nullptr; },
       "error[E0333 bad-dlpack]: the DLPack tensor is i8[], but has no data"},
      {[](Producer& p) { p.Shape({2}).Type(kDLFloat, 64).Strides({int64_t{1} << 62}); },
       "error[E0333 bad-dlpack]: the DLPack tensor has a stride that reaches farther than can be addressed"},
      {[](Producer& p) { p.Shape({4}).Strides({int64_t{1} << 62}); },
       "error[E0332 bad-view]: the view i8[4] with byte strides [4611686018427387904] reaches farther than "
       "can be "
       "addressed"},
      {[](Producer& p) { p.Shape({int64_t{1} << 40}).Strides({0}); },
       "error[E0402 too-large]: the DLPack tensor i8[1099511627776] has more than 68719476736 bytes, the "
       "limit "
       "tensor_bytes"},
      {[](Producer& p) { p.Shape({3}).Type(6, 8); },
       "error[E0304 bad-bool]: the memory of a bool[3] has the byte 2 as element [2] (1 of 3 elements "
       "neither 0 nor "
       "1)\n  help: hand it over as u8, and compare with 0 in the graph: Cast(x, DType::kBool)"},
  };
  for (const Case& c : cases) {
    Producer producer;
    c.prepare(producer);
    EXPECT_EQ(FromDlpack(producer.Export()).status().message(), c.expected);
    EXPECT_EQ(producer.deleted(), 1) << c.expected;
  }
  EXPECT_EQ(FromDlpack(nullptr).status().message(), "error[E0333 bad-dlpack]: the DLPack tensor is null");
}

TEST(FromDlpack, AProducerNeedNoDeleter) {
  Producer producer;
  DlpackHandle handle = producer.Export();
  handle->deleter = nullptr;
  EXPECT_TRUE(FromDlpack(std::move(handle)).ok());
}

TEST(ToDlpack, EveryDTypeThereAndBack) {
  for (const DType dtype : kAllDTypes) {
    if (IsPacked(dtype)) continue;
    const uint64_t one = 1;
    const Tensor tensor = *(*Tensor::Splat(dtype, Dims{2, 3}, &one)).Materialize();
    DlpackHandle handle = *ToDlpack(tensor);
    const DLTensor& exported = handle->dl_tensor;
    EXPECT_EQ(exported.data, tensor.data());
    EXPECT_EQ(exported.device.device_type, kDLCPU);
    EXPECT_EQ(exported.dtype.bits, BitWidth(dtype));
    EXPECT_EQ(exported.dtype.lanes, 1);
    ASSERT_EQ(exported.ndim, 2);
    EXPECT_EQ(exported.shape[1], 3);
    EXPECT_EQ(exported.strides[0], 3);
    const Tensor back = *FromDlpack(std::move(handle));
    EXPECT_EQ(back.data(), tensor.data());
    EXPECT_TRUE(SameBits(back, tensor)) << Name(dtype);
  }
}

TEST(ToDlpack, PackedElementsStay) {
  const uint8_t one = 1;
  EXPECT_EQ(ToDlpack(*Tensor::Splat(DType::kU4, Dims{3}, &one)).status().message(),
            "error[E0333 bad-dlpack]: the DLPack tensor cannot be u4[3], two elements to a byte\n"
            "  help: Tensor::Unpack() gives them a byte each");
}

TEST(ToDlpack, KeepsTheTensorUntilTheConsumerIsDone) {
  auto memory = std::make_shared<std::vector<float>>(4, 1.5f);
  const std::weak_ptr<std::vector<float>> watch = memory;
  absl::StatusOr<Tensor> tensor = Tensor::Wrap(DType::kF32, Dims{4}, memory->data(), memory);
  DLManagedTensor* const raw = ToDlpack(*tensor)->release();
  tensor = Tensor();
  memory.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(static_cast<const float*>(raw->dl_tensor.data)[3], 1.5f);
  raw->deleter(raw);
  EXPECT_TRUE(watch.expired());
}

TEST(ToDlpack, SplatsAreWrittenOut) {
  const float value = 2.5f;
  const DlpackHandle handle = *ToDlpack(*Tensor::Splat(DType::kF32, Dims{3}, &value));
  EXPECT_EQ(static_cast<const float*>(handle->dl_tensor.data)[2], 2.5f);
}

}  // namespace
}  // namespace tenfold
