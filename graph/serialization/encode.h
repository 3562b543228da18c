// SPDX-License-Identifier: Apache-2.0
//
// Graph to protobuf message and data section.
#ifndef TENFOLD_GRAPH_SERIALIZATION_ENCODE_H_
#define TENFOLD_GRAPH_SERIALIZATION_ENCODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// Tensors in the data section stand at multiples of this.
inline constexpr uint64_t kDataAlignment = 64;
// Up to this many bytes a tensor stands in the structure itself.
inline constexpr size_t kLargestInline = 1024;

// In the place of the number of an input that is absent: no file has so many values.
inline constexpr uint32_t kAbsentInput = 0xffffffff;

// The contents that stand outside the structure.
struct DataSection {
  // Tensors that store at least this many bytes go into a file of their own; nullopt: none does.
  std::optional<int64_t> external_bytes;

  // Those of the data section in order, each at the next aligned offset.
  std::vector<Tensor> tensors;
  uint64_t size = 0;

  // Those of the other file, each with a name of its own, and the messages in which that file's name is still
  // to be filled in.
  NamedTensors external;
  std::vector<v1::ExternalArray*> references;
  absl::flat_hash_set<std::string> names;
};

absl::Status EncodeGraph(const Graph& graph, v1::Graph* out, DataSection* data);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SERIALIZATION_ENCODE_H_
