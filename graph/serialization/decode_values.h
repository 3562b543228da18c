// SPDX-License-Identifier: Apache-2.0
//
// The leaves of a .tnf structure: types, tensors, attributes.
#ifndef TENFOLD_GRAPH_SERIALIZATION_DECODE_VALUES_H_
#define TENFOLD_GRAPH_SERIALIZATION_DECODE_VALUES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/serialization/decode.h"

namespace tenfold {

// "the file's structure is wrong: ..." (E0502).
absl::Status WrongStructure(absl::string_view what);

// Refuses a field that this version does not know: to skip it would be to change what was written.
template <typename Message>
absl::Status CheckKnown(const Message& message, absl::string_view what) {
  if (message.GetReflection()->GetUnknownFields(message).empty()) return absl::OkStatus();
  return WrongStructure(absl::StrCat(what, " has a field that version 1 does not know"));
}

// Refuses more than `limit`, which is that of `limit_name` (E0402).
absl::Status CheckCount(int64_t count, int64_t limit, const char* limit_name, absl::string_view what);

absl::StatusOr<TensorType> DecodeType(const v1::Type& encoded, const Limits& limits);
absl::StatusOr<Tensor> DecodeTensor(const v1::Tensor& encoded, const DecodeContext& context);
absl::StatusOr<AttrValue> DecodeAttr(const v1::Attribute& encoded, const DecodeContext& context);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SERIALIZATION_DECODE_VALUES_H_
