// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/onednn/onednn_convolution.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/half.h"
#include "tenfold/kernels/onednn/convolution_blocking.h"
#include "tenfold/tests/graph/convolution/random_window.h"

namespace tenfold {
namespace {

using testing::Pick;

constexpr float kInf = std::numeric_limits<float>::infinity();

int64_t Volume(const Window& window, int64_t WindowExtents::* extent) {
  return window[0].*extent * window[1].*extent * window[2].*extent;
}
int64_t XSize(const ConvolutionExtents& e) {
  return e.batch * e.groups * e.in_channels * Volume(e.window, &WindowExtents::input);
}
int64_t WSize(const ConvolutionExtents& e) {
  return e.groups * e.out_channels * e.in_channels * Volume(e.window, &WindowExtents::kernel);
}
int64_t YSize(const ConvolutionExtents& e) {
  return e.batch * e.groups * e.out_channels * Volume(e.window, &WindowExtents::output);
}

float At(const Tensor& t, int64_t i) {
  return t.dtype() == DType::kF32 ? t.at<float>(i) : ToFloat(t.at<BF16>(i));
}
void Set(Tensor& t, int64_t i, float v) {
  if (t.dtype() == DType::kF32)
    t.mutable_values<float>()[i] = v;
  else
    t.mutable_values<BF16>()[i] = ToBF16(v);
}

Tensor Random(DType dtype, int64_t count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  Tensor tensor = *Tensor::Allocate(dtype, Dims{count});
  for (int64_t i = 0; i < count; ++i) Set(tensor, i, normal(random));
  return tensor;
}

Tensor Magnitudes(const Tensor& from) {
  Tensor to = *Tensor::Allocate(DType::kF32, from.dims());
  for (int64_t i = 0; i < from.num_elements(); ++i) Set(to, i, std::abs(At(from, i)));
  return to;
}

struct Case {
  ConvolutionSpec spec;
  Tensor x, w, bias;

  ConvolutionOperands Operands(Tensor& y) const {
    return {x.data(), spec.constant_weights ? nullptr : w.data(), spec.has_bias ? bias.data() : nullptr,
            y.mutable_data()};
  }
};

Case Make(const ConvolutionSpec& spec, std::mt19937& random) {
  const ConvolutionExtents& e = spec.extents;
  return {spec, Random(spec.dtype, XSize(e), random), Random(spec.dtype, WSize(e), random),
          Random(spec.dtype, e.groups * e.out_channels, random)};
}

// Runs all tasks, last first.
Tensor RunAll(const ConvolutionKernel& kernel, const Case& c) {
  Tensor y = *Tensor::Allocate(c.spec.dtype, Dims{YSize(c.spec.extents)});
  std::memset(y.mutable_data(), 0x7f, y.stored_bytes());
  std::vector<char> scratch(kernel.scratch_bytes() + 64);
  void* aligned =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
  for (int64_t t = kernel.num_tasks(); t-- > 0;) kernel.RunTask(t, c.Operands(y), aligned);
  return y;
}

Tensor Reference(const Case& c) {
  Tensor y = *Tensor::Allocate(c.spec.dtype, Dims{YSize(c.spec.extents)});
  ConvolutionOperands operands = c.Operands(y);
  operands.w = c.w.data();
  ConvolutionReference(c.spec.dtype, c.spec.extents, operands, 0, c.spec.extents.num_units());
  return y;
}

// Within the stated bound of the reference, non-finite values alike.
void ExpectClose(const Case& c, const Tensor& got, const Tensor& want) {
  Case sums = c;
  sums.spec.dtype = DType::kF32;
  sums.spec.constant_weights.reset();
  sums.x = Magnitudes(c.x), sums.w = Magnitudes(c.w), sums.bias = Magnitudes(c.bias);
  const Tensor sum = Reference(sums);
  const double terms = static_cast<double>(WSize(c.spec.extents)) /
                       static_cast<double>(c.spec.extents.groups * c.spec.extents.out_channels);
  const double unit = std::ldexp(1.0, c.spec.dtype == DType::kF32 ? -24 : -8);
  for (int64_t i = 0; i < want.num_elements(); ++i) {
    const double g = At(got, i), w = At(want, i);
    if (!std::isfinite(w)) {
      ASSERT_TRUE(std::isnan(w) ? std::isnan(g) : g == w) << "element " << i << ": " << g << " not " << w;
      continue;
    }
    const double bound =
        2 * (terms + 1) * std::ldexp(1.0, -24) * sum.at<float>(i) + 2 * unit * std::abs(w) + 0x1p-126;
    ASSERT_LE(std::abs(g - w), bound) << "element " << i << ": " << g << " not " << w;
  }
}

std::string Text(const ConvolutionSpec& spec) {
  const ConvolutionExtents& e = spec.extents;
  std::string text(Name(spec.dtype));
  for (int64_t v : {e.batch, e.groups, e.in_channels, e.out_channels}) text += " " + std::to_string(v);
  for (const WindowExtents& a : e.window) {
    text += " |";
    for (int64_t v : {a.input, a.kernel, a.output, a.stride, a.dilation, a.pad_begin, a.pad_end})
      text += " " + std::to_string(v);
  }
  return text + (spec.has_bias ? " bias" : "") + (spec.constant_weights ? " constant" : "");
}

enum Specials { kNone, kInInput, kInWeights };

// Whether the library had something faster.
bool Check(ConvolutionSpec spec, bool constant, Specials specials) {
  std::mt19937 random(static_cast<uint32_t>(XSize(spec.extents) * 7 + WSize(spec.extents)));
  Case c = Make(spec, random);
  // In bf16 a subnormal operand counts as zero, which times Inf is NaN: see onednn_matmul.h.
  const float tiny = spec.dtype == DType::kBF16 ? 1e-30f : 1e-40f;
  Tensor& target = specials == kInInput ? c.x : c.w;
  for (float v : {kInf, -kInf, std::nanf(""), 0.0f, -0.0f, tiny}) {
    if (specials != kNone && (!std::isnan(v) || specials == kInInput))
      Set(target, random() % target.num_elements(), v);
  }
  if (constant) c.spec.constant_weights = c.w;
  SCOPED_TRACE(Text(c.spec));
  const auto kernel = CreateOneDnnConvolutionProvider()->Create(c.spec);
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  if (!kernel.ok() || *kernel == nullptr) return false;
  const Tensor y = RunAll(**kernel, c);
  ExpectClose(c, y, Reference(c));
  EXPECT_TRUE(SameBits(RunAll(**kernel, c), y));
  return true;
}

WindowExtents Axis(int64_t input, int64_t kernel, int64_t stride = 1, int64_t pad = 0, int64_t dilation = 1) {
  return {.input = input,
          .kernel = kernel,
          .output = (input + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1,
          .stride = stride,
          .dilation = dilation,
          .pad_begin = pad,
          .pad_end = pad};
}

ConvolutionExtents Extents(int64_t batch, int64_t groups, int64_t in, int64_t out, WindowExtents a,
                           WindowExtents b, WindowExtents c) {
  return {.batch = batch, .groups = groups, .in_channels = in, .out_channels = out, .window = {a, b, c}};
}

const WindowExtents kUnused;

std::vector<ConvolutionExtents> Shapes() {
  return {
      Extents(1, 1, 64, 64, kUnused, Axis(56, 3, 1, 1), Axis(28, 3, 1, 1)),
      Extents(1, 1, 3, 64, kUnused, Axis(40, 7, 2, 3), Axis(40, 7, 2, 3)),
      Extents(2, 1, 20, 30, kUnused, Axis(30, 3, 1, 1), Axis(31, 3, 2, 1)),
      Extents(5, 1, 33, 17, kUnused, Axis(9, 1), Axis(11, 1)),
      Extents(1, 64, 1, 1, kUnused, Axis(56, 3, 1, 1), Axis(56, 3, 1, 1)),
      Extents(2, 20, 1, 1, kUnused, Axis(28, 5, 2, 2), Axis(28, 5, 2, 2)),
      Extents(1, 4, 16, 16, kUnused, Axis(28, 3, 1, 1), Axis(28, 3, 1, 1)),
      Extents(1, 4, 5, 6, kUnused, Axis(28, 3, 1, 1), Axis(28, 3, 1, 1)),
      Extents(1, 1, 32, 32, kUnused, Axis(40, 3, 1, 4, 3), Axis(40, 3, 1, 4, 3)),
      Extents(1, 1, 192, 300, kUnused, Axis(7, 3, 1, 1), Axis(7, 3, 1, 1)),  // cut by channels
      Extents(1, 1, 64, 64, kUnused, kUnused, Axis(300, 5, 1, 2)),
      Extents(3, 1, 7, 9, kUnused, kUnused, Axis(500, 9, 3, 4)),
      Extents(1, 1, 16, 32, Axis(8, 3, 1, 1), Axis(14, 3, 1, 1), Axis(14, 3, 1, 1)),
      Extents(2, 1, 5, 6, Axis(6, 2, 2), Axis(10, 3, 1, 1), Axis(12, 4, 1, 2)),
      Extents(70, 1, 16, 16, kUnused, Axis(8, 3, 1, 1), Axis(8, 3, 1, 1)),  // several images a task
  };
}

TEST(OneDnnConvolution, AgreesWithTheReference) {
  int fast = 0;
  for (DType dtype : {DType::kF32, DType::kBF16}) {
    for (const ConvolutionExtents& extents : Shapes()) {
      for (bool constant : {false, true}) {
        for (Specials specials : {kNone, kInInput, kInWeights}) {
          fast += Check({.dtype = dtype, .extents = extents, .has_bias = constant, .constant_weights = {}},
                        constant, specials);
        }
      }
    }
  }
  // On a CPU with AVX-512 all but those with few channels in a group.
  RecordProperty("fast", fast);
}

// Every padding, stride and dilation, with infinite weights that must not meet it.
TEST(OneDnnConvolution, AgreesOnRandomGeometries) {
  std::mt19937 random(4);
  int fast = 0;
  for (int round = 0; round < 300; ++round) {
    ConvolutionSpec spec;
    spec.dtype = round % 4 == 0 ? DType::kBF16 : DType::kF32;
    ConvolutionExtents& e = spec.extents;
    e.window = testing::RandomWindow(random, static_cast<int>(Pick(random, 1, 3)));
    e.batch = Pick(random, 1, 3);
    const bool depthwise = round % 5 == 0;
    e.groups = depthwise ? Pick(random, 1, 80) : Pick(random, 1, 2);
    e.in_channels = depthwise ? 1 : Pick(random, 1, 90);
    e.out_channels = depthwise ? 1 : Pick(random, 1, 90);
    spec.has_bias = round % 2 == 0;
    fast += Check(spec, round % 3 != 0, round % 7 == 0 ? kInInput : kInWeights);
    if (::testing::Test::HasFailure()) return;
  }
  RecordProperty("fast", fast);
}

TEST(OneDnnConvolution, PaddingContributesNothing) {
  ConvolutionSpec spec{.extents = Shapes()[0], .constant_weights = {}};
  Case c{spec, *Tensor::Allocate(DType::kF32, Dims{XSize(spec.extents)}),
         *Tensor::Allocate(DType::kF32, Dims{WSize(spec.extents)}), Tensor()};
  for (float& v : c.x.mutable_values<float>()) v = 1;
  for (int64_t i = 0; i < WSize(spec.extents); ++i) Set(c.w, i, i % 9 == 0 ? kInf : 1);
  const auto kernel = *CreateOneDnnConvolutionProvider()->Create(c.spec);
  if (kernel == nullptr) GTEST_SKIP() << "no fast code on this CPU";
  const Tensor y = RunAll(*kernel, c);
  for (int64_t i = 0; i < y.num_elements(); ++i) {
    const int64_t row = i / 28 % 56, column = i % 28;
    const bool sees = row > 0 && column > 0;
    const int64_t rows = row == 0 || row == 55 ? 2 : 3, columns = column == 0 || column == 27 ? 2 : 3;
    ASSERT_EQ(y.at<float>(i), sees ? kInf : 64.0f * static_cast<float>(rows * columns)) << i;
  }
}

TEST(OneDnnConvolution, WritesNansCanonical) {
  std::mt19937 random(5);
  for (bool constant : {false, true}) {
    ConvolutionSpec spec{.extents = Shapes()[0], .constant_weights = {}, .canonicalize_nans = true};
    Case c = Make(spec, random);
    c.x.mutable_values<float>()[3 * 56 * 28 + 20 * 28 + 10] = std::bit_cast<float>(0xffc12345);
    if (constant) c.spec.constant_weights = c.w;
    const auto kernel = *CreateOneDnnConvolutionProvider()->Create(c.spec);
    if (kernel == nullptr) GTEST_SKIP() << "no fast code on this CPU";
    const Tensor y = RunAll(*kernel, c);
    for (int64_t i = 0; i < y.num_elements(); ++i) {
      const int64_t row = i / 28 % 56, column = i % 28;
      const bool nan = row >= 19 && row <= 21 && column >= 9 && column <= 11;
      ASSERT_EQ(nan, std::bit_cast<uint32_t>(y.at<float>(i)) == 0x7fc00000u) << i;
      ASSERT_EQ(nan, std::isnan(y.at<float>(i))) << i;
    }
  }
}

TEST(OneDnnConvolution, LeavesToTheReferenceWhatItCannotDoBetter) {
  const auto provider = CreateOneDnnConvolutionProvider();
  ConvolutionSpec spec{.extents = Shapes()[0], .constant_weights = {}};
  spec.dtype = DType::kF64;
  EXPECT_EQ(*provider->Create(spec), nullptr);
  spec.dtype = DType::kF32;
  spec.extents.transposed = true;
  EXPECT_EQ(*provider->Create(spec), nullptr);
  spec.extents.transposed = false;
  spec.extents.in_channels = 0;
  EXPECT_EQ(*provider->Create(spec), nullptr);
  spec.extents = Extents(1, 1, 2, 2, kUnused, Axis(8, 3), Axis(8, 3));
  EXPECT_EQ(*provider->Create(spec), nullptr);  // too small
  spec.extents = Extents(1, 1, 5, 64, kUnused, Axis(28, 3), Axis(28, 3));
  spec.dtype = DType::kBF16;
  EXPECT_EQ(*provider->Create(spec), nullptr);  // an odd number of bf16 channels
  spec.dtype = DType::kF32;
  spec.extents = Extents(1, 1, 64, 64, kUnused, Axis(int64_t{1} << 40, 3), Axis(8, 3));
  EXPECT_EQ(*provider->Create(spec), nullptr);
  spec.extents = Extents(1, 1, int64_t{1} << 20, 64, kUnused, Axis(70, 65), Axis(70, 65));
  EXPECT_EQ(*provider->Create(spec), nullptr);  // a task too long to wait for
}

// A run can only be stopped between tasks.
TEST(OneDnnConvolution, TasksAreShortAndCoverTheResult) {
  constexpr double kMostProducts = int64_t{1} << 29;
  std::vector<ConvolutionExtents> shapes = Shapes();
  shapes.push_back(Extents(1, 1, 512, 512, kUnused, Axis(112, 3, 1, 1), Axis(112, 3, 1, 1)));
  shapes.push_back(Extents(1, 1, 4096, 4096, kUnused, Axis(7, 7), Axis(7, 7)));
  shapes.push_back(Extents(1000, 1, 64, 64, kUnused, Axis(56, 3, 1, 1), Axis(56, 3, 1, 1)));
  shapes.push_back(Extents(1, 1, 64, 64, Axis(64, 3, 1, 1), Axis(64, 3, 1, 1), Axis(64, 3, 1, 1)));
  for (const ConvolutionExtents& e : shapes) {
    for (bool constant : {false, true}) {
      ConvolutionSpec spec{.extents = e, .constant_weights = {}};
      if (constant) spec.constant_weights = Tensor();
      SCOPED_TRACE(Text(spec));
      const auto blocking = ConvolutionBlocking::Choose(spec);
      ASSERT_TRUE(blocking.has_value());
      int64_t elements = 0;
      for (int64_t task = 0; task < blocking->num_tasks(); ++task) {
        const ConvolutionPiece piece = blocking->PieceAt(blocking->PlaceOf(task));
        const int64_t positions =
            piece.out_rows * Volume(e.window, &WindowExtents::output) / e.window[blocking->axis()].output;
        elements += piece.images * piece.channels * positions;
        EXPECT_LE(1.0 * piece.images * piece.channels * positions * e.in_channels *
                      Volume(e.window, &WindowExtents::kernel),
                  kMostProducts);
      }
      EXPECT_EQ(elements, YSize(e));
    }
  }
}

TEST(OneDnnConvolution, TasksSideBySideGiveTheSameBits) {
  std::mt19937 random(3);
  ConvolutionSpec spec{.extents = Shapes()[0], .has_bias = true, .constant_weights = {}};
  Case c = Make(spec, random);
  c.spec.constant_weights = c.w;
  const auto kernel = *CreateOneDnnConvolutionProvider()->Create(c.spec);
  if (kernel == nullptr) GTEST_SKIP() << "no fast code on this CPU";
  EXPECT_GT(kernel->num_tasks(), 1);
  const Tensor expected = RunAll(*kernel, c);
  std::vector<std::thread> threads;
  for (int t = 0; t < 24; ++t) {  // more than the call objects that a kernel keeps
    threads.emplace_back([&] { EXPECT_TRUE(SameBits(RunAll(*kernel, c), expected)); });
  }
  for (std::thread& t : threads) t.join();
}

}  // namespace
}  // namespace tenfold
