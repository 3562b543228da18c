// SPDX-License-Identifier: Apache-2.0
//
// An ONNX model that takes a picture.
#ifndef TENFOLD_EXAMPLES_TEXT_RECOGNITION_NETWORK_H_
#define TENFOLD_EXAMPLES_TEXT_RECOGNITION_NETWORK_H_

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/examples/text_recognition/image.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/tensor.h"

namespace tenfold::text_recognition {

// Channel c of a pixel becomes (c / 255 - mean) / deviation. In the order of the networks: blue, green, red.
struct Normalization {
  std::array<float, 3> mean;
  std::array<float, 3> deviation;
};

// f32[1,3,H,width]; columns behind the image are 0.
absl::StatusOr<Tensor> ToTensor(const Image& image, const Normalization& normalization, int width);

class Network {
 public:
  // Compiled for pictures of any size; `dims` says what is known of sizes (OnnxOptions).
  static absl::StatusOr<Network> Load(const std::string& path, int threads,
                                      std::vector<std::pair<std::string, Dim>> dims = {});

  // Its one output. Thread-safe.
  absl::StatusOr<Tensor> Run(const Tensor& picture) const;

 private:
  explicit Network(Executable executable) : executable_(std::move(executable)) {}
  Executable executable_;
};

}  // namespace tenfold::text_recognition

#endif  // TENFOLD_EXAMPLES_TEXT_RECOGNITION_NETWORK_H_
