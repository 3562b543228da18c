// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/import_arrays.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/ingest.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/ingest/safetensors.h"

namespace tenfold {
namespace {

absl::Status AddArray(Graph& graph, const std::string& name, absl::StatusOr<IngestedArray> array) {
  if (!array.ok()) return array.status();
  const OpDef& op = *graph.registry().Find("Const");
  Provenance provenance;
  provenance.array = std::move(array->origin);
  provenance.ingest = std::move(array->record);
  TENFOLD_ASSIGN_OR_RETURN(const NodeId node,
                           graph.AddNode(op, {}, {{"value", std::move(array->tensor)}}, {name}, provenance));
  return graph.AddOutput(name, graph.node(node).outputs[0]);
}

// What the flags ask for.
class Wishes {
 public:
  Wishes(absl::string_view path, const PolicyFlags& policies, const std::map<std::string, DType>& dtypes,
         const Limits& limits)
      : path_(path), policies_(policies), dtypes_(dtypes), limits_(limits) {}

  const Limits& limits() const { return limits_; }

  absl::Status CheckNames(const std::vector<std::string>& names) const {
    TENFOLD_RETURN_IF_ERROR(policies_.CheckNames(names));
    for (const auto& [name, dtype] : dtypes_) {
      if (absl::c_linear_search(names, name)) continue;
      return ToStatus(NamesNoArray("dtype", name, names));
    }
    return absl::OkStatus();
  }
  IngestOptions OptionsOf(const std::string& name) const {
    const auto dtype = dtypes_.find(name);
    return {.dtype = dtype == dtypes_.end() ? std::nullopt : std::optional(dtype->second),
            .policy = policies_.PolicyOf(name),
            .limits = limits_};
  }
  ArrayName NameOf(const std::string& array, bool is_member) const {
    return {std::string(path_), is_member ? array : "", array};
  }

 private:
  const absl::string_view path_;
  const PolicyFlags& policies_;
  const std::map<std::string, DType>& dtypes_;
  const Limits& limits_;
};

absl::Status AddNpz(Graph& graph, absl::string_view path, const Wishes& wishes) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<NpzFile> file, NpzFile::Open(path, wishes.limits()));
  TENFOLD_RETURN_IF_ERROR(wishes.CheckNames(file->names()));
  for (size_t i = 0; i < file->names().size(); ++i) {
    const std::string& array = file->names()[i];
    const ArrayName name = wishes.NameOf(array, true);
    const IngestOptions options = wishes.OptionsOf(array);
    TENFOLD_RETURN_IF_ERROR(NpzFile::CheckStorage(name, options.policy.storage));
    const auto load = [&](TextAs* text_as) { return file->Load(i, name, text_as); };
    TENFOLD_RETURN_IF_ERROR(AddArray(graph, array, IngestLoaded(name, options, load)));
  }
  return absl::OkStatus();
}

absl::Status AddSafetensors(Graph& graph, absl::string_view path, const Wishes& wishes) {
  // The file is opened once, as large files are by default; a storage of its own is a matter of one array.
  TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const SafetensorsFile> file,
                           SafetensorsFile::Open(path, {.limits = wishes.limits()}));
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : file->entries()) names.push_back(entry.name);
  TENFOLD_RETURN_IF_ERROR(wishes.CheckNames(names));
  for (const SafetensorsEntry& entry : file->entries()) {
    const ArrayName name = wishes.NameOf(entry.name, true);
    const IngestOptions options = wishes.OptionsOf(entry.name);
    if (options.policy.storage != Storage::kAuto) {
      TENFOLD_RETURN_IF_ERROR(AddArray(graph, entry.name, IngestFile(name, options)));
      continue;
    }
    TENFOLD_ASSIGN_OR_RETURN(const Tensor tensor, file->Load(entry));
    TENFOLD_RETURN_IF_ERROR(AddArray(graph, entry.name, Ingest(tensor, name, options)));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsArrayFile(absl::string_view path) { return absl::EndsWith(path, ".npy") || HoldsManyArrays(path); }

absl::StatusOr<Graph> ImportArrays(absl::string_view path, const PolicyFlags& policies,
                                   const std::map<std::string, DType>& dtypes, const Limits& limits) {
  const size_t slash = path.rfind('/');
  const absl::string_view file = slash == absl::string_view::npos ? path : path.substr(slash + 1);
  const Wishes wishes(path, policies, dtypes, limits);
  Graph graph;
  graph.name = std::string(file.substr(0, file.rfind('.')));
  if (absl::EndsWith(path, ".npy")) {
    TENFOLD_RETURN_IF_ERROR(wishes.CheckNames({graph.name}));
    TENFOLD_RETURN_IF_ERROR(AddArray(
        graph, graph.name, IngestFile(wishes.NameOf(graph.name, false), wishes.OptionsOf(graph.name))));
  } else if (IsSafetensors(path)) {
    TENFOLD_RETURN_IF_ERROR(AddSafetensors(graph, path, wishes));
  } else {
    TENFOLD_RETURN_IF_ERROR(AddNpz(graph, path, wishes));
  }
  return graph;
}

}  // namespace tenfold
