// SPDX-License-Identifier: Apache-2.0
//
// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw
// (https://doi.org/10.1145/2063384.2063405): number i of a key is a function of i and the key alone, so any
// thread can compute any of them.
#ifndef TENFOLD_GRAPH_PHILOX_H_
#define TENFOLD_GRAPH_PHILOX_H_

#include <array>
#include <cstdint>

namespace tenfold {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

constexpr PhiloxCounter Philox(PhiloxCounter counter, PhiloxKey key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0], b = uint64_t{0xCD9E8D57} * counter[2];
    const auto high = [](uint64_t product) { return static_cast<uint32_t>(product >> 32); };
    counter = {high(b) ^ counter[1] ^ key[0], static_cast<uint32_t>(b), high(a) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(a)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_PHILOX_H_
