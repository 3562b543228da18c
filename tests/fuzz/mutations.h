// SPDX-License-Identifier: Apache-2.0
//
// Every prefix of a file, random changes of one byte, and of an ONNX model changes of the message: each must
// be refused or taken, soon and in little memory, by the functions of exercise_files.h. Unlike a fuzzer it
// misses nothing that is near a good file, and needs no instrumentation.
#ifndef TENFOLD_TESTS_FUZZ_MUTATIONS_H_
#define TENFOLD_TESTS_FUZZ_MUTATIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tenfold::fuzz {

struct MutationOptions {
  int64_t mutations = 100;  // of each file, besides its prefixes; of graph files also with the checksum
                            // mended, of ONNX models as many of the message, too
  uint64_t seed = 1;
  // What one input may take.
  double max_seconds = 1;                // of the process's CPU time
  int64_t max_bytes = int64_t{1} << 28;  // by which resident memory grows
  // Where inputs are written that break a limit or the process; empty: nowhere.
  std::string findings = "";
};

struct FileReport {
  std::string file;  // "npy/f4": its folder says what it is
  int64_t bytes = 0;
  int64_t inputs = 0;
  double slowest_seconds = 0;
  int64_t largest_growth = 0;  // in bytes
  std::string finding;         // empty: none
};

// The files of a corpus, FOLDER/FORMAT/NAME, by name: npy, npz, safetensors, tnf, tnt, onnx, literal.
std::vector<std::string> FilesOf(absl::string_view corpus);

// Whether the file loads as what it is.
bool IsValid(absl::string_view corpus, const std::string& file);

// Works in a process of its own, so that a crash is a finding, too.
FileReport MutateFile(absl::string_view corpus, const std::string& file, const MutationOptions& options);

}  // namespace tenfold::fuzz

#endif  // TENFOLD_TESTS_FUZZ_MUTATIONS_H_
