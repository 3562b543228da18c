// SPDX-License-Identifier: Apache-2.0
//
// Graph to protobuf message and data section.
#ifndef TENFOLD_GRAPH_SERIALIZATION_ENCODE_H_
#define TENFOLD_GRAPH_SERIALIZATION_ENCODE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// Tensors in the data section stand at multiples of this.
inline constexpr uint64_t kDataAlignment = 64;
// Up to this many bytes a tensor stands in the structure itself.
inline constexpr size_t kLargestInline = 1024;

// The tensors of the data section in order, each at the next aligned offset.
struct DataSection {
  std::vector<Tensor> tensors;
  uint64_t size = 0;
};

absl::Status EncodeGraph(const Graph& graph, v1::Graph* out, DataSection* data);

// Appends the tensor's stored bytes with canonical NaNs.
void AppendElements(const Tensor& tensor, std::string* out);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SERIALIZATION_ENCODE_H_
