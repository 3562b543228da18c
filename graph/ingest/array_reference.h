// SPDX-License-Identifier: Apache-2.0
//
// How a graph's text names an array that lies beside it: "w.npy", "weights.npz:w1",
// "weights.safetensors:w1". The file's name ends at the first colon; the rest is the array's name in it,
// whatever it consists of.
#ifndef TENFOLD_GRAPH_INGEST_ARRAY_REFERENCE_H_
#define TENFOLD_GRAPH_INGEST_ARRAY_REFERENCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// By their ending. Files that hold many arrays need the name of one.
bool IsSafetensors(absl::string_view file);
bool HoldsManyArrays(absl::string_view file);

struct ArrayReference {
  std::string path;    // the real path, beneath the model's folder
  std::string member;  // empty for an .npy file
};

// `reference` is untrusted: it finds regular files beneath `model_folder` only. Errors: those of
// ResolveFileBeneath, and E0524 for a form that is none of the above.
absl::StatusOr<ArrayReference> ResolveArrayReference(absl::string_view model_folder,
                                                     absl::string_view reference);

// One array of a file that was resolved already: the .npy file if `member` is empty, else that member of
// the .safetensors file or archive.
absl::StatusOr<Tensor> LoadArray(absl::string_view path, absl::string_view member, const Limits& limits = {});
// The same; text is read as numbers, if `text_as` is given (E0326).
absl::StatusOr<Tensor> LoadArray(const ArrayName& name, const ReadOptions& options,
                                 TextAs* text_as = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_ARRAY_REFERENCE_H_
