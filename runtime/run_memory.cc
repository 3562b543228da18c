// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/run_memory.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/plan_memory.h"

namespace tenfold {
namespace {

// The node that computes `value`, where a step names it: "MatMul 'm'"; else the step's first.
const PlanNode& NodeOf(const PlanStep& step, const PlanValue& value) {
  for (const PlanNode& node : step.nodes) {
    if (node.name == value.name) return node;
  }
  return step.nodes[0];
}

// "N = 512, M = 3".
std::string SymbolsText(const Plan& plan, const SymbolValues& symbols) {
  return absl::StrJoin(plan.symbols, ", ", [&](std::string* out, const PlanSymbol& symbol) {
    const auto it = symbols.find(symbol.name);
    if (it != symbols.end()) absl::StrAppend(out, symbol.name, " = ", it->second);
  });
}

}  // namespace

const Dim& ArenaBytes(const Plan& plan, int stage) {
  return stage == 0 ? plan.memory.arena_bytes : plan.memory.later_arena_bytes[stage - 1];
}

absl::Status CheckValueSizes(const Plan& plan, int stage, const SymbolValues& symbols, const Limits& limits) {
  const int64_t arena = ArenaBytes(plan, stage).Evaluate(symbols).value_or(0);  // no value: refused elsewhere
  int64_t largest = arena;
  const PlanStep* culprit = nullptr;
  const PlanValue* too_large = nullptr;
  const size_t next = stage + 1;
  const size_t end = next < plan.stages.size() ? plan.stages[next] : plan.steps.size();
  for (size_t s = plan.stages[stage]; s < end; ++s) {
    const PlanStep& step = plan.steps[s];
    for (const int index : StepOutputs(step)) {
      const PlanValue& value = plan.values[plan.Root(index)];
      if (value.storage == StorageKind::kStep) continue;  // the step sees to it
      const int64_t bytes = BytesOf(value.type, symbols).value_or(INT64_MAX);
      largest = std::max(largest, bytes);
      if (bytes <= limits.tensor_bytes || too_large != nullptr) continue;
      culprit = &step;
      too_large = &value;
    }
  }
  if (largest <= limits.tensor_bytes) return absl::OkStatus();
  Diagnostic d;
  d.code = "E0402";
  // One flag for all that is too large, not one after the other.
  if (largest < INT64_MAX) d.help = {RaiseLimitHelp("tensor_bytes", largest)};
  if (too_large == nullptr) {
    d.message = absl::StrCat("the intermediates of '", plan.name, "' take ", arena,
                             " bytes together; the limit tensor_bytes is ", limits.tensor_bytes);
    d.notes.push_back(absl::StrCat("the largest values:\n", LargestValues(plan, symbols)));
    return ToStatus(std::move(d));
  }
  const PlanNode& node = NodeOf(*culprit, *too_large);
  const std::optional<Dims> dims = too_large->type.shape.Evaluate(symbols);
  const std::optional<int64_t> bytes = BytesOf(too_large->type, symbols);
  d.message = absl::StrCat(
      node.op, " '", node.name, "' is ",
      dims ? absl::StrCat(Name(too_large->type.dtype), DimsToString(*dims)) : too_large->type.ToString(),
      bytes ? absl::StrCat(": ", *bytes, " bytes; the limit tensor_bytes is ", limits.tensor_bytes)
            : ": more bytes than 64 bits can count");
  d.location = node.location;
  return ToStatus(std::move(d));
}

absl::Status OverMemoryLimit(const Plan& plan, const SymbolValues& symbols, const RunMemory& memory,
                             int64_t limit) {
  Diagnostic d;
  d.code = "E0404";
  d.message =
      absl::StrCat("a run of '", plan.name, "' holds ", memory.total, " bytes; the memory limit is ", limit);
  d.notes.push_back(absl::StrCat(memory.intermediates, " of intermediates, ", memory.outputs, " of outputs, ",
                                 memory.scratch, " of scratch, ", memory.constants, " of constants"));
  if (!plan.symbols.empty()) {
    d.notes.push_back(absl::StrCat("with ", SymbolsText(plan, symbols), ": intermediates take ",
                                   plan.memory.arena_bytes.ToString(), ", outputs ",
                                   plan.memory.output_bytes.ToString()));
  }
  d.notes.push_back(absl::StrCat("the largest values:\n", LargestValues(plan, symbols)));
  d.help = {MendByFlag("allow it: ", "--memory-limit", absl::StrCat(memory.total),
                       " (in C++, memory_limit of CompileOptions or RunOptions)")};
  return ToStatus(std::move(d));
}

}  // namespace tenfold
