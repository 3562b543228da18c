// SPDX-License-Identifier: Apache-2.0
//
// Integers as rows of bits.
#include <span>
#include <vector>

#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/elementwise.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

Scalar BitShiftFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return attrs.Get<std::string>("direction") == "LEFT" ? Shl(in[0], in[1]) : Shr(in[0], in[1]);
}

}  // namespace

std::vector<OpDef> BitwiseOps() {
  return ElementwiseOpsOf({
      {.name = "BitwiseAnd",
       .dtypes = kInteger,
       .formula = [](Scalar a, Scalar b) { return a & b; },
       .doc = "The bits that are set in both."},
      {.name = "BitwiseOr",
       .dtypes = kInteger,
       .formula = [](Scalar a, Scalar b) { return a | b; },
       .doc = "The bits that are set in either."},
      {.name = "BitwiseXor",
       .dtypes = kInteger,
       .formula = [](Scalar a, Scalar b) { return a ^ b; },
       .doc = "The bits that are set in just one."},
      {.name = "BitwiseNot",
       .dtypes = kInteger,
       .formula = [](Scalar x) { return ~x; },
       .doc = "Every bit flipped."},
      {.name = "BitShift",
       .dtypes = kInteger,
       .formula = BitShiftFormula,
       .doc = "The bits of a moved by b places. Zeros move in; from the left, copies of the sign bit of a "
              "signed integer. A count of the width or more, or below zero, moves all bits out.",
       .attrs = {{"direction",
                  AttrKind::kString,
                  std::nullopt,
                  "\"LEFT\", towards the high bits, or \"RIGHT\"",
                  {"LEFT", "RIGHT"}}},
       .inputs = {"a", "b"}},
  });
}

}  // namespace tenfold
