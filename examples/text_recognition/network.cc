// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/network.h"

#include <algorithm>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/import.h"

namespace tenfold::text_recognition {

absl::StatusOr<Tensor> ToTensor(const Image& image, const Normalization& normalization, int width) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(DType::kF32, Dims{1, 3, image.height, width}));
  const std::span<float> values = tensor.mutable_values<float>();
  std::fill(values.begin(), values.end(), 0.0f);
  auto row = values.begin();
  for (int channel = 0; channel < 3; ++channel) {
    const float mean = normalization.mean[channel], deviation = normalization.deviation[channel];
    for (int y = 0; y < image.height; ++y, row += width) {
      for (int x = 0; x < std::min(image.width, width); ++x) {
        row[x] = (static_cast<float>(image.pixel(x, y)[2 - channel]) / 255 - mean) / deviation;
      }
    }
  }
  return tensor;
}

absl::StatusOr<Network> Network::Load(const std::string& path, int threads,
                                      std::vector<std::pair<std::string, Dim>> dims) {
  TENFOLD_ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(path, {.dims = std::move(dims)}));
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": has ", graph.inputs().size(), " inputs and ",
                                                   graph.outputs().size(), " outputs; one each is expected"));
  }
  TENFOLD_ASSIGN_OR_RETURN(Executable executable, Compile(graph, {.threads = threads}));
  return Network(std::move(executable));
}

absl::StatusOr<Tensor> Network::Run(const Tensor& picture) const {
  TENFOLD_ASSIGN_OR_RETURN(const NamedTensors results,
                           executable_.Run({{executable_.plan().inputs[0].name, picture}}));
  const Tensor& result = results[0].second;
  if (result.dtype() != DType::kF32)
    return absl::InvalidArgumentError(absl::StrCat("the network gives ", result.type().ToString()));
  return result.Materialize();
}

}  // namespace tenfold::text_recognition
