// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/tnf.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tests/graph/text/sample_graphs.h"

namespace tenfold {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Print(const Graph& graph) { return PrintText(graph, {.types = true, .locations = true}); }

Graph RoundTrip(const Graph& graph) {
  const absl::StatusOr<std::string> bytes = SerializeGraph(graph);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  absl::StatusOr<Graph> back = ParseGraph(*bytes);
  EXPECT_TRUE(back.ok()) << back.status().message();
  return back.ok() ? *std::move(back) : Graph();
}

Graph ConstGraph(Tensor tensor) {
  Graph graph;
  const NodeId node =
      *graph.AddNode(*graph.registry().Find("Const"), {}, {{"value", std::move(tensor)}}, {"w"}, {});
  (void)graph.AddOutput("w", graph.node(node).outputs[0]);
  return graph;
}

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = absl::StrCat(testing::TempDir(), "/tnf.XXXXXX");
    path_ = ::mkdtemp(pattern.data());
  }
  std::string operator/(const char* name) const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

void Write(const std::string& path, absl::string_view text) {
  std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

// Those of many columns stand in the data section, as constants do.
TEST(Tnf, KeepsContracts) {
  Graph graph = *ParseText("graph g(x: f64[N,1000], y: i8[2]) -> (x, y) {\n}");
  Contract& contract = graph.contracts["x"];
  contract.type = graph.value(*graph.FindValue("x")).type;
  contract.samples = {"train.npy"};
  contract.axis = 1;
  contract.rows = 7;
  std::vector<double> least(1000), greatest(1000);
  std::vector<int64_t> nans(1000);
  for (int i = 0; i < 1000; ++i) least[i] = 0.1 * i, greatest[i] = least[i] + 1e-17 * i, nans[i] = i % 7;
  contract.min = *Tensor::FromVector(least, Dims{1000});
  contract.max = *Tensor::FromVector(greatest, Dims{1000});
  contract.nans = *Tensor::FromVector(nans, Dims{1000});
  ASSERT_TRUE(VerifyGraph(graph).ok()) << VerifyGraph(graph);
  const Graph back = RoundTrip(graph);
  EXPECT_TRUE(back.contracts == graph.contracts);
  EXPECT_EQ(*SerializeGraph(back), *SerializeGraph(graph));
  EXPECT_TRUE(ParseText(PrintText(graph))->contracts == graph.contracts);

  const TempFolder folder;
  ASSERT_TRUE(SaveGraph(graph, folder / "g.tnf", {.external_bytes = 2000}).ok());
  const absl::StatusOr<Graph> loaded = LoadGraph(folder / "g.tnf");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->contracts == graph.contracts);
}

TEST(Tnf, KeepsGraphsAsTheyAre) {
  for (const std::string& text : CanonicalTexts()) {
    const Graph graph = *ParseText(text);
    const Graph back = RoundTrip(graph);
    EXPECT_EQ(Print(back), Print(graph));
    EXPECT_TRUE(VerifyGraph(back).ok());
  }
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Graph graph = RandomGraph(seed);
    EXPECT_EQ(Print(RoundTrip(graph)), Print(graph)) << seed;
  }
}

TEST(Tnf, EqualGraphsGiveEqualBytes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::string bytes = *SerializeGraph(RandomGraph(seed));
    EXPECT_EQ(*SerializeGraph(RandomGraph(seed)), bytes);
    EXPECT_EQ(*SerializeGraph(*ParseGraph(bytes)), bytes);
  }
}

// Small ones in the structure, large ones in the data section, splats as one element.
TEST(Tnf, KeepsConstantsOfEveryDTypeAndSize) {
  for (DType dtype : kAllDTypes) {
    for (const Dims& dims : {Dims{}, Dims{0, 3}, Dims{7}, Dims{33, 129}}) {
      for (bool splat : {false, true}) {
        const Tensor tensor = RandomTensor(dtype, dims, 3, splat);
        const Tensor back = *RoundTrip(ConstGraph(tensor)).ConstantValue(ValueId{0});
        EXPECT_TRUE(SameBits(back, tensor)) << tensor.type().ToString();
        EXPECT_EQ(back.is_splat() && back.num_elements() > 0, tensor.is_splat() && tensor.num_elements() > 0);
      }
    }
  }
}

TEST(Tnf, AHugeSplatIsASmallFile) {
  const float one = 1;
  const Graph graph = ConstGraph(*Tensor::Splat(DType::kF32, Dims{1'000'000, 1'000'000}, &one));
  EXPECT_LT(SerializeGraph(graph)->size(), 200u);
  EXPECT_EQ(RoundTrip(graph).ConstantValue(ValueId{0})->num_elements(), 1'000'000'000'000);
}

TEST(Tnf, NansAreCanonicalInFiles) {
  for (int64_t count : {2, 5000}) {
    std::vector<uint32_t> bits(static_cast<size_t>(count),
                               0xff812345u);  // signalling, negative, with a payload
    const Tensor tensor = *Tensor::Wrap(DType::kF32, Dims{count}, bits.data(), nullptr);
    const Tensor back = *RoundTrip(ConstGraph(tensor)).ConstantValue(ValueId{0});
    uint32_t first;
    std::memcpy(&first, back.data(), sizeof(first));
    EXPECT_EQ(first, 0x7fc00000u);
  }
}

TEST(Tnf, ANameThatIsNoUtf8IsRefused) {
  Graph graph;
  graph.name = "\xff";
  EXPECT_EQ(SerializeGraph(graph).status().message(),
            "error[E0502 bad-graph-file]: the text \"\\xff\" is not UTF-8, so no file can hold it\n"
            "  help: give the value a name in UTF-8");
}

TEST(LoadGraph, ReadsBothFormsByTheirContents) {
  const TempFolder folder;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const Graph graph = RandomGraph(seed);
    ASSERT_TRUE(SaveGraph(graph, folder / "a.bin").ok());
    EXPECT_EQ(Print(*LoadGraph(folder / "a.bin")), Print(graph));
    Write(folder / "a.txt", PrintText(graph));
    EXPECT_EQ(PrintText(*LoadGraph(folder / "a.txt")), PrintText(graph));
  }
}

TEST(LoadGraph, ConstantsAreUsedWhereTheFileWasRead) {
  const TempFolder folder;
  const Tensor tensor = RandomTensor(DType::kF64, Dims{1000}, 5);
  ASSERT_TRUE(SaveGraph(ConstGraph(tensor), folder / "w.tnf").ok());
  std::optional<Tensor> loaded;
  {
    const Graph graph = *LoadGraph(folder / "w.tnf");
    loaded = *graph.ConstantValue(ValueId{0});
  }  // the memory outlives the graph
  EXPECT_EQ(reinterpret_cast<uintptr_t>(loaded->data()) % 64, 0u);
  EXPECT_TRUE(SameBits(*loaded, tensor));
}

TEST(LoadGraph, LocationsInTextNameTheFile) {
  const TempFolder folder;
  Write(folder / "model.tnt", "tenfold 1\ngraph g(x: f32[4]) -> () {\n  y = Nope(x)\n}\n");
  EXPECT_THAT(std::string(LoadGraph(folder / "model.tnt").status().message()), HasSubstr("/model.tnt:3:7"));
  Write(folder / "model.tnt", "graph g(x: f32[4]) -> () {\n}\n");
  EXPECT_THAT(std::string(LoadGraph(folder / "model.tnt").status().message()),
              HasSubstr("expected 'tenfold 1'"));
}

TEST(LoadGraph, ArraysLieBeneathTheFolderOfTheFile) {
  const TempFolder folder;
  std::string npy("\x93NUMPY\x01\x00", 8);
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  header.resize(117, ' ');
  header += '\n';
  npy += static_cast<char>(header.size());
  npy += '\0';
  npy += header;
  const float values[2] = {1, 2};
  npy.append(reinterpret_cast<const char*>(values), sizeof(values));
  Write(folder / "w.npy", npy);
  Write(folder / "model.tnt", "tenfold 1\ngraph g() -> (w) {\n  w = Const @\"w.npy\"\n}\n");
  const absl::StatusOr<Graph> graph = LoadGraph(folder / "model.tnt");
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph->ConstantValue(ValueId{0})->at<float>(1), 2);

  ASSERT_EQ(::symlink("/etc/hostname", (folder / "out.npy").c_str()), 0);
  Write(folder / "model.tnt", "tenfold 1\ngraph g() -> (w) {\n  w = Const @\"out.npy\"\n}\n");
  EXPECT_THAT(std::string(LoadGraph(folder / "model.tnt").status().message()), HasSubstr("E0525"));
}

TEST(LoadGraph, RefusesWhatIsNoGraph) {
  const TempFolder folder;
  EXPECT_THAT(std::string(LoadGraph(folder / "none.tnf").status().message()),
              StartsWith("error[E0521 file-not-found]"));
  Write(folder / "zip", std::string("PK\x03\x04\0\0", 6));
  EXPECT_EQ(LoadGraph(folder / "zip").status().message(),
            absl::StrCat("error[E0502 bad-graph-file]: the file is neither a .tnf graph nor text\n  --> ",
                         folder / "zip",
                         "\n  help: it is a zip archive: rename it, and name one of its arrays as "
                         "FILE.npz:NAME: mv ",
                         folder / "zip", " ", folder / "zip", ".npz"));
  Write(folder / "x.csv", "a,b\n1,2\n");
  EXPECT_THAT(std::string(LoadGraph(folder / "x.csv").status().message()),
              HasSubstr("help: it is a table in text; "));
  Write(folder / "large", std::string(100, ' '));
  LoadOptions options;
  options.limits.file_bytes = 99;
  EXPECT_THAT(std::string(LoadGraph(folder / "large", options).status().message()),
              HasSubstr("has 100 bytes; the limit is 99"));
}

// No standard op has lists of floats or of strings yet; those of users may.
TEST(Tnf, KeepsListsInAttributes) {
  auto registry = std::make_shared<OpRegistry>(*OpRegistry::Standard());
  OpDef op = *registry->Find("Identity");
  op.name = "Gates";
  op.attrs = {{"alpha", AttrKind::kFloats, AttrValue(std::vector<double>()), "numbers"},
              {"activations", AttrKind::kStrings, AttrValue(std::vector<std::string>()), "names"}};
  ASSERT_TRUE(registry->Add(op).ok());
  const std::string text =
      "tenfold 1\n\ngraph g(x: f32[2]) -> (y, z) {\n"
      "  y = Gates(x, activations=[\"Tanh\", \"a \\\"b\\\"\"], alpha=[0.5, -0.0, nan, inf])\n"
      "  z = Gates(x)\n}\n";
  TextOptions text_options;
  text_options.registry = registry;
  const absl::StatusOr<Graph> graph = ParseText(text, text_options);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(PrintText(*graph), text);
  const absl::StatusOr<std::string> bytes = SerializeGraph(*graph);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  LoadOptions load_options;
  load_options.registry = registry;
  const absl::StatusOr<Graph> back = ParseGraph(*bytes, load_options);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(PrintText(*back), text);
  const absl::Status wrong =
      ParseText("graph g(x: f32[2]) -> (y) {\n y = Gates(x, alpha=[\"a\"])\n}", text_options).status();
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("the attribute 'alpha' of Gates is a list of numbers"));
}

}  // namespace
}  // namespace tenfold
