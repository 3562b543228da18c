// SPDX-License-Identifier: Apache-2.0
//
// Why an array that NumPy could read is refused: each refusal shows what the file holds and a
// command that makes numbers of it.
#ifndef TENFOLD_GRAPH_INGEST_NPY_REFUSALS_H_
#define TENFOLD_GRAPH_INGEST_NPY_REFUSALS_H_

#include "absl/status/status.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/byte_source.h"
#include "tenfold/graph/ingest/npy_header.h"

namespace tenfold {

// For every kind but kNumber. `contents` stands behind the header: text is read, to show the first
// element. Errors: E0301, E0302, E0303.
absl::Status RefuseNpyType(const ArrayName& name, const NpyHeader& header, ByteSource& contents);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_NPY_REFUSALS_H_
