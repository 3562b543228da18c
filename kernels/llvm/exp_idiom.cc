// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/exp_idiom.h"

#include <memory>
#include <optional>
#include <vector>

#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

// Reads p, n and the lower bound off
//   select(x < lowest, 0, select(highest < x, inf, (p * 2^h) * 2^(n - h)))  with n = bits(t) - c, nf = t - m.
std::optional<ExpIdiom> Recognise(ScalarProgram program) {
  const auto is = [&](int32_t i, Prim prim) { return i >= 0 && program.instrs[i].prim == prim; };
  const auto arg = [&](int32_t i, int k) { return program.instrs[i].args[k]; };
  const int32_t outer = program.outputs[0];
  if (!is(outer, Prim::kSelect) || !is(arg(outer, 0), Prim::kLt)) return std::nullopt;
  const int32_t below = arg(outer, 0);
  if (!is(arg(below, 0), Prim::kInput) || !is(arg(below, 1), Prim::kConst)) return std::nullopt;
  const int32_t inner = arg(outer, 2);
  if (!is(inner, Prim::kSelect) || !is(arg(inner, 0), Prim::kLt)) return std::nullopt;
  if (!is(arg(arg(inner, 0), 1), Prim::kInput)) return std::nullopt;
  const int32_t product = arg(inner, 2);
  if (!is(product, Prim::kMul) || !is(arg(product, 0), Prim::kMul)) return std::nullopt;
  const int32_t scaled = arg(arg(product, 0), 0);
  // The only difference of floats is nf = t - m: t is where rounding to an integer happened.
  std::optional<int32_t> exponent;
  for (int32_t i = 0; i < static_cast<int32_t>(program.instrs.size()); ++i) {
    if (program.instrs[i].prim != Prim::kSub || !IsFloat(program.instrs[i].type)) continue;
    if (exponent.has_value()) return std::nullopt;
    exponent = i;
  }
  if (!is(scaled, Prim::kFma) || !exponent.has_value()) return std::nullopt;
  const uint64_t lowest = program.instrs[arg(below, 1)].bits;
  return ExpIdiom{std::move(program), scaled, *exponent, lowest};
}

std::unique_ptr<const ExpIdiom> MakeIdiom(DType type) {
  const std::vector<DType> inputs = {type};
  std::optional<ExpIdiom> idiom =
      Recognise(ScalarBuilder::Record(inputs, [](auto in) { return std::vector<Scalar>{math::Exp(in[0])}; }));
  return idiom.has_value() ? std::make_unique<const ExpIdiom>(*std::move(idiom)) : nullptr;
}

// Binds the pattern's input on the first visit; shared instructions are visited again, which a program of
// this size can afford.
bool Matches(const ScalarProgram& pattern, int32_t p, const ScalarProgram& program, int32_t i,
             std::optional<int32_t>& input) {
  const Instr& expected = pattern.instrs[p];
  const Instr& found = program.instrs[i];
  if (expected.prim == Prim::kInput) {
    if (!input.has_value()) input = i;
    return *input == i && found.type == expected.type;
  }
  if (expected.prim != found.prim || expected.type != found.type || expected.bits != found.bits) return false;
  for (int k = 0; k < NumArgs(expected.prim); ++k) {
    if (!Matches(pattern, expected.args[k], program, found.args[k], input)) return false;
  }
  return true;
}

}  // namespace

const ExpIdiom* ExpIdiomOf(DType type) {
  static const std::unique_ptr<const ExpIdiom> single = MakeIdiom(DType::kF32);
  static const std::unique_ptr<const ExpIdiom> twice = MakeIdiom(DType::kF64);
  return type == DType::kF32 ? single.get() : type == DType::kF64 ? twice.get() : nullptr;
}

std::optional<int32_t> MatchExp(const ScalarProgram& program, int32_t root) {
  if (program.instrs[root].prim != Prim::kSelect) return std::nullopt;
  const ExpIdiom* idiom = ExpIdiomOf(program.instrs[root].type);
  if (idiom == nullptr) return std::nullopt;
  std::optional<int32_t> input;
  if (!Matches(idiom->program, idiom->program.outputs[0], program, root, input)) return std::nullopt;
  return input;
}

}  // namespace tenfold
