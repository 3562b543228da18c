// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/emit_node.h"

#include <cstring>
#include <vector>

namespace tenfold {
namespace {

Scalar Widen(Scalar x, DTypeSet in_f64) {
  if (!IsHalf(x.type())) return x;
  return Convert(x, in_f64.Contains(x.type()) ? DType::kF64 : DType::kF32);
}

}  // namespace

Scalar EmitElementwise(const Node& node, DType result, std::span<const Scalar> in) {
  std::vector<Scalar> wide;
  wide.reserve(in.size());
  // A cast between stored types must round once: f64 to f16 does not go through f32, so Cast sees what it
  // got.
  const bool converts = node.op->FindAttr("to") != nullptr;
  const Elementwise& elementwise = std::get<Elementwise>(node.op->computation);
  for (Scalar x : in) {
    wide.push_back(converts || x.builder() == nullptr ? x : Widen(x, elementwise.in_f64));
  }
  while (wide.size() < node.op->inputs.size()) wide.emplace_back();
  const Scalar y = elementwise.formula(wide, node.attrs);
  return y.type() == result ? y : Convert(y, result);
}

bool CanFail(const Graph& graph, const Node& node) {
  std::vector<DType> types;
  for (ValueId input : Present(node.inputs)) types.push_back(graph.value(input).type.dtype);
  const DType result = graph.value(node.outputs[0]).type.dtype;
  const auto emit = [&](std::span<const Scalar> in) {
    std::vector<Scalar> operands;  // by input; an absent one has no builder
    size_t next = 0;
    for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? Scalar() : in[next++]);
    return std::vector<Scalar>{EmitElementwise(node, result, operands)};
  };
  return ScalarBuilder::Record(types, emit).CanFail();
}

Scalar EmitReductionMap(const Reduction& reduction, Scalar element) {
  return reduction.map(std::vector<Scalar>{Widen(element, {})}, {});
}

ScalarProgram CombineProgram(const Reduction& reduction, DType accumulator) {
  const DType types[] = {accumulator, accumulator};
  return ScalarBuilder::Record(
      types, [&](std::span<const Scalar> in) { return std::vector<Scalar>{reduction.combine(in, {})}; });
}

Scalar EmitConstant(ScalarBuilder& builder, const Tensor& tensor) {
  uint64_t bits = 0;
  std::memcpy(&bits, tensor.data(), SizeOf(tensor.dtype()));  // little-endian, as every supported host is
  return builder.ConstBits(tensor.dtype(), bits);
}

}  // namespace tenfold
