// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are read once, front to back: of memory, a file, or a member of an archive. Readers of
// arrays take one, so that contents go straight from the file into the tensor's memory.
#ifndef TENFOLD_GRAPH_INGEST_BYTE_SOURCE_H_
#define TENFOLD_GRAPH_INGEST_BYTE_SOURCE_H_

#include <cstdint>
#include <cstring>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tenfold {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // How many bytes are still to come, as far as the source knows.
  virtual uint64_t remaining() const = 0;
  // Fills `out` with the next bytes; out.size() is at most remaining(). An error if the source does
  // not deliver what it promised.
  virtual absl::Status Read(std::span<char> out) = 0;
  // Called after the last byte was read; verifies what can be verified only then (a checksum).
  virtual absl::Status Finish() { return absl::OkStatus(); }
};

class MemorySource : public ByteSource {
 public:
  // `bytes` must outlive the source.
  explicit MemorySource(absl::string_view bytes) : rest_(bytes) {}
  uint64_t remaining() const override { return rest_.size(); }
  absl::Status Read(std::span<char> out) override {
    if (out.empty()) return absl::OkStatus();  // memcpy must not see a null pointer
    std::memcpy(out.data(), rest_.data(), out.size());
    rest_.remove_prefix(out.size());
    return absl::OkStatus();
  }

 private:
  absl::string_view rest_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_BYTE_SOURCE_H_
