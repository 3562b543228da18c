// SPDX-License-Identifier: Apache-2.0
//
// What is accepted from files that nobody vouches for, and computed for them. Every graph, array and model
// file is hostile until proven otherwise: what is over a limit is refused with E0402 before the memory for it
// is asked for. Loaders, the compiler with its folder, and runs honour the same struct.
#ifndef TENFOLD_GRAPH_LIMITS_H_
#define TENFOLD_GRAPH_LIMITS_H_

#include <cstdint>
#include <span>
#include <string>

#include "tenfold/graph/mend.h"

namespace tenfold {

// The defaults are far above what real models need. Tools have a flag of the same name for each
// (`--tensor-bytes`); what each one bounds is said in LimitFields().
struct Limits {
  int64_t file_bytes = int64_t{256} << 30;
  int64_t graph_bytes = int64_t{128} << 20;
  int64_t text_bytes = int64_t{2} << 30;
  int64_t nodes = 1'000'000;
  int64_t node_values = 16384;
  int64_t name_bytes = 4096;
  int64_t nesting = 8;
  int64_t rank = 32;
  int64_t tensor_bytes = int64_t{64} << 30;
  int64_t inflate_ratio = 1100;
  int64_t kernel_ops = 64;
  int64_t loop_steps = 100'000'000;
  int64_t errors = 50;
};

// One row a field, in their order: what flags and documentation are made from.
struct LimitField {
  const char* name;  // "tensor_bytes"
  int64_t Limits::* member;
  bool is_bytes;
  const char* what;  // "Stored bytes of one tensor; ..."
};
std::span<const LimitField> LimitFields();

// "--tensor-bytes".
std::string FlagOfLimit(const char* name);
// The mend of a refusal: "if that is meant, allow it: --tensor-bytes 4000 (in C++, Limits::tensor_bytes)".
Mend RaiseLimitHelp(const char* name, int64_t needed);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_LIMITS_H_
