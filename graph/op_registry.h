// SPDX-License-Identifier: Apache-2.0
//
// A set of ops: the standard ones, and a user's own composites beside them.
#ifndef TENFOLD_GRAPH_OP_REGISTRY_H_
#define TENFOLD_GRAPH_OP_REGISTRY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/op_def.h"

namespace tenfold {

// A value: copy Standard() and add to it. Immutable once shared. OpDef pointers live as long as the registry
// or any copy of it.
class OpRegistry {
 public:
  // All ops of graph/ops/, from the explicit list in graph/ops/standard.cc.
  static const std::shared_ptr<const OpRegistry>& Standard();

  // Refuses (E0101) a name that is taken.
  absl::Status Add(OpDef op);
  const OpDef* Find(absl::string_view name) const;
  // Sorted by name.
  std::vector<const OpDef*> All() const;
  std::vector<std::string> Names() const;

 private:
  std::map<std::string, std::shared_ptr<const OpDef>> ops_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OP_REGISTRY_H_
