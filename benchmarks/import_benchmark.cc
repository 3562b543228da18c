// SPDX-License-Identifier: Apache-2.0
//
// How many bytes of an ONNX model are imported in a second: weights in each of the forms that files have them
// in, and nodes.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/onnx/import.h"

namespace tenfold {
namespace {

constexpr int kFloat = 1, kInt8 = 3, kInt64 = 7;  // TensorProto.DataType

void AddNode(onnx::GraphProto& graph, const std::string& op, const std::vector<std::string>& inputs,
             const std::string& output) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(op);
  node.set_name("the " + output);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
}

onnx::ValueInfoProto TypedValue(const std::string& name, const std::vector<int64_t>& dims) {
  onnx::ValueInfoProto value;
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(kFloat);
  for (int64_t dim : dims) type.mutable_shape()->add_dim()->set_dim_value(dim);
  return value;
}

onnx::TensorProto& AddWeights(onnx::GraphProto& graph, const std::string& name, int dtype,
                              const std::vector<int64_t>& dims) {
  onnx::TensorProto& weights = *graph.add_initializer();
  weights.set_name(name);
  weights.set_data_type(dtype);
  for (int64_t dim : dims) weights.add_dims(dim);
  return weights;
}

std::string WithGraph(const std::function<void(onnx::GraphProto&)>& fill) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  fill(*model.mutable_graph());
  return model.SerializeAsString();
}

// Sixteen outputs that are 1024x1024 weights, as `fill` writes them: 64 MiB of f32.
constexpr int kMatrices = 16;
constexpr int64_t kExtent = 1024;

std::string Weights(int dtype, const std::function<void(onnx::TensorProto&)>& fill) {
  return WithGraph([&](onnx::GraphProto& graph) {
    for (int i = 0; i < kMatrices; ++i) {
      const std::string w = absl::StrCat("w", i), y = absl::StrCat("y", i);
      fill(AddWeights(graph, w, dtype, {kExtent, kExtent}));
      AddNode(graph, "Identity", {w}, y);
      *graph.add_output() = TypedValue(y, {kExtent, kExtent});
    }
  });
}

std::string RawWeights() {
  return Weights(kFloat, [](onnx::TensorProto& w) {
    w.set_raw_data(std::string(sizeof(float) * kExtent * kExtent, '\1'));
  });
}

void Import(benchmark::State& state, const std::string& bytes) {
  for (auto _ : state) {
    const absl::StatusOr<Graph> graph = ImportOnnxBytes(bytes, "model.onnx");
    if (!graph.ok()) return state.SkipWithError(std::string(graph.status().message()).c_str());
    benchmark::DoNotOptimize(graph->num_values());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

// From a file: mapped, and read once here, since an import alone touches no weights.
void ImportFileOfRawData(benchmark::State& state) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "tenfold_import_benchmark.onnx";
  const std::string bytes = RawWeights();
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  for (auto _ : state) {
    const absl::StatusOr<Graph> graph = ImportOnnx(path.string());
    if (!graph.ok()) return state.SkipWithError(std::string(graph.status().message()).c_str());
    float sum = 0;
    for (NodeId id : graph->nodes()) {
      if (graph->node(id).op->name != "Const") continue;
      for (float value : graph->node(id).tensor().values<float>()) sum += value;
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
  std::filesystem::remove(path);
}
BENCHMARK(ImportFileOfRawData)->Unit(benchmark::kMillisecond);

// From memory, out of which weights are copied.
void ImportRawData(benchmark::State& state) { Import(state, RawWeights()); }
BENCHMARK(ImportRawData)->Unit(benchmark::kMillisecond);

void ImportFloatData(benchmark::State& state) {
  Import(state, Weights(kFloat, [](onnx::TensorProto& w) {
           w.mutable_float_data()->Resize(static_cast<int>(kExtent * kExtent), 0.5F);
         }));
}
BENCHMARK(ImportFloatData)->Unit(benchmark::kMillisecond);

// An i8 in an integer of variable length: one byte or ten for each element. A tenth are negative.
void ImportInt32Data(benchmark::State& state) {
  Import(state, Weights(kInt8, [](onnx::TensorProto& w) {
           for (int64_t i = 0; i < kExtent * kExtent; ++i)
             w.add_int32_data(static_cast<int32_t>(i % 10 == 0 ? -1 : i % 100));
         }));
}
BENCHMARK(ImportInt32Data)->Unit(benchmark::kMillisecond);

void ImportInt64Data(benchmark::State& state) {
  Import(state, Weights(kInt64, [](onnx::TensorProto& w) {
           for (int64_t i = 0; i < kExtent * kExtent; ++i) w.add_int64_data(i * i);
         }));
}
BENCHMARK(ImportInt64Data)->Unit(benchmark::kMillisecond);

// 4000 nodes: what a model of small weights takes.
void ImportNodes(benchmark::State& state) {
  constexpr int kLayers = 2000;
  const std::string bytes = WithGraph([](onnx::GraphProto& graph) {
    *graph.add_input() = TypedValue("x0", {8, 64});
    for (int i = 0; i < kLayers; ++i) {
      const std::string bias = absl::StrCat("b", i), sum = absl::StrCat("s", i);
      AddWeights(graph, bias, kFloat, {64}).set_raw_data(std::string(64 * sizeof(float), '\1'));
      AddNode(graph, "Add", {absl::StrCat("x", i), bias}, sum);
      AddNode(graph, "Relu", {sum}, absl::StrCat("x", i + 1));
    }
    *graph.add_output() = TypedValue(absl::StrCat("x", kLayers), {8, 64});
  });
  Import(state, bytes);
}
BENCHMARK(ImportNodes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tenfold
