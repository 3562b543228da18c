// SPDX-License-Identifier: Apache-2.0
//
// Models as graphs: names, places, sizes, constants, order, functions and bodies.
#include "tenfold/graph/onnx/import.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/tests/graph/onnx/model_text.h"

namespace tenfold {
namespace {

using std::string;
using ::testing::HasSubstr;

TEST(ImportOnnx, KeepsNamesSizesAndPlaces) {
  const string model = ModelOfOpset(
      13, absl::StrCat(NodeText("MatMul", {"x", "w"}, {"m"}, "name: \"fc1\""), NodeText("Relu", {"m"}, {"y"}),
                       "initializer { name: \"w\" data_type: 1 dims: [2, 1] float_data: [3, 4] } ",
                       InputText("x", "f32[batch,2]"), OutputText("y")));
  EXPECT_EQ(Imported(model), R"(graph g(x: f32[batch,2]) -> (y) {
  w = Const f32[2,1] {3, 4}
  m = MatMul(x, w)
  y = Relu(m)
}
)");
  const absl::StatusOr<Graph> graph = ImportOnnxBytes(model, "model.onnx");
  ASSERT_TRUE(graph.ok()) << graph.status();
  const auto place = [&](const char* value) { return graph->producer(*graph->FindValue(value)).provenance; };
  EXPECT_EQ(place("x").location, "model.onnx");
  EXPECT_EQ(place("m").location, "model.onnx: node 'fc1'");
  EXPECT_EQ(place("y").location, "model.onnx: node 1 (Relu)");
  EXPECT_EQ(place("w").array, "model.onnx: w");
}

TEST(ImportOnnx, NamesSizesThatTheModelDoesNot) {
  const string model = ModelOfOpset(
      13, absl::StrCat(
              NodeText("Neg", {"x"}, {"y"}),
              "input { name: \"x\" type { tensor_type { elem_type: 1 shape { dim { } dim { dim_value: -1 } "
              "dim { dim_param: \"a b\" } dim { dim_value: 0 } } } } } ",
              OutputText("y")));
  EXPECT_EQ(Imported(model), "graph g(x: f32[x_0,x_1,\"a b\",0]) -> (y) {\n  y = Neg(x)\n}\n");
  EXPECT_EQ(Imported(model, {.dims = {{"x_0", 4}, {"a b", Dim(32) * Dim::Symbol("h")}}}),
            "graph g(x: f32[4,x_1,32*h,0]) -> (y) {\n  y = Neg(x)\n}\n");
  EXPECT_EQ(Imported(model, {.dims = {{"x_2", 4}}}),
            "error[E0602 unknown-input]: the model has no size 'x_2'\n  --> model.onnx\n"
            "  help: did you mean 'x_0'?");
}

TEST(ImportOnnx, TakesInputsAsConstants) {
  const string model =
      ModelOfOpset(13, absl::StrCat(NodeText("ReduceSum", {"x", "axes"}, {"y"}), InputText("x", "f32[2,3]"),
                                    InputText("axes", "i64[1]"), OutputText("y")));
  std::vector<string> needed;
  EXPECT_EQ(
      Imported(model, {.needed_constants = &needed}),
      "error[E0906 onnx-value-not-constant]: its input 'axes', 'axes', must be constant, since types follow "
      "from it, but comes from Input 'axes' (model.onnx)\n"
      "  --> model.onnx: node 0 (ReduceSum)\n"
      "  in the model it is ReduceSum of opset 13");
  EXPECT_EQ(needed, std::vector<string>{"axes"});
  const Tensor axes = *Tensor::FromVector<int64_t>({1}, Dims{1});
  EXPECT_EQ(Imported(model, {.constants = {{"axes", axes}}}),
            "graph g(x: f32[2,3]) -> (y) {\n  axes = Const i64[1] {1}\n  y = ReduceSum(x, axes=[1])\n}\n");
  EXPECT_EQ(Imported(model, {.constants = {{"axis", axes}, {"axes", axes}}}),
            "error[E0602 unknown-input]: the model has no input 'axis'\n  --> model.onnx\n"
            "  help: did you mean 'axes'?");
  EXPECT_EQ(Imported(model, {.constants = {{"axes", Tensor::Scalar(1.0f)}}}),
            "error[E0604 input-dtype]: the model says i64, but the constant is f32[]\n  --> model.onnx\n"
            "  the input 'axes'");
}

TEST(ImportOnnx, SeedsRandomOpsThatHaveNone) {
  const string model = ModelOfOpset(
      15, absl::StrCat(NodeText("Bernoulli", {"x"}, {"a"}), NodeText("Bernoulli", {"x"}, {"b"}),
                       NodeText("Bernoulli", {"x"}, {"c"}, FloatAttr("seed", 7)), InputText("x", "f32[2]"),
                       OutputText("a"), OutputText("b"), OutputText("c")));
  EXPECT_EQ(Imported(model), R"(graph g(x: f32[2]) -> (a, b, c) {
  a = Bernoulli(x, seed=1.0)
  b = Bernoulli(x, seed=2.0)
  c = Bernoulli(x, seed=7.0)
}
)");
}

TEST(ImportOnnx, FollowsSizesThroughNarrowDTypes) {
  const auto model = [](const string& to) {
    return ModelOfOpset(
        13, absl::StrCat(NodeText("Shape", {"x"}, {"s"}), NodeText("Cast", {"s"}, {"narrow"}, to),
                         NodeText("Slice", {"narrow", "zero", "one"}, {"first"}),
                         NodeText("Cast", {"first"}, {"wide"}, IntAttr("to", 7)),
                         NodeText("Concat", {"wide", "rest"}, {"shape"}, IntAttr("axis", 0)),
                         NodeText("Reshape", {"x", "shape"}, {"y"}), IntsTensor("zero", {0}),
                         IntsTensor("one", {1}), IntsTensor("rest", {6}), InputText("x", "f32[n,2,3]"),
                         OutputText("y")));
  };
  for (const int dtype : {6, 1}) {
    const absl::StatusOr<Graph> graph = ImportOnnxBytes(model(IntAttr("to", dtype)), "model.onnx");
    ASSERT_TRUE(graph.ok()) << graph.status();
    EXPECT_EQ(graph->value(graph->outputs()[0].value).type.ToString(), "f32[n,6]");
    EXPECT_TRUE(VerifyGraph(*graph).ok());
  }
  const string refusal = Imported(model(IntAttr("to", 3)));  // of 8 bits
  EXPECT_EQ(refusal.substr(0, refusal.find('\n')),
            "error[E0208 bad-reshape]: Reshape 'y': the new shape is not known while the graph is built");
}

TEST(ImportOnnx, LeavesInputsOfFunctionsOut) {
  const string function =
      "functions { name: \"F\" domain: \"own\" input: \"x\" input: \"low\" output: \"y\" opset_import { "
      "version: 13 } " +
      NodeText("Clip", {"x", "low", "zero"}, {"y"}) +
      NodeText("Constant", {}, {"zero"}, FloatAttr("value_float", 0)) + "} ";
  const string model =
      ModelBytes(absl::StrCat("ir_version: 8 opset_import { version: 13 } opset_import { domain: \"own\" "
                              "version: 1 } graph { name: \"g\" ",
                              NodeText("F", {"x"}, {"y"}, "domain: \"own\""), InputText("x", "f32[2]"),
                              OutputText("y"), " } ", function));
  EXPECT_EQ(Computed(model, {"f32[2] {-1, 1}"}), "f32[2] {-1, 0}");
}

TEST(ImportOnnx, OrdersNodesThatStandInAnotherOrder) {
  const string model =
      ModelOfOpset(13, absl::StrCat(NodeText("Neg", {"a"}, {"b"}), NodeText("Exp", {"x"}, {"a"}),
                                    InputText("x", "f32[1]"), OutputText("b")));
  EXPECT_EQ(Computed(model, {"f32[1] {0}"}), "f32[1] {-1}");
}

TEST(ImportOnnx, RefusesWhatIsNotWellFormed) {
  const auto refusal = [](const string& nodes) {
    return Imported(ModelOfOpset(13, absl::StrCat(nodes, InputText("x", "f32[1]"), OutputText("y"))));
  };
  EXPECT_EQ(refusal(NodeText("Add", {"x", "z"}, {"y"})),
            "error[E0908 bad-onnx-graph]: reads 'z', which nothing gives, or only what follows from it\n"
            "  --> model.onnx: node 0 (Add)\n"
            "  in the model it is Add of opset 13\n"
            "  help: a graph has no cycles; onnx.checker.check_model says more");
  EXPECT_EQ(refusal(absl::StrCat(NodeText("Add", {"x", "b"}, {"a"}), NodeText("Neg", {"a"}, {"b"}),
                                 NodeText("Neg", {"a"}, {"y"}))),
            "error[E0908 bad-onnx-graph]: reads 'a', which nothing gives, or only what follows from it\n"
            "  --> model.onnx: node 1 (Neg)\n"
            "  in the model it is Neg of opset 13\n"
            "  help: a graph has no cycles; onnx.checker.check_model says more");
  EXPECT_EQ(refusal(absl::StrCat(NodeText("Neg", {"x"}, {"y"}), NodeText("Exp", {"x"}, {"y"}))),
            "error[E0908 bad-onnx-graph]: the model defines 'y' twice\n  --> model.onnx");
}

TEST(ImportOnnx, ReportsEveryFirstCause) {
  const string model = ModelOfOpset(
      13, absl::StrCat(NodeText("Add", {"x", "i"}, {"a"}, "name: \"first\""), NodeText("Neg", {"a"}, {"y"}),
                       NodeText("MatMul", {"x", "x"}, {"z"}, "name: \"second\""), InputText("x", "f32[2,3]"),
                       InputText("i", "i64[3]"), OutputText("y"), OutputText("z")));
  EXPECT_EQ(
      Imported(model),
      "error[E0205 dtype-mismatch]: Add 'a': dtypes differ: a 'x' is f32[2,3], b 'i' is i64[3]\n"
      "  --> model.onnx: node 'first'\n"
      "  a comes from Input 'x' (model.onnx), b comes from Input 'i' (model.onnx)\n"
      "  in the model it is Add of opset 13\n"
      "  help: no dtype holds both without loss: Cast one of them to the dtype that is meant\n"
      "error[E0201 shape-mismatch]: MatMul 'z': inner dims differ: lhs 'x' is f32[2,3], rhs 'x' is f32[2,3]\n"
      "  --> model.onnx: node 'second'\n"
      "  lhs comes from Input 'x' (model.onnx), rhs comes from Input 'x' (model.onnx)\n"
      "  in the model it is MatMul of opset 13\n"
      "  help: if x lies the other way: Transpose(x) gives f32[3,2]");
}

TEST(ImportOnnx, ListsAllThatItCannotTake) {
  const string model =
      ModelOfOpset(13, absl::StrCat(NodeText("Frobnicate", {"x"}, {"a"}, "name: \"f1\""),
                                    NodeText("Frobnicate", {"a"}, {"b"}),
                                    NodeText("FusedConv", {"b"}, {"c"}, "domain: \"com.microsoft\""),
                                    NodeText("Relu", {"c"}, {"d"}, IntAttr("strange", 3)),
                                    NodeText("Cast", {"d"}, {"y"}, IntAttr("to", 8)),
                                    "input { name: \"s\" type { sequence_type { } } } ",
                                    InputText("x", "f32[1]"), OutputText("y")));
  EXPECT_EQ(
      Imported(model),
      "error[E0905 onnx-dtype-not-supported]: a value is a sequence, which Tenfold does not have\n"
      "  --> model.onnx\n"
      "  1 place: input 's'\n"
      "error[E0903 onnx-op-not-supported]: the op Frobnicate is not one that Tenfold has\n"
      "  --> model.onnx\n"
      "  2 places: node 'f1', node 1 (Frobnicate)\n"
      "  help: docs/onnx_ops.md lists the ops that are imported\n"
      "error[E0903 onnx-op-not-supported]: the op FusedConv of the domain com.microsoft is not one that "
      "Tenfold has\n"
      "  --> model.onnx\n"
      "  1 place: node 2 (FusedConv)\n"
      "  help: docs/onnx_ops.md lists the ops that are imported\n"
      "error[E0904 onnx-attribute-not-supported]: the attribute 'strange' of Relu, 3, is not one that "
      "Tenfold "
      "has\n"
      "  --> model.onnx\n"
      "  1 place: node 3 (Relu)\n"
      "error[E0905 onnx-dtype-not-supported]: the attribute 'to' of Cast names STRING, which Tenfold does "
      "not "
      "have\n"
      "  --> model.onnx\n"
      "  1 place: node 4 (Cast)");
}

TEST(ImportOnnx, RefusesOpsetsThatItDoesNotKnow) {
  const string graph = absl::StrCat(NodeText("Neg", {"x"}, {"y"}), InputText("x", "f32[1]"), OutputText("y"));
  EXPECT_EQ(Imported(ModelOfOpset(29, graph)),
            "error[E0907 onnx-opset-not-supported]: the model is of opset 29; opsets 1 to 28 are known\n"
            "  --> model.onnx");
  EXPECT_EQ(Computed(ModelOfOpset(28, graph), {"f32[1] {2}"}), "f32[1] {-2}");
}

// --- Functions ---

// y = scale * (x + x)
string FunctionText(const string& name, const string& nodes) {
  return absl::StrCat("functions { name: \"", name, "\" domain: \"own\" input: \"x\" output: \"y\" ", nodes,
                      " attribute: \"scale\" opset_import { version: 13 } } ");
}

string CallingModel(const string& functions, const string& graph) {
  return ModelBytes(
      absl::StrCat("ir_version: 8 opset_import { version: 13 } opset_import { domain: \"own\" version: "
                   "1 } graph { name: \"g\" ",
                   graph, InputText("x", "f32[1]"), OutputText("y"), " } ", functions));
}

TEST(ImportOnnx, ExpandsFunctions) {
  const string function = FunctionText(
      "Scale", absl::StrCat(NodeText("Add", {"x", "x"}, {"sum"}),
                            NodeText("Constant", {}, {"factor"},
                                     "attribute { name: \"value_float\" type: 1 ref_attr_name: \"scale\" }"),
                            NodeText("Mul", {"sum", "factor"}, {"y"})));
  const string call = "domain: \"own\" name: \"s\" " + FloatAttr("scale", 3);
  const string model = CallingModel(
      function, absl::StrCat(NodeText("Scale", {"x"}, {"a"}, call), NodeText("Scale", {"a"}, {"y"}, call)));
  EXPECT_EQ(Imported(model), R"(graph g(x: f32[1]) -> (y) {
  s/sum = Add(x, x)
  s/factor = Const f32[] {3}
  a = Mul(s/sum, s/factor)
  s/sum.1 = Add(a, a)
  s/factor.1 = Const f32[] {3}
  y = Mul(s/sum.1, s/factor.1)
}
)");
  EXPECT_EQ(Computed(model, {"f32[1] {1}"}), "f32[1] {36}");
}

TEST(ImportOnnx, RefusesFunctionsThatCallThemselves) {
  const string function =
      FunctionText("Again", NodeText("Again", {"x"}, {"y"}, "domain: \"own\" name: \"a\""));
  const string refusal =
      Imported(CallingModel(function, NodeText("Again", {"x"}, {"y"}, "domain: \"own\" name: \"a\"")));
  EXPECT_EQ(
      refusal.substr(0, refusal.find('\n')),
      "error[E0908 bad-onnx-graph]: functions call each other more than 64 deep: 'Again' may call itself");
}

TEST(ImportOnnx, CountsTheNodesOfFunctions) {
  // Each calls the one before twice: 2^30 nodes.
  string functions = FunctionText("F0", NodeText("Neg", {"x"}, {"y"}));
  for (int i = 1; i < 30; ++i) {
    const string before = absl::StrCat("F", i - 1);
    functions +=
        FunctionText(absl::StrCat("F", i), absl::StrCat(NodeText(before, {"x"}, {"a"}, "domain: \"own\""),
                                                        NodeText(before, {"a"}, {"y"}, "domain: \"own\"")));
  }
  OnnxOptions options;
  options.limits.nodes = 1000;
  const string refusal =
      Imported(CallingModel(functions, NodeText("F29", {"x"}, {"y"}, "domain: \"own\"")), options);
  EXPECT_EQ(refusal.substr(0, refusal.find("\n  -->")),
            "error[E0402 too-large]: the model has more than 1000 nodes, with those of its functions");
}

// --- Bodies ---

string GraphAttr(const string& name, const string& graph) {
  return absl::StrCat("attribute { name: \"", name, "\" type: 5 g { name: \"", name, "\" ", graph, " } } ");
}

string IfNode() {
  return NodeText("If", {"c"}, {"y"},
                  GraphAttr("then_branch", NodeText("Add", {"x", "two"}, {"t"}) + OutputText("t")) +
                      GraphAttr("else_branch", NodeText("Neg", {"x"}, {"e"}) + OutputText("e")));
}

TEST(ImportOnnx, CapturesWhatBranchesRead) {
  const string model =
      ModelOfOpset(13, absl::StrCat(IfNode(), FloatsTensor("two", {2}), InputText("x", "f32[1]"),
                                    InputText("c", "bool[]"), OutputText("y")));
  EXPECT_EQ(Computed(model, {"f32[1] {5}", "bool[] {true}"}), "f32[1] {7}");
  EXPECT_EQ(Computed(model, {"f32[1] {5}", "bool[] {false}"}), "f32[1] {-5}");
}

TEST(ImportOnnx, TakesTheBranchOfAConstantCondition) {
  const string model =
      ModelOfOpset(13, absl::StrCat(IfNode(), FloatsTensor("two", {2}),
                                    "initializer { name: \"c\" data_type: 9 int32_data: 0 } ",
                                    InputText("x", "f32[1]"), OutputText("y")));
  EXPECT_EQ(Imported(model), R"(graph g(x: f32[1]) -> (y) {
  c = Const bool[] {false}
  y = Neg(x)
}
)");
}

// PyTorch's squeeze(x, 1) of a size that it does not know.
string SqueezeIf(const string& squeezed_axis, const string& other = "x") {
  const string axes = absl::StrCat(
      "attribute { name: \"value\" type: 4 t { dims: 1 data_type: 7 int64_data: ", squeezed_axis, " } } ");
  return ModelOfOpset(
      13,
      absl::StrCat(
          NodeText("Shape", {"x"}, {"s"}), NodeText("Gather", {"s", "at"}, {"size"}),
          NodeText("Equal", {"size", "one"}, {"c"}),
          NodeText("If", {"c"}, {"y"},
                   GraphAttr("then_branch", NodeText("Constant", {}, {"axes"}, axes) +
                                                NodeText("Squeeze", {"x", "axes"}, {"t"}) + OutputText("t")) +
                       GraphAttr("else_branch", NodeText("Identity", {other}, {"e"}) + OutputText("e"))),
          IntsTensor("at", {1}), IntsTensor("one", {1}), InputText("x", "f32[N,M]"),
          InputText("z", "f32[N,M]"), OutputText("y")));
}

TEST(ImportOnnx, TakesASqueezeOfAnUnknownSizeForOne) {
  EXPECT_EQ(Computed(SqueezeIf("1"), {"f32[2,1] {1, 2}", "f32[2,1] {3, 4}"}), "f32[2] {1, 2}");
  EXPECT_THAT(Computed(SqueezeIf("-1"), {"f32[1,2] {1, 2}", "f32[1,2] {3, 4}"}),
              HasSubstr("Squeeze 'y': dim 1 of data 'x' is M = 2, and must be 1"));
  // What is asked is another thing than what is done then, or otherwise.
  EXPECT_THAT(Computed(SqueezeIf("0"), {"f32[2,1] {1, 2}", "f32[2,1] {3, 4}"}), HasSubstr("error[E"));
  EXPECT_THAT(Computed(SqueezeIf("1", "z"), {"f32[2,1] {1, 2}", "f32[2,1] {3, 4}"}), HasSubstr("error[E"));
}

TEST(ImportOnnx, RunsLoops) {
  const string body = absl::StrCat(
      NodeText("Identity", {"go"}, {"go_on"}), NodeText("Add", {"s", "x"}, {"s_out"}),
      NodeText("Identity", {"s_out"}, {"row"}), InputText("i", "i64[]"), InputText("go", "bool[]"),
      InputText("s", "f32[1]"), OutputText("go_on"), OutputText("s_out"), OutputText("row"));
  const string model = ModelOfOpset(
      13, absl::StrCat(NodeText("Loop", {"n", "", "x"}, {"last", "rows"}, GraphAttr("body", body)),
                       InputText("n", "i64[]"), InputText("x", "f32[1]"), OutputText("last"),
                       OutputText("rows")));
  EXPECT_EQ(Computed(model, {"i64[] {3}", "f32[1] {1}"}), "f32[1] {4}, f32[3,1] {2, 3, 4}");
  const string refusal = Imported(ModelOfOpset(
      13, absl::StrCat(NodeText("Loop", {"n", "", "x", "x"}, {"a", "b"}, GraphAttr("body", body)),
                       InputText("n", "i64[]"), InputText("x", "f32[1]"), OutputText("a"))));
  EXPECT_EQ(refusal.substr(0, refusal.find('\n')),
            "error[E0908 bad-onnx-graph]: the body 'body' takes 3 inputs, but is given 4");
}

}  // namespace
}  // namespace tenfold
