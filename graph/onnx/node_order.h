// SPDX-License-Identifier: Apache-2.0
//
// The order in which nodes can be imported. The format demands that they stand in it, and exporters forget
// it.
#ifndef TENFOLD_GRAPH_ONNX_NODE_ORDER_H_
#define TENFOLD_GRAPH_ONNX_NODE_ORDER_H_

#include <vector>

#include "proto/onnx.pb.h"

namespace tenfold::onnx {

// Positions of the nodes, each behind those that give what it or its bodies read; as they stand where that is
// possible. Of nodes on a cycle the first stands before what it reads.
std::vector<int> OrderNodes(const google::protobuf::RepeatedPtrField<NodeProto>& nodes);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_NODE_ORDER_H_
