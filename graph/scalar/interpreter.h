// SPDX-License-Identifier: Apache-2.0
//
// Executes a ScalarProgram over blocks of elements: one function pointer an instruction, each a
// loop over a block that the host compiler vectorises, for several ISA levels, chosen at run time.
#ifndef TENFOLD_GRAPH_SCALAR_INTERPRETER_H_
#define TENFOLD_GRAPH_SCALAR_INTERPRETER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold {

enum class IsaLevel : uint8_t { kBaseline, kAvx2, kAvx512 };  // x86-64, x86-64-v3, x86-64-v4
absl::string_view Name(IsaLevel level);
// The highest that this CPU supports.
IsaLevel HostIsaLevel();

// A program prepared for execution: slots assigned by liveness, steps resolved to functions.
// Immutable, thread-safe. All levels give the same bits.
class BlockInterpreter {
 public:
  // Elements a block; arrays handed to RunBlock hold this many, whatever `count` is (garbage past
  // it allowed).
  static constexpr int kBlock = 512;

  // `level` defaults to the host's; a level above the host's is lowered to it.
  explicit BlockInterpreter(const ScalarProgram& program, std::optional<IsaLevel> level = std::nullopt);
  ~BlockInterpreter();
  BlockInterpreter(const BlockInterpreter&) = delete;

  // Bytes of `workspace` (64-byte aligned) a RunBlock needs.
  size_t WorkspaceBytes() const;

  // Computes the first `count` (1 .. kBlock) elements. inputs[i] and outputs[i] are dense arrays of
  // the stored type (bool: a byte, 0 or 1; f16/bf16: 16 bits), 64-byte aligned, kBlock elements
  // allocated, and must not overlap one another. `input_is_uniform[i]`: inputs[i] holds one element
  // for the whole block. Gives the index of the first element that failed (an integer division by
  // zero), or -1.
  int RunBlock(std::span<const void* const> inputs, std::span<const bool> input_is_uniform,
               std::span<void* const> outputs, int count, void* workspace) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SCALAR_INTERPRETER_H_
