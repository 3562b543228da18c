// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/replace_nans.h"

#include <cmath>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "tenfold/graph/ingest/npz.h"

namespace tenfold {
namespace {

using std::string;

const ArrayName kName{"x.npy", ""};
const ArrayName kFlag{"x.npy", "", "x"};

Tensor F32(std::vector<float> values, Dims dims) { return *Tensor::FromVector(values, dims); }

string Result(const Tensor& array, const NanPolicy& policy, const ArrayName& name = kName) {
  const auto result = ReplaceNans(array, policy, name);
  return result.ok() ? result->ToString() : string(result.status().message());
}

// make_policies.py has the same by NumPy's nanmean and nanmedian.
TEST(ReplaceNans, AgreesWithNumPy) {
  const auto arrays = LoadNpz("tests/graph/ingest/testdata/nans.npz");
  ASSERT_TRUE(arrays.ok()) << arrays.status().message();
  const std::map<string, Tensor> data(arrays->begin(), arrays->end());
  int compared = 0;
  for (const char* dtype : {"f16", "f32", "f64"}) {
    const Tensor& array = data.at(dtype);
    for (const auto& [name, want] : data) {
      if (name.find(string(dtype) + "-") != 0) continue;
      NanPolicy policy{NanRule::kZero};
      if (name.find("zero") == string::npos) {
        policy.rule = name.find("mean") != string::npos ? NanRule::kMean : NanRule::kMedian;
        policy.axis = name.back() - '0';
      }
      int64_t replaced = 0;
      const auto got = ReplaceNans(array, policy, kName, &replaced);
      ASSERT_TRUE(got.ok()) << got.status().message();
      EXPECT_TRUE(SameBits(*got, want)) << name;
      EXPECT_EQ(replaced, 6) << name;
      if (policy.axis) {  // counted from the end
        policy.axis = *policy.axis - 3;
        EXPECT_TRUE(SameBits(*ReplaceNans(array, policy, kName), want)) << name;
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 3 * 5);
}

TEST(ReplaceNans, BF16RoundsOnce) {
  Tensor array = *Tensor::Allocate(DType::kBF16, Dims{4});
  const float values[] = {1, 1.0078125f, 1.0078125f,
                          NAN};  // the mean, 1.0052.., is nearest to 1.0078125: "1.01"
  for (int i = 0; i < 4; ++i) array.mutable_values<BF16>()[i] = ToBF16(values[i]);
  EXPECT_EQ(Result(array, {NanRule::kMean}), "bf16[4] {1, 1.01, 1.01, 1.01}");
}

TEST(ReplaceNans, OneDimNeedsNoAxis) {
  EXPECT_EQ(Result(F32({1, NAN, 2, INFINITY}, {4}), {NanRule::kMean}), "f32[4] {1, 1.5, 2, inf}");
  EXPECT_EQ(Result(F32({1, NAN, 2, 9}, {4}), {NanRule::kMedian}), "f32[4] {1, 2, 2, 9}");
  EXPECT_EQ(Result(F32({}, {0}), {NanRule::kMean}), "f32[0] {}");
}

TEST(ReplaceNans, MeansOfLargeValuesDoNotOverflow) {
  const Tensor array = *Tensor::FromVector<double>({1.7e308, 1.7e308, NAN}, Dims{3});
  EXPECT_EQ(Result(array, {NanRule::kMean}), "f64[3] {1.7e+308, 1.7e+308, 1.7e+308}");
  EXPECT_EQ(Result(array, {NanRule::kMedian}), "f64[3] {1.7e+308, 1.7e+308, 1.7e+308}");
}

TEST(ReplaceNans, KeepsWhatHasNone) {
  const Tensor array = F32({1, INFINITY}, {2});
  for (NanRule rule : {NanRule::kKeep, NanRule::kRefuse, NanRule::kZero, NanRule::kMean}) {
    EXPECT_EQ(ReplaceNans(array, {rule}, kName)->data(), array.data());
  }
  const Tensor integers = *Tensor::FromVector<int32_t>({1, 2}, Dims{2});
  EXPECT_EQ(ReplaceNans(integers, {NanRule::kRefuse}, kName)->data(), integers.data());
  const Tensor nan = F32({NAN}, {1});
  EXPECT_EQ(ReplaceNans(nan, {NanRule::kKeep}, kName)->data(), nan.data());
}

TEST(ReplaceNans, Splats) {
  const float nan = NAN;
  const Tensor splat = *Tensor::Splat(DType::kF32, Dims{2, 500}, &nan);
  int64_t replaced = 0;
  const auto zeros = ReplaceNans(splat, {NanRule::kZero}, kName, &replaced);
  ASSERT_TRUE(zeros.ok());
  EXPECT_TRUE(zeros->is_splat());
  EXPECT_EQ(ElementToString(*zeros, 0), "0");
  EXPECT_EQ(replaced, 1000);
}

TEST(ReplaceNans, Refusals) {
  const Tensor array = F32({1, NAN, NAN, 4}, {2, 2});
  EXPECT_EQ(Result(array, {NanRule::kRefuse}, kFlag),
            "error[E0323 nan-refused]: 'x.npy': element [0,1] is nan (2 of 4 values), and nan=refuse\n"
            "  help: to put 0 for NaN: --nan x=zero");
  EXPECT_EQ(Result(F32({1, NAN, 3, NAN}, {2, 2}), {NanRule::kMean, 0}, kFlag),
            "error[E0324 no-finite-value]: 'x.npy': element [0,1] is nan, and none of the 2 values along the "
            "axis is finite: there is no mean:axis=0\n"
            "  help: to put 0 there: --nan x=zero");
  EXPECT_EQ(
      Result(array, {NanRule::kMedian}, kFlag),
      "error[E0325 bad-policy]: 'x.npy' is f32[2,2]: nan=median needs an axis when there is more than one\n"
      "  help: for a value a column: --nan x=median:axis=0");
  EXPECT_EQ(Result(array, {NanRule::kMean, 2}),
            "error[E0325 bad-policy]: 'x.npy' is f32[2,2]: nan=mean:axis=2 names an axis outside [-2,1]\n"
            "  help: .nan = {NanRule::kMean, 0}");
  EXPECT_EQ(Result(F32({NAN}, {}), {NanRule::kMean, 0}, kFlag),
            "error[E0325 bad-policy]: 'x.npy' is f32[]: nan=mean:axis=0 names an axis, and there is none\n"
            "  help: --nan x=mean");
}

TEST(NanPolicy, TextReadsBack) {
  for (const char* text : {"keep", "refuse", "zero", "mean", "median", "mean:axis=0", "median:axis=-1"}) {
    const auto policy = ParseNanPolicy(text);
    ASSERT_TRUE(policy.has_value()) << text;
    EXPECT_EQ(policy->ToString(), text);
  }
  for (const char* text : {"", "Mean", "zero:axis=0", "mean:", "mean:axis=", "mean:axis=x", "mean:0"}) {
    EXPECT_FALSE(ParseNanPolicy(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tenfold
