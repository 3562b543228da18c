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
  OpCase::Operand operand{section.name, section.name, {}, std::nullopt};
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

// An Input is fed what is called `x`, and a Const's tensor is called `value`.
std::vector<PortDef> InputPorts(const OpDef& op) {
  if (op.name == "Const") return {{"value", "T", kAnyType, ""}};
  if (op.name == "Input") return {{"x", "T", kAnyType, ""}};
  return op.inputs;
}

const PortDef* FindPort(const std::vector<PortDef>& ports, absl::string_view name) {
  const auto it =
      std::find_if(ports.begin(), ports.end(), [&](const PortDef& port) { return port.name == name; });
  return it == ports.end() ? nullptr : &*it;
}

// Appends one more value of `port`.
void AddTo(std::vector<OpCase::Operand>& operands, const PortDef& port, OpCase::Operand operand) {
  const auto before = std::count_if(operands.begin(), operands.end(),
                                    [&](const OpCase::Operand& o) { return o.port == port.name; });
  if (port.arity == Arity::kVariadic) operand.name = absl::StrCat(port.name, ".", before);
  operands.push_back(std::move(operand));
}

// --- The graph ---------------------------------------------------------------------------------------------

// What inference must know the values of is a constant in any case.
bool IsConstant(const OpCase& c, const OpCase::Operand& input) {
  const PortDef* port = FindPort(c.op->inputs, input.port);
  return port != nullptr && port->known;
}

std::string GraphText(const OpCase& c, bool all_constant) {
  const std::string& result = c.op->outputs[0].name;
  if (c.op->name == "Const") {
    return absl::StrCat("graph case() -> (", result, ") {\n  ", result, " = Const ",
                        TensorLiteral(*c.inputs[0].tensor), "\n}\n");
  }
  if (c.op->name == "Input")
    return absl::StrCat("graph case(x: ", c.inputs[0].type.ToString(), ") -> (y=x) {\n}\n");
  std::vector<std::string> declared, arguments, results;
  std::string constants;
  for (const PortDef& port : c.op->inputs) {
    const size_t before = arguments.size();
    for (const OpCase::Operand& input : c.inputs) {
      if (input.port != port.name) continue;
      arguments.push_back(input.name);
      if (input.tensor.has_value() && (all_constant || IsConstant(c, input))) {
        absl::StrAppend(&constants, "  ", input.name, " = Const ", TensorLiteral(*input.tensor), "\n");
      } else {
        declared.push_back(absl::StrCat(input.name, ": ", input.type.ToString()));
      }
    }
    if (arguments.size() == before && port.arity == Arity::kOptional) arguments.push_back("_");
  }
  if (!c.attrs.empty()) arguments.push_back(c.attrs);
  // A case of an error says nothing of the results.
  for (const OpCase::Operand& output : c.expected) results.push_back(output.name);
  for (size_t i = results.size(); i < c.op->outputs.size(); ++i) results.push_back(c.op->outputs[i].name);
  return absl::StrCat("graph case(", absl::StrJoin(declared, ", "), ") -> (", absl::StrJoin(results, ", "),
                      ") {\n", constants, "  ", absl::StrJoin(results, ", "), " = ", c.op->name, "(",
                      absl::StrJoin(arguments, ", "), ")\n}\n");
}

NamedTensors Feeds(const OpCase& c) {
  NamedTensors feeds;
  if (c.op->name == "Const") return feeds;
  for (const OpCase::Operand& input : c.inputs) {
    if (input.tensor.has_value() && !IsConstant(c, input)) feeds.emplace_back(input.name, *input.tensor);
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
    for (size_t i = 0; i < case_.expected.size(); ++i) {
      const std::string type = graph->value(graph->outputs()[i].value).type.ToString();
      const std::string want = case_.expected[i].type.ToString();
      if (!case_.expected[i].tensor.has_value() && type != want)
        Fail("inference", absl::StrCat("gives ", type, ", expected ", want));
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
  void Check(absl::string_view name, const absl::StatusOr<std::vector<Tensor>>& results, bool same_bits) {
    if (!case_.error_code.empty()) return FailUnlessEmpty(name, WhyNotTheError(case_, results.status()));
    if (!results.ok()) return Fail(name, results.status().message());
    if (same_bits && first_.empty()) first_ = *results;
    for (size_t i = 0; i < case_.expected.size(); ++i) {
      const Tensor& result = (*results)[i];
      const std::optional<Tensor>& want = case_.expected[i].tensor;
      const std::string of = case_.expected.size() > 1 ? absl::StrCat(case_.expected[i].name, " ") : "";
      if (want.has_value()) {
        const std::string far = WhereFar(result, *want, case_.tolerance);
        if (!far.empty()) Fail(name, absl::StrCat(of, far));
      }
      if (HasOtherNans(result)) Fail(name, absl::StrCat(of, "gives a NaN that is not canonical"));
      if (same_bits && !SameBits(result, first_[i])) {
        Fail(name,
             absl::StrCat(of, "gives other bits than the interpreter: ", WhereFar(result, first_[i], {})));
      }
    }
  }

  void CheckFolder() {
    const absl::StatusOr<Graph> graph = ParseText(GraphText(case_, true));
    if (!graph.ok()) return Fail("folder", graph.status().message());
    const Folded folded = Fold(*graph);
    if (case_.op->is_barrier || !case_.error_code.empty()) {
      const std::string& reason = case_.op->is_barrier ? "it is a barrier" : case_.error_text;
      if (folded.values.ok()) return Fail("folder", "folds what it must leave");
      if (!absl::StrContains(folded.remarks, reason)) Fail("folder", absl::StrCat("says\n", folded.remarks));
      return;
    }
    if (!folded.values.ok())
      return Fail("folder", absl::StrCat(folded.values.status().message(), "\n", folded.remarks));
    Check("folder", folded.values, true);
  }

  void Fail(absl::string_view executor, absl::string_view what) {
    failures_.push_back(absl::StrCat(executor, ": ", what));
  }
  void FailUnlessEmpty(absl::string_view executor, const std::string& what) {
    if (!what.empty()) Fail(executor, what);
  }

  const OpCase& case_;
  PtxBatch& batch_;
  std::vector<Tensor> first_;
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
  const std::vector<PortDef> inputs = InputPorts(*c.op);
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
    } else {
      const PortDef* const output = FindPort(c.op->outputs, section.name);
      const PortDef* const port = output != nullptr ? output : FindPort(inputs, section.name);
      if (port == nullptr)
        return absl::InvalidArgumentError(absl::StrCat(c.op->name, " has no '", section.name, "'"));
      TENFOLD_ASSIGN_OR_RETURN(OpCase::Operand operand, ParseOperand(section));
      AddTo(output != nullptr ? c.expected : c.inputs, *port, std::move(operand));
    }
  }
  if (c.expected.empty() == c.error_code.empty()) {
    return absl::InvalidArgumentError("a case expects either a value or an error");
  }
  return c;
}

std::vector<std::string> RunOpCase(const OpCase& c, PtxBatch& batch) { return OpRun(c, batch).Run(); }

}  // namespace tenfold::testing
