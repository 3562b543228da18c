// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/node_order.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace tenfold::onnx {
namespace {

using Producers = absl::flat_hash_map<absl::string_view, int>;  // the node that gives a name

// Calls visit(position) for each node of the list that gives what `node` reads. What a body defines itself
// may be visited, too, if it has the name of something outside: that costs no more than a better place.
template <typename Visit>
void VisitReads(const NodeProto& node, const Producers& producers, const Visit& visit) {
  const auto read = [&](const std::string& name) {
    const auto found = producers.find(name);
    if (found != producers.end()) visit(found->second);
  };
  for (const std::string& name : node.input()) read(name);
  for (const AttributeProto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    for (const NodeProto& inner : attribute.g().node()) VisitReads(inner, producers, visit);
    for (const ValueInfoProto& output : attribute.g().output()) read(output.name());
  }
}

}  // namespace

std::vector<int> OrderNodes(const google::protobuf::RepeatedPtrField<NodeProto>& nodes) {
  Producers producers;
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& name : nodes[i].output()) {
      if (!name.empty()) producers.emplace(name, i);
    }
  }
  enum class Mark : uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(static_cast<size_t>(nodes.size()), Mark::kNew);
  std::vector<int> order;
  order.reserve(marks.size());
  // A stack of our own: a chain of nodes may be longer than the program's.
  std::vector<int> open;
  for (int first = 0; first < nodes.size(); ++first) {
    open.push_back(first);
    while (!open.empty()) {
      const int node = open.back();
      Mark& mark = marks[static_cast<size_t>(node)];
      if (mark == Mark::kNew) {
        mark = Mark::kOpen;
        VisitReads(nodes[node], producers, [&](int read) {
          if (marks[static_cast<size_t>(read)] == Mark::kNew) open.push_back(read);
        });
        continue;
      }
      if (mark == Mark::kOpen) {
        mark = Mark::kDone;
        order.push_back(node);
      }
      open.pop_back();
    }
  }
  return order;
}

}  // namespace tenfold::onnx
