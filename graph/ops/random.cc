// SPDX-License-Identifier: Apache-2.0
//
// Random numbers that are a function of the seed and of where they stand: docs/numerics.md has which. An op
// without a seed has the seed 0, so that a graph gives the same bits on every run.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/philox.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

// --- Numbers -----------------------------------------------------------------------------------------------

// Two numbers of 64 bits for each element.
class RandomBits {
 public:
  explicit RandomBits(const Attrs& attrs) {
    // -0 and 0 are one seed.
    const auto bits = std::bit_cast<uint64_t>(attrs.Get<double>("seed") + 0.0);
    key_ = {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)};
  }
  std::array<uint64_t, 2> At(int64_t element) const {
    const auto i = static_cast<uint64_t>(element);
    const PhiloxCounter words =
        Philox({static_cast<uint32_t>(i), static_cast<uint32_t>(i >> 32), 0, 0}, key_);
    return {words[0] | uint64_t{words[1]} << 32, words[2] | uint64_t{words[3]} << 32};
  }
  // In [0, 1), a multiple of 2^-53.
  double UniformAt(int64_t element) const { return static_cast<double>(At(element)[0] >> 11) * 0x1p-53; }

 private:
  PhiloxKey key_;
};

// How many bits of a number in [0, 1) a dtype can hold.
int SignificandBits(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return 11;
    case DType::kBF16:
      return 8;
    case DType::kF32:
      return 24;
    default:
      return 53;
  }
}

// A formula of f64 over arrays, a block at a time: how a host kernel computes a logarithm with the bits that
// an op has. `inputs` and `y` have the same length.
class Formula64 {
 public:
  Formula64(int inputs, Scalar (*formula)(std::span<const Scalar>))
      : interpreter_(ScalarBuilder::Record(
            std::vector<DType>(inputs, DType::kF64),
            [formula](std::span<const Scalar> in) { return std::vector<Scalar>{formula(in)}; })),
        inputs_(inputs) {}

  absl::Status Compute(std::span<const double* const> inputs, std::span<double> y) const {
    constexpr int64_t kBlock = BlockInterpreter::kBlock;
    const auto workspace = static_cast<int64_t>(interpreter_.WorkspaceBytes() / sizeof(double) + 1);
    TENFOLD_ASSIGN_OR_RETURN(Tensor room,
                             Tensor::Allocate(DType::kF64, Dims{(inputs_ + 1) * kBlock + workspace}));
    double* const block = static_cast<double*>(room.mutable_data());
    double* const result = block + inputs_ * kBlock;
    std::fill_n(block, inputs_ * kBlock, 0.0);
    std::vector<const void*> from;
    for (int i = 0; i < inputs_; ++i) from.push_back(block + i * kBlock);
    void* const to[] = {result};
    const bool uniform[2] = {false, false};
    for (size_t at = 0; at < y.size(); at += kBlock) {
      const size_t count = std::min<size_t>(kBlock, y.size() - at);
      for (int i = 0; i < inputs_; ++i) std::copy_n(inputs[i] + at, count, block + i * kBlock);
      interpreter_.RunBlock(from, std::span(uniform).first(inputs_), to, static_cast<int>(count),
                            result + kBlock);
      std::copy_n(result, count, y.begin() + static_cast<int64_t>(at));
    }
    return absl::OkStatus();
  }

 private:
  const BlockInterpreter interpreter_;
  const int inputs_;
};

// Box and Muller's: of two numbers in (0, 1] and [0, 1).
Scalar NormalOf(std::span<const Scalar> in) {
  return Sqrt(math::Log(in[0]) * -2.0) * math::Cos(in[1] * 6.283185307179586476925);
}

// --- RandomUniform, RandomNormal ---------------------------------------------------------------------------

absl::Status InferRandom(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"high", "low", "mean", "scale", "seed"}));
  TENFOLD_RETURN_IF_ERROR(CheckDTypeAttr(c, "dtype", kFloat));
  const Ints extents = c.attrs().Get<Ints>("shape");
  for (const int64_t extent : extents) {
    if (extent < 0) return c.Fail("E0102", absl::StrCat("attribute 'shape' has the extent ", extent));
  }
  return c.SetOutput(0, Shape(std::vector<Dim>(extents.begin(), extents.end())));
}

absl::Status InferRandomLike(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"high", "low", "mean", "scale", "seed"}));
  TENFOLD_RETURN_IF_ERROR(CheckDTypeAttr(c, "dtype", kFloat));
  const AttrValue* const dtype = c.attrs().Find("dtype");
  if (dtype == nullptr && !IsFloat(c.dtype(0))) {
    return c.Fail("E0206", absl::StrCat(c.InputText(0), ", but random numbers are ", kFloat.ToString()),
                  "dtype=f32 says which");
  }
  return c.SetOutputType(0, {dtype == nullptr ? c.dtype(0) : std::get<DType>(*dtype), c.shape(0)});
}

absl::Status RunUniform(KernelContext& c) {
  const KernelTensor& y = c.output();
  const RandomBits random(c.attrs());
  const double low = c.attrs().Get<double>("low"), width = c.attrs().Get<double>("high") - low;
  const int bits = SignificandBits(y.dtype);
  return c.ForEachRange(y.count, 32, [&](int64_t begin, int64_t end, void*) {
    VisitComputed(y.dtype, [&]<typename T>(std::type_identity<T>) {
      for (int64_t i = begin; i < end; ++i) {
        const double unit = std::ldexp(static_cast<double>(random.At(i)[0] >> (64 - bits)), -bits);
        const double above = width * unit;
        y.mutable_values<T>()[i] = Narrow<T>(low + above);
      }
    });
    return absl::OkStatus();
  });
}

absl::Status RunNormal(KernelContext& c) {
  const KernelTensor& y = c.output();
  const RandomBits random(c.attrs());
  const Formula64 normal(2, NormalOf);
  const double mean = c.attrs().Get<double>("mean"), scale = c.attrs().Get<double>("scale");
  return c.ForEachRange(y.count, 128, [&](int64_t begin, int64_t end, void*) -> absl::Status {
    const int64_t count = end - begin;
    TENFOLD_ASSIGN_OR_RETURN(Tensor room, Tensor::Allocate(DType::kF64, Dims{3, count}));
    double* const first = static_cast<double*>(room.mutable_data());
    double *const second = first + count, *const z = second + count;
    for (int64_t i = 0; i < count; ++i) {
      const auto [a, b] = random.At(begin + i);
      first[i] = static_cast<double>((a >> 11) + 1) * 0x1p-53;
      second[i] = static_cast<double>(b >> 11) * 0x1p-53;
    }
    const double* const inputs[] = {first, second};
    TENFOLD_RETURN_IF_ERROR(normal.Compute(inputs, {z, static_cast<size_t>(count)}));
    VisitComputed(y.dtype, [&]<typename T>(std::type_identity<T>) {
      for (int64_t i = 0; i < count; ++i) {
        const double spread = scale * z[i];
        y.mutable_values<T>()[begin + i] = Narrow<T>(mean + spread);
      }
    });
    return absl::OkStatus();
  });
}

// --- Bernoulli, Multinomial --------------------------------------------------------------------------------

absl::Status InferBernoulli(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"seed"}));
  TENFOLD_RETURN_IF_ERROR(CheckDTypeAttr(c, "dtype", kComputed));
  const AttrValue* const dtype = c.attrs().Find("dtype");
  return c.SetOutputType(0, {dtype == nullptr ? c.dtype(0) : std::get<DType>(*dtype), c.shape(0)});
}

absl::Status RunBernoulli(KernelContext& c) {
  const KernelTensor &x = c.input(0), &y = c.output();
  const RandomBits random(c.attrs());
  return c.ForEachRange(y.count, 32, [&](int64_t begin, int64_t end, void*) {
    VisitComputed(y.dtype, [&]<typename T>(std::type_identity<T>) {
      for (int64_t i = begin; i < end; ++i) {
        y.mutable_values<T>()[i] = Narrow<T>(random.UniformAt(i) < FloatAt(x, i) ? 1.0f : 0.0f);
      }
    });
    return absl::OkStatus();
  });
}

absl::Status InferMultinomial(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"seed"}));
  TENFOLD_RETURN_IF_ERROR(CheckDTypeAttr(c, "dtype", kIndex));
  const int64_t samples = c.attrs().Get<int64_t>("sample_size");
  if (samples < 0) return c.Fail("E0102", absl::StrCat("attribute 'sample_size' is ", samples));
  const Shape& x = c.shape(0);
  if (!x.has_rank() || x.rank() != 2) {
    return c.Fail("E0207", absl::StrCat(c.InputText(0), ", but must be [batch, classes]"));
  }
  return c.SetOutput(0, Shape{x.dim(0), samples});
}

// A row of logarithms, as sums of the weights up to each class.
absl::Status SumWeights(const KernelContext& c, const Formula64& exp, int64_t row, std::span<double> sums) {
  const KernelTensor& x = c.input(0);
  const auto classes = static_cast<int64_t>(sums.size());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double largest = -kInfinity;
  for (int64_t k = 0; k < classes; ++k) {
    sums[k] = FloatAt(x, row * classes + k);
    if (!(sums[k] < kInfinity)) {
      return c.Fail("E0615",
                    absl::StrCat("x[", row, ",", k, "] is ", sums[k], ", which is no logarithm of a weight"));
    }
    largest = std::max(largest, sums[k]);
  }
  if (largest == -kInfinity) {
    return c.Fail("E0615", absl::StrCat("row ", row, " of x has no class that is possible"));
  }
  for (double& value : sums) value -= largest;
  const double* const inputs[] = {sums.data()};
  TENFOLD_RETURN_IF_ERROR(exp.Compute(inputs, sums));
  for (int64_t k = 1; k < classes; ++k) sums[k] += sums[k - 1];
  return absl::OkStatus();
}

absl::Status RunMultinomial(KernelContext& c) {
  const KernelTensor &x = c.input(0), &y = c.output();
  const RandomBits random(c.attrs());
  const Formula64 exp(1, [](std::span<const Scalar> in) { return math::Exp(in[0]); });
  const int64_t classes = x.dims[1], samples = y.dims[1];
  const int64_t cost = 32 * (std::min<int64_t>(classes, 1 << 20) + std::min<int64_t>(samples, 1 << 20));
  return c.ForEachRange(y.dims[0], cost, [&](int64_t begin, int64_t end, void*) -> absl::Status {
    TENFOLD_ASSIGN_OR_RETURN(Tensor room, Tensor::Allocate(DType::kF64, Dims{classes}));
    const std::span<double> sums = room.mutable_values<double>();
    for (int64_t row = begin; row < end && !c.ShouldStop(); ++row) {
      TENFOLD_RETURN_IF_ERROR(SumWeights(c, exp, row, sums));
      // The last class that has a weight: a product may round up to the whole sum.
      const int64_t last = std::lower_bound(sums.begin(), sums.end(), sums.back()) - sums.begin();
      for (int64_t i = row * samples; i < (row + 1) * samples; ++i) {
        const double wanted = random.UniformAt(i) * sums.back();
        const int64_t found =
            std::min<int64_t>(last, std::upper_bound(sums.begin(), sums.end(), wanted) - sums.begin());
        if (y.dtype == DType::kI32) {
          y.mutable_values<int32_t>()[i] = static_cast<int32_t>(found);
        } else {
          y.mutable_values<int64_t>()[i] = found;
        }
      }
    }
    return absl::OkStatus();
  });
}

// --- Definitions -------------------------------------------------------------------------------------------

AttrDef SeedAttr() {
  return {"seed", AttrKind::kFloat, AttrValue(0.0), "which numbers; none given: those of 0"};
}

AttrDef LikeAttr(const char* doc) { return OptionalAttr("dtype", AttrKind::kDType, doc); }

std::vector<AttrDef> UniformAttrs() {
  return {{"high", AttrKind::kFloat, AttrValue(1.0), "numbers are below it, unless they round up to it"},
          {"low", AttrKind::kFloat, AttrValue(0.0), "the lowest number"},
          SeedAttr()};
}

std::vector<AttrDef> NormalAttrs() {
  return {{"mean", AttrKind::kFloat, AttrValue(0.0), "the mean"},
          {"scale", AttrKind::kFloat, AttrValue(1.0), "the standard deviation"},
          SeedAttr()};
}

// Of a shape, or like another tensor.
OpDef RandomOp(const char* name, const char* doc, std::vector<AttrDef> attrs,
               absl::Status (*run)(KernelContext&), bool like) {
  OpDef op = {.name = name,
              .attrs = std::move(attrs),
              .outputs = {{"y", "dtype", kFloat, ""}},
              .doc = doc,
              .infer = like ? InferRandomLike : InferRandom,
              .computation = HostKernel{.run = run, .cost = 32}};
  if (like) {
    op.inputs = {{"x", "T", kAnyType, "whose shape it is; its elements do not matter"}};
    op.attrs.push_back(LikeAttr("of the result; absent: that of x"));
  } else {
    op.attrs.push_back({"dtype", AttrKind::kDType, AttrValue(DType::kF32), "of the result"});
    op.attrs.push_back({"shape", AttrKind::kInts, std::nullopt, "of the result"});
  }
  return op;
}

}  // namespace

std::vector<OpDef> RandomOps() {
  const char* const kUniform =
      "Random numbers between low and high, each as likely, by Philox4x32-10: the same bits for the same "
      "seed.";
  const char* const kNormal =
      "Random numbers of a normal distribution, by Philox4x32-10: the same bits for the same seed.";
  return {
      RandomOp("RandomUniform", kUniform, UniformAttrs(), RunUniform, false),
      RandomOp("RandomUniformLike", kUniform, UniformAttrs(), RunUniform, true),
      RandomOp("RandomNormal", kNormal, NormalAttrs(), RunNormal, false),
      RandomOp("RandomNormalLike", kNormal, NormalAttrs(), RunNormal, true),
      {.name = "Bernoulli",
       .inputs = {{"x", "T", kFloat, "probabilities"}},
       .attrs = {LikeAttr("of the result; absent: that of x"), SeedAttr()},
       .outputs = {{"y", "dtype", kComputed, ""}},
       .doc = "1 with the probability that x says, else 0, also for NaN, by Philox4x32-10: the same bits for "
              "the "
              "same seed.",
       .infer = InferBernoulli,
       .computation = HostKernel{.run = RunBernoulli, .cost = 32}},
      {.name = "Multinomial",
       .inputs = {{"x", "T", kFloat, "[batch, classes]: logarithms of weights, which need not add up to 1"}},
       .attrs = {{"dtype", AttrKind::kDType, AttrValue(DType::kI32), "of the result"},
                 {"sample_size", AttrKind::kInt, AttrValue(int64_t{1}), "samples of each row"},
                 SeedAttr()},
       .outputs = {{"y", "dtype", kIndex, "[batch, sample_size]"}},
       .doc =
           "Classes, each as likely as its weight says, by Philox4x32-10: the same bits for the same seed. A "
           "row with NaN or inf is refused, and one of -inf alone.",
       .infer = InferMultinomial,
       .computation = HostKernel{.run = RunMultinomial, .cost = 64}},
  };
}

}  // namespace tenfold
