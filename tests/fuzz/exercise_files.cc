// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/fuzz/exercise_files.h"

#include <string>

#include "tenfold/graph/ingest/ingest.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/graph/text/tensor_literal.h"
#include "tenfold/tests/fuzz/exercise.h"

namespace tenfold::fuzz {

void ExerciseNpyBytes(absl::string_view bytes) {
  const Limits limits = SmallLimits();
  const absl::StatusOr<Tensor> raw = ReadNpy(bytes, "fuzz.npy", limits);
  CheckNotOurBug(raw.status());
  TextAs text{DType::kF32};
  MemorySource source(bytes);
  const absl::StatusOr<Tensor> read = ReadNpyFrom(source, {"fuzz.npy", ""}, limits, &text);
  CheckNotOurBug(read.status());
  if (!read.ok()) return;
  ExerciseTensor(*read);
  // What is written reads back.
  const absl::StatusOr<std::string> written = WriteNpy(*read);
  if (!written.ok() || !ReadNpy(*written, "again.npy").ok()) Bug("what was written does not read back", {});
  for (CastRule cast : {CastRule::kRefuse, CastRule::kExact, CastRule::kNearest, CastRule::kSaturate}) {
    for (DType target : {DType::kI8, DType::kF16, DType::kF64}) {
      for (NanRule nan : {NanRule::kZero, NanRule::kMedian}) {
        const IngestOptions options{.dtype = target, .policy = {.nan = {nan, 0}, .cast = cast}};
        const auto ingested = Ingest(*read, {"fuzz.npy", "", "x"}, options);
        CheckNotOurBug(ingested.status());
        if (ingested.ok()) ingested->record.ToString();
      }
    }
  }
}

void ExerciseNpzBytes(absl::string_view bytes) {
  const absl::StatusOr<NamedTensors> arrays = ReadNpz(bytes, "fuzz.npz", SmallLimits());
  CheckNotOurBug(arrays.status());
  if (!arrays.ok()) return;
  for (const auto& [name, tensor] : *arrays) ExerciseTensor(tensor);
  const absl::StatusOr<std::string> written = WriteNpz(*arrays);
  CheckNotOurBug(written.status());
  if (written.ok() && !ReadNpz(*written, "again.npz").ok()) Bug("what was written does not read back", {});
}

void ExerciseSafetensorsBytes(absl::string_view bytes) {
  const absl::StatusOr<NamedTensors> arrays =
      ReadSafetensors(bytes, "fuzz.safetensors", {.limits = SmallLimits()});
  CheckNotOurBug(arrays.status());
  if (!arrays.ok()) return;
  for (const auto& [name, tensor] : *arrays) ExerciseTensor(tensor);
}

void ExerciseTnfBytes(absl::string_view bytes) {
  LoadOptions options;
  options.limits = SmallLimits();
  const absl::StatusOr<Graph> graph = ParseGraph(bytes, options);
  CheckNotOurBug(graph.status());
  if (!graph.ok()) return;
  // What is written reads back and is written the same.
  const absl::StatusOr<std::string> written = SerializeGraph(*graph);
  CheckNotOurBug(written.status());
  if (written.ok()) {
    const absl::StatusOr<Graph> again = ParseGraph(*written);
    if (!again.ok()) Bug("what was written does not read back: ", again.status());
    if (*SerializeGraph(*again) != *written) Bug("what was read back is written otherwise", {});
  }
  ExerciseGraph(*graph);
}

void ExerciseTntBytes(absl::string_view bytes) {
  TextOptions options;
  options.limits = SmallLimits();
  const absl::StatusOr<Graph> graph = ParseText(bytes, options);
  CheckNotOurBug(graph.status());
  AnnotateText(bytes, options);
  if (!graph.ok()) return;
  // What is printed reads back and prints the same.
  const std::string printed = PrintText(*graph);
  const absl::StatusOr<Graph> again = ParseText(printed);
  if (!again.ok() || PrintText(*again) != printed)
    Bug("what was printed does not read back, or prints otherwise", {});
  ExerciseGraph(*graph);
}

void ExerciseLiteralBytes(absl::string_view bytes) {
  const absl::StatusOr<TensorType> type = TensorType::Parse(bytes);
  CheckNotOurBug(type.status());
  // Printing is the inverse of parsing.
  if (type.ok()) {
    const absl::StatusOr<TensorType> again = TensorType::Parse(type->ToString());
    if (!again.ok() || !(*again == *type)) Bug("a type does not read back", again.status());
  }
  const auto nan = ParseNanPolicy(bytes);
  if (nan && ParseNanPolicy(nan->ToString()) != nan) Bug("a policy does not read back", {});
  const absl::StatusOr<Tensor> tensor = ParseTensorLiteral(bytes, SmallLimits());
  CheckNotOurBug(tensor.status());
  if (tensor.ok()) ExerciseTensor(*tensor);
}

}  // namespace tenfold::fuzz
