// SPDX-License-Identifier: Apache-2.0
//
// A case of the compiler: a graph, what to do with it, and what comes out.
//
//   # A product of constants folds.
//   graph g() -> (y) {
//     a = Const f32[2] {1, 2}
//     y = Mul(a, 3)
//   }
//   passes: fold-constants
//   expect:
//   graph g() -> (y) {
//     y = Const f32[2] {3, 6} from(a)
//   }
//   remarks:
//     fold-constants: did  Mul 'y': 2 values, 8 bytes
//
// `passes:` names passes to run in order, `stage:` the stage up to which the whole pipeline runs. `expect:`
// is canonical text without its first line, `remarks:` every remark, `error:` the printed diagnostic; what is
// left out is not compared. `options:` are of CompileOptions and FoldBudget: numerics=exact, opt_level=1,
// max_result_bytes=64, max_growth_bytes=64, max_operations=64, fetch=NAME, disable=PASS.
//
// Whatever a case says, the graph must mean the same before and after, bit for bit, on some feeds.
#ifndef TENFOLD_TESTS_CASES_PASS_CASE_H_
#define TENFOLD_TESTS_CASES_PASS_CASE_H_

#include <string>
#include <vector>

#include "tenfold/tests/cases/case_file.h"

namespace tenfold::testing {

// The case with the sections that it expects replaced by what comes out; `expect:` and `remarks:` (or
// `error:`) are added to one that expects nothing. A case that cannot be run gives failures as well.
struct PassCaseResult {
  CaseText actual;
  std::vector<std::string> failures;  // apart from differences to `actual`
};
PassCaseResult RunPassCase(const CaseText& text);

// The same, with the differences between `text` and `actual` among the failures.
std::vector<std::string> ComparePassCase(const CaseText& text, const PassCaseResult& result);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_CASES_PASS_CASE_H_
