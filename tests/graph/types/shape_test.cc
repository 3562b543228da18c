// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/shape.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

TEST(DType, NamesReadBack) {
  for (DType t : kAllDTypes) EXPECT_EQ(ParseDType(Name(t)), t);
  EXPECT_EQ(ParseDType("float"), std::nullopt);
  EXPECT_EQ(ParseDType(""), std::nullopt);
  EXPECT_EQ(kFloat.ToString(), "f16, bf16, f32 or f64");
  EXPECT_EQ(kBoolOnly.ToString(), "bool");
}

TEST(Dims, CountsElements) {
  EXPECT_EQ(NumElements({}), 1);
  EXPECT_EQ(NumElements(Dims{2, 3}), 6);
  EXPECT_EQ(NumElements(Dims{2, 0, 3}), 0);
  EXPECT_EQ(NumElements(Dims{2, -1}), std::nullopt);
  EXPECT_EQ(NumElements(Dims{int64_t{1} << 40, int64_t{1} << 40}), std::nullopt);
  EXPECT_EQ(NumElements(Dims{int64_t{1} << 40, int64_t{1} << 40, 0}), std::nullopt);
}

TEST(Dims, NormalizesAxes) {
  EXPECT_EQ(NormalizeAxis(-1, 3), 2);
  EXPECT_EQ(NormalizeAxis(0, 3), 0);
  EXPECT_EQ(NormalizeAxis(3, 3), std::nullopt);
  EXPECT_EQ(NormalizeAxis(-4, 3), std::nullopt);
  EXPECT_EQ(NormalizeAxis(0, 0), std::nullopt);
  EXPECT_EQ(NormalizeAxis(INT64_MIN, 3), std::nullopt);
}

TEST(Shape, EvaluatesUnderSymbols) {
  const Dim n = Dim::Symbol("N");
  const Shape shape = {n, n - 2, 4};
  EXPECT_EQ(shape.Evaluate({{"N", 5}}), (Dims{5, 3, 4}));
  EXPECT_EQ(shape.Evaluate({{"N", 1}}), std::nullopt);  // an extent of -1
  EXPECT_EQ(shape.Evaluate({}), std::nullopt);
  EXPECT_EQ(shape.num_elements(), n * (n - 2) * 4);
  EXPECT_FALSE(shape.is_static());
  EXPECT_TRUE(Shape::Of(Dims{2, 3}).is_static());
  EXPECT_FALSE(Shape::UnknownRank().is_static());
}

TEST(Shape, RowMajorStrides) {
  const Dim n = Dim::Symbol("N");
  EXPECT_EQ(RowMajorStrides(std::vector<Dim>{2, n, 4}), (std::vector<Dim>{n * 4, 4, 1}));
  EXPECT_EQ(RowMajorStrides(Dims{2, 3, 4}), (Dims{12, 4, 1}));
  EXPECT_TRUE(RowMajorStrides(Dims{}).empty());
}

TEST(TensorType, ParsesWhatItPrints) {
  for (const char* text : {"f32[N,64]", "f32[]", "f32[...]", "bool[0]", "bf16[2*N + 1,floordiv(N, 2)]"}) {
    const absl::StatusOr<TensorType> type = TensorType::Parse(text);
    ASSERT_TRUE(type.ok()) << type.status();
    EXPECT_EQ(type->ToString(), text);
  }
  EXPECT_EQ(TensorType::Parse(" i8 [ 3 , N ] ")->ToString(), "i8[3,N]");
}

TEST(TensorType, ConsumeStopsBehindTheType) {
  absl::string_view text = "f32[N,64] {1, 2}";
  EXPECT_TRUE(TensorType::Consume(text).ok());
  EXPECT_EQ(text, " {1, 2}");
}

TEST(TensorType, RefusesWhatIsNoType) {
  for (const char* text : {"", "f32", "f32[", "f32[N", "f32[N,]", "f32[,]", "float[2]", "f32[2] x", "f32[-1]",
                           "f32[...", "f32[..., 2]", "[2]"}) {
    const absl::StatusOr<TensorType> type = TensorType::Parse(text);
    ASSERT_FALSE(type.ok()) << text;
    EXPECT_EQ(DiagnosticsOf(type.status())[0].code, "E0210");
  }
}

}  // namespace
}  // namespace tenfold
