// SPDX-License-Identifier: Apache-2.0
//
// i4 and u4 as storage: two elements to a byte, the first in the low half, as ONNX has them. Such an element
// has no address. Whoever needs one unpacks: i4 into i8, u4 into u8. Of an odd number of elements the upper
// half of the last byte is 0, so that equal tensors have equal bytes.
#ifndef TENFOLD_GRAPH_PACKED_H_
#define TENFOLD_GRAPH_PACKED_H_

#include <cstdint>
#include <type_traits>

#include "tenfold/graph/dtype.h"

namespace tenfold {

// Of a packed dtype.
constexpr DType UnpackedType(DType packed) { return packed == DType::kI4 ? DType::kI8 : DType::kU8; }

// Element `i`; T is int8_t for i4, uint8_t for u4.
template <typename T>
constexpr T PackedElement(const void* data, int64_t i) {
  const uint8_t pair = static_cast<const uint8_t*>(data)[i / 2];
  const uint8_t bits = static_cast<uint8_t>(i % 2 == 0 ? pair & 0x0f : pair >> 4);
  if constexpr (std::is_signed_v<T>) return static_cast<T>((bits ^ 8) - 8);
  return static_cast<T>(bits);
}

// Elements [begin, end) of packed data, a byte each, to `out`.
void UnpackElements(DType packed, const void* data, int64_t begin, int64_t end, void* out);
// The low four bits of `count` bytes, two to a byte.
void PackElements(const void* bytes, int64_t count, void* out);
// Puts 0 where no element is, behind an odd number of them.
void ClearUnusedHalf(void* packed, int64_t count);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_PACKED_H_
