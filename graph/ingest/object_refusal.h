// SPDX-License-Identifier: Apache-2.0
//
// Why an array of Python objects is refused: which of them are no numbers, and a command that makes numbers
// of them for whoever trusts the file.
#ifndef TENFOLD_GRAPH_INGEST_OBJECT_REFUSAL_H_
#define TENFOLD_GRAPH_INGEST_OBJECT_REFUSAL_H_

#include "absl/status/status.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/byte_source.h"
#include "tenfold/graph/ingest/npy_header.h"

namespace tenfold {

// `contents` stands behind the header, at the pickle. Errors: E0302.
absl::Status RefuseObjects(const ArrayName& name, const NpyHeader& header, ByteSource& contents);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_OBJECT_REFUSAL_H_
