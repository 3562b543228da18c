// SPDX-License-Identifier: Apache-2.0
//
// What an array is called in messages, and commands that mend it, ready to be pasted.
#ifndef TENFOLD_GRAPH_INGEST_ARRAY_NAME_H_
#define TENFOLD_GRAPH_INGEST_ARRAY_NAME_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tenfold {

struct ArrayName {
  std::string file;
  std::string member;  // of an archive; empty for a file that is one array
  // What the flags of a tool call it, as in `--cast x=nearest`; empty: mends are written in C++.
  std::string argument = {};
  // How the graph that refers to it names the file; empty: no graph does.
  std::string reference = {};

  // "'text.npy'", "'weights.npz: w1'": the file as the graph names it, if one does.
  std::string ToString() const;
  // "text.npy", "weights.npz:w1": the form that ResolveArrayReference reads.
  std::string Reference() const;
};

// How an array is called in provenance: "bias.npy", "weights.npz: w1".
std::string ReferenceName(absl::string_view file, absl::string_view member);

// A command that saves `expression`, in which `a` is the array, in a file beside this one whose
// name carries `suffix`: text.npy becomes text.f8.npy. `load` is what to hand numpy.load besides
// the name.
std::string NumpyCommand(const ArrayName& name, absl::string_view expression, absl::string_view suffix,
                         absl::string_view load = "", absl::string_view modules = "");

// The same for an array of a .safetensors file: `d` is the dict of its arrays and `n` the array's name;
// `framework` is whose arrays they are, "numpy" or "torch".
std::string SafetensorsCommand(const ArrayName& name, absl::string_view framework,
                               absl::string_view expression, absl::string_view suffix);

// E0311: the file, whose arrays are `names`, has none of the name. The nearest one is offered.
absl::Status NoSuchArray(const ArrayName& name, std::span<const std::string> names);

// "element [1,2]" for the row-major position; "the element" if there are no dims.
std::string ElementAt(std::span<const int64_t> dims, int64_t position);

// "1 element", "4 elements".
std::string Count(uint64_t n, absl::string_view noun);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_ARRAY_NAME_H_
