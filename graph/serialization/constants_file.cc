// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/constants_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/ingest/safetensors_writer.h"
#include "tenfold/graph/serialization/crc32c.h"
#include "tenfold/graph/text/array_resolver.h"

namespace tenfold {
namespace {

constexpr absl::string_view kEnding = ".safetensors";

std::string NameOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

SafetensorsWriteOptions Stating(uint32_t checksum) {
  return {.metadata = {{std::string(kChecksumKey), ChecksumText(checksum)}}, .align_all = true};
}

// The checksum in "model.tnf.1a2b3c4d.safetensors" or "model.tnf.1a2b3c4d-2.safetensors"; empty for other
// names.
absl::string_view ChecksumInName(absl::string_view name, absl::string_view base) {
  if (!absl::ConsumePrefix(&name, base) || !absl::ConsumePrefix(&name, ".") ||
      !absl::ConsumeSuffix(&name, kEnding)) {
    return "";
  }
  const absl::string_view checksum = name.substr(0, name.find('-'));
  for (const char c : checksum) {
    if (!absl::ascii_isxdigit(c)) return "";
  }
  return checksum.size() == 8 ? checksum : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::Take(const std::string& folder) {
  constexpr auto kPause = std::chrono::milliseconds(10);
  constexpr int kAttempts = 6000;
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::unique_ptr<FolderLock> lock(new FolderLock(fd));
  for (int i = 0; fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++i) {
    if (errno != EWOULDBLOCK && errno != EINTR) break;  // no locks here
    if (i == kAttempts) return CannotWrite(folder, "another process has been saving into it for a minute");
    std::this_thread::sleep_for(kPause);
  }
  return lock;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

absl::StatusOr<std::unique_ptr<ConstantsFile>> ConstantsFile::Write(const NamedTensors& tensors,
                                                                    const std::string& tnf) {
  std::unique_ptr<ConstantsFile> result(new ConstantsFile);
  result->base_ = NameOf(tnf);
  TENFOLD_ASSIGN_OR_RETURN(result->file_, AtomicFile::CreateBeside(tnf));
  AtomicFile& file = *result->file_;
  // The header states the checksum of what follows it, so it is written twice, in the same length.
  TENFOLD_ASSIGN_OR_RETURN(const SafetensorsLayout layout, LayOutSafetensors(tensors, Stating(0)));
  TENFOLD_RETURN_IF_ERROR(file.Write(layout.header));
  TENFOLD_RETURN_IF_ERROR(WriteSafetensorsData(tensors, layout, [&](absl::string_view piece) {
    result->checksum_ = Crc32c(piece, result->checksum_);
    return file.Write(piece);
  }));
  TENFOLD_ASSIGN_OR_RETURN(const SafetensorsLayout stating,
                           LayOutSafetensors(tensors, Stating(result->checksum_)));
  TENFOLD_RETURN_IF_ERROR(file.Overwrite(0, stating.header));
  TENFOLD_RETURN_IF_ERROR(file.Sync());
  return result;
}

absl::StatusOr<std::string> ConstantsFile::ChooseName() const {
  const std::string stem = absl::StrCat(base_, ".", ChecksumText(checksum_));
  // Of two contents with one checksum, the later must not replace the constants of the graph in place.
  for (int i = 1;; ++i) {
    const std::string name = absl::StrCat(stem, i == 1 ? "" : absl::StrCat("-", i), kEnding);
    struct stat info;
    if (::lstat(file_->PathOf(name).c_str(), &info) != 0 && errno == ENOENT) return name;
    TENFOLD_ASSIGN_OR_RETURN(const bool equal, file_->Equals(name));
    if (equal) return name;
  }
}

void RemoveOtherConstantsFiles(const std::string& tnf, absl::string_view kept) {
  const std::string folder = FolderOf(tnf);
  const std::string base = NameOf(tnf);
  DIR* const handle = ::opendir(folder.c_str());
  if (handle == nullptr) return;
  std::vector<std::string> found;
  while (const dirent* entry = ::readdir(handle)) {
    const absl::string_view name = entry->d_name;
    if (name != kept && !ChecksumInName(name, base).empty()) found.emplace_back(name);
  }
  ::closedir(handle);
  for (const std::string& name : found) {
    // A file that only happens to be called so is not ours.
    const std::string path = absl::StrCat(folder, "/", name);
    const auto file = SafetensorsFile::Open(path, {.storage = Storage::kCopy});
    if (!file.ok()) continue;
    const auto stated = (*file)->metadata().find(std::string(kChecksumKey));
    if (stated != (*file)->metadata().end() && stated->second == ChecksumInName(name, base))
      ::unlink(path.c_str());
  }
}

}  // namespace tenfold
