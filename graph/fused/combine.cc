// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/combine.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "tenfold/graph/fused/fused_kernel.h"

namespace tenfold {
namespace {

template <typename T>
using BitsOf = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

// Integers wrap, which only unsigned arithmetic does without undefined behaviour (and without promotion to
// int).
template <typename T>
struct AddOp {
  static T Of(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(uint64_t(a) + uint64_t(b));
    else
      return a + b;
  }
};

template <typename T>
struct MulOp {
  static T Of(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(uint64_t(a) * uint64_t(b));
    else
      return a * b;
  }
};

// IEEE 754-2019 minimum and maximum: NaN wins, and of two zeros the negative one is the smaller.
template <typename T>
struct MinOp {
  static T Of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      const T zero = std::bit_cast<T>(std::bit_cast<BitsOf<T>>(a) | std::bit_cast<BitsOf<T>>(b));
      const T smaller = a < b ? a : a == b ? zero : b;
      return a != a ? a : smaller;
    } else {
      return a < b ? a : b;
    }
  }
};

template <typename T>
struct MaxOp {
  static T Of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      const T zero = std::bit_cast<T>(std::bit_cast<BitsOf<T>>(a) & std::bit_cast<BitsOf<T>>(b));
      const T larger = a > b ? a : a == b ? zero : b;
      return a != a ? a : larger;
    } else {
      return a > b ? a : b;
    }
  }
};

template <typename T>
struct AndOp {
  static T Of(T a, T b) { return static_cast<T>(a & b); }
};

template <typename T>
struct OrOp {
  static T Of(T a, T b) { return static_cast<T>(a | b); }
};

template <typename T>
struct XorOp {
  static T Of(T a, T b) { return static_cast<T>(a ^ b); }
};

template <typename T, template <typename> typename Op>
void CombineLoop(void* accumulators, const void* values, int count) {
  T* __restrict a = static_cast<T*>(accumulators);
  const T* __restrict v = static_cast<const T*>(values);
  for (int i = 0; i < count; ++i) a[i] = Op<T>::Of(a[i], v[i]);
}

template <template <typename> typename Op, bool kOnFloats>
auto LoopFor(DType type) -> void (*)(void*, const void*, int) {
  switch (type) {
    case DType::kI8:
      return CombineLoop<int8_t, Op>;
    case DType::kI16:
      return CombineLoop<int16_t, Op>;
    case DType::kI32:
      return CombineLoop<int32_t, Op>;
    case DType::kI64:
      return CombineLoop<int64_t, Op>;
    case DType::kU8:
      return CombineLoop<uint8_t, Op>;
    case DType::kU16:
      return CombineLoop<uint16_t, Op>;
    case DType::kU32:
      return CombineLoop<uint32_t, Op>;
    case DType::kU64:
      return CombineLoop<uint64_t, Op>;
    case DType::kF32:
      if constexpr (kOnFloats) return CombineLoop<float, Op>;
      return nullptr;
    case DType::kF64:
      if constexpr (kOnFloats) return CombineLoop<double, Op>;
      return nullptr;
    case DType::kBool:  // a byte, 0 or 1
      if constexpr (!kOnFloats) return CombineLoop<uint8_t, Op>;
      return nullptr;
    default:
      return nullptr;
  }
}

// True if `result` combines the two inputs of `program`, in either order.
bool IsPrimitiveOfInputs(const ScalarProgram& program, const Instr& result) {
  if (NumArgs(result.prim) != 2) return false;
  const Instr& a = program.instrs[result.args[0]];
  const Instr& b = program.instrs[result.args[1]];
  // All the primitives below commute.
  return a.prim == Prim::kInput && b.prim == Prim::kInput && a.bits != b.bits;
}

}  // namespace

Combiner::Loop Combiner::FindLoop(const ScalarProgram& combine) {
  const Instr& result = combine.instrs[combine.outputs[0]];
  if (!IsPrimitiveOfInputs(combine, result)) return nullptr;
  switch (result.prim) {
    case Prim::kAdd:
      return LoopFor<AddOp, true>(result.type);
    case Prim::kMul:
      return LoopFor<MulOp, true>(result.type);
    case Prim::kMin:
      return LoopFor<MinOp, true>(result.type);
    case Prim::kMax:
      return LoopFor<MaxOp, true>(result.type);
    case Prim::kAnd:
      return LoopFor<AndOp, false>(result.type);
    case Prim::kOr:
      return LoopFor<OrOp, false>(result.type);
    case Prim::kXor:
      return LoopFor<XorOp, false>(result.type);
    default:
      return nullptr;
  }
}

Combiner::Combiner(const ScalarProgram& combine)
    : program_(combine),
      loop_(FindLoop(combine)),
      element_size_(static_cast<int>(SizeOf(combine.output_type(0)))) {}

void Combiner::Combine(void* accumulators, const void* values, int count, void* spare,
                       void* workspace) const {
  if (loop_ != nullptr) return loop_(accumulators, values, count);
  // The interpreter's output may not overlap its inputs.
  const void* const inputs[] = {accumulators, values};
  const bool uniform[] = {false, false};
  void* const outputs[] = {spare};
  program_.RunBlock(inputs, uniform, outputs, count, workspace);
  std::memcpy(accumulators, spare, static_cast<size_t>(count) * element_size_);
}

void Combiner::CombineLanes(void* accumulators, const void* values, int count, void* spare,
                            void* workspace) const {
  const char* group = static_cast<const char*>(values);
  for (int i = 0; i < count; i += kReduceLanes) {
    Combine(accumulators, group, std::min(kReduceLanes, count - i), spare, workspace);
    group += kReduceLanes * element_size_;
  }
}

}  // namespace tenfold
