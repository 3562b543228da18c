// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/array_resolver.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/serialization/crc32c.h"

namespace tenfold {

namespace {

// Shared by the copies of a resolver, which may be called from several threads.
class FolderFiles {
 public:
  FolderFiles(std::string folder, FolderResolverOptions options)
      : folder_(std::move(folder)), options_(std::move(options)) {}

  absl::StatusOr<IngestedArray> Load(const ArrayRequest& request) {
    const absl::StatusOr<std::string> found = ResolveFileBeneath(folder_, request.file);
    if (!found.ok() && request.checksum)
      return WithNote(found.status(),
                      "the graph's large constants are in that file, which belongs beside it");
    if (!found.ok()) return WithMember(found.status(), request.member);
    const std::string& path = *found;
    ArrayName name{path, std::string(request.member)};
    name.reference = std::string(request.file);
    IngestOptions ingest = {.limits = options_.limits};
    if (options_.policy && !request.value.empty()) {
      name.argument = std::string(request.value);
      ingest.dtype = request.dtype;
      ingest.policy = options_.policy(request.value);
    }
    const bool shared = !request.member.empty() && IsSafetensors(path);
    if (!shared && request.checksum) return NotTheFile(request, "it is no .safetensors file");
    if (!shared || ingest.policy.storage != Storage::kAuto) return IngestFile(name, ingest);
    TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const SafetensorsFile> file, Open(path));
    if (request.checksum) TENFOLD_RETURN_IF_ERROR(CheckIdentity(request, path, *file));
    TENFOLD_ASSIGN_OR_RETURN(const Tensor array, file->Load(request.member, request.file));
    return Ingest(array, name, ingest);
  }

 private:
  // A mend that names another file means the same array of it.
  static absl::Status WithMember(const absl::Status& error, absl::string_view member) {
    if (member.empty()) return error;
    std::vector<Diagnostic> diagnostics = DiagnosticsOf(error);
    for (Mend& mend : diagnostics[0].help) {
      for (Edit& edit : mend.edits) {
        if (auto* replace = std::get_if<ReplacePart>(&edit)) absl::StrAppend(&replace->text, ":", member);
      }
    }
    return ToStatus(std::move(diagnostics));
  }

  // Of thousands of constants in one file, each would read the header again.
  absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Open(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = open_.find(path); found != open_.end()) return found->second;
    TENFOLD_ASSIGN_OR_RETURN(std::shared_ptr<const SafetensorsFile> file,
                             SafetensorsFile::Open(path, {.limits = options_.limits}));
    open_[path] = file;
    return file;
  }

  static absl::Status NotTheFile(const ArrayRequest& request, absl::string_view why) {
    return MakeError("E0530",
                     absl::StrCat("'", Printable(request.file),
                                  "' is not the file that the graph's constants were saved in: ", why),
                     "copy the graph's two files again, together, or save the graph again");
  }

  absl::Status CheckIdentity(const ArrayRequest& request, const std::string& path,
                             const SafetensorsFile& file) {
    const std::string wanted = ChecksumText(*request.checksum);
    const auto stated = file.metadata().find(std::string(kChecksumKey));
    if (stated == file.metadata().end()) return NotTheFile(request, "it states no checksum");
    if (stated->second != wanted) {
      return NotTheFile(
          request, absl::StrCat("its checksum is ", Printable(stated->second), ", the graph names ", wanted));
    }
    if (!options_.check_contents) return absl::OkStatus();
    const std::lock_guard<std::mutex> lock(mutex_);
    auto [found, is_new] = contents_.try_emplace(path, 0);
    if (is_new) {
      uint32_t crc = 0;
      TENFOLD_RETURN_IF_ERROR(file.ReadData([&](absl::string_view piece) {
        crc = Crc32c(piece, crc);
        return absl::OkStatus();
      }));
      found->second = crc;
    }
    if (found->second == *request.checksum) return absl::OkStatus();
    return NotTheFile(request, absl::StrCat("the checksum of its contents is ", ChecksumText(found->second),
                                            ", the graph names ", wanted));
  }

  const std::string folder_;
  const FolderResolverOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const SafetensorsFile>> open_;
  std::map<std::string, uint32_t> contents_;  // checksums of what was read
};

}  // namespace

ArrayResolver FolderResolver(std::string folder, const FolderResolverOptions& options) {
  auto files = std::make_shared<FolderFiles>(std::move(folder), options);
  return [files](const ArrayRequest& request) { return files->Load(request); };
}

std::string ChecksumText(uint32_t checksum) { return absl::StrCat(absl::Hex(checksum, absl::kZeroPad8)); }

absl::StatusOr<IngestedArray> ResolveArray(const ArrayResolver& resolver, const ArrayRequest& request,
                                           const TensorType* type) {
  const absl::string_view file = request.file;
  const absl::string_view member = request.member;
  const std::vector<absl::string_view> parts = absl::StrSplit(file, '/');
  if (parts.front().empty() || absl::c_linear_search(parts, "..")) {
    return MakeError(
        "E0525", absl::StrCat("the array ", ReferenceName(file, member), " lies outside the graph's folder"),
        "name a file beneath it, such as @\"data/weights.npz:w1\"");
  }
  if (!resolver) {
    return MakeError("E0524", absl::StrCat("the graph refers to the array ", ReferenceName(file, member),
                                           ", but is read where no files can be opened"));
  }
  TENFOLD_ASSIGN_OR_RETURN(IngestedArray array, resolver(request));
  if (type != nullptr) TENFOLD_RETURN_IF_ERROR(CheckArrayType(request, array.tensor.type(), *type));
  return array;
}

absl::Status CheckArrayType(const ArrayRequest& request, const TensorType& found, const TensorType& written,
                            Mend mend) {
  if (found == written) return absl::OkStatus();
  return MakeError("E0504",
                   absl::StrCat("the array ", ReferenceName(request.file, request.member), " is ",
                                found.ToString(), ", but the graph says ", written.ToString()),
                   std::move(mend));
}

}  // namespace tenfold
