// SPDX-License-Identifier: Apache-2.0
//
// Arrays of text in .npy files: their elements as people see them, and as numbers where the user says so.
#ifndef TENFOLD_GRAPH_INGEST_NPY_TEXT_H_
#define TENFOLD_GRAPH_INGEST_NPY_TEXT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/byte_source.h"
#include "tenfold/graph/ingest/npy_header.h"
#include "tenfold/graph/ingest/separated_number.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/mend.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// One element, up to the zeros that pad it, as one line of UTF-8; what cannot be printed is escaped.
std::string DecodeNpyText(absl::string_view item, const NpyType& type);

// As error messages show it: "seven", b"\xe9", shortened.
std::string QuotedNpyText(absl::string_view text, const NpyType& type);

// Whether the text is a number, by the rules of ParseNpyText for f64.
bool IsNumberText(absl::string_view text);

// What IsNumberText takes, for Python's re.
inline constexpr absl::string_view kNumberRegex =
    R"(r"(?i)\s*[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|inf(inity)?|nan)\s*")";

// Commands that save the numbers as f64 and NaN for all other text, one for each way to read their
// separators.
std::vector<Mend> NumbersElseNan(const ArrayName& name, const NpyType& type, const Separators& separators,
                                 absl::string_view when);

// Elements of text or byte strings read as numbers of `dtype`, whatever the locale: decimals with a point,
// rounded once; integers in range for an integer dtype; nan, inf and infinity in any case for a float; true,
// false, 0 and 1 for bool. Blanks around a number and a '+' before it are allowed. Errors: E0326
// text-not-number, with the first element that is none and their number; E0402; those of the source.
absl::StatusOr<Tensor> ParseNpyText(const ArrayName& name, const NpyHeader& header, ByteSource& source,
                                    DType dtype, const Limits& limits);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_NPY_TEXT_H_
