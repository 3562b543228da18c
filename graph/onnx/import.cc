// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/import.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/arena.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/foreign_file.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/onnx/graph_importer.h"
#include "tenfold/graph/onnx/model_context.h"
#include "tenfold/graph/onnx/model_file.h"
#include "tenfold/graph/onnx/survey.h"

namespace tenfold {
namespace {

absl::StatusOr<Graph> Import(const onnx::FileBytes& file, const std::string& place, const std::string& folder,
                             const OnnxOptions& options) {
  google::protobuf::Arena arena;  // thousands of small messages that end together
  onnx::ModelProto& model = *google::protobuf::Arena::CreateMessage<onnx::ModelProto>(&arena);
  TENFOLD_RETURN_IF_ERROR(onnx::ParseMessage(file.bytes, onnx::MessageKind::kModel, options.limits, model));
  if (!model.has_graph()) {
    return MakeError("E0901", "the file holds no ONNX graph",
                     MendForeignFile(place, file.bytes.substr(0, kForeignStart), ".onnx"));
  }
  onnx::ExternalFiles external(folder, options.limits);
  onnx::ModelContext context(model, options, place, {file, &external, &options.limits});
  TENFOLD_RETURN_IF_ERROR(ToStatus(onnx::FindUnsupported(context)));
  Graph graph = onnx::GraphImporter(context, model.graph()).Import();
  TENFOLD_RETURN_IF_ERROR(ToStatus(context.TakeErrors()));
  TENFOLD_RETURN_IF_ERROR(context.CheckOptions(model.graph()));
  return graph;
}

}  // namespace

absl::StatusOr<Graph> ImportOnnx(absl::string_view path, const OnnxOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const onnx::FileBytes file, onnx::OpenBytes(path, options.limits));
  const std::string folder = options.folder.empty() ? FolderOf(path) : options.folder;
  absl::StatusOr<Graph> graph = Import(file, Printable(path), folder, options);
  if (!graph.ok()) return WithLocation(graph.status(), path);
  return graph;
}

absl::StatusOr<Graph> ImportOnnxBytes(absl::string_view bytes, absl::string_view place,
                                      const OnnxOptions& options) {
  absl::StatusOr<Graph> graph = Import({bytes, nullptr}, Printable(place), options.folder, options);
  if (!graph.ok()) return WithLocation(graph.status(), place);
  return graph;
}

bool IsOnnxFile(absl::string_view path) { return absl::EndsWithIgnoreCase(path, ".onnx"); }

absl::StatusOr<Tensor> ReadOnnxTensor(absl::string_view path, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const onnx::FileBytes file, onnx::OpenBytes(path, limits));
  onnx::TensorProto tensor;
  absl::Status status = onnx::ParseMessage(file.bytes, onnx::MessageKind::kTensor, limits, tensor);
  if (status.ok()) {
    absl::StatusOr<Tensor> read = onnx::ReadTensor(tensor, {file, nullptr, &limits});
    if (read.ok()) return read;
    status = read.status();
  }
  return WithLocation(status, path);
}

}  // namespace tenfold
