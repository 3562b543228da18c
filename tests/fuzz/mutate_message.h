// SPDX-License-Identifier: Apache-2.0
//
// Changes one thing somewhere in a protobuf message, so that a fuzzer gets behind the wire format.
#ifndef TENFOLD_TESTS_FUZZ_MUTATE_MESSAGE_H_
#define TENFOLD_TESTS_FUZZ_MUTATE_MESSAGE_H_

#include <random>
#include <string>

#include "absl/functional/function_ref.h"
#include "google/protobuf/message.h"

namespace tenfold::fuzz {

// A scalar gets another value, an element of a list is copied, dropped or swapped, a message is added,
// cleared or entered. Half of the texts that change are changed by `mutate_text`.
void MutateMessage(google::protobuf::Message& message, std::minstd_rand& random,
                   absl::FunctionRef<void(std::string& text)> mutate_text);

}  // namespace tenfold::fuzz

#endif  // TENFOLD_TESTS_FUZZ_MUTATE_MESSAGE_H_
