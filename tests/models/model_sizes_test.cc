// SPDX-License-Identifier: Apache-2.0
//
// Models whose inputs have named sizes, fed others than were recorded: interpreted as they are and optimized
// they give the same bits, and a batch gives what its members give. Sizes that do not fit are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/tests/models/recorded_model.h"
#include "tenfold/tools/compare.h"

namespace tenfold {
namespace {

// Sizes by the names of the model; `rate`: what an i64 that is no list holds, a sampling rate.
struct Case {
  const char* model;
  std::map<std::string, int64_t> sizes;
  int64_t rate = 0;
};

// Numbers that differ from element to element, and from one member of a batch to the next.
double Wave(int64_t i, int64_t member, size_t input) {
  return 0.5 * std::sin(0.7 * static_cast<double>(i) + 1.3 * static_cast<double>(member) +
                        static_cast<double>(input));
}

// A tensor for input `input` whose element along `batch_axis`, at p, is that of member `first + p`.
Tensor Feed(const TensorType& type, const Dims& dims, std::optional<int> batch_axis, int64_t first,
            size_t input, int64_t rate) {
  Tensor tensor = *Tensor::Allocate(type.dtype, dims);
  int64_t inner = 1;
  for (size_t d = batch_axis ? static_cast<size_t>(*batch_axis) + 1 : dims.size(); d < dims.size(); ++d)
    inner *= dims[d];
  const int64_t members = batch_axis ? dims[static_cast<size_t>(*batch_axis)] : 1;
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const int64_t member = batch_axis ? i / inner % members : 0;
    const int64_t within = batch_axis ? i / (inner * members) * inner + i % inner : i;
    const auto at = static_cast<size_t>(i);
    if (type.dtype == DType::kF32) {
      tensor.mutable_values<float>()[at] = static_cast<float>(Wave(within, first + member, input));
    } else if (dims.empty()) {
      tensor.mutable_values<int64_t>()[at] = rate;
    } else {  // positions and words, of which the smallest model has 10
      tensor.mutable_values<int64_t>()[at] =
          (3 * within + 5 * (first + member) + static_cast<int64_t>(input)) % 10;
    }
  }
  return tensor;
}

class Feeder {
 public:
  explicit Feeder(const Graph& graph) : graph_(graph) {}

  // `batch`: the symbol of the batch, of which members `first`, `first` + 1, ... are fed.
  std::vector<Tensor> Feeds(const Case& c, const std::string& batch = "", int64_t first = 0) const {
    SymbolValues symbols(c.sizes.begin(), c.sizes.end());
    std::vector<Tensor> feeds;
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      const TensorType& type = graph_.value(graph_.inputs()[i]).type;
      const std::optional<Dims> dims = type.shape.Evaluate(symbols);
      EXPECT_TRUE(dims.has_value()) << type.ToString() << " has a size that the case does not name";
      if (!dims) continue;
      std::optional<int> axis;
      for (int d = 0; d < type.shape.rank(); ++d) {
        if (type.shape.dim(d).symbol() == batch) axis = d;
      }
      feeds.push_back(Feed(type, *dims, axis, first, i, c.rate));
    }
    return feeds;
  }

 private:
  const Graph& graph_;
};

const CompileOptions kInterpreted = {.opt_level = 0, .jit = JitMode::kOff, .threads = 1};
const CompileOptions kExact = {.opt_level = 2, .numerics = Numerics::kExact, .threads = 2};

void ExpectSameBits(const Case& c) {
  SCOPED_TRACE(absl::StrCat(c.model, ", ", testing::PrintToString(c.sizes), ", ", c.rate));
  const absl::StatusOr<Graph> graph = ImportModel(c.model);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const std::vector<Tensor> feeds = Feeder(*graph).Feeds(c);
  const auto want = RunModel(*graph, kInterpreted, feeds), got = RunModel(*graph, kExact, feeds);
  ASSERT_TRUE(want.ok()) << want.status().message();
  ASSERT_TRUE(got.ok()) << got.status().message();
  ASSERT_EQ(got->size(), want->size());
  for (size_t k = 0; k < got->size(); ++k) {
    const Comparison comparison = Compare((*got)[k], (*want)[k], {});
    EXPECT_TRUE(SameBits((*got)[k], (*want)[k])) << comparison.ToString(absl::StrCat("output ", k), {});
    EXPECT_GT((*got)[k].num_elements(), 0);
  }
}

// Member `p` of `batch`, along the one axis where the batch is larger than `like`.
Tensor Member(const Tensor& batch, const Tensor& like, int64_t p) {
  Tensor member = *Tensor::Allocate(DType::kF32, like.dims());
  size_t axis = 0;
  while (axis + 1 < like.dims().size() && batch.dims()[axis] == like.dims()[axis]) ++axis;
  int64_t inner = 1;
  for (size_t d = axis + 1; d < like.dims().size(); ++d) inner *= like.dims()[d];
  const int64_t members = batch.dims()[axis];
  for (int64_t i = 0; i < member.num_elements(); ++i) {
    const int64_t from = (i / inner * members + p) * inner + i % inner;
    member.mutable_values<float>()[static_cast<size_t>(i)] = batch.at<float>(from);
  }
  return member;
}

void ExpectBatchOfMembers(Case c, const std::string& batch) {
  SCOPED_TRACE(c.model);
  const absl::StatusOr<Graph> graph = ImportModel(c.model);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  constexpr int64_t kMembers = 3;
  c.sizes[batch] = kMembers;
  const auto together = RunModel(*graph, kExact, Feeder(*graph).Feeds(c, batch));
  ASSERT_TRUE(together.ok()) << together.status().message();
  c.sizes[batch] = 1;
  for (int64_t p = 0; p < kMembers; ++p) {
    const auto alone = RunModel(*graph, kExact, Feeder(*graph).Feeds(c, batch, p));
    ASSERT_TRUE(alone.ok()) << alone.status().message();
    for (size_t k = 0; k < alone->size(); ++k) {
      const Tolerance tolerance = {.rtol = 1e-4, .atol = 1e-5};
      ASSERT_EQ((*together)[k].num_elements(), kMembers * (*alone)[k].num_elements());
      const Comparison comparison = Compare(Member((*together)[k], (*alone)[k], p), (*alone)[k], tolerance);
      EXPECT_TRUE(comparison.passed())
          << comparison.ToString(absl::StrCat("member ", p, " of output ", k), tolerance);
    }
  }
}

std::string RefusalOf(const Case& c, const CompileOptions& options) {
  const absl::StatusOr<Graph> graph = ImportModel(c.model);
  if (!graph.ok()) return std::string(graph.status().message());
  const auto got = RunModel(*graph, options, Feeder(*graph).Feeds(c));
  return got.ok() ? "it ran" : DiagnosticsOf(got.status())[0].message;
}

class ModelSizes : public testing::Test {
 protected:
  void SetUp() override {
    if (!ModelsFolder()) GTEST_SKIP() << "no models: TENFOLD_SHARED_DIR names no folder with models/ in it";
  }
};

constexpr char kHeight[] = "p2o.DynamicDimension.1", kWidth[] = "p2o.DynamicDimension.2";
constexpr char kImages[] = "p2o.DynamicDimension.0";

TEST_F(ModelSizes, OfSequences) {
  for (const auto& [batch, length] : std::vector<std::pair<int64_t, int64_t>>{{2, 5}, {3, 1}, {1, 512}})
    ExpectSameBits({"bert_toy", {{"batch", batch}, {"max_seq_len_in_batch", length}}});
  ExpectSameBits({"gpt2_megatron_tiny", {{"batch_size", 2}, {"seq_len", 1}, {"past_seq_len", 9}}});
  ExpectSameBits({"gpt2_megatron_tiny", {{"batch_size", 1}, {"seq_len", 10}, {"past_seq_len", 0}}});
}

TEST_F(ModelSizes, OfImages) {
  ExpectSameBits({"ppocrv4_det", {{kImages, 1}, {kHeight, 64}, {kWidth, 96}}});
  ExpectSameBits({"ppocrv4_det", {{kImages, 2}, {kHeight, 32}, {kWidth, 32}}});
  ExpectSameBits({"ppocrv4_rec", {{kImages, 1}, {"p2o.DynamicDimension.1", 100}}});
  ExpectSameBits({"ppocr_cls", {{kImages, 2}, {kHeight, 48}, {kWidth, 100}}});
}

TEST_F(ModelSizes, OfSound) {
  ExpectSameBits({"silero_v5", {{"input_0", 2}, {"input_1", 576}, {"state_1", 2}}, 16000});
  ExpectSameBits({"silero_v5", {{"input_0", 1}, {"input_1", 256}, {"state_1", 1}}, 8000});
  ExpectSameBits({"silero_legacy", {{"batch", 1}, {"sequence", 1536}}, 16000});
  ExpectSameBits({"silero_legacy", {{"batch", 2}, {"sequence", 768}}, 8000});
}

TEST_F(ModelSizes, ABatchGivesWhatItsMembersGive) {
  ExpectBatchOfMembers({"bert_toy", {{"max_seq_len_in_batch", 7}}}, "batch");
  ExpectBatchOfMembers({"ppocrv4_det", {{kHeight, 32}, {kWidth, 64}}}, kImages);
  ExpectBatchOfMembers({"ppocrv4_rec", {{"p2o.DynamicDimension.1", 64}}}, kImages);
  ExpectBatchOfMembers({"ppocr_cls", {{kHeight, 48}, {kWidth, 192}}}, kImages);
  ExpectBatchOfMembers({"silero_legacy", {{"sequence", 512}}, 16000}, "batch");
}

TEST_F(ModelSizes, ThatDoNotFitAreRefused) {
  for (const CompileOptions& options : {kInterpreted, kExact}) {
    EXPECT_EQ(
        RefusalOf({"bert_toy", {{"batch", 1}, {"max_seq_len_in_batch", 513}}}, options),
        "Expand '106': dim 1 of data 'from_slice_01' is min(max_seq_len_in_batch, 512) = 512, and must be "
        "max_seq_len_in_batch = 513");
    EXPECT_THAT(RefusalOf({"gpt2_megatron_tiny", {{"batch_size", 1}, {"seq_len", 30}, {"past_seq_len", 40}}},
                          options),
                testing::HasSubstr("= 24, and must be seq_len = 30"));
    EXPECT_THAT(RefusalOf({"ppocrv4_det", {{kImages, 1}, {kHeight, 60}, {kWidth, 96}}}, options),
                testing::HasSubstr("= 16, and must be floordiv(\"p2o.DynamicDimension.1\" + 3, 4) = 15"));
    EXPECT_THAT(RefusalOf({"silero_v5", {{"input_0", 1}, {"input_1", 1024}, {"state_1", 1}}, 16000}, options),
                testing::HasSubstr("= 2, and must be 1"));
  }
}

}  // namespace
}  // namespace tenfold
