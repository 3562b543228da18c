// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/tnf.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/atomic_file.h"
#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/foreign_file.h"
#include "tenfold/graph/serialization/constants_file.h"
#include "tenfold/graph/serialization/crc32c.h"
#include "tenfold/graph/serialization/decode.h"
#include "tenfold/graph/serialization/encode.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {
namespace {

// The first byte is no text in any encoding, so that no text file is taken for a graph.
constexpr absl::string_view kMagic = "\x93TENFOLD";
constexpr uint32_t kVersion = 1;

// All integers are little-endian.
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t checksum;        // CRC-32C of everything behind the header
  uint64_t structure_size;  // of the protobuf message behind the header
  uint64_t data_size;       // of the data section, which begins at the next multiple of 64 of the file
};
static_assert(sizeof(Header) == 32 && std::has_unique_object_representations_v<Header>);

uint64_t DataBegin(uint64_t structure_size) {
  return (sizeof(Header) + structure_size + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
}

absl::Status Damaged(absl::string_view what) {
  return MakeError("E0502", absl::StrCat("the .tnf file ", what), "write it again from its source");
}

// Checks everything around the structure.
absl::StatusOr<Header> ReadHeader(absl::string_view bytes, const Limits& limits) {
  if (!absl::StartsWith(bytes, kMagic)) {
    return MakeError("E0502", "these bytes are no .tnf graph: they do not begin as one");
  }
  Header header;
  if (bytes.size() < sizeof(header)) return Damaged("is cut off in its header");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kVersion) {
    return MakeError(
        "E0503",
        absl::StrCat("the file is in version ", header.version, " of the format; this Tenfold reads version ",
                     kVersion),
        header.version > kVersion ? "read it with the Tenfold that wrote it, or a later one" : "");
  }
  if (header.structure_size > static_cast<uint64_t>(limits.graph_bytes)) {
    return MakeError("E0402",
                     absl::StrCat("the structure of the graph has ", header.structure_size,
                                  " bytes; the limit is ", limits.graph_bytes),
                     RaiseLimitHelp("graph_bytes", static_cast<int64_t>(std::min<uint64_t>(
                                                       header.structure_size, INT64_MAX))));
  }
  // No sum here can wrap: the structure is bounded, and the file's size bounds the rest.
  const uint64_t begin = DataBegin(header.structure_size);
  const uint64_t expected =
      header.data_size == 0 ? sizeof(header) + header.structure_size : begin + header.data_size;
  if (expected < header.data_size || bytes.size() < expected) {
    return Damaged(absl::StrCat("is cut off: it has ", bytes.size(), " bytes of ", expected));
  }
  if (bytes.size() > expected) return Damaged(absl::StrCat("goes on behind its end at byte ", expected));
  if (Crc32c(bytes.substr(sizeof(header))) != header.checksum) {
    return Damaged("has been changed since it was written: its checksum differs");
  }
  return header;
}

absl::StatusOr<Graph> Parse(absl::string_view bytes, std::shared_ptr<const void> owner,
                            const LoadOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const Header header, ReadHeader(bytes, options.limits));
  v1::Graph encoded;
  TENFOLD_RETURN_IF_ERROR(RefuseIfOutOfMemory("read a graph", "", [&] {
    const bool parsed =
        header.structure_size <= std::numeric_limits<int>::max() &&
        encoded.ParseFromArray(bytes.data() + sizeof(header), static_cast<int>(header.structure_size));
    return parsed ? absl::OkStatus() : Damaged("has a structure that is no message of graph.proto");
  }));
  DecodeContext context = {.options = options, .data = {}, .owner = std::move(owner)};
  if (header.data_size > 0) context.data = bytes.substr(DataBegin(header.structure_size));
  return DecodeGraph(encoded, context);
}

}  // namespace

namespace {

// Hands over everything behind the header, and returns the header.
absl::StatusOr<Header> WriteBody(const v1::Graph& encoded, const DataSection& data, ByteSink sink) {
  const size_t structure_size = encoded.ByteSizeLong();
  if (structure_size > std::numeric_limits<int>::max()) {
    return MakeError("E0402", absl::StrCat("the structure of the graph would have ", structure_size,
                                           " bytes; protobuf holds at most 2147483647"));
  }
  Header header = {.magic = {},
                   .version = kVersion,
                   .checksum = 0,
                   .structure_size = structure_size,
                   .data_size = data.size};
  std::memcpy(header.magic, kMagic.data(), sizeof(header.magic));
  uint64_t position = sizeof(header);
  const auto write = [&](absl::string_view bytes) {
    header.checksum = Crc32c(bytes, header.checksum);
    position += bytes.size();
    return sink(bytes);
  };
  std::string structure;
  if (!encoded.SerializeToString(&structure)) return MakeError("E9001", "protobuf could not write the graph");
  TENFOLD_RETURN_IF_ERROR(write(structure));
  const std::string zeros(kDataAlignment, '\0');
  for (const Tensor& tensor : data.tensors) {
    const uint64_t padding = (kDataAlignment - position % kDataAlignment) % kDataAlignment;
    TENFOLD_RETURN_IF_ERROR(write(absl::string_view(zeros).substr(0, padding)));
    TENFOLD_RETURN_IF_ERROR(WriteStoredElements(tensor, write));
  }
  return header;
}

absl::string_view BytesOf(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

absl::Status WriteTnf(const v1::Graph& encoded, const DataSection& data, AtomicFile& file) {
  // The header holds the checksum of what follows.
  TENFOLD_RETURN_IF_ERROR(file.Write(BytesOf(Header())));
  TENFOLD_ASSIGN_OR_RETURN(const Header header, WriteBody(encoded, data, [&](absl::string_view bytes) {
                             return file.Write(bytes);
                           }));
  TENFOLD_RETURN_IF_ERROR(file.Overwrite(0, BytesOf(header)));
  return file.Commit();
}

// Both files; `encoded` is to be completed with the name of the second.
absl::Status SavePair(v1::Graph& encoded, DataSection& data, const std::string& path) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> tnf, AtomicFile::Create(path));
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ConstantsFile> constants,
                           ConstantsFile::Write(data.external, path));
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> lock, FolderLock::Take(FolderOf(path)));
  TENFOLD_ASSIGN_OR_RETURN(const std::string name, constants->ChooseName());
  for (v1::ExternalArray* reference : data.references) {
    reference->set_file(name);
    reference->set_checksum(constants->checksum());
  }
  const std::string beside = absl::StrCat(FolderOf(path), "/", name);
  const bool was_there = ::access(beside.c_str(), F_OK) == 0;
  TENFOLD_RETURN_IF_ERROR(constants->Publish(name));
  const absl::Status status = WriteTnf(encoded, data, *tnf);
  if (status.ok())
    RemoveOtherConstantsFiles(path, name);
  else if (!was_there)
    ::unlink(beside.c_str());  // nobody names it
  return status;
}

}  // namespace

absl::StatusOr<std::string> SerializeGraph(const Graph& graph) {
  v1::Graph encoded;
  DataSection data;
  TENFOLD_RETURN_IF_ERROR(EncodeGraph(graph, &encoded, &data));
  std::string bytes(sizeof(Header), '\0');
  TENFOLD_ASSIGN_OR_RETURN(const Header header, WriteBody(encoded, data, [&](absl::string_view piece) {
                             return AppendOrRefuse(bytes, piece);
                           }));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

absl::StatusOr<Graph> ParseGraph(absl::string_view bytes, const LoadOptions& options) {
  return Parse(bytes, nullptr, options);
}

absl::Status SaveGraph(const Graph& graph, absl::string_view path_view, const SaveOptions& options) {
  const std::string path(path_view);
  v1::Graph encoded;
  DataSection data;
  data.external_bytes = options.external_bytes;
  TENFOLD_RETURN_IF_ERROR(EncodeGraph(graph, &encoded, &data));
  if (!data.external.empty()) return SavePair(encoded, data, path);
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> lock, FolderLock::Take(FolderOf(path)));
  TENFOLD_RETURN_IF_ERROR(WriteTnf(encoded, data, *file));
  RemoveOtherConstantsFiles(path, "");
  return absl::OkStatus();
}

namespace {

LoadOptions WithResolver(LoadOptions options, absl::string_view path) {
  if (!options.resolve) {
    options.resolve =
        FolderResolver(FolderOf(path), {options.limits, options.check_contents, options.policy});
  }
  return options;
}

TextOptions TextOptionsFor(absl::string_view path, const LoadOptions& options) {
  return {.file = std::string(path),
          .registry = options.registry,
          .resolve = options.resolve,
          .require_header = true,
          .limits = options.limits};
}

}  // namespace

absl::StatusOr<Graph> LoadGraph(absl::string_view path, const LoadOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(std::unique_ptr<FileSource> file, FileSource::Open(path));
  // A Tensor's memory, since constants stay in it and kernels read them at 64-byte alignment.
  const int64_t size = static_cast<int64_t>(file->remaining());
  if (size > options.limits.file_bytes) {
    return MakeError(
        "E0402", absl::StrCat("'", path, "' has ", size, " bytes; the limit is ", options.limits.file_bytes),
        RaiseLimitHelp("file_bytes", size));
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor memory, Tensor::Allocate(DType::kU8, Dims{size}));
  TENFOLD_RETURN_IF_ERROR(file->Read({static_cast<char*>(memory.mutable_data()), static_cast<size_t>(size)}));
  const absl::string_view bytes(static_cast<const char*>(memory.data()), static_cast<size_t>(size));

  const LoadOptions complete = WithResolver(options, path);
  if (absl::StartsWith(bytes, kMagic)) {
    absl::StatusOr<Graph> graph = Parse(bytes, std::make_shared<Tensor>(memory), complete);
    if (!graph.ok()) return WithLocation(graph.status(), path);
    return graph;
  }
  if (bytes.find('\0') != absl::string_view::npos) {
    return WithLocation(MakeError("E0502", "the file is neither a .tnf graph nor text",
                                  MendForeignFile(path, bytes.substr(0, kForeignStart), ".tnf")),
                        path);
  }
  absl::StatusOr<Graph> graph = ParseText(bytes, TextOptionsFor(path, complete));
  if (graph.ok()) return graph;
  const std::string mend = MendForeignFile(path, bytes.substr(0, kForeignStart), ".tnf");
  if (mend.empty()) return graph;
  return WithLocation(MakeError("E0502", "the file is neither a .tnf graph nor a text graph", mend), path);
}

std::optional<TextGraph> ReadTextGraph(absl::string_view path, const LoadOptions& options) {
  absl::StatusOr<std::string> text = ReadFile(path, options.limits.text_bytes);
  if (!text.ok() || text->find('\0') != std::string::npos) return std::nullopt;
  return TextGraph{*std::move(text), TextOptionsFor(path, WithResolver(options, path))};
}

}  // namespace tenfold
