// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/op_def.h"

#include "absl/strings/str_cat.h"

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

namespace {

// Inputs that must be there.
size_t LeastInputs(const OpDef& op) {
  size_t least = 0;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const PortDef& port = op.inputs[i];
    if (port.arity == Arity::kRequired) least = i + 1;
    if (port.arity == Arity::kVariadic && port.least > 0) least = i + static_cast<size_t>(port.least);
  }
  return least;
}

}  // namespace

bool OpDef::TakesInputs(size_t count) const {
  return count >= LeastInputs(*this) && (TakesAnyNumber() || count <= inputs.size());
}

std::string OpDef::InputCountText(absl::string_view what) const {
  const size_t least = LeastInputs(*this);
  const size_t last = TakesAnyNumber() ? least : inputs.size();
  return absl::StrCat(TakesAnyNumber() ? "at least " : "", least,
                      !TakesAnyNumber() && least < last ? absl::StrCat(" to ", last) : "", " ", what,
                      last == 1 ? "" : "s");
}

absl::string_view FamilyName(const OpDef& op) {
  struct Visitor {
    absl::string_view operator()(const Elementwise&) const { return "elementwise"; }
    absl::string_view operator()(const Reduction&) const { return "reduction"; }
    absl::string_view operator()(const Movement&) const { return "movement"; }
    absl::string_view operator()(const Contraction&) const { return "contraction"; }
    absl::string_view operator()(const Composite&) const { return "composite"; }
    absl::string_view operator()(const HostKernel&) const { return "kernel"; }
    absl::string_view operator()(const FromShapes&) const { return "shape"; }
    absl::string_view operator()(const Source&) const { return "source"; }
    absl::string_view operator()(const FusedBody&) const { return "fused"; }
    absl::string_view operator()(const Control&) const { return "control"; }
  };
  return std::visit(Visitor(), op.computation);
}

}  // namespace tenfold
