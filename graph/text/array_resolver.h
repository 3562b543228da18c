// SPDX-License-Identifier: Apache-2.0
//
// Arrays that a graph file names instead of holding: `Const @"weights.npz:w1"`. Whoever reads the graph says
// how they are found.
#ifndef TENFOLD_GRAPH_TEXT_ARRAY_RESOLVER_H_
#define TENFOLD_GRAPH_TEXT_ARRAY_RESOLVER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/ingest.h"
#include "tenfold/graph/ingest_record.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// What a graph says of an array: nobody vouches for it.
struct ArrayRequest {
  absl::string_view file;
  absl::string_view member;          // of a file that holds many; empty for a file that is one array
  std::optional<uint32_t> checksum;  // of the file that the graph was saved with; only .tnf files have it
  absl::string_view value = {};      // the name of the constant; text has it
  std::optional<DType> dtype = {};   // that is due, where the graph says so
};

// Reads one array.
using ArrayResolver = std::function<absl::StatusOr<IngestedArray>(const ArrayRequest& request)>;

// The policy for the array of a constant. Text graphs ask; what a .tnf file names was ingested before.
using PolicyOfConstant = std::function<ArrayPolicy(absl::string_view value)>;

struct FolderResolverOptions {
  Limits limits = {};
  bool check_contents = false;
  PolicyOfConstant policy = nullptr;  // none: arrays are taken as they are
};

// Finds regular files beneath `folder` only, symbolic links resolved (graph/ingest/files.h). A .safetensors
// file is opened once, and kept open as long as the resolver lives. Where a checksum is given, the file must
// state the same (E0530); with `check_contents`, its data are read and must have it.
ArrayResolver FolderResolver(std::string folder, const FolderResolverOptions& options = {});

// Under this key of its metadata, a file of constants states the CRC-32C of its data, as 8 hex digits.
inline constexpr absl::string_view kChecksumKey = "tenfold.crc32c";
std::string ChecksumText(uint32_t checksum);

// The array, its type checked against `type` unless that is null (E0504). Without a resolver every reference
// is refused (E0524), and a path that is absolute or has a ".." whatever the resolver (E0525).
absl::StatusOr<IngestedArray> ResolveArray(const ArrayResolver& resolver, const ArrayRequest& request,
                                           const TensorType* type);

// E0504 if what was found is not what the graph says.
absl::Status CheckArrayType(const ArrayRequest& request, const TensorType& found, const TensorType& written,
                            Mend mend = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_ARRAY_RESOLVER_H_
