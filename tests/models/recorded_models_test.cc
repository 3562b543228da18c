// SPDX-License-Identifier: Apache-2.0
//
// Every model, at every level, gives what was recorded: 1e-3 relative, 1e-4 absolute. What is known to be
// further away is listed with its reason, and fails where it is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/tests/models/recorded_model.h"
#include "tenfold/tools/compare.h"

namespace tenfold {
namespace {

constexpr const char* kModels[] = {
    "bert_toy",         "blazeface_front",  "cnn_mnist_pytorch", "gpt2_megatron_tiny", "light_resnet50",
    "light_shufflenet", "light_squeezenet", "mlsd_320_tiny",     "mnist_cntk",         "mobilenetv2_qdq",
    "ppocr_cls",        "ppocrv4_det",      "ppocrv4_rec",       "silero_legacy",      "silero_v5"};

// Outputs that are further from what was recorded.
struct Distance {
  const char* model;
  int output;
  double atol;      // instead of 1e-4
  int64_t outside;  // and so many elements may be further away still
  const char* reason;
};
constexpr Distance kDistances[] = {
    {"mobilenetv2_qdq", 0, 0.1531, 0,
     "one step of the last QuantizeLinear, 0.15309934. 15 of 1000 scores are that far away; of the runtime "
     "that recorded them, 27 are as soon as it does not fuse quantized operators"},
    {"mlsd_320_tiny", 0, 0.042, 0,
     "41 convolutions whose rounding the decoder multiplies. The runtime that recorded them is 0.041 away "
     "from "
     "itself without its layout optimizations. Of the same model computed in f64, what was recorded is "
     "outside "
     "in 417 places and 0.0172 away, and ours in 482 and 0.0179"},
    {"mlsd_320_tiny", 1, 1e-4, 1,
     "scores are kept where they equal the maximum around them. At [0,30,81,0] the recorded one is 0; "
     "computed "
     "in f64 it is 0.00143947, which is ours"},
};

class RecordedModel : public testing::TestWithParam<std::tuple<const char*, Mode>> {};

void ExpectRecorded(const std::string& model, int k, const Tensor& got, const Tensor& want) {
  const Tolerance tolerance = {.rtol = 1e-3, .atol = 1e-4, .equal_nan = true};
  const Comparison comparison = Compare(got, want, tolerance);
  const Distance* known = nullptr;
  for (const Distance& distance : kDistances) {
    if (distance.model == model && distance.output == k) known = &distance;
  }
  const std::string name = absl::StrCat("output ", k);
  if (known == nullptr) {
    EXPECT_TRUE(comparison.passed()) << comparison.ToString(name, tolerance);
    return;
  }
  EXPECT_FALSE(comparison.passed()) << name << " is as near as others are: take it out of the list";
  Tolerance wider = tolerance;
  wider.atol = known->atol;
  const Comparison again = Compare(got, want, wider);
  EXPECT_EQ(again.types_differ, "");
  EXPECT_LE(again.mismatches, known->outside) << again.ToString(name, wider);
}

TEST_P(RecordedModel, GivesWhatWasRecorded) {
  if (!ModelsFolder()) GTEST_SKIP() << "no models: TENFOLD_SHARED_DIR names no folder with models/ in it";
  const std::string model = std::get<0>(GetParam());
  const absl::StatusOr<Graph> graph = ImportModel(model);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const auto inputs = Recorded(model, "input", graph->inputs().size());
  ASSERT_TRUE(inputs.ok()) << inputs.status().message();
  std::vector<Tensor> feeds;
  for (const std::optional<Tensor>& input : *inputs) {
    ASSERT_TRUE(input.has_value()) << "an input was not recorded";
    feeds.push_back(*input);
  }
  const auto got = RunModel(*graph, OptionsOf(std::get<1>(GetParam())), feeds);
  ASSERT_TRUE(got.ok()) << got.status().message();
  const auto want = Recorded(model, "output", got->size());
  ASSERT_TRUE(want.ok()) << want.status().message();
  int compared = 0;
  for (size_t k = 0; k < got->size(); ++k) {
    if (!(*want)[k]) continue;
    ExpectRecorded(model, static_cast<int>(k), (*got)[k], *(*want)[k]);
    ++compared;
  }
  EXPECT_GT(compared, 0) << "nothing was recorded";
}

INSTANTIATE_TEST_SUITE_P(All, RecordedModel,
                         testing::Combine(testing::ValuesIn(kModels), testing::ValuesIn(kModes)),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_", std::get<1>(info.param).name);
                         });

TEST(RecordedModels, AreAllListed) {
  if (!ModelsFolder()) GTEST_SKIP() << "no models: TENFOLD_SHARED_DIR names no folder with models/ in it";
  std::vector<std::string> there;
  for (const auto& entry : std::filesystem::directory_iterator(*ModelsFolder()))
    there.push_back(entry.path().filename().string());
  EXPECT_THAT(there, testing::UnorderedElementsAreArray(kModels));
}

}  // namespace
}  // namespace tenfold
