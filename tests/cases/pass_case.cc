// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/pass_case.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/compiler/pipeline.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tests/cases/same_meaning.h"

namespace tenfold::testing {
namespace {

std::vector<std::string> Words(const Section* section) {
  std::vector<std::string> words;
  if (section == nullptr) return words;
  for (absl::string_view word : absl::StrSplit(section->text, absl::ByAnyChar(", \n"), absl::SkipEmpty())) {
    words.emplace_back(word);
  }
  return words;
}

absl::StatusOr<CompileOptions> ParseOptions(const CaseText& text) {
  CompileOptions options;
  options.device = "cpu";
  for (const std::string& word : Words(text.Find("options"))) {
    const std::pair<std::string, std::string> option = absl::StrSplit(word, absl::MaxSplits('=', 1));
    const auto& [name, value] = option;
    int64_t number = 0;
    const bool is_number = absl::SimpleAtoi(value, &number);
    if (name == "fetch")
      options.fetches.push_back(value);
    else if (name == "disable")
      options.disabled_passes.push_back(value);
    else if (name == "numerics" && value == "exact")
      options.numerics = Numerics::kExact;
    else if (name == "numerics" && value == "reassoc")
      options.numerics = Numerics::kReassoc;
    else if (name == "opt_level" && is_number)
      options.opt_level = static_cast<int>(number);
    else if (name == "max_result_bytes" && is_number)
      options.fold_budget.max_result_bytes = number;
    else if (name == "max_growth_bytes" && is_number)
      options.fold_budget.max_growth_bytes = number;
    else if (name == "max_operations" && is_number)
      options.fold_budget.max_operations = number;
    else
      return absl::InvalidArgumentError(absl::StrCat("there is no option ", word));
  }
  return options;
}

absl::Status RunPasses(const std::vector<std::string>& names, const CompileOptions& options, Graph& graph,
                       std::vector<Remark>& remarks) {
  FoldHistory folding;
  for (const std::string& name : names) {
    const auto& pipeline = DefaultPipeline();
    const auto pass =
        std::find_if(pipeline.begin(), pipeline.end(), [&](const PassEntry& p) { return p.name == name; });
    if (pass == pipeline.end()) return absl::InvalidArgumentError(absl::StrCat("there is no pass ", name));
    const int64_t mutations = graph.mutation_count();
    const std::string before = PrintText(graph);
    RunControl control{RunOptions()};
    PassContext context(options, control, name, remarks, folding);
    TENFOLD_RETURN_IF_ERROR(pass->run(context, graph));
    TENFOLD_RETURN_IF_ERROR(VerifyGraph(graph));
    if (graph.mutation_count() == mutations && PrintText(graph) != before) {
      return absl::InternalError(
          absl::StrCat(name, " changed the graph, and the mutation counter does not show it"));
    }
  }
  return absl::OkStatus();
}

// What the case asks for, done.
absl::StatusOr<Graph> Transform(const CaseText& text, const Graph& graph, std::vector<Remark>& remarks) {
  TENFOLD_ASSIGN_OR_RETURN(const CompileOptions options, ParseOptions(text));
  const Section* stage_name = text.Find("stage");
  if (stage_name == nullptr) {
    Graph work = graph;
    TENFOLD_RETURN_IF_ERROR(RunPasses(Words(text.Find("passes")), options, work, remarks));
    return work;
  }
  const std::optional<Stage> stage = ParseStage(stage_name->text);
  if (!stage.has_value())
    return absl::InvalidArgumentError(absl::StrCat("there is no stage ", stage_name->text));
  CompileReport report;
  const absl::Status status = RunPipeline(graph, options, *stage, report);
  remarks = std::move(report.remarks);
  TENFOLD_RETURN_IF_ERROR(status);
  return std::move(report.stages.back().second);
}

void Update(CaseText& text, absl::string_view section, const std::string& content, bool add) {
  if (text.Find(section) != nullptr || add) text.Set(section, absl::StripTrailingAsciiWhitespace(content));
}

}  // namespace

PassCaseResult RunPassCase(const CaseText& text) {
  PassCaseResult result{text, {}};
  const bool expects_nothing =
      text.Find("expect") == nullptr && text.Find("remarks") == nullptr && text.Find("error") == nullptr;
  const absl::StatusOr<Graph> graph = ParseText(text.head, {.file = "case"});
  std::vector<Remark> remarks;
  const absl::StatusOr<Graph> transformed = graph.ok() ? Transform(text, *graph, remarks) : graph.status();
  if (!transformed.ok()) {
    const std::string message(transformed.status().message());
    if (text.Find("error") == nullptr && !expects_nothing) result.failures.push_back(message);
    Update(result.actual, "error", message, expects_nothing);
    return result;
  }
  if (text.Find("error") != nullptr) result.failures.push_back("there is no error");
  Update(result.actual, "expect", PrintText(*transformed, {.header = false}), expects_nothing);
  std::vector<std::string> lines;
  for (const Remark& remark : remarks) lines.push_back(absl::StrCat("  ", remark.ToString()));
  Update(result.actual, "remarks", absl::StrJoin(lines, "\n"), expects_nothing);
  if (std::string difference = WhereMeaningDiffers(*graph, *transformed); !difference.empty()) {
    result.failures.push_back(std::move(difference));
  }
  return result;
}

std::vector<std::string> ComparePassCase(const CaseText& text, const PassCaseResult& result) {
  std::vector<std::string> failures = result.failures;
  for (const Section& actual : result.actual.sections) {
    const Section* expected = text.Find(actual.name);
    if (expected == nullptr) {
      failures.push_back("it expects nothing; ./dev test --update-goldens writes what comes out");
    } else if (expected->text != actual.text) {
      failures.push_back(
          absl::StrCat(actual.name, " is\n", actual.text, "\nbut the case has\n", expected->text));
    }
  }
  return failures;
}

}  // namespace tenfold::testing
