// SPDX-License-Identifier: Apache-2.0
//
// What the 'descr' of an .npy header says about one element.
#ifndef TENFOLD_GRAPH_INGEST_NPY_TYPE_H_
#define TENFOLD_GRAPH_INGEST_NPY_TYPE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/ingest/python_literal.h"

namespace tenfold {

struct NpyType {
  enum class Kind : uint8_t {
    kNumber,      // one of ours: `dtype`
    kText,        // U: UTF-32, padded with zeros
    kBytes,       // S: padded with zeros
    kObject,      // O, alone or inside a record
    kComplex,     // c
    kLongDouble,  // f10, f12, f16: x87 or quad, as the machine had it
    kDate,        // M
    kDuration,    // m
    kRaw,         // V: what numpy.save makes of types that are not NumPy's own
    kRecord,      // a list of fields
  };
  Kind kind = Kind::kNumber;
  DType dtype = DType::kF32;
  bool swap = false;                // the file's byte order is not this machine's
  uint64_t item_bytes = 0;          // of one element; 0 for records and objects
  std::string descr;                // "<f4"; of a record, how its text begins
  bool is_record = false;           // a list of fields, some of which may be objects
  std::vector<std::string> fields;  // of a record
};

// nullopt if `descr` is nothing that NumPy writes. Stricter than NumPy where guessing would be
// needed: a number of several bytes must state its byte order.
std::optional<NpyType> ParseNpyType(const PythonValue& descr);

// The descr that WriteNpy writes: "<f4", "|b1". bf16 has none.
std::optional<std::string> NpyDescr(DType dtype);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_NPY_TYPE_H_
