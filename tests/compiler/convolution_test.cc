// SPDX-License-Identifier: Apache-2.0
//
// Convolutions in plans: by a library where it has faster code, for several extents and any number of
// threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "tenfold/compiler/compile.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

using ::testing::HasSubstr;

// Small whole numbers, of which sums are exact in any order.
Tensor Numbers(Dims dims) {
  Tensor tensor = *Tensor::Allocate(DType::kF32, dims);
  uint64_t x = 1;
  for (float& v : tensor.mutable_values<float>()) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    v = static_cast<float>((x >> 33) % 9) - 4;
  }
  return tensor;
}

// y = Conv(x, w, bias) over symbolic batch and height; z reads y, so that it lies in the arena.
Graph Layer(bool constant) {
  GraphBuilder g("layer");
  const Value x = g.Input("x", DType::kF32, {"N", 16, "H", 30});
  const Value w =
      constant ? g.Const(Numbers({24, 16, 3, 3}), "w") : g.Input("w", DType::kF32, {24, 16, 3, 3});
  const Value b = g.Const(Numbers({24}), "b");
  const Value y = Conv(x, w, b, {.pads = {1, 1, 1, 1}});
  g.Output("y", y);
  g.Output("z", Neg(Conv(x, w, std::nullopt, {.strides = {2, 2}})));
  return *std::move(g).Build();
}

TEST(Convolution, SeveralExtentsAndThreadsGiveTheLoopNest) {
  for (bool constant : {false, true}) {
    const Graph graph = Layer(constant);
    std::vector<Executable> executables;
    for (int threads : {1, 4}) executables.push_back(*Compile(graph, {.threads = threads}));
    executables.push_back(*Compile(graph, {.reference_contractions = true}));
    for (const auto& [n, h] : {std::pair<int64_t, int64_t>{1, 30}, {3, 40}, {0, 10}, {2, 3}, {3, 40}}) {
      NamedTensors feeds = {{"x", Numbers({n, 16, h, 30})}};
      if (!constant) feeds.push_back({"w", Numbers({24, 16, 3, 3})});
      std::vector<Tensor> inputs;
      for (const auto& [name, tensor] : feeds) inputs.push_back(tensor);
      const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(graph, inputs);
      ASSERT_TRUE(want.ok()) << want.status();
      for (const Executable& executable : executables) {
        const absl::StatusOr<NamedTensors> got = executable.Run(feeds);
        ASSERT_TRUE(got.ok()) << got.status();
        for (size_t i = 0; i < want->size(); ++i) {
          EXPECT_TRUE(SameBits((*got)[i].second, (*want)[i])) << n << "x" << h << " output " << i;
        }
      }
    }
  }
}

TEST(Convolution, SymbolsThatLeaveNoResultAreRefused) {
  const Executable executable = *Compile(Layer(true));
  const absl::StatusOr<NamedTensors> got = executable.Run({{"x", Numbers({1, 16, 0, 30})}});
  ASSERT_FALSE(got.ok());
  EXPECT_THAT(std::string(got.status().message()), HasSubstr("has an extent or a size that cannot be"));
}

TEST(Convolution, CancelledRunsEnd) {
  const Executable executable = *Compile(Layer(true));
  const std::atomic<bool> cancelled = true;
  const absl::StatusOr<NamedTensors> got =
      executable.Run({{"x", Numbers({1, 16, 30, 30})}}, {.cancelled = &cancelled});
  EXPECT_EQ(got.status().code(), absl::StatusCode::kCancelled);
}

// Not in exact mode, where a run could sum in another order.
TEST(Convolution, OfConstantsIsFoldedUnlessALibrarySumsOtherwise) {
  GraphBuilder g("constant");
  g.Output("y", Conv(g.Const(Numbers({1, 2, 4, 4})), g.Const(Numbers({2, 2, 3, 3})), std::nullopt, {}));
  const Graph graph = *std::move(g).Build();
  for (bool exact : {false, true}) {
    CompileOptions options;
    if (exact) options.numerics = Numerics::kExact;
    CompileReport report;
    const absl::Status status = RunPipeline(graph, options, Stage::kPlanned, report);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(report.plan->steps[0].nodes[0].op, exact ? "Conv" : "Const");
    EXPECT_EQ(ToString(*report.plan).find("convolution(") != std::string::npos, exact);
  }
}

// The indices of a MaxPool that nobody reads are not computed, which changes nothing else.
TEST(Pooling, ResultsThatNobodyReadNeedNotBeThere) {
  for (bool both : {false, true}) {
    GraphBuilder g("pool");
    const auto pooled = MaxPool(g.Input("x", DType::kF32, {"N", 3, 20, 20}), {.kernel_shape = {3, 3}});
    g.Output("y", pooled.y);
    if (both) g.Output("i", pooled.indices);
    const Graph graph = *std::move(g).Build();
    const Tensor x = Numbers({2, 3, 20, 20});
    const std::vector<Tensor> want = *EvaluateGraph(graph, std::vector<Tensor>{x});
    const absl::StatusOr<NamedTensors> got = Compile(graph)->Run({{"x", x}});
    ASSERT_TRUE(got.ok()) << got.status();
    for (size_t i = 0; i < want.size(); ++i) EXPECT_TRUE(SameBits((*got)[i].second, want[i]));
  }
}

}  // namespace
}  // namespace tenfold
