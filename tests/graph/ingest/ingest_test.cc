// SPDX-License-Identifier: Apache-2.0
//
// Text as numbers, several policies at once, and what is written down about them.
#include "tenfold/graph/ingest/ingest.h"

#include <cmath>
#include <string>

#include "gtest/gtest.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tests/graph/ingest/npy_bytes.h"

namespace tenfold {
namespace {

using std::string;

const char kTexts[] = "tests/graph/ingest/testdata/texts.npz";

IngestOptions Parse(std::optional<DType> dtype = std::nullopt) {
  return {.dtype = dtype, .policy = {.text = TextRule::kParse}};
}

TEST(IngestText, ReadsWhatNumPyReads) {
  const auto expect = [](const string& member, std::optional<DType> dtype, const string& want) {
    const auto got = IngestFile({kTexts, member}, Parse(dtype));
    ASSERT_TRUE(got.ok()) << got.status().message();
    const auto wanted = LoadNpzMember(kTexts, want);
    ASSERT_TRUE(wanted.ok());
    EXPECT_TRUE(SameBits(got->tensor, *wanted)) << member << ": " << got->tensor.ToString();
    EXPECT_EQ(got->record.source, "text");
    EXPECT_EQ(got->record.policy, "text=parse");
  };
  expect("floats", std::nullopt, "floats-f64");
  expect("floats-bytes", DType::kF64, "floats-f64");
  expect("floats-big-endian", DType::kF64, "floats-f64");
  expect("floats", DType::kF32, "floats-f32");
  expect("fortran", DType::kF64, "fortran-f64");
  expect("integers", DType::kI8, "integers-i8");
  expect("integers", DType::kI64, "integers-i64");
  expect("big", DType::kI64, "big-i64");
  expect("bools", DType::kBool, "bools-bool");
}

TEST(IngestText, HalvesRoundOnce) {
  // Just above the middle between 1 and the next f16: by way of f32 it would be 1.
  const string path = testing::TempDir() + "half.npy";
  ASSERT_TRUE(WriteFileAtomically(path, Npy("<U20", "(1,)", Utf32("1.00048828125000001", 20))).ok());
  EXPECT_EQ(IngestFile({path, ""}, Parse(DType::kF16))->tensor.ToString(), "f16[1] {1.001}");
}

string TextError(const string& descr, const string& shape, const string& contents, DType dtype) {
  const string path = testing::TempDir() + "text.npy";
  EXPECT_TRUE(WriteFileAtomically(path, Npy(descr, shape, contents)).ok());
  const auto got = IngestFile({path, "", "x"}, Parse(dtype));
  if (got.ok()) return got->tensor.ToString();
  string text(got.status().message());
  for (size_t at; (at = text.find(testing::TempDir())) != string::npos;)
    text.erase(at, testing::TempDir().size());
  return text;
}

TEST(IngestText, Refusals) {
  EXPECT_EQ(TextError("|S4", "(4,)", string("1.5\0003,14nine2,5\0", 16), DType::kF64),
            "error[E0326 text-not-number]: 'text.npy': element [1] is b\"3,14\", which is no f64 (3 of 4 "
            "elements)\n"
            "  it has a decimal comma; numbers are read with a point alone\n"
            "  help: write points: python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); "
            "np.save(sys.argv[2], np.char.replace(a, b\",\", b\".\"))' text.npy text.points.npy");
  EXPECT_EQ(
      TextError("<U2", "(2,)", Utf32("1", 2) + Utf32("", 2), DType::kF32),
      "error[E0326 text-not-number]: 'text.npy': element [1] is \"\", which is no f32 (1 of 2 elements)\n"
      "  help: if nothing means NaN: python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); "
      "np.save(sys.argv[2], np.where(np.char.strip(a) == \"\", \"nan\", a))' text.npy text.nan.npy");
  EXPECT_EQ(
      TextError("|S3", "(2,)", string("12\000300", 6), DType::kI8),
      "error[E0326 text-not-number]: 'text.npy': element [1] is b\"300\", which is no i8 (1 of 2 elements)\n"
      "  '300' is out of the range of i8, -128 to 127\n"
      "  help: if all are numbers, read them as f64 and cast that: python3 -c 'import sys, numpy as np; a = "
      "np.load(sys.argv[1]); np.save(sys.argv[2], a.astype(\"f8\"))' text.npy text.f8.npy");
  EXPECT_EQ(
      TextError("|S3", "(1,)", "1.5", DType::kI8),
      "error[E0326 text-not-number]: 'text.npy': element [0] is b\"1.5\", which is no i8 (1 of 1 element)\n"
      "  '1.5' is no integer, as i8 needs\n"
      "  help: if all are numbers, read them as f64 and cast that: python3 -c 'import sys, numpy as np; a = "
      "np.load(sys.argv[1]); np.save(sys.argv[2], a.astype(\"f8\"))' text.npy text.f8.npy");
  EXPECT_EQ(
      TextError("|S3", "(2,)", string("1\0\0n/a", 6), DType::kF32),
      "error[E0326 text-not-number]: 'text.npy': element [1] is b\"n/a\", which is no f32 (1 of 2 elements)\n"
      "  help: if that means NaN: python3 -c 'import sys, numpy as np, re; a = np.load(sys.argv[1]); "
      "np.save(sys.argv[2], np.array([x if re.fullmatch(r\"(?i)\\s*[-+]?((\\d+\\.?\\d*|\\.\\d+)(e[-+]?\\d+)?|"
      "inf(inity)?|nan)\\s*\", x) else \"nan\" for x in np.char.decode(a, \"latin1\").flat])"
      ".astype(\"f8\").reshape(a.shape))' text.npy text.f8.npy");
  // No element of the file takes a byte, and yet none is allocated for the numbers.
  EXPECT_EQ(
      TextError("|S0", "(1000000000000,)", "", DType::kF64),
      "error[E0326 text-not-number]: 'text.npy': element [0] is b\"\", which is no f64 (1000000000000 of "
      "1000000000000 elements)\n"
      "  help: if nothing means NaN: python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); "
      "np.save(sys.argv[2], np.where(np.char.strip(a) == b\"\", b\"nan\", a))' text.npy text.nan.npy");
  EXPECT_EQ(TextError("|S3", "(0,)", "", DType::kF64), "f64[0] {}");
  EXPECT_EQ(TextError("|S3", "(2,)", "1.5", DType::kF64),
            "error[E0305 truncated-array]: 'text.npy' is truncated: |S3[2] takes 6 bytes after the header, 3 "
            "found\n"
            "  help: the file was cut off while it was written or copied: write or copy it again");
}

TEST(IngestText, IsOfferedWhereItWouldWork) {
  const string path = testing::TempDir() + "digits.npy";
  ASSERT_TRUE(WriteFileAtomically(path, Npy("|S3", "(1,)", "1.5")).ok());
  const absl::Status status = IngestFile({path, "", "x"}, {}).status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(DiagnosticsOf(status)[0].code, "E0301");
  EXPECT_EQ(DiagnosticsOf(status)[0].help[0].text, "--text x=parse");
}

TEST(Ingest, AppliesNanBeforeCast) {
  const Tensor array = *Tensor::FromVector<double>({1.5, NAN, 3.25}, Dims{3});
  const IngestOptions options{.dtype = DType::kI32,
                              .policy = {.nan = {NanRule::kZero}, .cast = CastRule::kNearest}};
  const auto got = Ingest(array, {"dir/x.npz", "w"}, options);
  ASSERT_TRUE(got.ok()) << got.status().message();
  EXPECT_EQ(got->tensor.ToString(), "i32[3] {2, 0, 3}");
  EXPECT_EQ(got->origin, "x.npz: w");
  EXPECT_EQ(got->record.ToString(),
            "from f64, nan=zero cast=nearest: 2 of 3 values changed, by 0.5 at most; 1 NaN replaced");
}

TEST(Ingest, RecordsNothingWhereNothingWasAskedFor) {
  const Tensor array = *Tensor::FromVector<float>({1, 2}, Dims{2});
  const auto got = Ingest(array, {"x.npy", ""}, {.dtype = DType::kF32, .policy = {.cast = CastRule::kExact}});
  ASSERT_TRUE(got.ok());
  EXPECT_TRUE(got->record.empty());
  EXPECT_EQ(got->tensor.data(), array.data());
}

TEST(Ingest, CountsWhatSaturates) {
  const Tensor array = *Tensor::FromVector<int32_t>({-7, 5, 300, 1000}, Dims{4});
  const auto got =
      Ingest(array, {"x.npy", ""}, {.dtype = DType::kU8, .policy = {.cast = CastRule::kSaturate}});
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->tensor.ToString(), "u8[4] {0, 5, 255, 255}");
  EXPECT_EQ(got->record.ToString(), "from i32, cast=saturate: 3 of 4 values changed, by 745 at most");
}

// A constant's record survives both file forms.
TEST(Ingest, RecordsAreKept) {
  GraphBuilder g("kept");
  const Tensor array = *Tensor::FromVector<double>({0.1, NAN}, Dims{2});
  const Value w = g.Const(
      Ingest(array, {"w.npy", ""},
             {.dtype = DType::kF32, .policy = {.nan = {NanRule::kMean, 0}, .cast = CastRule::kNearest}}),
      "w");
  g.Output("y", w);
  const absl::StatusOr<Graph> graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const Provenance& provenance = graph->producer(*graph->FindValue("w")).provenance;
  EXPECT_EQ(provenance.array, "w.npy");
  EXPECT_EQ(
      provenance.ingest.ToString(),
      "from f64, nan=mean:axis=0 cast=nearest: 2 of 2 values changed, by 1.49e-09 at most; 1 NaN replaced");

  const string path = testing::TempDir() + "kept.tnf";
  ASSERT_TRUE(SaveGraph(*graph, path).ok());
  const absl::StatusOr<Graph> loaded = LoadGraph(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ(loaded->producer(*loaded->FindValue("w")).provenance, provenance);

  PrintOptions options;
  options.locations = true;
  const string text = PrintText(*graph, options);
  EXPECT_NE(
      text.find(" array \"w.npy\" ingest(\"f64\", \"nan=mean:axis=0 cast=nearest\", values=2, changed=2, "
                "by=1.4901161138336505e-09, nans=1)"),
      string::npos)
      << text;
  const absl::StatusOr<Graph> read = ParseText(text);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->producer(*read->FindValue("w")).provenance.ingest, provenance.ingest);
}

TEST(Ingest, ARefusalIsTheBuildersError) {
  GraphBuilder g;
  const Tensor array = *Tensor::FromVector<double>({0.1}, Dims{1});
  g.Output("y", g.Const(Ingest(array, {"w.npy", ""}, {.dtype = DType::kF32}), "w"));
  const absl::Status status = std::move(g).Build().status();
  ASSERT_EQ(DiagnosticsOf(status).size(), 1u);
  EXPECT_EQ(DiagnosticsOf(status)[0].code, "E0320");
  EXPECT_NE(DiagnosticsOf(status)[0].location.find("ingest_test.cc:"), string::npos);
}

}  // namespace
}  // namespace tenfold
