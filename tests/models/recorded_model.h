// SPDX-License-Identifier: Apache-2.0
//
// Models that people use, each a folder with model.onnx, input_K.npy and the output_K.npy that another
// runtime gave. They are not part of this repository: the environment variable TENFOLD_SHARED_DIR names the
// folder that holds models/.
#ifndef TENFOLD_TESTS_MODELS_RECORDED_MODEL_H_
#define TENFOLD_TESTS_MODELS_RECORDED_MODEL_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// The folder with models/ in it; nullopt where there is none.
std::optional<std::string> ModelsFolder();

// The model `name`, imported as it is: nothing is said of its sizes or its inputs.
absl::StatusOr<Graph> ImportModel(const std::string& name);

// The four ways in which every model is run.
struct Mode {
  const char* name;
  int opt_level;
  Numerics numerics;
};
inline constexpr Mode kModes[] = {{"O0", 0, Numerics::kReassoc},
                                  {"O1", 1, Numerics::kReassoc},
                                  {"O2", 2, Numerics::kReassoc},
                                  {"Exact", 2, Numerics::kExact}};
CompileOptions OptionsOf(const Mode& mode);

// What was recorded, in the order of the graph; nullopt for what was too large to be kept.
absl::StatusOr<std::vector<std::optional<Tensor>>> Recorded(const std::string& name, const std::string& what,
                                                            size_t count);

// Feeds in the order of the graph's inputs.
absl::StatusOr<std::vector<Tensor>> RunModel(const Graph& graph, const CompileOptions& options,
                                             const std::vector<Tensor>& inputs);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_MODELS_RECORDED_MODEL_H_
