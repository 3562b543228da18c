// SPDX-License-Identifier: Apache-2.0
//
// What a pickled array of Python objects holds, found without unpickling it (pickle_machine.h).
#ifndef TENFOLD_GRAPH_INGEST_PICKLE_SURVEY_H_
#define TENFOLD_GRAPH_INGEST_PICKLE_SURVEY_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace tenfold {

struct PickledElement {
  enum class Kind : uint8_t {
    kBool,
    kInteger,
    kFloat,  // also of NumPy, what float() takes (decimal.Decimal, fractions.Fraction), integers beyond 64
             // bits
    kNone,
    kText,
    kBytes,
    kSequence,  // a list, a tuple, a NumPy array
    kDict,
    kDate,  // of datetime
    kOther,
  };
  Kind kind = Kind::kOther;
  std::string type = {};  // as Python calls it: "float", "NoneType", "decimal.Decimal"
  std::string text = {};  // of text and bytes: the contents, shortened
  int64_t length = -1;    // of a sequence and a dict; -1 if not known
  bool flat = false;      // of a sequence: its elements are numbers, as far as was looked
};

inline bool IsNumber(PickledElement::Kind kind) { return kind <= PickledElement::Kind::kFloat; }

// Calls `visit` for the elements of the array in row-major order, as many as are found: `pickle` may be cut
// off.
void SurveyPickledArray(absl::string_view pickle, absl::FunctionRef<void(const PickledElement&)> visit);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_PICKLE_SURVEY_H_
