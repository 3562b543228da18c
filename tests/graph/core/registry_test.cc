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

// The generated functions, of each form that ports and attributes give one.
TEST(GeneratedOps, FunctionsBuildTheirOps) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {2, 3}), c = g.Input("c", DType::kBool, {2, 3});
  const Value i = g.Input("i", DType::kI32, {2, 3});
  const Value image = g.Input("image", DType::kF32, {1, 4, 2, 2});
  const std::pair<Value, const char*> built[] = {
      {Add(x, 1), "Add"},
      {Mul(2.0, x), "Mul"},
      {Where(c, x, 0), "Where"},
      {BitShift(i, 1, {.direction = "LEFT"}), "BitShift"},  // an attribute that must be given
      {Cast(x, {.to = DType::kI8}), "Cast"},
      {Softmax(x), "Softmax"},
      {Slice(x, {0}, {1}), "Slice"},  // optional inputs, absent
      {Clip(x), "Clip"},
      {Clip(x, std::nullopt, 6.0), "Clip"},
      {Pad(x, {0, 1, 0, 1}), "Pad"},
      {Max(x, 0), "Max"},  // any number of inputs
      {Max({x, 0, x}), "Max"},
      {Sum({x}), "Sum"},
      {Concat({x, x}, {.axis = 0}), "Concat"},
      {Split(x, {2, 1}, {.axis = 1})[1], "Split"},  // any number of outputs
      {TopK(x, {1}).indices, "TopK"},               // several
      {MaxPool(image, {.kernel_shape = {2, 2}}).indices, "MaxPool"},
      {DynamicQuantizeLinear(x).scale, "DynamicQuantizeLinear"},
      {ShapeOf(x), "Shape"},  // another name
      {ConstantOfShape(ShapeOf(x)), "ConstantOfShape"},
      {RandomNormal(g, {.shape = {2, 3}}), "RandomNormal"},  // no inputs
      {OptimizationBarrier(x), "OptimizationBarrier"}};
  for (const auto& [value, op] : built) {
    ASSERT_FALSE(value.poison()) << op;
    EXPECT_EQ(g.graph().producer(value.id()).op->name, op);
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
