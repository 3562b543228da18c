// SPDX-License-Identifier: Apache-2.0
//
// Tensors of models: every dtype, every field that holds elements, files beside the model; and hostile ones.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/import.h"
#include "tenfold/graph/onnx/model_file.h"
#include "tenfold/tests/graph/onnx/model_text.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
using std::string;

string TempPath(const string& name) { return fs::canonical(testing::TempDir()).string() + "/" + name; }

void Write(const string& path, const string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

onnx::TensorProto TensorOf(const string& text) {
  onnx::TensorProto proto;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
  return proto;
}

// As ReadOnnxTensor reads it from a file.
string Read(const onnx::TensorProto& proto) {
  const string path = TempPath("tensor.pb");
  Write(path, proto.SerializeAsString());
  const absl::StatusOr<Tensor> tensor = ReadOnnxTensor(path);
  if (tensor.ok()) return tensor->ToString();
  string message(tensor.status().message());
  return message.substr(0, message.find("\n  -->"));
}

string ReadText(const string& text) { return Read(TensorOf(text)); }

TEST(OnnxTensor, HoldsElementsInTheFieldOfItsDType) {
  EXPECT_EQ(ReadText("dims: 2 data_type: 1 float_data: [1.5, -0]"), "f32[2] {1.5, -0}");
  EXPECT_EQ(ReadText("dims: 2 data_type: 2 int32_data: [0, 255]"), "u8[2] {0, 255}");
  EXPECT_EQ(ReadText("dims: 2 data_type: 3 int32_data: [-128, 127]"), "i8[2] {-128, 127}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 4 int32_data: 65535"), "u16[1] {65535}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 5 int32_data: -2"), "i16[1] {-2}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 6 int32_data: -2"), "i32[1] {-2}");
  EXPECT_EQ(ReadText("data_type: 7 int64_data: -2"), "i64[] {-2}");
  EXPECT_EQ(ReadText("dims: 2 data_type: 9 int32_data: [1, 0]"), "bool[2] {true, false}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 10 int32_data: 15360"), "f16[1] {1}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 11 double_data: 0.1"), "f64[1] {0.1}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 12 uint64_data: 4294967295"), "u32[1] {4294967295}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 13 uint64_data: 18446744073709551615"),
            "u64[1] {18446744073709551615}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 16 int32_data: 16256"), "bf16[1] {1}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 17 int32_data: 56"), "f8e4m3fn[1] {1}");
  EXPECT_EQ(ReadText("dims: 1 data_type: 19 int32_data: 60"), "f8e5m2[1] {1}");
  EXPECT_EQ(ReadText("dims: 3 data_type: 21 int32_data: [33, 255]"), "u4[3] {1, 2, 15}");
  EXPECT_EQ(ReadText("dims: 3 data_type: 22 int32_data: [33, 15]"), "i4[3] {1, 2, -1}");
  EXPECT_EQ(ReadText("dims: [0, 3] data_type: 1"), "f32[0,3] {}");
}

TEST(OnnxTensor, HoldsElementsAsBytes) {
  EXPECT_EQ(ReadText("dims: 2 data_type: 1 raw_data: \"\\000\\000\\200\\077\\000\\000\\000\\100\""),
            "f32[2] {1, 2}");
  EXPECT_EQ(ReadText("dims: 3 data_type: 22 raw_data: \"\\041\\377\""), "i4[3] {1, 2, -1}");
  EXPECT_EQ(ReadText("dims: 2 data_type: 9 raw_data: \"\\001\\002\""),
            "error[E0304 bad-bool]: a bool of a tensor is stored as 2, but false is 0 and true is 1");
}

TEST(OnnxTensor, StaysWhereItLiesIfItIsLarge) {
  onnx::TensorProto raw = TensorOf("dims: 200 data_type: 1");
  onnx::TensorProto typed = raw;
  for (int i = 0; i < 200; ++i) {
    const float value = static_cast<float>(i);
    raw.mutable_raw_data()->append(reinterpret_cast<const char*>(&value), sizeof(value));
    typed.add_float_data(value);
  }
  for (const onnx::TensorProto& proto : {raw, typed}) {
    const string bytes = proto.SerializeAsString();
    const absl::StatusOr<string> rest = onnx::DetachData(bytes, onnx::MessageKind::kTensor, {});
    ASSERT_TRUE(rest.ok());
    EXPECT_LT(rest->size(), 40u);
    EXPECT_TRUE(absl::StartsWith(Read(proto), "f32[200] {0, 1, 2, 3, 4, 5,")) << Read(proto);
  }
  // What a file says of itself is not believed.
  onnx::TensorProto forged = TensorOf("dims: 1 data_type: 1 detached { offset: 0 size: 4 field: 9 }");
  EXPECT_EQ(Read(forged), "error[E0901 bad-onnx-file]: a tensor is f32[1], which takes 4 bytes, but has 0");
}

TEST(OnnxTensor, RefusesWhatItCannotBe) {
  EXPECT_EQ(ReadText("dims: 2 data_type: 1 float_data: 1 name: \"w\""),
            "error[E0901 bad-onnx-file]: the tensor 'w' is f32[2], which takes 8 bytes, but has 4");
  EXPECT_EQ(ReadText("dims: 1 data_type: 3 int32_data: 300"),
            "error[E0901 bad-onnx-file]: a tensor holds 300, which is no i8");
  EXPECT_EQ(
      ReadText("dims: [4294967296, 4294967296] data_type: 1"),
      "error[E0901 bad-onnx-file]: a tensor has the dims [4294967296,4294967296], which no tensor can have");
  EXPECT_EQ(ReadText("dims: -1 data_type: 1"),
            "error[E0901 bad-onnx-file]: a tensor has the dims [-1], which no tensor can have");
  EXPECT_EQ(
      ReadText("dims: 1 data_type: 8"),
      "error[E0905 onnx-dtype-not-supported]: a tensor is of STRING, a dtype that Tenfold does not have");
  EXPECT_EQ(ReadText("dims: 1 data_type: 99"),
            "error[E0905 onnx-dtype-not-supported]: a tensor is of data type 99, a dtype that Tenfold does "
            "not have");
  EXPECT_EQ(ReadText("dims: 100000000000 data_type: 2"),
            "error[E0402 too-large]: a tensor has 100000000000 bytes; the limit is 68719476736");
}

// --- Files beside the model ---

string ModelWithExternal(const string& location, const string& more) {
  return ModelOfOpset(13, absl::StrCat(NodeText("Neg", {"w"}, {"y"}),
                                       "initializer { name: \"w\" data_type: 1 dims: 2 data_location: 1 ",
                                       "external_data { key: \"location\" value: \"", location, "\" } ", more,
                                       " } ", OutputText("y")));
}

class ExternalData : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = TempPath("external");
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/model");
    const std::vector<float> values = {9, 1, 2, 9};
    const string bytes(reinterpret_cast<const char*>(values.data()), 16);
    Write(folder_ + "/model/weights.bin", bytes);
    Write(folder_ + "/outside.bin", bytes);
    fs::create_symlink(folder_ + "/outside.bin", folder_ + "/model/link.bin");
  }

  string Import(const string& location, const string& more = "") {
    const string path = folder_ + "/model/model.onnx";
    Write(path, ModelWithExternal(location, more));
    const absl::StatusOr<Graph> graph = ImportOnnx(path);
    if (graph.ok()) return graph->ConstantValue(*graph->FindValue("w"))->ToString();
    const string message(graph.status().message());
    return message.substr(0, message.find("\n  -->"));
  }

  static string Entry(const string& key, const string& value) {
    return absl::StrCat("external_data { key: \"", key, "\" value: \"", value, "\" } ");
  }

  string folder_;
};

TEST_F(ExternalData, IsReadFromBeneathTheModelsFolder) {
  EXPECT_EQ(Import("weights.bin", Entry("offset", "4")), "f32[2] {1, 2}");
  EXPECT_EQ(Import("./weights.bin", Entry("offset", "4") + Entry("length", "8")), "f32[2] {1, 2}");
}

TEST_F(ExternalData, IsRefusedFromElsewhere) {
  EXPECT_TRUE(absl::StartsWith(Import("../outside.bin"), "error[E0525 reference-outside]"));
  EXPECT_TRUE(absl::StartsWith(Import("/etc/passwd"), "error[E0525 reference-outside]"));
  EXPECT_TRUE(absl::StartsWith(Import("link.bin"), "error[E0525 reference-outside]"));
  EXPECT_TRUE(absl::StartsWith(Import("none.bin"), "error[E0521 file-not-found]"));
  const string bytes = ModelWithExternal("weights.bin", "");
  EXPECT_TRUE(
      absl::StartsWith(Imported(bytes),
                       "error[E0902 bad-onnx-external-data]: the file 'weights.bin' is named, but the model "
                       "is read where no files can be opened"));
}

TEST_F(ExternalData, MustBeThere) {
  EXPECT_EQ(
      Import("weights.bin", Entry("offset", "12")),
      "error[E0902 bad-onnx-external-data]: the file 'weights.bin' has 16 bytes, but 8 from byte 12 on are "
      "named");
  EXPECT_EQ(Import("weights.bin", Entry("offset", "18446744073709551615")),
            "error[E0902 bad-onnx-external-data]: the file 'weights.bin' has 16 bytes, but 8 from byte "
            "18446744073709551615 on are named");
  EXPECT_EQ(
      Import("weights.bin", Entry("offset", "-4")),
      "error[E0902 bad-onnx-external-data]: the tensor 'w': the offset of its elements is '-4', which is no "
      "number of bytes");
  EXPECT_EQ(Import("weights.bin", Entry("length", "4")),
            "error[E0901 bad-onnx-file]: the tensor 'w' is f32[2], which takes 8 bytes, but has 4");
}

// --- Hostile bytes ---

string CodeOf(const absl::Status& status) { return status.ok() ? "" : DiagnosticsOf(status)[0].code; }

TEST(HostileOnnx, EveryPrefixAndEveryFlippedByteIsRefusedOrRead) {
  const string model = ModelOfOpset(
      13, absl::StrCat(NodeText("MatMul", {"x", "w"}, {"m"}),
                       NodeText("Softmax", {"m"}, {"y"}, IntAttr("axis", -1)),
                       "initializer { name: \"w\" data_type: 1 dims: [2, 2] float_data: [1, 2, 3, 4] } ",
                       InputText("x", "f32[N,2]"), OutputText("y")));
  ASSERT_TRUE(absl::StartsWith(Imported(model), "graph g("));
  for (size_t size = 0; size < model.size(); ++size) {
    const absl::StatusOr<Graph> graph = ImportOnnxBytes(model.substr(0, size), "model.onnx");
    EXPECT_NE(CodeOf(graph.status()), "E9001") << size;
  }
  for (size_t i = 0; i < model.size(); ++i) {
    for (const int flip : {1, 0x10, 0x80, 0xff}) {
      string changed = model;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const absl::StatusOr<Graph> graph = ImportOnnxBytes(changed, "model.onnx");
      EXPECT_NE(CodeOf(graph.status()), "E9001") << i;
    }
  }
}

TEST(HostileOnnx, NestingAndSizeAreLimited) {
  string graph = NodeText("Neg", {"x"}, {"y"}) + OutputText("y");
  for (int i = 0; i < 40; ++i) {
    const string body = absl::StrCat(" type: 5 g { name: \"b\" ", graph, " } } ");
    graph = NodeText("If", {"c"}, {"y"},
                     absl::StrCat("attribute { name: \"then_branch\"", body,
                                  "attribute { name: \"else_branch\" type: "
                                  "5 g { name: \"e\" ",
                                  NodeText("Neg", {"x"}, {"y"}), OutputText("y"), " } } ")) +
            OutputText("y");
  }
  const string model =
      ModelOfOpset(13, absl::StrCat(graph, InputText("x", "f32[1]"), InputText("c", "bool[]")));
  const string refusal = Imported(model);
  EXPECT_EQ(refusal.substr(0, refusal.find('\n')),
            "error[E0402 too-large]: graphs are nested more than 8 deep");
  OnnxOptions options;
  options.limits.graph_bytes = 100;
  const string large = Imported(
      ModelOfOpset(13, NodeText("Neg", {"x"}, {"y"}, "name: \"" + string(100, 'n') + "\"")), options);
  EXPECT_EQ(large.substr(0, large.find('\n')),
            "error[E0402 too-large]: the structure of the model, without its weights, has more than 100 "
            "bytes, which "
            "is the limit");
}

TEST(HostileOnnx, OtherFilesAreNamed) {
  EXPECT_EQ(Imported("PK\x03\x04"
                     "abcdefgh")
                .substr(0, 25),
            "error[E0901 bad-onnx-file");
  EXPECT_EQ(Imported(""), "error[E0901 bad-onnx-file]: the file holds no ONNX graph\n  --> model.onnx");
}

}  // namespace
}  // namespace tenfold
