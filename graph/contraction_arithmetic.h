// SPDX-License-Identifier: Apache-2.0
//
// What the loop nests of contractions compute with: the type that a dtype is accumulated in, and vectors of
// it whose multiply-add rounds once. For sources that are compiled for several ISA levels at once.
#ifndef TENFOLD_GRAPH_CONTRACTION_ARITHMETIC_H_
#define TENFOLD_GRAPH_CONTRACTION_ARITHMETIC_H_

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "tenfold/graph/half.h"

#define TENFOLD_INLINE inline __attribute__((always_inline))

namespace tenfold {

// What a dtype is computed in: unsigned integers wrap where signed overflow would be undefined, and at least
// 32 bits, since uint16_t * uint16_t is computed as a signed int.
template <typename T>
struct Arithmetic {
  using Acc = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  static Acc Load(T v) { return static_cast<Acc>(v); }
  static T Store(Acc a) { return static_cast<T>(a); }
};
template <>
struct Arithmetic<float> {
  using Acc = float;
  static float Load(float v) { return v; }
  static float Store(float a) { return a; }
};
template <>
struct Arithmetic<double> {
  using Acc = double;
  static double Load(double v) { return v; }
  static double Store(double a) { return a; }
};
template <>
struct Arithmetic<F16> {
  using Acc = float;
  static float Load(F16 v) { return ToFloat(v); }
  static F16 Store(float a) { return ToF16(a); }
};
template <>
struct Arithmetic<BF16> {
  using Acc = float;
  static float Load(BF16 v) { return ToFloat(v); }
  static BF16 Store(float a) { return ToBF16(a); }
};

// The instructions by name: operations on vectors in a template are lowered before it is known for which
// target they are compiled, to pieces of the baseline's vectors, and the compiler's builtins cannot be named
// there. A loop of fma calls over the lanes is vectorised only while the accumulators stay in memory.

// acc = a * b + acc, rounded once, on vectors of kBytes (or scalars: kBytes = sizeof(Acc)). Without the
// instruction, libm's fma.
template <int kBytes, typename Acc, typename V>
TENFOLD_INLINE void MultiplyAdd(const V& a, const V& b, V& acc) {
  if constexpr (kBytes == sizeof(Acc) && std::is_floating_point_v<Acc>) {
    acc = std::fma(a, b, acc);
  } else if constexpr (kBytes == sizeof(Acc) || std::is_same_v<Acc, uint64_t>) {
    acc = a * b + acc;  // AVX2 has no product of 64 bits
  } else if constexpr (std::is_same_v<Acc, float>) {
    asm("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  } else if constexpr (std::is_same_v<Acc, double>) {
    asm("vfmadd231pd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  } else {
    V product;
    asm("vpmulld %2, %1, %0" : "=v"(product) : "v"(a), "v"(b));
    asm("vpaddd %1, %0, %0" : "+v"(acc) : "v"(product));
  }
}

// `x` in every lane.
template <int kBytes, typename Acc, typename V>
TENFOLD_INLINE void Broadcast(const Acc& x, V& v) {
  if constexpr (kBytes == sizeof(Acc)) {
    v = x;
  } else if constexpr (std::is_same_v<Acc, float>) {
    asm("vbroadcastss %1, %0" : "=v"(v) : "m"(x));
  } else if constexpr (std::is_same_v<Acc, double> && kBytes > 16) {
    asm("vbroadcastsd %1, %0" : "=v"(v) : "m"(x));
  } else if constexpr (std::is_same_v<Acc, double>) {
    asm("vmovddup %1, %0" : "=v"(v) : "m"(x));
  } else if constexpr (sizeof(Acc) == 4) {
    asm("vpbroadcastd %1, %0" : "=v"(v) : "m"(x));
  } else {
    asm("vpbroadcastq %1, %0" : "=v"(v) : "m"(x));
  }
}

template <typename Acc, int kBytes>
struct VectorOf {
  typedef Acc Type __attribute__((vector_size(kBytes), may_alias, aligned(alignof(Acc))));
};
template <typename Acc>
struct VectorOf<Acc, sizeof(Acc)> {
  using Type = Acc;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONTRACTION_ARITHMETIC_H_
