// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/limit_flags.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace tenfold {

void AddLimitFlags(Flags& flags, Limits& limits) {
  for (const LimitField& field : LimitFields()) {
    const std::string name = FlagOfLimit(field.name).substr(2);
    int64_t& value = limits.*field.member;
    if (field.is_bytes)
      flags.Bytes(name, &value, absl::StrCat("Limit. ", field.what, "\nDefault ", BytesToString(value), "."));
    else
      flags.Integer<int64_t>(name, 0, INT64_MAX, &value,
                             absl::StrCat("Limit. ", field.what, "\nDefault ", value, "."));
  }
}

}  // namespace tenfold
