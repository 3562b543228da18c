// SPDX-License-Identifier: Apache-2.0
//
// Literals that stand where an operand does: `Mul(m, 2)`, `Reshape(x, {-1, 784})`. They are constants
// without a name, and take their dtype from the op's other operands, as in GraphBuilder.
#ifndef TENFOLD_GRAPH_TEXT_INLINE_LITERAL_H_
#define TENFOLD_GRAPH_TEXT_INLINE_LITERAL_H_

#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "tenfold/graph/op_def.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/graph/text/syntax.h"

namespace tenfold {

// The tensor that a literal stands for in a place of dtype `dtype`. Errors: E0204.
absl::StatusOr<Tensor> ReadInlineLiteral(const OperandSyntax& operand, DType dtype);

// The text that ReadInlineLiteral reads back to the same tensor, or nullopt where there is none.
std::optional<std::string> InlineLiteralText(const Tensor& tensor);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_INLINE_LITERAL_H_
