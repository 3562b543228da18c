// SPDX-License-Identifier: Apache-2.0
//
// Tenfold among the runtimes that peers.py compares; worker.py is the same for the others. The arguments say
// what to run, and lines on standard input when:
//
//   load         "loaded NANOSECONDS", from the model's file to the first outputs
//   run COUNT    "ran NANOSECONDS...", one for each run
//   save FOLDER  "saved", with the outputs in FOLDER/output_K.npy
//
// Each is answered by one line. "ready" comes before the first, and "refused WHY" in place of any answer.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/onnx/import.h"

namespace tenfold {
namespace {

constexpr char kUsage[] = "usage: tenfold_worker THREADS MODEL.onnx INPUT.npy...\n";

struct Job {
  int threads = 1;
  std::string model;
  std::vector<Tensor> inputs;  // in the order of the model's
};

template <typename Function>
absl::StatusOr<int64_t> Nanoseconds(Function function) {
  const auto start = std::chrono::steady_clock::now();
  TENFOLD_RETURN_IF_ERROR(function());
  return (std::chrono::steady_clock::now() - start) / std::chrono::nanoseconds(1);
}

class Worker {
 public:
  explicit Worker(Job job) : job_(std::move(job)) {}

  absl::StatusOr<std::string> Answer(const std::string& line) {
    const std::pair<std::string, std::string> command = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int count = 0;
    if (command.first == "load") return Load();
    if (!call_.has_value()) return absl::FailedPreconditionError("nothing is loaded");
    if (command.first == "run" && absl::SimpleAtoi(command.second, &count)) return Run(count);
    if (command.first == "save") return Save(command.second);
    return absl::InvalidArgumentError(absl::StrCat("no command: ", line));
  }

 private:
  absl::StatusOr<std::string> Load() {
    TENFOLD_ASSIGN_OR_RETURN(const int64_t time, Nanoseconds([this] { return LoadAndRun(); }));
    return absl::StrCat("loaded ", time);
  }

  absl::Status LoadAndRun() {
    TENFOLD_ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(job_.model));
    TENFOLD_ASSIGN_OR_RETURN(const Executable executable, Compile(graph, {.threads = job_.threads}));
    num_outputs_ = executable.plan().outputs.size();
    call_ = executable.Prepare();
    for (size_t i = 0; i < job_.inputs.size(); ++i) {
      TENFOLD_RETURN_IF_ERROR(call_->SetInput(static_cast<int>(i), job_.inputs[i]));
    }
    return call_->Run();
  }

  absl::StatusOr<std::string> Run(int count) {
    std::string answer = "ran";
    for (int i = 0; i < count; ++i) {
      TENFOLD_ASSIGN_OR_RETURN(const int64_t time, Nanoseconds([&] { return call_->Run(); }));
      absl::StrAppend(&answer, " ", time);
    }
    return answer;
  }

  absl::StatusOr<std::string> Save(const std::string& folder) {
    for (size_t i = 0; i < num_outputs_; ++i) {
      TENFOLD_ASSIGN_OR_RETURN(const Tensor output, call_->Output(static_cast<int>(i)).ToTensor());
      TENFOLD_RETURN_IF_ERROR(SaveNpy(output, absl::StrCat(folder, "/output_", i, ".npy")));
    }
    return "saved";
  }

  Job job_;
  std::optional<Invocation> call_;
  size_t num_outputs_ = 0;
};

void Say(const absl::StatusOr<std::string>& answer) {
  const std::string line =
      answer.ok() ? *answer
                  : absl::StrCat("refused ", absl::StrReplaceAll(answer.status().message(), {{"\n", " "}}));
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int Main(const std::vector<std::string>& arguments) {
  Job job;
  if (arguments.size() < 2 || !absl::SimpleAtoi(arguments[0], &job.threads)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  job.model = arguments[1];
  for (size_t i = 2; i < arguments.size(); ++i) {
    absl::StatusOr<Tensor> input = LoadNpy(arguments[i]);
    if (!input.ok()) {
      Say(input.status());
      return 1;
    }
    job.inputs.push_back(*std::move(input));
  }
  Worker worker(std::move(job));
  Say(std::string("ready"));
  for (std::string line; std::getline(std::cin, line);) Say(worker.Answer(line));
  return 0;
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) { return tenfold::Main({argv + std::min(argc, 1), argv + argc}); }
