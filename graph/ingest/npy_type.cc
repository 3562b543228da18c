// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy_type.h"

#include <bit>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tenfold {
namespace {

using Kind = NpyType::Kind;

// Text items and raw items are bounded so that sizes computed from them cannot overflow.
constexpr uint64_t kMaxItem = uint64_t{1} << 31;

struct Numeric {
  char letter;
  uint64_t bytes;
  Kind kind;
  DType dtype;
};

constexpr Numeric kNumerics[] = {
    {'b', 1, Kind::kNumber, DType::kBool},     {'i', 1, Kind::kNumber, DType::kI8},
    {'i', 2, Kind::kNumber, DType::kI16},      {'i', 4, Kind::kNumber, DType::kI32},
    {'i', 8, Kind::kNumber, DType::kI64},      {'u', 1, Kind::kNumber, DType::kU8},
    {'u', 2, Kind::kNumber, DType::kU16},      {'u', 4, Kind::kNumber, DType::kU32},
    {'u', 8, Kind::kNumber, DType::kU64},      {'f', 2, Kind::kNumber, DType::kF16},
    {'f', 4, Kind::kNumber, DType::kF32},      {'f', 8, Kind::kNumber, DType::kF64},
    {'f', 10, Kind::kLongDouble, DType::kF64}, {'f', 12, Kind::kLongDouble, DType::kF64},
    {'f', 16, Kind::kLongDouble, DType::kF64}, {'c', 8, Kind::kComplex, DType::kF32},
    {'c', 16, Kind::kComplex, DType::kF64},    {'c', 20, Kind::kComplex, DType::kF64},
    {'c', 24, Kind::kComplex, DType::kF64},    {'c', 32, Kind::kComplex, DType::kF64},
};

bool IsOrder(char c) { return c == '<' || c == '>' || c == '|' || c == '='; }

// True if reading the values would unpickle: an object at any depth.
bool HoldsObjects(const PythonValue& descr) {
  if (descr.kind == PythonValue::Kind::kString) {
    absl::string_view text = descr.text;
    if (!text.empty() && IsOrder(text[0])) text.remove_prefix(1);
    return absl::StartsWith(text, "O");
  }
  // Of a field (name, type, ...), the name is a string too, and may well begin with an O.
  const bool is_field = descr.kind == PythonValue::Kind::kTuple && descr.items.size() >= 2;
  if (is_field) return HoldsObjects(descr.items[1]);
  if (descr.kind != PythonValue::Kind::kList) return false;
  for (const PythonValue& item : descr.items) {
    if (HoldsObjects(item)) return true;
  }
  return false;
}

std::optional<NpyType> ParseRecord(const PythonValue& descr) {
  NpyType type;
  type.is_record = true;
  type.kind = HoldsObjects(descr) ? Kind::kObject : Kind::kRecord;
  type.descr = "a record";
  for (const PythonValue& field : descr.items) {
    if (field.kind != PythonValue::Kind::kTuple || field.items.size() < 2) return std::nullopt;
    // A field's name may be (title, name).
    const PythonValue* name = &field.items[0];
    if (name->kind == PythonValue::Kind::kTuple && name->items.size() == 2) name = &name->items[1];
    if (name->kind != PythonValue::Kind::kString) return std::nullopt;
    // An unnamed field is padding.
    if (!name->text.empty()) type.fields.push_back(name->text);
  }
  return type;
}

}  // namespace

std::optional<NpyType> ParseNpyType(const PythonValue& descr) {
  if (descr.kind == PythonValue::Kind::kList) return ParseRecord(descr);
  if (descr.kind != PythonValue::Kind::kString) return std::nullopt;
  NpyType type;
  type.descr = descr.text;
  absl::string_view text = descr.text;
  if (text.size() < 2 || !IsOrder(text[0])) return std::nullopt;
  const char order = text[0];
  const char letter = text[1];
  text.remove_prefix(2);

  if (letter == 'M' || letter == 'm') {  // "<M8[ns]"
    type.kind = letter == 'M' ? Kind::kDate : Kind::kDuration;
    type.item_bytes = 8;
    if (!absl::StartsWith(text, "8")) return std::nullopt;
    return type;
  }
  uint64_t size = 0;
  for (char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)) || size > kMaxItem) return std::nullopt;
    size = size * 10 + static_cast<uint64_t>(c - '0');
  }
  if (letter == 'O') {  // "|O", and "|O8" from Python 2
    type.kind = Kind::kObject;
    return type;
  }
  if (text.empty() || size > kMaxItem) return std::nullopt;
  if (letter == 'U' || letter == 'S' || letter == 'V') {
    type.kind = letter == 'U' ? Kind::kText : letter == 'S' ? Kind::kBytes : Kind::kRaw;
    type.item_bytes = letter == 'U' ? 4 * size : size;
    if (letter == 'U' && order != '<' && order != '>') return std::nullopt;
  } else {
    const Numeric* found = nullptr;
    for (const Numeric& n : kNumerics) {
      if (n.letter == letter && n.bytes == size) found = &n;
    }
    if (found == nullptr) return std::nullopt;
    if (size > 1 && order != '<' && order != '>') return std::nullopt;
    type.kind = found->kind;
    type.dtype = found->dtype;
    type.item_bytes = size;
  }
  constexpr bool kLittle = std::endian::native == std::endian::little;
  type.swap = order == (kLittle ? '>' : '<');
  return type;
}

std::optional<std::string> NpyDescr(DType dtype) {
  for (const Numeric& n : kNumerics) {
    if (n.kind != Kind::kNumber || n.dtype != dtype) continue;
    return absl::StrCat(n.bytes == 1 ? "|" : "<", absl::string_view(&n.letter, 1), n.bytes);
  }
  return std::nullopt;
}

}  // namespace tenfold
