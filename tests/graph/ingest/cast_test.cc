// SPDX-License-Identifier: Apache-2.0
//
// Walks every cell of the table source x target x rule in docs/numerics.md, against make_policies.py.
#include "tenfold/graph/ingest/cast.h"

#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npz.h"

namespace tenfold {
namespace {

using std::string;

enum Outcome : uint8_t { kSame, kChanged, kOutside, kNotFinite };

class CastTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto arrays = LoadNpz("tests/graph/ingest/testdata/casts.npz");
    ASSERT_TRUE(arrays.ok()) << arrays.status().message();
    data_ = new std::map<string, Tensor>(arrays->begin(), arrays->end());
  }
  static void TearDownTestSuite() { delete data_; }

  // Stored as unsigned integers of the same width.
  static Tensor AsDType(const Tensor& bits, DType dtype, Dims dims) {
    Tensor tensor = *Tensor::Allocate(dtype, dims);
    std::memcpy(tensor.mutable_data(), bits.data(), tensor.stored_bytes());
    return tensor;
  }
  static Tensor Element(const Tensor& bits, DType dtype, int64_t i) {
    Tensor tensor = *Tensor::Allocate(dtype, Dims{});
    std::memcpy(tensor.mutable_data(), static_cast<const char*>(bits.data()) + i * SizeOf(dtype),
                SizeOf(dtype));
    return tensor;
  }
  static const Tensor& Data(const string& name) { return data_->at(name); }

  static std::map<string, Tensor>* data_;
};

std::map<string, Tensor>* CastTest::data_ = nullptr;

const ArrayName kName{"x.npy", ""};

string CodeOf(const absl::Status& status) { return status.ok() ? "" : DiagnosticsOf(status)[0].code; }

// What a rule should do to one value.
string ExpectedCode(CastRule rule, uint8_t outcome) {
  if (outcome == kNotFinite) return rule == CastRule::kRefuse ? "E0320" : "E0322";
  switch (rule) {
    case CastRule::kRefuse:
      return "E0320";
    case CastRule::kExact:
      return outcome == kSame ? "" : "E0321";
    case CastRule::kNearest:
      return outcome <= kChanged ? "" : "E0321";
    case CastRule::kSaturate:
      return "";
  }
  return "?";
}

TEST_F(CastTest, EveryCell) {
  int64_t cells = 0;
  for (DType source : kComputedDTypes) {
    const Tensor& probes = Data(string(Name(source)));
    for (DType target : kComputedDTypes) {
      const string pair = string(Name(source)) + "-" + string(Name(target));
      const auto outcomes = Data(pair).values<uint8_t>();
      for (CastRule rule : {CastRule::kRefuse, CastRule::kExact, CastRule::kNearest, CastRule::kSaturate}) {
        ++cells;
        for (int64_t i = 0; i < probes.num_elements(); ++i) {
          SCOPED_TRACE(pair + " " + string(Name(rule)) + " of probe " + std::to_string(i));
          const Tensor value = Element(probes, source, i);
          const absl::StatusOr<Tensor> cast = CastArray(value, target, rule, kName);
          if (source == target) {
            ASSERT_TRUE(cast.ok() && SameBits(*cast, value));
            continue;
          }
          ASSERT_EQ(CodeOf(cast.status()), ExpectedCode(rule, outcomes[i])) << ElementToString(value, 0);
          if (!cast.ok()) continue;
          const Tensor want = Element(Data(pair + "-bits"), target, i);
          ASSERT_TRUE(SameBits(*cast, want))
              << ElementToString(value, 0) << " became " << ElementToString(*cast, 0) << ", not "
              << ElementToString(want, 0);
        }
      }
    }
  }
  EXPECT_EQ(cells, 13 * 13 * 4);
}

TEST_F(CastTest, SurveysCount) {
  for (DType source : kComputedDTypes) {
    const Tensor& probes = Data(string(Name(source)));
    const Tensor array = AsDType(probes, source, {probes.num_elements()});
    for (DType target : kComputedDTypes) {
      const string pair = string(Name(source)) + "-" + string(Name(target));
      int64_t counts[4] = {}, first[4] = {-1, -1, -1, -1};
      for (int64_t i = 0; i < probes.num_elements(); ++i) {
        const uint8_t outcome = Data(pair).values<uint8_t>()[i];
        if (counts[outcome]++ == 0) first[outcome] = i;
      }
      const CastSurvey survey = SurveyCast(array, target);
      EXPECT_EQ(survey.values, probes.num_elements()) << pair;
      EXPECT_EQ(survey.changed, counts[kChanged]) << pair;
      EXPECT_EQ(survey.first_changed, first[kChanged]) << pair;
      EXPECT_EQ(survey.outside, counts[kOutside]) << pair;
      EXPECT_EQ(survey.first_outside, first[kOutside]) << pair;
      EXPECT_EQ(survey.not_finite, counts[kNotFinite]) << pair;
      EXPECT_EQ(survey.first_not_finite, first[kNotFinite]) << pair;
      EXPECT_EQ(survey.largest_change > 0, counts[kChanged] > 0) << pair;
      EXPECT_EQ(survey.largest_outside > 0, counts[kOutside] > 0) << pair;
    }
  }
}

TEST_F(CastTest, PackedElementsAreNotCast) {
  const uint8_t one = 1;
  const Tensor packed = *Tensor::Splat(DType::kI4, Dims{3}, &one);
  const Tensor bytes = *packed.Unpack();
  EXPECT_EQ(CastArray(bytes, DType::kI4, CastRule::kSaturate, kName).status().message(),
            "error[E0320 cast-refused]: 'x.npy' is i8[3], where i4 is due\n"
            "  no cast rule packs or unpacks arrays\n"
            "  help: take the array as i8: Cast(x, to=i4) in the graph converts it");
  EXPECT_EQ(CastArray(packed, DType::kF32, CastRule::kNearest, kName).status().message(),
            "error[E0320 cast-refused]: 'x.npy' is i4[3], where f32 is due\n"
            "  no cast rule packs or unpacks arrays\n"
            "  help: take the array as i4: Cast(x, to=f32) in the graph converts it");
  EXPECT_EQ(SurveyCast(packed, DType::kF32).values, 3);
}

TEST_F(CastTest, FloatsOfEightBitsRoundOnce) {
  const Tensor values = *Tensor::FromVector(std::vector<double>{464, 1.0625000000001, -0.0}, Dims{3});
  EXPECT_EQ(CastArray(values, DType::kF8E4M3FN, CastRule::kNearest, kName)->ToString(),
            "f8e4m3fn[3] {450, 1.1, -0}");
  const Tensor beyond = *Tensor::FromVector(std::vector<double>{465}, Dims{1});
  EXPECT_EQ(CodeOf(CastArray(beyond, DType::kF8E4M3FN, CastRule::kNearest, kName).status()), "E0321");
  EXPECT_EQ(CastArray(beyond, DType::kF8E4M3FN, CastRule::kSaturate, kName)->ToString(), "f8e4m3fn[1] {450}");
  const Tensor infinite = *Tensor::FromVector(std::vector<double>{HUGE_VAL}, Dims{1});
  EXPECT_EQ(CodeOf(CastArray(infinite, DType::kF8E4M3FN, CastRule::kSaturate, kName).status()), "E0322");
  EXPECT_EQ(CastArray(infinite, DType::kF8E5M2, CastRule::kExact, kName)->ToString(), "f8e5m2[1] {inf}");
}

Tensor F64(std::vector<double> values, Dims dims) { return *Tensor::FromVector(values, dims); }

string Error(const Tensor& array, DType target, CastRule rule, const ArrayName& name = kName) {
  const auto cast = CastArray(array, target, rule, name);
  return cast.ok() ? "cast to " + cast->ToString() : string(cast.status().message());
}

TEST(CastArray, TellsWhatACastWouldDo) {
  const ArrayName flag{"x.npy", "", "x"};
  EXPECT_EQ(Error(F64({0.5, 0.1, 3, 1e-9}, {2, 2}), DType::kF32, CastRule::kRefuse),
            "error[E0320 cast-refused]: 'x.npy' is f64[2,2], where f32 is due\n"
            "  cast=nearest would change 2 of 4 values, by 1.49e-09 at most\n"
            "  help: .cast = CastRule::kNearest");
  EXPECT_EQ(Error(F64({0.5, 3}, {2}), DType::kF32, CastRule::kRefuse, flag),
            "error[E0320 cast-refused]: 'x.npy' is f64[2], where f32 is due\n"
            "  cast=exact would change none of its values\n"
            "  help: --cast x=exact");
  EXPECT_EQ(Error(*Tensor::FromVector<int64_t>({1, 5'000'000'000, -5'000'000'000}, Dims{3}), DType::kI32,
                  CastRule::kRefuse, flag),
            "error[E0320 cast-refused]: 'x.npy' is i64[3], where i32 is due\n"
            "  element [1] is 5000000000, outside the range of i32 (2 of 3 values)\n"
            "  help: --cast x=saturate");
  EXPECT_EQ(Error(F64({NAN}, {}), DType::kI32, CastRule::kRefuse, flag),
            "error[E0320 cast-refused]: 'x.npy' is f64[], where i32 is due\n"
            "  the element is nan, which i32 has not (1 of 1 value)\n"
            "  help: to put 0 for NaN: --nan x=zero --cast x=exact");
  EXPECT_EQ(Error(F64({NAN, 0.5, 1e9}, {3}), DType::kI8, CastRule::kRefuse),
            "error[E0320 cast-refused]: 'x.npy' is f64[3], where i8 is due\n"
            "  element [0] is nan, which i8 has not (1 of 3 values)\n"
            "  help: to put 0 for NaN: .nan = {NanRule::kZero}, .cast = CastRule::kSaturate");
  EXPECT_EQ(
      Error(F64({NAN, 0.5, INFINITY}, {3}), DType::kI8, CastRule::kRefuse, flag),
      "error[E0320 cast-refused]: 'x.npy' is f64[3], where i8 is due\n"
      "  element [0] is nan, which i8 has not (2 of 3 values)\n"
      "  help: to put 0 for NaN and Inf: python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); "
      "np.save(sys.argv[2], np.where(np.isfinite(a), a, 0))' x.npy x.finite.npy");
}

TEST(CastArray, RefusesWhatTheRuleForbids) {
  const ArrayName flag{"d/w.npz", "w1", "w"};
  EXPECT_EQ(Error(F64({0.5, 0.1}, {2}), DType::kF32, CastRule::kExact, flag),
            "error[E0321 value-does-not-fit]: 'd/w.npz: w1' is f64[2], where f32 is due: element [1] is 0.1, "
            "which no f32 equals (1 of 2 values)\n"
            "  rounded, none would change by more than 1.49e-09\n"
            "  help: to round: --cast w=nearest");
  EXPECT_EQ(
      Error(F64({300, 1e300}, {2, 1}), DType::kU8, CastRule::kNearest, flag),
      "error[E0321 value-does-not-fit]: 'd/w.npz: w1' is f64[2,1], where u8 is due: element [0,0] is 300, "
      "outside the range of u8 (2 of 2 values)\n"
      "  help: to take the end of the range for it: --cast w=saturate");
  EXPECT_EQ(
      Error(F64({1, NAN}, {2}), DType::kI8, CastRule::kSaturate, flag),
      "error[E0322 not-finite]: 'd/w.npz: w1' is f64[2], where i8 is due: element [1] is nan, which i8 has "
      "not (1 of 2 values)\n"
      "  no cast rule turns NaN or Inf into a number\n"
      "  help: to put 0 for NaN: --nan w=zero");
  EXPECT_EQ(
      Error(F64({-INFINITY}, {1}), DType::kBool, CastRule::kNearest),
      "error[E0322 not-finite]: 'x.npy' is f64[1], where bool is due: element [0] is -inf, which bool has "
      "not (1 of 1 value)\n"
      "  no cast rule turns NaN or Inf into a number");
  const ArrayName safetensors{"w.safetensors", "w1", "w"};
  EXPECT_EQ(
      Error(F64({-INFINITY}, {1}), DType::kBool, CastRule::kNearest, safetensors),
      "error[E0322 not-finite]: 'w.safetensors: w1' is f64[1], where bool is due: element [0] is -inf, which "
      "bool has not (1 of 1 value)\n"
      "  no cast rule turns NaN or Inf into a number\n"
      "  help: to put 0 for NaN and Inf: python3 -c 'import sys; from safetensors.numpy import load_file, "
      "save_file; d = load_file(sys.argv[1]); n = sys.argv[2]; d[n] = "
      "__import__(\"numpy\").nan_to_num(d[n], True, 0, 0, 0); save_file(d, sys.argv[3])' w.safetensors w1 "
      "w.finite.safetensors");
}

TEST(CastArray, SplatsStaySplatsAndCountAll) {
  const double tenth = 0.1;
  const Tensor splat = *Tensor::Splat(DType::kF64, Dims{1000, 1000}, &tenth);
  CastSurvey done;
  const absl::StatusOr<Tensor> cast = CastArray(splat, DType::kF16, CastRule::kNearest, kName, &done);
  ASSERT_TRUE(cast.ok());
  EXPECT_TRUE(cast->is_splat());
  EXPECT_EQ(ElementToString(*cast, 7), "0.1");
  EXPECT_EQ(done.changed, 1'000'000);
  const Tensor none = *Tensor::Splat(DType::kF64, Dims{0, 3}, &tenth);
  EXPECT_EQ(CastArray(none, DType::kI8, CastRule::kExact, kName)->type().ToString(), "i8[0,3]");
}

TEST(CastArray, NeedsNoRuleForTheSameDType) {
  const Tensor array = F64({NAN, 0.1}, {2});
  EXPECT_EQ(CastArray(array, DType::kF64, CastRule::kRefuse, kName)->data(), array.data());
}

TEST(CastRule, NamesReadBack) {
  for (CastRule rule : {CastRule::kRefuse, CastRule::kExact, CastRule::kNearest, CastRule::kSaturate}) {
    EXPECT_EQ(ParseCastRule(Name(rule)), rule);
  }
  EXPECT_FALSE(ParseCastRule("round").has_value());
}

}  // namespace
}  // namespace tenfold
