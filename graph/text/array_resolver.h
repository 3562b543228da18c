// SPDX-License-Identifier: Apache-2.0
//
// Arrays that a graph file names instead of holding: `Const @"weights.npz:w1"`. Whoever reads the graph says
// how they are found.
#ifndef TENFOLD_GRAPH_TEXT_ARRAY_RESOLVER_H_
#define TENFOLD_GRAPH_TEXT_ARRAY_RESOLVER_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Reads one array. `file` is as the graph has it, so nobody vouches for it; `member` is that of an archive,
// empty for a file that is one array.
using ArrayResolver = std::function<absl::StatusOr<Tensor>(absl::string_view file, absl::string_view member)>;

// Finds regular files beneath `folder` only, symbolic links resolved (graph/ingest/files.h).
ArrayResolver FolderResolver(std::string folder, const Limits& limits = {});

// How a reference is called in messages and provenance: "weights.npz: w1".
std::string ReferenceName(absl::string_view file, absl::string_view member);

// The array, its type checked against `type` unless that is null (E0504). Without a resolver every reference
// is refused (E0524), and a path that is absolute or has a ".." whatever the resolver (E0525).
absl::StatusOr<Tensor> ResolveArray(const ArrayResolver& resolver, absl::string_view file,
                                    absl::string_view member, const TensorType* type);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_ARRAY_RESOLVER_H_
