// SPDX-License-Identifier: Apache-2.0
//
// What mends an error: a line for the reader, and the edits that do it for a machine (`--fix`, an editor).
#ifndef TENFOLD_GRAPH_MEND_H_
#define TENFOLD_GRAPH_MEND_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace tenfold {

// One more word on the command line: "--cast=x=nearest".
struct AddArgument {
  std::string argument;
  bool operator==(const AddArgument&) const = default;
};

// Other text in the place of bytes [begin, end) of the text that holds the error; its name stands in
// Diagnostic::location.
struct ReplaceText {
  size_t begin = 0;
  size_t end = 0;
  std::string text;
  bool operator==(const ReplaceText&) const = default;
};

// One more node: the refused node's operand goes through it first. What follows the operand is written as the
// text form writes it: Reshape(x, {-1, 784}) is {0, "Reshape", "{-1, 784}"}, Transpose(w) is {1, "Transpose",
// ""}.
struct WrapOperand {
  int operand = 0;
  std::string op;
  std::string arguments;
  bool operator==(const WrapOperand&) const = default;
};

// Another op, operand or reference to an array in the place of the refused node's, as the text form writes
// it: "Gelu", "{-1, 784}", "weights.npz:w1".
struct ReplacePart {
  enum Part : uint8_t { kOp, kOperand, kReference };
  Part part = kOp;
  int operand = 0;
  std::string text;
  bool operator==(const ReplacePart&) const = default;
};

using Edit = std::variant<AddArgument, ReplaceText, WrapOperand, ReplacePart>;

struct Mend {
  Mend() = default;
  // Most mends are advice that only a person can follow.
  Mend(std::string line, std::vector<Edit> all = {}) : text(std::move(line)), edits(std::move(all)) {}
  Mend(const char* line) : text(line) {}

  bool empty() const { return text.empty(); }
  bool operator==(const Mend&) const = default;

  std::string text;         // works when pasted
  std::vector<Edit> edits;  // all of them together; none if no machine can do it
};

// "<before>--cast x=nearest<after>", the value quoted for a shell.
Mend MendByFlag(absl::string_view before, absl::string_view flag, absl::string_view value,
                absl::string_view after = "");

// "did you mean 'axis'?"; empty for an empty name, which NearestName gives where no name is near.
std::string DidYouMean(absl::string_view nearest);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_MEND_H_
