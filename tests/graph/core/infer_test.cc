// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tenfold/graph/graph.h"
#include "tenfold/tests/graph/core/inference.h"

namespace tenfold {
namespace {

using testing::Ints;

TEST(Infer, BinaryArithmeticBroadcasts) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow"}) {
    SCOPED_TRACE(op);
    INFERS(op, "f32[2,3] f32[2,3]", "f32[2,3]");
    INFERS(op, "f32[2,3] f32[]", "f32[2,3]");
    INFERS(op, "f32[] f32[]", "f32[]");
    INFERS(op, "f32[3] f32[2,1]", "f32[2,3]");
    INFERS(op, "f32[N,3] f32[3]", "f32[N,3]");
    INFERS(op, "f32[N,1] f32[1,M]", "f32[N,M]");
    INFERS(op, "f32[N + N] f32[2*N]", "f32[2*N]");
    INFERS(op, "f32[0,3] f32[1,3]", "f32[0,3]");
    INFERS(op, "f32[...] f32[3]", "f32[...]");
    REFUSES(op, "f32[2] f32[3]", "E0202");
    REFUSES(op, "f32[N] f32[3]", "declare both dims as 3 if they are always equal");
    REFUSES(op, "f32[N] f32[M]", "N against M");
    REFUSES(op, "f32[0] f32[3]", "E0202");
    REFUSES(op, "f32[2] f64[2]", "E0205");
    REFUSES(op, "bool[2] bool[2]", "E0206");
    REFUSES(op, "f32[2]", "takes 2 inputs, but got 1");
    REFUSES(op, "f32[2] f32[2] f32[2]", "takes 2 inputs, but got 3");
  }
}

TEST(Infer, BroadcastsByAssumingEqualSizes) {
  ASSUMES("Add", "f32[N] f32[3]", "f32[3]", "dim 0 of a is 3");
  ASSUMES("Add", "f32[3] f32[N]", "f32[3]", "dim 0 of b is 3");
  // What is said in less stands for both.
  ASSUMES("Add", "f32[N] f32[2*M]", "f32[N]", "dim 0 of b is N");
  ASSUMES("Add", "f32[N] f32[M]", "f32[M]", "dim 0 of a is M");
  ASSUMES("Add", "f32[N,4] f32[floordiv(N, 2),1]", "f32[N,4]", "dim 0 of b is N");
  ASSUMES("Where", "bool[A,1] f32[B,C] f32[7]", "f32[A,7]", "dim 0 of a is A, dim 1 of a is 7");
  // 0 or 1: nothing but broadcasting makes sense of it.
  ASSUMES("Add", "f32[N] f32[min(N, 1)]", "f32[N]", "dim 0 of b is 1");
  ASSUMES("Add", "f32[min(M, 1)] f32[min(N, 1)]", "f32[1]", "dim 0 of a is 1, dim 0 of b is 1");
  // Nothing is assumed where there is a proof, or none can be.
  EXPECT_EQ(testing::InferredByAssuming("Add", "f32[N,1] f32[1,M]", {}), "f32[N,M] if ");
  for (const char* inputs : {"f32[2] f32[3]", "f32[N] f32[N + 1]", "f32[N + 4] f32[3]", "f32[2*N] f32[3*N]",
                             "f32[N,3] f32[N,4]"}) {
    EXPECT_THAT(testing::InferredByAssuming("Add", inputs, {}), ::testing::HasSubstr("E0202")) << inputs;
  }
  // The one that cannot be is the one to hear of.
  EXPECT_THAT(testing::InferredByAssuming("Where", "bool[N] f32[3] f32[5]", {}),
              ::testing::HasSubstr("3 against 5"));
}

TEST(Infer, TakesOperandsAsOtherOperandsWantThem) {
  ASSUMES("MatMul", "f32[2,N] f32[M,3]", "f32[2,3]", "dim 1 of lhs is M");
  ASSUMES("MatMul", "f32[N,4] f32[K,3]", "f32[N,3]", "dim 0 of rhs is 4");
  ASSUMES("MatMul", "f32[A,2,4] f32[B,4,3]", "f32[A,2,3]", "dim 0 of rhs is A");
  ASSUMES("Concat", "f32[N,2] f32[M,3] f32[4,1]", "f32[4,6]",
          "dim 0 of inputs[0] is 4, dim 0 of inputs[1] is 4", {"axis", int64_t{1}});
  ASSUMES("Expand", "f32[min(N, 1),min(M, 512)] i64[2]{N,M}", "f32[N,M]",
          "dim 0 of data is 1, dim 1 of data is M");
  ASSUMES("Expand", "f32[7] i64[1]{N}", "f32[N]", "dim 0 of data is N");
  ASSUMES("Squeeze", "f32[2,floordiv(N, 8)] i64[1]{1}", "f32[2]", "dim 1 of data is 1");
  ASSUMES("Conv", "f32[1,C,8] f32[2,3,3]", "f32[1,2,6]", "dim 1 of x is 3");
  REFUSES("Squeeze", "f32[2,N + 2] i64[1]{1}", "only a dim of 1 can be dropped");
  // The elements of packed tensors have no addresses, which views need.
  EXPECT_THAT(testing::InferredByAssuming("Concat", "i4[N,2] i4[M,3]", {{"axis", int64_t{1}}}),
              ::testing::HasSubstr("E0201"));
}

TEST(Infer, ReshapesByAssumingAsManyElements) {
  ASSUMES("Reshape", "f32[N,6] i64[2]{4,9}", "f32[4,9]", "the number of elements of data is 36");
  ASSUMES("Reshape", "f32[N,6] i64[2]{M,6}", "f32[M,6]", "the number of elements of data is 6*M");
  ASSUMES("Reshape", "f32[N,3] i64[2]{-1,M}", "f32[floordiv(3*N, M),M]",
          "the number of elements of data is M*floordiv(3*N, M)");
  // Other numbers, a number that is no multiple, equal only where there is nothing, a number that seldom
  // divides.
  for (const char* inputs : {"f32[2,3] i64[1]{7}", "f32[N,784] i64[2]{5,5}", "f32[N,784] i64[2]{0,780}",
                             "f32[N,784] i64[2]{-1,785}"})
    EXPECT_THAT(testing::InferredByAssuming("Reshape", inputs, {}), ::testing::HasSubstr("E0208")) << inputs;
}

TEST(Infer, EveryNumericTypeIsAdmittedByArithmetic) {
  for (DType t : kComputedDTypes) {
    const std::string type = TensorType{t, Shape{2}}.ToString();
    if (IsBool(t)) continue;
    INFERS("Add", type + " " + type, type);
  }
}

TEST(Infer, UnaryOpsKeepTheType) {
  INFERS("Neg", "i8[N,2]", "i8[N,2]");
  REFUSES("Neg", "u8[2]", "x is u8[2], but Neg takes i8, i16, i32, i64, f16, bf16, f32 or f64");
  REFUSES("Neg", "bool[2]", "E0206");
  for (const char* op : {"Exp", "Tanh", "Sigmoid", "Gelu"}) {
    SCOPED_TRACE(op);
    INFERS(op, "f16[N,2]", "f16[N,2]");
    INFERS(op, "bf16[]", "bf16[]");
    INFERS(op, "f64[...]", "f64[...]");
    REFUSES(op, "i32[2]", "takes f16, bf16, f32 or f64");
  }
  INFERS("Gelu", "f32[2]", "f32[2]", {"approximate", std::string("tanh")});
  REFUSES("Gelu", "f32[2]", "must be one of none, tanh", {"approximate", std::string("erf")});
}

TEST(Infer, EqualGivesBools) {
  INFERS("Equal", "i64[N,1] i64[4]", "bool[N,4]");
  INFERS("Equal", "bool[2] bool[2]", "bool[2]");
  REFUSES("Equal", "f32[2] f16[2]", "Cast(b, to=f32) loses nothing");
}

TEST(Infer, WhereBroadcastsAllThree) {
  INFERS("Where", "bool[N,1] f32[3] f32[]", "f32[N,3]");
  INFERS("Where", "bool[] u8[2] u8[2]", "u8[2]");
  INFERS("Where", "bool[2] bool[2] bool[2]", "bool[2]");
  REFUSES("Where", "f32[2] f32[2] f32[2]", "condition is f32[2], but Where takes bool");
  REFUSES("Where", "bool[2] f32[2] f64[2]", "dtypes differ: a is f32[2], b is f64[2]");
  REFUSES("Where", "bool[2] f32[3] f32[]", "2 against 3");
}

TEST(Infer, CastTakesItsTypeFromTheAttribute) {
  for (DType from : kAllDTypes) {
    for (DType to : kAllDTypes) {
      INFERS("Cast", (TensorType{from, Shape{Dim::Symbol("N")}}.ToString()),
             (TensorType{to, Shape{Dim::Symbol("N")}}.ToString()), {"to", to});
    }
  }
  INFERS("Cast", "f32[...]", "i8[...]", {"to", DType::kI8});
  REFUSES("Cast", "f32[2]", "attribute 'to' is missing");
  REFUSES("Cast", "f32[2]", "attribute 'to' is 1, an int, but must be a dtype", {"to", int64_t{1}});
}

TEST(Infer, BarrierGivesItsInput) {
  INFERS("OptimizationBarrier", "bool[N,2]", "bool[N,2]");
  INFERS("OptimizationBarrier", "f32[...]", "f32[...]");
}

TEST(Infer, ReshapeToKnownDims) {
  INFERS("Reshape", "f32[2,6] i64[2]{3,4}", "f32[3,4]");
  INFERS("Reshape", "f32[1] i64[0]{}", "f32[]");
  INFERS("Reshape", "f32[] i64[2]{1,1}", "f32[1,1]");
  INFERS("Reshape", "f32[N,6] i64[2]{N,6}", "f32[N,6]");
  INFERS("Reshape", "f32[N,6] i64[2]{2*N,3}", "f32[2*N,3]");
  REFUSES("Reshape", "f32[2,6] i64[2]{3,5}", "[2,6] holds 12 elements");
  REFUSES("Reshape", "f32[28,28] i64[2]{1,783}", "[1,783] holds 783");
  REFUSES("Reshape", "f32[2] i64[1]{-2}", "E0208");
  REFUSES("Reshape", "f32[2] i32[1]", "shape is i32[1], but Reshape takes i64");
}

TEST(Infer, ReshapeFillsUpMinusOne) {
  INFERS("Reshape", "f32[28,28] i64[2]{-1,784}", "f32[1,784]");
  INFERS("Reshape", "f32[N,28,28] i64[2]{-1,784}", "f32[N,784]");
  INFERS("Reshape", "f32[N,M] i64[1]{-1}", "f32[M*N]");
  INFERS("Reshape", "f32[N,6] i64[2]{N,-1}", "f32[N,6]");
  INFERS("Reshape", "f32[0,4] i64[2]{-1,4}", "f32[0,4]");
  INFERS("Reshape", "f32[] i64[1]{-1}", "f32[1]");
  REFUSES("Reshape", "f32[2,3] i64[2]{-1,-1}", "names -1 more than once");
  REFUSES("Reshape", "f32[2,3] i64[2]{-1,4}", "[2,3] holds 6 elements");
  REFUSES("Reshape", "f32[N,3] i64[2]{-1,2}", "which -1 cannot fill up");
  REFUSES("Reshape", "f32[0,3] i64[2]{0,-1}", "E0208");
}

TEST(Infer, ReshapeZeroCopiesTheDim) {
  INFERS("Reshape", "f32[N,2,3] i64[2]{0,6}", "f32[N,6]");
  INFERS("Reshape", "f32[N,2,3] i64[2]{0,-1}", "f32[N,6]");
  REFUSES("Reshape", "f32[6] i64[2]{6,0}", "0 at position 1 copies a dim that data does not have");
  INFERS("Reshape", "f32[0,3] i64[2]{5,0}", "f32[5,0]", {"allowzero", true});
  REFUSES("Reshape", "f32[2,3] i64[2]{6,0}", "E0208", {"allowzero", true});
}

TEST(Infer, ReshapeNeedsShapeAndRank) {
  REFUSES("Reshape", "f32[6] i64[1]", "not known while the graph is built");
  REFUSES("Reshape", "f32[...] i64[1]{-1}", "E0209");
}

TEST(Infer, TransposePermutes) {
  INFERS("Transpose", "f32[2,3,N]", "f32[N,3,2]");
  INFERS("Transpose", "f32[2,3,N]", "f32[3,N,2]", {"perm", Ints{1, 2, 0}});
  INFERS("Transpose", "f32[2,3,N]", "f32[N,2,3]", {"perm", Ints{-1, 0, -2}});
  INFERS("Transpose", "f32[]", "f32[]");
  INFERS("Transpose", "f32[...]", "f32[...]", {"perm", Ints{1, 0}});
  REFUSES("Transpose", "f32[2,3]", "perm names 1 of 2 axes", {"perm", Ints{0}});
  REFUSES("Transpose", "f32[2,3]", "perm names axis 0 twice", {"perm", Ints{0, -2}});
  REFUSES("Transpose", "f32[2,3]", "axis 2 in perm is outside [-2, 2)", {"perm", Ints{0, 2}});
}

TEST(Infer, ReductionsDropOrKeepAxes) {
  for (const char* op : {"ReduceSum", "ReduceMax"}) {
    SCOPED_TRACE(op);
    INFERS(op, "f32[2,N,4]", "f32[1,1,1]");
    INFERS(op, "f32[2,N,4]", "f32[]", {"keepdims", false});
    INFERS(op, "f32[2,N,4]", "f32[2,1,4]", {"axes", Ints{1}});
    INFERS(op, "f32[2,N,4]", "f32[N]", {"axes", Ints{-1, 0}}, {"keepdims", false});
    INFERS(op, "f32[]", "f32[]");
    INFERS(op, "f32[0]", "f32[1]");
    INFERS(op, "f32[...]", "f32[...]", {"axes", Ints{0}});
    INFERS(op, "u8[3]", "u8[1]");
    REFUSES(op, "f32[2,3]", "axis -3 in axes is outside [-2, 2)", {"axes", Ints{-3}});
    REFUSES(op, "f32[2,3]", "axes names axis 1 twice", {"axes", Ints{1, -1}});
    REFUSES(op, "f32[2,3]", "there is no attribute 'axis'", {"axis", int64_t{0}});
  }
  INFERS("ReduceMax", "bool[3]", "bool[1]");
  REFUSES("ReduceSum", "bool[3]", "E0206");
}

TEST(Infer, MatMulFollowsNumpy) {
  INFERS("MatMul", "f32[N,4] f32[4,3]", "f32[N,3]");
  INFERS("MatMul", "f32[4] f32[4]", "f32[]");
  INFERS("MatMul", "f32[4] f32[4,3]", "f32[3]");
  INFERS("MatMul", "f32[N,4] f32[4]", "f32[N]");
  INFERS("MatMul", "f32[B,1,N,4] f32[7,4,3]", "f32[B,7,N,3]");
  INFERS("MatMul", "f32[4] f32[B,4,3]", "f32[B,3]");
  INFERS("MatMul", "f32[B,2,4] f32[4]", "f32[B,2]");
  INFERS("MatMul", "f32[2,0] f32[0,3]", "f32[2,3]");
  INFERS("MatMul", "f32[...] f32[4,3]", "f32[...]");
  INFERS("MatMul", "i8[2,4] i8[4,3]", "i8[2,3]");
  REFUSES("MatMul", "f32[28,28] f32[784,10]", "inner dims differ");
  REFUSES("MatMul", "f32[2,N] f32[M,3]", "N and M cannot be proven equal");
  REFUSES("MatMul", "f32[] f32[3]", "at least 1 dim is needed");
  REFUSES("MatMul", "f32[2,2,4] f32[3,4,3]", "batch dims do not broadcast");
  REFUSES("MatMul", "bool[2,2] bool[2,2]", "E0206");
}

TEST(Infer, SoftmaxKeepsTheType) {
  INFERS("Softmax", "f32[N,10]", "f32[N,10]");
  INFERS("Softmax", "bf16[N,10]", "bf16[N,10]", {"axis", int64_t{-2}});
  INFERS("Softmax", "f32[...]", "f32[...]", {"axis", int64_t{5}});
  REFUSES("Softmax", "f32[2,3]", "axis=2 is outside [-2, 2) for a tensor of rank 2", {"axis", int64_t{2}});
  REFUSES("Softmax", "f32[]", "axis=-1 is outside");
  REFUSES("Softmax", "i32[2]", "E0206");
}

TEST(Infer, SourcesTakeTheirTypeFromTheAttribute) {
  const TensorType type{DType::kI8, Shape{Dim::Symbol("N"), 2}};
  INFERS("Input", "", "i8[N,2]", {"type", type});
  INFERS("Const", "", "f64[]", {"value", Tensor::Scalar(1.5)});
  REFUSES("Input", "", "attribute 'type' is missing");
  REFUSES("Const", "", "attribute 'value' is missing");
  const TensorType negative{DType::kF32, Shape{-1}};
  REFUSES("Input", "", "negative extent", {"type", negative});
  const TensorType huge{DType::kF32, Shape{int64_t{1} << 40, int64_t{1} << 40}};
  REFUSES("Input", "", "E0402", {"type", huge});
}

TEST(Infer, FoldsAnyNumberOfInputs) {
  INFERS("Max", "f32[2,1]", "f32[2,1]");
  INFERS("Sum", "f32[2,1] f32[3] f32[N,1,1] f32[]", "f32[N,2,3]");
  REFUSES("Min", "", "takes at least 1 input, but got 0");
  REFUSES("Mean", "i32[2] i32[2]", "E0206");
  REFUSES("Sum", "f32[2] f32[2] f64[2]", "E0205");
  REFUSES("Sum", "f32[2] f32[1] f32[3]", "E0202");
}

// --- Values that are followed ------------------------------------------------------------------------------

TEST(Infer, SmallIntegersAreFollowedThroughArithmetic) {
  INFERS("Add", "i64[2]{N,4} i64[]{1}", "i64[2]{N + 1,5}");
  INFERS("Sub", "i64[2]{N,4} i64[2]{N,1}", "i64[2]{0,3}");
  INFERS("Mul", "i64[]{2} i64[1]{N}", "i64[1]{2*N}");
  INFERS("Neg", "i64[2]{N,4}", "i64[2]{-N,-4}");
  INFERS("Min", "i64[2]{N,4} i64[]{8}", "i64[2]{min(N, 8),4}");
  INFERS("Max", "i64[2]{N,4} i64[]{8}", "i64[2]{max(N, 8),8}");
  INFERS("Max", "i64[2]{N,4}", "i64[2]{N,4}");
  INFERS("Sum", "i64[2]{N,4} i64[]{8} i64[1]{1}", "i64[2]{N + 9,13}");
  INFERS("Sum", "i64[2]{N,4} i64[] i64[1]{1}", "i64[2]");
  INFERS("Reshape", "i64[2]{N,4} i64[2]{1,-1}", "i64[1,2]{N,4}");
  // Not where it could be wrong: other types wrap, other ops compute otherwise.
  INFERS("Add", "i32[1]{1} i32[1]{2}", "i32[1]");
  INFERS("Abs", "i64[1]{4}", "i64[1]");
  INFERS("Add", "i64[2]{1,2} i64[2]", "i64[2]");
  INFERS("Mul", "i64[1]{9223372036854775807} i64[1]{2}", "i64[1]");
}

// Division of integers truncates, that of dims rounds down.
TEST(Infer, QuotientsAreFollowedWhereTheyAreThoseOfDims) {
  INFERS("Div", "i64[3]{N,4*N,7} i64[]{2}", "i64[3]{floordiv(N, 2),2*N,3}");
  INFERS("Div", "i64[2]{-7,2*N - 4} i64[]{2}", "i64[2]{-3,N - 2}");
  INFERS("Div", "i64[1]{N - 3} i64[]{2}", "i64[1]");
  INFERS("Div", "i64[1]{N} i64[]{-2}", "i64[1]");
  INFERS("Div", "i64[1]{N} i64[1]{N}", "i64[1]");
  INFERS("Div", "i64[1]{4} i64[]{0}", "i64[1]");
  INFERS("Mod", "i64[3]{N,4*N,7} i64[]{4}", "i64[3]{mod(N, 4),0,3}");
  INFERS("Mod", "i64[1]{N - 3} i64[]{4}", "i64[1]");
  INFERS("Mod", "i64[1]{7} i64[]{0}", "i64[1]");
}

TEST(Infer, ValuesThatAreBroadcastAgainstEachOtherAreNotFollowed) {
  INFERS("Add", "i64[2,1]{1,2} i64[2]{10,20}", "i64[2,2]");
  INFERS("Add", "i64[1,2]{1,2} i64[2]{10,20}", "i64[1,2]{11,22}");
  INFERS("Add", "i64[0]{} i64[1]{1}", "i64[0]");
}

}  // namespace
}  // namespace tenfold
