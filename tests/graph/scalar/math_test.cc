// SPDX-License-Identifier: Apache-2.0
//
// The transcendental functions: special values, the promised bounds on a sample (the accuracy tool measures
// all of f32), and the same bits at every ISA level.

#include "tenfold/graph/scalar/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/tests/graph/scalar/math_reference.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double FromBits(DType type, uint64_t bits) {
  return type == DType::kF32 ? std::bit_cast<float>(static_cast<uint32_t>(bits))
                             : std::bit_cast<double>(bits);
}

std::vector<double> Apply(const MathFunction& function, DType type, IsaLevel level,
                          const std::vector<double>& xs) {
  std::vector<uint64_t> bits;
  for (double x : xs) bits.push_back(RoundReference(type, x));
  const ScalarProgram program = ProgramOf(function, type);
  const BlockInterpreter interpreter(program, level);
  const BlockResult result =
      RunBlocks(interpreter, program, {bits}, {false}, static_cast<int64_t>(bits.size()));
  std::vector<double> ys;
  for (uint64_t y : result.outputs[0]) ys.push_back(FromBits(type, y));
  return ys;
}

const MathFunction& Function(absl::string_view name) {
  for (const MathFunction& function : MathFunctions()) {
    if (function.name == name) return function;
  }
  ADD_FAILURE() << name;
  return MathFunctions()[0];
}

struct Point {
  double x;
  double y;
};

// Exactly, and with the sign of zero.
void ExpectExactly(absl::string_view name, const std::vector<Point>& points) {
  std::vector<double> xs;
  for (const Point& point : points) xs.push_back(point.x);
  for (DType type : {DType::kF32, DType::kF64}) {
    for (IsaLevel level : TestedLevels()) {
      const std::vector<double> ys = Apply(Function(name), type, level, xs);
      for (size_t i = 0; i < xs.size(); ++i) {
        const bool same = std::isnan(points[i].y)
                              ? std::isnan(ys[i])
                              : ys[i] == points[i].y && std::signbit(ys[i]) == std::signbit(points[i].y);
        EXPECT_TRUE(same) << name << "(" << xs[i] << ") on " << Name(type) << ", " << Name(level) << " gives "
                          << ys[i] << ", not " << points[i].y;
      }
    }
  }
}

TEST(Math, ExpHasExactLimits) {
  ExpectExactly("exp", {{0.0, 1},
                        {-0.0, 1},
                        {kInf, kInf},
                        {-kInf, 0},
                        {kNan, kNan},
                        {-kNan, kNan},
                        {1000, kInf},
                        {1e30, kInf},
                        {-1000, 0},
                        {-1e30, 0},
                        {0x1p-60, 1}});
}

TEST(Math, LogHasExactLimits) {
  ExpectExactly("log", {{1, 0.0},
                        {0.0, -kInf},
                        {-0.0, -kInf},
                        {-1, kNan},
                        {-0x1p-140, kNan},
                        {kInf, kInf},
                        {-kInf, kNan},
                        {kNan, kNan},
                        {-kNan, kNan}});
}

TEST(Math, TanhHasExactLimits) {
  ExpectExactly("tanh", {{0.0, 0.0},
                         {-0.0, -0.0},
                         {kInf, 1},
                         {-kInf, -1},
                         {100, 1},
                         {-1e30, -1},
                         {0x1p-140, 0x1p-140},
                         {-0x1p-149, -0x1p-149},
                         {kNan, kNan},
                         {-kNan, kNan}});
}

TEST(Math, ErfHasExactLimits) {
  ExpectExactly(
      "erf",
      {{0.0, 0.0}, {-0.0, -0.0}, {kInf, 1}, {-kInf, -1}, {7, 1}, {-1e30, -1}, {kNan, kNan}, {-kNan, kNan}});
}

TEST(Math, SigmoidHasExactLimits) {
  ExpectExactly("sigmoid", {{0.0, 0.5},
                            {-0.0, 0.5},
                            {kInf, 1},
                            {-kInf, 0},
                            {1000, 1},
                            {-1000, 0},
                            {-1e30, 0},
                            {kNan, kNan},
                            {-kNan, kNan}});
}

TEST(Math, Expm1HasExactLimits) {
  ExpectExactly("expm1", {{0.0, 0.0},
                          {-0.0, -0.0},
                          {kInf, kInf},
                          {-kInf, -1},
                          {1000, kInf},
                          {-1000, -1},
                          {0x1p-140, 0x1p-140},
                          {-0x1p-149, -0x1p-149},
                          {kNan, kNan},
                          {-kNan, kNan}});
}

TEST(Math, Log1pHasExactLimits) {
  ExpectExactly("log1p", {{0.0, 0.0},
                          {-0.0, -0.0},
                          {kInf, kInf},
                          {-kInf, kNan},
                          {-1, -kInf},
                          {-2, kNan},
                          {0x1p-140, 0x1p-140},
                          {-0x1p-149, -0x1p-149},
                          {kNan, kNan},
                          {-kNan, kNan}});
}

TEST(Math, TrigonometricFunctionsHaveExactLimits) {
  ExpectExactly("sin",
                {{0.0, 0.0}, {-0.0, -0.0}, {kInf, kNan}, {-kInf, kNan}, {0x1p-149, 0x1p-149}, {kNan, kNan}});
  ExpectExactly("cos", {{0.0, 1}, {-0.0, 1}, {kInf, kNan}, {-kInf, kNan}, {0x1p-149, 1}, {-kNan, kNan}});
  ExpectExactly(
      "tan", {{0.0, 0.0}, {-0.0, -0.0}, {kInf, kNan}, {-kInf, kNan}, {-0x1p-149, -0x1p-149}, {kNan, kNan}});
  ExpectExactly("asin",
                {{0.0, 0.0}, {-0.0, -0.0}, {1.5, kNan}, {-kInf, kNan}, {0x1p-149, 0x1p-149}, {kNan, kNan}});
  ExpectExactly("acos", {{1, 0.0}, {1.5, kNan}, {-1.5, kNan}, {kInf, kNan}, {kNan, kNan}});
  ExpectExactly("atan", {{0.0, 0.0}, {-0.0, -0.0}, {-0x1p-149, -0x1p-149}, {kNan, kNan}, {-kNan, kNan}});
}

TEST(Math, HyperbolicFunctionsHaveExactLimits) {
  ExpectExactly("sinh", {{0.0, 0.0},
                         {-0.0, -0.0},
                         {kInf, kInf},
                         {-kInf, -kInf},
                         {-1e30, -kInf},
                         {0x1p-149, 0x1p-149},
                         {kNan, kNan}});
  ExpectExactly("cosh", {{0.0, 1}, {-0.0, 1}, {kInf, kInf}, {-kInf, kInf}, {-1e30, kInf}, {kNan, kNan}});
  ExpectExactly("asinh",
                {{0.0, 0.0}, {-0.0, -0.0}, {kInf, kInf}, {-kInf, -kInf}, {0x1p-149, 0x1p-149}, {kNan, kNan}});
  ExpectExactly("acosh", {{1, 0.0}, {0.5, kNan}, {-kInf, kNan}, {-1e30, kNan}, {kInf, kInf}, {kNan, kNan}});
  ExpectExactly("atanh", {{0.0, 0.0},
                          {-0.0, -0.0},
                          {1, kInf},
                          {-1, -kInf},
                          {1.5, kNan},
                          {-kInf, kNan},
                          {0x1p-149, 0x1p-149},
                          {kNan, kNan}});
}

// Where x is far left, its factor is 0: the limit, not 0 times infinity.
TEST(Math, ActivationsHaveExactLimits) {
  for (const char* name : {"swish", "mish", "hard_swish"}) {
    ExpectExactly(name, {{0.0, 0.0},
                         {-0.0, -0.0},
                         {kInf, kInf},
                         {-kInf, -0.0},
                         {-1e30, -0.0},
                         {1e30f, 1e30f},
                         {kNan, kNan},
                         {-kNan, kNan}});
  }
  ExpectExactly("softplus", {{kInf, kInf}, {-kInf, 0.0}, {-1e30, 0.0}, {1e30f, 1e30f}, {kNan, kNan}});
  ExpectExactly("softsign", {{0.0, 0.0}, {-0.0, -0.0}, {kInf, 1}, {-kInf, -1}, {1e30, 1}, {kNan, kNan}});
  for (const char* name : {"elu", "celu"}) {
    ExpectExactly(name, {{0.0, 0.0},
                         {-0.0, -0.0},
                         {kInf, kInf},
                         {-kInf, -1},
                         {-1e30, -1},
                         {1e30f, 1e30f},
                         {-0x1p-149, -0x1p-149},
                         {kNan, kNan}});
  }
}

// Numbers of every binade, more of them where the functions bend, and subnormal results.
std::vector<uint64_t> Sample(DType type, int count) {
  Random random(7);
  std::vector<uint64_t> sample = SpecialValues(type);
  const double lowest = type == DType::kF32 ? -104 : -746;
  for (int i = 0; i < count; ++i) {
    sample.push_back(random.Value(BitsType(type)));
    const double unit = static_cast<double>(random.Next() >> 11) * 0x1p-53;
    for (double x : {unit, -unit, 4 * unit, -4 * unit, 20 * unit - 10, lowest * unit, -lowest * unit,
                     lowest * (1 - unit * 0.16)}) {
      sample.push_back(RoundReference(type, x));
    }
  }
  return sample;
}

TEST(Math, KeepsItsBoundsOnASample) {
  for (DType type : {DType::kF32, DType::kF64}) {
    const std::vector<uint64_t> xs = Sample(type, 12000);
    for (const MathFunction& function : MathFunctions()) {
      const ScalarProgram program = ProgramOf(function, type);
      const BlockInterpreter interpreter(program);
      const BlockResult result =
          RunBlocks(interpreter, program, {xs}, {false}, static_cast<int64_t>(xs.size()));
      UlpMeter meter(function, type);
      double worst = 0, at = 0;
      for (size_t i = 0; i < xs.size(); ++i) {
        const double x = FromBits(type, xs[i]);
        const double error = meter.Error(x, FromBits(type, result.outputs[0][i]));
        if (error > worst) worst = error, at = x;
      }
      EXPECT_LE(worst, type == DType::kF32 ? function.max_ulp_f32 : function.max_ulp_f64)
          << function.name << " " << Name(type) << " at " << at;
      // A meter that measures nothing would pass too.
      EXPECT_GT(worst, 0.45) << function.name;
    }
  }
}

// The f64 that comes nearest to a multiple of pi/2, an f32 that comes very near, the largest numbers, and
// others where a reduction that is too short shows.
TEST(Math, ReducesTheHardestAngles) {
  const double angles[] = {
      0x1.6ac5b262ca1ffp+849, 0x1.f37c8ap+95, 0x1.fffffffffffffp+1023, 0x1.fffffep+127, 0x1.921fb54442d18p+0,
      0x1.2d97c7f3321d2p+2,   1e22,           0x1.5fdbbe9bba775p+9};
  for (const char* name : {"sin", "cos", "tan"}) {
    const MathFunction& function = Function(name);
    for (DType type : {DType::kF32, DType::kF64}) {
      std::vector<double> xs;
      for (double x : angles) {
        if (FromBits(type, RoundReference(type, x)) == x) xs.push_back(x);
        if (FromBits(type, RoundReference(type, x)) == x) xs.push_back(-x);
      }
      UlpMeter meter(function, type);
      for (IsaLevel level : TestedLevels()) {
        const std::vector<double> ys = Apply(function, type, level, xs);
        for (size_t i = 0; i < xs.size(); ++i) {
          EXPECT_LE(meter.Error(xs[i], ys[i]), type == DType::kF32 ? 0.51 : 1) << name << "(" << xs[i] << ")";
        }
      }
    }
  }
}

TEST(Math, GivesTheSameBitsAtEveryLevel) {
  for (DType type : {DType::kF32, DType::kF64}) {
    const std::vector<uint64_t> xs = Sample(type, 4000);
    for (const MathFunction& function : MathFunctions()) {
      const ScalarProgram program = ProgramOf(function, type);
      std::vector<uint64_t> first;
      for (IsaLevel level : TestedLevels()) {
        const BlockInterpreter interpreter(program, level);
        const std::vector<uint64_t> ys =
            RunBlocks(interpreter, program, {xs}, {false}, static_cast<int64_t>(xs.size())).outputs[0];
        if (first.empty()) first = ys;
        for (size_t i = 0; i < xs.size(); ++i) {
          ASSERT_TRUE(SameValue(type, first[i], ys[i]))
              << function.name << " " << Name(type) << " of 0x" << absl::StrCat(absl::Hex(xs[i])) << " on "
              << Name(level);
        }
      }
    }
  }
}

TEST(UlpMeter, MeasuresInUnitsOfTheExactResult) {
  UlpMeter meter(Function("exp"), DType::kF32);
  EXPECT_EQ(meter.Error(0, 1), 0);
  EXPECT_EQ(meter.Error(0, 1 + 0x1p-23), 1);
  EXPECT_NEAR(meter.Error(-103, 0), std::exp(-103.0) / 0x1p-149, 1e-9);
  EXPECT_EQ(meter.Error(200, kInf), 0);
  EXPECT_EQ(meter.Error(0, kInf), std::ldexp(1.0, 128) / 0x1p-23 - 0x1p23);
  EXPECT_EQ(meter.Error(0, kNan), kInf);
  EXPECT_EQ(meter.Error(kNan, 0), kInf);
  EXPECT_EQ(meter.Error(kNan, kNan), 0);
}

}  // namespace
}  // namespace tenfold::testing
