// SPDX-License-Identifier: Apache-2.0
//
// A contract: what the feeds of an input look like, learnt from sample arrays. A run holds feeds against it
// (graph/contract_checker.h), since a column that is suddenly NaN, or in other units, has the right type.
#ifndef TENFOLD_GRAPH_CONTRACT_H_
#define TENFOLD_GRAPH_CONTRACT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tenfold/graph/shape.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

struct Contract {
  // The input's own type; of an input of unknown rank, what the samples had.
  TensorType type;
  std::vector<std::string> samples;  // what it was learnt from: "train.npy", "digits.npz: x"
  // The axis whose positions are the columns; none: all values are one column.
  std::optional<int> axis;
  int64_t rows = 0;  // values seen in each column

  // By column, of the type's dtype: the least and the greatest value that is no NaN (an Inf is a value).
  // Zeros are without sign. Both 0 in a column that held nothing but NaN: it has no range.
  Tensor min, max;
  Tensor nans;  // i64, by column; holds nothing if there was no NaN at all

  int64_t columns() const { return min.num_elements(); }
  int64_t nans_in(int64_t column) const { return nans.num_elements() == 0 ? 0 : nans.at<int64_t>(column); }
  bool has_range(int64_t column) const { return nans_in(column) < rows; }
  // NaN is nothing new where it has been seen.
  bool admits_nan(int64_t column) const { return nans_in(column) > 0; }

  bool operator==(const Contract& other) const;
  // "1,437 rows of 64 columns from train.npy, NaN in column 3 and 7".
  std::string ToString() const;
};

// The columns of an array: element i of group o of column c lies at (o * columns + c) * inner + i.
struct ColumnLayout {
  int64_t outer = 1, columns = 1, inner = 1;
};
ColumnLayout ColumnsOf(std::span<const int64_t> dims, std::optional<int> axis);

// The axis that makes the columns of an input of `shape`: the last, unless `wished` names another; none where
// there is but one, or where its extent varies.
std::optional<int> ColumnAxis(const Shape& shape, std::optional<int> wished = std::nullopt);

// What makes `contract` no contract of an input of type `declared`; empty if nothing does. What comes from
// files must be asked.
std::string FindContractFault(const Contract& contract, const TensorType& declared);

// "1,437".
std::string WithSeparators(int64_t number);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONTRACT_H_
