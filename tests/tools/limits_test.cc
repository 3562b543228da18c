// SPDX-License-Identifier: Apache-2.0
//
// Every limit, as people meet it: the refusal, and that its mend works when pasted. And what bounds a run:
// memory, a deadline, Ctrl-C, the size of a file.
#include "tenfold/graph/limits.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"
#include "tenfold/tools/flags.h"

namespace tenfold {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LimitsTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    WriteFile(
        "sum.tnt",
        "tenfold 1\ngraph sum(x: f32[N], total: f32[N]) -> (y) {\n  a = Mul(x, 2)\n  y = Add(a, total)\n}\n");
    WriteFile("outer.tnt",
              "tenfold 1\ngraph outer(x: f32[N,1], y: f32[1,N]) -> (s) {\n  p = MatMul(x, y)\n"
              "  t = Transpose(p)\n  s = MatMul(p, t)\n}\n");
    WriteFile("deep.tnt",
              "tenfold 1\ngraph deep(x: f32[N]) -> (y) {\n  y = Fused(x) {\n"
              "    graph body(a: f32[N]) -> (t) {\n      t = Neg(a)\n    }\n  }\n}\n");
    WriteFile("wrong.tnt", "tenfold 1\ngraph wrong(x: f32[2]) -> (y) {\n  y = Ad(x)\n  z = Nega(x)\n}\n");
  }

  // The command is refused with `error`, and allowed once the flag of the help line is added to it.
  void ExpectRefusal(const std::string& command, const std::string& error, int status = 1) {
    SCOPED_TRACE(command);
    const ToolResult refused = Run(command);
    EXPECT_EQ(refused.exit_status, status);
    EXPECT_EQ(refused.err, error + "\n");
    const std::string mark = "allow it: ";
    const size_t begin = refused.err.find(mark);
    ASSERT_NE(begin, std::string::npos) << refused.err;
    const size_t from = begin + mark.size();
    const ToolResult allowed =
        Run(absl::StrCat(command, " ", refused.err.substr(from, refused.err.find(" (", from) - from)));
    EXPECT_EQ(allowed.exit_status, 0) << allowed.err;
    EXPECT_EQ(allowed.err, "");
  }
};

constexpr char kSum[] = "tenfold-run sum.tnt --input 'x=f32[3] 1 2 3' --input 'total=f32[3] 1 1 1' ";

TEST_F(LimitsTest, OfFiles) {
  ASSERT_EQ(Run("tenfold-import sum.tnt -o sum.tnf").exit_status, 0);
  const std::string size = std::to_string(ReadFile("sum.tnt").size());
  ExpectRefusal("tenfold-dump sum.tnt --file-bytes 10",
                absl::StrCat("error[E0402 too-large]: 'sum.tnt' has ", size, " bytes; the limit is 10\n",
                             "  help: if that is meant, allow it: --file-bytes ", size,
                             " (in C++, Limits::file_bytes)"));
  ExpectRefusal("tenfold-import sum.tnt -o out.tnf --text-bytes 10",
                absl::StrCat("error[E0402 too-large]: the text has ", size, " bytes; the limit is 10\n",
                             "  --> sum.tnt:1:1\n  1 | tenfold 1\n    | ^\n",
                             "  help: if that is meant, allow it: --text-bytes ", size,
                             " (in C++, Limits::text_bytes)"));
  const ToolResult structure = Run("tenfold-dump sum.tnf --graph-bytes 1KiB --graph-bytes 10");
  EXPECT_THAT(structure.err, StartsWith("error[E0402 too-large]: the structure of the graph has "));
  EXPECT_THAT(structure.err, HasSubstr(" bytes; the limit is 10\n"));
  EXPECT_THAT(structure.err, HasSubstr("allow it: --graph-bytes "));
  EXPECT_EQ(Run("tenfold-dump sum.tnf --graph-bytes 1KiB").exit_status, 0);
}

TEST_F(LimitsTest, OfTheStructureOfText) {
  ExpectRefusal("tenfold-dump sum.tnt --nodes 1",
                "error[E0402 too-large]: more than 1 statements, the limit\n"
                "  --> sum.tnt:4:3\n  4 |   y = Add(a, total)\n    |   ^\n"
                "  help: if that is meant, allow it: --nodes 2 (in C++, Limits::nodes)");
  ExpectRefusal("tenfold-dump sum.tnt --node-values 1",
                "error[E0402 too-large]: more than 1 inputs, the limit\n"
                "  --> sum.tnt:2:22\n  2 | graph sum(x: f32[N], total: f32[N]) -> (y) {\n"
                "    |                      ^~~~~\n"
                "  help: if that is meant, allow it: --node-values 4 (in C++, Limits::node_values)");
  ExpectRefusal("tenfold-dump sum.tnt --name-bytes 4",
                "error[E0402 too-large]: a name of 5 bytes; the limit is 4\n"
                "  --> sum.tnt:2:22\n  2 | graph sum(x: f32[N], total: f32[N]) -> (y) {\n"
                "    |                      ^~~~~\n"
                "  help: if that is meant, allow it: --name-bytes 5 (in C++, Limits::name_bytes)");
  ExpectRefusal("tenfold-dump deep.tnt --nesting 0",
                "error[E0402 too-large]: bodies nest deeper than 0 levels, the limit\n"
                "  --> deep.tnt:3:16\n  3 |   y = Fused(x) {\n    |                ^\n"
                "  help: if that is meant, allow it: --nesting 3 (in C++, Limits::nesting)");
}

TEST_F(LimitsTest, OfTheStructureOfBinaryGraphs) {
  ASSERT_EQ(Run("tenfold-import sum.tnt -o sum.tnf").exit_status, 0);
  ExpectRefusal("tenfold-dump sum.tnf --nodes 1",
                "error[E0402 too-large]: the file has 5 nodes; the limit is 1\n  --> sum.tnf\n"
                "  help: if that is meant, allow it: --nodes 5 (in C++, Limits::nodes)");
  ExpectRefusal("tenfold-dump sum.tnf --node-values 1",
                "error[E0402 too-large]: the file has 2 inputs of one node; the limit is 1\n  --> "
                "sum.tnt:3:3\n  in node Mul 'a'\n"
                "  help: if that is meant, allow it: --node-values 2 (in C++, Limits::node_values)");
}

TEST_F(LimitsTest, OfRankThatIsWrittenOrInferred) {
  ExpectRefusal("tenfold-run outer.tnt --input 'x=f32[2,1] 1 2' --input 'y=f32[1,2] 1 2' --rank 1",
                "error[E0402 too-large]: a type of 2 dims; the limit is 1\n"
                "  --> outer.tnt:2:16\n  2 | graph outer(x: f32[N,1], y: f32[1,N]) -> (s) {\n"
                "    |                ^~~~~~~~\n"
                "  help: if that is meant, allow it: --rank 2 (in C++, Limits::rank)");
  WriteFile("reshape.tnt", "tenfold 1\ngraph r(x: f32[4]) -> (y) {\n  y = Reshape(x, {1, 2, 2})\n}\n");
  ExpectRefusal("tenfold-dump reshape.tnt --rank 2",
                "error[E0402 too-large]: Reshape 'y' would have 3 dims; the limit is 2\n"
                "  --> reshape.tnt:3:7\n  3 |   y = Reshape(x, {1, 2, 2})\n    |       ^~~~~~~\n"
                "  help: if that is meant, allow it: --rank 3 (in C++, Limits::rank)");
}

TEST_F(LimitsTest, OfTensorBytes) {
  ExpectRefusal("tenfold-run sum.tnt --input 'x=f32[3] 1 2 3' --input 'total=f32[3] 1 1 1' --tensor-bytes 8",
                "error[E0402 too-large]: the constant f32[3] is larger than the limit of 8 bytes\n"
                "  --> tensor:1:1\n  1 | f32[3] 1 2 3\n    | ^~~~~~\n"
                "  it feeds Input 'x' (sum.tnt:2:11), which is f32[N]\n"
                "  help: if that is meant, allow it: --tensor-bytes 12 (in C++, Limits::tensor_bytes)\n"
                "error[E0402 too-large]: the constant f32[3] is larger than the limit of 8 bytes\n"
                "  --> tensor:1:1\n  1 | f32[3] 1 1 1\n    | ^~~~~~\n"
                "  it feeds Input 'total' (sum.tnt:2:22), which is f32[N]\n"
                "  help: if that is meant, allow it: --tensor-bytes 12 (in C++, Limits::tensor_bytes)");
  ExpectRefusal(
      "tenfold-run sum.tnt --input x=random:f32[4] --input total=random --tensor-bytes 15",
      "error[E0402 too-large]: random values for 'x', f32[4], take 16 bytes; the limit tensor_bytes is 15\n"
      "  help: if that is meant, allow it: --tensor-bytes 16 (in C++, Limits::tensor_bytes)");
  ExpectRefusal(
      "tenfold-run outer.tnt --input x=random:f32[100,1] --input y=random --tensor-bytes 39999",
      "error[E0402 too-large]: MatMul 'p' is f32[100,100]: 40000 bytes; the limit tensor_bytes is 39999\n"
      "  --> outer.tnt:3:3\n"
      "  help: if that is meant, allow it: --tensor-bytes 80000 (in C++, Limits::tensor_bytes)",
      4);
}

TEST_F(LimitsTest, OfKernelsAndErrorsRefuseNothingMore) {
  EXPECT_THAT(Run("tenfold-dump sum.tnt --explain --kernel-ops 1").out,
              HasSubstr("a kernel holds at most 1 nodes"));
  const ToolResult wrong = Run("tenfold-dump wrong.tnt --errors 1");
  EXPECT_EQ(wrong.exit_status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("there is no op 'Ad'"));
  EXPECT_THAT(wrong.err, Not(HasSubstr("there is no op 'Nega'")));
  EXPECT_THAT(Run("tenfold-dump wrong.tnt").err, HasSubstr("there is no op 'Nega'"));
}

TEST_F(LimitsTest, HaveAFlagEachInEveryTool) {
  for (const std::string tool : {"tenfold-run", "tenfold-import", "tenfold-dump"}) {
    const std::string help = Run(tool + " --help").out;
    for (const LimitField& field : LimitFields()) {
      EXPECT_THAT(help, HasSubstr(absl::StrCat("  ", FlagOfLimit(field.name),
                                               field.is_bytes ? " BYTES" : " N", "\n      Limit. ")));
    }
  }
  EXPECT_EQ(Run("tenfold-dump sum.tnt --tensor-bytes 1.5GiB").err,
            "tenfold-dump: --tensor-bytes: '1.5GiB' is no number of bytes such as 1000000 or 64MiB\n"
            "  tenfold-dump --help lists the flags, with examples\n");
}

// docs/security.md lists them with the defaults that they have.
TEST_F(LimitsTest, AreDocumented) {
  std::string table = "| limit | default | what it bounds |\n|---|---|---|\n";
  const Limits defaults;
  for (const LimitField& field : LimitFields()) {
    const int64_t value = defaults.*field.member;
    absl::StrAppend(&table, "| `", FlagOfLimit(field.name), "` | ",
                    field.is_bytes ? BytesToString(value) : absl::StrCat(value), " | ", field.what, " |\n");
  }
  EXPECT_NE(SourceFile("docs/security.md").find(table + "\n"), std::string::npos)
      << "docs/security.md has another table than\n"
      << table;
}

// --- Runs ---

TEST_F(LimitsTest, OfTheMemoryOfARun) {
  ExpectRefusal(
      "tenfold-run outer.tnt --input x=random:f32[100,1] --input y=random --threads 1 --jit off --device cpu "
      "--memory-limit 50KiB",
      "error[E0404 memory-limit]: a run of 'outer' holds 120640 bytes; the memory limit is 51200\n"
      "  80000 of intermediates, 40000 of outputs, 640 of scratch, 0 of constants\n"
      "  with N = 100: intermediates take 128*floordiv(N*N + 15, 16), outputs 64*floordiv(N*N + 15, 16)\n"
      "  the largest values:\n"
      "  value  type          kept for    bytes\n"
      "  p      f32[100,100]  steps 0..2  40000\n"
      "  t      f32[100,100]  steps 1..2  40000\n"
      "  s      f32[100,100]  output      40000\n"
      "  help: allow it: --memory-limit 120640 (in C++, memory_limit of CompileOptions or RunOptions)",
      4);
  EXPECT_EQ(Run(absl::StrCat(kSum, "--memory-limit 1MiB")).exit_status, 0);
}

TEST_F(LimitsTest, OfTime) {
  const ToolResult late = Run(absl::StrCat(kSum, "--deadline 1 --repeat 1000000000"));
  EXPECT_EQ(late.exit_status, 4);
  EXPECT_THAT(late.err, HasSubstr("error[E0610 deadline-exceeded]: the "));
  EXPECT_EQ(Run(absl::StrCat(kSum, "--deadline 600000")).exit_status, 0);
}

TEST_F(LimitsTest, CtrlCEndsARun) {
  // Waits until the process is no shell any more and catches signal 2, which is bit 1 of the mask.
  const ToolResult result = Run(absl::StrCat(
      kSum, "--repeat 1000000000 & pid=$!\n", "until grep -q '^tenfold-run' /proc/$pid/comm && \\\n",
      "  grep -q '^SigCgt:.*[2367abef]$' /proc/$pid/status; do sleep 0.02; done\n",
      "kill -INT $pid; wait $pid"));
  EXPECT_EQ(result.exit_status, 4);
  EXPECT_THAT(result.err, HasSubstr("error[E0611 cancelled]: the "));
}

TEST_F(LimitsTest, AFullDiskLeavesTheOldFile) {
  WriteArray("y.npy", T("f32[1] 7"));
  const std::string old = ReadFile("y.npy");
  const ToolResult result =
      Run("ulimit -f 1; tenfold-run sum.tnt --input x=random:f32[5000] --input total=random "
          "--output y=y.npy");
  EXPECT_EQ(result.exit_status, 4);
  EXPECT_EQ(result.err, "error[E0523 cannot-write]: cannot write 'y.npy': File too large\n");
  EXPECT_EQ(ReadFile("y.npy"), old);
  EXPECT_EQ(Run("ls").out, "deep.tnt\nouter.tnt\nsum.tnt\nwrong.tnt\ny.npy\n");
  EXPECT_EQ(Run("tenfold-dump sum.tnt > /dev/full").exit_status, 4);
}

}  // namespace
}  // namespace tenfold
