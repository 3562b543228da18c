// SPDX-License-Identifier: Apache-2.0
//
// Formulas as the statements that they stand for. In the text form calls do not nest and there are no
// operators; whoever writes `y = x * w + b` is shown how it is written.
#ifndef TENFOLD_GRAPH_TEXT_FLATTEN_H_
#define TENFOLD_GRAPH_TEXT_FLATTEN_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tenfold {

struct Flattened {
  // "mul = Mul(x, w)", "y = Add(mul, b)".
  std::vector<std::string> statements;
  size_t length = 0;  // of the formula
};

// The formula that `line` begins with: names, numbers, calls, + - * / @, parentheses; `results` is what
// stands before its '='. Results of their own get names that do not occur in `source`. nullopt if it is none,
// or one call, which is a statement already.
std::optional<Flattened> Flatten(absl::string_view results, absl::string_view line, absl::string_view source);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_FLATTEN_H_
