// SPDX-License-Identifier: Apache-2.0
//
// From a Graph to something that runs.
//
//   absl::StatusOr<Executable> digits = Compile(graph, {.device = "cpu"});
//   absl::StatusOr<NamedTensors> out = digits->Run({{"x", images}});
#ifndef TENFOLD_COMPILER_COMPILE_H_
#define TENFOLD_COMPILER_COMPILE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/compiler/remark.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/limits.h"
#include "tenfold/runtime/executable.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// Where the pipeline stands; each stage is the graph after its passes.
enum class Stage : uint8_t { kSource, kChecked, kFolded, kOptimized, kPlaced, kFused, kPlanned };
inline constexpr int kNumStages = 7;
absl::string_view Name(
    Stage stage);  // "source", "checked", "folded", "optimized", "placed", "fused", "planned"
std::optional<Stage> ParseStage(absl::string_view name);

// Limits on what folding may spend. They count, they do not measure: the result never depends on the machine.
struct FoldBudget {
  int64_t max_result_bytes = int64_t{64} << 20;  // of one folded value
  int64_t max_growth_bytes = int64_t{16}
                             << 20;  // by which results may exceed the constants they replace, in all
  int64_t max_operations = int64_t{1} << 31;  // estimated scalar operations, in all
};

struct CompileOptions {
  // "auto", "cpu", "cuda:0". auto takes a GPU if one is there, else the CPU.
  std::string device = "cpu";
  // 0: checked only, and quick code for kernels (KernelCompileOptions). 1: exact folding, common
  // subexpressions, dead nodes. 2: everything.
  int opt_level = 2;
  Numerics numerics = Numerics::kReassoc;
  // Further values to give out, by the name they have in the source graph; after the graph's own outputs.
  std::vector<std::string> fetches = {};
  FoldBudget fold_budget = {};
  std::vector<std::string> disabled_passes = {};

  // How it runs; see ExecutableOptions.
  JitMode jit = JitMode::kWait;
  int threads = 0;
  std::shared_ptr<ThreadPool> pool = nullptr;
  std::optional<IsaLevel> isa = std::nullopt;
  // Nodes, dims, bytes of a tensor: of the graph in every stage, of what folding computes, and of runs.
  Limits limits = {};
  // Of every run; see ExecutableOptions.
  int64_t memory_limit = std::numeric_limits<int64_t>::max();

  // Compilation ends with E0610 or E0611 once this has passed or is true. Neither ever changes a result.
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
  const std::atomic<bool>* cancelled = nullptr;

  // Contractions by the reference loop nest alone.
  bool reference_contractions = false;
};

// What happened on the way, for those who ask.
struct CompileReport {
  std::vector<Remark> remarks;
  // The graph after each stage from kSource to kFused, as far as compilation came.
  std::vector<std::pair<Stage, Graph>> stages;
  // Filled in if the pipeline reached kPlanned.
  std::optional<Plan> plan;
};

// Runs the passes up to and including `last`. Errors: E08xx, and those of inference.
absl::Status RunPipeline(const Graph& graph, const CompileOptions& options, Stage last,
                         CompileReport& report);

// How Compile has kernels compiled for the CPU.
KernelCompileOptions KernelOptions(const CompileOptions& options);

// The whole way. Errors also those of Executable::Create.
absl::StatusOr<Executable> Compile(const Graph& graph, const CompileOptions& options = {},
                                   CompileReport* report = nullptr);

// The passes in order, one line each with the reason why it stands where it does: what the documentation
// shows.
std::string DescribePipeline();

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_COMPILE_H_
