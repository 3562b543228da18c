// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/op_def.h"

namespace tenfold {

Scalar Formula::operator()(std::span<const Scalar> in, const Attrs& attrs) const {
  if (unary_ != nullptr) return unary_(in[0]);
  if (binary_ != nullptr) return binary_(in[0], in[1]);
  if (ternary_ != nullptr) return ternary_(in[0], in[1], in[2]);
  return general_(in, attrs);
}

const AttrDef* OpDef::FindAttr(absl::string_view attr_name) const {
  for (const AttrDef& attr : attrs) {
    if (attr.name == attr_name) return &attr;
  }
  return nullptr;
}

absl::string_view FamilyName(const OpDef& op) {
  struct Visitor {
    absl::string_view operator()(const Elementwise&) const { return "elementwise"; }
    absl::string_view operator()(const Reduction&) const { return "reduction"; }
    absl::string_view operator()(const Movement&) const { return "movement"; }
    absl::string_view operator()(const Contraction&) const { return "contraction"; }
    absl::string_view operator()(const Composite&) const { return "composite"; }
    absl::string_view operator()(const Source&) const { return "source"; }
    absl::string_view operator()(const FusedBody&) const { return "fused"; }
  };
  return std::visit(Visitor(), op.computation);
}

}  // namespace tenfold
