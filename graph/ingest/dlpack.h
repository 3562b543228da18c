// SPDX-License-Identifier: Apache-2.0
//
// Tensors from and to other frameworks of the same process, by DLPack.
//
// This is the struct without a version, which every DLPack library understands; it cannot say that memory is
// read-only. A bool has the type code 6, which later versions of the standard added.
#ifndef TENFOLD_GRAPH_INGEST_DLPACK_H_
#define TENFOLD_GRAPH_INGEST_DLPACK_H_

#include <dlpack/dlpack.h>

#include <memory>

#include "absl/status/statusor.h"
#include "tenfold/graph/ingest/storage.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

struct CallDlpackDeleter {
  void operator()(DLManagedTensor* managed) const {
    if (managed->deleter != nullptr) managed->deleter(managed);
  }
};
// Owns a DLPack tensor: its deleter is called once. To hand it to a consumer, which then calls it: release().
using DlpackHandle = std::unique_ptr<DLManagedTensor, CallDlpackDeleter>;

// Takes over `managed`, whether the import succeeds or not: a refused tensor is given back to its producer at
// once, a copied one after copying, and one used in place with the last Tensor that shares it.
//
// kAuto uses memory in place that is row-major and aligned, and copies any other; kBorrow refuses other
// memory (E0334). The producer must not write while Tensors share its memory, and vouches for the size that
// the struct states: DLPack does not tell how much memory there is. Errors: E0304, E0333, E0334, E0402.
absl::StatusOr<Tensor> FromDlpack(DlpackHandle managed, Storage storage = Storage::kAuto,
                                  const Limits& limits = {});

// Row-major, 64-byte aligned if the Tensor owns its memory; shared, so the consumer must not write to it.
// Splats are written out. Errors: E0402.
absl::StatusOr<DlpackHandle> ToDlpack(const Tensor& tensor);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_DLPACK_H_
