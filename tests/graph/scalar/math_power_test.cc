// SPDX-License-Identifier: Apache-2.0
//
// pow and fmod, the functions of two arguments: special values against special values, and samples.

#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

struct Sample {
  std::vector<double> a, b;
  void Add(double x, double y) {
    a.push_back(x);
    b.push_back(y);
  }
};

std::vector<uint64_t> Apply(DType type, Scalar (*function)(Scalar, Scalar), const Sample& sample,
                            IsaLevel level) {
  std::vector<std::vector<uint64_t>> inputs(2);
  for (double x : sample.a) inputs[0].push_back(RoundReference(type, x));
  for (double x : sample.b) inputs[1].push_back(RoundReference(type, x));
  const DType types[] = {type, type};
  const ScalarProgram program = ScalarBuilder::Record(types, [&](std::span<const Scalar> in) {
    return std::vector<Scalar>{Convert(function(in[0], in[1]), type)};
  });
  const BlockInterpreter interpreter(program, level);
  return RunBlocks(interpreter, program, inputs, {false, false}, static_cast<int64_t>(sample.a.size()))
      .outputs[0];
}

double Value(DType type, uint64_t bits) {
  return type == DType::kF32 ? std::bit_cast<float>(static_cast<uint32_t>(bits))
                             : std::bit_cast<double>(bits);
}

void AddSpecialValues(DType type, Sample& sample) {
  std::vector<double> values;
  for (uint64_t bits : SpecialValues(type)) values.push_back(Value(type, bits));
  for (double x : {2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 2.5, 1e9, -1e9, 9007199254740991.0, 9007199254740992.0}) {
    values.push_back(Value(type, RoundReference(type, x)));
  }
  for (double x : values) {
    for (double y : values) sample.Add(x, y);
  }
}

bool Same(double x, double y) {
  return std::isnan(x) ? std::isnan(y) : x == y && std::signbit(x) == std::signbit(y);
}

// C's fmod is exact, so that the library's is as good as any.
TEST(Fmod, IsExact) {
  for (DType type : {DType::kF32, DType::kF64}) {
    Sample sample;
    AddSpecialValues(type, sample);
    Random random(3);
    for (int i = 0; i < 40000; ++i) {
      sample.Add(Value(type, random.Value(type)), Value(type, random.Value(type)));
    }
    for (IsaLevel level : TestedLevels()) {
      const std::vector<uint64_t> got = Apply(type, math::Fmod, sample, level);
      for (size_t i = 0; i < got.size(); ++i) {
        ASSERT_TRUE(Same(Value(type, got[i]), std::fmod(sample.a[i], sample.b[i])))
            << "fmod(" << sample.a[i] << ", " << sample.b[i] << ") on " << Name(type) << ", " << Name(level)
            << " gives " << Value(type, got[i]);
      }
    }
  }
}

// Where pow has a limit or is exact, C's library has it too.
TEST(Pow, HasTheLimitsOfIeee754) {
  for (DType type : {DType::kF32, DType::kF64}) {
    Sample sample;
    AddSpecialValues(type, sample);
    for (int x = -12; x <= 12; ++x) {
      for (int y = 0; y <= 6; ++y) sample.Add(x, y);
    }
    for (IsaLevel level : TestedLevels()) {
      const std::vector<uint64_t> got = Apply(type, math::Pow, sample, level);
      for (size_t i = 0; i < got.size(); ++i) {
        const double y = Value(type, got[i]);
        const double wanted = type == DType::kF32 ? static_cast<float>(std::pow(sample.a[i], sample.b[i]))
                                                  : std::pow(sample.a[i], sample.b[i]);
        const bool small_integer = std::fabs(wanted) < 3e6 && wanted == std::trunc(wanted);
        if (std::isfinite(wanted) && wanted != 0 && !small_integer) continue;
        EXPECT_TRUE(Same(y, wanted)) << "pow(" << sample.a[i] << ", " << sample.b[i] << ") on " << Name(type)
                                     << ", " << Name(level) << " gives " << y << ", not " << wanted;
      }
    }
  }
}

// Bases near 1 with large exponents, where each bit of the logarithm counts, subnormal and huge results.
TEST(Pow, KeepsItsBoundOnASample) {
  mpfr_t x, y, exact;
  mpfr_inits2(160, x, y, exact, static_cast<mpfr_ptr>(nullptr));
  for (DType type : {DType::kF32, DType::kF64}) {
    const double largest = type == DType::kF32 ? 88 : 709, smallest = type == DType::kF32 ? -103 : -744;
    const int precision = type == DType::kF32 ? 24 : 53, lowest = type == DType::kF32 ? -126 : -1022;
    Sample sample;
    Random random(4);
    const auto unit = [&] { return static_cast<double>(random.Next() >> 11) * 0x1p-53; };
    for (int i = 0; i < 60000; ++i) {
      const double spread = std::ldexp(unit(), -random.Below(precision));
      const double base = i % 2 == 0 ? 1 + spread : std::exp(largest * (2 * unit() - 1));
      const double exponent = (smallest + (largest - smallest) * unit()) / std::log(base);
      sample.Add(Value(type, RoundReference(type, base)), Value(type, RoundReference(type, exponent)));
    }
    const std::vector<uint64_t> got = Apply(type, math::Pow, sample, HostIsaLevel());
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double result = Value(type, got[i]);
      if (!std::isfinite(result) || result == 0) continue;
      mpfr_set_d(x, sample.a[i], MPFR_RNDN);
      mpfr_set_d(y, sample.b[i], MPFR_RNDN);
      mpfr_pow(exact, x, y, MPFR_RNDN);
      const auto exponent = std::max<mpfr_exp_t>(mpfr_get_exp(exact) - 1, lowest);
      mpfr_sub_d(exact, exact, result, MPFR_RNDN);
      mpfr_mul_2si(exact, exact, precision - 1 - exponent, MPFR_RNDN);
      const double error = std::fabs(mpfr_get_d(exact, MPFR_RNDN));
      if (error > worst) worst = error, at = i;
    }
    EXPECT_LE(worst, type == DType::kF32 ? 0.51 : 1.25)
        << Name(type) << ": pow(" << sample.a[at] << ", " << sample.b[at] << ")";
    EXPECT_GT(worst, 0.49);
  }
  mpfr_clears(x, y, exact, static_cast<mpfr_ptr>(nullptr));
}

}  // namespace
}  // namespace tenfold::testing
