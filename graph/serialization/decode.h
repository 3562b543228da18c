// SPDX-License-Identifier: Apache-2.0
//
// Protobuf message and data section to graph. Nothing in the message is believed: nodes go through
// Graph::AddNode, which infers and checks them, and what the file says besides is compared.
#ifndef TENFOLD_GRAPH_SERIALIZATION_DECODE_H_
#define TENFOLD_GRAPH_SERIALIZATION_DECODE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/serialization/tnf.h"

namespace tenfold {

struct DecodeContext {
  const LoadOptions& options;
  absl::string_view data;             // the data section
  std::shared_ptr<const void> owner;  // keeps `data`, which is aligned then; null: tensors are copied out
  int64_t nodes = 0;                  // so far, bodies included
  std::map<std::string, std::shared_ptr<const Graph>> functions = {};  // so far
};

// The graph of a file, and before it the functions that it calls.
absl::StatusOr<Graph> DecodeGraph(const v1::Graph& encoded, DecodeContext& context);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SERIALIZATION_DECODE_H_
