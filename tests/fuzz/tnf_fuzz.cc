// SPDX-License-Identifier: Apache-2.0
//
// Graph files (.tnf): mutated as bytes, and as the message inside, whose frame is then made sound again.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/serialization/crc32c.h"
#include "tenfold/tests/fuzz/exercise_files.h"
#include "tenfold/tests/fuzz/fuzzer_text.h"
#include "tenfold/tests/fuzz/mutate_message.h"

namespace tenfold::fuzz {
namespace {

// docs/file-format.md: magic, version, checksum, bytes of the structure and of the data.
constexpr size_t kHeaderSize = 32;
constexpr size_t kChecksumAt = 12, kStructureSizeAt = 16, kDataSizeAt = 24;

uint64_t SizeAt(absl::string_view bytes, size_t offset) {
  uint64_t value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

struct Parts {
  v1::Graph graph;
  std::string data;
};

std::optional<Parts> Split(absl::string_view bytes) {
  if (bytes.size() < kHeaderSize) return std::nullopt;
  const uint64_t size = SizeAt(bytes, kStructureSizeAt);
  if (size > bytes.size() - kHeaderSize) return std::nullopt;
  Parts parts;
  if (!parts.graph.ParseFromArray(bytes.data() + kHeaderSize, static_cast<int>(size))) return std::nullopt;
  const size_t data = (kHeaderSize + size + 63) / 64 * 64;
  if (data < bytes.size()) parts.data = std::string(bytes.substr(data));
  return parts;
}

std::string Join(absl::string_view header, const Parts& parts) {
  const std::string structure = parts.graph.SerializeAsString();
  std::string bytes(header.substr(0, kHeaderSize));
  const auto put = [&](size_t offset, auto value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(value));
  };
  put(kStructureSizeAt, uint64_t{structure.size()});
  put(kDataSizeAt, uint64_t{parts.data.size()});
  bytes += structure;
  if (!parts.data.empty()) {
    bytes.resize((bytes.size() + 63) / 64 * 64);
    bytes += parts.data;
  }
  put(kChecksumAt, Crc32c(absl::string_view(bytes).substr(kHeaderSize)));
  return bytes;
}

}  // namespace
}  // namespace tenfold::fuzz

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  using namespace tenfold::fuzz;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::optional<Parts> parts = Split(bytes);
  if (!parts || seed % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::minstd_rand random(seed);
  MutateMessage(parts->graph, random, MutateTextByFuzzer);
  const std::string joined = Join(bytes, *parts);
  if (joined.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, joined.data(), joined.size());
  return joined.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tenfold::fuzz::ExerciseTnfBytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
