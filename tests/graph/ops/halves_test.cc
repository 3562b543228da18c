// SPDX-License-Identifier: Apache-2.0
//
// f16 and bf16 are rounded correctly: every op of one float is compared with MPFR, rounded once, on every f16
// and every bf16.

#include <gtest/gtest.h>
#include <mpfr.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tenfold/graph/fused/emit_node.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/op_registry.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/tests/graph/scalar/math_reference.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

// Swish is x/2 + x^2/4 near 0: of the smallest bf16, to tell it from x/2 takes 133 bits.
constexpr int kPrecision = 300;
constexpr mpfr_rnd_t kNearest = MPFR_RNDN;

using Exact = void (*)(mpfr_t result, const mpfr_t x);

struct ExactOp {
  const char* name;
  Exact exact;
};

void Clamp(mpfr_t result, double low, double high) {
  if (mpfr_cmp_d(result, low) < 0) mpfr_set_d(result, low, kNearest);
  if (mpfr_cmp_d(result, high) > 0) mpfr_set_d(result, high, kNearest);
}

// Besides the functions of math_reference.h.
constexpr ExactOp kExactOps[] = {
    {"Abs", [](mpfr_t r, const mpfr_t x) { mpfr_abs(r, x, kNearest); }},
    {"Ceil", [](mpfr_t r, const mpfr_t x) { mpfr_ceil(r, x); }},
    {"Floor", [](mpfr_t r, const mpfr_t x) { mpfr_floor(r, x); }},
    {"HardSigmoid",
     [](mpfr_t r, const mpfr_t x) {
       mpfr_div_ui(r, x, 5, kNearest);
       mpfr_add_d(r, r, 0.5, kNearest);
       if (!mpfr_nan_p(r)) Clamp(r, 0, 1);
     }},
    {"LeakyRelu",
     [](mpfr_t r, const mpfr_t x) {
       // 1/100 is what is meant, not the f64 next to it: of fifty times this, a tie, the f64 makes none.
       mpfr_div_si(r, x, mpfr_sgn(x) < 0 ? 100 : 1, kNearest);
     }},
    {"Neg", [](mpfr_t r, const mpfr_t x) { mpfr_neg(r, x, kNearest); }},
    {"Reciprocal", [](mpfr_t r, const mpfr_t x) { mpfr_ui_div(r, 1, x, kNearest); }},
    {"Relu",
     [](mpfr_t r, const mpfr_t x) {
       mpfr_set(r, x, kNearest);
       if (!mpfr_nan_p(x) && mpfr_sgn(x) <= 0) mpfr_set_zero(r, 1);
     }},
    {"Round", [](mpfr_t r, const mpfr_t x) { mpfr_roundeven(r, x); }},
    {"Sign",
     [](mpfr_t r, const mpfr_t x) {
       if (mpfr_nan_p(x)) return mpfr_set_nan(r);
       mpfr_set_si(r, mpfr_sgn(x), kNearest);
     }},
    {"Sqrt", [](mpfr_t r, const mpfr_t x) { mpfr_sqrt(r, x, kNearest); }},
    {"ThresholdedRelu",
     [](mpfr_t r, const mpfr_t x) {
       mpfr_set(r, x, kNearest);
       if (!mpfr_nan_p(x) && mpfr_cmp_ui(x, 1) <= 0) mpfr_set_zero(r, 1);
     }},
};

Exact FindExact(const std::string& op) {
  for (const ExactOp& exact : kExactOps) {
    if (op == exact.name) return exact.exact;
  }
  for (const MathFunction& function : MathFunctions()) {
    if (absl::AsciiStrToLower(op) == absl::StrReplaceAll(function.name, {{"_", ""}})) return function.exact;
  }
  return nullptr;
}

// The op with its attributes' defaults, as the compiler lowers it.
ScalarProgram ProgramOfOp(const OpDef& op, DType type) {
  Node node;
  node.op = &op;
  for (const AttrDef& attr : op.attrs) node.attrs.Set(attr.name, *attr.default_value);
  const DType inputs[] = {type};
  return ScalarBuilder::Record(inputs, [&](std::span<const Scalar> in) {
    return std::vector<Scalar>{EmitElementwise(node, type, in)};
  });
}

class Halves : public ::testing::TestWithParam<DType> {};

TEST_P(Halves, EveryResultIsTheNearest) {
  const DType type = GetParam();
  std::vector<uint64_t> xs(65536);
  for (size_t i = 0; i < xs.size(); ++i) xs[i] = i;
  mpfr_t x, exact;
  mpfr_inits2(kPrecision, x, exact, static_cast<mpfr_ptr>(nullptr));
  int num_ops = 0;
  for (const OpDef* op : OpRegistry::Standard()->All()) {
    const bool of_one_float =
        op->Is<Elementwise>() && op->inputs.size() == 1 && op->inputs[0].dtypes.Contains(type);
    if (!of_one_float) continue;
    const Exact reference = FindExact(op->name);
    if (reference == nullptr) continue;  // its case says what it is
    ++num_ops;
    const ScalarProgram program = ProgramOfOp(*op, type);
    const std::vector<uint64_t> ys =
        RunBlocks(BlockInterpreter(program), program, {xs}, {false}, static_cast<int64_t>(xs.size()))
            .outputs[0];
    int num_wrong = 0;
    for (uint64_t bits : xs) {
      const auto half = static_cast<uint16_t>(bits);
      mpfr_set_flt(x, type == DType::kF16 ? ToFloat(F16{half}) : ToFloat(BF16{half}), kNearest);
      reference(exact, x);
      if (SameValue(type, ys[bits], RoundToHalf(type, exact))) continue;
      if (++num_wrong == 1) {
        ADD_FAILURE() << op->name << " of 0x" << absl::StrCat(absl::Hex(half)) << " gives 0x"
                      << absl::StrCat(absl::Hex(ys[bits])) << ", not 0x"
                      << absl::StrCat(absl::Hex(RoundToHalf(type, exact)));
      }
    }
    EXPECT_EQ(num_wrong, 0) << op->name;
  }
  EXPECT_GE(num_ops, 36);
  mpfr_clears(x, exact, static_cast<mpfr_ptr>(nullptr));
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Halves, ::testing::Values(DType::kF16, DType::kBF16),
                         [](const auto& info) { return std::string(Name(info.param)); });

}  // namespace
}  // namespace tenfold::testing
