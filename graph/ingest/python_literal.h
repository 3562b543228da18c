// SPDX-License-Identifier: Apache-2.0
//
// The part of Python's literals that headers of .npy files are written in: strings, integers, True,
// False, None, tuples, lists and dicts. Nothing is ever evaluated; every byte string gives a value
// or an error.
#ifndef TENFOLD_GRAPH_INGEST_PYTHON_LITERAL_H_
#define TENFOLD_GRAPH_INGEST_PYTHON_LITERAL_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace tenfold {

struct PythonValue {
  enum class Kind : uint8_t { kString, kInteger, kBool, kNone, kTuple, kList, kDict };
  Kind kind = Kind::kNone;
  // A string's contents, an integer's digits with their sign (they may exceed any integer type).
  std::string text;
  bool truth = false;
  // The elements; of a dict, keys and values in turn.
  std::vector<PythonValue> items;
};

struct PythonLiteralError {
  size_t position = 0;  // in bytes from the front
  std::string message;  // "a ':' is due after the key"; empty if there is no error
};

// The one value that `text` consists of, white space around it aside.
PythonLiteralError ParsePythonLiteral(absl::string_view text, PythonValue& value);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_PYTHON_LITERAL_H_
