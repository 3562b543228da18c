// SPDX-License-Identifier: Apache-2.0
//
// CRC-32C (Castagnoli, RFC 3720 appendix B.4): tells a damaged file from a sound one. It does not tell a
// forged one: what it covers is checked as hostile all the same.
#ifndef TENFOLD_GRAPH_SERIALIZATION_CRC32C_H_
#define TENFOLD_GRAPH_SERIALIZATION_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace tenfold {

// Of `bytes` behind those that gave `crc`.
uint32_t Crc32c(absl::string_view bytes, uint32_t crc = 0);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SERIALIZATION_CRC32C_H_
