// SPDX-License-Identifier: Apache-2.0
//
// Writes .npz archives. libzip pulls the bytes of each array, and pushes those of the archive, so that
// neither has to lie in memory as a whole.
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/atomic_file.h"
#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/zip_archive.h"

namespace tenfold {
namespace {

absl::Status CannotPack(zip_error_t* error) {
  return MakeError("E0313",
                   absl::StrCat("the archive cannot be written: ", Printable(zip_error_strerror(error))));
}

absl::Status CheckName(const std::string& name, absl::flat_hash_set<std::string>& seen) {
  constexpr size_t kMaxName = 65535 - kNpyEnding.size();
  const bool representable = !name.empty() && name.size() <= kMaxName && name.back() != '/' &&
                             !absl::StrContains(name, absl::string_view("\0", 1)) && IsUtf8(name);
  if (!representable) {
    return MakeError(
        "E0313", absl::StrCat("'", Printable(name), "' cannot be the name of an array in an .npz archive"),
        "names are UTF-8 of 1 to 65531 bytes, without zero bytes and no '/' at the end");
  }
  if (!seen.insert(name).second)
    return MakeError("E0312", absl::StrCat("two arrays have the name '", Printable(name), "'"));
  return absl::OkStatus();
}

// One .npy file, made while libzip reads it.
class MemberBytes {
 public:
  MemberBytes(std::string header, const Tensor& tensor) : header_(std::move(header)), elements_(tensor) {}
  MemberBytes(const MemberBytes&) = delete;
  ~MemberBytes() { zip_error_fini(&error_); }

  static zip_int64_t Callback(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command) {
    return static_cast<MemberBytes*>(self)->Answer(data, size, command);
  }

 private:
  zip_int64_t Answer(void* data, zip_uint64_t size, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_OPEN:
        position_ = 0;
        return 0;
      case ZIP_SOURCE_READ:
        return Read(static_cast<char*>(data), size);
      case ZIP_SOURCE_CLOSE:
      case ZIP_SOURCE_FREE:  // ours to free
        return 0;
      case ZIP_SOURCE_STAT: {
        auto* const info = static_cast<zip_stat_t*>(data);
        zip_stat_init(info);
        info->size = header_.size() + elements_.size();
        info->valid = ZIP_STAT_SIZE;
        return sizeof(*info);
      }
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error_, data, size);
      case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_READABLE;
      default:
        zip_error_set(&error_, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
  }

  zip_int64_t Read(char* out, uint64_t size) {
    const uint64_t left = header_.size() + elements_.size() - position_;
    const uint64_t n = std::min(size, left);
    const uint64_t of_header =
        position_ < header_.size() ? std::min<uint64_t>(n, header_.size() - position_) : 0;
    if (of_header > 0) std::memcpy(out, header_.data() + position_, of_header);
    if (n > of_header)
      elements_.Read(position_ + of_header - header_.size(), {out + of_header, n - of_header});
    position_ += n;
    return static_cast<zip_int64_t>(n);
  }

  const std::string header_;
  ElementReader elements_;
  uint64_t position_ = 0;
  zip_error_t error_ = {};
};

// Takes the archive's bytes, most of them in order; libzip goes back to fill in sizes and checksums.
class ArchiveTarget {
 public:
  using WriteAt = std::function<absl::Status(uint64_t offset, absl::string_view bytes)>;
  explicit ArchiveTarget(WriteAt write) : write_(std::move(write)) {}
  ArchiveTarget(const ArchiveTarget&) = delete;
  ~ArchiveTarget() { zip_error_fini(&error_); }

  static zip_int64_t Callback(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command) {
    return static_cast<ArchiveTarget*>(self)->Answer(data, size, command);
  }
  // What made a write fail.
  const absl::Status& status() const { return status_; }

 private:
  zip_int64_t Answer(void* data, zip_uint64_t size, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_BEGIN_WRITE:
      case ZIP_SOURCE_COMMIT_WRITE:
      case ZIP_SOURCE_ROLLBACK_WRITE:
      case ZIP_SOURCE_FREE:
        return 0;
      case ZIP_SOURCE_WRITE:
        status_ = write_(position_, {static_cast<const char*>(data), size});
        if (!status_.ok()) return Fail(ZIP_ER_WRITE);
        position_ += size;
        end_ = std::max(end_, position_);
        return static_cast<zip_int64_t>(size);
      case ZIP_SOURCE_SEEK_WRITE: {
        const zip_int64_t to = zip_source_seek_compute_offset(position_, end_, data, size, &error_);
        if (to < 0) return -1;
        position_ = static_cast<uint64_t>(to);
        return 0;
      }
      case ZIP_SOURCE_TELL_WRITE:
        return static_cast<zip_int64_t>(position_);
      case ZIP_SOURCE_STAT: {
        // There is nothing yet, so nothing is read.
        zip_error_set(&error_, ZIP_ER_READ, ENOENT);
        return -1;
      }
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error_, data, size);
      case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_WRITABLE;
      default:
        return Fail(ZIP_ER_OPNOTSUPP);
    }
  }
  zip_int64_t Fail(int code) {
    zip_error_set(&error_, code, 0);
    return -1;
  }

  const WriteAt write_;
  uint64_t position_ = 0, end_ = 0;
  absl::Status status_;
  zip_error_t error_ = {};
};

// `bytes` must live until the archive is closed.
absl::Status AddMember(zip_t* archive, const std::string& name, MemberBytes& bytes) {
  zip_source_t* source = zip_source_function(archive, MemberBytes::Callback, &bytes);
  if (source == nullptr) return CannotPack(zip_get_error(archive));
  const std::string member = name + std::string(kNpyEnding);
  const zip_int64_t index = zip_file_add(archive, member.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return CannotPack(zip_get_error(archive));
  }
  // 1980-01-01 00:00, the first that a zip archive can say: the same for ever.
  constexpr zip_uint16_t kTime = 0, kDate = 1 << 5 | 1;
  const auto i = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive, i, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, i, kTime, kDate, 0) != 0) {
    return CannotPack(zip_get_error(archive));
  }
  return absl::OkStatus();
}

absl::Status Pack(const NamedTensors& tensors, ArchiveTarget::WriteAt write) {
  absl::flat_hash_set<std::string> seen;
  std::vector<std::unique_ptr<MemberBytes>> members;
  for (const auto& [name, tensor] : tensors) {
    TENFOLD_RETURN_IF_ERROR(CheckName(name, seen));
    absl::StatusOr<std::string> header = NpyHeaderOf(tensor);
    if (!header.ok()) return WithNote(header.status(), absl::StrCat("the array is '", Printable(name), "'"));
    members.push_back(std::make_unique<MemberBytes>(*std::move(header), tensor));
  }
  // libzip writes nothing at all for an archive without members.
  if (tensors.empty()) return write(0, std::string("PK\x05\x06", 4) + std::string(18, '\0'));

  ArchiveTarget target(std::move(write));
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_function_create(ArchiveTarget::Callback, &target, &error);
  if (source == nullptr) return CannotPack(&error);
  Archive archive(zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error));
  if (archive == nullptr) {
    zip_source_free(source);
    return CannotPack(&error);
  }
  for (size_t i = 0; i < tensors.size(); ++i)
    TENFOLD_RETURN_IF_ERROR(AddMember(archive.get(), tensors[i].first, *members[i]));
  if (zip_close(archive.get()) != 0) {
    return target.status().ok() ? CannotPack(zip_get_error(archive.get())) : target.status();
  }
  archive.release();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> WriteNpz(const NamedTensors& tensors) {
  std::string bytes;
  TENFOLD_RETURN_IF_ERROR(Pack(tensors, [&](uint64_t offset, absl::string_view piece) {
    return RefuseIfOutOfMemory("write", "", [&] {
      bytes.resize(std::max<size_t>(bytes.size(), offset + piece.size()));
      std::copy(piece.begin(), piece.end(), bytes.begin() + static_cast<int64_t>(offset));
      return absl::OkStatus();
    });
  }));
  return bytes;
}

absl::Status SaveNpz(const NamedTensors& tensors, absl::string_view path) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  TENFOLD_RETURN_IF_ERROR(Pack(tensors, [&](uint64_t offset, absl::string_view piece) -> absl::Status {
    const uint64_t over = std::min<uint64_t>(piece.size(), file->size() - offset);
    TENFOLD_RETURN_IF_ERROR(file->Overwrite(offset, piece.substr(0, over)));
    return file->Write(piece.substr(over));
  }));
  return file->Commit();
}

}  // namespace tenfold
