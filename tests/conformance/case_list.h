// SPDX-License-Identifier: Apache-2.0
//
// Lists of cases: one a line; what follows a `#` is why it is there, or a comment.
#ifndef TENFOLD_TESTS_CONFORMANCE_CASE_LIST_H_
#define TENFOLD_TESTS_CONFORMANCE_CASE_LIST_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace tenfold {

// By name; each with its reason, which may be empty.
using CaseList = std::map<std::string, std::string>;

absl::StatusOr<CaseList> ReadCaseList(const std::string& path);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_CONFORMANCE_CASE_LIST_H_
