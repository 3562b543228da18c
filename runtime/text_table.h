// SPDX-License-Identifier: Apache-2.0
//
// Tables for people, in text.
#ifndef TENFOLD_RUNTIME_TEXT_TABLE_H_
#define TENFOLD_RUNTIME_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace tenfold {

// A line for each row, indented by two spaces. The first `left_columns` columns hold names, which stand to
// the left; the others numbers, to the right, where their digits line up. Every row has as many cells as the
// first, and there is a first.
std::string TextTable(const std::vector<std::vector<std::string>>& rows, size_t left_columns);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_TEXT_TABLE_H_
