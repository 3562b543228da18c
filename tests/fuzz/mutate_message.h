// SPDX-License-Identifier: Apache-2.0
//
// Changes one thing somewhere in a protobuf message, so that a fuzzer gets behind the wire format.
#ifndef TENFOLD_TESTS_FUZZ_MUTATE_MESSAGE_H_
#define TENFOLD_TESTS_FUZZ_MUTATE_MESSAGE_H_

#include <random>

#include "google/protobuf/message.h"

namespace tenfold::fuzz {

// A scalar gets another value, an element of a list is copied, dropped or swapped, a message is added,
// cleared or entered.
void MutateMessage(google::protobuf::Message& message, std::minstd_rand& random);

}  // namespace tenfold::fuzz

#endif  // TENFOLD_TESTS_FUZZ_MUTATE_MESSAGE_H_
