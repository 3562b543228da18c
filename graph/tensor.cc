// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/tensor.h"

#include <charconv>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/aligned_memory.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/nan_pattern.h"

namespace tenfold {
namespace {

// Far enough below 2^63 that no later sum of sizes overflows.
constexpr uint64_t kMaxBytes = uint64_t{1} << 60;

absl::Status TooLarge(DType dtype, std::span<const int64_t> dims, absl::string_view why) {
  return MakeError("E0402", absl::StrCat("a tensor ", Name(dtype), DimsToString(dims), " ", why));
}

// The number of elements, once their bytes are known to be addressable.
absl::StatusOr<int64_t> CheckedCount(DType dtype, std::span<const int64_t> dims) {
  for (int64_t d : dims) {
    if (d < 0) return TooLarge(dtype, dims, "cannot be: an extent is negative");
  }
  const std::optional<int64_t> count = NumElements(dims);
  if (!count || static_cast<uint64_t>(*count) > kMaxBytes / SizeOf(dtype)) {
    return TooLarge(dtype, dims, "needs more bytes than can be addressed");
  }
  return *count;
}

// Null if there is no memory.
std::shared_ptr<void> AllocateElements(size_t bytes) {
  // At least one unit, so that data() is never null; the last unit is cleared, so that a kernel
  // which reads whole vectors meets no stray signalling or subnormal values in the padding.
  AlignedMemory memory = AllocateAligned(bytes);
  if (memory != nullptr)
    std::memset(memory.get() + PaddedSize(bytes) - kMemoryAlignment, 0, kMemoryAlignment);
  return memory;
}

uint8_t PackedPair(const void* element) {
  const uint8_t low = static_cast<uint8_t>(*static_cast<const uint8_t*>(element) & 0x0f);
  return static_cast<uint8_t>(low | low << 4);
}

bool IsNan(F16 h) { return (h.bits & 0x7fffu) > 0x7c00u; }
bool IsNan(BF16 h) { return (h.bits & 0x7fffu) > 0x7f80u; }
bool IsNan(float f) { return f != f; }
bool IsNan(double d) { return d != d; }

template <typename T>
bool SameElement(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return a == b;
  } else {
    return std::memcmp(&a, &b, sizeof(T)) == 0 || (IsNan(a) && IsNan(b));
  }
}

template <typename T>
std::string Shortest(T value) {
  char buffer[32];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, end.ptr);
}

template <typename T>
std::string ValueToString(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    return absl::StrCat(value);
  } else if (IsNan(value)) {
    return "nan";  // whatever its sign and payload: all NaNs are one value
  } else if constexpr (std::is_floating_point_v<T>) {
    return Shortest(value);
  } else {
    // The decimal with the fewest digits that rounds to these bits. Five digits always do.
    const float exact = ToFloat(value);
    for (int digits = 0; digits < 8; ++digits) {
      char buffer[32];
      const char* end =
          std::to_chars(buffer, buffer + sizeof(buffer), exact, std::chars_format::scientific, digits).ptr;
      double decimal = 0;
      std::from_chars(buffer, end, decimal);
      if (Narrow<T>(decimal) == value) return Shortest(decimal);
    }
    return Shortest(exact);
  }
}

}  // namespace

absl::Status WrongElementCount(size_t got, std::span<const int64_t> dims) {
  const std::optional<int64_t> count = NumElements(dims);
  return MakeError("E0403", absl::StrCat("shape ", DimsToString(dims), " holds ",
                                         count ? absl::StrCat(*count) : std::string("no valid number of"),
                                         " elements, but ", got, " were given"));
}

absl::StatusOr<Tensor> Tensor::Allocate(DType dtype, std::span<const int64_t> dims) {
  TENFOLD_ASSIGN_OR_RETURN(const int64_t count, CheckedCount(dtype, dims));
  Tensor t;
  t.owner_ = AllocateElements(count * SizeOf(dtype));
  if (t.owner_ == nullptr) return TooLarge(dtype, dims, "does not fit into the memory that is left");
  t.dtype_ = dtype;
  t.dims_.assign(dims.begin(), dims.end());
  t.num_elements_ = count;
  t.data_ = t.owner_.get();
  return t;
}

absl::StatusOr<Tensor> Tensor::Splat(DType dtype, std::span<const int64_t> dims, const void* element) {
  struct alignas(kTensorAlignment) Storage {
    char bytes[kTensorAlignment] = {};
  };
  TENFOLD_ASSIGN_OR_RETURN(const int64_t count, CheckedCount(dtype, dims));
  Tensor t;
  t.dtype_ = dtype;
  t.splat_ = count != 1;  // one element is simply stored
  t.dims_.assign(dims.begin(), dims.end());
  t.num_elements_ = count;
  auto storage = std::make_shared<Storage>();
  std::memcpy(storage->bytes, element, SizeOf(dtype));
  if (IsPacked(dtype)) storage->bytes[0] &= 0x0f;
  t.data_ = storage->bytes;
  t.owner_ = std::move(storage);
  return t;
}

absl::StatusOr<Tensor> Tensor::Wrap(DType dtype, std::span<const int64_t> dims, const void* data,
                                    std::shared_ptr<const void> owner) {
  TENFOLD_ASSIGN_OR_RETURN(const int64_t count, CheckedCount(dtype, dims));
  Tensor t;
  t.dtype_ = dtype;
  t.dims_.assign(dims.begin(), dims.end());
  t.num_elements_ = count;
  t.data_ = data;
  t.owner_ = std::move(owner);
  return t;
}

absl::StatusOr<Tensor> Tensor::Materialize() const {
  if (!splat_) return *this;
  TENFOLD_ASSIGN_OR_RETURN(Tensor dense, Allocate(dtype_, dims_));
  if (IsPacked(dtype_)) {
    std::memset(dense.mutable_data(), PackedPair(data_), dense.stored_bytes());
    ClearUnusedHalf(dense.mutable_data(), num_elements_);
    return dense;
  }
  VisitDType(dtype_, [&]<typename T>(std::type_identity<T>) {
    const std::span<T> values = dense.mutable_values<T>();
    std::fill(values.begin(), values.end(), at<T>(0));
  });
  return dense;
}

absl::StatusOr<Tensor> Tensor::Unpack() const {
  const DType unpacked = UnpackedType(dtype_);
  if (splat_ && num_elements_ > 0) {
    uint8_t element = 0;
    UnpackElements(dtype_, data_, 0, 1, &element);
    return Splat(unpacked, dims_, &element);
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor bytes, Allocate(unpacked, dims_));
  UnpackElements(dtype_, data_, 0, num_elements_, bytes.mutable_data());
  return bytes;
}

absl::StatusOr<Tensor> Tensor::Pack(DType dtype) const {
  if (splat_ && num_elements_ > 0) return Splat(dtype, dims_, data_);
  TENFOLD_ASSIGN_OR_RETURN(Tensor packed, Allocate(dtype, dims_));
  PackElements(data_, num_elements_, packed.mutable_data());
  return packed;
}

absl::StatusOr<Tensor> Tensor::Reshape(std::span<const int64_t> dims) const {
  const std::optional<int64_t> count = NumElements(dims);
  if (!count || *count != num_elements_) return WrongElementCount(num_elements_, dims);
  Tensor t = *this;
  t.dims_.assign(dims.begin(), dims.end());
  return t;
}

std::string Tensor::ToString(int64_t max_values) const {
  std::string text = type().ToString();
  if (splat_) return absl::StrCat(text, " splat ", ElementToString(*this, 0));
  absl::StrAppend(&text, " {");
  const char* separator = "";
  for (int64_t i = 0; i < std::min(num_elements_, max_values); ++i) {
    absl::StrAppend(&text, separator, ElementToString(*this, i));
    separator = ", ";
  }
  if (num_elements_ > max_values) absl::StrAppend(&text, separator, "...");
  return text + "}";
}

bool SameBits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.dims() != b.dims()) return false;
  if (a.num_elements() == 0) return true;
  const bool dense = !a.is_splat() && !b.is_splat();
  if (dense && std::memcmp(a.data(), b.data(), a.stored_bytes()) == 0) return true;
  if (dense && !HasNan(a.dtype()) && !IsPacked(a.dtype())) return false;
  const int64_t stored = a.is_splat() && b.is_splat() ? 1 : a.num_elements();
  return VisitDType(a.dtype(), [&]<typename T>(std::type_identity<T>) {
    for (int64_t i = 0; i < stored; ++i) {
      if (!SameElement(a.at<T>(i), b.at<T>(i))) return false;
    }
    return true;
  });
}

void CanonicalizeNans(DType dtype, void* data, int64_t count) {
  const NanPattern nans = NanPatternOf(dtype);
  if (!nans) return;
  switch (SizeOf(dtype)) {
    case 1:
      return CanonicalizeWords(nans, static_cast<uint8_t*>(data), count);
    case 2:
      return CanonicalizeWords(nans, static_cast<uint16_t*>(data), count);
    case 4:
      return CanonicalizeWords(nans, static_cast<uint32_t*>(data), count);
    default:
      return CanonicalizeWords(nans, static_cast<uint64_t*>(data), count);
  }
}

std::string ElementToString(const Tensor& tensor, int64_t i) {
  return VisitDType(tensor.dtype(),
                    [&]<typename T>(std::type_identity<T>) { return ValueToString(tensor.at<T>(i)); });
}

}  // namespace tenfold
