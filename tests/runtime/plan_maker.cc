// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/runtime/plan_maker.h"

#include <bit>
#include <random>

#include "gtest/gtest.h"
#include "tenfold/runtime/plan_memory.h"

namespace tenfold {
namespace {

// Row-major strides of `shape` seen through the dims of a result of rank `rank`.
std::vector<Dim> BroadcastStrides(const Shape& shape, const std::vector<Dim>& result) {
  const std::vector<Dim> own = RowMajorStrides(shape.dims());
  std::vector<Dim> strides(result.size());
  const size_t skip = result.size() - own.size();
  for (size_t d = 0; d < own.size(); ++d) {
    if (shape.dim(static_cast<int>(d)) == result[skip + d]) strides[skip + d] = own[d];
  }
  return strides;
}

}  // namespace

int PlanMaker::Add(const std::string& name, const std::string& type, StorageKind storage, int index) {
  PlanValue value;
  value.name = name;
  value.type = *TensorType::Parse(type);
  value.storage = storage;
  value.index = index;
  plan_.values.push_back(std::move(value));
  return static_cast<int>(plan_.values.size()) - 1;
}

int PlanMaker::Input(const std::string& name, const std::string& type, std::string location) {
  const int value = Add(name, type, StorageKind::kInput, static_cast<int>(plan_.inputs.size()));
  plan_.inputs.push_back({name, value, std::move(location)});
  return value;
}

int PlanMaker::Constant(const std::string& name, Tensor tensor) {
  const int value = Add(name, tensor.type().ToString(), StorageKind::kConstant, 0);
  plan_.values[value].constant = std::move(tensor);
  return value;
}

int PlanMaker::Arena(const std::string& name, const std::string& type) {
  return Add(name, type, StorageKind::kArena, 0);
}

int PlanMaker::Output(const std::string& name, const std::string& type) {
  const int value = Add(name, type, StorageKind::kOutput, static_cast<int>(plan_.outputs.size()));
  plan_.outputs.push_back({name, value});
  return value;
}

int PlanMaker::Alias(const std::string& name, const std::string& type, int of) {
  return Add(name, type, StorageKind::kAlias, of);
}

int PlanMaker::View(const std::string& name, const std::string& type, int of, Dim offset) {
  const int view = Add(name, type, StorageKind::kAlias, of);
  plan_.values[view].offset = std::move(offset);
  plan_.views.push_back({view, NodeOf("View", view)});
  return view;
}

PlanNode PlanMaker::NodeOf(const std::string& op, int value) const {
  PlanNode node;
  node.op = op;
  node.name = plan_.values[value].name;
  node.type = plan_.values[value].type;
  return node;
}

PlanMaker& PlanMaker::Map(int out, std::vector<int> in, Formula formula, const std::string& op, bool can_fail,
                          std::string location) {
  const PlanValue& result = plan_.values[out];
  FusedStep step;
  step.kernel.name = op;
  step.kernel.extents = result.type.shape.dims();
  step.kernel.parallel_rank = result.type.shape.rank();
  FusedKernel::Stage stage;
  std::vector<DType> types;
  for (size_t i = 0; i < in.size(); ++i) {
    const TensorType& type = plan_.values[in[i]].type;
    step.kernel.inputs.push_back({type.dtype, BroadcastStrides(type.shape, step.kernel.extents)});
    stage.inputs.push_back({FusedKernel::Source::kInput, static_cast<int>(i), 0});
    types.push_back(type.dtype);
  }
  stage.program = ScalarBuilder::Record(
      types, [formula](std::span<const Scalar> args) { return std::vector<Scalar>{formula(args)}; });
  step.kernel.stages.push_back(std::move(stage));
  const bool observed = result.storage == StorageKind::kOutput && IsFloat(result.type.dtype);
  step.kernel.outputs.push_back({{result.type.dtype, RowMajorStrides(step.kernel.extents)},
                                 {FusedKernel::Source::kStage, 0, 0},
                                 observed});
  step.inputs = std::move(in);
  step.outputs = {out};
  PlanNode node = NodeOf(op, out);
  node.can_fail = can_fail;
  node.location = std::move(location);
  plan_.steps.push_back({std::move(step), {std::move(node)}});
  return *this;
}

PlanMaker& PlanMaker::RowSum(int out, int in) {
  const TensorType& type = plan_.values[in].type;
  FusedStep step;
  step.kernel.name = "row_sum";
  step.kernel.extents = type.shape.dims();
  step.kernel.parallel_rank = type.shape.rank() - 1;
  step.kernel.inputs.push_back({DType::kF32, RowMajorStrides(step.kernel.extents)});
  FusedKernel::Stage stage;
  stage.kind = FusedKernel::Stage::kReduce;
  const DType one[] = {DType::kF32};
  const DType two[] = {DType::kF32, DType::kF32};
  stage.program =
      ScalarBuilder::Record(one, [](std::span<const Scalar> x) { return std::vector<Scalar>{x[0]}; });
  stage.combine =
      ScalarBuilder::Record(two, [](std::span<const Scalar> x) { return std::vector<Scalar>{x[0] + x[1]}; });
  stage.identity = std::bit_cast<uint32_t>(-0.0f);
  stage.inputs = {{FusedKernel::Source::kInput, 0, 0}};
  step.kernel.stages.push_back(std::move(stage));
  std::vector<Dim> out_dims(type.shape.dims().begin(), type.shape.dims().end() - 1);
  std::vector<Dim> strides = RowMajorStrides(out_dims);
  strides.push_back(0);
  step.kernel.outputs.push_back(
      {{DType::kF32, std::move(strides)}, {FusedKernel::Source::kStage, 0, 0}, true});
  step.inputs = {in};
  step.outputs = {out};
  plan_.steps.push_back({std::move(step), {NodeOf("ReduceSum", out)}});
  return *this;
}

PlanMaker& PlanMaker::MatMul(int out, int lhs, int rhs, bool canonicalize_nans) {
  const TensorType& a = plan_.values[lhs].type;
  const TensorType& b = plan_.values[rhs].type;
  plan_.steps.push_back(
      {MatMulStep{a.dtype, lhs, rhs, out, LayOutMatMul(a.shape, b.shape), canonicalize_nans},
       {NodeOf("MatMul", out)}});
  return *this;
}

PlanMaker& PlanMaker::Copy(int out, int in, std::vector<Dim> strides, bool canonicalize_nans) {
  const Shape& shape = plan_.values[out].type.shape;
  plan_.steps.push_back({CopyStep{{in}, out, ViewOf(0, shape, 0, std::move(strides)), canonicalize_nans},
                         {NodeOf("Copy", out)}});
  return *this;
}

Plan PlanMaker::Finish(const std::vector<std::pair<std::string, DimBounds>>& bounds) {
  EXPECT_EQ(BindSymbols(plan_, bounds), absl::OkStatus());
  EXPECT_EQ(PlanMemory(plan_), absl::OkStatus());
  EXPECT_EQ(VerifyPlan(plan_), absl::OkStatus());
  return plan_;
}

Scalar AddOf(std::span<const Scalar> in) { return in[0] + in[1]; }
Scalar MulOf(std::span<const Scalar> in) { return in[0] * in[1]; }
Scalar DivOf(std::span<const Scalar> in) { return in[0] / in[1]; }
Scalar NegOf(std::span<const Scalar> in) { return -in[0]; }

Tensor RandomTensor(const Dims& dims, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor tensor = *Tensor::Allocate(DType::kF32, dims);
  for (float& v : tensor.mutable_values<float>()) v = normal(random);
  return tensor;
}

}  // namespace tenfold
