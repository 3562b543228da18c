// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/compiler/run_everywhere.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {

using ::testing::ElementsAre;

Graph Parse(const std::string& text) {
  absl::StatusOr<Graph> graph = ParseText(text);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return graph.ok() ? *std::move(graph) : Graph();
}

NamedTensors Feeds(const std::vector<std::pair<std::string, std::string>>& literals) {
  NamedTensors feeds;
  for (const auto& [name, literal] : literals) {
    absl::StatusOr<Tensor> tensor = ParseTensorLiteral(literal);
    EXPECT_TRUE(tensor.ok()) << tensor.status();
    feeds.emplace_back(name, *tensor);
  }
  return feeds;
}

std::vector<std::string> Texts(const std::vector<Tensor>& tensors) {
  std::vector<std::string> texts;
  for (const Tensor& tensor : tensors) texts.push_back(tensor.ToString());
  return texts;
}

std::vector<std::string> RunAll(const Graph& graph, const NamedTensors& feeds) {
  std::vector<Tensor> inputs;
  for (ValueId input : graph.inputs()) {
    for (const auto& [name, tensor] : feeds) {
      if (name == graph.value(input).name) inputs.push_back(tensor);
    }
  }
  const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(graph, inputs);
  const std::vector<std::string> texts =
      want.ok() ? Texts(*want) : std::vector<std::string>{DiagnosticsOf(want.status())[0].message};
  for (int level : {0, 1, 2}) {
    for (JitMode jit : {JitMode::kWait, JitMode::kOff}) {
      SCOPED_TRACE(absl::StrCat("level ", level, jit == JitMode::kOff ? ", interpreted" : ""));
      const absl::StatusOr<Executable> executable =
          Compile(graph, {.opt_level = level, .jit = jit, .threads = 2});
      EXPECT_TRUE(executable.ok()) << executable.status();
      if (!executable.ok()) continue;
      for (int again = 0; again < 2; ++again) {  // with the same Invocation
        const absl::StatusOr<NamedTensors> got = executable->Run(feeds);
        if (!got.ok()) {
          EXPECT_THAT(texts, ElementsAre(DiagnosticsOf(got.status())[0].message));
          continue;
        }
        std::vector<Tensor> results;
        for (const auto& [name, tensor] : *got) results.push_back(tensor);
        EXPECT_EQ(Texts(results), texts);
        for (size_t i = 0; want.ok() && i < results.size(); ++i)
          EXPECT_TRUE(SameBits(results[i], (*want)[i])) << i;
      }
    }
  }
  return texts;
}

std::vector<std::string> RunAll(const std::string& text,
                                const std::vector<std::pair<std::string, std::string>>& feeds) {
  return RunAll(Parse(text), Feeds(feeds));
}

}  // namespace tenfold
