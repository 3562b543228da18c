// SPDX-License-Identifier: Apache-2.0
//
// tenfold-dump of arrays, end to end.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tenfold/graph/ingest/safetensors_writer.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

using testing::HasSubstr;
using testing::Not;

class DumpArraysTest : public ToolTest {};

TEST_F(DumpArraysTest, ShowsStatisticsOfAllAndOfEachColumn) {
  WriteArray("x.npy", T("f32[4,3] 1 nan 0, 2 inf -0, 3 -inf 0.1, 4 8 4"));
  const ToolResult result = Run("tenfold-dump x.npy");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out,
            "x.npy: f32[4,3], 48 bytes, C order, at byte 128 of the file, aligned to 128\n"
            "            values  NaN  +Inf  -Inf  zeros   min  max     mean      std\n"
            "  all           12    1     1     1      2  -inf  inf  2.45556  2.48869\n"
            "  column 0       4    0     0     0      0     1    4      2.5  1.11803\n"
            "  column 1       4    1     1     1      0  -inf  inf        8        0\n"
            "  column 2       4    0     0     0      2     0    4    1.025   1.7181\n");
}

TEST_F(DumpArraysTest, ListsTheFirstColumnsUnlessAskedForMore) {
  WriteArray("x.npy", T("i64[2,22] splat 3"));
  const std::string text = Run("tenfold-dump @x.npy").out;
  EXPECT_THAT(text, HasSubstr("\n  column 19       2    0     0     0      0    3    3     3    0\n"));
  EXPECT_THAT(text, Not(HasSubstr("column 20")));
  EXPECT_THAT(text, HasSubstr("\n  2 more columns: --columns 22\n"));
  EXPECT_THAT(Run("tenfold-dump x.npy --columns 22").out, HasSubstr("\n  column 21 "));
  EXPECT_THAT(Run("tenfold-dump x.npy --columns 0").out, HasSubstr("\n  22 more columns: --columns 22\n"));
}

TEST_F(DumpArraysTest, ShowsEveryArrayOfAFile) {
  WriteArchive("a.npz", {{"w", T("f64[] 0.5")}, {"e", T("u8[0,1] splat 0")}});
  EXPECT_EQ(Run("tenfold-dump a.npz").out,
            "a.npz:w: f64[], 8 bytes\n"
            "       values  NaN  +Inf  -Inf  zeros  min  max  mean  std\n"
            "  all       1    0     0     0      0  0.5  0.5   0.5    0\n"
            "\n"
            "a.npz:e: u8[0,1], 0 bytes\n"
            "            values  NaN  +Inf  -Inf  zeros  min  max  mean  std\n"
            "  all            0    0     0     0      0    -    -     -    -\n"
            "  column 0       0    0     0     0      0    -    -     -    -\n");
  EXPECT_THAT(Run("tenfold-dump a.npz:e").out, testing::StartsWith("a.npz:e: u8[0,1], 0 bytes\n"));
  EXPECT_EQ(Run("tenfold-dump a.npz:W").err,
            "error[E0311 no-such-array]: 'a.npz' has no array 'W'\n  it holds 'w', 'e'\n"
            "  help: did you mean a.npz:w?\n");
  WriteFile("a.safetensors", *WriteSafetensors({{"b", T("bf16[2] 1 2")}, {"a", T("bool[64] splat true")}}));
  const std::string text = Run("tenfold-dump a.safetensors").out;
  EXPECT_THAT(text, HasSubstr("a.safetensors:a: bool[64], 64 bytes, C order, at byte "));
  EXPECT_THAT(text, HasSubstr("a.safetensors:b: bf16[2], 4 bytes, C order, at byte "));
}

TEST_F(DumpArraysTest, ShowsJson) {
  WriteArray("x.npy", T("i64[1,2] 9223372036854775807 -1"));
  const auto json = nlohmann::json::parse(Run("tenfold-dump x.npy --format json --columns 1").out);
  EXPECT_EQ(json, nlohmann::json::parse(R"({"format": "tenfold.arrays", "version": 1, "arrays": [
      {"name": "x.npy", "type": "i64[1,2]", "dtype": "i64", "shape": [1, 2], "bytes": 16, "order": "C",
       "offset": 128, "alignment": 128,
       "all": {"values": 2, "nan": 0, "positive_inf": 0, "negative_inf": 0, "zeros": 0, "min": -1,
               "max": 9223372036854775807, "mean": 4611686018427387903.0, "stddev": 4611686018427387904.0},
       "num_columns": 2,
       "columns": [{"values": 1, "nan": 0, "positive_inf": 0, "negative_inf": 0, "zeros": 0,
                    "min": 9223372036854775807, "max": 9223372036854775807, "mean": 9223372036854775807.0,
                    "stddev": 0.0}]}]})"));
  WriteArray("f.npy", T("f32[2] -inf nan"));
  const auto infinite = nlohmann::json::parse(Run("tenfold-dump f.npy --format=json").out);
  EXPECT_EQ(infinite["arrays"][0]["all"]["min"], "-inf");
  EXPECT_FALSE(infinite["arrays"][0]["all"].contains("mean"));
}

TEST_F(DumpArraysTest, RefusesWhatIsNoArray) {
  WriteFile("x.npy", std::string("\x93NUMPY\x01\x00v\x00", 10) +
                         "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }" + std::string(61, ' ') +
                         "\n");
  ToolResult result = Run("tenfold-dump x.npy");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("error[E03"));
  EXPECT_EQ(Run("tenfold-dump missing.npy").err,
            "error[E0521 file-not-found]: there is no file 'missing.npy'\n");
  WriteArray("y.npy", T("f32[4] 1 2 3 4"));
  EXPECT_THAT(Run("tenfold-dump y.npy --tensor-bytes 8").err, HasSubstr("error[E0402 "));
  for (const char* wrong :
       {"tenfold-dump y.npy --stage fused", "tenfold-dump y.npy --explain", "tenfold-dump y.npy --format dot",
        "tenfold-dump y.npy y.npy", "tenfold-dump y.npy --kernels ptx"}) {
    EXPECT_EQ(Run(wrong).exit_status, 2) << wrong;
  }
}

}  // namespace
}  // namespace tenfold
