// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npz.h"

#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/byte_source.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/foreign_file.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/zip_archive.h"

namespace tenfold {
namespace {

struct CloseMember {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using OpenMember = std::unique_ptr<zip_file_t, CloseMember>;

struct FreeSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Source = std::unique_ptr<zip_source_t, FreeSource>;

std::string ErrorText(zip_error_t* error) {
  std::string text = zip_error_strerror(error);
  zip_error_fini(error);
  return Printable(text);
}

constexpr char kSaveAgain[] = "write it with NumPy: numpy.savez(\"x.npz\", w=array)";

absl::Status BadArchive(absl::string_view file, absl::string_view why, Mend help = kSaveAgain) {
  return MakeError("E0310", absl::StrCat("'", Printable(file), "' is no readable .npz archive: ", why),
                   std::move(help));
}

absl::Status BadMember(const ArrayName& name, absl::string_view why) {
  return MakeError("E0310", absl::StrCat(name.ToString(), " cannot be unpacked: ", why),
                   "write the archive again with numpy.savez or numpy.savez_compressed");
}

// libzip takes an empty file for an archive of nothing, which hides that something went wrong.
absl::Status RefuseEmpty(absl::string_view file, uint64_t size) {
  if (size > 0) return absl::OkStatus();
  return BadArchive(file, "it has 0 bytes",
                    "the file was cut off while it was written or copied: write or copy it again");
}

// One member, unpacked while it is read.
class MemberSource : public ByteSource {
 public:
  MemberSource(OpenMember file, ArrayName name, uint64_t size)
      : file_(std::move(file)), name_(std::move(name)), remaining_(size) {}

  uint64_t remaining() const override { return remaining_; }

  absl::Status Read(std::span<char> out) override {
    while (!out.empty()) {
      const zip_int64_t n = zip_fread(file_.get(), out.data(), out.size());
      if (n < 0) return BadMember(name_, Printable(zip_file_strerror(file_.get())));
      if (n == 0) return BadMember(name_, "it ends before the size that the archive states");
      out = out.subspan(static_cast<size_t>(n));
      remaining_ -= static_cast<uint64_t>(n);
    }
    return absl::OkStatus();
  }

  // libzip compares the checksum when it meets the end.
  absl::Status Finish() override {
    char beyond;
    const zip_int64_t n = zip_fread(file_.get(), &beyond, 1);
    if (n < 0) return BadMember(name_, Printable(zip_file_strerror(file_.get())));
    if (n > 0) return BadMember(name_, "it goes on beyond the size that the archive states");
    return absl::OkStatus();
  }

 private:
  const OpenMember file_;
  const ArrayName name_;
  uint64_t remaining_;
};

struct Member {
  std::string name;  // without ".npy"
  zip_uint64_t index = 0;
  uint64_t size = 0;
};

// An archive and its arrays, none read yet.
struct Contents {
  Archive archive;
  std::vector<Member> members;
};

// What an archive may hold is decided from its directory, before anything is inflated.
absl::Status CheckInflation(absl::string_view file, uint64_t archive_bytes, uint64_t inflated,
                            const Limits& limits) {
  const uint64_t ratio = std::max<int64_t>(limits.inflate_ratio, 1);
  if (inflated / ratio <= archive_bytes) return absl::OkStatus();
  return MakeError(
      "E0402",
      absl::StrCat("'", Printable(file), "' has ", archive_bytes, " bytes, which would inflate to ", inflated,
                   ", more than the limit inflate_ratio = ", ratio, " allows"),
      RaiseLimitHelp("inflate_ratio", static_cast<int64_t>(std::min<uint64_t>(
                                          inflated / std::max<uint64_t>(archive_bytes, 1) + 1, INT64_MAX))));
}

absl::StatusOr<Member> ReadDirectoryEntry(zip_t* archive, zip_uint64_t index, absl::string_view file) {
  zip_stat_t info;
  if (zip_stat_index(archive, index, 0, &info) != 0)
    return BadArchive(file, Printable(zip_strerror(archive)));
  constexpr zip_uint64_t kNeeded =
      ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if ((info.valid & kNeeded) != kNeeded) return BadArchive(file, "its directory is incomplete");
  Member member{std::string(absl::StripSuffix(info.name, kNpyEnding)), index, info.size};
  const ArrayName name{std::string(file), member.name};
  if (info.encryption_method != ZIP_EM_NONE) return BadMember(name, "it is encrypted");
  if (info.comp_method != ZIP_CM_STORE && info.comp_method != ZIP_CM_DEFLATE)
    return BadMember(name, absl::StrCat("its compression method is ", info.comp_method,
                                        "; stored (0) and deflated (8) are known"));
  return member;
}

absl::StatusOr<Contents> ReadDirectory(Archive archive, absl::string_view file, uint64_t archive_bytes,
                                       const Limits& limits) {
  Contents contents;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  absl::flat_hash_set<std::string> names;
  uint64_t inflated = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    TENFOLD_ASSIGN_OR_RETURN(Member member,
                             ReadDirectoryEntry(archive.get(), static_cast<zip_uint64_t>(i), file));
    if (absl::EndsWith(member.name, "/") && member.size == 0) continue;  // a folder, which holds nothing
    if (!names.insert(member.name).second) {
      return MakeError(
          "E0312",
          absl::StrCat("'", Printable(file), "' has two arrays of the name '", Printable(member.name), "'"),
          absl::StrCat("to keep the last of each name: python3 -c 'import sys, numpy as np; "
                       "np.savez(sys.argv[2], **dict(np.load(sys.argv[1])))' ",
                       ShellQuote(file), " ",
                       ShellQuote(absl::StrCat(absl::StripSuffix(file, ".npz"), ".last.npz"))));
    }
    // Sizes are what the file claims; their sum must not wrap.
    inflated = member.size > UINT64_MAX - inflated ? UINT64_MAX : inflated + member.size;
    contents.members.push_back(std::move(member));
  }
  TENFOLD_RETURN_IF_ERROR(CheckInflation(file, archive_bytes, inflated, limits));
  contents.archive = std::move(archive);
  return contents;
}

absl::StatusOr<Tensor> ReadMember(const Contents& contents, const Member& member, const ArrayName& name,
                                  const Limits& limits, TextAs* text_as = nullptr) {
  OpenMember open(zip_fopen_index(contents.archive.get(), member.index, 0));
  if (open == nullptr) return BadMember(name, Printable(zip_strerror(contents.archive.get())));
  MemberSource source(std::move(open), name, member.size);
  return ReadNpyFrom(source, name, limits, text_as);
}

absl::StatusOr<NamedTensors> ReadAll(const Contents& contents, absl::string_view file, const Limits& limits) {
  NamedTensors tensors;
  for (const Member& member : contents.members) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor,
                             ReadMember(contents, member, {std::string(file), member.name}, limits));
    tensors.emplace_back(member.name, std::move(tensor));
  }
  return tensors;
}

// Its first bytes; none if it cannot be read.
std::string StartOf(absl::string_view path) {
  const absl::StatusOr<std::unique_ptr<FileSource>> file = FileSource::Open(path);
  if (!file.ok()) return "";
  std::string start(std::min<uint64_t>((*file)->remaining(), kForeignStart), '\0');
  return (*file)->Read({start.data(), start.size()}).ok() ? start : "";
}

absl::StatusOr<Contents> OpenFileArchive(absl::string_view path, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> file, FileSource::Open(path));
  const uint64_t size = file->remaining();
  TENFOLD_RETURN_IF_ERROR(RefuseEmpty(path, size));
  const int fd = file->ReleaseDescriptor();
  int code = 0;
  // On success it owns the descriptor.
  Archive archive(zip_fdopen(fd, ZIP_CHECKCONS, &code));
  // A name that occurs twice is inconsistent, too; without the check it is found, and named, below.
  if (archive == nullptr && code == ZIP_ER_EXISTS) archive.reset(zip_fdopen(fd, 0, &code));
  if (archive == nullptr) {
    ::close(fd);
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string why = ErrorText(&error);
    const std::string mend = MendForeignFile(path, StartOf(path), ".npz");
    return mend.empty() ? BadArchive(path, why) : BadArchive(path, why, mend);
  }
  return ReadDirectory(std::move(archive), path, size, limits);
}

}  // namespace

struct NpzFile::Impl {
  Contents contents;
  Limits limits;
};

NpzFile::NpzFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  for (const Member& member : impl_->contents.members) names_.push_back(member.name);
}
NpzFile::~NpzFile() = default;

absl::StatusOr<std::unique_ptr<NpzFile>> NpzFile::Open(absl::string_view path, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(Contents contents, OpenFileArchive(path, limits));
  auto impl = std::make_unique<Impl>(Impl{std::move(contents), limits});
  return std::unique_ptr<NpzFile>(new NpzFile(std::move(impl)));
}

absl::Status NpzFile::CheckStorage(const ArrayName& name, Storage storage) {
  if (storage != Storage::kMmap && storage != Storage::kBorrow) return absl::OkStatus();
  return CannotStay(name, storage, "an .npz archive is unpacked while it is read");
}

absl::StatusOr<Tensor> NpzFile::Load(size_t i, const ArrayName& name, TextAs* text_as) const {
  return ReadMember(impl_->contents, impl_->contents.members[i], name, impl_->limits, text_as);
}

absl::StatusOr<NamedTensors> LoadNpz(absl::string_view path, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents contents, OpenFileArchive(path, limits));
  return ReadAll(contents, path, limits);
}

absl::StatusOr<NamedTensors> ReadNpz(absl::string_view bytes, absl::string_view file_name,
                                     const Limits& limits) {
  TENFOLD_RETURN_IF_ERROR(RefuseEmpty(file_name, bytes.size()));
  zip_error_t error;
  zip_error_init(&error);
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error));
  if (source == nullptr) return BadArchive(file_name, ErrorText(&error));
  Archive archive(zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (archive == nullptr && zip_error_code_zip(&error) == ZIP_ER_EXISTS) {
    archive.reset(zip_open_from_source(source.get(), ZIP_RDONLY, &error));
  }
  if (archive == nullptr) return BadArchive(file_name, ErrorText(&error));
  source.release();  // owned by the archive
  zip_error_fini(&error);
  TENFOLD_ASSIGN_OR_RETURN(const Contents contents,
                           ReadDirectory(std::move(archive), file_name, bytes.size(), limits));
  return ReadAll(contents, file_name, limits);
}

absl::StatusOr<Tensor> LoadNpzMember(absl::string_view path, absl::string_view name, const Limits& limits) {
  return LoadNpzMember({std::string(path), std::string(name)}, {.limits = limits});
}

absl::StatusOr<Tensor> LoadNpzMember(const ArrayName& name, const ReadOptions& options, TextAs* text_as) {
  TENFOLD_RETURN_IF_ERROR(NpzFile::CheckStorage(name, options.storage));
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<NpzFile> file, NpzFile::Open(name.file, options.limits));
  const std::vector<std::string>& names = file->names();
  const auto found = std::find(names.begin(), names.end(), name.member);
  if (found != names.end()) return file->Load(found - names.begin(), name, text_as);
  return NoSuchArray(name, names);
}

}  // namespace tenfold
