// SPDX-License-Identifier: Apache-2.0
//
// A file's pages as memory: contents are read when they are touched, and given back when memory is short.
#ifndef TENFOLD_GRAPH_INGEST_MAPPED_FILE_H_
#define TENFOLD_GRAPH_INGEST_MAPPED_FILE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

class MappedFile;

// The deleter of a mapping's owners: they are told from others by it.
struct UnmapFile {
  absl::string_view bytes;
  void operator()(const MappedFile* file) const;
};

// A regular file, mapped read-only and privately. Tensors made with Tensor::Wrap hold it as their owner, so
// that the mapping lives as long as the last of them.
//
// Another process that replaces the file by a rename does no harm: the mapping keeps the old contents. One
// that writes into the file changes what is seen here, at any time, and one that shortens it makes an access
// to the missing pages fatal (SIGBUS), which no library can turn into a Status. So a file is mapped only if
// it is large (kMapThreshold, where a copy would cost what the machine may not have) or if the caller asks
// for it.
class MappedFile {
 public:
  // Refuses what FileSource refuses. Errors: E0521, E0522.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(absl::string_view path);
  // A file that is open, at `path`; it must not be read any more.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Map(FileSource& file, absl::string_view path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Begins at the start of a page. Beyond the end there may be no memory.
  absl::string_view bytes() const { return {static_cast<const char*>(address_), size_}; }

 private:
  friend struct UnmapFile;
  MappedFile(void* address, size_t size) : address_(address), size_(size) {}

  ~MappedFile();

  void* const address_;
  const size_t size_;
};

// For a tensor that will hardly be read again, since a kernel has its values in an order of its own: its
// pages, if they are those of a mapped file, no longer count as this process's memory. Reading them gets them
// back. Other tensors are left alone.
void DropPages(const Tensor& tensor);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_MAPPED_FILE_H_
