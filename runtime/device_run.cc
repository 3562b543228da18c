// SPDX-License-Identifier: Apache-2.0
//
// A run whose kernels are on a device. The host's memory has the same layout as the device's, so a step that
// the host computes finds its operands where it would on a run without a device, once they are copied there.
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/invocation_impl.h"

namespace tenfold {

absl::Status Invocation::Impl::ExecuteOnDevice(RunContext& context, ProfileRecorder& recorder) {
  const absl::Status status = EnqueueOnDevice(context, recorder);
  if (!status.ok()) {
    // Copies under way still use the caller's memory. What else fails now follows from the first failure.
    (void)device->Wait();
    return status;
  }
  // As on the host, the first step that fails is the one to hear of: what follows computes on its result.
  for (size_t s = 0; s < steps.size(); ++s) {
    if (device_errors[s].code != kKernelOk) return steps[s]->ErrorAt(device_errors[s]);
  }
  return absl::OkStatus();
}

absl::Status Invocation::Impl::EnqueueOnDevice(RunContext& context, ProfileRecorder& recorder) {
  const Plan& plan = state.plan;
  const DeviceProgram& program = state.device_steps->program;
  TENFOLD_RETURN_IF_ERROR(device->Begin());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int value = plan.inputs[i].value;
    if (program.reads[value]) TENFOLD_RETURN_IF_ERROR(device->CopyIn(value, inputs[i].data));
  }
  for (size_t s = 0; s < steps.size(); ++s) {
    if (context.control.ShouldStop()) return context.control.status();
    recorder.Begin(s);
    TENFOLD_RETURN_IF_ERROR(state.device_steps->OnHost(s) ? RunOnHost(s, context) : device->Launch(s));
    // Time passes on the device: to measure a step, or to stop between steps, is to wait for it.
    if (recorder.on() || context.control.armed()) TENFOLD_RETURN_IF_ERROR(device->Wait());
    recorder.End(s);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int value = plan.outputs[i].value;
    if (program.writes[value]) TENFOLD_RETURN_IF_ERROR(device->CopyOut(value, outputs[i].data));
  }
  return device->Finish(device_errors);
}

absl::Status Invocation::Impl::RunOnHost(size_t s, RunContext& context) {
  const DeviceProgram& program = state.device_steps->program;
  const DeviceProgram::Step& step = program.steps[s];
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    if (program.writes[state.plan.Root(step.inputs[i])]) {
      TENFOLD_RETURN_IF_ERROR(device->CopyOut(step.inputs[i], *steps[s]->operand(i)));
    }
  }
  // Also where nothing is copied: the result's place may still be read by an earlier step's copy.
  TENFOLD_RETURN_IF_ERROR(device->Wait());
  TENFOLD_RETURN_IF_ERROR(steps[s]->Run(context));
  // Also a part of what the device only writes: from there a host's step would have all of it.
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    if (program.OnDevice(step.outputs[i])) {
      TENFOLD_RETURN_IF_ERROR(device->CopyIn(step.outputs[i], *steps[s]->operand(step.inputs.size() + i)));
    }
  }
  return absl::OkStatus();
}

}  // namespace tenfold
