// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/packed.h"

namespace tenfold {
namespace {

template <typename T>
void Unpack(const void* data, int64_t begin, int64_t end, T* out) {
  int64_t i = begin;
  if (i < end && i % 2 != 0) *out++ = PackedElement<T>(data, i++);
  for (; i + 1 < end; i += 2, out += 2) {
    out[0] = PackedElement<T>(data, i);
    out[1] = PackedElement<T>(data, i + 1);
  }
  if (i < end) *out = PackedElement<T>(data, i);
}

}  // namespace

void UnpackElements(DType packed, const void* data, int64_t begin, int64_t end, void* out) {
  if (packed == DType::kI4) {
    Unpack(data, begin, end, static_cast<int8_t*>(out));
  } else {
    Unpack(data, begin, end, static_cast<uint8_t*>(out));
  }
}

void PackElements(const void* bytes, int64_t count, void* out) {
  const auto* from = static_cast<const uint8_t*>(bytes);
  auto* to = static_cast<uint8_t*>(out);
  for (int64_t i = 0; i + 1 < count; i += 2, from += 2) {
    *to++ = static_cast<uint8_t>((from[0] & 0x0f) | from[1] << 4);
  }
  if (count % 2 != 0) *to = static_cast<uint8_t>(*from & 0x0f);
}

void ClearUnusedHalf(void* packed, int64_t count) {
  if (count % 2 != 0) static_cast<uint8_t*>(packed)[count / 2] &= 0x0f;
}

}  // namespace tenfold
