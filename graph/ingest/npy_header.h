// SPDX-License-Identifier: Apache-2.0
//
// The front of an .npy file: magic, version, and a Python dict of descr, fortran_order and shape
// (NumPy Enhancement Proposal 1, and numpy.lib.format for versions 2.0 and 3.0).
#ifndef TENFOLD_GRAPH_INGEST_NPY_HEADER_H_
#define TENFOLD_GRAPH_INGEST_NPY_HEADER_H_

#include <string>

#include "absl/status/statusor.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/byte_source.h"
#include "tenfold/graph/ingest/npy_type.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

inline constexpr absl::string_view kNpyMagic = "\x93NUMPY";

struct NpyHeader {
  NpyType type;
  bool fortran_order = false;
  Dims shape;
  int64_t num_elements = 0;
};

// Reads up to the first byte of the contents. Errors: E0305, E0307, E0308, E0402.
absl::StatusOr<NpyHeader> ReadNpyHeader(const ArrayName& name, const Limits& limits, ByteSource& source);

// Magic, version 1.0 and dict, padded so that the contents are 64-byte aligned in the file.
std::string FormatNpyHeader(absl::string_view descr, const Dims& shape);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_NPY_HEADER_H_
