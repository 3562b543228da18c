// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/dtype.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace tenfold {
namespace {

// In the order of the enumerators.
constexpr const char* kNames[kNumDTypes] = {"bool", "i8",  "i16", "i32",  "i64", "u8", "u16",
                                            "u32",  "u64", "f16", "bf16", "f32", "f64"};

}  // namespace

absl::string_view Name(DType t) { return kNames[static_cast<int>(t)]; }

std::optional<DType> ParseDType(absl::string_view name) {
  for (DType t : kAllDTypes) {
    if (Name(t) == name) return t;
  }
  return std::nullopt;
}

std::string DTypeSet::ToString() const {
  std::vector<absl::string_view> names;
  for (DType t : kAllDTypes) {
    if (Contains(t)) names.push_back(Name(t));
  }
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) absl::StrAppend(&text, i + 1 == names.size() ? " or " : ", ");
    absl::StrAppend(&text, names[i]);
  }
  return text;
}

}  // namespace tenfold
