// SPDX-License-Identifier: Apache-2.0
//
// How each value of a graph is written where it is read: by its name, or inline as a literal.
#ifndef TENFOLD_GRAPH_TEXT_VALUE_NAMES_H_
#define TENFOLD_GRAPH_TEXT_VALUE_NAMES_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// A constant without a name is written inline if every reader would give the literal the same dtype and
// value; otherwise it gets a name here that no other value has, and a statement of its own.
class ValueNames {
 public:
  explicit ValueNames(const Graph& graph) : ValueNames(graph, {}) {}
  // Of a body: its last inputs are captured, and stand by the names that they have in the graph around it. A
  // value of its own that has such a name gets another.
  ValueNames(const Graph& graph, const std::vector<std::string>& captured);
  // The names that operands of a node have which its bodies capture.
  std::vector<std::string> CapturedBy(const Node& node) const;

  // A name, quoted where needed, or a literal.
  const std::string& operator[](ValueId id) const { return texts_[static_cast<int>(id)]; }
  bool is_inline(ValueId id) const { return inline_[static_cast<int>(id)]; }

 private:
  void GiveName(ValueId id);
  void CheckReader(const Node& node);

  bool IsTaken(const std::string& name) const;

  const Graph& graph_;
  std::vector<std::string> texts_;
  std::vector<std::string> names_;             // as texts_, without quotes; empty for a literal
  absl::flat_hash_set<std::string> captured_;  // names of those that are read
  std::vector<bool> inline_;
  std::vector<bool> read_;
  int64_t next_suffix_ = 0;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_VALUE_NAMES_H_
