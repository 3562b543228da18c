// SPDX-License-Identifier: Apache-2.0
//
// A node's formula as instructions of a ScalarProgram: where f16 and bf16 are widened and rounded once.
#ifndef TENFOLD_GRAPH_FUSED_EMIT_NODE_H_
#define TENFOLD_GRAPH_FUSED_EMIT_NODE_H_

#include <cstdint>
#include <span>

#include "tenfold/graph/graph.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {

// The value of an elementwise node for one element. `in` and the result are of the stored dtypes. A Scalar
// without a builder stands for an absent input; the formula sees one for each port.
Scalar EmitElementwise(const Node& node, DType result, std::span<const Scalar> in);

// True if an elementwise node may set the kernel's error word: it divides integers.
bool CanFail(const Graph& graph, const Node& node);

// A reduction's parts for elements of dtype `element`; its accumulator is of ComputeType(element).
Scalar EmitReductionMap(const Reduction& reduction, Scalar element);
ScalarProgram CombineProgram(const Reduction& reduction, DType accumulator);

// The one value of a constant, as an instruction; the tensor holds one element or is a splat.
Scalar EmitConstant(ScalarBuilder& builder, const Tensor& tensor);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_EMIT_NODE_H_
