// SPDX-License-Identifier: Apache-2.0
//
// .safetensors files written by hand, right or wrong.
#ifndef TENFOLD_TESTS_GRAPH_INGEST_SAFETENSORS_BYTES_H_
#define TENFOLD_TESTS_GRAPH_INGEST_SAFETENSORS_BYTES_H_

#include <cstdint>
#include <string>

namespace tenfold {

// The header's length, then the header, then the data.
inline std::string SafetensorsBytes(const std::string& json, const std::string& data) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(uint64_t{json.size()} >> (8 * i) & 0xff);
  return bytes + json + data;
}

}  // namespace tenfold

#endif  // TENFOLD_TESTS_GRAPH_INGEST_SAFETENSORS_BYTES_H_
