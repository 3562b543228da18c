// SPDX-License-Identifier: Apache-2.0
//
// A case of one op, executed in every way there is:
//
//   # f32: special values. Expected: NumPy in f64, rounded once.
//   op Tanh
//   x: f32[4] {0, -0, 1, nan}
//   y: f32[4] {0, -0, 0.7615942, nan}
//   ulp: 1
//
// Inputs and outputs are called as the op's ports are; an optional input may be missing, and a port of any
// number of values has a section for each of them. Without `ulp:` (or `absolute:`) the bits are exact. `x:
// f32[N,2] = f32[3,2] {...}` declares the input with a symbol. Inputs that are types alone ask for inference
// alone: then `y:` is a type. `error: E0201 inner dims differ` instead of `y:` gives the code and a part of
// the message, of inference or of the run. Const has its tensor as `value:`, Input what it is fed as `x:`.
#ifndef TENFOLD_TESTS_CASES_OP_CASE_H_
#define TENFOLD_TESTS_CASES_OP_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/op_def.h"
#include "tenfold/tests/cases/case_file.h"
#include "tenfold/tests/cases/distance.h"
#include "tenfold/tests/cases/ptx_batch.h"

namespace tenfold::testing {

struct OpCase {
  struct Operand {
    std::string port;
    std::string name;  // in the graph: "inputs.1" of a port of any number
    TensorType type;
    std::optional<Tensor> tensor;
  };

  const OpDef* op = nullptr;
  std::string attrs;  // "axis=1"
  std::vector<Operand> inputs;
  std::vector<Operand> expected;
  Tolerance tolerance;
  std::string error_code;  // empty: none is expected
  std::string error_text;

  bool inference_only() const;
};

absl::StatusOr<OpCase> ParseOpCase(const CaseText& text);

// Everything that is not as the case says; empty if it passes.
std::vector<std::string> RunOpCase(const OpCase& c, PtxBatch& batch);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_CASES_OP_CASE_H_
