// SPDX-License-Identifier: Apache-2.0
//
// Tensors as text: `f32[2,3] {1, 2, 3, 4, 5, 6}`, `f32[1000,1000] splat 0`.
#ifndef TENFOLD_GRAPH_TEXT_TENSOR_LITERAL_H_
#define TENFOLD_GRAPH_TEXT_TENSOR_LITERAL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/graph/text/lexer.h"
#include "tenfold/graph/text/source_text.h"

namespace tenfold {

// As people write tensors on a command line: braces and commas may be left out, `f32[2,3] 1 2 3 4 5 6`.
// Strict otherwise: every element must fit its dtype (E0506), and their number the shape (E0403).
absl::StatusOr<Tensor> ParseTensorLiteral(absl::string_view text, const Limits& limits = {});

// All of the tensor, in the canonical form that the .tnt grammar has for constants. A tensor of more than
// `max_elements` elements that is no splat shows some and `...`, which does not read back.
std::string TensorLiteral(const Tensor& tensor, std::optional<int64_t> max_elements = std::nullopt,
                          absl::string_view indent = "");

// --- For the parsers of this folder ---

// A type, and where it stands.
struct TypeSyntax {
  TensorType type;
  Span span;
};

// Reads the type at the lexer's token; nullopt once an error is recorded.
std::optional<TypeSyntax> ReadType(Lexer& lexer, const Limits& limits, ErrorList& errors);

struct ContentsSyntax {
  std::optional<Tensor> tensor;  // none once an error is recorded
  bool closed = false;           // the lexer stands behind the contents, right or wrong
};

// Reads `{...}` or `splat v` behind a type. `bare` allows the command line's form.
ContentsSyntax ReadContents(Lexer& lexer, const TypeSyntax& type, bool bare, const Limits& limits,
                            ErrorList& errors);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_TENSOR_LITERAL_H_
