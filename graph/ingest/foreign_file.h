// SPDX-License-Identifier: Apache-2.0
//
// Files that are given for arrays and are something else: what they seem to be, and what makes arrays of
// them.
#ifndef TENFOLD_GRAPH_INGEST_FOREIGN_FILE_H_
#define TENFOLD_GRAPH_INGEST_FOREIGN_FILE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace tenfold {

// Of a file's bytes, as many as tell what it is.
inline constexpr size_t kForeignStart = 1024;

// "it is a pointer of Git LFS, not the file that it stands for: git lfs pull --include x.npz", for the file
// at `path` that begins with `start`; empty if nothing is known of it. `wanted` is the ending of what it
// should be,
// ".npy" or ".npz". Commands work when pasted.
std::string MendForeignFile(absl::string_view path, absl::string_view start, absl::string_view wanted);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_FOREIGN_FILE_H_
