// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/files.h"

namespace tenfold {
namespace {

// A name that no other writer has: the process, and a count within it.
std::string TemporaryName(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  return absl::StrCat(path, ".tmp-", getpid(), "-", counter.fetch_add(1));
}

// A name may be left over from a process that had our number before.
constexpr int kAttempts = 100;

// How an unnamed file is addressed by those who give it a name.
std::string DescriptorPath(int fd) { return absl::StrCat("/proc/self/fd/", fd); }

// A file without a name, or -1 where the file system or a missing /proc does not allow it.
int OpenUnnamed(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
  if (fd < 0) return -1;
  if (::access(DescriptorPath(fd).c_str(), F_OK) == 0) return fd;
  ::close(fd);
  return -1;
}

// Opens a new file beside `path`. mkstemp would do, but for its mode 0600, which ignores the umask.
int OpenNamed(const std::string& path, std::string& temporary) {
  for (int i = 0; i < kAttempts; ++i) {
    temporary = TemporaryName(path);
    const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

// pwrite(2) until all is written; 0, or errno.
int WriteAll(int fd, uint64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return 0;
}

// Best effort: the file is complete already, and not every file system syncs folders.
void SyncFolder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(absl::string_view path) {
  if (absl::StrContains(path, absl::string_view("\0", 1)))
    return CannotWrite(path, "its name has a zero byte");
  std::unique_ptr<AtomicFile> file(new AtomicFile(path));
  struct stat info = {};
  const bool exists = ::stat(file->path_.c_str(), &info) == 0;
  if (exists && !S_ISREG(info.st_mode)) return CannotWrite(path, KindOf(info.st_mode));
  // A rename would replace a symbolic link, not what it points to.
  if (exists) {
    file->path_ = RealPath(file->path_);
    if (file->path_.empty()) return file->Failed(errno);
  }
  TENFOLD_RETURN_IF_ERROR(file->Open(exists ? &info.st_mode : nullptr));
  return file;
}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::CreateBeside(absl::string_view path) {
  std::unique_ptr<AtomicFile> file(new AtomicFile(path));
  struct stat info = {};
  const bool exists = ::stat(file->path_.c_str(), &info) == 0;
  TENFOLD_RETURN_IF_ERROR(file->Open(exists ? &info.st_mode : nullptr));
  return file;
}

absl::Status AtomicFile::Open(const mode_t* mode) {
  fd_ = OpenUnnamed(FolderOf(path_));
  if (fd_ < 0) fd_ = OpenNamed(path_, temporary_);
  if (fd_ < 0) {
    temporary_.clear();  // whatever bears the name is not ours to remove
    return Failed(errno);
  }
  // What was private stays so.
  if (mode != nullptr && ::fchmod(fd_, *mode & 07777) != 0) return Failed(errno);
  return absl::OkStatus();
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

absl::Status AtomicFile::Failed(int error) const { return CannotWrite(shown_, Why(error)); }

std::string AtomicFile::PathOf(absl::string_view name) const {
  return absl::StrCat(FolderOf(path_), "/", name);
}

absl::Status AtomicFile::Write(absl::string_view bytes) {
  if (const int error = WriteAll(fd_, size_, bytes); error != 0) return Failed(error);
  size_ += bytes.size();
  synced_ = false;
  return absl::OkStatus();
}

absl::Status AtomicFile::Overwrite(uint64_t offset, absl::string_view bytes) {
  if (offset > size_ || bytes.size() > size_ - offset)
    return MakeError("E9001", "bytes that were never written are overwritten");
  if (const int error = WriteAll(fd_, offset, bytes); error != 0) return Failed(error);
  synced_ = false;
  return absl::OkStatus();
}

absl::Status AtomicFile::Sync() {
  if (synced_) return absl::OkStatus();
  if (::fsync(fd_) != 0) return Failed(errno);
  synced_ = true;
  return absl::OkStatus();
}

absl::Status AtomicFile::Rename(const std::string& target) {
  TENFOLD_RETURN_IF_ERROR(Sync());
  for (int i = 0; temporary_.empty(); ++i) {
    std::string name = TemporaryName(target);
    const std::string unnamed = DescriptorPath(fd_);
    if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
      temporary_ = std::move(name);
    else if (errno != EEXIST || i == kAttempts)
      return Failed(errno);
  }
  if (::close(std::exchange(fd_, -1)) != 0) return Failed(errno);
  if (::rename(temporary_.c_str(), target.c_str()) != 0) return Failed(errno);
  temporary_.clear();
  SyncFolder(FolderOf(target));
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() { return Rename(path_); }

absl::Status AtomicFile::CommitAs(absl::string_view name) { return Rename(PathOf(name)); }

absl::StatusOr<bool> AtomicFile::Equals(absl::string_view name) const {
  const std::string path = PathOf(name);
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> other, FileSource::Open(path));
  if (other->remaining() != size_) return false;
  constexpr uint64_t kPiece = uint64_t{1} << 18;
  std::vector<char> theirs(kPiece), ours(kPiece);
  for (uint64_t at = 0; at < size_;) {
    const size_t n = std::min(kPiece, size_ - at);
    TENFOLD_RETURN_IF_ERROR(other->Read({theirs.data(), n}));
    for (size_t have = 0; have < n;) {
      const ssize_t got = ::pread(fd_, ours.data() + have, n - have, static_cast<off_t>(at + have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Failed(got < 0 ? errno : EIO);
      have += static_cast<size_t>(got);
    }
    if (!std::equal(ours.begin(), ours.begin() + static_cast<int64_t>(n), theirs.begin())) return false;
    at += n;
  }
  return true;
}

absl::Status WriteFileAtomically(absl::string_view path, absl::string_view bytes) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  TENFOLD_RETURN_IF_ERROR(file->Write(bytes));
  return file->Commit();
}

}  // namespace tenfold
