// SPDX-License-Identifier: Apache-2.0
//
// The same mistake in a text graph and in a graph file: the full text of what is said. For graphs that are
// built in C++, tests/graph/core/diagnostics_test.cc has it.
#include <cstring>
#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/serialization/crc32c.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {
namespace {

using std::string;

string TextError(absl::string_view text) {
  TextOptions options;
  options.file = "g.tnt";
  const absl::StatusOr<Graph> graph = ParseText(text, options);
  return graph.ok() ? "loaded" : string(graph.status().message());
}

// What is said of the graph in a file in which `lie` has changed something.
string FileError(absl::string_view text, const std::function<void(v1::Graph&)>& lie) {
  TextOptions options;
  options.file = "g.tnt";
  const string bytes = *SerializeGraph(*ParseText(text, options));
  constexpr size_t kHeaderSize = 32;
  uint64_t size = 0;
  std::memcpy(&size, bytes.data() + 16, sizeof(size));
  v1::Graph message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data() + kHeaderSize, static_cast<int>(size)));
  lie(message);
  string changed = bytes.substr(0, kHeaderSize) + message.SerializeAsString();
  size = changed.size() - kHeaderSize;
  const uint32_t checksum = Crc32c(absl::string_view(changed).substr(kHeaderSize));
  std::memcpy(changed.data() + 16, &size, sizeof(size));
  std::memcpy(changed.data() + 12, &checksum, sizeof(checksum));
  const absl::StatusOr<Graph> graph = ParseGraph(changed);
  return graph.ok() ? "loaded" : string(graph.status().message());
}

v1::Type& InputType(v1::Graph& g, int node) {
  return *g.mutable_nodes(node)->mutable_attributes(0)->mutable_type_value();
}

TEST(GraphRefusals, AnImageIntoALayer) {
  EXPECT_EQ(
      TextError("graph g(x: f32[28,28]) -> (y) {\n  w = Const f32[784,10] splat 0\n  y = MatMul(x, w)\n}"),
      "error[E0201 shape-mismatch]: MatMul 'y': inner dims differ: lhs 'x' is f32[28,28], rhs 'w' is "
      "f32[784,10]\n"
      "  --> g.tnt:3:7\n"
      "  3 |   y = MatMul(x, w)\n"
      "    |       ^~~~~~\n"
      "  lhs comes from Input 'x' (g.tnt:1:9), rhs comes from Const 'w' (g.tnt:2:3)\n"
      "  help: x has 28*28 = 784 elements: Reshape(x, {-1, 784}) gives f32[1,784]; in text: x_reshape = "
      "Reshape(x, {-1, 784}), then y = MatMul(x_reshape, w)");
  EXPECT_EQ(
      FileError("graph g(x: f32[N,784]) -> (y) {\n  w = Const f32[784,10] splat 0\n  y = MatMul(x, w)\n}",
                [](v1::Graph& g) {
                  for (v1::Type* type :
                       {&InputType(g, 0), g.mutable_nodes(0)->mutable_outputs(0)->mutable_type()}) {
                    type->mutable_dims(0)->set_constant(28);
                    type->mutable_dims(1)->set_constant(28);
                  }
                }),
      "error[E0201 shape-mismatch]: MatMul 'y': inner dims differ: lhs 'x' is f32[28,28], rhs 'w' is "
      "f32[784,10]\n"
      "  --> g.tnt:3:3\n"
      "  lhs comes from Input 'x' (g.tnt:1:9), rhs comes from Const 'w' (g.tnt:2:3)\n"
      "  in node MatMul 'y'\n"
      "  help: x has 28*28 = 784 elements: Reshape(x, {-1, 784}) gives f32[1,784]");
}

TEST(GraphRefusals, AReshapeToAnotherCount) {
  EXPECT_EQ(TextError("graph g(x: f32[28,28]) -> (y) {\n  y = Reshape(x, {2, 784})\n}"),
            "error[E0208 bad-reshape]: Reshape 'y': [28,28] holds 784 elements, [2,784] holds 1568\n"
            "  --> g.tnt:2:7\n"
            "  2 |   y = Reshape(x, {2, 784})\n"
            "    |       ^~~~~~~\n"
            "  data comes from Input 'x' (g.tnt:1:9), shape comes from Const (g.tnt:2:18)\n"
            "  help: the nearest shape that holds them is {1, 784}");
  EXPECT_EQ(FileError("graph g(x: f32[28,56]) -> (y) {\n  y = Reshape(x, {2, 784})\n}",
                      [](v1::Graph& g) {
                        for (v1::Type* type :
                             {&InputType(g, 0), g.mutable_nodes(0)->mutable_outputs(0)->mutable_type()}) {
                          type->mutable_dims(1)->set_constant(28);
                        }
                      }),
            "error[E0208 bad-reshape]: Reshape 'y': [28,28] holds 784 elements, [2,784] holds 1568\n"
            "  --> g.tnt:2:3\n"
            "  data comes from Input 'x' (g.tnt:1:9), shape comes from Const (g.tnt:2:18)\n"
            "  in node Reshape 'y'\n"
            "  help: the nearest shape that holds them is {1, 784}");
}

TEST(GraphRefusals, AShapeThatIsKnownOnlyWhenItRuns) {
  EXPECT_EQ(TextError("graph g(x: f32[6], s: i64[2]) -> (y) {\n  y = Reshape(x, s)\n}"),
            "error[E0208 bad-reshape]: Reshape 'y': the new shape is not known while the graph is built\n"
            "  --> g.tnt:2:7\n"
            "  2 |   y = Reshape(x, s)\n"
            "    |       ^~~~~~~\n"
            "  data comes from Input 'x' (g.tnt:1:9), shape comes from Input 's' (g.tnt:1:20)\n"
            "  help: write it as a constant, Reshape(x, {-1, 784}), or compute it from constants");
}

TEST(GraphRefusals, NarrowWithWideIntegers) {
  EXPECT_EQ(
      TextError("graph g(a: i16[3], b: i32[3]) -> (y) {\n  y = Add(a, b)\n}"),
      "error[E0205 dtype-mismatch]: Add 'y': dtypes differ: a 'a' is i16[3], b 'b' is i32[3]\n"
      "  --> g.tnt:2:7\n"
      "  2 |   y = Add(a, b)\n"
      "    |       ^~~\n"
      "  a comes from Input 'a' (g.tnt:1:9), b comes from Input 'b' (g.tnt:1:20)\n"
      "  help: Cast(a, to=i32) loses nothing; in text: a_cast = Cast(a, to=i32), then y = Add(a_cast, b)");
  EXPECT_EQ(FileError("graph g(a: i32[3], b: i32[3]) -> (y) {\n  y = Add(a, b)\n}",
                      [](v1::Graph& g) {
                        InputType(g, 0).set_dtype("i16");
                        g.mutable_nodes(0)->mutable_outputs(0)->mutable_type()->set_dtype("i16");
                      }),
            "error[E0205 dtype-mismatch]: Add 'y': dtypes differ: a 'a' is i16[3], b 'b' is i32[3]\n"
            "  --> g.tnt:2:3\n"
            "  a comes from Input 'a' (g.tnt:1:9), b comes from Input 'b' (g.tnt:1:20)\n"
            "  in node Add 'y'\n"
            "  help: Cast(a, to=i32) loses nothing");
}

constexpr char kSoftmax[] = "graph g(x: f32[N,4]) -> (probs) {\n  probs = Softmax(x, axis=0)\n}";

TEST(GraphRefusals, UnknownOps) {
  EXPECT_EQ(TextError("graph g(x: f32[N,4]) -> (y) {\n  y = SoftMax(x)\n}"),
            "error[E0101 unknown-op]: there is no op 'SoftMax'\n"
            "  --> g.tnt:2:7\n"
            "  2 |   y = SoftMax(x)\n"
            "    |       ^~~~~~~\n"
            "  help: did you mean 'Softmax'?");
  EXPECT_EQ(FileError(kSoftmax, [](v1::Graph& g) { g.mutable_nodes(1)->set_op("SoftMax"); }),
            "error[E0101 unknown-op]: there is no op 'SoftMax'\n"
            "  --> g.tnt:2:3\n"
            "  in node SoftMax 'probs'\n"
            "  help: did you mean 'Softmax'?");
}

TEST(GraphRefusals, UnknownAttributes) {
  EXPECT_EQ(TextError("graph g(x: f32[N,4]) -> (y) {\n  y = Softmax(x, axes=0)\n}"),
            "error[E0102 bad-attribute]: Softmax has no attribute 'axes'\n"
            "  --> g.tnt:2:18\n"
            "  2 |   y = Softmax(x, axes=0)\n"
            "    |                  ^~~~\n"
            "  help: did you mean 'axis'?");
  EXPECT_EQ(
      FileError(kSoftmax, [](v1::Graph& g) { g.mutable_nodes(1)->mutable_attributes(0)->set_name("axes"); }),
      "error[E0102 bad-attribute]: Softmax 'probs': there is no attribute 'axes'\n"
      "  --> g.tnt:2:3\n"
      "  x comes from Input 'x' (g.tnt:1:9)\n"
      "  in node Softmax 'probs'\n"
      "  help: did you mean 'axis'?");
}

TEST(GraphRefusals, UnknownInputsAndOutputs) {
  EXPECT_EQ(TextError("graph g(image: f32[N,4]) -> (prob) {\n  probs = Softmax(images)\n}"),
            "error[E0107 unknown-name]: there is no value 'prob'\n"
            "  --> g.tnt:1:30\n"
            "  1 | graph g(image: f32[N,4]) -> (prob) {\n"
            "    |                              ^~~~\n"
            "  help: did you mean 'probs'?\n"
            "error[E0107 unknown-name]: there is no value 'images'\n"
            "  --> g.tnt:2:19\n"
            "  2 |   probs = Softmax(images)\n"
            "    |                   ^~~~~~\n"
            "  help: did you mean 'image'?");
  EXPECT_EQ(
      FileError(kSoftmax, [](v1::Graph& g) { g.mutable_nodes(1)->set_inputs(0, 9); }),
      "error[E0502 bad-graph-file]: the file's structure is wrong: value 9 is read, but only 2 are produced\n"
      "  --> g.tnt:2:3\n"
      "  in node Softmax 'probs'\n"
      "  help: write it again from its source");
  EXPECT_EQ(
      FileError(kSoftmax, [](v1::Graph& g) { g.mutable_outputs(0)->set_value(9); }),
      "error[E0502 bad-graph-file]: the file's structure is wrong: value 9 is read, but only 2 are produced\n"
      "  help: write it again from its source");
}

TEST(GraphRefusals, Cycles) {
  EXPECT_EQ(TextError("graph g(x: f32[4]) -> (y) {\n  y = Add(x, z)\n  z = Neg(y)\n}"),
            "error[E0106 cycle]: 'z' is read before it is computed, at line 3\n"
            "  --> g.tnt:2:14\n"
            "  2 |   y = Add(x, z)\n"
            "    |              ^\n"
            "  help: statements stand in the order of computation, and a graph has no cycles");
  EXPECT_EQ(TextError("graph g(x: f32[4]) -> (y) {\n  y = Add(x, y)\n}"),
            "error[E0106 cycle]: 'y' depends on itself\n"
            "  --> g.tnt:2:14\n"
            "  2 |   y = Add(x, y)\n"
            "    |              ^\n"
            "  help: statements stand in the order of computation, and a graph has no cycles");
  EXPECT_EQ(FileError(kSoftmax, [](v1::Graph& g) { g.mutable_nodes(1)->set_inputs(0, 1); }),
            "error[E0106 cycle]: value 1 is read before it is produced\n"
            "  --> g.tnt:2:3\n"
            "  in node Softmax 'probs'\n"
            "  help: write the file again from its source: a graph has no cycles");
}

TEST(GraphRefusals, NamesThatOccurTwice) {
  EXPECT_EQ(TextError("graph g(x: f32[4]) -> (y) {\n  y = Neg(x)\n  y = Exp(x)\n}"),
            "error[E0104 duplicate-name]: 'y' is defined twice: first at line 2\n"
            "  --> g.tnt:3:3\n"
            "  3 |   y = Exp(x)\n"
            "    |   ^\n"
            "  help: give one of them another name");
  EXPECT_EQ(TextError("graph g(x: f32[4]) -> (x, x) {\n}"),
            "error[E0104 duplicate-name]: the graph already has an output 'x'\n"
            "  --> g.tnt:1:27\n"
            "  1 | graph g(x: f32[4]) -> (x, x) {\n"
            "    |                           ^\n"
            "  help: give one of them another name");
  EXPECT_EQ(FileError(kSoftmax, [](v1::Graph& g) { g.mutable_nodes(1)->mutable_outputs(0)->set_name("x"); }),
            "error[E0104 duplicate-name]: two values are named 'x'\n"
            "  --> g.tnt:2:3\n"
            "  in node Softmax 'x'\n"
            "  help: give one of them another name in the source, and write the file again");
  EXPECT_EQ(FileError(kSoftmax, [](v1::Graph& g) { *g.add_outputs() = g.outputs(0); }),
            "error[E0104 duplicate-name]: the graph already has an output 'probs'\n"
            "  help: give one of them another name");
}

TEST(GraphRefusals, ANewerVersion) {
  EXPECT_EQ(TextError("tenfold 2\n\ngraph g(x: f32[4]) -> (x) {\n}"),
            "error[E0503 unsupported-version]: the text is in version 2 of the format; this Tenfold reads "
            "version 1\n"
            "  --> g.tnt:1:9\n"
            "  1 | tenfold 2\n"
            "    |         ^\n"
            "  help: read it with the Tenfold that wrote it, or a later one");
  string bytes = *SerializeGraph(*ParseText(kSoftmax));
  bytes[8] = 2;
  EXPECT_EQ(string(ParseGraph(bytes).status().message()),
            "error[E0503 unsupported-version]: the file is in version 2 of the format; this Tenfold reads "
            "version 1\n"
            "  help: read it with the Tenfold that wrote it, or a later one");
}

TEST(GraphRefusals, ReferencesOutOfTheFolder) {
  EXPECT_EQ(TextError("graph g() -> (w) {\n  w = Const @\"../weights.npz:w\"\n}"),
            "error[E0525 reference-outside]: the array ../weights.npz: w lies outside the graph's folder\n"
            "  --> g.tnt:2:14\n"
            "  2 |   w = Const @\"../weights.npz:w\"\n"
            "    |              ^~~~~~~~~~~~~~~~~~\n"
            "  help: name a file beneath it, such as @\"data/weights.npz:w1\"");
  EXPECT_EQ(
      FileError("graph g() -> (w) {\n  w = Const f32[2] {1, 2}\n}",
                [](v1::Graph& g) {
                  v1::ExternalArray& external =
                      *g.mutable_nodes(0)->mutable_attributes(0)->mutable_tensor_value()->mutable_external();
                  external.set_file("../weights.npz");
                  external.set_member("w");
                }),
      "error[E0525 reference-outside]: the array ../weights.npz: w lies outside the graph's folder\n"
      "  --> g.tnt:2:3\n"
      "  in node Const 'w'\n"
      "  help: name a file beneath it, such as @\"data/weights.npz:w1\"");
}

}  // namespace
}  // namespace tenfold
