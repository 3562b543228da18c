// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/model_file.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/mapped_file.h"
#include "tenfold/graph/ingest/storage.h"
#include "tenfold/graph/tensor.h"

namespace tenfold::onnx {

absl::StatusOr<FileBytes> OpenBytes(absl::string_view path, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> file, FileSource::Open(path));
  const int64_t size = static_cast<int64_t>(file->remaining());
  if (size > limits.file_bytes) {
    return MakeError("E0402",
                     absl::StrCat(Quoted(path), " has ", size, " bytes; the limit is ", limits.file_bytes),
                     RaiseLimitHelp("file_bytes", size));
  }
  if (static_cast<uint64_t>(size) >= kMapThreshold) {
    TENFOLD_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> mapped, MappedFile::Map(*file, path));
    const absl::string_view bytes = mapped->bytes();
    return FileBytes{bytes, std::move(mapped)};
  }
  // A Tensor's memory, since constants stay in it.
  TENFOLD_ASSIGN_OR_RETURN(Tensor memory, Tensor::Allocate(DType::kU8, Dims{size}));
  TENFOLD_RETURN_IF_ERROR(file->Read({static_cast<char*>(memory.mutable_data()), static_cast<size_t>(size)}));
  return FileBytes{{static_cast<const char*>(memory.data()), static_cast<size_t>(size)}, memory.owner()};
}

absl::StatusOr<FileBytes> ExternalFiles::Find(const Range& range) {
  if (folder_.empty()) {
    return MakeError("E0902",
                     absl::StrCat("the file ", Quoted(range.location),
                                  " is named, but the model is read where no files can be opened"),
                     "import the model by its path, or name its folder: OnnxOptions::folder");
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::string path, ResolveFileBeneath(folder_, range.location));
  auto found = open_.find(path);
  if (found == open_.end()) {
    TENFOLD_ASSIGN_OR_RETURN(FileBytes opened, OpenBytes(path, limits_));
    found = open_.emplace(path, std::move(opened)).first;
  }
  const FileBytes& file = found->second;
  const uint64_t rest = range.offset <= file.bytes.size() ? file.bytes.size() - range.offset : 0;
  const uint64_t size = range.size.value_or(rest);
  if (range.offset > file.bytes.size() || size > rest) {
    return MakeError("E0902",
                     absl::StrCat("the file ", Quoted(range.location), " has ", file.bytes.size(),
                                  " bytes, but ", size, " from byte ", range.offset, " on are named"),
                     "the file is cut off, or of another model: download or copy the two again, together");
  }
  return FileBytes{file.bytes.substr(range.offset, size), file.owner};
}

absl::Status ParseMessage(absl::string_view file, MessageKind kind, const Limits& limits,
                          google::protobuf::MessageLite& message) {
  TENFOLD_ASSIGN_OR_RETURN(const std::string structure, DetachData(file, kind, limits));
  return RefuseIfOutOfMemory("read a model", "", [&] {
    const bool parsed = structure.size() <= std::numeric_limits<int>::max() &&
                        message.ParseFromArray(structure.data(), static_cast<int>(structure.size()));
    return parsed
               ? absl::OkStatus()
               : MakeError("E0901", "the file is no ONNX model, or damaged: a message in it does not parse",
                           "download or copy it again, whole");
  });
}

}  // namespace tenfold::onnx
