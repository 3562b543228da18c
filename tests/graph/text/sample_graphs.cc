// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/graph/text/sample_graphs.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tenfold {

std::vector<std::string> CanonicalTexts() {
  return {
      R"(tenfold 1

graph empty() -> () {
}
)",
      R"(tenfold 1

graph scale(x: f32[N,4]) -> (y) {
  w = Const f32[4,2] {1, 2, 3, 4, 5, 6, 7, 8}
  m = MatMul(x, w)
  y = Mul(m, 2)
}
)",
      R"(tenfold 1

graph "odd name"(x: f32[N,28,28], "in:0": f32[max(N, 4),2*M + 1] from(x), u: i64[...]) where M in [0,], N in [1,512] -> (h, probs=p, "out put"=x) {
  zeros = Const f32[1000,1000] splat 0 from(w, "block/0:1")
  h = Reshape(x, {-1, 784})
  "block/0:1" = Max(h, -0) from(h, h.1)
  fc1/w = Gelu("block/0:1", approximate="tanh")
  p = Softmax(fc1/w, axis=0)
  "nan" = Cast(p, to=bf16)
}
)",
      R"(tenfold 1

graph fused(x: f32[N,4], w: f32[4]) -> (y) {
  y = Fused(x, w) {
    graph group.0(x: f32[N,4], w: f32[4]) -> (t) {
      m = Mul(x, w)
      t = Tanh(m)
    }
  } from(m, t)
}
)",
      R"(tenfold 1

graph moves(x: f32[N,6], i: i64[2]) -> (y, "_", t) {
  s = Slice(x, {0, 1}, {2, 6}, _, {1, 2})
  a, b = Split(x, {2, 4}, axis=1)
  "_" = Concat(a, b, a, axis=-1)
  t, u = TopK(x, {2}, largest=false)
  y = Gather(s, i)
  z = ConstantOfShape({2}, value=i8[1] {3})
}
)",
      R"(tenfold 1

graph constants() -> (a, b, c, d) {
  a = Const f32[8] {0, -0, 1, -1, 1e-30, 3.4028235e+38, inf, nan}
  b = Const bool[2] {true, false}
  c = Const i8[3] {-128, 0, 127}
  d = Const f32[40] {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39
  }
  e = Const f32[0,3] {}
}
)",
      R"(tenfold 1

graph contracts(x: f32[N,3] contract("train.npy", "more.npz: \"x\"", rows=1437, axis=1, min=f32[3] {-inf, 0, 0.1}, max=f32[3] {1e-30, 0, inf}, nans=i64[3] {0, 1437, 3}), "in:0": i64[] contract(rows=1, min=i64[1] {-9223372036854775808}, max=i64[1] {9223372036854775807}) from(x), u: f16[...] contract("u.npy", type=f16[d0,2,5], rows=4, axis=1, min=f16[2] {-65500, 0}, max=f16[2] {65500, 1}), b: bool[M] contract("b", rows=2, min=bool[1] {false}, max=bool[1] {true}), w: f32[40,N] contract(rows=2, axis=0, min=f32[40] {
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
  32, 33, 34, 35, 36, 37, 38, 39
}, max=f32[40] {
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
  32, 33, 34, 35, 36, 37, 38, 39
}), free: f32[]) -> (x) {
}
)",
  };
}

Tensor RandomTensor(DType dtype, const Dims& dims, uint64_t seed, bool splat) {
  std::mt19937_64 random(seed);
  Tensor tensor = *Tensor::Allocate(dtype, splat ? Dims{} : dims);
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_data());
  for (size_t i = 0; i < tensor.stored_bytes(); ++i) {
    bytes[i] = static_cast<uint8_t>(random());
    if (dtype == DType::kBool) bytes[i] &= 1;
  }
  if (IsPacked(dtype)) ClearUnusedHalf(tensor.mutable_data(), tensor.num_elements());
  return splat ? *Tensor::Splat(dtype, dims, tensor.data()) : tensor;
}

Graph RandomGraph(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](uint64_t n) { return static_cast<size_t>(random() % n); };
  const std::vector<std::string> stems = {"x",     "fc1/w", "block/0:1", "a b", "true",
                                          "\"q\"", "\n",    "größe",     "w.1", "inf"};
  Graph graph;
  graph.name = stems[below(stems.size())];
  if (below(2) == 0)
    graph.symbol_bounds["N"] = {static_cast<int64_t>(below(3)),
                                below(2) == 0 ? std::optional<int64_t>(512) : std::nullopt};
  std::vector<ValueId> values;  // all f32[N,4]
  const auto add = [&](const char* op, std::vector<ValueId> inputs, Attrs attrs, bool named) {
    Provenance provenance;
    if (below(4) == 0) provenance.location = absl::StrCat("file.cc:", below(100));
    if (below(4) == 0) provenance.from = {stems[below(stems.size())], "y"};
    const std::string name = named ? stems[below(stems.size())] : "";
    auto node = graph.AddNode(*graph.registry().Find(op), std::move(inputs), std::move(attrs), {name},
                              std::move(provenance));
    return node.ok() ? graph.node(*node).outputs[0] : ValueId{-1};
  };
  const TensorType type = {DType::kF32, Shape{Dim::Symbol("N"), Dim(4)}};
  for (size_t i = 0; i <= below(3); ++i) values.push_back(add("Input", {}, {{"type", type}}, true));
  for (size_t i = 0; i < 20; ++i) {
    const ValueId a = values[below(values.size())], b = values[below(values.size())];
    switch (below(7)) {
      case 0:
        values.push_back(add("Add", {a, b}, {}, true));
        break;
      case 1:
        values.push_back(add("Tanh", {a}, {}, true));
        break;
      case 2:
        values.push_back(add("Softmax", {a}, {{"axis", static_cast<int64_t>(below(2))}}, true));
        break;
      case 3: {  // a literal, or a constant that no literal can stand for
        const ValueId c = add("Const", {}, {{"value", RandomTensor(DType::kF32, {}, random())}}, false);
        values.push_back(add("Mul", {a, c}, {}, true));
        break;
      }
      case 4: {
        const int64_t dims[2] = {static_cast<int64_t>(below(5)), static_cast<int64_t>(below(40))};
        add("Const", {},
            {{"value",
              RandomTensor(kAllDTypes[below(kNumDTypes)], {dims[0], dims[1]}, random(), below(3) == 0)}},
            below(2) == 0);
        break;
      }
      case 5: {  // two literals: the first gets a name
        const ValueId c = add("Const", {}, {{"value", Tensor::Scalar(2.0f)}}, false);
        const ValueId d = add("Const", {}, {{"value", Tensor::Scalar(static_cast<float>(below(9)))}}, false);
        values.push_back(add("Add", {a, add("Add", {c, d}, {}, true)}, {}, true));
        break;
      }
      default: {
        const ValueId shape =
            add("Const", {}, {{"value", *Tensor::FromVector(std::vector<int64_t>{-1, 4}, Dims{2})}}, false);
        values.push_back(add("Reshape", {a, shape}, {}, true));
      }
    }
  }
  (void)graph.AddOutput("y", values.back());
  (void)graph.AddOutput(graph.DisplayName(values[0]), values[0]);
  return graph;
}

}  // namespace tenfold
