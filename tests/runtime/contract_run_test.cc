// SPDX-License-Identifier: Apache-2.0
//
// Runs hold their feeds against the contracts of the plan's inputs.
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/derive_contract.h"
#include "tenfold/runtime/executable.h"
#include "tenfold/tests/runtime/plan_maker.h"

namespace tenfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Contract ContractOf(const std::string& name, const std::string& type, const Tensor& sample) {
  const ContractSample samples[] = {{sample, "train.npy"}};
  const absl::StatusOr<Contract> contract = DeriveContract({name, *TensorType::Parse(type)}, samples);
  EXPECT_TRUE(contract.ok()) << contract.status();
  return *contract;
}

// y = x + w: x has a contract, 0 to 9 in the first column and 5 to 5 or NaN in the second; w has none.
Plan Sum() {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N,2]", "net.cc:1"), w = maker.Input("w", "f32[N,2]", "net.cc:2");
  maker.Map(maker.Output("y", "f32[N,2]"), {x, w}, AddOf);
  maker.raw().inputs[0].contract = ContractOf("x", "f32[N,2]", Of<float>({0, 5, 9, kNan}, {2, 2}));
  return maker.Finish();
}

Executable Make(Plan plan) {
  absl::StatusOr<Executable> executable = Executable::Create(std::move(plan));
  EXPECT_EQ(executable.status(), absl::OkStatus());
  return *std::move(executable);
}

NamedTensors Feeds(const std::vector<float>& x) {
  const Dims dims = {static_cast<int64_t>(x.size() / 2), 2};
  return {{"x", Of<float>(x, dims)}, {"w", Of<float>(std::vector<float>(x.size(), kNan), dims)}};
}

TEST(ContractRun, WhatKeepsItRuns) {
  const Executable exe = Make(Sum());
  EXPECT_EQ(exe.Run(Feeds({4, 5, 0, kNan})).status(), absl::OkStatus());
  EXPECT_EQ(exe.Run(Feeds({})).status(), absl::OkStatus());
}

TEST(ContractRun, EnforcedByDefault) {
  const Executable exe = Make(Sum());
  EXPECT_EQ(exe.Run(Feeds({4, 5, kNan, 6})).status().message(),
            "error[E0612 contract-nan]: column 0 of 'x': NaN at row 1; the contract saw none in 2 rows\n"
            "  --> net.cc:1\n"
            "  1 of 4 values is NaN where none was seen, in 1 of 2 columns\n"
            "  the contract of 'x': 2 rows of 2 columns from train.npy, NaN in column 1\n"
            "  help: to put a mean in their place: --nan x=mean:axis=0 (or median, zero)\n"
            "  help: if such values are right, make the contract anew from an array that has them, too: "
            "tenfold-import MODEL -o MODEL.tnf --contract x=train.npy --contract x=MORE.npy\n"
            "  help: to run all the same, with a warning: --contract=warn (in C++, RunOptions::contract = "
            "ContractMode::kWarn)\n"
            "error[E0613 contract-range]: column 1 of 'x': 6 at row 1; the contract saw only 5 in 2 rows\n"
            "  --> net.cc:1\n"
            "  1 of 4 values is outside the range of its column, in 1 of 2 columns\n"
            "  the contract of 'x': 2 rows of 2 columns from train.npy, NaN in column 1\n"
            "  help: if such values are right, make the contract anew from an array that has them, too: "
            "tenfold-import MODEL -o MODEL.tnf --contract x=train.npy --contract x=MORE.npy\n"
            "  help: to run all the same, with a warning: --contract=warn (in C++, RunOptions::contract = "
            "ContractMode::kWarn)");
  // The executable is as good as before.
  EXPECT_EQ(exe.Run(Feeds({4, 5})).status(), absl::OkStatus());
}

TEST(ContractRun, WarnsAndRuns) {
  const Executable exe = Make(Sum());
  std::vector<Diagnostic> warnings;
  const RunOptions warn = {.contract = ContractMode::kWarn, .warnings = &warnings};
  const auto out = exe.Run(Feeds({10, 5}), warn);
  ASSERT_EQ(out.status(), absl::OkStatus());
  EXPECT_EQ(out->front().second.num_elements(), 2);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].code, "E0613");
  EXPECT_EQ(warnings[0].message, "column 0 of 'x': 10 at row 0; the contract saw 0 to 9 in 2 rows");
  EXPECT_EQ(exe.Run(Feeds({9, 5}), warn).status(), absl::OkStatus());
  EXPECT_EQ(warnings.size(), 1u);
  // Nobody to tell, or nothing to do.
  EXPECT_EQ(exe.Run(Feeds({10, 5}), {.contract = ContractMode::kWarn}).status(), absl::OkStatus());
  EXPECT_EQ(exe.Run(Feeds({10, 5}), {.contract = ContractMode::kOff, .warnings = &warnings}).status(),
            absl::OkStatus());
  EXPECT_EQ(warnings.size(), 1u);
}

// An Invocation reads the caller's memory in place: every run looks at what is there then.
TEST(ContractRun, EveryRunOfAnInvocationIsHeldAgainstIt) {
  const Executable exe = Make(Sum());
  Invocation call = exe.Prepare();
  std::vector<float> x = {1, 5}, w = {0, 0};
  ASSERT_EQ(call.SetInput(0, x), absl::OkStatus());
  ASSERT_EQ(call.SetInput(1, w), absl::OkStatus());
  EXPECT_EQ(call.Run(), absl::OkStatus());
  x[0] = -1;
  w[0] = 1000;  // has no contract
  EXPECT_THAT(
      std::string(call.Run().message()),
      StartsWith("error[E0613 contract-range]: column 0 of 'x': -1 at row 0; the contract saw 0 to 9"));
  EXPECT_EQ(call.Run({.contract = ContractMode::kOff}), absl::OkStatus());
  EXPECT_THAT(call.Output(0).values<float>(), ElementsAre(999, 5));
  x[0] = 9;
  EXPECT_EQ(call.Run(), absl::OkStatus());
}

// A feed that does not even fit is told first, and a run that is over ends, whatever it was fed.
TEST(ContractRun, ShapesAndDeadlinesComeFirst) {
  const Executable exe = Make(Sum());
  NamedTensors feeds = Feeds({10, 5});
  feeds[1].second = Of<float>({1, 2, 3, 4}, {2, 2});
  EXPECT_THAT(std::string(exe.Run(feeds).status().message()), HasSubstr("E0606"));
  const std::atomic<bool> cancelled = true;
  EXPECT_THAT(std::string(exe.Run(Feeds({10, 5}), {.cancelled = &cancelled}).status().message()),
              StartsWith("error[E0611 cancelled]"));
}

TEST(ContractRun, APlanWithABrokenContractIsOurBug) {
  Plan plan = Sum();
  plan.inputs[0].contract->rows = 0;
  EXPECT_EQ(VerifyPlan(plan).message(),
            "error[E9001 internal-error]: plan 'test': the contract of 'x': it saw 0 rows");
}

}  // namespace
}  // namespace tenfold
