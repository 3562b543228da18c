// SPDX-License-Identifier: Apache-2.0
//
// A case of the ONNX backend's test data: a model, inputs, and what must come out.
//
//   node/test_add/model.onnx
//   node/test_add/test_data_set_0/input_0.pb, input_1.pb, output_0.pb
#ifndef TENFOLD_TESTS_CONFORMANCE_BACKEND_CASE_H_
#define TENFOLD_TESTS_CONFORMANCE_BACKEND_CASE_H_

#include <string>
#include <vector>

#include "tenfold/compiler/compile.h"

namespace tenfold {

// The cases in `folder`, "node/test_add", sorted; empty if there are none.
std::vector<std::string> FindBackendCases(const std::string& folder);

struct CaseResult {
  std::string op;       // of a model of one node its op, else "several ops"
  std::string failure;  // empty: it passed
};

// Imports, compiles and runs the case in `path` with each of its data sets, and compares: floats within rtol
// 1e-3 and atol 1e-7, as ONNX's own runner; others exactly; results of random ops by their types. Inputs that
// types follow from become constants.
CaseResult RunBackendCase(const std::string& path, const CompileOptions& options);

// The same in a process of its own: a crash, and more time than `seconds`, are failures of the case.
CaseResult RunIsolated(const std::string& path, const CompileOptions& options, int seconds);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_CONFORMANCE_BACKEND_CASE_H_
