// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/files.h"

namespace tenfold {

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(absl::string_view path) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> file, FileSource::Open(path));
  const size_t size = file->remaining();
  // mmap refuses a length of 0.
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, 0));
  const int fd = file->ReleaseDescriptor();
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);  // the mapping holds the file
  if (address == MAP_FAILED) return CannotRead(path, Why(error));
  return std::shared_ptr<const MappedFile>(new MappedFile(address, size));
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(address_, size_);
}

}  // namespace tenfold
