// SPDX-License-Identifier: Apache-2.0
//
// ONNX messages and the bytes that they were read from, in which the weights still lie.
#ifndef TENFOLD_GRAPH_ONNX_MODEL_FILE_H_
#define TENFOLD_GRAPH_ONNX_MODEL_FILE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/onnx/detach_data.h"

namespace tenfold::onnx {

// Bytes, and who keeps them; without an owner, tensors are copied out.
struct FileBytes {
  absl::string_view bytes;
  std::shared_ptr<const void> owner;
};

// A regular file: mapped if it is large (graph/ingest/storage.h), else read. Errors: E0402, E0521, E0522.
absl::StatusOr<FileBytes> OpenBytes(absl::string_view path, const Limits& limits);

// The files with weights beside a model, each opened once.
class ExternalFiles {
 public:
  // Without a folder, all are refused.
  ExternalFiles(std::string folder, const Limits& limits) : folder_(std::move(folder)), limits_(limits) {}

  // Bytes [offset, offset + size) of a file beneath the folder, where `location` is relative to it; without a
  // size all that follow. Errors: E0902, and those of ResolveFileBeneath.
  struct Range {
    std::string location;
    uint64_t offset = 0;
    std::optional<uint64_t> size;
  };
  absl::StatusOr<FileBytes> Find(const Range& range);

 private:
  const std::string folder_;
  const Limits& limits_;
  std::map<std::string, FileBytes> open_;  // by real path
};

// Parses a message whose data stay in `file`. Errors: E0901, E0402.
absl::Status ParseMessage(absl::string_view file, MessageKind kind, const Limits& limits,
                          google::protobuf::MessageLite& message);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_MODEL_FILE_H_
