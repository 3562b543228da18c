// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/pickle_survey.h"

#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/ingest/pickle_machine.h"

namespace tenfold {
namespace {

using Kind = PickleItem::Kind;

// Of one text, what is described.
constexpr size_t kShownBytes = 60;

// --- Descriptions ------------------------------------------------------------------------------------------

// "decimal.Decimal"; of what Python finds without importing, the name alone.
std::string GlobalName(const PickleValues& values, const PickleItem& global) {
  std::string module, name;
  if (global.first != 0) {
    const std::vector<uint32_t> parts = values.Held(global, 2);
    module = std::string(values.TextOf(values.item(parts[0])));
    if (parts.size() > 1) name = std::string(values.TextOf(values.item(parts[1])));
  } else {
    const std::vector<absl::string_view> lines = absl::StrSplit(values.TextOf(global), '\n');
    module = std::string(lines[0]);
    if (lines.size() > 1) name = std::string(lines[1]);
  }
  module = module.substr(0, kShownBytes);
  name = name.substr(0, kShownBytes);
  if (module == "builtins" || module == "__builtin__") return name;
  return absl::StrCat(module, ".", name);
}

// Modules of NumPy moved between versions.
bool IsNumpy(absl::string_view global, absl::string_view name) {
  return absl::StartsWith(global, "numpy") && absl::EndsWith(global, absl::StrCat(".", name));
}

class Describer {
 public:
  explicit Describer(const PickleValues& values) : values_(values) {}

  PickledElement Describe(uint32_t index, int depth = 0) const {
    const PickleItem& item = values_.item(index);
    using To = PickledElement::Kind;
    switch (item.kind) {
      case Kind::kNone:
        return {To::kNone, "NoneType"};
      case Kind::kBool:
        return {To::kBool, "bool"};
      case Kind::kInteger:
        return {item.size > 8 ? To::kFloat : To::kInteger, "int"};
      case Kind::kFloat:
        return {To::kFloat, "float"};
      case Kind::kText:
        return {To::kText, "str", std::string(values_.TextOf(item).substr(0, kShownBytes))};
      case Kind::kBytes:
        return {To::kBytes, "bytes", std::string(values_.TextOf(item).substr(0, kShownBytes))};
      case Kind::kList:
      case Kind::kTuple:
        return Sequence(item, depth);
      case Kind::kDict:
        return {To::kDict, "dict", "", item.size};
      case Kind::kSet:
        return {To::kOther, "set"};
      case Kind::kObject:
        return Object(item, depth);
      default:
        return {To::kOther, "object"};
    }
  }

 private:
  // Of a sequence, how many elements are looked at. Values may be shared, so that a short pickle can mean a
  // large tree: nothing is looked at below that.
  static constexpr size_t kLookedAt = 64;

  PickledElement Sequence(const PickleItem& item, int depth) const {
    PickledElement element{PickledElement::Kind::kSequence, item.kind == Kind::kList ? "list" : "tuple"};
    element.length = item.size;
    element.flat = depth == 0;
    if (!element.flat) return element;
    for (const uint32_t held : values_.Held(item, kLookedAt)) {
      element.flat = element.flat && IsNumber(Describe(held, depth + 1).kind);
    }
    return element;
  }

  // The kind of the numbers that dtype('f8') names; nullopt if it is another dtype.
  std::optional<PickledElement::Kind> NumbersOf(const PickleItem& dtype) const {
    const std::vector<uint32_t> parts = values_.Held(dtype, 2);
    if (dtype.kind != Kind::kObject || parts.size() < 2) return std::nullopt;
    const std::vector<uint32_t> arguments = values_.Held(values_.item(parts[1]), 1);
    const std::string code =
        arguments.empty() ? "" : std::string(values_.TextOf(values_.item(arguments[0])).substr(0, 1));
    if (code == "f") return PickledElement::Kind::kFloat;
    if (code == "i" || code == "u") return PickledElement::Kind::kInteger;
    if (code == "b") return PickledElement::Kind::kBool;
    return std::nullopt;
  }

  // (version, shape, dtype, is_fortran, contents).
  PickledElement Array(const PickleItem& state) const {
    PickledElement element{PickledElement::Kind::kSequence, "numpy.ndarray"};
    const std::vector<uint32_t> parts = values_.Held(state, 3);
    if (parts.size() < 3) return element;
    const std::vector<uint32_t> dims = values_.Held(values_.item(parts[1]), 2);
    if (dims.size() == 1) {
      const absl::string_view extent = values_.TextOf(values_.item(dims[0]));  // little-endian, if not large
      if (!extent.empty()) element.length = 0;
      for (size_t i = extent.size(); i-- > 0;) {
        element.length = element.length << 8 | static_cast<unsigned char>(extent[i]);
      }
    }
    element.flat = dims.size() == 1 && NumbersOf(values_.item(parts[2])).has_value();
    return element;
  }

  PickledElement Object(const PickleItem& item, int depth) const {
    const std::vector<uint32_t> parts = values_.Held(item, 3);
    if (parts.empty() || values_.item(parts[0]).kind != Kind::kGlobal) {
      return {PickledElement::Kind::kOther, "object"};
    }
    const std::string name = GlobalName(values_, values_.item(parts[0]));
    if (IsNumpy(name, "_reconstruct") && parts.size() > 2) return Array(values_.item(parts[2]));
    const std::vector<uint32_t> arguments =
        parts.size() > 1 ? values_.Held(values_.item(parts[1]), 3) : std::vector<uint32_t>();
    if (IsNumpy(name, "scalar") && !arguments.empty()) {
      const auto number = NumbersOf(values_.item(arguments[0]));
      return {number.value_or(PickledElement::Kind::kOther), "a scalar of NumPy"};
    }
    // Protocol 2 spells bytes as _codecs.encode("text", "latin1").
    if (name == "_codecs.encode" && !arguments.empty() && depth == 0) {
      return {PickledElement::Kind::kBytes, "bytes", Describe(arguments[0], depth + 1).text};
    }
    if (name == "decimal.Decimal" || name == "fractions.Fraction") {
      return {PickledElement::Kind::kFloat, name};
    }
    if (name == "datetime.date" || name == "datetime.datetime") return {PickledElement::Kind::kDate, name};
    return {PickledElement::Kind::kOther, name};
  }

  const PickleValues& values_;
};

// The state of the array is (version, shape, dtype, is_fortran, list of elements).
std::vector<uint32_t> ElementsOfState(const PickleValues& values, const PickleItem& tuple) {
  const std::vector<uint32_t> state = values.Held(tuple, 5);
  if (state.size() < 5 || values.item(state[4]).kind != Kind::kList) return {};
  return values.Held(values.item(state[4]));
}

// Where the pickle is cut off, the parts still lie on the stack: the array, and the state, or a mark, the
// first four of the state, the list, and a mark with what is to be added.
std::vector<uint32_t> ElementsOf(const PickleValues& values) {
  const std::vector<uint32_t>& stack = values.stack();
  constexpr size_t kListAt = 6;
  if (values.complete()) {
    const std::vector<uint32_t> parts =
        stack.empty() ? std::vector<uint32_t>() : values.Held(values.item(stack.back()), 3);
    return parts.size() < 3 ? std::vector<uint32_t>() : ElementsOfState(values, values.item(parts[2]));
  }
  if (stack.size() == 2) return ElementsOfState(values, values.item(stack[1]));
  if (stack.size() <= kListAt || values.item(stack[kListAt]).kind != Kind::kList) return {};
  std::vector<uint32_t> elements = values.Held(values.item(stack[kListAt]));
  const auto is_whole = [&](uint32_t item) {
    return values.item(item).kind != Kind::kMark && values.item(item).kind != Kind::kGlobal;
  };
  size_t i = kListAt + 2;
  for (; i < stack.size() && is_whole(stack[i]); ++i) elements.push_back(stack[i]);
  // The last may be a list that is not filled yet.
  if (i > kListAt + 2) elements.pop_back();
  return elements;
}

}  // namespace

void SurveyPickledArray(absl::string_view pickle, absl::FunctionRef<void(const PickledElement&)> visit) {
  const PickleValues values = WalkPickle(pickle);
  const Describer describer(values);
  // Of so many elements, what is inside them is looked at; of the others only what they are.
  constexpr size_t kInside = 1000;
  const std::vector<uint32_t> elements = ElementsOf(values);
  for (size_t i = 0; i < elements.size(); ++i) visit(describer.Describe(elements[i], i < kInside ? 0 : 1));
}

}  // namespace tenfold
