// SPDX-License-Identifier: Apache-2.0
//
// Array files as graphs.
#ifndef TENFOLD_TOOLS_IMPORT_ARRAYS_H_
#define TENFOLD_TOOLS_IMPORT_ARRAYS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// A graph with one Const and one output for each array of an .npz file, by the array's name, or for the one
// array of an .npy file, by the file's name without folder and ending.
absl::StatusOr<Graph> ImportArrays(absl::string_view path, const Limits& limits = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_IMPORT_ARRAYS_H_
