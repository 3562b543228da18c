// SPDX-License-Identifier: Apache-2.0
//
// What is done with the bytes of each format: they are read, and what was read is used. Shared by the fuzz
// targets and by the mutations of mutations.h. Each ends the process where it finds a bug.
#ifndef TENFOLD_TESTS_FUZZ_EXERCISE_FILES_H_
#define TENFOLD_TESTS_FUZZ_EXERCISE_FILES_H_

#include "absl/strings/string_view.h"

namespace tenfold::fuzz {

// .npy files: read raw, with text as numbers, and under every policy.
void ExerciseNpyBytes(absl::string_view bytes);
void ExerciseNpzBytes(absl::string_view bytes);
void ExerciseSafetensorsBytes(absl::string_view bytes);
// Graph files.
void ExerciseTnfBytes(absl::string_view bytes);
// Text graphs.
void ExerciseTntBytes(absl::string_view bytes);
// What people write on a command line: tensors, types, array arguments, policies.
void ExerciseLiteralBytes(absl::string_view bytes);

}  // namespace tenfold::fuzz

#endif  // TENFOLD_TESTS_FUZZ_EXERCISE_FILES_H_
