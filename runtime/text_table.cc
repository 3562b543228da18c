// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/text_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tenfold {

std::string TextTable(const std::vector<std::vector<std::string>>& rows, size_t left_columns) {
  std::vector<size_t> width(rows[0].size());
  for (const auto& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string pad(width[c] - row[c].size(), ' ');
      absl::StrAppend(&line, " ", c < left_columns ? row[c] + pad : pad + row[c],
                      c + 1 < row.size() ? " " : "");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace tenfold
