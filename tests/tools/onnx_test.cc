// SPDX-License-Identifier: Apache-2.0
//
// ONNX models given to the programs.
#include <string>

#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

// By hand, as the format has it: each field is its number and kind, the length, and the bytes.
std::string Message(int field, const std::string& bytes) {
  return std::string(1, static_cast<char>(field << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}

std::string Node(const std::string& input, const std::string& output, const std::string& op) {
  return Message(1, Message(1, input) + Message(2, output) + Message(3, "the " + op) + Message(4, op));
}

// A model of these nodes, from x to y, which are float[N, 2]; opset 13.
std::string Model(const std::string& nodes) {
  const std::string shape = Message(2, Message(1, Message(2, "N")) + Message(1, "\x08\x02"));
  const std::string type = Message(2, Message(1, "\x08\x01" + shape));
  return "\x08\x08" + Message(8, std::string("\x10\x0d", 2)) +
         Message(7, nodes + Message(2, "g") + Message(11, Message(1, "x") + type) +
                        Message(12, Message(1, "y") + type));
}

class OnnxTool : public ToolTest {};

TEST_F(OnnxTool, ModelsAreImportedRunAndShown) {
  WriteFile("m.onnx", Model(Node("x", "y", "Relu")));
  EXPECT_EQ(Run("tenfold-run m.onnx --input 'x=f32[1,2] -1 2'").out, "y = f32[1,2] {0, 2}\n");
  EXPECT_EQ(Run("tenfold-dump m.onnx").out, "tenfold 1\n\ngraph g(x: f32[N,2]) -> (y) {\n  y = Relu(x)\n}\n");
  const ToolResult imported = Run("tenfold-import m.onnx -o m.tnf --dim N=3");
  EXPECT_EQ(imported.exit_status, 0) << imported.err;
  EXPECT_EQ(Run("tenfold-dump m.tnf").out, "tenfold 1\n\ngraph g(x: f32[3,2]) -> (y) {\n  y = Relu(x)\n}\n");
}

TEST_F(OnnxTool, ValidationAndComparisonNameTheNodesOfModels) {
  WriteFile("m.onnx", Model(Node("x", "n", "Neg") + Node("n", "r", "Sqrt") + Node("r", "y", "Exp")));
  EXPECT_EQ(Run("tenfold-run m.onnx --validate --input 'x=f32[1,2] -1 4'").err,
            "error[E0616 nan-found]: Sqrt 'r' gives NaN: 1 NaN among the 2 elements of f32[1,2]; the first, "
            "element [0,1], is nan\n"
            "  --> m.onnx: node 'the Sqrt'\n"
            "  its operands hold no NaN; there, 'n' is -4\n"
            "  help: to see what it is computed of, add --fetch n\n");
  WriteFile("n.onnx", Model(Node("x", "n", "Neg") + Node("n", "r", "Exp") + Node("r", "y", "Exp")));
  EXPECT_EQ(
      Run("tenfold-run m.onnx --compare-with n.onnx --input 'x=f32[1,2] -1 0'").err,
      "error[E0618 values-differ]: 'r' differs: 2 of 2 elements (rtol 0.001, atol 1e-05), first element "
      "[0,0]: 1 against 2.7182817\n"
      "  --> m.onnx: node 'the Sqrt'\n"
      "  furthest outside the tolerance: element [0,1]: -0 against 1, abs error 1, rel error 1\n"
      "  in 'm.onnx': Sqrt 'r' (m.onnx: node 'the Sqrt') of 'n'\n"
      "  in 'n.onnx': Exp 'r' (n.onnx: node 'the Exp') of 'n'\n"
      "  its operand 'n' agrees\n");
}

TEST_F(OnnxTool, OtherGraphsSayTheirSizesAndConstantsThemselves) {
  WriteFile("m.tnt", "tenfold 1\ngraph g(x: f32[N]) -> (x) {\n}\n");
  EXPECT_EQ(Run("tenfold-import m.tnt -o m.tnf --dim N=3").err,
            "error[E0325 bad-policy]: --dim is for .onnx models; a graph of ours says what its sizes are\n"
            "  help: write it in the graph's header: graph g(x: f32[1,3,32*H,32*W]) -> (y) {\n");
  EXPECT_EQ(Run("tenfold-import m.tnt -o m.tnf --constant 'x=f32[1] 2'").err,
            "error[E0325 bad-policy]: --constant is for .onnx models; a graph of ours has its constants\n"
            "  help: write it in the graph: w = Const f32[784,10] @\"weights.npz:w\"\n");
}

TEST_F(OnnxTool, WhatCannotBeImportedIsListed) {
  WriteFile("m.onnx", Model(Node("x", "r", "Relu") + Node("r", "y", "Frobnicate")));
  const ToolResult text = Run("tenfold-import m.onnx -o m.tnf");
  EXPECT_EQ(text.exit_status, 1);
  EXPECT_EQ(text.err,
            "error[E0903 onnx-op-not-supported]: the op Frobnicate is not one that Tenfold has\n"
            "  --> m.onnx\n"
            "  1 place: node 'the Frobnicate'\n"
            "  help: docs/onnx_ops.md lists the ops that are imported\n");
}

}  // namespace
}  // namespace tenfold
