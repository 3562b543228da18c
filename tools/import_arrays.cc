// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/import_arrays.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/text/array_resolver.h"

namespace tenfold {
namespace {

absl::Status AddArray(Graph& graph, const std::string& name, Tensor tensor, std::string origin) {
  const OpDef& op = *graph.registry().Find("Const");
  Provenance provenance;
  provenance.array = std::move(origin);
  TENFOLD_ASSIGN_OR_RETURN(const NodeId node,
                           graph.AddNode(op, {}, {{"value", std::move(tensor)}}, {name}, provenance));
  return graph.AddOutput(name, graph.node(node).outputs[0]);
}

}  // namespace

absl::StatusOr<Graph> ImportArrays(absl::string_view path, const Limits& limits) {
  const size_t slash = path.rfind('/');
  const absl::string_view file = slash == absl::string_view::npos ? path : path.substr(slash + 1);
  Graph graph;
  graph.name = std::string(file.substr(0, file.rfind('.')));
  if (absl::EndsWith(path, ".npy")) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, LoadNpy(path, limits));
    TENFOLD_RETURN_IF_ERROR(AddArray(graph, graph.name, std::move(tensor), ReferenceName(file, "")));
    return graph;
  }
  TENFOLD_ASSIGN_OR_RETURN(NamedTensors arrays, LoadNpz(path, limits));
  for (auto& [name, tensor] : arrays) {
    TENFOLD_RETURN_IF_ERROR(AddArray(graph, name, std::move(tensor), ReferenceName(file, name)));
  }
  return graph;
}

}  // namespace tenfold
