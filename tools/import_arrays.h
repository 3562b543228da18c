// SPDX-License-Identifier: Apache-2.0
//
// Array files as graphs.
#ifndef TENFOLD_TOOLS_IMPORT_ARRAYS_H_
#define TENFOLD_TOOLS_IMPORT_ARRAYS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"
#include "tenfold/tools/policy_flags.h"

namespace tenfold {

// True for the endings that ImportArrays reads.
bool IsArrayFile(absl::string_view path);

// A graph with one Const and one output for each array of an .npz or .safetensors file, by the array's name,
// or for the one array of an .npy file, by the file's name without folder and ending.
// Each is taken under its policy and as the dtype that `dtypes` names for it, if any; what a policy did is in
// its provenance.
absl::StatusOr<Graph> ImportArrays(absl::string_view path, const PolicyFlags& policies,
                                   const std::map<std::string, DType>& dtypes, const Limits& limits = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_IMPORT_ARRAYS_H_
