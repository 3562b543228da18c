// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/fuzz/exercise.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/compiler/pipeline.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/printer.h"

namespace tenfold::fuzz {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 20;

// Symbols take the least of their bounds, but 3 if that is less.
SymbolValues SmallSymbols(const Graph& graph) {
  SymbolValues symbols;
  std::vector<std::string> names;
  for (ValueId id : graph.inputs()) {
    const Shape& shape = graph.value(id).type.shape;
    if (!shape.has_rank()) continue;
    for (const Dim& dim : shape.dims()) dim.CollectSymbols(names);
  }
  for (const std::string& name : names) {
    const auto bounds = graph.symbol_bounds.find(name);
    int64_t value = 3;
    if (bounds != graph.symbol_bounds.end()) {
      value = std::max(value, bounds->second.min);
      if (bounds->second.max) value = std::min(value, *bounds->second.max);
    }
    symbols[name] = value;
  }
  return symbols;
}

// nullopt if an input would be large, or has no extents.
std::optional<NamedTensors> SmallFeeds(const Graph& graph) {
  const SymbolValues symbols = SmallSymbols(graph);
  NamedTensors feeds;
  for (ValueId id : graph.inputs()) {
    const TensorType& type = graph.value(id).type;
    if (!type.shape.has_rank()) return std::nullopt;
    const std::optional<Dims> dims = type.shape.Evaluate(symbols);
    if (!dims || std::any_of(dims->begin(), dims->end(), [](int64_t d) { return d < 0; }))
      return std::nullopt;
    const std::optional<int64_t> count = NumElements(*dims);
    if (!count || *count > kMaxBytes / 8) return std::nullopt;
    absl::StatusOr<Tensor> tensor = Tensor::Allocate(type.dtype, *dims);
    if (!tensor.ok()) return std::nullopt;
    char* const bytes = static_cast<char*>(tensor->mutable_data());
    for (size_t i = 0; i < tensor->stored_bytes(); ++i) {
      bytes[i] = static_cast<char>(IsBool(type.dtype) ? i % 2 : i * 37 + 1);
    }
    feeds.emplace_back(graph.value(id).name, *std::move(tensor));
  }
  return feeds;
}

// The results, or nothing where the run was refused.
std::optional<NamedTensors> Run(const Graph& graph, int opt_level, const NamedTensors& feeds) {
  CompileOptions options;
  options.opt_level = opt_level;
  options.numerics = Numerics::kExact;
  options.fold_budget = {kMaxBytes, kMaxBytes, kMaxBytes};
  options.limits = SmallLimits();
  // Compile without its code generators and devices, which would have to be built for the fuzzer, too.
  CompileReport report;
  const absl::Status planned = RunPipeline(graph, options, Stage::kPlanned, report);
  CheckNotOurBug(planned);
  if (!planned.ok()) return std::nullopt;
  const absl::StatusOr<Executable> executable = Executable::Create(
      *std::move(report.plan),
      {.threads = 1, .jit = JitMode::kOff, .limits = options.limits, .memory_limit = 64 * kMaxBytes});
  CheckNotOurBug(executable.status());
  if (!executable.ok()) return std::nullopt;
  RunOptions run;
  run.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  absl::StatusOr<NamedTensors> results = executable->Run(feeds, run);
  CheckNotOurBug(results.status());
  if (!results.ok()) return std::nullopt;
  return *std::move(results);
}

}  // namespace

void Bug(absl::string_view what, const absl::Status& status) {
  std::fprintf(stderr, "fuzz: %s%s\n", std::string(what).c_str(), std::string(status.message()).c_str());
  std::abort();
}

Limits SmallLimits() {
  Limits limits;
  limits.file_bytes = int64_t{1} << 22;
  limits.graph_bytes = int64_t{1} << 18;
  limits.text_bytes = int64_t{1} << 18;
  limits.nodes = 500;
  limits.tensor_bytes = int64_t{1} << 22;
  limits.inflate_ratio = 100;
  limits.loop_steps = 1000;
  return limits;
}

void CheckNotOurBug(const absl::Status& status) {
  for (const Diagnostic& diagnostic : DiagnosticsOf(status)) {
    if (diagnostic.code == "E9001") Bug(diagnostic.ToString(), {});
  }
}

void ExerciseGraph(const Graph& graph) {
  if (const absl::Status verified = VerifyGraph(graph); !verified.ok()) Bug("", verified);
  PrintText(graph);
  const absl::StatusOr<std::string> bytes = SerializeGraph(graph);
  CheckNotOurBug(bytes.status());
  const std::optional<NamedTensors> feeds = SmallFeeds(graph);
  if (!feeds) return;
  const std::optional<NamedTensors> plain = Run(graph, 0, *feeds), optimised = Run(graph, 2, *feeds);
  // Optimised code may succeed where a node that no output needs failed, or where less memory is needed.
  if (!plain || !optimised) return;
  for (size_t i = 0; i < plain->size(); ++i) {
    if (!SameBits((*plain)[i].second, (*optimised)[i].second)) {
      Bug(absl::StrCat("output ", (*plain)[i].first, " differs when optimised"), {});
    }
  }
}

void ExerciseTensor(const Tensor& tensor) {
  tensor.ToString();
  if (tensor.num_elements() > kMaxBytes / 8) return;
  GraphBuilder g("array");
  const Value array = g.Const(tensor, "a");
  g.Output("a", array);
  g.Output("flat", Reshape(array, {-1}));
  if (tensor.rank() <= 8) g.Output("equal", Equal(array, array));
  const absl::StatusOr<Graph> graph = std::move(g).Build();
  CheckNotOurBug(graph.status());
  if (graph.ok()) ExerciseGraph(*graph);
}

}  // namespace tenfold::fuzz
