// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/op_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {

const std::shared_ptr<const OpRegistry>& OpRegistry::Standard() {
  static const auto* const kStandard = [] {
    auto registry = std::make_shared<OpRegistry>();
    for (OpDef& op : StandardOps()) (void)registry->Add(std::move(op));  // names are distinct: a test checks
    return new std::shared_ptr<const OpRegistry>(std::move(registry));
  }();
  return *kStandard;
}

absl::Status OpRegistry::Add(OpDef op) {
  std::string name = op.name;
  if (!ops_.try_emplace(name, std::make_shared<const OpDef>(std::move(op))).second) {
    return MakeError("E0101", absl::StrCat("the registry already has an op '", name, "'"),
                     "give the op another name");
  }
  return absl::OkStatus();
}

const OpDef* OpRegistry::Find(absl::string_view name) const {
  auto it = ops_.find(std::string(name));
  return it == ops_.end() ? nullptr : it->second.get();
}

std::vector<const OpDef*> OpRegistry::All() const {
  std::vector<const OpDef*> all;
  for (const auto& [name, op] : ops_) all.push_back(op.get());
  return all;
}

std::vector<std::string> OpRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, op] : ops_) {
    if (!op->is_internal) names.push_back(name);
  }
  return names;
}

}  // namespace tenfold
