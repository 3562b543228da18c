// SPDX-License-Identifier: Apache-2.0
//
// Errors that mend: a structured diagnostic, carried as the payload of an absl::Status.
//
//   error[E0201 shape-mismatch]: MatMul 'fc1/matmul': inner dims differ: lhs 'x' is f32[28,28], rhs ...
//     --> examples/digits.cc:31
//     lhs comes from Input 'x' (examples/digits.cc:24), rhs from Const 'fc1/w' (weights.npz: fc1/w)
//     help: x has 28*28 = 784 elements: Reshape(x, {-1, 784}) gives f32[1,784]
//
// Every code has a row in graph/error_codes.cc, from which docs/errors.md is generated.
#ifndef TENFOLD_GRAPH_DIAGNOSTIC_H_
#define TENFOLD_GRAPH_DIAGNOSTIC_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/mend.h"

namespace tenfold {

struct ErrorCode {
  absl::string_view id;    // "E0201": stable for ever
  absl::string_view slug;  // "shape-mismatch"
  absl::StatusCode status;
  absl::string_view paragraph;  // for docs/errors.md
};

// Every code, by id.
std::span<const ErrorCode> AllErrorCodes();
// The row with that id; the row of E9001 internal-error for an id that is not in the table.
const ErrorCode& FindErrorCode(absl::string_view id);

// A status carries errors alone; warnings and remarks come beside a result.
enum class Severity : uint8_t { kError, kWarning, kRemark };
absl::string_view Name(Severity severity);  // "error"

struct Diagnostic {
  std::string code;                // "E0201"
  std::string message;             // the first line, after the code
  std::string location;            // "examples/digits.cc:31", "model.tnt:4:9"; may be empty
  std::vector<std::string> notes;  // how the pieces came to be
  std::vector<Mend> help;          // each of them mends it, the likeliest first
  Severity severity = Severity::kError;

  std::string ToString() const;  // the printed form above, no newline at the end
  std::string ToJson() const;    // on one line, as proto/diagnostic.proto has it
};

// A status with the code's canonical status code, message = the printed form, payload = the diagnostics.
// An empty list is an OK status.
absl::Status ToStatus(Diagnostic diagnostic);
absl::Status ToStatus(std::vector<Diagnostic> diagnostics);

// Short for the common case.
absl::Status MakeError(absl::string_view code, std::string message, Mend help = {});

// The diagnostics in `status`; a status without payload gives one E9001 with its message. Empty for OK.
std::vector<Diagnostic> DiagnosticsOf(const absl::Status& status);

// The same error with `location` filled in where it was empty, or with a note added.
absl::Status WithLocation(const absl::Status& status, absl::string_view location);
absl::Status WithNote(const absl::Status& status, absl::string_view note);

// The nearest of `candidates` by edit distance, for "did you mean"; empty if none is near.
std::string NearestName(absl::string_view name, std::span<const std::string> candidates);
// Whether `written` is so clearly a slip of the pen for `meant` that a machine may correct it: another case,
// a letter too many or too few, or two that changed places.
bool IsSlip(absl::string_view written, absl::string_view meant);

}  // namespace tenfold

// Returns from the enclosing function if `expr` is not OK. Our own, since Debian's Abseil has none.
#define TENFOLD_RETURN_IF_ERROR(expr)                                                         \
  do {                                                                                        \
    if (absl::Status tenfold_status_ = (expr); !tenfold_status_.ok()) return tenfold_status_; \
  } while (false)

#define TENFOLD_CONCAT_INNER_(a, b) a##b
#define TENFOLD_CONCAT_(a, b) TENFOLD_CONCAT_INNER_(a, b)

// `TENFOLD_ASSIGN_OR_RETURN(auto x, F());`
#define TENFOLD_ASSIGN_OR_RETURN(lhs, expr) \
  TENFOLD_ASSIGN_OR_RETURN_(TENFOLD_CONCAT_(tenfold_or_, __LINE__), lhs, expr)
#define TENFOLD_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                              \
  if (!tmp.ok()) return tmp.status();             \
  lhs = *std::move(tmp)

#endif  // TENFOLD_GRAPH_DIAGNOSTIC_H_
