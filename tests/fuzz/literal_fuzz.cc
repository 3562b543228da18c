// SPDX-License-Identifier: Apache-2.0
//
// What people write on a command line: tensors, types, array arguments, policies.
#include <cstdint>

#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/ingest.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/text/tensor_literal.h"
#include "tenfold/tests/fuzz/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tenfold;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<TensorType> type = TensorType::Parse(text);
  fuzz::CheckNotOurBug(type.status());
  // Printing is the inverse of parsing.
  if (type.ok()) {
    const absl::StatusOr<TensorType> again = TensorType::Parse(type->ToString());
    if (!again.ok() || !(*again == *type)) fuzz::Bug("a type does not read back", again.status());
  }
  const auto nan = ParseNanPolicy(text);
  if (nan && ParseNanPolicy(nan->ToString()) != nan) fuzz::Bug("a policy does not read back", {});
  const absl::StatusOr<Tensor> tensor = ParseTensorLiteral(text, fuzz::SmallLimits());
  fuzz::CheckNotOurBug(tensor.status());
  if (tensor.ok()) fuzz::ExerciseTensor(*tensor);
  return 0;
}
