// SPDX-License-Identifier: Apache-2.0
//
// Graphs in files: .tnf, the binary form, and .tnt, the text form. docs/file-format.md describes both.
#ifndef TENFOLD_GRAPH_SERIALIZATION_TNF_H_
#define TENFOLD_GRAPH_SERIALIZATION_TNF_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/ingest/storage.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/text/array_resolver.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {

struct LoadOptions {
  std::shared_ptr<const OpRegistry> registry = OpRegistry::Standard();
  // For arrays that the file names instead of holding. LoadGraph looks in the file's folder if there is none;
  // ParseGraph refuses them then.
  ArrayResolver resolve = nullptr;
  Limits limits = {};
  // Reads the file of large constants and compares its checksum, which a load that only maps it does not:
  // then only the file's own statement of it is compared. Of LoadGraph.
  bool check_contents = false;
  // For arrays that a .tnt file names; none: they are taken as they are. Of LoadGraph.
  PolicyOfConstant policy = nullptr;
};

struct SaveOptions {
  // Constants that store at least this many bytes go into a .safetensors file beside the graph's, which is
  // mapped when the graph is loaded; nullopt: all into the graph's own file, which is read whole. Splats and
  // constants of up to 1 KiB never go out.
  std::optional<int64_t> external_bytes = static_cast<int64_t>(kMapThreshold);
};

// The graph as .tnf bytes: equal graphs give equal bytes. NaNs are made canonical. Errors: E0402 where the
// structure outgrows what protobuf can hold, E0502 for names that are not UTF-8.
absl::StatusOr<std::string> SerializeGraph(const Graph& graph);

// The inverse. The bytes are hostile: every node is inferred again and its stored types compared. Errors:
// E0502, E0503, E0504, and those of the ops.
absl::StatusOr<Graph> ParseGraph(absl::string_view bytes, const LoadOptions& options = {});

// Writes a .tnf file, and a file for its large constants (graph/serialization/constants_file.h). Whenever the
// writer dies, the graph at `path` is the old one or the new, with its constants. Errors: as above, and
// E0523.
absl::Status SaveGraph(const Graph& graph, absl::string_view path, const SaveOptions& options = {});

// Reads a .tnf file, known by its first bytes, or else a .tnt file.
absl::StatusOr<Graph> LoadGraph(absl::string_view path, const LoadOptions& options = {});

// A .tnt file, with what LoadGraph would read it with: for those who show its errors, or mend them. nullopt
// if the file cannot be read, or is no text.
struct TextGraph {
  std::string text;
  TextOptions options;
};
std::optional<TextGraph> ReadTextGraph(absl::string_view path, const LoadOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SERIALIZATION_TNF_H_
