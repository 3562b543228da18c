// SPDX-License-Identifier: Apache-2.0
//
// Host kernels in plans: blocks on several threads, values that are no indices, scratch, deadlines, and what
// folding makes of them. What each op computes is for tests/ops to say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/compiler/pipeline.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {
namespace {

using ::testing::HasSubstr;

Graph Parse(const char* text) {
  absl::StatusOr<Graph> graph = ParseText(text);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *std::move(graph);
}

Tensor Numbers(Dims dims, int64_t modulus) {
  Tensor tensor = *Tensor::Allocate(DType::kI64, dims);
  uint64_t x = 1;
  for (int64_t& v : tensor.mutable_values<int64_t>()) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    v = static_cast<int64_t>((x >> 33) % static_cast<uint64_t>(modulus));
  }
  return tensor;
}

// The same bits from one thread, from four and from the interpreter.
void CheckThreads(const Graph& graph, const NamedTensors& feeds) {
  std::vector<Tensor> inputs;
  for (const auto& [name, tensor] : feeds) inputs.push_back(tensor);
  const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(graph, inputs);
  ASSERT_TRUE(want.ok()) << want.status();
  for (int threads : {1, 4}) {
    const absl::StatusOr<Executable> executable = Compile(graph, {.threads = threads});
    ASSERT_TRUE(executable.ok()) << executable.status();
    const absl::StatusOr<NamedTensors> got = executable->Run(feeds);
    ASSERT_TRUE(got.ok()) << got.status();
    for (size_t i = 0; i < want->size(); ++i) EXPECT_TRUE(SameBits((*got)[i].second, (*want)[i])) << i;
  }
}

TEST(HostKernel, ThreadsDoNotChangeABit) {
  const Graph graph = Parse(
      "graph g(x: i64[R,C], i: i64[M], u: i64[M,C]) -> (g, s, v, w, c) {\n"
      "  g = Gather(x, i)\n"
      "  n = Reshape(i, {-1, 1})\n"
      "  s = ScatterND(x, n, u, reduction=\"add\")\n"
      "  v, w = TopK(x, {5})\n"
      "  c = CumSum(x, 0)\n"
      "}\n");
  const NamedTensors feeds = {
      {"x", Numbers({700, 300}, 1000)}, {"i", Numbers({2000}, 700)}, {"u", Numbers({2000, 300}, 50)}};
  CheckThreads(graph, feeds);
}

// Of images, signals and random numbers, too.
TEST(HostKernel, ThreadsDoNotChangeABitOfFloats) {
  const Graph graph = Parse(
      "graph g(x: f32[N,3,H,2], p: f32[N,K,9,2], l: f32[R]) -> (a, b, c, d) {\n"
      "  a = GridSample(x, p, mode=\"cubic\", padding_mode=\"reflection\")\n"
      "  k = Const i64[] {-2}\n"
      "  b = DFT(x, _, k)\n"
      "  c = RandomNormalLike(l, seed=3.0)\n"
      "  d = RandomUniform(shape=[70000])\n"
      "}\n");
  const auto floats = [](Dims dims) {
    Tensor tensor = *Tensor::Allocate(DType::kF32, dims);
    const Tensor numbers = Numbers(dims, 4001);
    for (int64_t i = 0; i < tensor.num_elements(); ++i) {
      tensor.mutable_values<float>()[i] = static_cast<float>(numbers.values<int64_t>()[i]) / 1000 - 2;
    }
    return tensor;
  };
  const NamedTensors feeds = {
      {"x", floats({40, 3, 74, 2})}, {"p", floats({40, 50, 9, 2})}, {"l", floats({70000})}};
  CheckThreads(graph, feeds);
}

// What inference refuses of numbers, the run refuses of symbols.
TEST(HostKernel, ATransformOfNothingIsRefused) {
  const Graph graph = Parse("graph g(x: f32[1,L,1]) -> (y) {\n  y = DFT(x, onesided=true)\n}\n");
  const absl::StatusOr<Executable> executable = Compile(graph, {});
  ASSERT_TRUE(executable.ok()) << executable.status();
  const absl::Status status =
      executable->Run({{"x", *Tensor::Allocate(DType::kF32, Dims{1, 0, 1})}}).status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(DiagnosticsOf(status)[0].code, "E0615");
  EXPECT_EQ(DiagnosticsOf(status)[0].message,
            "DFT 'y': the length of the transform is 0, but must be at least 1");
}

// Whoever comes to it first, the first bad index in the order of the elements is the one that is reported.
TEST(HostKernel, TheFirstBadValueIsReported) {
  const Graph graph = Parse("graph g(x: i64[R], i: i64[M]) -> (y) {\n  y = Gather(x, i)\n}\n");
  Tensor indices = Numbers({400000}, 10);
  Tensor bad = *Tensor::FromSpan(indices.values<int64_t>(), indices.dims());
  bad.mutable_values<int64_t>()[123456] = 10;
  bad.mutable_values<int64_t>()[300000] = -11;
  const absl::StatusOr<Executable> executable = Compile(graph, {.threads = 4});
  ASSERT_TRUE(executable.ok()) << executable.status();
  for (int run = 0; run < 5; ++run) {
    const absl::Status status = executable->Run({{"x", Numbers({10}, 5)}, {"i", bad}}).status();
    ASSERT_FALSE(status.ok());
    const Diagnostic d = DiagnosticsOf(status)[0];
    EXPECT_EQ(d.code, "E0615");
    EXPECT_EQ(d.message, "Gather 'y': indices[123456] is 10, outside [-10, 10)");
    EXPECT_THAT(d.location, HasSubstr("2:3"));
  }
  EXPECT_TRUE(executable->Run({{"x", Numbers({10}, 5)}, {"i", indices}}).ok());
}

TEST(HostKernel, ScratchCountsAgainstTheMemoryLimit) {
  const Graph graph = Parse("graph g(x: f32[N]) -> (v, i) {\n  v, i = TopK(x, {1})\n}\n");
  const absl::StatusOr<Executable> executable = Compile(graph, {.threads = 1});
  ASSERT_TRUE(executable.ok()) << executable.status();
  const Tensor x = *Tensor::Splat(DType::kF32, Dims{1000000}, "\0\0\0\0");
  EXPECT_TRUE(executable->Run({{"x", x}}).ok());
  RunOptions options;
  options.memory_limit = 7000000;
  const absl::Status status = executable->Run({{"x", x}}, options).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("E0404"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("8000000 of scratch"));
}

TEST(HostKernel, EndsAtTheDeadline) {
  for (const char* op : {"v, i = TopK(x, {8388608})", "v = CumSum(x, 0)", "v = GatherElements(x, j)"}) {
    SCOPED_TRACE(op);
    const Graph graph =
        Parse(absl::StrCat("graph g(x: i64[8388608], j: i64[8388608]) -> (v) {\n  ", op, "\n}\n").c_str());
    const absl::StatusOr<Executable> executable = Compile(graph, {.threads = 1});
    ASSERT_TRUE(executable.ok()) << executable.status();
    RunOptions options;
    options.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    const absl::Status status =
        executable->Run({{"x", Numbers({8388608}, 1 << 30)}, {"j", Numbers({8388608}, 100)}}, options)
            .status();
    EXPECT_THAT(std::string(status.message()), HasSubstr("E0610"));
  }
}

TEST(HostKernel, FoldsWhatIsConstantAndWhatFollowsFromShapes) {
  const Graph graph = Parse(
      "graph g(x: f32[N,4,6]) -> (a, b, y) {\n"
      "  s = Shape(x)\n"
      "  a = Gather(s, {1, 2})\n"
      "  w = Const f32[3] {1, 2, 3}\n"
      "  v, b = TopK(w, {2})\n"
      "  n = Gather(s, {0})\n"
      "  t = Concat(n, {-1}, axis=0)\n"
      "  y = Reshape(x, t)\n"
      "}\n");
  CompileReport report;
  ASSERT_EQ(RunPipeline(graph, {}, Stage::kPlanned, report), absl::OkStatus());
  const Graph& folded = report.stages[2].second;
  const auto constant = [&](const char* name) {
    const Tensor* tensor = folded.ConstantValue(*folded.FindValue(name));
    return tensor == nullptr ? std::string("not constant") : tensor->ToString();
  };
  EXPECT_EQ(constant("a"), "i64[2] {4, 6}");
  EXPECT_EQ(constant("b"), "i64[2] {2, 1}");
  EXPECT_EQ(folded.value(*folded.FindValue("y")).type.ToString(), "f32[N,24]");
  const absl::StatusOr<Executable> executable = Compile(graph, {});
  ASSERT_TRUE(executable.ok()) << executable.status();
  const Tensor x = *Tensor::Splat(DType::kF32, Dims{2, 4, 6}, "\0\0\0\0");
  const absl::StatusOr<NamedTensors> out = executable->Run({{"x", x}});
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ((*out)[2].second.dims(), (Dims{2, 24}));
}

// What a symbol may be is known when it is fed.
TEST(HostKernel, MoreThanThereAreIsRefusedByTheRun) {
  const Graph graph = Parse("graph g(x: f32[N]) -> (v) {\n  v, i = TopK(x, {3})\n}\n");
  const absl::StatusOr<Executable> executable = Compile(graph, {});
  ASSERT_TRUE(executable.ok()) << executable.status();
  EXPECT_TRUE(executable->Run({{"x", *Tensor::FromVector<float>({1, 2, 3}, Dims{3})}}).ok());
  const absl::Status status = executable->Run({{"x", *Tensor::FromVector<float>({1, 2}, Dims{2})}}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("TopK 'v': k is 3, but the axis has 2 elements"));
}

// A shape that is an output is computed from the symbols.
TEST(Shapes, AreComputedFromTheSymbolsOfARun) {
  const Graph graph = Parse(
      "graph g(x: f32[N,M]) -> (s, n, k) {\n  s = Shape(x)\n  n = Size(x)\n  k = Slice(s, {1}, {2})\n}\n");
  const absl::StatusOr<Executable> executable = Compile(graph, {});
  ASSERT_TRUE(executable.ok()) << executable.status();
  for (int64_t n : {3, 0, 7}) {
    const Tensor x = *Tensor::Allocate(DType::kF32, Dims{n, 5});
    const absl::StatusOr<NamedTensors> out = executable->Run({{"x", x}});
    ASSERT_TRUE(out.ok()) << out.status();
    EXPECT_EQ((*out)[0].second.ToString(), absl::StrCat("i64[2] {", n, ", 5}"));
    EXPECT_EQ((*out)[1].second.at<int64_t>(0), n * 5);
    EXPECT_EQ((*out)[2].second.ToString(), "i64[1] {5}");
  }
}

// A strided view is read where it is, by the kernel that needs it.
TEST(Views, AreReadByTheKernelsOfTheirReaders) {
  const Graph graph = Parse(
      "graph g(x: f32[N,6], w: f32[3]) -> (y) {\n"
      "  s = Slice(x, {1, 1}, {9223372036854775807, 6}, _, {1, 2})\n"
      "  t = Mul(s, w)\n"
      "  y = ReduceSum(t, axes=[1])\n"
      "}\n");
  CompileReport report;
  const absl::StatusOr<Executable> executable = Compile(graph, {.threads = 1}, &report);
  ASSERT_TRUE(executable.ok()) << executable.status();
  EXPECT_EQ(report.plan->steps.size(), 1u);
  for (int64_t n : {4, 1}) {
    Tensor x = *Tensor::Allocate(DType::kF32, Dims{n, 6});
    for (int64_t i = 0; i < x.num_elements(); ++i) x.mutable_values<float>()[i] = static_cast<float>(i);
    const Tensor w = *Tensor::FromVector<float>({1, 10, 100}, Dims{3});
    const std::vector<Tensor> feeds = {x, w};
    const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(graph, feeds);
    const absl::StatusOr<NamedTensors> got = executable->Run({{"x", x}, {"w", w}});
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_TRUE(SameBits((*got)[0].second, (*want)[0])) << (*got)[0].second.ToString();
  }
}

// A reflection that is longer than what was fed is refused, not read from elsewhere.
TEST(Views, PiecesThatLeaveATensorAreRefused) {
  const Graph graph = Parse("graph g(x: f32[N]) -> (y) {\n  y = Pad(x, {3, 0}, mode=\"reflect\")\n}\n");
  const absl::StatusOr<Executable> executable = Compile(graph, {});
  ASSERT_TRUE(executable.ok()) << executable.status();
  EXPECT_TRUE(executable->Run({{"x", *Tensor::FromVector<float>({1, 2, 3, 4}, Dims{4})}}).ok());
  const absl::Status status =
      executable->Run({{"x", *Tensor::FromVector<float>({1, 2, 3}, Dims{3})}}).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("E0605 input-shape]: Pad 'y': with the extents that were fed, it would read or write "
                        "outside its tensors"));
}

}  // namespace
}  // namespace tenfold
