// SPDX-License-Identifier: Apache-2.0
//
// Plans by hand, for tests of what runs them.
#ifndef TENFOLD_TESTS_RUNTIME_PLAN_MAKER_H_
#define TENFOLD_TESTS_RUNTIME_PLAN_MAKER_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

class PlanMaker {
 public:
  using Formula = Scalar (*)(std::span<const Scalar>);

  explicit PlanMaker(std::string name = "test") { plan_.name = std::move(name); }

  // Values; each gives its index. Types as text: "f32[N,64]".
  int Input(const std::string& name, const std::string& type, std::string location = "");
  int Constant(const std::string& name, Tensor tensor);
  int Arena(const std::string& name, const std::string& type);
  int Output(const std::string& name, const std::string& type);
  int Alias(const std::string& name, const std::string& type, int of);
  // A run of the elements of `of`.
  int View(const std::string& name, const std::string& type, int of, Dim offset);

  // Steps. `op` and the first output's name make the step's node. Inputs broadcast by NumPy's rules.
  PlanMaker& Map(int out, std::vector<int> in, Formula formula, const std::string& op = "Map",
                 bool can_fail = false, std::string location = "");
  // The sum over the last dim of a f32 value.
  PlanMaker& RowSum(int out, int in);
  PlanMaker& MatMul(int out, int lhs, int rhs, bool canonicalize_nans = false);
  PlanMaker& Copy(int out, int in, std::vector<Dim> strides, bool canonicalize_nans = false);

  Plan& raw() { return plan_; }
  // Symbols bound, memory planned. The plan must verify (a test failure otherwise).
  Plan Finish(const std::vector<std::pair<std::string, DimBounds>>& bounds = {});

 private:
  int Add(const std::string& name, const std::string& type, StorageKind storage, int index);
  PlanNode NodeOf(const std::string& op, int value) const;
  Plan plan_;
};

// Formulas.
Scalar AddOf(std::span<const Scalar> in);
Scalar MulOf(std::span<const Scalar> in);
Scalar DivOf(std::span<const Scalar> in);
Scalar NegOf(std::span<const Scalar> in);

// f32[...] with values drawn from `seed`.
Tensor RandomTensor(const Dims& dims, uint32_t seed);
// The tensor of these values.
template <typename T>
Tensor Of(const std::vector<T>& values, const Dims& dims) {
  return *Tensor::FromVector(values, dims);
}

}  // namespace tenfold

#endif  // TENFOLD_TESTS_RUNTIME_PLAN_MAKER_H_
