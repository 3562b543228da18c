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
  static constexpr bool kSelects = false;
  [[gnu::always_inline]] static T Of(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(uint64_t(a) + uint64_t(b));
    else
      return a + b;
  }
};

template <typename T>
struct MulOp {
  static constexpr bool kSelects = false;
  [[gnu::always_inline]] static T Of(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(uint64_t(a) * uint64_t(b));
    else
      return a * b;
  }
};

// IEEE 754-2019 minimum and maximum: NaN wins, and of two zeros the negative one is the smaller.
template <typename T>
struct MinOp {
  static constexpr bool kSelects = std::is_floating_point_v<T>;
  [[gnu::always_inline]] static T Of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      const T zero = std::bit_cast<T>(std::bit_cast<BitsOf<T>>(a) | std::bit_cast<BitsOf<T>>(b));
      const T unordered_or_zero = a == b ? zero : a + b;  // NaN + anything is NaN
      return a < b ? a : b < a ? b : unordered_or_zero;
    } else {
      return a < b ? a : b;
    }
  }
};

template <typename T>
struct MaxOp {
  static constexpr bool kSelects = std::is_floating_point_v<T>;
  [[gnu::always_inline]] static T Of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      const T zero = std::bit_cast<T>(std::bit_cast<BitsOf<T>>(a) & std::bit_cast<BitsOf<T>>(b));
      const T unordered_or_zero = a == b ? zero : a + b;
      return a > b ? a : b > a ? b : unordered_or_zero;
    } else {
      return a > b ? a : b;
    }
  }
};

template <typename T>
struct AndOp {
  static constexpr bool kSelects = false;
  [[gnu::always_inline]] static T Of(T a, T b) { return static_cast<T>(a & b); }
};

template <typename T>
struct OrOp {
  static constexpr bool kSelects = false;
  [[gnu::always_inline]] static T Of(T a, T b) { return static_cast<T>(a | b); }
};

template <typename T>
struct XorOp {
  static constexpr bool kSelects = false;
  [[gnu::always_inline]] static T Of(T a, T b) { return static_cast<T>(a ^ b); }
};

template <typename T, template <typename> typename Op>
[[gnu::always_inline]] inline void Elements(void* accumulators, const void* values, int count) {
  T* __restrict a = static_cast<T*>(accumulators);
  const T* __restrict v = static_cast<const T*>(values);
  for (int i = 0; i < count; ++i) a[i] = Op<T>::Of(a[i], v[i]);
}

// `groups` times kReduceLanes values. One widest vector of accumulators at a time stays in registers.
template <typename T, template <typename> typename Op>
[[gnu::always_inline]] inline void Lanes(void* accumulators, const void* values, int groups) {
  T* __restrict a = static_cast<T*>(accumulators);
  const T* __restrict v = static_cast<const T*>(values);
  if constexpr (Op<T>::kSelects) {
    // GCC unrolls the loop below before it could turn selections into vectors of them.
    for (int g = 0; g < groups; ++g) Elements<T, Op>(a, v + g * kReduceLanes, kReduceLanes);
    return;
  }
  constexpr int kHeld = std::min<int>(64 / sizeof(T), kReduceLanes);
  for (int lane = 0; lane < kReduceLanes; lane += kHeld) {
    T held[kHeld];
    for (int i = 0; i < kHeld; ++i) held[i] = a[lane + i];
    for (int g = 0; g < groups; ++g) {
      for (int i = 0; i < kHeld; ++i) held[i] = Op<T>::Of(held[i], v[g * kReduceLanes + lane + i]);
    }
    for (int i = 0; i < kHeld; ++i) a[lane + i] = held[i];
  }
}

// The same bodies for each instruction set: what is vectorised differs, the bits do not.
#if defined(__clang__)
#define TENFOLD_TARGET_AVX512 [[gnu::target("arch=x86-64-v4")]]
#else
#define TENFOLD_TARGET_AVX512 [[gnu::target("arch=x86-64-v4,prefer-vector-width=512")]]
#endif
#define TENFOLD_TARGET_AVX2 [[gnu::target("arch=x86-64-v3")]]

template <typename T, template <typename> typename Op>
struct Loops {
  static void Combine(void* a, const void* v, int n) { Elements<T, Op>(a, v, n); }
  static void Fold(void* a, const void* v, int n) { Lanes<T, Op>(a, v, n); }
  TENFOLD_TARGET_AVX2 static void Combine2(void* a, const void* v, int n) { Elements<T, Op>(a, v, n); }
  TENFOLD_TARGET_AVX2 static void Fold2(void* a, const void* v, int n) { Lanes<T, Op>(a, v, n); }
  TENFOLD_TARGET_AVX512 static void Combine512(void* a, const void* v, int n) { Elements<T, Op>(a, v, n); }
  TENFOLD_TARGET_AVX512 static void Fold512(void* a, const void* v, int n) { Lanes<T, Op>(a, v, n); }

  static CombineLoops For(IsaLevel level) {
    switch (level) {
      case IsaLevel::kAvx512:
        return {Combine512, Fold512};
      case IsaLevel::kAvx2:
        return {Combine2, Fold2};
      default:
        return {Combine, Fold};
    }
  }
};

template <template <typename> typename Op, bool kOnFloats>
CombineLoops LoopsFor(DType type, IsaLevel level) {
  return VisitComputed(type, [level]<typename T>(std::type_identity<T>) -> CombineLoops {
    if constexpr (std::is_same_v<T, bool>) {  // a byte, 0 or 1
      if constexpr (!kOnFloats) return Loops<uint8_t, Op>::For(level);
    } else if constexpr (std::is_integral_v<T> || (kOnFloats && std::is_floating_point_v<T>)) {
      return Loops<T, Op>::For(level);
    }
    return {};
  });
}

// True if `result` combines the two inputs of `program`, in either order.
bool IsPrimitiveOfInputs(const ScalarProgram& program, const Instr& result) {
  if (NumArgs(result.prim) != 2) return false;
  const Instr& a = program.instrs[result.args[0]];
  const Instr& b = program.instrs[result.args[1]];
  // All the primitives below commute.
  return a.prim == Prim::kInput && b.prim == Prim::kInput && a.bits != b.bits;
}

CombineLoops FindLoops(const ScalarProgram& combine, IsaLevel level) {
  const Instr& result = combine.instrs[combine.outputs[0]];
  if (!IsPrimitiveOfInputs(combine, result)) return {};
  switch (result.prim) {
    case Prim::kAdd:
      return LoopsFor<AddOp, true>(result.type, level);
    case Prim::kMul:
      return LoopsFor<MulOp, true>(result.type, level);
    case Prim::kMin:
      return LoopsFor<MinOp, true>(result.type, level);
    case Prim::kMax:
      return LoopsFor<MaxOp, true>(result.type, level);
    case Prim::kAnd:
      return LoopsFor<AndOp, false>(result.type, level);
    case Prim::kOr:
      return LoopsFor<OrOp, false>(result.type, level);
    case Prim::kXor:
      return LoopsFor<XorOp, false>(result.type, level);
    default:
      return {};
  }
}

}  // namespace

Combiner::Combiner(const ScalarProgram& combine, std::optional<IsaLevel> level)
    : program_(combine, level),
      loops_(FindLoops(combine, std::min(level.value_or(HostIsaLevel()), HostIsaLevel()))),
      element_size_(static_cast<int>(SizeOf(combine.output_type(0)))) {}

void Combiner::Combine(void* accumulators, const void* values, int count, void* spare,
                       void* workspace) const {
  if (loops_.combine != nullptr) return loops_.combine(accumulators, values, count);
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
  if (loops_.fold != nullptr && count >= kReduceLanes) {
    const int groups = count / kReduceLanes;
    loops_.fold(accumulators, group, groups);
    group += groups * kReduceLanes * element_size_;
    count %= kReduceLanes;
  }
  for (int i = 0; i < count; i += kReduceLanes) {
    Combine(accumulators, group, std::min(kReduceLanes, count - i), spare, workspace);
    group += kReduceLanes * element_size_;
  }
}

}  // namespace tenfold
