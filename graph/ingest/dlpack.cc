// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/dlpack.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/host_array.h"

namespace tenfold {
namespace {

constexpr uint8_t kBoolCode = 6;                                 // kDLBool of DLPack 0.8
constexpr uint8_t kFloat8E4M3FNCode = 10, kFloat8E5M2Code = 12;  // of DLPack 1.1

absl::Status Refuse(std::string message, std::string help = "") {
  return MakeError("E0333", absl::StrCat("the DLPack tensor ", message), std::move(help));
}

// Of devices, in the header's numbering, which has gaps.
std::string DeviceName(int32_t type) {
  switch (type) {
    case kDLCUDA:
      return "cuda";
    case kDLCUDAHost:
      return "cuda_host";
    case kDLOpenCL:
      return "opencl";
    case kDLVulkan:
      return "vulkan";
    case kDLMetal:
      return "metal";
    case kDLVPI:
      return "vpi";
    case kDLROCM:
      return "rocm";
    case kDLROCMHost:
      return "rocm_host";
    case kDLCUDAManaged:
      return "cuda_managed";
    default:
      return absl::StrCat("of DLPack type ", type);
  }
}

std::string TypeName(const DLDataType& type) {
  switch (type.code) {
    case kDLInt:
      return absl::StrCat("i", type.bits);
    case kDLUInt:
      return absl::StrCat("u", type.bits);
    case kDLFloat:
      return absl::StrCat("f", type.bits);
    case kDLBfloat:
      return absl::StrCat("bf", type.bits);
    case kDLComplex:
      return absl::StrCat("complex", type.bits);
    case kDLOpaqueHandle:
      return "opaque handles";
    case kBoolCode:
      return absl::StrCat("bool of ", type.bits, " bits");
    default:
      return absl::StrCat("DLPack type ", type.code, " of ", type.bits, " bits");
  }
}

DLDataType TypeOf(DType dtype) {
  const auto bits = static_cast<uint8_t>(BitWidth(dtype));
  uint8_t code = kDLFloat;
  if (IsBool(dtype)) code = kBoolCode;
  if (IsSignedInteger(dtype)) code = kDLInt;
  if (IsUnsignedInteger(dtype)) code = kDLUInt;
  if (dtype == DType::kBF16) code = kDLBfloat;
  if (dtype == DType::kF8E4M3FN) code = kFloat8E4M3FNCode;
  if (dtype == DType::kF8E5M2) code = kFloat8E5M2Code;
  return {code, bits, 1};
}

absl::StatusOr<DType> DTypeOfDlpack(const DLDataType& type) {
  if (type.lanes != 1)
    return Refuse(absl::StrCat("has elements of ", type.lanes, " lanes; Tenfold takes those of one"));
  for (const DType dtype : kAllDTypes) {
    if (IsPacked(dtype)) continue;
    const DLDataType ours = TypeOf(dtype);
    if (ours.code == type.code && ours.bits == type.bits) return dtype;
  }
  return Refuse(absl::StrCat("holds ", TypeName(type), ", which Tenfold does not have"),
                "convert it before it is exported, for example to f32");
}

struct View {
  DType dtype;
  Dims dims;
  Dims byte_strides;
  ByteSpan span;
};

absl::StatusOr<View> ReadView(const DLTensor& tensor, const Limits& limits) {
  // As a number: to load a value that the enum does not have would be undefined.
  int32_t device = 0;
  static_assert(sizeof(device) == sizeof(tensor.device.device_type));
  std::memcpy(&device, &tensor.device.device_type, sizeof(device));
  if (device != kDLCPU) {
    return Refuse(absl::StrCat("lies on the device ", DeviceName(device), ":", tensor.device.device_id,
                               ", not on the CPU"),
                  "copy it to the CPU before it is exported: x.cpu() in PyTorch");
  }
  TENFOLD_ASSIGN_OR_RETURN(const DType dtype, DTypeOfDlpack(tensor.dtype));
  if (tensor.ndim < 0 || tensor.ndim > limits.rank)
    return Refuse(absl::StrCat("has ", tensor.ndim, " dims; the limit rank is ", limits.rank));
  if (tensor.ndim > 0 && tensor.shape == nullptr) return Refuse("has dims, but no shape");
  View view = {.dtype = dtype, .dims = {}, .byte_strides = {}, .span = {}};
  if (tensor.ndim > 0) view.dims.assign(tensor.shape, tensor.shape + tensor.ndim);
  const std::optional<int64_t> count = NumElements(view.dims);
  if (!count)
    return Refuse(absl::StrCat("has the shape ", DimsToString(view.dims), ", which no array can have"));
  const auto size = static_cast<int64_t>(SizeOf(dtype));
  if (*count > std::max<int64_t>(limits.tensor_bytes, 0) / size) {
    return MakeError(
        "E0402", absl::StrCat("the DLPack tensor ", Name(dtype), DimsToString(view.dims), " has more than ",
                              limits.tensor_bytes, " bytes, the limit tensor_bytes"));
  }
  view.byte_strides = RowMajorStrides(view.dims);
  if (tensor.strides != nullptr) view.byte_strides.assign(tensor.strides, tensor.strides + tensor.ndim);
  for (int64_t& stride : view.byte_strides) {
    if (__builtin_mul_overflow(stride, size, &stride))
      return Refuse("has a stride that reaches farther than can be addressed");
  }
  TENFOLD_ASSIGN_OR_RETURN(view.span, SpanOf(dtype, view.dims, view.byte_strides));
  if (tensor.data == nullptr && *count > 0)
    return Refuse(absl::StrCat("is ", Name(dtype), DimsToString(view.dims), ", but has no data"));
  return view;
}

// Extents of 1 have no stride that matters.
bool IsRowMajor(const View& view) {
  const Dims strides = RowMajorStrides(view.dims);
  const auto size = static_cast<int64_t>(SizeOf(view.dtype));
  for (size_t i = 0; i < view.dims.size(); ++i) {
    if (view.dims[i] > 1 && view.byte_strides[i] != strides[i] * size) return false;
  }
  return true;
}

// What an exported struct points at.
struct Export {
  DLManagedTensor managed = {};
  Tensor tensor;  // keeps the memory
  Dims dims;
  Dims strides;
};

}  // namespace

absl::StatusOr<Tensor> FromDlpack(DlpackHandle managed, Storage storage, const Limits& limits) {
  if (managed == nullptr) return Refuse("is null");
  if (storage == Storage::kMmap) {
    return MakeError("E0334", "a DLPack tensor is memory, and only a file can be mapped",
                     "use storage = borrow for memory");
  }
  const DLTensor& tensor = managed->dl_tensor;
  TENFOLD_ASSIGN_OR_RETURN(const View view, ReadView(tensor, limits));
  if (view.span.behind == 0) return Tensor::Allocate(view.dtype, view.dims);  // no elements

  // In unsigned arithmetic, which is defined wherever the producer's numbers lead.
  const uintptr_t origin = reinterpret_cast<uintptr_t>(tensor.data) + tensor.byte_offset;
  const auto* const first =
      reinterpret_cast<const std::byte*>(origin + static_cast<uintptr_t>(view.span.first));
  const std::span<const std::byte> memory(first, static_cast<size_t>(view.span.behind - view.span.first));
  const bool row_major = IsRowMajor(view);
  const bool aligned = origin % SizeOf(view.dtype) == 0;
  if (storage == Storage::kBorrow && !row_major) {
    return MakeError("E0334",
                     absl::StrCat("the DLPack tensor ", Name(view.dtype), DimsToString(view.dims),
                                  " cannot be borrowed: its byte strides are ",
                                  DimsToString(view.byte_strides), ", not row-major"),
                     "use storage = copy, or export a contiguous tensor");
  }
  if (storage == Storage::kBorrow || (storage == Storage::kAuto && row_major && aligned)) {
    return Borrow(view.dtype, view.dims, memory,
                  std::shared_ptr<DLManagedTensor>(managed.release(), CallDlpackDeleter()));
  }
  return CopyStrided({.dtype = view.dtype,
                      .dims = view.dims,
                      .byte_strides = view.byte_strides,
                      .memory = memory,
                      .offset = -view.span.first},
                     limits);
}

absl::StatusOr<DlpackHandle> ToDlpack(const Tensor& tensor) {
  if (IsPacked(tensor.dtype())) {
    return Refuse(absl::StrCat("cannot be ", tensor.type().ToString(), ", two elements to a byte"),
                  "Tensor::Unpack() gives them a byte each");
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor dense, tensor.Materialize());
  auto exported = std::make_unique<Export>();
  exported->tensor = std::move(dense);
  exported->dims = tensor.dims();
  exported->strides = RowMajorStrides(tensor.dims());
  exported->managed.dl_tensor = {.data = const_cast<void*>(exported->tensor.data()),
                                 .device = {kDLCPU, 0},
                                 .ndim = tensor.rank(),
                                 .dtype = TypeOf(tensor.dtype()),
                                 .shape = exported->dims.data(),
                                 .strides = exported->strides.data(),
                                 .byte_offset = 0};
  exported->managed.manager_ctx = exported.get();
  exported->managed.deleter = [](DLManagedTensor* self) { delete static_cast<Export*>(self->manager_ctx); };
  return DlpackHandle(&exported.release()->managed);
}

}  // namespace tenfold
