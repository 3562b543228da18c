// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/onednn/convolution_blocking.h"

#include <algorithm>

namespace tenfold {
namespace {

// Multiplications that a task should have: enough to make up for a call and for reading the rows of its
// neighbours, and few enough for threads to finish together. docs/performance.md has the measurements.
constexpr int64_t kTaskProducts = int64_t{1} << 24;
// With weights that each task packs anew.
constexpr int64_t kTaskProductsPacking = int64_t{1} << 27;
// Those of a task that nothing can stop, at most: some ten milliseconds.
constexpr int64_t kMaxTaskProducts = int64_t{1} << 29;
// Channels of the result are cut at multiples of what the library computes at once.
constexpr int64_t kChannelGranule = 64;
// Positions for which weights are read once, at least: they come from memory where they are many.
constexpr int64_t kMinPositions = 128;

bool IsUnused(const WindowExtents& w) {
  return w.input == 1 && w.kernel == 1 && w.output == 1 && w.pad_begin == 0 && w.pad_end == 0;
}

// `total` cut into equal blocks of about `block`.
int64_t Even(int64_t total, double block) {
  const int64_t at_most = std::clamp<int64_t>(static_cast<int64_t>(block), 1, total);
  const int64_t blocks = (total + at_most - 1) / at_most;
  return (total + blocks - 1) / blocks;
}

}  // namespace

ConvolutionBlocking::ConvolutionBlocking(const ConvolutionExtents& extents) : extents_(extents) {
  axis_ = 0;
  while (axis_ < kMaxSpatialDims - 1 && IsUnused(extents.window[axis_])) ++axis_;
}

std::optional<ConvolutionBlocking> ConvolutionBlocking::Choose(const ConvolutionSpec& spec) {
  const ConvolutionExtents& e = spec.extents;
  ConvolutionBlocking b(e);
  b.images_ = 1;
  b.rows_ = b.rows_of_all();
  b.channels_ = b.all_channels();
  // In floating point, since these products may be as large as they like.
  double inputs = static_cast<double>(e.in_channels), weights = inputs, positions = 1;
  for (const WindowExtents& w : e.window) {
    inputs *= w.input;
    weights *= w.kernel;
    positions *= w.output;
  }
  const double sum = weights;  // products of one element of the result
  weights *= b.channels_;
  inputs *= e.groups;
  const double image = sum * positions * b.channels_;
  const double wanted = spec.constant_weights ? kTaskProducts : kTaskProductsPacking;
  if (image < wanted) {
    b.images_ = Even(e.batch, wanted / image);
  } else if (e.groups == 1 && weights > 4 * inputs) {
    // Every task reads the whole input rather than all weights.
    const double channels = Even(b.channels_, b.channels_ * (wanted / image));
    b.channels_ = std::min(b.channels_, (static_cast<int64_t>(channels) + kChannelGranule - 1) /
                                            kChannelGranule * kChannelGranule);
  } else {
    const double row = positions / b.rows_;
    b.rows_ = Even(b.rows_, std::max(b.rows_ * (wanted / image), kMinPositions / row));
  }
  const auto products = [&] {
    return sum * (positions / b.rows_of_all()) * b.rows_ * b.images_ * b.channels_;
  };
  while (products() > kMaxTaskProducts && b.rows_ > 1) b.rows_ = (b.rows_ + 1) / 2;
  while (products() > kMaxTaskProducts && e.groups == 1 && b.channels_ > kChannelGranule) {
    b.channels_ = (b.channels_ / 2 + kChannelGranule - 1) / kChannelGranule * kChannelGranule;
  }
  if (products() > kMaxTaskProducts) return std::nullopt;
  return b;
}

ConvolutionBlocking::Place ConvolutionBlocking::PlaceOf(int64_t task) const {
  Place place;
  // Neighbours read the same channels of the weights.
  place.row_block = task % row_blocks();
  place.image_block = task / row_blocks() % image_blocks();
  place.channel_block = task / row_blocks() / image_blocks();
  place.image = place.image_block * images_;
  place.channel = place.channel_block * channels_;
  place.out_row = place.row_block * rows_;
  const WindowExtents& w = extents_.window[axis_];
  place.in_row = std::max<int64_t>(0, place.out_row * w.stride - w.pad_begin);
  return place;
}

ConvolutionPiece ConvolutionBlocking::PieceAt(const Place& place) const {
  const WindowExtents& w = extents_.window[axis_];
  ConvolutionPiece piece;
  piece.images = std::min(images_, extents_.batch - place.image);
  piece.channels = std::min(channels_, all_channels() - place.channel);
  piece.out_rows = std::min(rows_, w.output - place.out_row);
  // Positions of the input, padding included, that its rows cover: [first, end).
  const int64_t first = place.out_row * w.stride - w.pad_begin;
  const int64_t end = first + (piece.out_rows - 1) * w.stride + (w.kernel - 1) * w.dilation + 1;
  piece.in_rows = std::min(end, w.input) - place.in_row;
  piece.pad_begin = place.in_row - first;
  piece.pad_end = std::max<int64_t>(0, end - w.input);
  return piece;
}

}  // namespace tenfold
