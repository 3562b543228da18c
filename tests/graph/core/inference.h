// SPDX-License-Identifier: Apache-2.0
//
// Tests of inference, one line each:
//
//   INFERS("MatMul", "f32[N,4] f32[4,3]", "f32[N,3]");
//   REFUSES("MatMul", "f32[28,28] f32[784,10]", "inner dims differ");
//   ASSUMES("MatMul", "f32[N,4] f32[K,3]", "f32[N,3]", "dim 0 of rhs is 4");
//
// The first two want proofs; ASSUMES lists what is assumed where there is none.
//
// An operand whose values inference knows has them behind its type: "i64[2]{-1,N}". `_` is absent. Attributes
// follow as
// {"axis", int64_t{0}} pairs.
#ifndef TENFOLD_TESTS_GRAPH_CORE_INFERENCE_H_
#define TENFOLD_TESTS_GRAPH_CORE_INFERENCE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tenfold/graph/attrs.h"

namespace tenfold::testing {

using Ints = std::vector<int64_t>;

// The outputs' types and known contents as text, or the printed error.
std::string Inferred(absl::string_view op, absl::string_view inputs, Attrs attrs);
// The same where sizes may be assumed to be equal, "f32[N,3] if dim 0 of rhs is 4".
std::string InferredByAssuming(absl::string_view op, absl::string_view inputs, Attrs attrs);

}  // namespace tenfold::testing

#define INFERS(op, inputs, outputs, ...) \
  EXPECT_EQ(::tenfold::testing::Inferred(op, inputs, {__VA_ARGS__}), outputs)

#define ASSUMES(op, inputs, outputs, assumptions, ...)                         \
  EXPECT_EQ(::tenfold::testing::InferredByAssuming(op, inputs, {__VA_ARGS__}), \
            std::string(outputs) + " if " + (assumptions))

#define REFUSES(op, inputs, message, ...)                                       \
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "error[E",                        \
                      ::tenfold::testing::Inferred(op, inputs, {__VA_ARGS__})); \
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, message,                          \
                      ::tenfold::testing::Inferred(op, inputs, {__VA_ARGS__}))

#endif  // TENFOLD_TESTS_GRAPH_CORE_INFERENCE_H_
