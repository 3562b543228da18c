// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/dtype.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tenfold {
namespace {

// In the order of the enumerators.
constexpr const char* kNames[kNumDTypes] = {"bool", "i8",       "i16",    "i32", "i64",  "u8",
                                            "u16",  "u32",      "u64",    "f16", "bf16", "f32",
                                            "f64",  "f8e4m3fn", "f8e5m2", "i4",  "u4"};

}  // namespace

absl::string_view Name(DType t) { return kNames[static_cast<int>(t)]; }

std::optional<DType> ParseDType(absl::string_view name) {
  for (DType t : kAllDTypes) {
    if (Name(t) == name) return t;
  }
  return std::nullopt;
}

std::optional<DType> DTypeOfForeignName(absl::string_view name) {
  static constexpr std::pair<absl::string_view, DType> kForeign[] = {
      {"boolean", DType::kBool},
      {"int8", DType::kI8},
      {"char", DType::kI8},
      {"int16", DType::kI16},
      {"short", DType::kI16},
      {"int32", DType::kI32},
      {"int", DType::kI32},
      {"int64", DType::kI64},
      {"long", DType::kI64},
      {"uint8", DType::kU8},
      {"uchar", DType::kU8},
      {"byte", DType::kU8},
      {"uint16", DType::kU16},
      {"ushort", DType::kU16},
      {"uint32", DType::kU32},
      {"uint", DType::kU32},
      {"uint64", DType::kU64},
      {"ulong", DType::kU64},
      {"float16", DType::kF16},
      {"half", DType::kF16},
      {"bfloat16", DType::kBF16},
      {"float32", DType::kF32},
      {"float", DType::kF32},
      {"single", DType::kF32},
      {"float64", DType::kF64},
      {"double", DType::kF64},
      {"float8_e4m3fn", DType::kF8E4M3FN},
      {"float8e4m3fn", DType::kF8E4M3FN},
      {"f8_e4m3", DType::kF8E4M3FN},
      {"f8e4m3", DType::kF8E4M3FN},
      {"float8_e5m2", DType::kF8E5M2},
      {"float8e5m2", DType::kF8E5M2},
      {"f8_e5m2", DType::kF8E5M2},
      {"int4", DType::kI4},
      {"uint4", DType::kU4},
  };
  for (const auto& [foreign, dtype] : kForeign) {
    if (absl::EqualsIgnoreCase(foreign, name)) return dtype;
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
