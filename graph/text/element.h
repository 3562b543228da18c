// SPDX-License-Identifier: Apache-2.0
//
// One element of a tensor as text: "1", "-0.5", "1e-30", "nan", "-inf", "true". The inverse is
// ElementToString (graph/tensor.h).
#ifndef TENFOLD_GRAPH_TEXT_ELEMENT_H_
#define TENFOLD_GRAPH_TEXT_ELEMENT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tenfold/graph/dtype.h"

namespace tenfold {

// Writes SizeOf(dtype) bytes to `out`, a packed element as its unpacked type. A decimal for a float rounds
// once, half to even, whatever its length; false if it would become infinite, if an integer is out of range
// or no integer, or if it is no number.
[[nodiscard]] bool ReadElement(absl::string_view text, DType dtype, void* out);

// Why ReadElement refuses `text`: "'300' is out of the range of i8, -128 to 127".
std::string WhyNotElement(absl::string_view text, DType dtype);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_ELEMENT_H_
