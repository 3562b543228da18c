// SPDX-License-Identifier: Apache-2.0
//
// What is no .safetensors file, or one that contradicts itself: each refusal's full text, and no byte
// sequence that does harm.
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/ingest/safetensors_writer.h"
#include "tenfold/tests/graph/ingest/safetensors_bytes.h"

namespace tenfold {
namespace {

using std::string;

string Error(const string& bytes, const Limits& limits = {}) {
  const absl::Status status = ReadSafetensors(bytes, "w.safetensors", {.limits = limits}).status();
  return string(status.message());
}

// Of a header, with the help that all of them have.
string BadHeader(const string& what) {
  return "error[E0330 bad-safetensors]: 'w.safetensors' has a bad .safetensors header: " + what +
         "\n  help: write the file again, with safetensors' save_file or tenfold's SaveSafetensors";
}

string HeaderError(const string& json, size_t data_bytes = 8) {
  return Error(SafetensorsBytes(json, string(data_bytes, '\0')));
}

constexpr char kCutOff[] =
    "\n  help: the file was cut off while it was written or copied: write or copy it again";

TEST(SafetensorsRefusal, TheFile) {
  EXPECT_EQ(Error(""),
            "error[E0330 bad-safetensors]: 'w.safetensors' is no .safetensors file: it has 0 bytes, and the "
            "length of the header takes 8" +
                string(kCutOff));
  EXPECT_EQ(Error("1234567"),
            "error[E0330 bad-safetensors]: 'w.safetensors' is no .safetensors file: it has 7 bytes, and the "
            "length of the header takes 8" +
                string(kCutOff));
  EXPECT_EQ(Error(string("\x10\0\0\0\0\0\0\0{}", 10)),
            "error[E0305 truncated-array]: 'w.safetensors' is truncated: its header takes 16 bytes, 2 found" +
                string(kCutOff));
  EXPECT_EQ(Error("PK\x03\x04 and so on"),
            "error[E0330 bad-safetensors]: 'w.safetensors' is no .safetensors file: it begins with "
            "'PK\\x03\\x04 and'\n"
            "  help: it is a zip archive: rename it, and name one of its arrays as FILE.npz:NAME: mv "
            "w.safetensors w.npz");
  EXPECT_EQ(Error("and so on, for long"),
            "error[E0402 too-large]: 'w.safetensors' is no .safetensors file, or has a header of "
            "8007522677720116833 bytes; the limit is 100000000");
  Limits small;
  small.graph_bytes = 1;
  EXPECT_EQ(Error(SafetensorsBytes("{}", ""), small),
            "error[E0402 too-large]: 'w.safetensors' is no .safetensors file, or has a header of 2 bytes; "
            "the limit is 1");
}

TEST(SafetensorsRefusal, JsonThatIsNone) {
  EXPECT_EQ(HeaderError(""), BadHeader("it does not begin with '{'"));
  EXPECT_EQ(HeaderError("[]"), BadHeader("it does not begin with '{'"));
  EXPECT_EQ(HeaderError("\xef\xbb\xbf{}"), BadHeader("it does not begin with '{'"));
  EXPECT_EQ(HeaderError(string("{}\0x", 4)), BadHeader("byte 2 is zero"));
  EXPECT_EQ(HeaderError("{}x"), BadHeader("it is no JSON from byte 3 on"));
  EXPECT_EQ(HeaderError("{\"a\""), BadHeader("it is no JSON from byte 5 on"));
  EXPECT_EQ(HeaderError("{\"\xff\":1}"), BadHeader("it is no JSON from byte 3 on"));
}

TEST(SafetensorsRefusal, JsonOfAnotherForm) {
  EXPECT_EQ(HeaderError(R"({"a":1})"), BadHeader("tensor 'a' is a number, not an object"));
  EXPECT_EQ(HeaderError(R"({"a":null})"), BadHeader("tensor 'a' is null, not an object"));
  EXPECT_EQ(HeaderError(R"({"a":[]})"), BadHeader("tensor 'a' is a list, not an object"));
  EXPECT_EQ(HeaderError(R"({"__metadata__":"x"})"), BadHeader("__metadata__ is text, not an object"));
  EXPECT_EQ(HeaderError(R"({"__metadata__":{"k":true}})"),
            BadHeader("the value of 'k' in __metadata__ is a bool, not text"));
  EXPECT_EQ(HeaderError(R"({"__metadata__":{"k":{}}})"),
            BadHeader("the value of 'k' in __metadata__ is an object, not text"));
  EXPECT_EQ(HeaderError(R"({"__metadata__":{"k":"1","k":"2"}})"),
            BadHeader("__metadata__ has the key 'k' twice"));
  EXPECT_EQ(HeaderError(R"({"a":{"dtype":5}})"), BadHeader("the dtype of tensor 'a' is a number, not text"));
  EXPECT_EQ(HeaderError(R"({"a":{"shape":"2"}})"),
            BadHeader("the shape of tensor 'a' is text, not a list of integers"));
  EXPECT_EQ(HeaderError(R"({"a":{"shape":[-1]}})"),
            BadHeader("the shape of tensor 'a' has a negative number in it, not a dim"));
  EXPECT_EQ(HeaderError(R"({"a":{"shape":[2.0]}})"),
            BadHeader("the shape of tensor 'a' has a number that is no 64-bit integer in it, not a dim"));
  EXPECT_EQ(HeaderError(R"({"a":{"shape":[[2]]}})"),
            BadHeader("the shape of tensor 'a' has a list in it, not a dim"));
  EXPECT_EQ(HeaderError(R"({"a":{"shape":[18446744073709551616]}})"),
            BadHeader("the shape of tensor 'a' has a number that is no 64-bit integer in it, not a dim"));
  EXPECT_EQ(HeaderError(R"({"a":{"shape":[9223372036854775808]}})"),
            BadHeader("a dim of tensor 'a' is 9223372036854775808, which no array can have"));
  EXPECT_EQ(HeaderError(R"({"a":{"data_offsets":[0,"8"]}})"),
            BadHeader("the data_offsets of tensor 'a' have text in them, not a position"));
  EXPECT_EQ(HeaderError(R"({"a":{"data_offsets":[0]}})"),
            BadHeader("tensor 'a' has fewer than two data_offsets"));
  EXPECT_EQ(HeaderError(R"({"a":{"data_offsets":[0,4,8]}})"),
            BadHeader("tensor 'a' has more than two data_offsets"));
  EXPECT_EQ(HeaderError(R"({"a":{"strides":[1]}})"),
            BadHeader("tensor 'a' has a key 'strides', which the format does not have"));
  EXPECT_EQ(HeaderError(R"({"a":{"dtype":"F32","dtype":"F32"}})"),
            BadHeader("tensor 'a' has the key 'dtype' twice"));
  EXPECT_EQ(HeaderError(R"({"a":{}})"), BadHeader("tensor 'a' has no dtype"));
  EXPECT_EQ(HeaderError(R"({"a":{"dtype":"F32"}})"), BadHeader("tensor 'a' has no shape"));
  EXPECT_EQ(HeaderError(R"({"a":{"dtype":"F32","shape":[2]}})"), BadHeader("tensor 'a' has no data_offsets"));
}

string Entry(const string& name, const string& dtype, const string& shape, const string& offsets) {
  return absl::StrCat("\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":[", shape, "],\"data_offsets\":[",
                      offsets, "]}");
}

TEST(SafetensorsRefusal, SizesThatContradict) {
  EXPECT_EQ(HeaderError("{" + Entry("a", "F32", "3", "0,8") + "}"),
            BadHeader("tensor 'a' is f32[3], which takes 12 bytes, but its data_offsets span 8"));
  EXPECT_EQ(HeaderError("{" + Entry("a", "F32", "", "8,0") + "}"),
            BadHeader("tensor 'a' begins at byte 8 and ends at 0"));
  EXPECT_EQ(
      HeaderError("{" + Entry("a", "I8", "4294967296,4294967296", "0,0") + "}"),
      BadHeader("the shape [4294967296,4294967296] of tensor 'a' holds more bytes than can be addressed"));
  EXPECT_EQ(
      HeaderError("{" + Entry("a", "F64", "2305843009213693952", "0,0") + "}"),
      BadHeader("the shape [2305843009213693952] of tensor 'a' holds more bytes than can be addressed"));
  EXPECT_EQ(HeaderError("{" + Entry("a", "I8", "4", "0,4") + "," + Entry("b", "I8", "5", "3,8") + "}"),
            BadHeader("tensor 'a' and tensor 'b' overlap: the one ends at byte 4, the other begins at 3"));
  EXPECT_EQ(HeaderError("{" + Entry("a", "I8", "4", "0,4") + "," + Entry("b", "I8", "2", "6,8") + "}"),
            BadHeader("the bytes from 4 to 6 of the data, before tensor 'b', belong to no tensor"));
  EXPECT_EQ(HeaderError("{" + Entry("a", "I8", "7", "1,8") + "}"),
            BadHeader("the bytes from 0 to 1 of the data, before tensor 'a', belong to no tensor"));
  EXPECT_EQ(
      HeaderError("{" + Entry("a", "I8", "4", "0,4") + "}"),
      "error[E0306 trailing-bytes]: 'w.safetensors' goes on after its last tensor: its tensors take 4 bytes "
      "after the header, 8 found\n  help: write the file again: no tensor is to be found in the rest");
  EXPECT_EQ(HeaderError("{" + Entry("a", "I8", "9", "0,9") + "}"),
            "error[E0305 truncated-array]: 'w.safetensors' is truncated: its tensors take 9 bytes after the "
            "header, "
            "8 found" +
                string(kCutOff));
  EXPECT_EQ(HeaderError("{" + Entry("a", "F4", "1", "0,18446744073709551615") + "}"),
            "error[E0305 truncated-array]: 'w.safetensors' is truncated: its tensors take "
            "18446744073709551615 bytes "
            "after the header, 8 found" +
                string(kCutOff));
  EXPECT_EQ(HeaderError("{" + Entry("a", "I8", "4", "0,4") + "," + Entry("a", "I8", "4", "4,8") + "}"),
            "error[E0312 duplicate-array]: 'w.safetensors' has two arrays of the name 'a'\n"
            "  help: write the file again with a name of its own for each array");
}

TEST(SafetensorsRefusal, DTypesThatAreNotOurs) {
  const auto error = [](const string& dtype) {
    return HeaderError("{" + Entry("fc/w", dtype, "2,4", "0,8") + "}");
  };
  const string f8 =
      ", which Tenfold does not have\n"
      "  help: f32 holds every such value: python3 -c 'import sys; from safetensors.torch import load_file, "
      "save_file; "
      "d = load_file(sys.argv[1]); n = sys.argv[2]; d[n] = d[n].float(); save_file(d, sys.argv[3])' "
      "w.safetensors "
      "fc/w w.f32.safetensors";
  for (const string dtype : {"F8_E8M0", "F8_E4M3FNUZ"}) {
    EXPECT_EQ(error(dtype),
              "error[E0303 unsupported-array-dtype]: 'w.safetensors: fc/w' holds " + dtype + "[2,4]" + f8);
  }
  EXPECT_EQ(
      error("C64"),
      "error[E0303 unsupported-array-dtype]: 'w.safetensors: fc/w' holds C64[2,4], which Tenfold does not "
      "have\n"
      "  help: to read it as f32 with a last dim of real and imaginary parts: python3 -c 'import sys; from "
      "safetensors.torch import load_file, save_file; d = load_file(sys.argv[1]); n = sys.argv[2]; d[n] = "
      "__import__(\"torch\").view_as_real(d[n]); save_file(d, sys.argv[3])' w.safetensors fc/w "
      "w.parts.safetensors");
  for (const string dtype : {"F4", "f32", "X", ""}) {
    EXPECT_EQ(error(dtype), "error[E0303 unsupported-array-dtype]: 'w.safetensors: fc/w' holds " + dtype +
                                "[2,4], which Tenfold does not have");
  }
}

// One tensor of a foreign dtype leaves the others readable.
TEST(SafetensorsRefusal, OnlyTheTensorAskedFor) {
  const string bytes = SafetensorsBytes(
      "{" + Entry("a", "F8_E8M0", "4", "0,4") + "," + Entry("b", "I8", "4", "4,8") + "}", "....\1\2\3\4");
  const auto file = *SafetensorsFile::FromBytes(bytes, "w.safetensors");
  EXPECT_EQ(file->Load("b")->ToString(), "i8[4] {1, 2, 3, 4}");
  EXPECT_FALSE(file->Load("a").ok());
  EXPECT_EQ(file->Load("bb").status().message(),
            "error[E0311 no-such-array]: 'w.safetensors' has no array 'bb'\n"
            "  it holds 'a', 'b'\n"
            "  help: did you mean w.safetensors:b?");
  const absl::Status error = file->Load("model.b", "models/w.safetensors").status();
  EXPECT_EQ(error.message(),
            "error[E0311 no-such-array]: 'models/w.safetensors' has no array 'model.b'\n"
            "  it holds 'a', 'b'\n"
            "  help: did you mean models/w.safetensors:b?");
  EXPECT_EQ(DiagnosticsOf(error)[0].help[0].edits.size(), 1u);
}

TEST(SafetensorsRefusal, BoolsOfOtherBytes) {
  const string bytes =
      SafetensorsBytes("{" + Entry("m", "BOOL", "2,2", "0,4") + "}", string("\0\1\2\xff", 4));
  EXPECT_EQ(
      Error(bytes),
      "error[E0304 bad-bool]: 'w.safetensors: m' holds bool, but the byte of element [1,0] is 2 (2 of 4 "
      "elements neither 0 nor 1)\n"
      "  help: to read what is not 0 as true: python3 -c 'import sys; from safetensors.numpy import "
      "load_file, "
      "save_file; d = load_file(sys.argv[1]); n = sys.argv[2]; d[n] = d[n].view(\"u1\") != 0; save_file(d, "
      "sys.argv[3])' w.safetensors m w.bool.safetensors");
}

TEST(SafetensorsRefusal, Limits) {
  Limits limits;
  limits.tensor_bytes = 7;
  const string bytes = SafetensorsBytes("{" + Entry("a", "F32", "2", "0,8") + "}", string(8, '\0'));
  EXPECT_EQ(
      Error(bytes, limits),
      "error[E0402 too-large]: 'w.safetensors: a' holds f32[2], more than 7 bytes, the limit tensor_bytes");
  limits = {};
  limits.rank = 2;
  EXPECT_EQ(
      Error(SafetensorsBytes("{" + Entry("a", "I8", "1,1,1", "0,1") + "}", "."), limits),
      "error[E0402 too-large]: 'w.safetensors' has a tensor 'a' of more dims than the limit rank = 2 allows");
  limits = {};
  limits.nodes = 1;
  EXPECT_EQ(Error(SafetensorsBytes(
                      "{" + Entry("a", "I8", "0", "0,0") + "," + Entry("b", "I8", "0", "0,0") + "}", ""),
                  limits),
            "error[E0402 too-large]: 'w.safetensors' holds more tensors than the limit nodes = 1 allows");
}

TEST(SafetensorsRefusal, DeepNestingIsNoRecursion) {
  EXPECT_EQ(HeaderError("{\"a\":" + string(1'000'000, '[')),
            BadHeader("tensor 'a' is a list, not an object"));
  EXPECT_EQ(HeaderError("{\"a\":{\"shape\":" + string(1'000'000, '[')),
            BadHeader("the shape of tensor 'a' has a list in it, not a dim"));
}

// Each outcome is a diagnostic of a reader, or tensors that the file can hold.
void ExpectHarmless(const string& bytes) {
  const absl::StatusOr<NamedTensors> tensors = ReadSafetensors(bytes, "x");
  if (tensors.ok()) {
    size_t sum = 0;
    for (const auto& [name, tensor] : *tensors) sum += tensor.stored_bytes();
    EXPECT_LE(sum, bytes.size());
    return;
  }
  const string code = DiagnosticsOf(tensors.status()).at(0).code;
  EXPECT_TRUE(absl::StartsWith(code, "E03") || code == "E0402") << tensors.status().message();
}

TEST(SafetensorsHostile, EveryPrefixAndManyMutations) {
  const string good = *WriteSafetensors({{"a", Tensor::Scalar(1.5f)},
                                         {"b", *Tensor::FromVector<double>({1, 2, 3}, Dims{3})},
                                         {"c", Tensor::Scalar(true)}},
                                        {.metadata = {{"k", "v"}}});
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(ReadSafetensors(good.substr(0, n), "x").ok()) << n;
    ExpectHarmless(good.substr(0, n));
  }
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    string bytes = good;
    for (int k = 0; k <= i % 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    ExpectHarmless(bytes);
  }
}

}  // namespace
}  // namespace tenfold
