// SPDX-License-Identifier: Apache-2.0
//
// Random graphs of every op, compiled at every level: the bits are those of node-by-node evaluation. The
// seeds are fixed; a failure prints the graph, which then makes a case of its own.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/runtime/thread_pool.h"
#include "tenfold/tests/cases/same_meaning.h"

namespace tenfold::testing {
namespace {

constexpr int64_t kColumns = 7;

// Matrices of N or 1 rows and 7 or 1 columns, so that any two of one dtype broadcast. Those of 7 by N lie
// apart.
class GraphMaker {
 public:
  explicit GraphMaker(uint32_t seed) : random_(seed), builder_(absl::StrCat("random", seed)) {}

  absl::StatusOr<Graph> Make() && {
    const DType dtypes[] = {
        DType::kF32, OneOf({DType::kF16, DType::kBF16, DType::kF64}),
        OneOf({DType::kI8, DType::kI32, DType::kI64, DType::kU8, DType::kU16, DType::kU64})};
    for (DType dtype : dtypes) {
      const std::string name(Name(dtype));
      Keep(builder_.Input(name + ".matrix", dtype, {"N", kColumns}));
      Keep(builder_.Input(name + ".column", dtype, {"N", 1}));
      Keep(builder_.Input(name + ".row", dtype, {1, kColumns}));
      Keep(Constant(dtype, {1, kColumns}));
      Keep(Constant(dtype, {1, 1}));
    }
    const int steps = 6 + Below(18);
    for (int i = 0; i < steps; ++i) Step();
    for (int i = 0; i < 4; ++i) {
      if (std::vector<Value>& pool = AnyPool(); !pool.empty()) {
        const Value value = i == 0 ? last_ : pool[Below(pool.size())];
        builder_.Output(absl::StrCat("out", i), value);
      }
    }
    return std::move(builder_).Build();
  }

 private:
  struct Kind {
    DType dtype;
    bool across;  // 7 by N
    auto operator<=>(const Kind&) const = default;
  };

  int Below(size_t n) { return static_cast<int>(random_() % n); }
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }

  Value Constant(DType dtype, const Dims& dims) {
    Tensor tensor = *Tensor::Allocate(dtype, dims);
    VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
      for (T& value : tensor.mutable_values<T>()) {
        const float x = static_cast<float>(1 + Below(40)) / 8;
        if constexpr (std::is_same_v<T, F16>)
          value = ToF16(x);
        else if constexpr (std::is_same_v<T, BF16>)
          value = ToBF16(x);
        else
          value = static_cast<T>(x);
      }
    });
    return builder_.Const(std::move(tensor), "c");
  }

  void Keep(Value value, bool across = false) {
    pools_[{value.dtype(), across}].push_back(value);
    last_ = value;
  }
  std::vector<Value>& AnyPool() {
    auto it = pools_.begin();
    std::advance(it, Below(pools_.size()));
    return it->second;
  }

  void Step() {
    auto it = pools_.begin();
    std::advance(it, Below(pools_.size()));
    const auto [dtype, across] = it->first;
    const std::vector<Value> pool = it->second;
    // Mostly what was made last, so that chains grow.
    const Value a = Below(3) == 0 ? pool[Below(pool.size())] : pool.back();
    const Value b = pool[Below(pool.size())];
    if (IsBool(dtype)) return Keep(Cast(a, {.to = OneOf({DType::kF32, DType::kI32})}), across);
    const std::vector<int64_t> axis = {Below(2) - (Below(2) == 0 ? 2 : 0)};
    switch (Below(IsFloat(dtype) ? 19 : 13)) {
      case 0:
        return Keep(a + b, across);
      case 1:
        return Keep(a - b, across);
      case 2:
        return Keep(a * b, across);
      case 3:
        return Keep(Max(a, b), across);
      case 4:
        return Keep(IsFloat(dtype) ? a / b : Div(a, 3), across);
      case 5:
        return Keep(Where(Equal(a, b), a, Max(b, 1)), across);
      case 6:
        return Keep(Cast(a, {.to = OneOf({DType::kF32, DType::kF16, DType::kI32, DType::kU8, DType::kBool})}),
                    across);
      case 7:
        return Keep(OptimizationBarrier(a), across);
      case 8:
        return Keep(Transpose(a), !across);
      case 9:
        return Keep(ReduceSum(a, {.axes = axis}), across);
      case 10:
        return Keep(ReduceMax(a, {.axes = axis}), across);
      case 11:
        return Product(a, across);
      case 12:
        return Keep(HalvesSwapped(a), across);
      case 13:
        return Keep(Exp(a * 0.25), across);
      case 14:
        return Keep(Tanh(a), across);
      case 15:
        return Keep(Sigmoid(a), across);
      case 16:
        return Keep(Gelu(a, {.approximate = OneOf<const char*>({"none", "tanh"})}), across);
      case 17:
        return Keep(Softmax(a, {.axis = axis[0]}), across);
      default:
        return Keep(Reshape(Neg(Reshape(a, {-1})), ShapeOf(a)), across);
    }
  }

  // With constant weights, by the side that has 7 elements.
  void Product(Value a, bool across) {
    const Dim inner = a.shape().dim(across ? 0 : 1);
    if (!(inner == Dim(kColumns))) return Keep(Max(a, 2), across);
    const Value weights = Constant(a.dtype(), {kColumns, kColumns});
    Keep(across ? MatMul(weights, a) : MatMul(a, weights), across);
  }

  // Cut along the outer axis, which gives views, and joined the other way round, one half computed in place.
  Value HalvesSwapped(Value a) {
    const Values halves = Split(a, std::nullopt, {.axis = 0, .num_outputs = 2});
    const Value first = Below(2) == 0 ? Value(Max(halves[1], halves[1])) : halves[1];
    const Value second = Below(2) == 0 ? Value(Min(halves[0], halves[0])) : halves[0];
    return Concat({first, second}, {.axis = 0});
  }

  // As a constant: the extent N is -1.
  std::vector<int64_t> ShapeOf(Value a) const {
    std::vector<int64_t> dims;
    for (const Dim& dim : a.shape().dims()) dims.push_back(dim.is_constant() ? dim.constant() : -1);
    return dims;
  }

  std::mt19937 random_;
  GraphBuilder builder_;
  std::map<Kind, std::vector<Value>> pools_;
  Value last_;
};

class RandomGraph : public ::testing::TestWithParam<int> {};

TEST_P(RandomGraph, HasTheSameBitsAtEveryLevel) {
  const absl::StatusOr<Graph> graph = GraphMaker(GetParam()).Make();
  ASSERT_TRUE(graph.ok()) << graph.status();
  static const auto pool = std::make_shared<ThreadPool>(3);
  for (const int level : {0, 1, 2}) {
    for (const JitMode jit : {JitMode::kOff, JitMode::kWait}) {
      const auto executable =
          Compile(*graph, {.opt_level = level, .jit = jit, .pool = pool, .reference_contractions = true});
      ASSERT_TRUE(executable.ok()) << executable.status() << "\n" << PrintText(*graph);
      for (const int64_t extent : {0, 1, 5, 70}) {
        const absl::StatusOr<NamedTensors> feeds = MakeFeeds(*graph, 100 * GetParam() + extent, extent);
        ASSERT_TRUE(feeds.ok()) << feeds.status();
        std::vector<Tensor> in_order;
        for (const auto& [name, tensor] : *feeds) in_order.push_back(tensor);
        const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(*graph, in_order);
        ASSERT_TRUE(want.ok()) << want.status() << "\n" << PrintText(*graph);
        const absl::StatusOr<NamedTensors> got = executable->Run(*feeds);
        ASSERT_TRUE(got.ok()) << got.status() << "\n" << PrintText(*graph);
        for (size_t i = 0; i < want->size(); ++i) {
          ASSERT_TRUE(SameBits((*got)[i].second, (*want)[i]))
              << "-O" << level << (jit == JitMode::kOff ? " interpreted" : " compiled") << ", N = " << extent
              << ": " << (*got)[i].first << "\n got " << (*got)[i].second.ToString() << "\nwant "
              << (*want)[i].ToString() << "\n"
              << PrintText(*graph);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraph, ::testing::Range(0, 120));

}  // namespace
}  // namespace tenfold::testing
