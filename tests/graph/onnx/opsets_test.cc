// SPDX-License-Identifier: Apache-2.0
//
// What ops meant in earlier opsets: a case for each row of the table of ops.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/graph/onnx/op_table.h"
#include "tenfold/tests/graph/onnx/model_text.h"

namespace tenfold {
namespace {

using std::string;

struct Operand {
  string type;  // of an input that is fed, or empty: `text` is an initializer
  string text;
};

// What one node gives for inputs a, b, ... that are fed.
string One(int opset, const string& op, const string& attributes, const std::vector<string>& feeds,
           const string& initializers = "", const std::vector<string>& constants = {}) {
  std::vector<string> names;
  string inputs;
  for (size_t i = 0; i < feeds.size(); ++i) {
    names.push_back(string(1, static_cast<char>('a' + i)));
    inputs += InputText(names.back(), feeds[i].substr(0, feeds[i].find(' ')));
  }
  names.insert(names.end(), constants.begin(), constants.end());
  return Computed(ModelOfOpset(opset, absl::StrCat(NodeText(op, names, {"y"}, attributes), initializers,
                                                   inputs, OutputText("y"))),
                  feeds);
}

TEST(Opsets, AxesWereAttributes) {
  const string row = "f32[1,2] {1, 2}";
  EXPECT_EQ(One(11, "Squeeze", IntsAttr("axes", {0}), {row}), "f32[2] {1, 2}");
  EXPECT_EQ(One(13, "Squeeze", "", {row}, IntsTensor("axes", {0}), {"axes"}), "f32[2] {1, 2}");
  EXPECT_EQ(One(11, "Unsqueeze", IntsAttr("axes", {0, 3}), {row}), "f32[1,1,2,1] {1, 2}");
  EXPECT_EQ(One(11, "ReduceSum", IntsAttr("axes", {1}) + IntAttr("keepdims", 0), {row}), "f32[1] {3}");
  EXPECT_EQ(One(13, "ReduceSum", "", {row}, IntsTensor("axes", {1}), {"axes"}), "f32[1,1] {3}");
  EXPECT_EQ(One(13, "ReduceMax", IntsAttr("axes", {1}), {row}), "f32[1,1] {2}");
  EXPECT_EQ(One(18, "ReduceMax", "", {row}, IntsTensor("axes", {-1}), {"axes"}), "f32[1,1] {2}");
  EXPECT_EQ(One(9, "Slice", IntsAttr("axes", {1}) + IntsAttr("starts", {1}) + IntsAttr("ends", {2}), {row}),
            "f32[1,1] {2}");
  EXPECT_EQ(One(9, "TopK", IntAttr("k", 1), {row}), "f32[1,1] {2}");
  EXPECT_EQ(One(4, "Reshape", IntsAttr("shape", {2, -1}), {row}), "f32[2,1] {1, 2}");
}

TEST(Opsets, ReductionsOverNoAxes) {
  const string row = "f32[3] {1, -2, 3}";
  EXPECT_EQ(One(18, "ReduceSum", IntAttr("noop_with_empty_axes", 1), {row}), "f32[3] {1, -2, 3}");
  EXPECT_EQ(One(18, "ReduceSumSquare", IntAttr("noop_with_empty_axes", 1), {row}), "f32[3] {1, 4, 9}");
  EXPECT_EQ(One(18, "ReduceL1", IntAttr("noop_with_empty_axes", 1), {row}), "f32[3] {1, 2, 3}");
  EXPECT_EQ(One(18, "ReduceSum", IntAttr("noop_with_empty_axes", 0), {row}), "f32[1] {2}");
}

TEST(Opsets, SoftmaxTookAMatrix) {
  const string cube = "f32[1,2,2] {0, 0, 0, 0}";
  EXPECT_EQ(One(11, "Softmax", "", {cube}), "f32[1,2,2] {0.25, 0.25, 0.25, 0.25}");
  EXPECT_EQ(One(13, "Softmax", "", {cube}), "f32[1,2,2] {0.5, 0.5, 0.5, 0.5}");
  EXPECT_EQ(One(11, "Softmax", IntAttr("axis", -1), {cube}), "f32[1,2,2] {0.5, 0.5, 0.5, 0.5}");
  EXPECT_EQ(One(11, "Hardmax", IntAttr("axis", 0), {"f32[2,2] {1, 4, 2, 3}"}), "f32[2,2] {0, 1, 0, 0}");
}

TEST(Opsets, OperandsWereAlignedAtAnAxis) {
  const string a = "f32[2,3] {0, 0, 0, 0, 0, 0}";
  EXPECT_EQ(One(6, "Add", IntAttr("broadcast", 1) + IntAttr("axis", 0), {a, "f32[2] {1, 2}"}),
            "f32[2,3] {1, 1, 1, 2, 2, 2}");
  EXPECT_EQ(One(6, "Add", IntAttr("broadcast", 1), {a, "f32[3] {1, 2, 3}"}), "f32[2,3] {1, 2, 3, 1, 2, 3}");
  EXPECT_EQ(One(6, "PRelu", "", {"f32[1,2,1] {-1, -1}", "f32[2] {2, 3}"}), "f32[1,2,1] {-2, -3}");
}

TEST(Opsets, BoundsAndFillersWereAttributes) {
  EXPECT_EQ(One(6, "Clip", FloatAttr("min", -1) + FloatAttr("max", 1), {"f32[3] {-2, 0, 2}"}),
            "f32[3] {-1, 0, 1}");
  EXPECT_EQ(One(6, "Clip", FloatAttr("min", 0), {"f32[2] {-2, inf}"}), "f32[2] {0, 3.4028235e+38}");
  EXPECT_EQ(One(2, "Pad", IntsAttr("pads", {1, 0}) + FloatAttr("value", 7), {"f32[1] {1}"}), "f32[2] {7, 1}");
}

TEST(Opsets, SplitCountsItsOutputs) {
  const auto model = [](int opset, const string& attributes, const string& more) {
    return ModelOfOpset(opset, absl::StrCat(NodeText("Split", {"x"}, {"y", "z"}, attributes), more,
                                            InputText("x", "f32[3]"), OutputText("y"), OutputText("z")));
  };
  EXPECT_EQ(Computed(model(11, IntsAttr("split", {1, 2}), ""), {"f32[3] {1, 2, 3}"}),
            "f32[1] {1}, f32[2] {2, 3}");
  EXPECT_EQ(Computed(model(18, IntAttr("num_outputs", 2), ""), {"f32[3] {1, 2, 3}"}),
            "f32[2] {1, 2}, f32[1] {3}");
}

TEST(Opsets, ImagesWereScaledFromTheirCorner) {
  const string x = "f32[1,1,1,2] {1, 2}";
  const string scales = FloatsTensor("scales", {1, 1, 1, 2});
  const string all = "f32[1,1,1,4] {1, 1, 2, 2}";
  EXPECT_EQ(One(9, "Upsample", StringAttr("mode", "nearest"), {x}, scales, {"scales"}), all);
  EXPECT_EQ(One(7, "Upsample", "attribute { name: \"scales\" type: 6 floats: [1, 1, 1, 2] }", {x}), all);
  EXPECT_EQ(One(10, "Resize", StringAttr("mode", "linear"), {x}, scales, {"scales"}),
            "f32[1,1,1,4] {1, 1.5, 2, 2}");
  EXPECT_EQ(One(11, "Resize", StringAttr("mode", "linear"), {x}, scales + FloatsTensor("roi", {}),
                {"roi", "scales"}),
            "f32[1,1,1,4] {1, 1.25, 1.75, 2}");
}

TEST(Opsets, StatisticsOfTraining) {
  const string x = "f32[1,2,2] {1, 3, 0, 4}";
  const string inputs = absl::StrCat(InputText("x", "f32[1,2,2]"), FloatsTensor("one", {1, 1}),
                                     FloatsTensor("zero", {0, 0}), OutputText("y"), OutputText("m"));
  const string batch = Computed(
      ModelOfOpset(
          15, absl::StrCat(NodeText("BatchNormalization", {"x", "one", "zero", "zero", "one"},
                                    {"y", "m", "v"}, IntAttr("training_mode", 1) + FloatAttr("epsilon", 0)),
                           inputs, OutputText("v"))),
      {x});
  EXPECT_EQ(batch, "f32[1,2,2] {-1, 1, -1, 1}, f32[2] {0.2, 0.2}, f32[2] {1, 1.3}");
  EXPECT_EQ(
      Computed(ModelOfOpset(9, absl::StrCat(NodeText("BatchNormalization",
                                                     {"x", "one", "zero", "zero", "one"}, {"y", "m"}),
                                            inputs)),
               {x}),
      "error[E0904 onnx-attribute-not-supported]: output 1 is one of training, which Tenfold does not do\n"
      "  --> model.onnx: node 0 (BatchNormalization)\n"
      "  in the model it is BatchNormalization of opset 9\n"
      "  help: export the model for inference: torch.onnx.export(model.eval(), ...)");
}

TEST(Opsets, NothingIsDropped) {
  const auto model = [](int opset) {
    return ModelOfOpset(opset, absl::StrCat(NodeText("Dropout", {"x"}, {"y", "mask"}),
                                            InputText("x", "f32[2]"), OutputText("y"), OutputText("mask")));
  };
  EXPECT_EQ(Computed(model(7), {"f32[2] {1, nan}"}), "f32[2] {1, nan}, f32[2] {1, 1}");
  EXPECT_EQ(Computed(model(12), {"f32[2] {1, nan}"}), "f32[2] {1, nan}, bool[2] {true, true}");
}

TEST(Opsets, ScalesWereOfGroups) {
  EXPECT_EQ(
      One(18, "GroupNormalization", IntAttr("num_groups", 1) + FloatAttr("epsilon", 0), {"f32[1,2,1] {1, 3}"},
          FloatsTensor("scale", {2}) + FloatsTensor("bias", {5}), {"scale", "bias"}),
      "f32[1,2,1] {3, 7}");
}

TEST(Opsets, PowersOfTwoDTypes) {
  EXPECT_EQ(One(13, "Pow", "", {"f32[2] {2, 3}", "i64[2] {3, 2}"}), "f32[2] {8, 9}");
  EXPECT_EQ(One(13, "Pow", "", {"i32[2] {2, 9}", "f32[2] {3, 0.5}"}), "i32[2] {8, 3}");
}

TEST(Opsets, AttributesThatMakeNoDifference) {
  EXPECT_EQ(One(1, "Relu", IntsAttr("consumed_inputs", {0}), {"f32[1] {-1}"}), "f32[1] {0}");
  EXPECT_EQ(One(7, "Relu", IntsAttr("consumed_inputs", {0}), {"f32[1] {-1}"}),
            "error[E0904 onnx-attribute-not-supported]: the attribute 'consumed_inputs' of Relu is not one "
            "that Tenfold "
            "has\n  --> model.onnx\n  1 place: node 0 (Relu)");
}

TEST(Opsets, RefusedForms) {
  EXPECT_EQ(One(1, "Cast", StringAttr("to", "FLOAT"), {"f64[1] {1}"}),
            "error[E0903 onnx-op-not-supported]: the op Cast of opset 1 is not imported: until opset 5 it "
            "named the "
            "dtype as text\n  --> model.onnx\n  1 place: node 0 (Cast)\n"
            "  help: docs/onnx_ops.md lists the ops that are imported");
}

// A row that names what the registry does not have would never be used.
TEST(OpTable, NamesOpsAndAttributesOfTheRegistry) {
  const OpRegistry& registry = *OpRegistry::Standard();
  for (const onnx::OpRow& row : onnx::OpRows()) {
    for (const char* name : row.names) {
      const OpDef* const op = registry.Find(row.ours == nullptr ? name : row.ours);
      EXPECT_STRNE(row.differs, "") << name;
      if (op == nullptr || row.refused) continue;  // an op that comes with a later version
      for (const auto& move : row.to_inputs)
        EXPECT_LT(move.input, std::max<size_t>(op->inputs.size(), 1)) << name;
      for (const auto& move : row.to_attrs) EXPECT_NE(op->FindAttr(move.attribute), nullptr) << name;
      for (const auto& only : row.only) EXPECT_EQ(op->FindAttr(only.attribute), nullptr) << name;
      EXPECT_LE(row.since, row.until) << name;
    }
  }
}

}  // namespace
}  // namespace tenfold
