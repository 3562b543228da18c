// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/convolution_reference.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "tenfold/graph/contraction_arithmetic.h"

namespace tenfold {
namespace {

// A unit is a piece of one line of the result, along the last spatial dim, in several channels. Its sums stay
// in the first-level cache while channels and kernel positions run. Positions are the lanes of vectors:
// neither few channels (a depthwise convolution) nor strides leave them idle.
constexpr int kChannels = 8;
constexpr int kLine = 256;
// Of the sums of neighbouring channels: not a power of two, which would put them into the same cache sets.
constexpr int kStride = kLine + 16;
// Kernel positions along the last dim whose reach is computed once a unit.
constexpr int kKeptTaps = 32;
constexpr int64_t kProductsBetweenPolls = int64_t{1} << 18;

int64_t CeilDiv(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
int64_t FloorMod(int64_t a, int64_t b) { return (a % b + b) % b; }

// A transposed convolution reaches output o from the kernel positions k for which o + pad - k * dilation is a
// multiple of the stride: the same ones for all outputs of one phase, o mod stride. So its lines are the
// outputs of a phase, over which the input runs with step 1, as that of a convolution with its stride.
struct Lines {
  int64_t phases;  // lines that the last dim is split into
  int64_t longest;
  int64_t pieces;  // of a line

  explicit Lines(const ConvolutionExtents& e) {
    const WindowExtents& last = e.window[2];
    phases = e.transposed ? std::min(last.stride, last.output) : 1;
    longest = phases == 0 ? 0 : CeilDiv(last.output, phases);
    pieces = CeilDiv(longest, kLine);
  }
};

int64_t ChannelBlocks(const ConvolutionExtents& e) { return CeilDiv(e.out_channels, kChannels); }

// Where the outputs of a line find their inputs for one kernel position: output j of the line reads
// first + j * step, which is no padding for j in [begin, end).
struct Tap {
  int64_t first, begin, end;
};

// The input position of output `o` for kernel position `k`; nullopt in the padding.
std::optional<int64_t> InputAt(const WindowExtents& window, bool transposed, int64_t o, int64_t k) {
  int64_t i = transposed ? o + window.pad_begin - k * window.dilation
                         : o * window.stride - window.pad_begin + k * window.dilation;
  if (transposed) {
    if (FloorMod(i, window.stride) != 0) return std::nullopt;
    i /= window.stride;
  }
  if (i < 0 || i >= window.input) return std::nullopt;
  return i;
}

// Elements of x and w as what they are multiplied as.
template <typename Acc, typename T>
TENFOLD_INLINE Acc Widen(T v, [[maybe_unused]] Acc zero) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<Acc>(v) - zero;
  else
    return Arithmetic<T>::Load(v);
}

// sums[c][at] = fma(weights[c], line[at], sums[c][at]) from `at` on, a vector at a time; what is left is done
// by narrower vectors. Lanes behind `end` are not touched: what lies there is padding, and 0 * w is not
// nothing.
template <int kBytes, int kCount, typename Acc>
TENFOLD_INLINE void AddLine(const Acc* weights, const Acc* line, int64_t at, int64_t end,
                            Acc (*sums)[kStride]) {
  using V = typename VectorOf<Acc, kBytes>::Type;
  constexpr int64_t kLanes = kBytes / sizeof(Acc);
  if (at + kLanes <= end) {
    V w[kCount];
#pragma GCC unroll 8
    for (int c = 0; c < kCount; ++c) Broadcast<kBytes, Acc>(weights[c], w[c]);
    do {
      const V x = *reinterpret_cast<const V*>(line + at);
#pragma GCC unroll 8
      for (int c = 0; c < kCount; ++c) {
        V* const to = reinterpret_cast<V*>(&sums[c][at]);
        V sum = *to;
        MultiplyAdd<kBytes, Acc>(w[c], x, sum);
        *to = sum;
      }
      at += kLanes;
    } while (at + kLanes <= end);
  }
  if constexpr (kLanes > 1) {
    constexpr int kNarrower = kBytes > 16 ? kBytes / 2 : static_cast<int>(sizeof(Acc));
    AddLine<kNarrower, kCount>(weights, line, at, end, sums);
  }
}

template <int kBytes, typename X, typename W, typename Y>
class UnitComputer {
 public:
  using Acc = typename Arithmetic<Y>::Acc;

  TENFOLD_INLINE UnitComputer(const ConvolutionExtents& e, const ConvolutionOperands& operands,
                              const ConvolutionZeroPoints& zeros, const KernelInterrupt* interrupt)
      : e_(e),
        last_(e.window[2]),
        lines_(e),
        step_(e.transposed ? 1 : last_.stride),
        x_(static_cast<const X*>(operands.x)),
        w_(static_cast<const W*>(operands.w)),
        bias_(static_cast<const Y*>(operands.bias)),
        y_(static_cast<Y*>(operands.y)),
        x_zero_(zeros.x == nullptr ? Acc() : Widen<Acc>(*static_cast<const X*>(zeros.x), Acc())),
        w_zeros_(static_cast<const W*>(zeros.w)),
        w_zero_stride_(zeros.per_channel ? 1 : 0),
        interrupt_(interrupt) {
    for (const WindowExtents& axis : e.window) {
      kernel_volume_ *= axis.kernel;
      input_volume_ *= axis.input;
      output_volume_ *= axis.output;
    }
    // A constant weight's neighbours of other output and input channels.
    w_out_stride_ = e.transposed ? kernel_volume_ : e.in_channels * kernel_volume_;
    w_in_stride_ = e.transposed ? e.out_channels * kernel_volume_ : kernel_volume_;
  }

  // False if it was stopped.
  TENFOLD_INLINE bool Compute(int64_t unit) {
    const int64_t piece = Take(unit, lines_.pieces);
    phase_ = Take(unit, lines_.phases);
    o1_ = Take(unit, e_.window[1].output);
    o0_ = Take(unit, e_.window[0].output);
    const int64_t channel = Take(unit, ChannelBlocks(e_)) * kChannels;
    const int64_t group = Take(unit, e_.groups);
    const int64_t batch = unit;
    line_begin_ = piece * kLine;
    length_ = std::min<int64_t>(kLine, CeilDiv(last_.output - phase_, lines_.phases) - line_begin_);
    if (length_ <= 0) return true;  // the later phases may be one output shorter
    const int channels = static_cast<int>(std::min<int64_t>(kChannels, e_.out_channels - channel));
    for (int64_t k = 0; k < std::min<int64_t>(last_.kernel, kKeptTaps); ++k) taps_[k] = ComputeTap(k);

    std::memset(sums_, 0, sizeof(sums_[0]) * channels);
    first_channel_ = group * e_.out_channels + channel;
    for (int64_t c = 0; c < e_.in_channels; ++c) {
      const X* const x = x_ + ((batch * e_.groups + group) * e_.in_channels + c) * input_volume_;
      const W* w = w_ + group * e_.in_channels * e_.out_channels * kernel_volume_ + c * w_in_stride_ +
                   channel * w_out_stride_;
      if (!AddChannel(x, w, channels)) return false;
    }
    Store(y_ + (batch * e_.groups * e_.out_channels + first_channel_) * output_volume_, channels);
    return true;
  }

 private:
  static int64_t Take(int64_t& rest, int64_t extent) {
    const int64_t digit = rest % extent;
    rest /= extent;
    return digit;
  }

  TENFOLD_INLINE Tap ComputeTap(int64_t k) const {
    int64_t first;
    if (e_.transposed) {
      const int64_t at = phase_ + last_.pad_begin - k * last_.dilation;
      if (FloorMod(at, last_.stride) != 0) return {0, 0, 0};
      first = at / last_.stride + line_begin_;
    } else {
      first = k * last_.dilation - last_.pad_begin + line_begin_ * last_.stride;
    }
    return {first, std::clamp<int64_t>(CeilDiv(-first, step_), 0, length_),
            std::clamp<int64_t>(CeilDiv(last_.input - first, step_), 0, length_)};
  }

  // One input channel, whose first elements and weights are given. False if it was stopped.
  TENFOLD_INLINE bool AddChannel(const X* x, const W* w, int channels) {
    for (int64_t k0 = 0; k0 < e_.window[0].kernel; ++k0) {
      const std::optional<int64_t> i0 = InputAt(e_.window[0], e_.transposed, o0_, k0);
      for (int64_t k1 = 0; i0 && k1 < e_.window[1].kernel; ++k1) {
        const std::optional<int64_t> i1 = InputAt(e_.window[1], e_.transposed, o1_, k1);
        if (!i1) continue;
        const int64_t row = *i0 * e_.window[1].input + *i1;
        if (!AddRow(x + row * last_.input, w + (k0 * e_.window[1].kernel + k1) * last_.kernel, channels))
          return false;
      }
    }
    return true;
  }

  TENFOLD_INLINE bool AddRow(const X* x, const W* w, int channels) {
    for (int64_t k = 0; k < last_.kernel; ++k) {
      const Tap tap = k < kKeptTaps ? taps_[k] : ComputeTap(k);
      const int64_t count = tap.end - tap.begin;
      if (count <= 0) continue;
      products_ += count * channels;
      if (products_ >= kProductsBetweenPolls) [[unlikely]] {
        products_ = 0;
        if (StopRequested(interrupt_)) return false;
      }
      Acc weights[kChannels];
      for (int c = 0; c < channels; ++c) {
        const Acc zero =
            w_zeros_ == nullptr ? Acc() : Widen<Acc>(w_zeros_[(first_channel_ + c) * w_zero_stride_], Acc());
        weights[c] = Widen<Acc>(w[c * w_out_stride_ + k], zero);
      }
      const Acc* const line = Line(x + tap.first, tap.begin, tap.end);
      if (channels == kChannels) {
        AddLine<kBytes, kChannels>(weights, line, tap.begin, tap.end, sums_);
      } else {
        for (int c = 0; c < channels; ++c)
          AddLine<kBytes, 1>(weights + c, line, tap.begin, tap.end, sums_ + c);
      }
    }
    return true;
  }

  // The elements x[j * step] as what is accumulated, for j in [begin, end): where they are, or copied.
  TENFOLD_INLINE const Acc* Line(const X* x, int64_t begin, int64_t end) {
    if constexpr (std::is_same_v<X, Acc>) {
      if (step_ == 1 && (std::is_floating_point_v<Acc> || x_zero_ == Acc())) return x;
    }
    if (step_ == 1) {
      for (int64_t j = begin; j < end; ++j) line_[j] = Widen<Acc>(x[j], x_zero_);
    } else {
      for (int64_t j = begin; j < end; ++j) line_[j] = Widen<Acc>(x[j * step_], x_zero_);
    }
    return line_;
  }

  TENFOLD_INLINE void Store(Y* channel, int channels) const {
    const int64_t row = (o0_ * e_.window[1].output + o1_) * last_.output;
    for (int c = 0; c < channels; ++c) {
      Y* const to = channel + c * output_volume_ + row + phase_ + line_begin_ * lines_.phases;
      for (int64_t j = 0; j < length_; ++j) {
        Acc sum = sums_[c][j];
        if (bias_ != nullptr) sum = sum + Arithmetic<Y>::Load(bias_[first_channel_ + c]);
        to[j * lines_.phases] = Arithmetic<Y>::Store(sum);
      }
    }
  }

  const ConvolutionExtents& e_;
  const WindowExtents& last_;
  const Lines lines_;
  const int64_t step_;  // between the inputs of neighbours on a line
  const X* const x_;
  const W* const w_;
  const Y* const bias_;
  Y* const y_;
  const Acc x_zero_;
  const W* const w_zeros_;
  const int64_t w_zero_stride_;
  const KernelInterrupt* const interrupt_;
  int64_t kernel_volume_ = 1, input_volume_ = 1, output_volume_ = 1;
  int64_t w_out_stride_, w_in_stride_;

  // Of the unit at hand.
  int64_t o0_, o1_, phase_, line_begin_, length_, first_channel_;
  int64_t products_ = 0;
  Tap taps_[kKeptTaps];
  alignas(64) Acc line_[kLine];
  alignas(64) Acc sums_[kChannels][kStride];
};

template <typename X, typename W, typename Y>
using UnitsFunction = void (*)(const ConvolutionExtents&, const ConvolutionOperands&,
                               const ConvolutionZeroPoints&, int64_t, int64_t, const KernelInterrupt*);

template <int kBytes, typename X, typename W, typename Y>
TENFOLD_INLINE void ComputeUnits(const ConvolutionExtents& extents, const ConvolutionOperands& operands,
                                 const ConvolutionZeroPoints& zeros, int64_t begin, int64_t end,
                                 const KernelInterrupt* interrupt) {
  UnitComputer<kBytes, X, W, Y> computer(extents, operands, zeros, interrupt);
  for (int64_t unit = begin; unit < end && computer.Compute(unit); ++unit) {
  }
}

template <typename X, typename W, typename Y>
void ComputeUnitsBaseline(const ConvolutionExtents& extents, const ConvolutionOperands& operands,
                          const ConvolutionZeroPoints& zeros, int64_t begin, int64_t end,
                          const KernelInterrupt* interrupt) {
  ComputeUnits<sizeof(typename Arithmetic<Y>::Acc), X, W, Y>(extents, operands, zeros, begin, end, interrupt);
}
// As in matmul_reference.cc: from another compiler every level has the baseline's code.
#if defined(__GNUC__) && !defined(__clang__)
template <typename X, typename W, typename Y>
__attribute__((target("arch=x86-64-v3"))) void ComputeUnitsAvx2(const ConvolutionExtents& extents,
                                                                const ConvolutionOperands& operands,
                                                                const ConvolutionZeroPoints& zeros,
                                                                int64_t begin, int64_t end,
                                                                const KernelInterrupt* interrupt) {
  ComputeUnits<32, X, W, Y>(extents, operands, zeros, begin, end, interrupt);
}
template <typename X, typename W, typename Y>
__attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))) void ComputeUnitsAvx512(
    const ConvolutionExtents& extents, const ConvolutionOperands& operands,
    const ConvolutionZeroPoints& zeros, int64_t begin, int64_t end, const KernelInterrupt* interrupt) {
  ComputeUnits<64, X, W, Y>(extents, operands, zeros, begin, end, interrupt);
}
#else
template <typename X, typename W, typename Y>
constexpr UnitsFunction<X, W, Y> ComputeUnitsAvx2 = ComputeUnitsBaseline<X, W, Y>;
template <typename X, typename W, typename Y>
constexpr UnitsFunction<X, W, Y> ComputeUnitsAvx512 = ComputeUnitsBaseline<X, W, Y>;
#endif

template <typename X, typename W, typename Y>
void ComputeAt(std::optional<IsaLevel> level, const ConvolutionExtents& extents,
               const ConvolutionOperands& operands, const ConvolutionZeroPoints& zeros, int64_t begin,
               int64_t end, const KernelInterrupt* interrupt) {
  static const IsaLevel host = HostIsaLevel();
  UnitsFunction<X, W, Y> compute = ComputeUnitsBaseline<X, W, Y>;
  switch (std::min(level.value_or(host), host)) {
    case IsaLevel::kAvx512:
      compute = ComputeUnitsAvx512<X, W, Y>;
      break;
    case IsaLevel::kAvx2:
      compute = ComputeUnitsAvx2<X, W, Y>;
      break;
    case IsaLevel::kBaseline:
      break;
  }
  compute(extents, operands, zeros, begin, end, interrupt);
}

}  // namespace

int64_t ConvolutionExtents::num_units() const {
  if (window[0].output == 0 || window[1].output == 0 || window[2].output == 0) return 0;
  const Lines lines(*this);
  return batch * groups * ChannelBlocks(*this) * window[0].output * window[1].output * lines.phases *
         lines.pieces;
}

int64_t ConvolutionExtents::unit_products() const {
  int64_t products =
      std::min<int64_t>(out_channels, kChannels) * std::min<int64_t>(Lines(*this).longest, kLine);
  for (int64_t factor : {in_channels, window[0].kernel, window[1].kernel, window[2].kernel}) {
    if (__builtin_mul_overflow(products, factor, &products)) return std::numeric_limits<int64_t>::max();
  }
  return products;
}

void ConvolutionReference(DType dtype, const ConvolutionExtents& extents, const ConvolutionOperands& operands,
                          int64_t unit_begin, int64_t unit_end, std::optional<IsaLevel> level,
                          const KernelInterrupt* interrupt) {
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    // Two's complement: signed products and sums have the bits of the unsigned ones.
    if constexpr (!std::is_same_v<T, bool>) {
      using U = decltype([] {
        if constexpr (std::is_integral_v<T>)
          return std::make_unsigned_t<T>();
        else
          return T();
      }());
      ComputeAt<U, U, U>(level, extents, operands, {}, unit_begin, unit_end, interrupt);
    }
  });
}

void IntegerConvolutionReference(DType x_dtype, DType w_dtype, const ConvolutionExtents& extents,
                                 const ConvolutionOperands& operands,
                                 const ConvolutionZeroPoints& zero_points, int64_t unit_begin,
                                 int64_t unit_end, std::optional<IsaLevel> level,
                                 const KernelInterrupt* interrupt) {
  const auto with = [&]<typename X, typename W>(std::type_identity<X>, std::type_identity<W>) {
    ComputeAt<X, W, uint32_t>(level, extents, operands, zero_points, unit_begin, unit_end, interrupt);
  };
  const std::type_identity<int8_t> i8;
  const std::type_identity<uint8_t> u8;
  if (x_dtype == DType::kI8)
    w_dtype == DType::kI8 ? with(i8, i8) : with(i8, u8);
  else
    w_dtype == DType::kI8 ? with(u8, i8) : with(u8, u8);
}

}  // namespace tenfold
