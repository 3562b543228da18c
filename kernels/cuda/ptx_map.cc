// SPDX-License-Identifier: Apache-2.0
//
// Kernels without reduced dims: a row is one element, and a thread takes element after element.
#include "tenfold/kernels/cuda/ptx_emitter.h"

namespace tenfold {
namespace {

using llvm::Value;
using Source = FusedKernel::Source;
using Values = PtxEmitter::Values;

void EmitElement(PtxEmitter& e, Value* i) {
  const FusedKernel& kernel = e.kernel();
  LinearPoint point(i, 0, kernel.rank());
  const Values addresses = e.AddressesAt(point, e.parameters());
  // All loads before all stores: an output may take the place of an input.
  Values loaded;
  for (size_t input = 0; input < kernel.inputs.size(); ++input) {
    loaded.push_back(e.LoadInput(static_cast<int>(input), addresses));
  }
  std::vector<Values> stages;
  const auto read = [&](const Source& source) {
    return source.kind == Source::kInput ? loaded[source.index] : stages[source.index][source.output];
  };
  for (const FusedKernel::Stage& stage : kernel.stages) {
    Values args;
    for (const Source& source : stage.inputs) args.push_back(read(source));
    stages.push_back(e.Evaluate(stage.program, args));
  }
  e.Report(i);
  for (size_t output = 0; output < kernel.outputs.size(); ++output) {
    e.StoreOutput(static_cast<int>(output), read(kernel.outputs[output].source), addresses);
  }
}

}  // namespace

void EmitPtxMap(PtxEmitter& e) {
  llvm::IRBuilder<>& b = e.b();
  Value* threads = e.I64(kMapThreads);
  Value* first = b.CreateAdd(b.CreateMul(e.BlockIndex(), threads), e.ThreadIndex());
  Value* step = b.CreateMul(e.NumBlocks(), threads);
  e.For(first, e.Product(0, e.kernel().rank()), step, {}, [&](Value* i, const Values&) {
    EmitElement(e, i);
    return Values();
  });
  e.Return();
}

}  // namespace tenfold
