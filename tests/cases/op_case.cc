// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/op_case.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/tensor_literal.h"
#include "tenfold/tests/cases/executors.h"

namespace tenfold::testing {
namespace {

// --- Reading -----------------------------------------------------------------------------------------------

// `f32[2] {1, 2}`, `f32[N] = f32[2] {1, 2}`, or a type alone.
absl::StatusOr<OpCase::Operand> ParseOperand(const Section& section) {
  absl::string_view rest = section.text;
  OpCase::Operand operand{section.name, {}, std::nullopt};
  TENFOLD_ASSIGN_OR_RETURN(operand.type, TensorType::Consume(rest));
  rest = absl::StripAsciiWhitespace(rest);
  if (rest.empty()) return operand;
  absl::string_view literal = section.text;
  if (absl::ConsumePrefix(&rest, "=")) literal = rest;
  TENFOLD_ASSIGN_OR_RETURN(operand.tensor, ParseTensorLiteral(literal));
  return operand;
}

// "op Softmax(axis=1)".
absl::Status ParseHead(const CaseText& text, OpCase& c) {
  for (absl::string_view line : absl::StrSplit(text.head, '\n')) {
    if (!absl::ConsumePrefix(&line, "op ")) continue;
    const size_t open = line.find('(');
    const absl::string_view name = absl::StripAsciiWhitespace(line.substr(0, open));
    c.op = OpRegistry::Standard()->Find(name);
    if (c.op == nullptr) return absl::InvalidArgumentError(absl::StrCat("there is no op ", name));
    if (open != absl::string_view::npos)
      c.attrs = std::string(line.substr(open + 1, line.rfind(')') - open - 1));
  }
  return absl::OkStatus();
}

std::vector<std::string> InputNames(const OpDef& op) {
  if (op.name == "Const") return {"value"};
  if (op.name == "Input") return {"x"};
  std::vector<std::string> names;
  for (const PortDef& port : op.inputs) names.push_back(port.name);
  return names;
}

// --- The graph ---------------------------------------------------------------------------------------------

// What inference must know the values of is a constant in any case.
bool IsConstant(const OpCase& c, size_t input) { return c.op->Is<Movement>() && input > 0; }

std::string GraphText(const OpCase& c, bool all_constant) {
  const std::string& result = c.op->outputs[0].name;
  if (c.op->name == "Const") {
    return absl::StrCat("graph case() -> (", result, ") {\n  ", result, " = Const ",
                        TensorLiteral(*c.inputs[0].tensor), "\n}\n");
  }
  if (c.op->name == "Input")
    return absl::StrCat("graph case(x: ", c.inputs[0].type.ToString(), ") -> (y=x) {\n}\n");
  std::vector<std::string> declared, arguments;
  std::string constants;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const OpCase::Operand& input = c.inputs[i];
    arguments.push_back(input.name);
    if (input.tensor.has_value() && (all_constant || IsConstant(c, i))) {
      absl::StrAppend(&constants, "  ", input.name, " = Const ", TensorLiteral(*input.tensor), "\n");
    } else {
      declared.push_back(absl::StrCat(input.name, ": ", input.type.ToString()));
    }
  }
  if (!c.attrs.empty()) arguments.push_back(c.attrs);
  return absl::StrCat("graph case(", absl::StrJoin(declared, ", "), ") -> (", result, ") {\n", constants,
                      "  ", result, " = ", c.op->name, "(", absl::StrJoin(arguments, ", "), ")\n}\n");
}

NamedTensors Feeds(const OpCase& c) {
  NamedTensors feeds;
  if (c.op->name == "Const") return feeds;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.inputs[i].tensor.has_value() && !IsConstant(c, i))
      feeds.emplace_back(c.inputs[i].name, *c.inputs[i].tensor);
  }
  return feeds;
}

// Values that are observed have one NaN.
bool HasOtherNans(const Tensor& tensor) {
  if (!IsFloat(tensor.dtype())) return false;
  const std::string stored(static_cast<const char*>(tensor.data()), tensor.stored_bytes());
  std::string canonical = stored;
  CanonicalizeNans(tensor.dtype(), canonical.data(),
                   static_cast<int64_t>(stored.size() / SizeOf(tensor.dtype())));
  return canonical != stored;
}

// --- Running -----------------------------------------------------------------------------------------------

std::string WhyNotTheError(const OpCase& c, const absl::Status& status) {
  if (status.ok()) return "gives a result";
  const Diagnostic first = DiagnosticsOf(status)[0];
  if (first.code != c.error_code || !absl::StrContains(first.message, c.error_text)) {
    return absl::StrCat("says ", status.message());
  }
  return "";
}

class OpRun {
 public:
  OpRun(const OpCase& c, PtxBatch& batch) : case_(c), batch_(batch) {}

  std::vector<std::string> Run() && {
    const absl::StatusOr<Graph> graph = ParseText(GraphText(case_, false));
    if (!graph.ok()) {
      if (case_.error_code.empty())
        Fail("inference", graph.status().message());
      else
        FailUnlessEmpty("inference", WhyNotTheError(case_, graph.status()));
      return std::move(failures_);
    }
    if (case_.expected.has_value() && !case_.expected->tensor.has_value()) {
      const std::string type = graph->value(graph->outputs()[0].value).type.ToString();
      const std::string want = case_.expected->type.ToString();
      if (type != want) Fail("inference", absl::StrCat("gives ", type, ", expected ", want));
    }
    if (case_.inference_only()) {
      if (!case_.error_code.empty()) Fail("inference", "refuses nothing");
      return std::move(failures_);
    }
    for (const Executor& executor : ExactExecutors())
      Check(executor.name, executor.run(*graph, Feeds(case_)), true);
    if (case_.op->Is<Contraction>())
      Check("cpu with libraries", RunWithLibraries(*graph, Feeds(case_)), false);
    if (case_.op->name != "Input") CheckFolder();
    if (absl::Status status = MakePtx(*graph, batch_); !status.ok()) Fail("ptx", status.message());
    return std::move(failures_);
  }

 private:
  // `same_bits`: as the first executor's.
  void Check(absl::string_view name, const absl::StatusOr<Tensor>& result, bool same_bits) {
    if (!case_.error_code.empty()) return FailUnlessEmpty(name, WhyNotTheError(case_, result.status()));
    if (!result.ok()) return Fail(name, result.status().message());
    if (case_.expected->tensor.has_value()) {
      FailUnlessEmpty(name, WhereFar(*result, *case_.expected->tensor, case_.tolerance));
    }
    if (HasOtherNans(*result)) Fail(name, "gives a NaN that is not canonical");
    if (!same_bits) return;
    if (!first_.has_value()) first_ = *result;
    if (!SameBits(*result, *first_)) {
      Fail(name, absl::StrCat("gives other bits than the interpreter: ", WhereFar(*result, *first_, {})));
    }
  }

  void CheckFolder() {
    const absl::StatusOr<Graph> graph = ParseText(GraphText(case_, true));
    if (!graph.ok()) return Fail("folder", graph.status().message());
    const Folded folded = Fold(*graph);
    if (case_.op->is_barrier || !case_.error_code.empty()) {
      const std::string& reason = case_.op->is_barrier ? "it is a barrier" : case_.error_text;
      if (folded.value.ok()) return Fail("folder", "folds what it must leave");
      if (!absl::StrContains(folded.remarks, reason)) Fail("folder", absl::StrCat("says\n", folded.remarks));
      return;
    }
    if (!folded.value.ok())
      return Fail("folder", absl::StrCat(folded.value.status().message(), "\n", folded.remarks));
    Check("folder", folded.value, true);
  }

  void Fail(absl::string_view executor, absl::string_view what) {
    failures_.push_back(absl::StrCat(executor, ": ", what));
  }
  void FailUnlessEmpty(absl::string_view executor, const std::string& what) {
    if (!what.empty()) Fail(executor, what);
  }

  const OpCase& case_;
  PtxBatch& batch_;
  std::optional<Tensor> first_;
  std::vector<std::string> failures_;
};

}  // namespace

bool OpCase::inference_only() const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const Operand& input) { return !input.tensor.has_value(); });
}

absl::StatusOr<OpCase> ParseOpCase(const CaseText& text) {
  OpCase c;
  TENFOLD_RETURN_IF_ERROR(ParseHead(text, c));
  const std::vector<std::string> names = InputNames(*c.op);
  for (const Section& section : text.sections) {
    const absl::string_view value = section.text;
    if (section.name == "ulp") {
      if (!absl::SimpleAtoi(value, &c.tolerance.ulp))
        return absl::InvalidArgumentError("ulp: is a whole number");
    } else if (section.name == "absolute") {
      if (!absl::SimpleAtod(value, &c.tolerance.absolute))
        return absl::InvalidArgumentError("absolute: is a number");
    } else if (section.name == "error") {
      c.error_code = std::string(value.substr(0, 5));
      c.error_text = std::string(absl::StripAsciiWhitespace(value.substr(std::min<size_t>(5, value.size()))));
    } else if (section.name == c.op->outputs[0].name) {
      TENFOLD_ASSIGN_OR_RETURN(c.expected, ParseOperand(section));
    } else if (std::find(names.begin(), names.end(), section.name) != names.end()) {
      TENFOLD_ASSIGN_OR_RETURN(OpCase::Operand operand, ParseOperand(section));
      c.inputs.push_back(std::move(operand));
    } else {
      return absl::InvalidArgumentError(absl::StrCat(c.op->name, " has no '", section.name, "'"));
    }
  }
  if (c.expected.has_value() == !c.error_code.empty()) {
    return absl::InvalidArgumentError("a case expects either a value or an error");
  }
  return c;
}

std::vector<std::string> RunOpCase(const OpCase& c, PtxBatch& batch) { return OpRun(c, batch).Run(); }

}  // namespace tenfold::testing
