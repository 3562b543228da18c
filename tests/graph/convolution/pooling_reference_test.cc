// SPDX-License-Identifier: Apache-2.0
//
// The loop nests of pooling, bit for bit against their definition written down naively.
#include "tenfold/graph/pooling_reference.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "tenfold/graph/half.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/tests/graph/convolution/random_window.h"

namespace tenfold {
namespace {

using testing::Pick;
using testing::RandomWindow;

constexpr IsaLevel kLevels[] = {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512};

// b is larger than a, in the order of `maximum`.
template <typename A>
bool Larger(A a, A b) {
  if constexpr (std::is_floating_point_v<A>) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(b) && !std::isnan(a);
    if (a == 0 && b == 0) return std::signbit(a) && !std::signbit(b);
  }
  return a < b;
}

std::string Text(const PoolingExtents& e) {
  std::string text = std::to_string(e.planes);
  for (const WindowExtents& a : e.window) {
    text += " |";
    for (int64_t v : {a.input, a.kernel, a.output, a.stride, a.dilation, a.pad_begin, a.pad_end})
      text += " " + std::to_string(v);
  }
  return text;
}

// The elements of one window, columns outermost or innermost.
struct Element {
  int64_t i0, i1, i2;
};
std::vector<Element> WindowAt(const PoolingExtents& e, int64_t o0, int64_t o1, int64_t o2,
                              bool columns_first) {
  const auto& [a, b, c] = e.window;
  std::vector<Element> elements;
  const auto add = [&](int64_t k0, int64_t k1, int64_t k2) {
    const Element at = {o0 * a.stride - a.pad_begin + k0 * a.dilation,
                        o1 * b.stride - b.pad_begin + k1 * b.dilation,
                        o2 * c.stride - c.pad_begin + k2 * c.dilation};
    if (at.i0 >= 0 && at.i0 < a.input && at.i1 >= 0 && at.i1 < b.input && at.i2 >= 0 && at.i2 < c.input)
      elements.push_back(at);
  };
  for (int64_t outer = 0; outer < (columns_first ? c.kernel : 1); ++outer)
    for (int64_t k0 = 0; k0 < a.kernel; ++k0)
      for (int64_t k1 = 0; k1 < b.kernel; ++k1) {
        if (columns_first) add(k0, k1, outer);
        for (int64_t k2 = 0; k2 < c.kernel && !columns_first; ++k2) add(k0, k1, k2);
      }
  return elements;
}

template <typename T>
void DefineMax(const PoolingExtents& e, const T* x, T* y, int64_t* indices, bool column_major) {
  const auto& [a, b, c] = e.window;
  for (int64_t p = 0; p < e.planes; ++p)
    for (int64_t o0 = 0; o0 < a.output; ++o0)
      for (int64_t o1 = 0; o1 < b.output; ++o1)
        for (int64_t o2 = 0; o2 < c.output; ++o2) {
          std::optional<Element> best;
          const auto value = [&](const Element& i) {
            return x[((p * a.input + i.i0) * b.input + i.i1) * c.input + i.i2];
          };
          for (const Element& i : WindowAt(e, o0, o1, o2, false)) {
            if (!best || Larger(Widen(value(*best)), Widen(value(i)))) best = i;
          }
          if constexpr (std::is_integral_v<T>)
            *y++ = best ? value(*best) : std::numeric_limits<T>::min();
          else
            *y++ = best ? value(*best) : Narrow<T>(-std::numeric_limits<decltype(Widen(T()))>::infinity());
          *indices++ = !best ? -1
                             : p * a.input * b.input * c.input +
                                   (column_major ? best->i0 + a.input * (best->i1 + b.input * best->i2)
                                                 : (best->i0 * b.input + best->i1) * c.input + best->i2);
        }
}

// Of a dim, the positions of a window that count.
int64_t Counted(const WindowExtents& w, int64_t o, bool padding) {
  int64_t count = 0;
  for (int64_t k = 0; k < w.kernel; ++k) {
    const int64_t i = o * w.stride - w.pad_begin + k * w.dilation;
    count += padding ? i >= -w.pad_begin && i < w.input + w.pad_end : i >= 0 && i < w.input;
  }
  return count;
}

template <typename T>
void DefineSum(const PoolingExtents& e, const T* x, T* y, bool average, bool count_padding) {
  using A = decltype(Widen(T()));
  const auto& [a, b, c] = e.window;
  for (int64_t p = 0; p < e.planes; ++p)
    for (int64_t o0 = 0; o0 < a.output; ++o0)
      for (int64_t o1 = 0; o1 < b.output; ++o1)
        for (int64_t o2 = 0; o2 < c.output; ++o2) {
          A sum = A(-0.0), column = A(-0.0);
          int64_t at = -1;
          for (const Element& i : WindowAt(e, o0, o1, o2, true)) {
            if (i.i2 != at) sum += column, column = A(-0.0), at = i.i2;
            column += Widen(x[((p * a.input + i.i0) * b.input + i.i1) * c.input + i.i2]);
          }
          sum += column;
          if (average) {
            sum /= static_cast<A>(Counted(a, o0, count_padding) * Counted(b, o1, count_padding) *
                                  Counted(c, o2, count_padding));
          }
          *y++ = Narrow<T>(sum);
        }
}

Tensor RandomTensor(DType dtype, int64_t count, std::mt19937& random) {
  Tensor tensor = *Tensor::Allocate(dtype, Dims{count});
  std::normal_distribution<double> normal;
  const double specials[] = {0.0, -0.0, INFINITY, -INFINITY, 1.0, -1.0, NAN};
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    for (T& v : tensor.mutable_values<T>()) {
      if constexpr (std::is_integral_v<T>)
        v = static_cast<T>(Pick(random, 0, 9) == 0 ? uint64_t{1} << (sizeof(T) * 8 - 1) : random());
      else
        v = Narrow<T>(static_cast<decltype(Widen(T()))>(Pick(random, 0, 2) == 0 ? specials[random() % 7]
                                                                                : normal(random)));
    }
  });
  return tensor;
}

PoolingExtents RandomExtents(std::mt19937& random) {
  PoolingExtents e;
  e.planes = Pick(random, 1, 3);
  e.window = RandomWindow(random, static_cast<int>(Pick(random, 1, 3)));
  if (Pick(random, 0, 19) == 0) {  // longer than a tile
    e.window[2] = {.input = 3000, .kernel = 1200, .output = 301, .stride = 6, .pad_begin = 3, .pad_end = 4};
  }
  return e;
}
int64_t Volume(const PoolingExtents& e, int64_t WindowExtents::* extent) {
  return e.planes * e.window[0].*extent * e.window[1].*extent * e.window[2].*extent;
}

// All NaNs as one.
Tensor Canonical(const Tensor& t) {
  Tensor copy = *Tensor::Allocate(t.dtype(), t.dims());
  std::memcpy(copy.mutable_data(), t.data(), t.stored_bytes());
  CanonicalizeNans(t.dtype(), copy.mutable_data(), t.num_elements());
  return copy;
}

TEST(PoolingReference, MaximaAreTheirDefinition) {
  std::mt19937 random(30);
  for (DType dtype : kComputedDTypes) {
    if (IsBool(dtype)) continue;
    for (int round = 0; round < 12; ++round) {
      const PoolingExtents e = RandomExtents(random);
      SCOPED_TRACE(std::string(Name(dtype)) + " " + Text(e));
      const int64_t count = Volume(e, &WindowExtents::output);
      const Tensor x = RandomTensor(dtype, Volume(e, &WindowExtents::input), random);
      Tensor want = *Tensor::Allocate(dtype, Dims{count});
      std::vector<int64_t> want_indices(count);
      const bool column_major = round % 2 == 0;
      VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
        DefineMax<T>(e, x.values<T>().data(), want.mutable_values<T>().data(), want_indices.data(),
                     column_major);
      });
      for (IsaLevel level : kLevels) {
        for (bool with_indices : {false, true}) {
          Tensor got = *Tensor::Allocate(dtype, Dims{count});
          std::vector<int64_t> indices(count, -7);
          const MaxPooling pooling = {dtype, x.data(), got.mutable_data(),
                                      with_indices ? indices.data() : nullptr, column_major};
          const int64_t half = e.num_units() / 2;
          MaxPoolingReference(e, pooling, half, e.num_units(), level);
          MaxPoolingReference(e, pooling, 0, half, level);
          ASSERT_TRUE(SameBits(Canonical(got), Canonical(want))) << Name(level) << with_indices;
          if (with_indices) {
            ASSERT_EQ(indices, want_indices) << Name(level);
          }
        }
      }
    }
  }
}

TEST(PoolingReference, SumsAndAveragesAreTheirDefinition) {
  std::mt19937 random(31);
  for (DType dtype : {DType::kF16, DType::kBF16, DType::kF32, DType::kF64}) {
    for (int round = 0; round < 30; ++round) {
      const PoolingExtents e = RandomExtents(random);
      SCOPED_TRACE(std::string(Name(dtype)) + " " + Text(e));
      const int64_t count = Volume(e, &WindowExtents::output);
      const Tensor x = RandomTensor(dtype, Volume(e, &WindowExtents::input), random);
      Tensor want = *Tensor::Allocate(dtype, Dims{count});
      const bool average = round % 3 != 0, count_padding = round % 3 == 1;
      VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
        if constexpr (!std::is_integral_v<T>)
          DefineSum<T>(e, x.values<T>().data(), want.mutable_values<T>().data(), average, count_padding);
      });
      for (IsaLevel level : kLevels) {
        Tensor got = *Tensor::Allocate(dtype, Dims{count});
        const SumPooling pooling = {dtype, x.data(), got.mutable_data(), average, count_padding};
        const int64_t half = e.num_units() / 2;
        SumPoolingReference(e, pooling, half, e.num_units(), level);
        SumPoolingReference(e, pooling, 0, half, level);
        ASSERT_TRUE(SameBits(Canonical(got), Canonical(want))) << Name(level);
      }
    }
  }
}

PoolingExtents Line(WindowExtents last) {
  PoolingExtents e;
  e.window[2] = last;
  return e;
}

TEST(PoolingReference, NanIsTheMaximumAndNegativeZeroTheSmallerZero) {
  const std::vector<float> x = {1, NAN, INFINITY, -0.0f, 0, -0.0f, -INFINITY, -INFINITY};
  const PoolingExtents e = Line({.input = 8, .kernel = 2, .output = 4, .stride = 2});
  std::vector<float> y(4);
  std::vector<int64_t> indices(4);
  MaxPoolingReference(e, {DType::kF32, x.data(), y.data(), indices.data()}, 0, e.num_units());
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], INFINITY);
  EXPECT_EQ(std::bit_cast<uint32_t>(y[2]), 0u);
  EXPECT_EQ(y[3], -INFINITY);
  EXPECT_EQ(indices, (std::vector<int64_t>{1, 2, 4, 6}));
}

// Two elements apart over one element and its padding: the second window lies in the padding alone.
TEST(PoolingReference, WindowsInThePaddingAlone) {
  const PoolingExtents e =
      Line({.input = 2, .kernel = 2, .output = 1, .dilation = 3, .pad_begin = 1, .pad_end = 1});
  const float x[] = {5, 6};
  float y = 0;
  int64_t index = 0;
  MaxPoolingReference(e, {DType::kF32, x, &y, &index}, 0, 1);
  EXPECT_EQ(y, -INFINITY);
  EXPECT_EQ(index, -1);
  SumPoolingReference(e, {DType::kF32, x, &y, /*average=*/true, /*count_padding=*/false}, 0, 1);
  EXPECT_TRUE(std::isnan(y));
  SumPoolingReference(e, {DType::kF32, x, &y, /*average=*/true, /*count_padding=*/true}, 0, 1);
  EXPECT_EQ(y, 0);
}

// The last window hangs over the padding, and what lies beyond it is not counted.
TEST(PoolingReference, NothingBeyondThePaddingIsCounted) {
  const PoolingExtents e =
      Line({.input = 4, .kernel = 3, .output = 3, .stride = 2, .pad_begin = 1, .pad_end = 1});
  const float x[] = {1, 2, 3, 4};
  std::vector<float> y(3);
  SumPoolingReference(e, {DType::kF32, x, y.data(), true, true}, 0, e.num_units());
  EXPECT_EQ(y, (std::vector<float>{1, 3, 2}));  // (0+1+2)/3, (2+3+4)/3, (4+0)/2
  SumPoolingReference(e, {DType::kF32, x, y.data(), true, false}, 0, e.num_units());
  EXPECT_EQ(y, (std::vector<float>{1.5, 3, 4}));
}

int32_t StopAtOnce(void* polls) { return ++*static_cast<int*>(polls); }

TEST(PoolingReference, StopsWithinALongUnit) {
  const int64_t length = int64_t{1} << 23;
  const PoolingExtents e = Line({.input = length, .kernel = length, .output = 1});
  const std::vector<float> x(length, 1.0f);
  float y = -1;
  int polls = 0;
  const KernelInterrupt interrupt = {&StopAtOnce, &polls};
  SumPoolingReference(e, {DType::kF32, x.data(), &y}, 0, 1, std::nullopt, &interrupt);
  EXPECT_EQ(polls, 1);
  SumPoolingReference(e, {DType::kF32, x.data(), &y}, 0, 1);
  EXPECT_EQ(y, static_cast<float>(length));
}

TEST(PoolingReference, EmptyResultsHaveNoUnits) {
  PoolingExtents e = Line({.input = 4, .kernel = 2, .output = 3});
  e.planes = 0;
  EXPECT_EQ(e.num_units(), 0);
  e.planes = 1;
  e.window[0].output = 0;
  EXPECT_EQ(e.num_units(), 0);
}

}  // namespace
}  // namespace tenfold
