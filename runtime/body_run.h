// SPDX-License-Identifier: Apache-2.0
//
// The runs of bodies: plans that a step of another plan runs, once or again and again, in memory of their
// own.
#ifndef TENFOLD_RUNTIME_BODY_RUN_H_
#define TENFOLD_RUNTIME_BODY_RUN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/limits.h"
#include "tenfold/runtime/aligned_buffer.h"
#include "tenfold/runtime/bound_step.h"
#include "tenfold/runtime/invocation.h"

namespace tenfold {

class BodyRuns;

// Buffers and bound steps for one body. As an Invocation it is bound again only when extents change; what it
// is fed is trusted, since inference has seen to it.
class BodyRun {
 public:
  BodyRun(const ExecutableState& state, BodyRuns& all);
  ~BodyRun();

  // What input `i` is for the runs that follow: its extents, and where it lies.
  void Feed(int i, std::span<const int64_t> dims, const void* data);
  // Writes output `i` there from now on; null: into memory of its own.
  void SetOutput(int i, void* memory);
  // What can be done before Run: extents, and the memory that follows from them. `around`: the symbols of the
  // plan that this is a body of.
  absl::Status Bind(const SymbolValues& around, RunControl& control);
  absl::Status Run(RunContext& around);

  // Of output `i`, after Run; the extents of most outputs after Bind already.
  std::span<const int64_t> dims(int i) const;
  const void* data(int i) const;
  // Exchanges the own memory of output `i`, with what the last run wrote there, for another.
  void SwapOutput(int i, AlignedBuffer& other);

 private:
  std::unique_ptr<Invocation::Impl> impl_;
};

// Those of all bodies that the runs of one Invocation come to. Calls of one function, which never run at the
// same time, share one.
class BodyRuns {
 public:
  BodyRuns();
  ~BodyRuns();
  BodyRun& For(const ExecutableState& body);

  // Counts memory that bodies and steps hold: `bytes` more, or fewer. E0404 if all together hold more than
  // the limit.
  absl::Status Hold(int64_t bytes);
  // Makes the memory of a result of `node` at least so large, and counts it; what was in it stays. E0402 if
  // it would be over the limit of a tensor, or there is no memory.
  absl::Status Grow(AlignedBuffer& buffer, size_t bytes, absl::string_view node, const Limits& limits);
  int64_t held() const { return held_; }
  // What the run holds besides, and how much it may hold altogether.
  void SetLimit(int64_t besides, int64_t limit) { besides_ = besides, limit_ = limit; }

 private:
  std::map<const ExecutableState*, std::unique_ptr<BodyRun>> runs_;
  int64_t held_ = 0, besides_ = 0, limit_ = INT64_MAX;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_BODY_RUN_H_
