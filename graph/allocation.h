// SPDX-License-Identifier: Apache-2.0
//
// Failed allocations as errors. Tensors, arenas and scratch ask for memory in a way that can be refused.
// Strings and vectors throw: where one is as large as data that comes in or goes out, that is caught right
// there. It is not caught further up: the maps of Abseil and the messages of protobuf are not whole after an
// exception, so what is small ends the process instead, without unwinding. docs/security.md says what is
// promised.
#ifndef TENFOLD_GRAPH_ALLOCATION_H_
#define TENFOLD_GRAPH_ALLOCATION_H_

#include <new>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

// What `work` returns, a Status or a StatusOr; E0402, "the memory to DO_WHAT 'NAME' cannot be had", if it
// runs out of memory. Both texts must outlive the work; `name` may be empty.
template <typename Work>
auto RefuseIfOutOfMemory(absl::string_view do_what, absl::string_view name, const Work& work)
    -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {  // more than a string or a vector can ever hold
  }
  return MakeError("E0402",
                   absl::StrCat("the memory to ", do_what, name.empty() ? "" : absl::StrCat(" '", name, "'"),
                                " cannot be had"));
}

// Appends a piece of what a caller wants in memory: E0402 if there is none left.
inline absl::Status AppendOrRefuse(std::string& bytes, absl::string_view piece) {
  return RefuseIfOutOfMemory("write", "", [&] {
    bytes.append(piece.data(), piece.size());
    return absl::OkStatus();
  });
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_ALLOCATION_H_
