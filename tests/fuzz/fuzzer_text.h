// SPDX-License-Identifier: Apache-2.0
//
// How libFuzzer changes a text, for targets that mutate messages.
#ifndef TENFOLD_TESTS_FUZZ_FUZZER_TEXT_H_
#define TENFOLD_TESTS_FUZZ_FUZZER_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace tenfold::fuzz {

inline void MutateTextByFuzzer(std::string& text) {
  const size_t size = text.size();
  text.resize(size + 8);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), size, text.size()));
}

}  // namespace tenfold::fuzz

#endif  // TENFOLD_TESTS_FUZZ_FUZZER_TEXT_H_
