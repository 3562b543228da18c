// SPDX-License-Identifier: Apache-2.0
//
// Map kernels: every row is one element. Vectors run along the innermost loop.
#include <string>
#include <vector>

#include "tenfold/kernels/llvm/kernel_emitter.h"

namespace tenfold {
namespace {

class MapEmitter : public KernelEmitter {
 public:
  using KernelEmitter::KernelEmitter;

 private:
  // Rows are walked in segments, each within one line of the innermost loop.
  void EmitRows(Value* begin, Value* end) override {
    if (space_.parallel.empty()) {  // a scalar
      inner_ = nullptr;
      If(b_.CreateICmpSLT(begin, end), [&] {
        const Odometer none;
        EmitSegment(none, I64(0), I64(0), I64(1));
      });
      return;
    }
    inner_ = &space_.parallel.back();
    const std::vector<LoopDim> outer(space_.parallel.begin(), space_.parallel.end() - 1);
    If(b_.CreateICmpSLT(begin, end), [&] {
      if (outer.empty()) {
        EmitSegment({}, I64(0), begin, end);
        return;
      }
      Value* line = Extent(*inner_);
      Value* first_line = b_.CreateUDiv(begin, line);
      Value* last_line = b_.CreateUDiv(b_.CreateSub(end, I64(1)), line);
      const Odometer odometer = StartOdometer(outer, first_line, "outer");
      For(first_line, b_.CreateAdd(last_line, I64(1)), 1, [&](Value* i) {
        Value* line_begin = b_.CreateMul(i, line);
        Value* from =
            b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, b_.CreateSub(begin, line_begin), I64(0));
        Value* to = Min(b_.CreateSub(end, line_begin), line);
        EmitSegment(odometer, line_begin, from, to);
        Advance(odometer);
      });
    });
  }

  // Elements [from, to) of the line that starts at row `line_begin`.
  void EmitSegment(const Odometer& odometer, Value* line_begin, Value* from, Value* to) {
    std::vector<Value*> lines;
    std::vector<Value*> uniform(kernel_.inputs.size());
    for (int i = 0; i < OutputOperand(static_cast<int>(kernel_.outputs.size())); ++i) {
      lines.push_back(ElementAddress(i, Base(i), Offset(odometer, i)));
    }
    for (size_t i = 0; i < uniform.size(); ++i) {
      if (kernel_.inputs[i].strides.empty() || InnerIs(static_cast<int>(i), 0)) {
        uniform[i] = Load(kernel_.inputs[i].dtype, lines[i], I64(0), 1, nullptr);
      }
    }
    const auto body = [&](int lanes, Value* j, Value* mask) {
      EvaluateAll(line_begin, j, lanes, mask, lines, uniform);
    };
    Value* whole = WholeSteps(from, to, lanes());
    For(from, whole, lanes(), [&](Value* j) { body(lanes(), j, nullptr); });
    if (target_.masked()) {
      If(b_.CreateICmpSLT(whole, to),
         [&] { body(lanes(), whole, MaskBelow(b_.CreateSub(to, whole), lanes())); });
    } else {
      For(whole, to, 1, [&](Value* j) { body(1, j, nullptr); });
    }
  }

  bool InnerIs(int operand, int64_t stride) const {
    return inner_ == nullptr || OperandAt(operand).strides[inner_->stride_dim()] == Dim(stride);
  }

  Value* InnerStride(int operand) { return inner_ == nullptr ? I64(0) : Stride(operand, *inner_); }

  void EvaluateAll(Value* line_begin, Value* j, int lanes, Value* mask, const std::vector<Value*>& lines,
                   const std::vector<Value*>& uniform) {
    const auto load = [&](const Source& source) -> Value* {
      const int i = source.index;
      if (uniform[i] != nullptr) return Splat(uniform[i], lanes);
      Value* stride = InnerStride(i);
      Value* address = ElementAddress(i, lines[i], b_.CreateMul(j, stride));
      return Load(kernel_.inputs[i].dtype, address, stride, lanes, mask);
    };
    Site site{lanes, mask, load, [&] { return b_.CreateAdd(line_begin, j); }, I64(1)};
    Values values;
    for (int s = 0; s < static_cast<int>(kernel_.stages.size()); ++s) {
      EvaluateStage(s, site, values);
    }
    for (int o = 0; o < static_cast<int>(kernel_.outputs.size()); ++o) {
      const FusedKernel::Output& output = kernel_.outputs[o];
      const int operand = OutputOperand(o);
      Value* value = values[KeyOf(output.source)];
      if (output.canonicalize_nans) value = EmitCanonicalNan(b_, value, output.operand.dtype);
      Value* stride = InnerStride(operand);
      Value* address = ElementAddress(operand, lines[operand], b_.CreateMul(j, stride));
      Store(output.operand.dtype, value, address, stride, lanes, mask);
    }
  }

  const LoopDim* inner_ = nullptr;
};

}  // namespace

ScratchSize EmitMapKernel(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                          const std::string& symbol) {
  return MapEmitter(module, kernel, target, symbol).Emit();
}

}  // namespace tenfold
