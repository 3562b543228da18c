// SPDX-License-Identifier: Apache-2.0
//
// A file that is written in pieces and appears whole or not at all.
#ifndef TENFOLD_GRAPH_INGEST_ATOMIC_FILE_H_
#define TENFOLD_GRAPH_INGEST_ATOMIC_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tenfold {

// The pieces go into a temporary file in the target's folder, which Commit syncs and renames: readers see the
// old contents or the new, also after a power cut. Without a Commit, or after an error, the old contents
// stay and the temporary file is gone. Where the file system can, it has no name until Commit, so that even
// a process that is killed leaves nothing behind.
class AtomicFile {
 public:
  // What exists at `path` and is no regular file is not replaced; a symbolic link stays one, and its target
  // is written. An existing file's mode is kept. Errors: E0523 cannot-write; a full disk is one, later.
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(absl::string_view path);
  // For a file that belongs to the one at `path`: in its folder, with its mode, under a name that CommitAs
  // gives.
  static absl::StatusOr<std::unique_ptr<AtomicFile>> CreateBeside(absl::string_view path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Appends.
  absl::Status Write(absl::string_view bytes);
  // Replaces bytes that were written already: a header that tells what came behind it.
  absl::Status Overwrite(uint64_t offset, absl::string_view bytes);
  uint64_t size() const { return size_; }

  // On the disk, not only in its cache. Commit does it too; this is for those who want the slow part first.
  absl::Status Sync();
  absl::Status Commit();
  // Under a name in the same folder that follows from the contents.
  absl::Status CommitAs(absl::string_view name);

  // Of a name in the same folder.
  std::string PathOf(absl::string_view name) const;
  // True if there is a regular file of that name in the folder, with the bytes written so far.
  absl::StatusOr<bool> Equals(absl::string_view name) const;

 private:
  explicit AtomicFile(absl::string_view path) : shown_(path), path_(path) {}
  absl::Status Failed(int error) const;
  absl::Status Open(const mode_t* mode);
  absl::Status Rename(const std::string& target);

  std::string shown_;      // the path as the caller wrote it, for messages
  std::string path_;       // with links followed
  std::string temporary_;  // empty while the file has no name
  int fd_ = -1;
  uint64_t size_ = 0;
  bool synced_ = false;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_ATOMIC_FILE_H_
