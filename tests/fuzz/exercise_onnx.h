// SPDX-License-Identifier: Apache-2.0
//
// What is done with the bytes of an ONNX model. Apart from exercise_files.h, so that the fuzzers of the other
// formats need not build the importer.
#ifndef TENFOLD_TESTS_FUZZ_EXERCISE_ONNX_H_
#define TENFOLD_TESTS_FUZZ_EXERCISE_ONNX_H_

#include "absl/strings/string_view.h"

namespace tenfold::fuzz {

// Imports it and runs what came of it. Ends the process where it finds a bug: of ours, or a refusal that does
// not say which node, value or field of the model it is about.
void ExerciseOnnxBytes(absl::string_view bytes);

}  // namespace tenfold::fuzz

#endif  // TENFOLD_TESTS_FUZZ_EXERCISE_ONNX_H_
