// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/conformance/backend_case.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/import.h"
#include "tenfold/graph/onnx/model_file.h"
#include "tenfold/tools/compare.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;

// As ONNX's own runner has them.
constexpr double kRelative = 1e-3, kAbsolute = 1e-7;

bool IsRandom(const std::string& op) {
  return absl::StartsWith(op, "Random") || op == "Bernoulli" || op == "Multinomial";
}

// What the file itself says, of which the graph may know less: inputs that became constants.
struct ModelFacts {
  std::vector<std::string> inputs;
  std::string op;
  bool random = false;
};

absl::StatusOr<ModelFacts> ReadFacts(const std::string& path) {
  const Limits limits;
  TENFOLD_ASSIGN_OR_RETURN(const onnx::FileBytes file, onnx::OpenBytes(path, limits));
  onnx::ModelProto model;
  TENFOLD_RETURN_IF_ERROR(onnx::ParseMessage(file.bytes, onnx::MessageKind::kModel, limits, model));
  ModelFacts facts;
  std::set<std::string> constants;
  for (const auto& tensor : model.graph().initializer()) constants.insert(tensor.name());
  for (const auto& input : model.graph().input()) {
    if (!constants.contains(input.name())) facts.inputs.push_back(input.name());
  }
  facts.op = model.graph().node_size() == 1 ? model.graph().node(0).op_type() : "several ops";
  for (const auto& node : model.graph().node()) facts.random = facts.random || IsRandom(node.op_type());
  return facts;
}

// The K tensors of files input_K.pb or output_K.pb.
absl::StatusOr<std::vector<Tensor>> ReadTensors(const fs::path& folder, const std::string& what) {
  std::vector<Tensor> tensors;
  for (int k = 0;; ++k) {
    const fs::path path = folder / absl::StrCat(what, "_", k, ".pb");
    std::error_code error;
    if (!fs::exists(path, error)) return tensors;
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, ReadOnnxTensor(path.string()));
    tensors.push_back(std::move(tensor));
  }
}

// Data of early releases hold bf16 as u16, which NumPy has.
absl::StatusOr<Tensor> AsBf16(const Tensor& tensor, DType due) {
  if (due != DType::kBF16 || tensor.dtype() != DType::kU16 || tensor.num_elements() == 0) return tensor;
  return Tensor::Wrap(due, tensor.dims(), tensor.data(), tensor.owner());
}

// The graph, with as few of the feeds as need be as constants.
absl::StatusOr<Graph> Import(const std::string& path, const NamedTensors& feeds) {
  OnnxOptions options;
  std::vector<std::string> needed;
  options.needed_constants = &needed;
  while (true) {
    absl::StatusOr<Graph> graph = ImportOnnx(path, options);
    if (graph.ok()) return graph;
    const size_t before = options.constants.size();
    for (const auto& [name, tensor] : feeds) {
      const bool is_needed = std::find(needed.begin(), needed.end(), name) != needed.end();
      const bool has = std::any_of(options.constants.begin(), options.constants.end(),
                                   [&name = name](const auto& constant) { return constant.first == name; });
      if (is_needed && !has) options.constants.emplace_back(name, tensor);
    }
    needed.clear();
    if (options.constants.size() == before) return graph;
  }
}

std::string CompareAll(const NamedTensors& got, const std::vector<Tensor>& wanted, bool types_only) {
  if (got.size() < wanted.size())
    return absl::StrCat("gives ", got.size(), " results, but ", wanted.size(), " are wanted");
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto& [name, tensor] = got[i];
    if (types_only) {
      if (tensor.type() == wanted[i].type()) continue;
      return absl::StrCat(name, ": got ", tensor.type().ToString(), ", want ", wanted[i].type().ToString());
    }
    Tolerance tolerance;
    if (HasNan(wanted[i].dtype())) tolerance = {.rtol = kRelative, .atol = kAbsolute, .equal_nan = true};
    const Comparison comparison = Compare(tensor, wanted[i], tolerance);
    if (!comparison.passed()) return comparison.ToString(name, tolerance);
  }
  return "";
}

absl::StatusOr<std::string> RunDataSet(const std::string& model, const fs::path& data,
                                       const ModelFacts& facts, const CompileOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(std::vector<Tensor> inputs, ReadTensors(data, "input"));
  TENFOLD_ASSIGN_OR_RETURN(std::vector<Tensor> wanted, ReadTensors(data, "output"));
  if (inputs.size() > facts.inputs.size()) return std::string("has more inputs than its model");
  NamedTensors feeds;
  for (size_t i = 0; i < inputs.size(); ++i) feeds.emplace_back(facts.inputs[i], std::move(inputs[i]));
  TENFOLD_ASSIGN_OR_RETURN(const Graph graph, Import(model, feeds));
  std::erase_if(feeds, [&](const auto& feed) {
    return std::none_of(graph.inputs().begin(), graph.inputs().end(),
                        [&](ValueId input) { return graph.value(input).name == feed.first; });
  });
  for (auto& [name, tensor] : feeds) {
    const std::optional<ValueId> input = graph.FindValue(name);
    TENFOLD_ASSIGN_OR_RETURN(tensor, AsBf16(tensor, graph.value(*input).type.dtype));
  }
  TENFOLD_ASSIGN_OR_RETURN(const Executable executable, Compile(graph, options));
  TENFOLD_ASSIGN_OR_RETURN(const NamedTensors got, executable.Run(feeds));
  for (size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    TENFOLD_ASSIGN_OR_RETURN(wanted[i], AsBf16(wanted[i], got[i].second.dtype()));
  }
  return CompareAll(got, wanted, facts.random);
}

}  // namespace

std::vector<std::string> FindBackendCases(const std::string& folder) {
  std::vector<std::string> cases;
  std::error_code error;
  for (const auto& kind : fs::directory_iterator(folder, error)) {
    if (!kind.is_directory(error)) continue;
    for (const auto& each : fs::directory_iterator(kind.path(), error)) {
      if (fs::exists(each.path() / "model.onnx", error))
        cases.push_back((kind.path().filename() / each.path().filename()).string());
    }
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

CaseResult RunBackendCase(const std::string& path, const CompileOptions& options) {
  CaseResult result;
  const std::string model = absl::StrCat(path, "/model.onnx");
  const absl::StatusOr<ModelFacts> facts = ReadFacts(model);
  if (!facts.ok()) return {"no model", std::string(facts.status().message())};
  result.op = facts->op;
  std::vector<fs::path> sets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (absl::StartsWith(entry.path().filename().string(), "test_data_set_")) sets.push_back(entry.path());
  }
  std::sort(sets.begin(), sets.end());
  if (sets.empty()) result.failure = "has no data";
  for (const fs::path& data : sets) {
    const absl::StatusOr<std::string> difference = RunDataSet(model, data, *facts, options);
    result.failure = difference.ok() ? *difference : std::string(difference.status().message());
    if (!result.failure.empty()) break;
  }
  return result;
}

}  // namespace tenfold
