// SPDX-License-Identifier: Apache-2.0
//
// What rows of the table of ops do beyond moving and renaming: one function a difference.
#ifndef TENFOLD_GRAPH_ONNX_OP_ADJUSTMENTS_H_
#define TENFOLD_GRAPH_ONNX_OP_ADJUSTMENTS_H_

#include "absl/status/status.h"
#include "tenfold/graph/onnx/node_draft.h"

namespace tenfold::onnx {

// Before opset 7 operands were broadcast only if `broadcast` said so, the second one aligned at `axis`.
absl::Status AlignAtAxis(NodeDraft& draft);
// A slope of PRelu for each channel stood as a list.
absl::Status AlignSlopeAtChannels(NodeDraft& draft);
// Outputs of training were there by their number.
absl::Status RefuseTrainingOutputs(NodeDraft& draft);
// In training mode statistics are those of the batch, and running ones come out.
absl::Status StatisticsOfBatch(NodeDraft& draft);
absl::Status RefuseSpatialOff(NodeDraft& draft);
// The mask was a number; `training_mode` is a constant that says no, or a ratio of 0 drops nothing.
absl::Status DropoutWithoutDropping(NodeDraft& draft);
// Bounds of Clip had defaults.
absl::Status ClipToNumbers(NodeDraft& draft);
// Before opset 13 the tensor was taken as a matrix, cut at the axis.
absl::Status AsMatrixAtAxis(NodeDraft& draft);
// Without axes, `noop_with_empty_axes` reduces nothing.
absl::Status ReduceNothing(NodeDraft& draft);
// Without the sizes of the parts, the outputs say how many there are.
absl::Status CountParts(NodeDraft& draft);
// An empty roi, scales or sizes means that there is none; a mode of opset 11 has gone since.
absl::Status ResizeOfAnyInputs(NodeDraft& draft);
// The input of scales was the second, and coordinates were scaled without an offset and rounded down.
absl::Status ResizeByScales(NodeDraft& draft);
// Its scales were an attribute.
absl::Status UpsampleByAttribute(NodeDraft& draft);
// scale and bias were of groups, not of channels.
absl::Status SpreadOverGroups(NodeDraft& draft);
// Operands may differ in dtype; the result has that of the first.
absl::Status PowOfTwoTypes(NodeDraft& draft);
// Of halves it is computed in f32.
absl::Status RangeOfHalves(NodeDraft& draft);
// A bool has eight bits.
absl::Status BitCastOfBool(NodeDraft& draft);
// Indices and depth may be numbers of any dtype.
absl::Status IntegerIndices(NodeDraft& draft);
// Without a seed each op has numbers of its own.
absl::Status SeedOfItsOwn(NodeDraft& draft);
// Interpolations had other names.
absl::Status RenameGridModes(NodeDraft& draft);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_OP_ADJUSTMENTS_H_
