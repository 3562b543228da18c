// SPDX-License-Identifier: Apache-2.0
//
// The compiler explains itself: every decision is a remark with its reason.
#ifndef TENFOLD_COMPILER_REMARK_H_
#define TENFOLD_COMPILER_REMARK_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace tenfold {

// What a rewrite may change (docs/architecture.md): nothing, rounding by an identity of real arithmetic, or
// more.
enum class Numerics : uint8_t { kExact, kReassoc, kFast };
absl::string_view Name(Numerics numerics);  // "exact"

struct Remark {
  std::string pass;  // "fold-constants"
  std::string node;  // "Mul 'y'"
  bool did = false;
  std::string reason;            // what was done, or why not
  std::string ToString() const;  // "fold-constants: did  Mul 'y': 8 values, 32 bytes"
  bool operator==(const Remark&) const = default;
};

// Yes, or no with the reason.
class Decision {
 public:
  static Decision Yes() { return Decision(); }
  static Decision No(std::string reason) { return Decision(std::move(reason)); }
  explicit operator bool() const { return yes_; }
  const std::string& reason() const { return reason_; }

 private:
  Decision() : yes_(true) {}
  explicit Decision(std::string reason) : yes_(false), reason_(std::move(reason)) {}
  bool yes_;
  std::string reason_;
};

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_REMARK_H_
