// SPDX-License-Identifier: Apache-2.0
//
// .safetensors files.
#include <cstdint>

#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/tests/fuzz/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tenfold;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<NamedTensors> arrays =
      ReadSafetensors(bytes, "fuzz.safetensors", {.limits = fuzz::SmallLimits()});
  fuzz::CheckNotOurBug(arrays.status());
  if (!arrays.ok()) return 0;
  for (const auto& [name, tensor] : *arrays) fuzz::ExerciseTensor(tensor);
  return 0;
}
