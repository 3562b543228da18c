// SPDX-License-Identifier: Apache-2.0
//
// The attributes of a node: named constants that are part of what the node computes.
#ifndef TENFOLD_GRAPH_ATTRS_H_
#define TENFOLD_GRAPH_ATTRS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

enum class AttrKind : uint8_t {
  kBool,
  kInt,
  kFloat,
  kString,
  kInts,
  kFloats,
  kStrings,
  kDType,
  kType,
  kTensor
};

// The alternatives stand in the order of AttrKind.
using AttrValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                               std::vector<std::string>, DType, TensorType, Tensor>;

inline AttrKind KindOf(const AttrValue& value) { return static_cast<AttrKind>(value.index()); }
// "bool", "int", "float", "string", "ints", "floats", "strings", "dtype", "type", "tensor".
absl::string_view Name(AttrKind kind);
// As the text form writes it: `-1`, `true`, `"tanh"`, `[0, 1]`, `["tanh"]`, `f32`.
std::string ToString(const AttrValue& value);
// Equal values; tensors by their bits.
bool operator==(const AttrValue& a, const AttrValue& b);

// Sorted by name, so that equal attributes print and compare equal.
class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<const std::string, AttrValue>> values) : values_(values) {}

  void Set(absl::string_view name, AttrValue value) {
    values_.insert_or_assign(std::string(name.data(), name.size()), std::move(value));
  }
  const AttrValue* Find(absl::string_view name) const {
    auto it = values_.find(std::string(name.data(), name.size()));
    return it == values_.end() ? nullptr : &it->second;
  }
  // The value of an attribute that the op declares; once a node is checked, every declared attribute has its
  // kind, given or by default. T{} if it is absent (an optional attribute without default).
  template <typename T>
  T Get(absl::string_view name) const {
    const AttrValue* value = Find(name);
    const T* typed = value == nullptr ? nullptr : std::get_if<T>(value);
    return typed == nullptr ? T{} : *typed;
  }
  bool empty() const { return values_.empty(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  bool operator==(const Attrs& other) const;

 private:
  std::map<std::string, AttrValue> values_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_ATTRS_H_
