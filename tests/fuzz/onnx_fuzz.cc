// SPDX-License-Identifier: Apache-2.0
//
// ONNX models (.onnx): mutated as bytes, and as the message that they are.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include "proto/onnx.pb.h"
#include "tenfold/tests/fuzz/exercise_onnx.h"
#include "tenfold/tests/fuzz/fuzzer_text.h"
#include "tenfold/tests/fuzz/mutate_message.h"

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  using namespace tenfold;
  onnx::ModelProto model;
  if (seed % 8 == 0 || !model.ParseFromArray(data, static_cast<int>(size)))
    return LLVMFuzzerMutate(data, size, max_size);
  std::minstd_rand random(seed);
  fuzz::MutateMessage(model, random, fuzz::MutateTextByFuzzer);
  const std::string bytes = model.SerializeAsString();
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tenfold::fuzz::ExerciseOnnxBytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
