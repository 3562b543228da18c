// SPDX-License-Identifier: Apache-2.0
//
// How the operands of If, Loop, Scan and Call meet the inputs of their bodies, as numbers. graph/control.h
// says what they mean.
#ifndef TENFOLD_GRAPH_CONTROL_LAYOUT_H_
#define TENFOLD_GRAPH_CONTROL_LAYOUT_H_

#include <cstdint>
#include <vector>

namespace tenfold {

enum class ControlKind : uint8_t { kIf, kLoop, kScan, kCall };

struct ControlLayout {
  ControlKind kind = ControlKind::kIf;
  int lead = 0;         // operands ahead of those that are a body's inputs
  int body_lead = 0;    // inputs of a body ahead of those that are operands
  int output_lead = 0;  // outputs of a body that are no results
  int carried = 0, scanned = 0, captured = 0;
  // Of scanned operands: axis, and whether from the last to the first.
  struct Axis {
    int64_t axis = 0;  // negative: from the end
    bool reversed = false;
  };
  std::vector<Axis> scan_inputs;
  // Of the stacked results, `rows`; those that follow are at the default.
  std::vector<Axis> scan_outputs;

  bool repeats() const { return kind == ControlKind::kLoop || kind == ControlKind::kScan; }
  int num_passed() const { return carried + scanned + captured; }
  Axis OutputAxis(int row) const {
    return row < static_cast<int>(scan_outputs.size()) ? scan_outputs[row] : Axis();
  }
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONTROL_LAYOUT_H_
