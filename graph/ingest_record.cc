// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest_record.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tenfold {

std::string IngestRecord::ToString() const {
  std::string text =
      absl::StrCat("from ", source, ", ", policy, ": ", changed, " of ", values, " values changed");
  if (changed > 0) absl::StrAppendFormat(&text, ", by %.3g at most", largest_change);
  if (nans_replaced > 0)
    absl::StrAppend(&text, "; ", nans_replaced, nans_replaced == 1 ? " NaN" : " NaNs", " replaced");
  return text;
}

}  // namespace tenfold
