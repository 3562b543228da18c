// SPDX-License-Identifier: Apache-2.0
//
// What was done to the values of an array on their way into a graph. Nothing is changed that the user did not
// ask for, and what was asked for is written down.
#ifndef TENFOLD_GRAPH_INGEST_RECORD_H_
#define TENFOLD_GRAPH_INGEST_RECORD_H_

#include <cstdint>
#include <string>

#include "tenfold/graph/tensor.h"

namespace tenfold {

struct IngestRecord {
  std::string source;   // what the array held: "f64", "text"
  std::string policy;   // what the user named, as on a command line: "cast=nearest nan=mean:axis=0"
  int64_t values = 0;   // of the array
  int64_t changed = 0;  // by the cast
  double largest_change = 0;
  int64_t nans_replaced = 0;

  // No policy was needed: the tensor is the array.
  bool empty() const { return policy.empty(); }
  // "from f64, cast=nearest nan=zero: 431 of 1024 values changed, by 2.98e-08 at most; 3 NaNs replaced".
  std::string ToString() const;
  bool operator==(const IngestRecord&) const = default;
};

// A tensor, how it came to be, and what it is called: "weights.npz: w1".
struct IngestedArray {
  Tensor tensor;
  IngestRecord record;
  std::string origin;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_RECORD_H_
