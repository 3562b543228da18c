// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/dump.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/dot.h"
#include "tenfold/graph/text/json.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tools/plan_rendering.h"

namespace tenfold {
namespace {

// Elements of a constant that are shown without --full.
constexpr int64_t kShownElements = 16;

std::string Render(const Graph& graph, const DumpOptions& options) {
  switch (options.format) {
    case DumpFormat::kText: {
      PrintOptions print;
      print.types = options.stage != Stage::kSource;
      print.locations = options.locations;
      if (!options.full) print.max_elements = kShownElements;
      return PrintText(graph, print);
    }
    case DumpFormat::kJson: {
      JsonOptions json;
      json.max_elements = options.full ? INT64_MAX : kShownElements;
      return PrintJson(graph, json);
    }
    case DumpFormat::kDot:
      break;
  }
  return PrintDot(graph);
}

std::string Render(const Plan& plan, const DumpOptions& options) {
  switch (options.format) {
    case DumpFormat::kText:
      return ToString(plan);
    case DumpFormat::kJson:
      return PlanToJson(plan);
    case DumpFormat::kDot:
      break;
  }
  return PlanToDot(plan);
}

// Adds the remarks in a way that leaves the output what it is: comments, or a field.
void Explain(const std::vector<Remark>& remarks, DumpFormat format, std::string& text) {
  if (format == DumpFormat::kJson) {
    using Json = nlohmann::ordered_json;
    Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    Json& list = json["remarks"] = Json::array();
    for (const Remark& r : remarks) {
      list.push_back({{"pass", r.pass}, {"node", r.node}, {"did", r.did}, {"reason", r.reason}});
    }
    text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    return;
  }
  const char* const mark = format == DumpFormat::kDot ? "// " : "# ";
  absl::StrAppend(&text, "\n", mark, remarks.empty() ? "no remarks" : "remarks", "\n");
  for (const Remark& remark : remarks) absl::StrAppend(&text, mark, remark.ToString(), "\n");
}

const Graph* FindStage(const CompileReport& report, Stage stage) {
  for (const auto& [at, graph] : report.stages) {
    if (at == stage) return &graph;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::string> Dump(const Graph& graph, const CompileOptions& compile,
                                 const DumpOptions& options) {
  CompileReport report;
  std::string text;
  if (options.stage == Stage::kSource) {
    text = Render(graph, options);
  } else {
    TENFOLD_RETURN_IF_ERROR(RunPipeline(graph, compile, options.stage, report));
    if (options.stage == Stage::kPlanned && report.plan.has_value()) {
      text = Render(*report.plan, options);
    } else if (const Graph* staged = FindStage(report, options.stage)) {
      text = Render(*staged, options);
    } else {
      return MakeError("E9001", absl::StrCat("the compiler left no graph of stage ", Name(options.stage)));
    }
  }
  if (options.explain) Explain(report.remarks, options.format, text);
  return text;
}

std::optional<AnnotatedText> AnnotateFile(absl::string_view path, const Limits& limits) {
  const std::optional<TextGraph> file = ReadTextGraph(path, {.limits = limits});
  if (!file) return std::nullopt;
  AnnotatedText annotated = AnnotateText(file->text, file->options);
  if (annotated.errors.empty()) return std::nullopt;
  return annotated;
}

}  // namespace tenfold
