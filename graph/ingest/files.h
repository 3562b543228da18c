// SPDX-License-Identifier: Apache-2.0
//
// Files: read with bounds, written whole or not at all, and found only where they may be.
#ifndef TENFOLD_GRAPH_INGEST_FILES_H_
#define TENFOLD_GRAPH_INGEST_FILES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/byte_source.h"

namespace tenfold {

// A regular file, opened for reading. A pipe, which could block for ever, and a device, which need
// not end, are refused. Read with read(2), not mapped: a mapped file that another process shortens
// kills this one.
class FileSource : public ByteSource {
 public:
  // Errors: E0521 file-not-found, E0522 cannot-read.
  static absl::StatusOr<std::unique_ptr<FileSource>> Open(absl::string_view path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  uint64_t remaining() const override { return remaining_; }
  absl::Status Read(std::span<char> out) override;
  // From anywhere in the file, without moving on.
  absl::Status ReadAt(uint64_t offset, std::span<char> out) const;

  // The descriptor, at whatever position; the caller closes it. For libraries that read by
  // themselves.
  int ReleaseDescriptor();

 private:
  FileSource(int fd, std::string path, uint64_t size) : fd_(fd), path_(std::move(path)), remaining_(size) {}

  int fd_;
  const std::string path_;
  uint64_t remaining_;
};

// The whole file. Errors: E0521, E0522; E0402 if it has more than `max_bytes`.
absl::StatusOr<std::string> ReadFile(absl::string_view path, uint64_t max_bytes);

// AtomicFile (graph/ingest/atomic_file.h) in one call: readers see the old contents or the new. Errors: E0523
// cannot-write; the old contents stay then, and nothing is left behind.
absl::Status WriteFileAtomically(absl::string_view path, absl::string_view bytes);

// The real path of `relative`, which comes from an untrusted file, beneath `folder`. Refuses
// (E0525) absolute paths, any "..", and symbolic links that lead out; links that stay inside are
// followed. Errors: E0521, E0522 if it is no regular file, E0524 if it is no path.
absl::StatusOr<std::string> ResolveFileBeneath(absl::string_view folder, absl::string_view relative);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_FILES_H_
