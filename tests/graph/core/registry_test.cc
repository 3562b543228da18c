// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/op_registry.h"
#include "tenfold/graph/ops.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

TEST(Registry, NamesAreUnique) {
  std::set<std::string> names;
  for (const OpDef& op : StandardOps()) EXPECT_TRUE(names.insert(op.name).second) << op.name;
  EXPECT_EQ(OpRegistry::Standard()->All().size(), names.size());
}

TEST(Registry, RefusesANameThatIsTaken) {
  OpRegistry registry = *OpRegistry::Standard();
  OpDef twin;
  twin.name = "Exp";
  EXPECT_EQ(
      DiagnosticsOf(registry.Add(twin))[0].ToString(),
      "error[E0101 unknown-op]: the registry already has an op 'Exp'\n  help: give the op another name");
  twin.name = "Twin";
  EXPECT_TRUE(registry.Add(twin).ok());
  EXPECT_NE(registry.Find("Twin"), nullptr);
  EXPECT_EQ(OpRegistry::Standard()->Find("Twin"), nullptr);  // a copy is one's own
}

// A user's composite is built and typed as the standard ones are.
TEST(Registry, TakesCompositesOfUsers) {
  auto registry = std::make_shared<OpRegistry>(*OpRegistry::Standard());
  OpDef op = *registry->Find("Exp");
  op.name = "Silu";
  op.computation = Composite{[](std::span<const Value> in, const Attrs&) { return in[0] * Sigmoid(in[0]); }};
  ASSERT_TRUE(registry->Add(op).ok());
  GraphBuilder g("main", registry);
  g.Output("y", g.Apply("Silu", {g.Input("x", DType::kF16, {"N"})}));
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->value(graph->outputs()[0].value).type.ToString(), "f16[N]");
}

TEST(Registry, EveryOpIsDescribed) {
  for (const OpDef* op : OpRegistry::Standard()->All()) {
    SCOPED_TRACE(op->name);
    EXPECT_FALSE(op->doc.empty());
    EXPECT_EQ(op->doc.back(), '.');
    EXPECT_NE(op->infer, nullptr);
    EXPECT_FALSE(FamilyName(*op).empty());
    EXPECT_EQ(OpRegistry::Standard()->Find(op->name), op);
    std::set<std::string> names;
    for (const PortDef& port : op->inputs) EXPECT_TRUE(names.insert(port.name).second) << port.name;
    for (const AttrDef& attr : op->attrs) {
      EXPECT_TRUE(names.insert(attr.name).second) << attr.name;
      EXPECT_FALSE(attr.doc.empty());
      EXPECT_EQ(op->FindAttr(attr.name), &attr);
      if (attr.default_value.has_value()) {
        EXPECT_EQ(KindOf(*attr.default_value), attr.kind);
      }
    }
    EXPECT_EQ(op->FindAttr("no such attribute"), nullptr);
  }
}

TEST(Registry, InternalOpsAreNotOffered) {
  const std::vector<std::string> names = OpRegistry::Standard()->Names();
  EXPECT_EQ(std::count(names.begin(), names.end(), "Fused"), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "Softmax"), 1);
  EXPECT_NE(OpRegistry::Standard()->Find("Fused"), nullptr);
}

// The generated functions: one for each op that people build, with its attributes and their defaults.
TEST(GeneratedOps, EveryFunctionBuildsItsOp) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2, 3});
  Value c = g.Input("c", DType::kBool, {2, 3});
  Value image = g.Input("image", DType::kF32, {1, 4, 2, 2});
  Value kernel = g.Input("kernel", DType::kF32, {4, 4, 2, 2});
  Value indices = g.Input("indices", DType::kI64, {2, 2});
  Value x01 = g.Input("x01", DType::kF32, {2});
  Value i = g.Input("i", DType::kI32, {2, 3});
  const std::vector<Value> values = {Add(x, 1),
                                     Sub(x, x),
                                     Mul(2.0, x),
                                     Div(x, x),
                                     Max(x, 0),
                                     Neg(x),
                                     Exp(x),
                                     Min(x, 0),
                                     Mod(i, 3),
                                     Pow(x, 2.0),
                                     Abs(x),
                                     Sign(x),
                                     Reciprocal(x),
                                     Sqrt(x),
                                     Floor(x),
                                     Ceil(x),
                                     Round(x),
                                     Log(x),
                                     Erf(x),
                                     Sin(x),
                                     Cos(x),
                                     Tan(x),
                                     Asin(x),
                                     Acos(x),
                                     Atan(x),
                                     Sinh(x),
                                     Cosh(x),
                                     Asinh(x),
                                     Acosh(x),
                                     Atanh(x),
                                     Relu(x),
                                     LeakyRelu(x),
                                     PRelu(x, x),
                                     ThresholdedRelu(x),
                                     HardSigmoid(x),
                                     HardSwish(x),
                                     Swish(x),
                                     Mish(x),
                                     Softplus(x),
                                     Softsign(x),
                                     Elu(x),
                                     Celu(x),
                                     Selu(x),
                                     Less(x, 0),
                                     LessOrEqual(x, 0),
                                     Greater(x, 0),
                                     GreaterOrEqual(x, 0),
                                     And(c, c),
                                     Or(c, c),
                                     Xor(c, c),
                                     Not(c),
                                     IsNaN(x),
                                     IsInf(x),
                                     BitwiseAnd(i, 1),
                                     BitwiseOr(i, 1),
                                     BitwiseXor(i, 1),
                                     BitwiseNot(i),
                                     BitShift(i, 1, {.direction = "LEFT"}),
                                     BitCast(x, {.to = DType::kU32}),
                                     Tanh(x),
                                     Sigmoid(x),
                                     Gelu(x),
                                     Equal(x, 0),
                                     Where(c, x, 0),
                                     Cast(x, {.to = DType::kI8}),
                                     OptimizationBarrier(x),
                                     Reshape(x, {-1}),
                                     Transpose(x),
                                     ReduceSum(x),
                                     ReduceMax(x),
                                     MatMul(x, Transpose(x)),
                                     Softmax(x),
                                     Squeeze(Unsqueeze(x, {0})),
                                     Unsqueeze(x, {0}),
                                     Flatten(x),
                                     Identity(x),
                                     DepthToSpace(image, {.blocksize = 2}),
                                     SpaceToDepth(image, {.blocksize = 2}),
                                     Slice(x, {0}, {1}),
                                     Split(x, {2, 1}, {.axis = 1})[1],
                                     Concat({x, x}, {.axis = 0}),
                                     Expand(x, {4, 2, 3}),
                                     Tile(x, {2, 1}),
                                     Pad(x, {0, 1, 0, 1}),
                                     ShapeOf(x),
                                     Size(x),
                                     ConstantOfShape(ShapeOf(x)),
                                     Range(g.Const(Tensor::Scalar<int64_t>(0)), 5, 1),
                                     EyeLike(x),
                                     Trilu(x),
                                     Gather(x, {0, -1}),
                                     GatherElements(x, indices),
                                     GatherND(x, indices),
                                     ScatterElements(x, indices, g.Input("few", DType::kF32, {2, 2})),
                                     ScatterND(x, indices, g.Input("updates", DType::kF32, {2})),
                                     OneHot(indices, 3, x01),
                                     ReverseSequence(x, {1, 2, 1}),
                                     TopK(x, {1}).indices,
                                     CumSum(x, 0),
                                     CumProd(x, 1),
                                     Conv(image, kernel),
                                     ConvTranspose(image, kernel),
                                     MaxPool(image, {.kernel_shape = {2, 2}}).indices,
                                     AveragePool(image, {.kernel_shape = {2, 2}}),
                                     GlobalMaxPool(image),
                                     GlobalAveragePool(image),
                                     Gemm(x, Transpose(x))};
  std::set<std::string> built;
  for (Value v : values) {
    ASSERT_FALSE(v.poison());
    built.insert(g.graph().producer(v.id()).op->name);
  }
  for (const OpDef* op : OpRegistry::Standard()->All()) {
    if (op->is_internal || op->Is<Source>()) continue;
    EXPECT_TRUE(built.contains(op->name)) << op->name << " is not called here";
  }
  EXPECT_EQ(Gelu(x, {.approximate = "tanh"}).type().ToString(), "f32[2,3]");
  EXPECT_EQ(Mod(x, 2.0, {.fmod = true}).type().ToString(), "f32[2,3]");
  EXPECT_EQ(Selu(x, {.alpha = 1, .gamma = 2}).type().ToString(), "f32[2,3]");
  EXPECT_EQ(ReduceSum(x, {.axes = {1}, .keepdims = false}).type().ToString(), "f32[2]");
  EXPECT_EQ(ReduceMax(x, {.axes = {0}}).type().ToString(), "f32[1,3]");
  EXPECT_EQ(Transpose(x, {.perm = {0, 1}}).type().ToString(), "f32[2,3]");
  EXPECT_EQ(Softmax(x, {.axis = 0}).type().ToString(), "f32[2,3]");
  EXPECT_EQ(Reshape(g.Input("e", DType::kF32, {0, 3}), {5, 0}, {.allowzero = true}).type().ToString(),
            "f32[5,0]");
  EXPECT_TRUE(std::move(g).Build().ok());
}

}  // namespace
}  // namespace tenfold
