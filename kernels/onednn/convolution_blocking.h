// SPDX-License-Identifier: Apache-2.0
//
// How a convolution is cut into tasks, by its extents alone.
#ifndef TENFOLD_KERNELS_ONEDNN_CONVOLUTION_BLOCKING_H_
#define TENFOLD_KERNELS_ONEDNN_CONVOLUTION_BLOCKING_H_

#include <cstdint>
#include <optional>

#include "tenfold/runtime/kernel_provider.h"

namespace tenfold {

// What one task computes, and the part of the input that it reads. Rows run along the outermost spatial dim
// in use.
struct ConvolutionPiece {
  int64_t images, channels;  // of the result
  int64_t out_rows, in_rows;
  int64_t pad_begin, pad_end;  // that of its own rows

  bool operator==(const ConvolutionPiece&) const = default;
};

class ConvolutionBlocking {
 public:
  // nullopt if no task of bearable length comes out.
  static std::optional<ConvolutionBlocking> Choose(const ConvolutionSpec& spec);

  int axis() const { return axis_; }              // the first spatial dim in use
  int64_t channels() const { return channels_; }  // of a whole block
  int64_t image_blocks() const { return Blocks(extents_.batch, images_); }
  int64_t row_blocks() const { return Blocks(rows_of_all(), rows_); }
  int64_t channel_blocks() const { return Blocks(all_channels(), channels_); }
  int64_t num_tasks() const { return image_blocks() * row_blocks() * channel_blocks(); }

  // Where a task lies, in numbers of blocks, and where that is in the operands.
  struct Place {
    int64_t image_block, row_block, channel_block;
    int64_t image, channel, out_row, in_row;
  };
  Place PlaceOf(int64_t task) const;
  ConvolutionPiece PieceAt(const Place& place) const;

 private:
  explicit ConvolutionBlocking(const ConvolutionExtents& extents);
  static int64_t Blocks(int64_t total, int64_t block) { return (total + block - 1) / block; }
  int64_t rows_of_all() const { return extents_.window[axis_].output; }
  int64_t all_channels() const { return extents_.groups * extents_.out_channels; }

  ConvolutionExtents extents_;
  int axis_ = kMaxSpatialDims - 1;
  int64_t images_ = 1, rows_ = 1, channels_ = 1;
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_ONEDNN_CONVOLUTION_BLOCKING_H_
