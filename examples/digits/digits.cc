// SPDX-License-Identifier: Apache-2.0
//
// Handwritten digits: makes the graph of a trained network from NumPy's arrays, runs it, and counts how many
// digits it gets right. docs/data.md says where the arrays come from.
#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ops.h"
#include "tenfold/graph/serialization/tnf.h"

namespace tenfold {
namespace {

// A multilayer perceptron with one hidden layer. An array that cannot be loaded is reported by Build, with
// everything else that is wrong.
absl::StatusOr<Graph> BuildDigits(const std::string& weights) {
  GraphBuilder g("digits");
  const Value x = g.Input("x", DType::kF32, {"N", 64});  // N images of 8x8 pixels
  const Value w1 = g.Const(LoadNpzMember(weights, "w1"), "w1");
  const Value b1 = g.Const(LoadNpzMember(weights, "b1"), "b1");
  const Value w2 = g.Const(LoadNpzMember(weights, "w2"), "w2");
  const Value b2 = g.Const(LoadNpzMember(weights, "b2"), "b2");
  const Value h = Max(MatMul(x, w1) + b1, 0);
  g.Output("p", Softmax(MatMul(h, w2) + b2));
  return std::move(g).Build();
}

// A layer for images of 28x28 pixels, given one that nobody has flattened.
absl::StatusOr<Graph> BuildWrongShape(const std::string& image) {
  GraphBuilder g("wide");
  const Value x = g.Const(LoadNpy(image), "image");
  const float weight = 0.01f;
  const Value w = g.Const(Tensor::Splat(DType::kF32, Dims{784, 10}, &weight), "w");
  g.Output("y", MatMul(x, w));
  return std::move(g).Build();
}

// The share of rows of `probabilities` whose largest element is at the row's label, in percent.
absl::StatusOr<double> Accuracy(const Tensor& probabilities, const Tensor& labels) {
  const bool fits = probabilities.dtype() == DType::kF32 && probabilities.rank() == 2 &&
                    labels.dtype() == DType::kI64 && labels.rank() == 1 &&
                    labels.dims()[0] == probabilities.dims()[0] && labels.num_elements() > 0;
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat("probabilities are ", probabilities.type().ToString(),
                                                   " and labels ", labels.type().ToString(),
                                                   "; f32[N,10] and i64[N] are expected"));
  }
  const int64_t classes = probabilities.dims()[1];
  int64_t right = 0;
  for (int64_t row = 0; row < labels.num_elements(); ++row) {
    const std::span<const float> p = probabilities.values<float>().subspan(row * classes, classes);
    if (std::max_element(p.begin(), p.end()) - p.begin() == labels.at<int64_t>(row)) ++right;
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(labels.num_elements());
}

absl::Status Make(const std::string& data, const std::string& file) {
  TENFOLD_ASSIGN_OR_RETURN(const Graph graph, BuildDigits(data + "/weights.npz"));
  return SaveGraph(graph, file);
}

// What a program does that has Tenfold inside.
absl::Status Run(const std::string& data) {
  TENFOLD_ASSIGN_OR_RETURN(const Graph graph, BuildDigits(data + "/weights.npz"));
  TENFOLD_ASSIGN_OR_RETURN(const Tensor images, LoadNpy(data + "/images.npy"));
  TENFOLD_ASSIGN_OR_RETURN(const Tensor labels, LoadNpy(data + "/labels.npy"));
  TENFOLD_ASSIGN_OR_RETURN(const Executable digits, Compile(graph));
  TENFOLD_ASSIGN_OR_RETURN(const NamedTensors out, digits.Run({{"x", images}}));
  TENFOLD_ASSIGN_OR_RETURN(const double accuracy, Accuracy(out[0].second, labels));
  std::printf("accuracy: %.1f %%\n", accuracy);
  return absl::OkStatus();
}

absl::Status PrintAccuracy(const std::string& probabilities, const std::string& labels) {
  TENFOLD_ASSIGN_OR_RETURN(const Tensor p, LoadNpy(probabilities));
  TENFOLD_ASSIGN_OR_RETURN(const Tensor l, LoadNpy(labels));
  TENFOLD_ASSIGN_OR_RETURN(const double accuracy, Accuracy(p, l));
  std::printf("accuracy: %.1f %%\n", accuracy);
  return absl::OkStatus();
}

constexpr char kUsage[] =
    "usage: digits make DATA FILE.tnf       make the graph from DATA/weights.npz and save it\n"
    "       digits run DATA                 run it on DATA/images.npy and count the right answers\n"
    "       digits accuracy P.npy L.npy     count them in probabilities that are there already\n"
    "       digits wrong-shape IMAGE.npy    feed an image of 28x28 pixels to a layer of 784 inputs\n";

int Main(const std::vector<std::string>& arguments) {
  absl::Status status;
  const std::string command = arguments.empty() ? "" : arguments[0];
  if (command == "make" && arguments.size() == 3) {
    status = Make(arguments[1], arguments[2]);
  } else if (command == "run" && arguments.size() == 2) {
    status = Run(arguments[1]);
  } else if (command == "accuracy" && arguments.size() == 3) {
    status = PrintAccuracy(arguments[1], arguments[2]);
  } else if (command == "wrong-shape" && arguments.size() == 2) {
    status = BuildWrongShape(arguments[1]).status();
  } else {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) { return tenfold::Main({argv + std::min(argc, 1), argv + argc}); }
