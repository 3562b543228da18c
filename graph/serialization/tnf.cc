// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/tnf.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"
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

absl::StatusOr<std::string> SerializeGraph(const Graph& graph) {
  v1::Graph encoded;
  DataSection data;
  TENFOLD_RETURN_IF_ERROR(EncodeGraph(graph, &encoded, &data));
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

  std::string bytes(sizeof(header), '\0');
  TENFOLD_RETURN_IF_ERROR(RefuseIfOutOfMemory("write", graph.name, [&] {
    bytes.reserve(DataBegin(structure_size) + data.size);
    return absl::OkStatus();
  }));
  if (!encoded.AppendToString(&bytes)) return MakeError("E9001", "protobuf could not write the graph");
  for (const Tensor& tensor : data.tensors) {
    bytes.resize((bytes.size() + kDataAlignment - 1) / kDataAlignment * kDataAlignment);
    AppendElements(tensor, &bytes);
  }
  header.checksum = Crc32c(absl::string_view(bytes).substr(sizeof(header)));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

absl::StatusOr<Graph> ParseGraph(absl::string_view bytes, const LoadOptions& options) {
  return Parse(bytes, nullptr, options);
}

absl::Status SaveGraph(const Graph& graph, absl::string_view path) {
  TENFOLD_ASSIGN_OR_RETURN(const std::string bytes, SerializeGraph(graph));
  return WriteFileAtomically(path, bytes);
}

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

  LoadOptions complete = options;
  const size_t slash = path.rfind('/');
  if (!complete.resolve) {
    const absl::string_view folder = slash == absl::string_view::npos ? "." : path.substr(0, slash + 1);
    complete.resolve = FolderResolver(std::string(folder), options.limits);
  }
  if (absl::StartsWith(bytes, kMagic)) {
    absl::StatusOr<Graph> graph = Parse(bytes, std::make_shared<Tensor>(memory), complete);
    if (!graph.ok()) return WithLocation(graph.status(), path);
    return graph;
  }
  if (bytes.find('\0') != absl::string_view::npos) {
    return WithLocation(MakeError("E0502", "the file is neither a .tnf graph nor text"), path);
  }
  TextOptions text = {.file = std::string(path.substr(slash == absl::string_view::npos ? 0 : slash + 1)),
                      .registry = complete.registry,
                      .resolve = complete.resolve,
                      .require_header = true,
                      .limits = complete.limits};
  return ParseText(bytes, text);
}

}  // namespace tenfold
