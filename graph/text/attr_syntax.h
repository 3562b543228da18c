// SPDX-License-Identifier: Apache-2.0
//
// Values of attributes between text and AttrValue. The op's declaration says which kind is meant: `2` is an
// int or a float.
#ifndef TENFOLD_GRAPH_TEXT_ATTR_SYNTAX_H_
#define TENFOLD_GRAPH_TEXT_ATTR_SYNTAX_H_

#include <optional>
#include <string>

#include "tenfold/graph/attrs.h"
#include "tenfold/graph/text/syntax.h"

namespace tenfold {

// nullopt if what is written is no value of that kind.
std::optional<AttrValue> ReadAttrValue(const AttrSyntax& attr, AttrKind kind);

// What is written instead of `attr` if it was meant as that kind: [1] for 1, true for True, "tanh" for tanh;
// empty if that is not plain.
std::string NearestAttrText(const AttrSyntax& attr, AttrKind kind);

// What a value of that kind looks like: "a list of integers, such as [0, 1]".
absl::string_view DescribeAttrKind(AttrKind kind);

// Reads back to the same value.
std::string AttrValueText(const AttrValue& value, std::optional<int64_t> max_elements = std::nullopt,
                          absl::string_view indent = "");

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_ATTR_SYNTAX_H_
