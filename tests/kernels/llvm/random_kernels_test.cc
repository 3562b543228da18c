// SPDX-License-Identifier: Apache-2.0
//
// Kernels that nobody thought of: random programs in random stages over random shapes and strides.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/tests/kernels/llvm/kernel_harness.h"

namespace tenfold::testing {
namespace {

using Source = FusedKernel::Source;

class RandomKernel {
 public:
  explicit RandomKernel(uint32_t seed) : random_(seed) { kernel_.name = absl::StrCat("random ", seed); }

  FusedKernel Make() {
    const int rank = Below(4) + 1;
    kernel_.parallel_rank = Below(rank + 1);
    for (int d = 0; d < rank; ++d) kernel_.extents.push_back(Dim(Pick<int64_t>({1, 2, 3, 7, 16, 19, 33})));
    const int inputs = Below(3) + 1;
    for (int i = 0; i < inputs; ++i) {
      kernel_.inputs.push_back({AnyType(), Strides()});
      sources_.push_back(Input(i));
    }
    const int stages = Below(4) + 1;
    for (int s = 0; s < stages; ++s) AddStage();
    for (int o = 0; o < Below(2) + 1; ++o) AddOutput();
    return kernel_;
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % n); }
  template <typename T>
  T Pick(const std::vector<T>& from) {
    return from[random_() % from.size()];
  }
  DType AnyType() { return kComputedDTypes[Below(static_cast<int>(kComputedDTypes.size()))]; }

  // Dense in a random order of dims, with gaps and broadcasts.
  std::vector<Dim> Strides() {
    std::vector<int> order(kernel_.rank());
    for (int d = 0; d < kernel_.rank(); ++d) order[d] = d;
    if (Below(2)) std::shuffle(order.begin(), order.end(), random_);
    std::vector<Dim> strides(kernel_.rank());
    int64_t stride = Below(4) ? 1 : 2;
    for (size_t i = order.size(); i-- > 0;) {
      if (Below(5) == 0) {
        strides[order[i]] = 0;
        continue;
      }
      strides[order[i]] = stride;
      stride *= kernel_.extents[order[i]].constant();
    }
    return strides;
  }

  void AddStage() {
    const int index = static_cast<int>(kernel_.stages.size());
    const Source source = Pick(sources_);
    const DType type = kernel_.SourceType(source);
    const Reduction reduction = static_cast<Reduction>(Below(6));
    if (kernel_.reduced_rank() > 0 && Below(3) == 0 && Reduces(reduction, type)) {
      kernel_.stages.push_back(Reduce(reduction, type, source));
      sources_.push_back(StageOutput(index));
      return;
    }
    std::vector<Source> inputs = {source, Pick(sources_), Pick(sources_)};
    const bool per_row =
        kernel_.reduced_rank() > 0 &&
        std::all_of(inputs.begin(), inputs.end(), [&](const Source& s) { return kernel_.IsPerRow(s); });
    kernel_.stages.push_back(Map(AnyProgram(inputs), inputs, per_row));
    const int outputs = static_cast<int>(kernel_.stages.back().program.outputs.size());
    for (int o = 0; o < outputs; ++o) sources_.push_back(StageOutput(index, o));
  }

  ScalarProgram AnyProgram(const std::vector<Source>& inputs) {
    ScalarProgram program;
    for (size_t i = 0; i < inputs.size(); ++i) {
      program.inputs.push_back(kernel_.SourceType(inputs[i]));
      program.instrs.push_back({.prim = Prim::kInput, .type = program.inputs[i], .bits = i});
    }
    for (int tries = 0; tries < 60 && program.instrs.size() < 14; ++tries) AddInstr(program);
    program.outputs = {static_cast<int32_t>(program.instrs.size()) - 1};
    if (Below(2)) program.outputs.push_back(Below(static_cast<int>(program.instrs.size())));
    return program;
  }

  // An instruction drawn blindly, kept if it verifies.
  void AddInstr(ScalarProgram& program) {
    Instr instr{.prim = static_cast<Prim>(2 + Below(kNumPrims - 2)), .type = AnyType()};
    for (int a = 0; a < NumArgs(instr.prim); ++a)
      instr.args[a] = Below(static_cast<int>(program.instrs.size()));
    const DType first = program.instrs[instr.args[0]].type;
    if (Below(4)) instr.type = first;
    // A NaN's bits may differ between executors.
    if (instr.prim == Prim::kBitcast && IsFloat(first)) return;
    program.instrs.push_back(instr);
    program.outputs = {0};
    if (!program.Verify().ok()) program.instrs.pop_back();
  }

  void AddOutput() {
    std::vector<Source> candidates;
    for (const Source& s : sources_) {
      if (s.kind == Source::kStage) candidates.push_back(s);
    }
    const Source source = Pick(candidates);
    // Densely stored, reduced dims left out where the value has none.
    std::vector<Dim> strides(kernel_.rank());
    int64_t stride = 1;
    const int rank = kernel_.IsPerRow(source) ? kernel_.parallel_rank : kernel_.rank();
    for (int d = rank; d-- > 0;) {
      strides[d] = stride;
      stride *= kernel_.extents[d].constant();
    }
    kernel_.outputs.push_back({.operand = {kernel_.SourceType(source), strides},
                               .source = source,
                               .canonicalize_nans = Below(2) == 0});
  }

  std::mt19937 random_;
  FusedKernel kernel_;
  std::vector<Source> sources_;
};

TEST(RandomKernelsTest, SameBits) {
  for (uint32_t batch = 0; batch < 8; ++batch) {
    std::vector<FusedKernel> kernels;
    for (uint32_t i = 0; i < 12; ++i) kernels.push_back(RandomKernel(100 * batch + i).Make());
    ExpectSameBitsEverywhere(kernels, {.nans = batch % 2 == 0, .rows_a_block = batch % 3 * 11});
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tenfold::testing
