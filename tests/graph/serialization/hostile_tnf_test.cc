// SPDX-License-Identifier: Apache-2.0
//
// No .tnf file crashes the reader, and every lie in one is told.
#include <cstring>
#include <functional>
#include <random>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/serialization/crc32c.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tests/graph/text/sample_graphs.h"

namespace tenfold {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr size_t kHeaderSize = 32;

template <typename T>
void Put(std::string& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

// A sound file around any structure, sound or not.
std::string FileOf(const std::string& structure, const std::string& data = "") {
  std::string bytes(kHeaderSize, '\0');
  std::memcpy(bytes.data(), "\x93TENFOLD", 8);
  Put<uint32_t>(bytes, 8, 1);
  Put<uint64_t>(bytes, 16, structure.size());
  Put<uint64_t>(bytes, 24, data.size());
  bytes += structure;
  if (!data.empty()) {
    bytes.resize((bytes.size() + 63) / 64 * 64);
    bytes += data;
  }
  Put<uint32_t>(bytes, 12, Crc32c(absl::string_view(bytes).substr(kHeaderSize)));
  return bytes;
}

v1::Graph Encoded(absl::string_view text) {
  const std::string bytes = *SerializeGraph(*ParseText(text));
  uint64_t size;
  std::memcpy(&size, bytes.data() + 16, sizeof(size));
  v1::Graph graph;
  EXPECT_TRUE(graph.ParseFromArray(bytes.data() + kHeaderSize, static_cast<int>(size)));
  return graph;
}

std::string Refusal(const std::string& bytes, const LoadOptions& options = {}) {
  const absl::StatusOr<Graph> graph = ParseGraph(bytes, options);
  EXPECT_FALSE(graph.ok());
  return std::string(graph.status().message());
}

std::string Refusal(const v1::Graph& graph, const std::string& data = "", const LoadOptions& options = {}) {
  return Refusal(FileOf(graph.SerializeAsString(), data), options);
}

void Try(const std::string& bytes) {
  const absl::StatusOr<Graph> graph = ParseGraph(bytes);
  if (graph.ok()) {
    ASSERT_TRUE(VerifyGraph(*graph).ok());
    PrintText(*graph);
  } else {
    for (const Diagnostic& d : DiagnosticsOf(graph.status())) ASSERT_NE(d.code, "E9001") << d.message;
  }
}

std::vector<std::string> SampleFiles() {
  std::vector<std::string> files;
  for (const std::string& text : CanonicalTexts()) files.push_back(*SerializeGraph(*ParseText(text)));
  files.push_back(*SerializeGraph(RandomGraph(4)));
  files.push_back(*SerializeGraph(
      *ParseText("graph g() -> (w) {\n w = Const f32[2] {1, 2}\n big = Const f32[300] {" + [] {
        std::string list = "0";
        for (int i = 1; i < 300; ++i) absl::StrAppend(&list, ",", i);
        return list;
      }() + "}\n}")));
  return files;
}

TEST(HostileTnf, EveryPrefixIsRefused) {
  for (const std::string& bytes : SampleFiles()) {
    for (size_t n = 0; n < bytes.size(); ++n)
      EXPECT_FALSE(ParseGraph(absl::string_view(bytes).substr(0, n)).ok()) << n;
  }
}

TEST(HostileTnf, EveryChangedByteIsNoticed) {
  std::mt19937_64 random(5);
  for (std::string bytes : SampleFiles()) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      const char kept = bytes[i];
      bytes[i] = static_cast<char>(kept + 1 + random() % 255);
      EXPECT_FALSE(ParseGraph(bytes).ok()) << i;
      bytes[i] = kept;
    }
  }
}

// The same behind a checksum that was made to fit.
TEST(HostileTnf, MutatedStructuresGiveAGraphOrAnError) {
  std::mt19937_64 random(6);
  for (const std::string& bytes : SampleFiles()) {
    for (int i = 0; i < 4000; ++i) {
      std::string mutated = bytes;
      for (uint64_t k = 0; k <= random() % 3; ++k) {
        const size_t at = kHeaderSize + random() % (mutated.size() - kHeaderSize);
        mutated[at] = random() % 2 == 0 ? static_cast<char>(random())
                                        : static_cast<char>(mutated[at] ^ (1 << random() % 8));
      }
      Put<uint32_t>(mutated, 12, Crc32c(absl::string_view(mutated).substr(kHeaderSize)));
      Try(mutated);
    }
    // Prefixes of the structure, as whole files.
    const std::string structure = bytes.substr(kHeaderSize);
    for (size_t n = 0; n < std::min<size_t>(structure.size(), 2000); ++n) Try(FileOf(structure.substr(0, n)));
  }
}

TEST(HostileTnf, LiesInContractsAreTold) {
  const v1::Graph good = Encoded(
      "graph g(x: f32[N,2] contract(\"a.npy\", rows=3, axis=1, min=f32[2] {1, 2}, max=f32[2] {3, 4}, "
      "nans=i64[2] "
      "{0, 1}), y: f32[2]) -> (x, y) {\n z = Neg(y)\n}");
  ASSERT_EQ(good.contracts_size(), 1);
  const struct {
    const char* error;
    std::function<void(v1::Contract&)> lie;
  } kLies[] = {
      {"the contract of 'q': the graph has no such input", [](v1::Contract& c) { c.set_input("q"); }},
      {"the contract of 'z': the graph has no such input", [](v1::Contract& c) { c.set_input("z"); }},
      {"a name is empty", [](v1::Contract& c) { c.clear_input(); }},
      {"the contract of 'y': axis 1 of f32[2] has no columns", [](v1::Contract& c) { c.set_input("y"); }},
      {"axis 0 of f32[N,2] has no columns", [](v1::Contract& c) { c.set_axis(0); }},
      {"axis 7 of f32[N,2] has no columns", [](v1::Contract& c) { c.set_axis(7); }},
      {"axis 4294967295 is none", [](v1::Contract& c) { c.set_axis(~0u); }},
      {"its least values are f32[2], not f32[1]", [](v1::Contract& c) { c.clear_axis(); }},
      {"it saw -1 rows", [](v1::Contract& c) { c.set_rows(-1); }},
      {"it saw 0 rows", [](v1::Contract& c) { c.clear_rows(); }},
      {"there is no dtype ''", [](v1::Contract& c) { c.clear_min(); }},
      {"its greatest values are i32[2], not f32[2]",
       [](v1::Contract& c) { c.mutable_max()->set_dtype("i32"); }},
      {"f32[3] needs 12 bytes, but has 8", [](v1::Contract& c) { c.mutable_max()->set_dims(0, 3); }},
      {"its least values are f32[2,1], not f32[2]", [](v1::Contract& c) { c.mutable_min()->add_dims(1); }},
      {"its least values are f32[1000000] splat, not f32[2]",
       [](v1::Contract& c) {
         c.mutable_min()->set_dims(0, 1000000);
         c.mutable_min()->set_splat(std::string(4, '\0'));
       }},
      {"the range of column 0 is empty: from 1 to 0",
       [](v1::Contract& c) { c.mutable_max()->set_inline_(std::string(8, '\0')); }},
      {"the range of column 0 is NaN",
       [](v1::Contract& c) { c.mutable_max()->set_inline_(std::string(8, '\xff')); }},
      {"it counts -1 NaNs in column 0 of 3 rows",
       [](v1::Contract& c) { c.mutable_nans()->set_inline_(std::string(16, '\xff')); }},
      {"its counts of NaN are i64[1], not i64[2]",
       [](v1::Contract& c) {
         c.mutable_nans()->set_dims(0, 1);
         c.mutable_nans()->mutable_inline_()->resize(8);
       }},
      {"it has counts of NaN, and none of them",
       [](v1::Contract& c) {
         c.mutable_nans()->set_dims(0, 0);
         c.mutable_nans()->set_inline_("");
       }},
      {"it is for f32[N,3], and the input is f32[N,2]",
       [](v1::Contract& c) {
         v1::Type& type = *c.mutable_type();
         type.set_dtype("f32");
         type.add_dims()->set_expression("N");
         type.add_dims()->set_constant(3);
       }},
      {"a contract has a field that version 1 does not know",
       [](v1::Contract& c) { c.GetReflection()->MutableUnknownFields(&c)->AddVarint(99, 1); }},
  };
  EXPECT_TRUE(ParseGraph(FileOf(good.SerializeAsString())).ok());
  for (const auto& [error, lie] : kLies) {
    v1::Graph graph = good;
    lie(*graph.mutable_contracts(0));
    EXPECT_THAT(Refusal(graph), HasSubstr(error));
  }
  v1::Graph twice = good;
  *twice.add_contracts() = good.contracts(0);
  EXPECT_THAT(Refusal(twice), HasSubstr("the contract of 'x': there are two"));
  v1::Graph nested = Encoded(
      "graph g(x: f32[2]) -> (y) {\n y = Fused(x) {\n graph b(x: f32[2]) -> (t) {\n t = Neg(x)\n}\n}\n}");
  v1::Contract& inner = *nested.mutable_nodes(1)->mutable_body()->add_contracts();
  inner = good.contracts(0);
  EXPECT_THAT(Refusal(nested), HasSubstr("the contract of 'x': inputs of a body have none"));
}

// A record of what was done to an array, but not by which policy, would be lost when the graph is written
// again.
TEST(HostileTnf, WhatWasDoneToAnArrayNeedsAPolicy) {
  v1::Graph graph = Encoded("tenfold 1\ngraph g() -> (c) {\n  c = Const f32[2] {1, 2}\n}\n");
  v1::Ingest& ingest = *graph.mutable_nodes(0)->mutable_provenance()->mutable_ingest();
  ingest.set_source("f64");
  ingest.set_changed(1);
  EXPECT_THAT(Refusal(graph), HasSubstr("what was done to an array has no policy"));
  ingest.set_policy("cast=nearest");
  EXPECT_TRUE(ParseGraph(FileOf(graph.SerializeAsString())).ok());
}

TEST(HostileTnf, TheFrameIsChecked) {
  const std::string good = *SerializeGraph(*ParseText("graph g() -> () {\n}"));
  EXPECT_EQ(Refusal(""),
            "error[E0502 bad-graph-file]: these bytes are no .tnf graph: they do not begin as one");
  EXPECT_EQ(Refusal(good.substr(0, 20)),
            "error[E0502 bad-graph-file]: the .tnf file is cut off in its header\n  help: write it again "
            "from its source");
  EXPECT_THAT(Refusal(good.substr(0, good.size() - 1)), HasSubstr("is cut off: it has 34 bytes of 35"));
  EXPECT_THAT(Refusal(good + "x"), HasSubstr("goes on behind its end at byte 35"));
  std::string bytes = good;
  bytes.back() ^= 1;
  EXPECT_THAT(Refusal(bytes), HasSubstr("has been changed since it was written: its checksum differs"));
  bytes = good;
  Put<uint32_t>(bytes, 8, 2);
  EXPECT_EQ(Refusal(bytes),
            "error[E0503 unsupported-version]: the file is in version 2 of the format; this Tenfold reads "
            "version 1\n"
            "  help: read it with the Tenfold that wrote it, or a later one");
  bytes = good;
  Put<uint64_t>(bytes, 16, ~uint64_t{0});
  EXPECT_THAT(Refusal(bytes), HasSubstr("E0402"));
  bytes = good;
  Put<uint64_t>(bytes, 24, ~uint64_t{0});
  EXPECT_THAT(Refusal(bytes), HasSubstr("is cut off"));
  EXPECT_THAT(Refusal(FileOf("\xff\xff")), HasSubstr("has a structure that is no message of graph.proto"));
}

// Input x, Const w, MatMul m, Softmax y; each case tells one lie about them.
TEST(HostileTnf, EveryLieIsTold) {
  const v1::Graph sound = Encoded(
      "graph g(x: f32[N,4]) where N in [1,9] -> (y) {\n w = Const f32[4,2] {1, 2, 3, 4, 5, 6, 7, 8}\n"
      " m = MatMul(x, w)\n y = Softmax(m, axis=0)\n}");
  ASSERT_TRUE(ParseGraph(FileOf(sound.SerializeAsString())).ok());
  struct Case {
    const char* error;
    std::function<void(v1::Graph&)> lie;
  };
  const auto tensor = [](v1::Graph& g) {
    return g.mutable_nodes(1)->mutable_attributes(0)->mutable_tensor_value();
  };
  const Case kCases[] = {
      {"error[E0101 unknown-op]: there is no op 'MatMull'\n  --> text:3:2\n  in node MatMull 'm'\n  help: "
       "did you mean 'MatMul'?",
       [](v1::Graph& g) { g.mutable_nodes(2)->set_op("MatMull"); }},
      {"error[E0102 bad-attribute]: Softmax 'y': there is no attribute 'axes'",
       [](v1::Graph& g) { g.mutable_nodes(3)->mutable_attributes(0)->set_name("axes"); }},
      {"error[E0102 bad-attribute]: the attribute 'axis' is given twice",
       [](v1::Graph& g) { *g.mutable_nodes(3)->add_attributes() = g.nodes(3).attributes(0); }},
      {"is true, a bool, but must be an int",
       [](v1::Graph& g) { g.mutable_nodes(3)->mutable_attributes(0)->set_bool_value(true); }},
      {"the attribute 'axis' has no value",
       [](v1::Graph& g) { g.mutable_nodes(3)->mutable_attributes(0)->clear_value(); }},
      {"error[E0103 wrong-arity]", [](v1::Graph& g) { g.mutable_nodes(2)->add_inputs(0); }},
      {"error[E0104 duplicate-name]: two values are named 'm'",
       [](v1::Graph& g) { g.mutable_nodes(3)->mutable_outputs(0)->set_name("m"); }},
      {"error[E0104 duplicate-name]: the graph already has an output 'y'",
       [](v1::Graph& g) { *g.add_outputs() = g.outputs(0); }},
      {"error[E0106 cycle]: value 3 is read before it is produced",
       [](v1::Graph& g) { g.mutable_nodes(2)->set_inputs(0, 3); }},
      {"value 4 is read, but only 4 are produced",
       [](v1::Graph& g) { g.mutable_nodes(2)->set_inputs(0, 4); }},
      {"value 4294967295 is read, but only 4 are produced",
       [](v1::Graph& g) { g.mutable_outputs(0)->set_value(~0u); }},
      {"error[E0504 type-disagrees]: 'm' is stored as f32[N,3], but is f32[N,2]",
       [](v1::Graph& g) {
         g.mutable_nodes(2)->mutable_outputs(0)->mutable_type()->mutable_dims(1)->set_constant(3);
       }},
      {"'m' is stored as f64[N,2], but is f32[N,2]",
       [](v1::Graph& g) { g.mutable_nodes(2)->mutable_outputs(0)->mutable_type()->set_dtype("f64"); }},
      {"the op gives 1 results, but 2 are listed",
       [](v1::Graph& g) {
         *g.mutable_nodes(2)->add_outputs() = g.nodes(2).outputs(0),
         g.mutable_nodes(2)->mutable_outputs(1)->set_name("q");
       }},
      {"a name is empty", [](v1::Graph& g) { g.mutable_nodes(2)->mutable_outputs(0)->clear_name(); }},
      {"a name is empty", [](v1::Graph& g) { g.clear_name(); }},
      {"error[E0201 shape-mismatch]", [](v1::Graph& g) { g.mutable_nodes(2)->set_inputs(0, 1); }},
      {"no dim lies within the bounds of 'N'", [](v1::Graph& g) { g.mutable_symbol_bounds(0)->set_min(10); }},
      {"no dim lies within the bounds of 'N'", [](v1::Graph& g) { g.mutable_symbol_bounds(0)->set_min(-1); }},
      {"the symbol 'N' has bounds twice", [](v1::Graph& g) { *g.add_symbol_bounds() = g.symbol_bounds(0); }},
      {"there is no dtype 'f99'", [=](v1::Graph& g) { tensor(g)->set_dtype("f99"); }},
      {"f32[4,2] needs 32 bytes, but has 31",
       [=](v1::Graph& g) { tensor(g)->mutable_inline_()->pop_back(); }},
      {"a tensor has no contents", [=](v1::Graph& g) { tensor(g)->clear_contents(); }},
      {"no tensor can be f32[4,-2]", [=](v1::Graph& g) { tensor(g)->set_dims(1, -2); }},
      {"no tensor can be",
       [=](v1::Graph& g) { tensor(g)->set_dims(0, int64_t{1} << 62), tensor(g)->set_dims(1, 8); }},
      {"E0402", [=](v1::Graph& g) { tensor(g)->set_dims(0, int64_t{1} << 61); }},
      {"a bool is stored as 2",
       [=](v1::Graph& g) { tensor(g)->set_dtype("bool"), tensor(g)->set_inline_(std::string(8, '\2')); }},
      {"a bool is stored as 255",
       [=](v1::Graph& g) { tensor(g)->set_dtype("bool"), tensor(g)->set_splat("\xff"); }},
      {"a splat of f32 is 3 bytes long", [=](v1::Graph& g) { tensor(g)->set_splat("abc"); }},
      {"a tensor lies outside the data section",
       [=](v1::Graph& g) { tensor(g)->mutable_data()->set_size(32); }},
      {"a tensor lies outside the data section",
       [=](v1::Graph& g) { tensor(g)->mutable_data()->set_offset(~uint64_t{0} - 63); }},
      {"E0525 reference-outside", [=](v1::Graph& g) { tensor(g)->mutable_external()->set_file("../w.npy"); }},
      {"E0524 bad-reference", [=](v1::Graph& g) { tensor(g)->mutable_external()->set_file("w.npy"); }},
      {"a dim is -1",
       [](v1::Graph& g) {
         g.mutable_nodes(0)->mutable_attributes(0)->mutable_type_value()->mutable_dims(1)->set_constant(-1);
       }},
      {"a dim has no value",
       [](v1::Graph& g) {
         g.mutable_nodes(0)->mutable_attributes(0)->mutable_type_value()->mutable_dims(1)->clear_value();
       }},
      {"E0210",
       [](v1::Graph& g) {
         g.mutable_nodes(0)->mutable_attributes(0)->mutable_type_value()->mutable_dims(1)->set_expression(
             "N+");
       }},
      {"a type of unknown rank has dims",
       [](v1::Graph& g) {
         g.mutable_nodes(0)->mutable_attributes(0)->mutable_type_value()->set_unknown_rank(true);
       }},
      {"MatMul has a body", [](v1::Graph& g) { g.mutable_nodes(2)->mutable_body(); }},
      {"Fused has no body", [](v1::Graph& g) { g.mutable_nodes(2)->set_op("Fused"); }},
      {"the inputs of the body are not of the types",
       [](v1::Graph& g) {
         g.mutable_nodes(2)->set_op("Fused"), g.mutable_nodes(2)->mutable_body()->set_name("b");
       }},
      {"a node has a field that version 1 does not know",
       [](v1::Graph& g) { g.GetReflection()->MutableUnknownFields(g.mutable_nodes(2))->AddVarint(99, 1); }},
      {"a graph has a field that version 1 does not know",
       [](v1::Graph& g) { g.GetReflection()->MutableUnknownFields(&g)->AddVarint(99, 1); }},
  };
  for (const Case& c : kCases) {
    v1::Graph graph = sound;
    c.lie(graph);
    EXPECT_THAT(Refusal(graph), HasSubstr(c.error));
  }
}

TEST(HostileTnf, ABodyThatDisagreesWithItsNodeIsRefused) {
  const v1::Graph sound = Encoded(
      "graph g(x: f32[4]) -> (y) {\n y = Fused(x) {\n graph b(x: f32[4]) -> (t) {\n t = Tanh(x)\n }\n }\n}");
  v1::Graph graph = sound;
  graph.mutable_nodes(1)->mutable_body()->mutable_nodes(1)->set_op("Nope");
  EXPECT_THAT(Refusal(graph), AllOf(HasSubstr("there is no op 'Nope'"), HasSubstr("in node Fused 'y'")));
  graph = sound;
  graph.mutable_nodes(1)->mutable_body()->clear_outputs();
  EXPECT_THAT(Refusal(graph), HasSubstr("the body of a fused node has no outputs"));
  // Also where the node lists none, so that the two agree.
  graph.mutable_nodes(1)->clear_outputs();
  graph.clear_outputs();
  EXPECT_THAT(Refusal(graph), HasSubstr("the body of a fused node has no outputs"));
}

TEST(HostileTnf, LimitsAreKept) {
  const v1::Graph sound = Encoded("graph long(x: f32[4,4]) -> (y) {\n y = Add(x, x)\n}");
  const auto refused = [&](auto set) {
    LoadOptions options;
    set(options.limits);
    return Refusal(sound, "", options);
  };
  EXPECT_THAT(refused([](Limits& l) { l.nodes = 1; }),
              HasSubstr("error[E0402 too-large]: the file has 2 nodes; the limit is 1"));
  EXPECT_THAT(refused([](Limits& l) { l.node_values = 1; }), HasSubstr("2 inputs of one node"));
  EXPECT_THAT(refused([](Limits& l) { l.rank = 1; }), HasSubstr("2 dims in a type"));
  EXPECT_THAT(refused([](Limits& l) { l.name_bytes = 3; }), HasSubstr("4 bytes in one name"));
  EXPECT_THAT(refused([](Limits& l) { l.graph_bytes = 10; }), HasSubstr("the limit is 10"));

  v1::Graph deep = sound;
  for (int i = 0; i < 30; ++i) {
    v1::Graph outer = sound;
    outer.mutable_nodes(1)->set_op("Fused");
    *outer.mutable_nodes(1)->mutable_body() = deep;
    deep = outer;
  }
  EXPECT_THAT(Refusal(deep), HasSubstr("9 levels of bodies; the limit is 8"));
  for (int i = 0; i < 1000; ++i) {  // deeper than protobuf itself goes
    v1::Graph outer;
    outer.add_nodes()->mutable_body()->Swap(&deep);
    deep.Swap(&outer);
  }
  EXPECT_THAT(Refusal(deep), HasSubstr("no message of graph.proto"));
}

// 0xffffffff says that an input is absent, where the op has such.
TEST(HostileTnf, InputsAreAbsentOnlyWhereTheyMayBe) {
  v1::Graph graph = Encoded("graph g(x: f32[4,4]) -> (y) {\n y = Slice(x, {0}, {2}, _, {1})\n}");
  v1::Node& slice = *graph.mutable_nodes(graph.nodes_size() - 1);
  ASSERT_EQ(slice.op(), "Slice");
  ASSERT_EQ(slice.inputs_size(), 5);
  EXPECT_EQ(slice.inputs(3), 0xffffffffu);
  slice.set_inputs(1, 0xffffffffu);
  EXPECT_THAT(Refusal(graph), HasSubstr("Slice 'y' needs its input 'starts', which is absent"));
  slice.set_inputs(1, 0xfffffffeu);
  EXPECT_THAT(Refusal(graph), HasSubstr("value 4294967294 is read, but only"));
  v1::Graph fused = Encoded(
      "graph g(x: f32[4]) -> (y) {\n y = Fused(x) {\n graph b(x: f32[4]) -> (t) {\n t = Tanh(x)\n }\n }\n}");
  fused.mutable_nodes(fused.nodes_size() - 1)->set_inputs(0, 0xffffffffu);
  EXPECT_THAT(Refusal(fused), HasSubstr("an input of a body is absent"));
}

}  // namespace
}  // namespace tenfold
