// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/bits/same_bits.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/tests/bits/bit_case.h"

namespace tenfold::testing {
namespace {

constexpr IsaLevel kLevels[] = {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512};

// An Executable with what it is compared with.
struct Compiled {
  std::string name;  // "jit -O2 avx2"
  bool chained;
  Invocation invocation;
};

bool IsSelected(const std::vector<std::string>& chosen, absl::string_view name) {
  return chosen.empty() ||
         std::any_of(chosen.begin(), chosen.end(), [&](const std::string& c) { return c == name; });
}

// Whether the compiler can make one kernel of the op and its neighbours.
bool Fuses(const OpDef& op) {
  return op.Is<Elementwise>() || op.Is<Reduction>() || op.Is<Composite>() || op.name == "Transpose";
}

// Equal subexpressions stay apart: the settings of a case are to be independent of one another.
CompileOptions BaseOptions(int opt_level) {
  CompileOptions options;
  options.opt_level = opt_level;
  options.numerics = Numerics::kExact;
  options.reference_contractions = true;
  options.disabled_passes = {"eliminate-common-subexpressions", "eliminate-common-subexpressions-of-parts"};
  options.fold_budget = {int64_t{1} << 40, int64_t{1} << 40, int64_t{1} << 60};
  return options;
}

class CaseRun {
 public:
  CaseRun(const BitCase& bit_case, const SameBitsOptions& options, std::shared_ptr<ThreadPool> pool)
      : case_(bit_case), options_(options), pool_(std::move(pool)) {
    row_.op = case_.op->name;
    row_.dtype = case_.dtype;
  }

  absl::StatusOr<SameBitsRow> Run() {
    TENFOLD_RETURN_IF_ERROR(CompileAll());
    // A seed of each case's own, so that a run of one case repeats what a run of all did.
    uint64_t seed = options_.seed * 64 + static_cast<int>(case_.dtype);
    for (char c : row_.op) seed = seed * 131 + static_cast<unsigned char>(c);
    BitFeeds feeds(case_, options_.random_elements, seed);
    while (!feeds.done()) {
      const bool special = feeds.next_is_special();
      TENFOLD_ASSIGN_OR_RETURN(const std::vector<Tensor> tensors, feeds.Next());
      TENFOLD_RETURN_IF_ERROR(RunAll(tensors, special));
    }
    row_.executors = static_cast<int>(executors_.size());
    return std::move(row_);
  }

 private:
  absl::Status CompileAll() {
    for (const IsaLevel level : kLevels) {
      if (level > HostIsaLevel()) continue;
      TENFOLD_RETURN_IF_ERROR(
          AddCompiled(absl::StrCat("jit -O0 ", Name(level)), false, JitMode::kWait, level));
      TENFOLD_RETURN_IF_ERROR(
          AddCompiled(absl::StrCat("jit -O2 ", Name(level)), true, JitMode::kWait, level));
    }
    return AddCompiled("interpreted -O2", true, JitMode::kOff, HostIsaLevel());
  }

  absl::Status AddCompiled(std::string name, bool chained, JitMode jit, IsaLevel level) {
    CompileOptions options = BaseOptions(chained ? 2 : 0);
    options.jit = jit;
    options.isa = level;
    options.pool = pool_;
    CompileReport report;
    TENFOLD_ASSIGN_OR_RETURN(const Executable executable,
                             Compile(chained ? case_.chained : case_.alone, options, &report));
    const bool fused = std::any_of(report.remarks.begin(), report.remarks.end(),
                                   [](const Remark& r) { return r.pass == "fuse" && r.did; });
    if (chained && Fuses(*case_.op) && !fused) {
      return MakeError("E9001", absl::StrCat(row_.op, " was not fused with its neighbours"));
    }
    const bool compiles =
        Fuses(*case_.op) && (chained || !case_.op->Is<Movement>());  // a copy alone needs no kernel
    if (jit == JitMode::kWait && compiles && executable.num_compiled_steps() == 0) {
      return MakeError("E9001", absl::StrCat(row_.op, " was not compiled"));
    }
    compiled_.push_back({std::move(name), chained, executable.Prepare()});
    return absl::OkStatus();
  }

  absl::Status RunAll(const std::vector<Tensor>& feeds, bool special) {
    int64_t elements = 0;
    for (const Tensor& feed : feeds) elements = std::max(elements, feed.num_elements());
    (special ? row_.special : row_.random) += elements;

    TENFOLD_ASSIGN_OR_RETURN(const std::vector<Tensor> alone, EvaluateGraph(case_.alone, feeds));
    TENFOLD_ASSIGN_OR_RETURN(const std::vector<Tensor> chained, EvaluateGraph(case_.chained, feeds));
    for (const IsaLevel level : kLevels) {
      if (level >= HostIsaLevel()) continue;  // the host's own is the reference
      TENFOLD_ASSIGN_OR_RETURN(const std::vector<Tensor> got, EvaluateGraph(case_.alone, feeds, level));
      for (size_t i = 0; i < got.size(); ++i) {
        Compare(absl::StrCat("interpreter ", Name(level)), case_.alone, i, feeds, alone[i], got[i].data());
      }
    }
    if (!case_.op->is_barrier) TENFOLD_RETURN_IF_ERROR(RunFolder(feeds, alone));
    for (Compiled& c : compiled_) TENFOLD_RETURN_IF_ERROR(RunCompiled(c, feeds, c.chained ? chained : alone));
    return absl::OkStatus();
  }

  // The graph with constants for inputs, folded.
  absl::Status RunFolder(const std::vector<Tensor>& feeds, const std::vector<Tensor>& want) {
    Graph graph(case_.alone.shared_registry());
    std::vector<ValueId> values(case_.alone.num_values());
    size_t next_feed = 0;
    for (NodeId id : case_.alone.nodes()) {
      const Node& node = case_.alone.node(id);
      const bool is_input = node.op->name == "Input";
      const OpDef& op = is_input ? *graph.registry().Find("Const") : *node.op;
      std::vector<ValueId> inputs;
      for (ValueId input : node.inputs) inputs.push_back(values[static_cast<size_t>(input)]);
      Attrs attrs = is_input ? Attrs{{"value", feeds[next_feed++]}} : node.attrs;
      TENFOLD_ASSIGN_OR_RETURN(NodeId copy, graph.AddNode(op, std::move(inputs), std::move(attrs),
                                                          {case_.alone.DisplayName(id)}, {}));
      values[static_cast<size_t>(node.outputs[0])] = graph.node(copy).outputs[0];
    }
    for (const GraphOutput& output : case_.alone.outputs()) {
      TENFOLD_RETURN_IF_ERROR(graph.AddOutput(output.name, values[static_cast<size_t>(output.value)]));
    }
    CompileReport report;
    TENFOLD_RETURN_IF_ERROR(RunPipeline(graph, BaseOptions(1), Stage::kFolded, report));
    const Graph& folded = report.stages.back().second;
    for (size_t i = 0; i < want.size(); ++i) {
      const Tensor* got = folded.ConstantValue(folded.outputs()[i].value);
      if (got == nullptr) return MakeError("E9001", absl::StrCat(row_.op, " was not folded"));
      TENFOLD_ASSIGN_OR_RETURN(const Tensor dense, got->Materialize());
      Compare("folder", case_.alone, i, feeds, want[i], dense.data());
    }
    return absl::OkStatus();
  }

  absl::Status RunCompiled(Compiled& compiled, const std::vector<Tensor>& feeds,
                           const std::vector<Tensor>& want) {
    for (size_t i = 0; i < feeds.size(); ++i) {
      TENFOLD_RETURN_IF_ERROR(compiled.invocation.SetInput(static_cast<int>(i), feeds[i]));
    }
    for (const int threads : options_.threads) {
      RunOptions how;
      how.threads = threads;
      TENFOLD_RETURN_IF_ERROR(compiled.invocation.Run(how));
      for (size_t i = 0; i < want.size(); ++i) {
        Compare(absl::StrCat(compiled.name, " threads=", threads),
                compiled.chained ? case_.chained : case_.alone, i, feeds, want[i],
                compiled.invocation.Output(static_cast<int>(i)).data);
      }
    }
    return absl::OkStatus();
  }

  // Bytes alone count: NaNs are canonical in every output.
  void Compare(const std::string& executor, const Graph& graph, size_t output,
               const std::vector<Tensor>& feeds, const Tensor& want, const void* got) {
    if (std::find(executors_.begin(), executors_.end(), executor) == executors_.end())
      executors_.push_back(executor);
    row_.results += want.num_elements();
    if (want.num_elements() == 0 || std::memcmp(want.data(), got, want.logical_bytes()) == 0) return;
    const size_t size = SizeOf(want.dtype());
    const auto* a = static_cast<const char*>(want.data());
    const auto* b = static_cast<const char*>(got);
    int64_t first = -1;
    for (int64_t i = 0; i < want.num_elements(); ++i) {
      if (std::memcmp(a + i * size, b + i * size, size) == 0) continue;
      if (first < 0) first = i;
      ++row_.mismatches;
    }
    const std::string& name = graph.outputs()[output].name;
    const std::string start = absl::StrCat(executor, " [", name, "]: ");
    const auto known = [&](const std::string& m) { return absl::StartsWith(m, start); };
    if (std::any_of(row_.first_mismatches.begin(), row_.first_mismatches.end(), known)) return;
    const absl::StatusOr<Tensor> element = Tensor::Splat(want.dtype(), {}, b + first * size);
    std::string text =
        absl::StrCat(start, "element ", first, " of ", DimsToString(want.dims()), " is ",
                     element.ok() ? ElementToString(*element, 0) : "?", HexBits(b + first * size, size),
                     ", not ", ElementToString(want, first), HexBits(a + first * size, size));
    for (const Tensor& feed : feeds) {
      if (feed.num_elements() == want.num_elements())
        absl::StrAppend(&text, "; fed ", ElementToString(feed, first));
    }
    row_.first_mismatches.push_back(std::move(text));
  }

  static std::string HexBits(const char* element, size_t size) {
    uint64_t bits = 0;
    std::memcpy(&bits, element, size);
    return absl::StrCat(" (0x", absl::Hex(bits), ")");
  }

  const BitCase& case_;
  const SameBitsOptions& options_;
  std::shared_ptr<ThreadPool> pool_;
  std::vector<Compiled> compiled_;
  std::vector<std::string> executors_;
  SameBitsRow row_;
};

}  // namespace

absl::StatusOr<std::vector<SameBitsRow>> CompareBits(const SameBitsOptions& options,
                                                     const std::function<void(const SameBitsRow&)>& report) {
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<BitCase> cases, AllBitCases(OpRegistry::Standard()));
  // One pool for all; a run takes as many of its threads as it is told.
  const int most =
      options.threads.empty() ? 1 : *std::max_element(options.threads.begin(), options.threads.end());
  const auto pool = std::make_shared<ThreadPool>(most);
  std::vector<SameBitsRow> rows;
  for (const BitCase& bit_case : cases) {
    if (!IsSelected(options.ops, bit_case.op->name) || !IsSelected(options.dtypes, Name(bit_case.dtype)))
      continue;
    absl::StatusOr<SameBitsRow> row = CaseRun(bit_case, options, pool).Run();
    if (!row.ok()) {
      return WithNote(row.status(),
                      absl::StrCat("in the case ", bit_case.op->name, " of ", Name(bit_case.dtype)));
    }
    report(*row);
    rows.push_back(*std::move(row));
  }
  return rows;
}

}  // namespace tenfold::testing
