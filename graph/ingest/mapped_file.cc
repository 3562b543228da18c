// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/files.h"

namespace tenfold {

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(absl::string_view path) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> file, FileSource::Open(path));
  return Map(*file, path);
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Map(FileSource& file, absl::string_view path) {
  const size_t size = file.remaining();
  // mmap refuses a length of 0.
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, 0), UnmapFile{});
  const int fd = file.ReleaseDescriptor();
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);  // the mapping holds the file
  if (address == MAP_FAILED) return CannotRead(path, Why(error));
  auto* const mapped = new MappedFile(address, size);
  return std::shared_ptr<const MappedFile>(mapped, UnmapFile{mapped->bytes()});
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(address_, size_);
}

void UnmapFile::operator()(const MappedFile* file) const { delete file; }

void DropPages(const Tensor& tensor) {
  // The owner of a mapping was made with its deleter, whatever pointer it has become since.
  const UnmapFile* const mapping = std::get_deleter<UnmapFile>(tensor.owner());
  if (mapping == nullptr || tensor.stored_bytes() == 0) return;
  // Whole pages; those at the ends may hold parts of other tensors, which are not lost either.
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t first = reinterpret_cast<uintptr_t>(tensor.data()) / page * page;
  const uintptr_t behind = reinterpret_cast<uintptr_t>(tensor.data()) + tensor.stored_bytes();
  // Elsewhere, in memory that is no file's, the call below would clear the contents.
  const uintptr_t begin = reinterpret_cast<uintptr_t>(mapping->bytes.data());
  if (first < begin || behind > begin + mapping->bytes.size()) return;
  ::madvise(reinterpret_cast<void*>(first), behind - first, MADV_DONTNEED);
}

}  // namespace tenfold
