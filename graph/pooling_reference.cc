// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/pooling_reference.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "tenfold/graph/half.h"

#define TENFOLD_INLINE inline __attribute__((always_inline))

namespace tenfold {
namespace {

// Outputs of a unit, along the last dim, and columns of the input that are combined at a time. Both stay in
// the first-level cache.
constexpr int64_t kPiece = 512;
constexpr int64_t kTile = 1024;
constexpr int64_t kElementsBetweenPolls = int64_t{1} << 18;

int64_t CeilDiv(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// Asks now and then whether to stop.
class Poller {
 public:
  explicit Poller(const KernelInterrupt* interrupt) : interrupt_(interrupt) {}
  // After another `elements` have been looked at. Once true it stays so.
  bool ShouldStop(int64_t elements) {
    elements_ += elements;
    if (elements_ >= kElementsBetweenPolls) [[unlikely]] {
      elements_ = 0;
      stopped_ = stopped_ || StopRequested(interrupt_);
    }
    return stopped_;
  }

 private:
  const KernelInterrupt* const interrupt_;
  int64_t elements_ = 0;
  bool stopped_ = false;
};

// Along one dim: the positions k of a window that starts at `base` which lie in [low, high) are [begin, end).
struct Inside {
  int64_t begin, end;
  Inside(const WindowExtents& w, int64_t base, int64_t low, int64_t high)
      : begin(std::clamp<int64_t>(CeilDiv(low - base, w.dilation), 0, w.kernel)),
        end(std::clamp<int64_t>(CeilDiv(high - base, w.dilation), 0, w.kernel)) {}
  int64_t count() const { return std::max<int64_t>(0, end - begin); }
};

// --- Maxima are those of integers --------------------------------------------------------------------------

// Floats in the order of `maximum`, as signed integers: -Inf < ... < -0 < +0 < ... < Inf < NaN.
template <typename Bits>
TENFOLD_INLINE Bits Flip(Bits bits) {
  constexpr Bits kMagnitude = std::numeric_limits<Bits>::max();
  return static_cast<Bits>(bits ^ ((bits >> (8 * sizeof(Bits) - 1)) & kMagnitude));
}

template <typename Bits, int kMantissaBits>
struct FloatOrder {
  using Key = Bits;
  static constexpr Bits kMagnitude = std::numeric_limits<Bits>::max();
  static constexpr Bits kInfinity = static_cast<Bits>(kMagnitude >> kMantissaBits << kMantissaBits);
  static TENFOLD_INLINE Bits FromBits(Bits bits) {
    return (bits & kMagnitude) > kInfinity ? kMagnitude : Flip(bits);
  }
  // The key of NaN turns into a NaN.
  static TENFOLD_INLINE Bits ToBits(Bits key) { return Flip(key); }
  static constexpr Bits kLowest = static_cast<Bits>(~kInfinity);  // of -Inf
};

template <typename T>
struct Order {
  using Key = T;
  static TENFOLD_INLINE T KeyOf(T v) { return v; }
  static TENFOLD_INLINE T ValueOf(T key) { return key; }
  static constexpr T kLowest = std::numeric_limits<T>::min();
};
template <>
struct Order<float> : FloatOrder<int32_t, 23> {
  static TENFOLD_INLINE int32_t KeyOf(float v) { return FromBits(std::bit_cast<int32_t>(v)); }
  static TENFOLD_INLINE float ValueOf(int32_t key) { return std::bit_cast<float>(ToBits(key)); }
};
template <>
struct Order<double> : FloatOrder<int64_t, 52> {
  static TENFOLD_INLINE int64_t KeyOf(double v) { return FromBits(std::bit_cast<int64_t>(v)); }
  static TENFOLD_INLINE double ValueOf(int64_t key) { return std::bit_cast<double>(ToBits(key)); }
};
template <>
struct Order<F16> : FloatOrder<int16_t, 10> {
  static TENFOLD_INLINE int16_t KeyOf(F16 v) { return FromBits(std::bit_cast<int16_t>(v)); }
  static TENFOLD_INLINE F16 ValueOf(int16_t key) { return std::bit_cast<F16>(ToBits(key)); }
};
template <>
struct Order<BF16> : FloatOrder<int16_t, 7> {
  static TENFOLD_INLINE int16_t KeyOf(BF16 v) { return FromBits(std::bit_cast<int16_t>(v)); }
  static TENFOLD_INLINE BF16 ValueOf(int16_t key) { return std::bit_cast<BF16>(ToBits(key)); }
};

// --- What is combined --------------------------------------------------------------------------------------

template <typename T>
struct Maximum {
  using Acc = typename Order<T>::Key;
  static constexpr Acc kIdentity = Order<T>::kLowest;
  static TENFOLD_INLINE Acc Load(T v) { return Order<T>::KeyOf(v); }
  static TENFOLD_INLINE Acc Combine(Acc a, Acc b) { return a < b ? b : a; }
};

template <typename T>
struct Sum {
  using Acc = decltype(Widen(T()));
  static constexpr Acc kIdentity = Acc(-0.0);  // +0 would turn a sum of negative zeros positive
  static TENFOLD_INLINE Acc Load(T v) { return Widen(v); }
  static TENFOLD_INLINE Acc Combine(Acc a, Acc b) { return a + b; }
};

// --- The loops ---------------------------------------------------------------------------------------------

// Outputs [begin, end) of one line of the result.
struct Unit {
  int64_t plane, o0, o1, begin, end;

  Unit(const PoolingExtents& e, int64_t number) {
    const int64_t pieces = CeilDiv(e.window[2].output, kPiece);
    begin = number % pieces * kPiece;
    end = std::min(begin + kPiece, e.window[2].output);
    number /= pieces;
    o1 = number % e.window[1].output;
    number /= e.window[1].output;
    o0 = number % e.window[0].output;
    plane = number / e.window[0].output;
  }
  // Of its first output.
  int64_t Offset(const PoolingExtents& e) const {
    return ((plane * e.window[0].output + o0) * e.window[1].output + o1) * e.window[2].output + begin;
  }
};

int64_t Base(const WindowExtents& w, int64_t output) { return output * w.stride - w.pad_begin; }

// sums[j] = combine(sums[j], columns[j * stride]) for j in [begin, end).
template <typename C>
TENFOLD_INLINE void CombineColumns(const typename C::Acc* columns, int64_t stride, int64_t begin, int64_t end,
                                   typename C::Acc* sums) {
  if (stride == 1) {
    for (int64_t j = begin; j < end; ++j) sums[j] = C::Combine(sums[j], columns[j]);
  } else if (stride == 2) {
    for (int64_t j = begin; j < end; ++j) sums[j] = C::Combine(sums[j], columns[j * 2]);
  } else {
    for (int64_t j = begin; j < end; ++j) sums[j] = C::Combine(sums[j], columns[j * stride]);
  }
}

// The windows of a unit combined, columns first. Tiles of columns come in ascending order, so that every
// output sees its columns in that order.
template <typename C, typename T>
TENFOLD_INLINE void CombineWindows(const PoolingExtents& e, const Unit& unit, const T* plane, Poller& poller,
                                   typename C::Acc* sums) {
  using Acc = typename C::Acc;
  const WindowExtents &w0 = e.window[0], &w1 = e.window[1], &w = e.window[2];
  const int64_t base0 = Base(w0, unit.o0), base1 = Base(w1, unit.o1), base = Base(w, unit.begin);
  const Inside in0(w0, base0, 0, w0.input), in1(w1, base1, 0, w1.input);
  const int64_t count = unit.end - unit.begin;
  std::fill_n(sums, count, C::kIdentity);
  const int64_t first = std::max<int64_t>(0, base);
  const int64_t last = std::min(w.input, base + (count - 1) * w.stride + (w.kernel - 1) * w.dilation + 1);
  for (int64_t tile = first; tile < last; tile += kTile) {
    const int64_t width = std::min(kTile, last - tile);
    alignas(64) Acc columns[kTile];
    std::fill_n(columns, width, C::kIdentity);
    for (int64_t k0 = in0.begin; k0 < in0.end; ++k0) {
      for (int64_t k1 = in1.begin; k1 < in1.end; ++k1) {
        const int64_t row = (base0 + k0 * w0.dilation) * w1.input + base1 + k1 * w1.dilation;
        const T* const x = plane + row * w.input + tile;
        for (int64_t j = 0; j < width; ++j) columns[j] = C::Combine(columns[j], C::Load(x[j]));
        if (poller.ShouldStop(width)) return;
      }
    }
    // Of the window's positions those that fall into the tile for some output.
    const int64_t k_begin = Inside(w, base + (count - 1) * w.stride, tile, tile + width).begin;
    const int64_t k_end = Inside(w, base, tile, tile + width).end;
    for (int64_t k = k_begin; k < k_end; ++k) {
      if (poller.ShouldStop(count)) return;
      const int64_t at = base + k * w.dilation - tile;  // of output 0, in the tile
      CombineColumns<C>(columns + at, w.stride, std::clamp<int64_t>(CeilDiv(-at, w.stride), 0, count),
                        std::clamp<int64_t>(CeilDiv(width - at, w.stride), 0, count), sums);
    }
  }
}

template <typename T>
TENFOLD_INLINE void MaxUnit(const PoolingExtents& e, const MaxPooling& p, const Unit& unit,
                            int64_t plane_size, Poller& poller) {
  alignas(64) typename Order<T>::Key keys[kPiece];
  CombineWindows<Maximum<T>>(e, unit, static_cast<const T*>(p.x) + unit.plane * plane_size, poller, keys);
  T* const y = static_cast<T*>(p.y) + unit.Offset(e);
  for (int64_t j = 0; j < unit.end - unit.begin; ++j) y[j] = Order<T>::ValueOf(keys[j]);
}

// With indices every element is looked at in row-major order, so that the first of equal ones stays.
template <typename T>
TENFOLD_INLINE void MaxUnitWithIndices(const PoolingExtents& e, const MaxPooling& p, const Unit& unit,
                                       int64_t plane_size, Poller& poller) {
  using Key = typename Order<T>::Key;
  const WindowExtents &w0 = e.window[0], &w1 = e.window[1], &w = e.window[2];
  const int64_t base0 = Base(w0, unit.o0), base1 = Base(w1, unit.o1), base = Base(w, unit.begin);
  const Inside in0(w0, base0, 0, w0.input), in1(w1, base1, 0, w1.input);
  const T* const plane = static_cast<const T*>(p.x) + unit.plane * plane_size;
  const int64_t count = unit.end - unit.begin;
  Key keys[kPiece];
  int64_t chosen[kPiece];
  std::fill_n(keys, count, Order<T>::kLowest);
  std::fill_n(chosen, count, int64_t{-1});
  for (int64_t k0 = in0.begin; k0 < in0.end; ++k0) {
    const int64_t i0 = base0 + k0 * w0.dilation;
    for (int64_t k1 = in1.begin; k1 < in1.end; ++k1) {
      const int64_t i1 = base1 + k1 * w1.dilation;
      const T* const x = plane + (i0 * w1.input + i1) * w.input;
      for (int64_t k = 0; k < w.kernel; ++k) {
        if (poller.ShouldStop(count)) return;
        const int64_t at = base + k * w.dilation;
        const int64_t begin = std::clamp<int64_t>(CeilDiv(-at, w.stride), 0, count);
        const int64_t end = std::clamp<int64_t>(CeilDiv(w.input - at, w.stride), 0, count);
        for (int64_t j = begin; j < end; ++j) {
          const int64_t i = at + j * w.stride;
          const Key key = Order<T>::KeyOf(x[i]);
          const bool better = chosen[j] < 0 || key > keys[j];
          keys[j] = better ? key : keys[j];
          chosen[j] = better ? (i0 * w1.input + i1) * w.input + i : chosen[j];
        }
      }
    }
  }
  const int64_t to = unit.Offset(e);
  for (int64_t j = 0; j < count; ++j) {
    static_cast<T*>(p.y)[to + j] = Order<T>::ValueOf(keys[j]);
    int64_t index = chosen[j];
    if (index >= 0 && p.column_major) {
      const int64_t i = index % w.input, i1 = index / w.input % w1.input, i0 = index / w.input / w1.input;
      index = i0 + w0.input * (i1 + w1.input * i);
    }
    p.indices[to + j] = index < 0 ? -1 : unit.plane * plane_size + index;
  }
}

template <typename T>
TENFOLD_INLINE void SumUnit(const PoolingExtents& e, const SumPooling& p, const Unit& unit,
                            int64_t plane_size, Poller& poller) {
  using Acc = typename Sum<T>::Acc;
  alignas(64) Acc sums[kPiece];
  CombineWindows<Sum<T>>(e, unit, static_cast<const T*>(p.x) + unit.plane * plane_size, poller, sums);
  const auto elements = [&](const WindowExtents& w, int64_t o) {
    const int64_t low = p.count_padding ? -w.pad_begin : 0,
                  high = w.input + (p.count_padding ? w.pad_end : 0);
    const int64_t first = Base(w, o), last = first + (w.kernel - 1) * w.dilation;
    return first >= low && last < high ? w.kernel : Inside(w, first, low, high).count();
  };
  const int64_t rows = p.average ? elements(e.window[0], unit.o0) * elements(e.window[1], unit.o1) : 1;
  T* const y = static_cast<T*>(p.y) + unit.Offset(e);
  for (int64_t j = 0; j < unit.end - unit.begin; ++j) {
    Acc sum = sums[j];
    if (p.average) sum = sum / static_cast<Acc>(rows * elements(e.window[2], unit.begin + j));
    if constexpr (std::is_same_v<T, F16>)
      y[j] = ToF16(sum);
    else if constexpr (std::is_same_v<T, BF16>)
      y[j] = ToBF16(sum);
    else
      y[j] = sum;
  }
}

// --- Every dtype at every level ----------------------------------------------------------------------------

template <typename T>
TENFOLD_INLINE void RunUnit(const PoolingExtents& e, const MaxPooling& p, const Unit& unit,
                            int64_t plane_size, Poller& poller) {
  if (p.indices != nullptr)
    MaxUnitWithIndices<T>(e, p, unit, plane_size, poller);
  else
    MaxUnit<T>(e, p, unit, plane_size, poller);
}
template <typename T>
TENFOLD_INLINE void RunUnit(const PoolingExtents& e, const SumPooling& p, const Unit& unit,
                            int64_t plane_size, Poller& poller) {
  SumUnit<T>(e, p, unit, plane_size, poller);
}

template <typename T, typename P>
TENFOLD_INLINE void RunUnits(const PoolingExtents& e, const P& p, int64_t begin, int64_t end,
                             const KernelInterrupt* interrupt) {
  const int64_t plane_size = e.window[0].input * e.window[1].input * e.window[2].input;
  Poller poller(interrupt);
  for (int64_t number = begin; number < end && !poller.ShouldStop(0); ++number) {
    RunUnit<T>(e, p, Unit(e, number), plane_size, poller);
  }
}

template <typename T, typename P>
void RunBaseline(const PoolingExtents& e, const P& p, int64_t begin, int64_t end,
                 const KernelInterrupt* interrupt) {
  RunUnits<T>(e, p, begin, end, interrupt);
}
// As in matmul_reference.cc: from another compiler every level has the baseline's code.
#if defined(__GNUC__) && !defined(__clang__)
template <typename T, typename P>
__attribute__((target("arch=x86-64-v3"))) void RunAvx2(const PoolingExtents& e, const P& p, int64_t begin,
                                                       int64_t end, const KernelInterrupt* interrupt) {
  RunUnits<T>(e, p, begin, end, interrupt);
}
template <typename T, typename P>
__attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))) void RunAvx512(
    const PoolingExtents& e, const P& p, int64_t begin, int64_t end, const KernelInterrupt* interrupt) {
  RunUnits<T>(e, p, begin, end, interrupt);
}
#else
template <typename T, typename P>
constexpr auto RunAvx2 = RunBaseline<T, P>;
template <typename T, typename P>
constexpr auto RunAvx512 = RunBaseline<T, P>;
#endif

template <typename T, typename P>
void RunAt(std::optional<IsaLevel> level, const PoolingExtents& e, const P& p, int64_t begin, int64_t end,
           const KernelInterrupt* interrupt) {
  static const IsaLevel host = HostIsaLevel();
  const IsaLevel used = std::min(level.value_or(host), host);
  const auto run = used == IsaLevel::kAvx512 ? RunAvx512<T, P>
                   : used == IsaLevel::kAvx2 ? RunAvx2<T, P>
                                             : RunBaseline<T, P>;
  run(e, p, begin, end, interrupt);
}

}  // namespace

int64_t PoolingExtents::num_units() const {
  return planes * window[0].output * window[1].output * CeilDiv(window[2].output, kPiece);
}

int64_t PoolingExtents::unit_elements() const {
  int64_t elements = std::min(window[2].output, kPiece);
  for (const WindowExtents& w : window) {
    if (__builtin_mul_overflow(w.kernel, elements, &elements)) return std::numeric_limits<int64_t>::max();
  }
  return std::max<int64_t>(1, elements);
}

void MaxPoolingReference(const PoolingExtents& extents, const MaxPooling& pooling, int64_t begin, int64_t end,
                         std::optional<IsaLevel> level, const KernelInterrupt* interrupt) {
  VisitComputed(pooling.dtype, [&]<typename T>(std::type_identity<T>) {
    if constexpr (!std::is_same_v<T, bool>) RunAt<T>(level, extents, pooling, begin, end, interrupt);
  });
}

void SumPoolingReference(const PoolingExtents& extents, const SumPooling& pooling, int64_t begin, int64_t end,
                         std::optional<IsaLevel> level, const KernelInterrupt* interrupt) {
  VisitComputed(pooling.dtype, [&]<typename T>(std::type_identity<T>) {
    if constexpr (!std::is_integral_v<T>) RunAt<T>(level, extents, pooling, begin, end, interrupt);
  });
}

}  // namespace tenfold
