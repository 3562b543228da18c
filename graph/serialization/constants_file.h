// SPDX-License-Identifier: Apache-2.0
//
// The .safetensors file beside a .tnf file, with the constants that are too large to be read at every load.
//
// Its name follows from the .tnf file's and from its contents, model.tnf.1a2b3c4d.safetensors, and it is
// there before the .tnf file that names it: whatever moment a writer dies at, the .tnf file in place, old or
// new, has its constants. Those that no graph names any more are removed afterwards.
#ifndef TENFOLD_GRAPH_SERIALIZATION_CONSTANTS_FILE_H_
#define TENFOLD_GRAPH_SERIALIZATION_CONSTANTS_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/atomic_file.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Held while a graph's files change places: two processes that save into one folder would otherwise remove
// each other's constants. Readers do not wait.
class FolderLock {
 public:
  // Waits for a minute at most. Errors: E0523. A file system without locks gives none.
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  const int fd_;  // -1: none could be had
};

// On the disk, under no name yet.
class ConstantsFile {
 public:
  // For the graph file `tnf`. Errors: E0312, E0313, E0402, E0523.
  static absl::StatusOr<std::unique_ptr<ConstantsFile>> Write(const NamedTensors& tensors,
                                                              const std::string& tnf);
  uint32_t checksum() const { return checksum_; }

  // Under a lock: the name that it will have, in the folder of the graph file.
  absl::StatusOr<std::string> ChooseName() const;
  absl::Status Publish(const std::string& name) { return file_->CommitAs(name); }

 private:
  ConstantsFile() = default;
  std::string base_;  // "model.tnf"
  std::unique_ptr<AtomicFile> file_;
  uint32_t checksum_ = 0;
};

// Removes the constants files of `tnf` but `kept`, which may be empty. Best effort; under a lock.
void RemoveOtherConstantsFiles(const std::string& tnf, absl::string_view kept);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SERIALIZATION_CONSTANTS_FILE_H_
