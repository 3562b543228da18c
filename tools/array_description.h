// SPDX-License-Identifier: Apache-2.0
//
// What tenfold-dump says of arrays: what they are, and statistics of their values.
#ifndef TENFOLD_TOOLS_ARRAY_DESCRIPTION_H_
#define TENFOLD_TOOLS_ARRAY_DESCRIPTION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/limits.h"

namespace tenfold {

// True for x.npy, x.npz, x.safetensors, and FILE:NAME of the last two.
bool NamesArrays(absl::string_view argument);

struct DescriptionOptions {
  bool json = false;
  int64_t columns = 20;  // that are listed
  Limits limits = {};
};

// Appends a description of the array, or of each array of the file, to `out`. Those that are refused are in
// the status, and the others are described all the same.
absl::Status DescribeArrays(absl::string_view argument, const DescriptionOptions& options, std::string* out);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_ARRAY_DESCRIPTION_H_
