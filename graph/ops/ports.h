// SPDX-License-Identifier: Apache-2.0
//
// Inputs and attributes that may be left out, as the definitions of ops list them.
#ifndef TENFOLD_GRAPH_OPS_PORTS_H_
#define TENFOLD_GRAPH_OPS_PORTS_H_

#include <optional>

#include "tenfold/graph/op_def.h"

namespace tenfold {

inline PortDef OptionalPort(const char* name, const char* type_var, DTypeSet dtypes, const char* doc) {
  return {.name = name, .type_var = type_var, .dtypes = dtypes, .doc = doc, .arity = Arity::kOptional};
}

// Absent, and without a default.
inline AttrDef OptionalAttr(const char* name, AttrKind kind, const char* doc) {
  return {.name = name, .kind = kind, .default_value = std::nullopt, .doc = doc, .is_optional = true};
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_PORTS_H_
