// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/device_steps.h"

#include <utility>

namespace tenfold {

FusedKernel MakeCopyKernel(const Piece& view, bool canonicalize_nans, const TensorType& out_type) {
  const DType dtype = canonicalize_nans ? out_type.dtype : BitsType(out_type.dtype);
  FusedKernel kernel;
  kernel.name = "copy";
  kernel.extents = out_type.shape.dims();
  kernel.parallel_rank = kernel.rank();
  kernel.inputs = {{dtype, view.from_strides, view.from}};
  FusedKernel::Stage stage;
  stage.program.inputs = {dtype};
  stage.program.instrs = {{.prim = Prim::kInput, .type = dtype}};
  stage.program.outputs = {0};
  stage.inputs = {{FusedKernel::Source::kInput, 0, 0}};
  kernel.stages = {std::move(stage)};
  kernel.outputs = {{{dtype, RowMajorStrides(kernel.extents)},
                     {FusedKernel::Source::kStage, 0, 0},
                     canonicalize_nans && HasNan(dtype)}};
  return kernel;
}

DeviceSteps::DeviceSteps(const Plan& plan, std::span<const FusedKernel* const> step_kernels,
                         std::span<const Tensor> constants) {
  program.plan = &plan;
  program.steps.resize(plan.steps.size());
  program.reads.resize(plan.values.size());
  program.writes.resize(plan.values.size());
  program.constants = constants;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    DeviceProgram::Step& step = program.steps[s];
    step.kernel = step_kernels[s];
    const auto* copy = std::get_if<CopyStep>(&plan.steps[s].work);
    if (copy != nullptr && HasDeviceForm(plan, plan.steps[s])) {
      copies.push_back(std::make_unique<const FusedKernel>(
          MakeCopyKernel(copy->layout.pieces[0], copy->canonicalize_nans, plan.values[copy->out].type)));
      step.kernel = copies.back().get();
    }
    step.inputs = StepInputs(plan.steps[s]);
    step.outputs = StepOutputs(plan.steps[s]);
    if (step.kernel == nullptr) {
      any_on_host = true;
      continue;
    }
    for (const int v : step.inputs) program.reads[plan.Root(v)] = true;
    for (const int v : step.outputs) program.writes[plan.Root(v)] = true;
  }
}

}  // namespace tenfold
