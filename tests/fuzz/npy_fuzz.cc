// SPDX-License-Identifier: Apache-2.0
//
// .npy files: read raw, with text as numbers, and under every policy.
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/ingest.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/tests/fuzz/exercise.h"

namespace tenfold::fuzz {
namespace {

void Try(absl::string_view bytes) {
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

}  // namespace
}  // namespace tenfold::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tenfold::fuzz::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
