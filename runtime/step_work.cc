// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/step_work.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/runtime/plan_memory.h"

namespace tenfold {
namespace {

constexpr size_t kMostOps = 4;  // that a description names

double Value(const Dim& dim, const SymbolValues& symbols) {
  return static_cast<double>(dim.Evaluate(symbols).value_or(0));
}

double Product(const std::vector<Dim>& dims, size_t begin, size_t end, const SymbolValues& symbols) {
  double product = 1;
  for (size_t d = begin; d < end; ++d) product *= Value(dims[d], symbols);
  return product;
}

double OperationsOf(const ScalarProgram& program) {
  double count = 0;
  for (const Instr& instr : program.instrs) {
    switch (instr.prim) {
      case Prim::kInput:
      case Prim::kConst:
      case Prim::kConvert:
      case Prim::kBitcast:
        break;
      case Prim::kFma:
        count += 2;
        break;
      default:
        count += 1;
    }
  }
  return count;
}

double OperationsOf(const FusedKernel& kernel, const SymbolValues& symbols) {
  const double rows = Product(kernel.extents, 0, kernel.parallel_rank, symbols);
  const double elements =
      rows * Product(kernel.extents, kernel.parallel_rank, kernel.extents.size(), symbols);
  double count = 0;
  for (const FusedKernel::Stage& stage : kernel.stages) {
    count += OperationsOf(stage.program) * (stage.per_row ? rows : elements);
    if (stage.kind == FusedKernel::Stage::kReduce) count += OperationsOf(stage.combine) * elements;
  }
  return count;
}

double OperationsOf(const MatMulLayout& layout, const SymbolValues& symbols) {
  return 2 * Product(layout.batch, 0, layout.batch.size(), symbols) * Value(layout.m, symbols) *
         Value(layout.k, symbols) * Value(layout.n, symbols);
}

// Of the windows that lie in the padding, too.
double OperationsOf(const ConvolutionLayout& layout, const SymbolValues& symbols) {
  double count = 2 * Value(layout.batch, symbols) * static_cast<double>(layout.groups) *
                 Value(layout.in_channels, symbols) * Value(layout.out_channels, symbols);
  for (const WindowLayout& window : layout.window) {
    count *= Value(window.kernel, symbols) * Value(layout.transposed ? window.input : window.output, symbols);
  }
  return count;
}

}  // namespace

StepWork WorkOf(const Plan& plan, const PlanStep& step, const SymbolValues& symbols) {
  StepWork work;
  std::set<int> values;  // an operand that is read twice counts once
  for (int v : StepInputs(step)) values.insert(v);
  for (int v : StepOutputs(step)) values.insert(v);
  for (int v : values) {
    const bool splat = plan.values[v].storage == StorageKind::kConstant && plan.values[v].constant.is_splat();
    if (!splat) work.bytes += static_cast<double>(BytesOf(plan.values[v].type, symbols).value_or(0));
  }
  if (const auto* fused = std::get_if<FusedStep>(&step.work)) {
    work.operations = OperationsOf(fused->kernel, symbols);
  } else if (const auto* matmul = std::get_if<MatMulStep>(&step.work)) {
    work.operations = OperationsOf(matmul->layout, symbols);
  } else if (const auto* kernel = std::get_if<KernelStep>(&step.work); kernel && kernel->convolution) {
    work.operations = OperationsOf(*kernel->convolution, symbols);
  }
  return work;
}

absl::string_view KindOf(const PlanStep& step) {
  constexpr const char* kKinds[] = {"kernel", "matmul", "copy", "host kernel", "shape", "control"};
  static_assert(std::size(kKinds) == std::variant_size_v<decltype(step.work)>);
  return kKinds[step.work.index()];
}

std::string Describe(const Plan& plan, const PlanStep& step) {
  std::string text;
  for (size_t i = 0; i < std::min(step.nodes.size(), kMostOps); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", step.nodes[i].op);
  }
  if (step.nodes.size() > kMostOps) absl::StrAppend(&text, " and ", step.nodes.size() - kMostOps, " more");
  const std::vector<int> outputs = StepOutputs(step);
  return outputs.empty() ? text : absl::StrCat(text, ": ", plan.values[outputs.back()].name);
}

}  // namespace tenfold
