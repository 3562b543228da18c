// SPDX-License-Identifier: Apache-2.0
//
// From an array that somebody has to the tensor that a graph wants, under policies that the user names.
// Without one, an array is taken exactly or refused.
#ifndef TENFOLD_GRAPH_INGEST_INGEST_H_
#define TENFOLD_GRAPH_INGEST_INGEST_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/cast.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/replace_nans.h"
#include "tenfold/graph/ingest/storage.h"
#include "tenfold/graph/ingest_record.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

enum class TextRule : uint8_t {
  kRefuse,
  kParse,  // text is read as numbers of the dtype that is due; f64 if none is
};
// "refuse", "parse".
absl::string_view Name(TextRule rule);
std::optional<TextRule> ParseTextRule(absl::string_view name);

// In the order in which they are applied: text, nan, cast. docs/numerics.md has the table.
struct ArrayPolicy {
  TextRule text = TextRule::kRefuse;
  NanPolicy nan = {};
  CastRule cast = CastRule::kRefuse;
  Storage storage = Storage::kAuto;  // of files
  bool operator==(const ArrayPolicy&) const = default;
};

struct IngestOptions {
  // The dtype that is due; as it is in the array if absent.
  std::optional<DType> dtype = std::nullopt;
  ArrayPolicy policy = {};
  Limits limits = {};
};

// An array in memory. Errors: those of ReplaceNans and CastArray.
absl::StatusOr<IngestedArray> Ingest(const Tensor& array, const ArrayName& name,
                                     const IngestOptions& options);
// An array that `load` reads; it is told how to read text, or null to refuse it.
using ArrayLoader = absl::FunctionRef<absl::StatusOr<Tensor>(TextAs* text_as)>;
absl::StatusOr<IngestedArray> IngestLoaded(const ArrayName& name, const IngestOptions& options,
                                           ArrayLoader load);
// An array of a file (graph/ingest/array_reference.h says which); `name.file` is its path. Errors: those of
// LoadArray too.
absl::StatusOr<IngestedArray> IngestFile(const ArrayName& name, const IngestOptions& options);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_INGEST_H_
