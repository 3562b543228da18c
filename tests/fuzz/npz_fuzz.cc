// SPDX-License-Identifier: Apache-2.0
//
// .npz archives.
#include <cstdint>

#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/tests/fuzz/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tenfold;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<NamedTensors> arrays = ReadNpz(bytes, "fuzz.npz", fuzz::SmallLimits());
  fuzz::CheckNotOurBug(arrays.status());
  if (!arrays.ok()) return 0;
  for (const auto& [name, tensor] : *arrays) fuzz::ExerciseTensor(tensor);
  const absl::StatusOr<std::string> written = WriteNpz(*arrays);
  fuzz::CheckNotOurBug(written.status());
  if (written.ok() && !ReadNpz(*written, "again.npz").ok())
    fuzz::Bug("what was written does not read back", {});
  return 0;
}
