// SPDX-License-Identifier: Apache-2.0
//
// `./dev conformance DIR`: runs a folder of the ONNX backend's test data.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/tests/conformance/backend_case.h"
#include "tenfold/tests/conformance/case_list.h"
#include "tenfold/tools/compile_flags.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/process.h"
#include "tenfold/tools/report.h"

namespace tenfold {
namespace {

struct Arguments {
  std::string list;
  std::vector<std::string> filters;
  int64_t timeout = 60;
  bool quiet = false;
  CompileOptions compile = {.jit = JitMode::kOff, .threads = 1};
};

bool Chosen(const std::string& name, const std::vector<std::string>& filters) {
  if (filters.empty()) return true;
  for (const std::string& filter : filters) {
    if (absl::StrContains(name, filter)) return true;
  }
  return false;
}

struct Count {
  int64_t passed = 0, failed = 0;
};

ExitStatus Run(const std::string& folder, const Arguments& arguments) {
  std::vector<std::string> cases = FindBackendCases(folder);
  int64_t skipped = 0;
  if (!arguments.list.empty()) {
    const absl::StatusOr<CaseList> list = ReadCaseList(arguments.list);
    if (!list.ok()) return Report(list.status(), Phase::kReading);
    skipped =
        static_cast<int64_t>(std::erase_if(cases, [&](const auto& name) { return !list->contains(name); }));
    // What is listed and not there is not left out in silence.
    for (const auto& [name, reason] : *list) {
      if (std::find(cases.begin(), cases.end(), name) == cases.end()) cases.push_back(name);
    }
  }
  if (cases.empty()) {
    std::fprintf(stderr, "error: no cases in '%s': folders KIND/CASE with a model.onnx\n", folder.c_str());
    return ExitStatus::kRefused;
  }
  std::map<std::string, Count> by_op;
  Count all;
  for (const std::string& name : cases) {
    if (!Chosen(name, arguments.filters)) {
      ++skipped;
      continue;
    }
    const CaseResult result =
        RunIsolated(absl::StrCat(folder, "/", name), arguments.compile, static_cast<int>(arguments.timeout));
    const bool passed = result.failure.empty();
    for (Count* count : {&by_op[result.op.empty() ? "?" : result.op], &all})
      ++(passed ? count->passed : count->failed);
    if (!passed && !arguments.quiet) std::printf("FAILED %s\n  %s\n", name.c_str(), result.failure.c_str());
    std::fflush(stdout);
  }
  std::printf("\n%-32s %7s %7s\n", "op", "passed", "failed");
  for (const auto& [op, count] : by_op) {
    std::printf("%-32s %7lld %7lld\n", op.c_str(), static_cast<long long>(count.passed),
                static_cast<long long>(count.failed));
  }
  std::printf("\n%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(all.passed),
              static_cast<long long>(all.failed), static_cast<long long>(skipped));
  return all.failed == 0 ? ExitStatus::kDone : ExitStatus::kDiffers;
}

ToolHelp Help() {
  return {.tool = "conformance",
          .synopsis = "DIR [FLAGS]",
          .purpose =
              "Runs cases of the ONNX backend's test data, DIR/KIND/CASE/model.onnx with\n"
              "test_data_set_N/input_K.pb and output_K.pb, each in a process of its own, and prints which\n"
              "failed and why, a table by op, and how many passed. Floats may differ by 1e-3 of the value\n"
              "and 1e-7.",
          .examples =
              "./dev conformance /usr/share/libonnx-testdata/data\n"
              "./dev conformance data --list tensor_only.txt -O0\n"
              "./dev conformance data --filter test_resize"};
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  tenfold::PrepareProcess();
  tenfold::Arguments arguments;
  tenfold::Flags flags(tenfold::Help());
  flags.Text("list", "FILE", &arguments.list, "Runs the cases that FILE lists, one a line, alone.");
  flags.List("filter", "TEXT", &arguments.filters,
             "Runs cases whose name has TEXT in it. May be given again.");
  flags.Integer<int64_t>("timeout", 1, 3600, &arguments.timeout, "Seconds that a case may take. Default 60.");
  flags.Switch("quiet", &arguments.quiet, "Prints the table alone.");
  tenfold::AddCompileFlags(flags, arguments.compile);
  flags.Choice<tenfold::JitMode>("jit", {{"wait", tenfold::JitMode::kWait}, {"off", tenfold::JitMode::kOff}},
                                 &arguments.compile.jit,
                                 "Whether kernels become machine code. Default off: the bits are the same.");
  flags.ParseOrExit(argc, argv);
  if (flags.positional().size() != 1) flags.UsageError("name one folder of cases");
  tenfold::Exit(tenfold::Run(flags.positional()[0], arguments));
}
