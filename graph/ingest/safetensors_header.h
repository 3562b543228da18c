// SPDX-License-Identifier: Apache-2.0
//
// The front of a .safetensors file: 8 bytes with the header's length, little-endian, then the header, a JSON
// object that gives each tensor's dtype, shape and place in the data behind it.
#ifndef TENFOLD_GRAPH_INGEST_SAFETENSORS_HEADER_H_
#define TENFOLD_GRAPH_INGEST_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// What the length takes.
inline constexpr uint64_t kSafetensorsPrefix = 8;
// The most that the format's reference reader accepts.
inline constexpr uint64_t kMostHeaderBytes = 100'000'000;

struct SafetensorsEntry {
  std::string name;
  std::string dtype_name;      // "F32", "F8_E4M3"
  std::optional<DType> dtype;  // nullopt: none of ours
  Dims dims;
  uint64_t begin = 0, end = 0;  // in the data
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their data, which they cover without holes
  std::map<std::string, std::string> metadata;
};

// "F32", empty for i4 and u4, which the format has not; and the inverse, nullopt for what we have not.
absl::string_view SafetensorsName(DType dtype);
std::optional<DType> ParseSafetensorsName(absl::string_view name);

// The header's length, from the first 8 bytes of a file of `file_bytes`. Errors: E0305, E0330, E0402.
absl::StatusOr<uint64_t> ReadHeaderLength(absl::string_view file, absl::string_view first_bytes,
                                          uint64_t file_bytes, const Limits& limits);

// `json` is the header, `data_bytes` what follows it. Whatever contradicts itself is refused: sizes that are
// not the shape's, tensors that overlap, bytes that belong to none. Errors: E0305, E0306, E0312, E0330,
// E0402.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view file, absl::string_view json,
                                                         uint64_t data_bytes, const Limits& limits);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_SAFETENSORS_HEADER_H_
