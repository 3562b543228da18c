// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/file_errors.h"

namespace tenfold {
namespace {

// Names in `folder`, for "did you mean"; as many as are worth comparing.
std::vector<std::string> NamesIn(const std::string& folder) {
  constexpr size_t kMostNames = 1000;
  std::vector<std::string> names;
  DIR* const handle = opendir(folder.c_str());
  if (handle == nullptr) return names;
  while (const dirent* entry = readdir(handle)) {
    const absl::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    names.emplace_back(name);
    if (names.size() == kMostNames) break;
  }
  closedir(handle);
  std::sort(names.begin(), names.end());  // the order of a folder is no order
  return names;
}

// `path` is missing; a graph refers to it as `relative`, which is empty if none does.
absl::Status NotFound(const std::string& path, absl::string_view relative = "") {
  const size_t slash = path.rfind('/');
  const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string near = NearestName(base, NamesIn(FolderOf(path)));
  const std::string named(relative.empty() ? path : relative);
  const std::string meant = absl::StrCat(named.substr(0, named.rfind('/') + 1), near);
  Mend mend;
  if (!near.empty()) mend.text = absl::StrCat("did you mean ", Quoted(meant), "?");
  if (!near.empty() && !relative.empty() && IsSlip(base, near))
    mend.edits = {ReplacePart{ReplacePart::kReference, 0, meant}};
  return MakeError("E0521", absl::StrCat("there is no file ", Quoted(path)), mend);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Open(absl::string_view path_view) {
  std::string path(path_view);
  if (absl::StrContains(path_view, absl::string_view("\0", 1)))
    return CannotRead(path, "its name has a zero byte");
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno == ENOENT ? NotFound(path) : CannotRead(path, Why(errno));
  struct stat info = {};
  const bool has_info = ::fstat(fd, &info) == 0;
  if (!has_info || !S_ISREG(info.st_mode)) {
    const std::string why = has_info ? std::string(KindOf(info.st_mode)) : Why(errno);
    ::close(fd);
    return CannotRead(path, why);
  }
  std::unique_ptr<FileSource> source(
      new (std::nothrow) FileSource(fd, std::move(path), static_cast<uint64_t>(info.st_size)));
  if (source != nullptr) return source;
  ::close(fd);
  return MakeError("E0402", "no memory to read a file");
}

FileSource::~FileSource() {
  if (fd_ >= 0) ::close(fd_);
}

int FileSource::ReleaseDescriptor() { return std::exchange(fd_, -1); }

absl::Status FileSource::Read(std::span<char> out) {
  while (!out.empty()) {
    const ssize_t n = ::read(fd_, out.data(), out.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotRead(path_, Why(errno));
    if (n == 0) return CannotRead(path_, "it became shorter while it was read");
    out = out.subspan(static_cast<size_t>(n));
    remaining_ -= static_cast<uint64_t>(n);
  }
  return absl::OkStatus();
}

absl::Status FileSource::ReadAt(uint64_t offset, std::span<char> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotRead(path_, Why(errno));
    if (n == 0) return CannotRead(path_, "it became shorter while it was read");
    out = out.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(absl::string_view path, uint64_t max_bytes) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> file, FileSource::Open(path));
  if (file->remaining() > max_bytes) {
    return MakeError(
        "E0402", absl::StrCat(Quoted(path), " has ", file->remaining(), " bytes; the limit is ", max_bytes));
  }
  return RefuseIfOutOfMemory("read", path, [&]() -> absl::StatusOr<std::string> {
    std::string bytes(file->remaining(), '\0');
    TENFOLD_RETURN_IF_ERROR(file->Read({bytes.data(), bytes.size()}));
    return bytes;
  });
}

absl::StatusOr<std::string> ResolveFileBeneath(absl::string_view folder, absl::string_view relative) {
  if (relative.empty() || absl::StrContains(relative, absl::string_view("\0", 1)))
    return MakeError("E0524", absl::StrCat(Quoted(relative), " is no path of a file"));
  const auto refuse = [&](absl::string_view why) {
    return MakeError("E0525", absl::StrCat("the reference ", Quoted(relative), " ", why),
                     absl::StrCat("put the file into ", Quoted(folder), " or a folder in it"));
  };
  if (relative[0] == '/') return refuse("is an absolute path; references are relative to the model's folder");
  for (absl::string_view part : absl::StrSplit(relative, '/')) {
    if (part == "..") return refuse("has '..' in it; references stay beneath the model's folder");
  }
  const std::string root = RealPath(folder.empty() ? "." : std::string(folder));
  if (root.empty()) return CannotRead(std::string(folder), Why(errno));
  const std::string joined = absl::StrCat(folder.empty() ? "." : folder, "/", relative);
  const std::string real = RealPath(joined);
  if (real.empty()) return errno == ENOENT ? NotFound(joined, relative) : CannotRead(joined, Why(errno));
  const bool inside = absl::StartsWith(real, root == "/" ? root : root + "/");
  if (!inside) return refuse("leads out of the model's folder by a symbolic link");
  struct stat info = {};
  if (::stat(real.c_str(), &info) != 0) return CannotRead(joined, Why(errno));
  if (!S_ISREG(info.st_mode)) return CannotRead(joined, KindOf(info.st_mode));
  return real;
}

}  // namespace tenfold
