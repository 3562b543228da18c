// SPDX-License-Identifier: Apache-2.0
//
// The one runner of all cases: each case of each file on the command line is one test.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/op_registry.h"
#include "tenfold/tests/cases/case_file.h"
#include "tenfold/tests/cases/op_case.h"
#include "tenfold/tests/cases/pass_case.h"
#include "tenfold/tests/cases/ptx_batch.h"

namespace tenfold::testing {
namespace {

// "f32_special_values": what filters and shells take.
std::string TestName(const std::string& title) {
  std::string name;
  for (char c : title) {
    if (absl::ascii_isalnum(c))
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

std::string EnvironmentVariable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class Case : public ::testing::Test {
 public:
  Case(std::string path, CaseText text, PtxBatch& batch)
      : path_(std::move(path)), text_(std::move(text)), batch_(batch) {}

  void TestBody() override {
    const std::vector<std::string> failures = Failures();
    if (failures.empty()) return;
    ADD_FAILURE() << path_ << ":" << text_.line << ": " << text_.title << "\n"
                  << absl::StrJoin(failures, "\n");
  }

 private:
  std::vector<std::string> Failures() {
    const std::string kind = text_.Kind();
    if (kind == "op") {
      const absl::StatusOr<OpCase> c = ParseOpCase(text_);
      if (!c.ok()) return {std::string(c.status().message())};
      return RunOpCase(*c, batch_);
    }
    if (kind != "graph") return {"a case begins with `op` or `graph`"};
    const PassCaseResult result = RunPassCase(text_);
    const std::string source = EnvironmentVariable("TENFOLD_UPDATE_GOLDENS");
    if (source.empty()) return ComparePassCase(text_, result);
    std::vector<std::string> failures = result.failures;
    if (result.actual.ToString() != text_.ToString()) {
      const absl::Status status = ReplaceInFile(source + "/" + path_, result.actual);
      if (!status.ok()) failures.emplace_back(status.message());
    }
    return failures;
  }

  std::string path_;
  CaseText text_;
  PtxBatch& batch_;
};

// Every public op has cases, and every port of it is given (or gives) every dtype that it admits.
class Coverage : public ::testing::Test {
 public:
  explicit Coverage(std::vector<CaseText> cases) : cases_(std::move(cases)) {}

  void TestBody() override {
    std::map<std::string, std::set<DType>> seen;  // by "Op.port"
    for (const CaseText& text : cases_) {
      const absl::StatusOr<OpCase> c = ParseOpCase(text);
      if (!c.ok()) continue;
      for (const std::vector<OpCase::Operand>* side : {&c->inputs, &c->expected}) {
        for (const OpCase::Operand& operand : *side) {
          if (!c->expected.empty())
            seen[absl::StrCat(c->op->name, ".", operand.port)].insert(operand.type.dtype);
        }
      }
    }
    for (const OpDef* op : OpRegistry::Standard()->All()) {
      // An op case has no bodies: tests/compiler/control_flow_test.cc has those.
      if (op->is_internal || op->Is<Control>()) continue;
      std::vector<PortDef> ports = op->inputs;
      ports.insert(ports.end(), op->outputs.begin(), op->outputs.end());
      for (const PortDef& port : ports) {
        const std::string name = absl::StrCat(op->name, ".", port.name);
        std::vector<std::string> missing;
        for (DType dtype : kAllDTypes) {
          if (port.dtypes.Contains(dtype) && !seen[name].contains(dtype)) {
            missing.push_back(absl::StrCat(Name(dtype)));
          }
        }
        EXPECT_TRUE(missing.empty()) << "no case has " << name << " of " << absl::StrJoin(missing, ", ");
      }
    }
  }

 private:
  std::vector<CaseText> cases_;
};

class AssembleAtTheEnd : public ::testing::Environment {
 public:
  explicit AssembleAtTheEnd(const PtxBatch& batch) : batch_(batch) {}
  void TearDown() override {
    const std::string ptxas = EnvironmentVariable("PTXAS");
    if (!PtxasWorks(ptxas)) {
      std::cout << "no CUDA toolkit, so no ptxas: the PTX of " << batch_.size()
                << " kernels is not assembled\n";
      return;
    }
    const absl::Status status = batch_.Assemble(ptxas, EnvironmentVariable("TEST_TMPDIR"));
    EXPECT_TRUE(status.ok()) << status;
    std::cout << "ptxas took " << batch_.size() << " kernels\n";
  }

 private:
  const PtxBatch& batch_;
};

// Bad files are refused at once, so that no case is lost without notice.
bool RegisterCases(const std::vector<std::string>& paths, PtxBatch& batch) {
  std::vector<CaseText> op_cases;
  std::set<std::string> names;
  bool ok = true;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::vector<CaseText>> cases = ReadCaseFile(path);
    if (!cases.ok()) {
      std::cerr << cases.status().message() << "\n";
      ok = false;
      continue;
    }
    for (const CaseText& text : *cases) {
      if (text.Kind() == "op") op_cases.push_back(text);
      ::testing::RegisterTest(path.c_str(), TestName(text.title).c_str(), nullptr, nullptr, path.c_str(),
                              text.line,
                              [=, &batch]() -> ::testing::Test* { return new Case(path, text, batch); });
    }
  }
  ::testing::RegisterTest("OpCases", "CoverEveryOpAndDType", nullptr, nullptr, __FILE__, __LINE__,
                          [=]() -> ::testing::Test* { return new Coverage(op_cases); });
  return ok;
}

}  // namespace
}  // namespace tenfold::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  static tenfold::testing::PtxBatch batch;
  if (!tenfold::testing::RegisterCases({argv + 1, argv + argc}, batch)) return 1;
  ::testing::AddGlobalTestEnvironment(new tenfold::testing::AssembleAtTheEnd(batch));
  return RUN_ALL_TESTS();
}
