// SPDX-License-Identifier: Apache-2.0
//
// .npy files.
#include <cstddef>
#include <cstdint>

#include "tenfold/tests/fuzz/exercise_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tenfold::fuzz::ExerciseNpyBytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
