// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/limits.h"

#include <algorithm>
#include <iterator>

namespace tenfold {
namespace {

constexpr LimitField kFields[] = {
    {"file_bytes", &Limits::file_bytes, true, "Of a graph file as a whole."},
    {"graph_bytes", &Limits::graph_bytes, true,
     "Of a .tnf or .onnx file: the structure, without the constants' data. A byte there may become some 40 "
     "in "
     "memory."},
    {"text_bytes", &Limits::text_bytes, true, "Of a .tnt file, constants included."},
    {"nodes", &Limits::nodes, false,
     "Nodes of a graph, those of its bodies included, in its file and in every stage of compilation."},
    {"node_values", &Limits::node_values, false,
     "Inputs, outputs or attributes of one node, and inputs or outputs of a graph."},
    {"name_bytes", &Limits::name_bytes, true, "Of one name."},
    {"nesting", &Limits::nesting, false, "Graphs within graphs."},
    {"rank", &Limits::rank, false, "Dims of a tensor, given or inferred."},
    {"tensor_bytes", &Limits::tensor_bytes, true,
     "Stored bytes of one tensor, of one value that a run computes, and of all intermediates of a run "
     "together. A splat stores one element."},
    {"inflate_ratio", &Limits::inflate_ratio, false,
     "Uncompressed bytes for each compressed one, in archives."},
    {"kernel_ops", &Limits::kernel_ops, false,
     "Nodes that the compiler fuses into one kernel; more are not refused, but become several kernels."},
    {"loop_steps", &Limits::loop_steps, false,
     "Iterations of all loops of one run together, loops within loops counted each time, and calls."},
    {"errors", &Limits::errors, false, "Errors reported for one file, which is read no further then."},
};

// A new field does not compile until it is bound here, and then needs its row.
[[maybe_unused]] constexpr size_t CountFields() {
  const auto [a, b, c, d, e, f, g, h, i, j, k, l, m] = Limits();
  return 13 + 0 * (a + b + c + d + e + f + g + h + i + j + k + l + m);
}
static_assert(CountFields() == std::size(kFields));

}  // namespace

std::span<const LimitField> LimitFields() { return kFields; }

std::string FlagOfLimit(const char* name) {
  std::string flag = std::string("--") + name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

Mend RaiseLimitHelp(const char* name, int64_t needed) {
  return MendByFlag("if that is meant, allow it: ", FlagOfLimit(name), std::to_string(needed),
                    std::string(" (in C++, Limits::") + name + ")");
}

}  // namespace tenfold
