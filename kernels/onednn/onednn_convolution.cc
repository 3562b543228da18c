// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/onednn/onednn_convolution.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <dnnl.hpp>
#include <utility>
#include <vector>

#include "tenfold/graph/ingest/mapped_file.h"
#include "tenfold/kernels/onednn/convolution_blocking.h"
#include "tenfold/kernels/onednn/packing_cache.h"
#include "tenfold/kernels/onednn/prepare.h"
#include "tenfold/kernels/onednn/single_thread.h"

namespace tenfold {
namespace {

using dnnl::memory;

// Multiplications below which calling the library costs more than computing.
constexpr double kMinProducts = 1 << 16;
// The library computes addresses in 32 bits here and there; and each thread has this much scratch.
constexpr int64_t kMaxExtent = int64_t{1} << 22;
constexpr size_t kMaxScratch = size_t{1} << 26;
// Pieces of different shape in one convolution: more come only from padding wider than a task's rows.
constexpr size_t kMaxVariants = 12;

memory::data_type TypeOf(DType dtype) {
  return dtype == DType::kBF16 ? memory::data_type::bf16 : memory::data_type::f32;
}

dnnl::primitive_attr UserScratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// The primitives for pieces of one shape: the operands brought into the library's order, the convolution, and
// the result brought back.
struct Variant {
  ConvolutionPiece piece;
  memory::desc plain_x, plain_w, plain_y, bias;
  memory::desc x, w, y, scratch;
  dnnl::convolution_forward convolution;
  dnnl::reorder pack_x, pack_w, unpack_y;
  // Where these lie in a task's scratch.
  size_t y_at = 0, w_at = 0, scratch_at = 0, bytes = 0;
};

// What a call needs of its own: memory objects carry the addresses, so two calls cannot share them.
struct VariantObjects {
  memory plain_x, plain_w, plain_y, bias, x, w, y, scratch;
};
struct CallObjects {
  dnnl::stream stream;
  std::vector<VariantObjects> variants;
  std::atomic<bool> taken{false};
};

class OneDnnConvolution final : public ConvolutionKernel {
 public:
  OneDnnConvolution(const ConvolutionSpec& spec, const ConvolutionBlocking& blocking,
                    const dnnl::engine& engine)
      : spec_(spec), blocking_(blocking), engine_(engine) {
    spec_.constant_weights.reset();
  }

  // False if the library has no fast code, or if it was stopped. Throws dnnl::error.
  bool Prepare(const std::optional<Tensor>& constant_weights, PackingCache& cache,
               const KernelInterrupt* interrupt);

  int64_t num_tasks() const override { return blocking_.num_tasks(); }
  size_t scratch_bytes() const override { return scratch_bytes_; }
  void RunTask(int64_t task, const ConvolutionOperands& operands, void* scratch) const override;

 private:
  static constexpr int kKept = 16;

  const ConvolutionExtents& extents() const { return spec_.extents; }
  bool grouped() const { return extents().groups > 1; }
  // The extents of the spatial dims in use, with `rows` for those of the outermost.
  memory::dims Spatial(int64_t WindowExtents::* extent, int64_t rows) const;
  memory::desc PlainImages(int64_t images, int64_t channels, int64_t all_channels,
                           int64_t WindowExtents::* extent, int64_t rows) const;
  memory::desc PlainWeights(int64_t channels) const;
  // The variant of `piece`, made if there is none yet; -1 if the library has no fast code for it.
  int FindVariant(const ConvolutionPiece& piece);
  bool MakeVariant(const ConvolutionPiece& piece, Variant& variant) const;
  bool MakeReorder(const memory::desc& from, const memory::desc& to, dnnl::reorder& reorder,
                   size_t& scratch) const;
  void FillObjects(CallObjects& objects) const;
  void Call(CallObjects& objects, int64_t task, const ConvolutionOperands& operands, char* scratch) const;

  ConvolutionSpec spec_;
  const ConvolutionBlocking blocking_;
  const dnnl::engine engine_;
  size_t scratch_bytes_ = 0;
  bool packed_ = false;
  std::vector<Variant> variants_;
  std::vector<int> variant_of_;                                 // by task
  std::vector<std::shared_ptr<const PackedConstant>> weights_;  // by block of channels, if packed
  mutable CallObjects objects_[kKept];
};

memory::dims OneDnnConvolution::Spatial(int64_t WindowExtents::* extent, int64_t rows) const {
  memory::dims dims = {rows};
  for (int d = blocking_.axis() + 1; d < kMaxSpatialDims; ++d) dims.push_back(extents().window[d].*extent);
  return dims;
}

// Some images, channels and rows of a tensor, in place.
memory::desc OneDnnConvolution::PlainImages(int64_t images, int64_t channels, int64_t all_channels,
                                            int64_t WindowExtents::* extent, int64_t rows) const {
  memory::dims dims = {images, channels}, strides;
  const memory::dims part = Spatial(extent, rows);
  const memory::dims whole = Spatial(extent, extents().window[blocking_.axis()].*extent);
  dims.insert(dims.end(), part.begin(), part.end());
  int64_t stride = 1;
  for (size_t d = whole.size(); d-- > 0; stride *= whole[d]) strides.insert(strides.begin(), stride);
  strides.insert(strides.begin(), {stride * all_channels, stride});
  return {dims, TypeOf(spec_.dtype), strides};
}

memory::desc OneDnnConvolution::PlainWeights(int64_t channels) const {
  memory::dims dims = {channels, extents().in_channels}, strides;
  if (grouped()) dims = {extents().groups, extents().out_channels, extents().in_channels};
  const memory::dims kernel = Spatial(&WindowExtents::kernel, extents().window[blocking_.axis()].kernel);
  dims.insert(dims.end(), kernel.begin(), kernel.end());
  int64_t stride = 1;
  for (size_t d = dims.size(); d-- > 0; stride *= dims[d]) strides.insert(strides.begin(), stride);
  return {dims, TypeOf(spec_.dtype), strides};
}

bool OneDnnConvolution::MakeReorder(const memory::desc& from, const memory::desc& to, dnnl::reorder& reorder,
                                    size_t& scratch) const {
  const dnnl::reorder::primitive_desc description(engine_, from, engine_, to, UserScratchpad(),
                                                  /*allow_empty=*/true);
  if (!description) return false;
  scratch = std::max(scratch, description.scratchpad_desc().get_size());
  reorder = dnnl::reorder(description);
  return true;
}

bool OneDnnConvolution::MakeVariant(const ConvolutionPiece& piece, Variant& v) const {
  const memory::data_type type = TypeOf(spec_.dtype);
  v.piece = piece;
  v.plain_x = PlainImages(piece.images, extents().groups * extents().in_channels,
                          extents().groups * extents().in_channels, &WindowExtents::input, piece.in_rows);
  v.plain_y = PlainImages(piece.images, piece.channels, extents().groups * extents().out_channels,
                          &WindowExtents::output, piece.out_rows);
  v.plain_w = PlainWeights(piece.channels);
  const auto any = [&](const memory::desc& plain) {
    return memory::desc(plain.dims(), type, memory::format_tag::any);
  };
  // All pieces of the same channels read the weights as the first one has them packed.
  memory::desc w = any(v.plain_w);
  for (const Variant& other : variants_) {
    if (other.piece.channels == piece.channels) w = other.w;
  }
  memory::dims strides, dilations, pads_begin, pads_end;
  for (int d = blocking_.axis(); d < kMaxSpatialDims; ++d) {
    const WindowExtents& window = extents().window[d];
    const bool rows = d == blocking_.axis();
    strides.push_back(window.stride);
    dilations.push_back(window.dilation - 1);
    pads_begin.push_back(rows ? piece.pad_begin : window.pad_begin);
    // What the windows leave over at the end is no padding, and the library does not want to hear of it.
    const int64_t reach = (window.output - 1) * window.stride + (window.kernel - 1) * window.dilation + 1;
    pads_end.push_back(rows ? piece.pad_end : reach - window.input - window.pad_begin);
  }
  if (spec_.has_bias) v.bias = memory::desc({piece.channels}, type, memory::dims{1});
  const dnnl::convolution_forward::desc operation(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, any(v.plain_x), w, v.bias,
      any(v.plain_y), strides, dilations, pads_begin, pads_end);
  const dnnl::convolution_forward::primitive_desc description(operation, UserScratchpad(), engine_,
                                                              /*allow_empty=*/true);
  if (!description) return false;
  // Its generic loops are slower than ours, and its way by a matrix product multiplies what it has put into
  // the padding.
  const char* const name = description.impl_info_str();
  if (std::strstr(name, "ref") != nullptr || std::strstr(name, "gemm:") != nullptr) return false;
  v.x = description.src_desc();
  v.w = description.weights_desc();
  v.y = description.dst_desc();
  v.convolution = dnnl::convolution_forward(description);
  size_t scratch = description.scratchpad_desc().get_size();
  if (!MakeReorder(v.plain_x, v.x, v.pack_x, scratch) || !MakeReorder(v.y, v.plain_y, v.unpack_y, scratch) ||
      !MakeReorder(v.plain_w, v.w, v.pack_w, scratch)) {
    return false;
  }
  const auto padded = [](size_t bytes) { return (bytes + 63) / 64 * 64; };
  v.y_at = padded(v.x.get_size());
  v.w_at = v.y_at + padded(v.y.get_size());
  v.scratch_at = v.w_at + (packed_ ? 0 : padded(v.w.get_size()));
  v.bytes = v.scratch_at + padded(scratch);
  v.scratch = memory::desc({static_cast<int64_t>(std::max<size_t>(scratch, 1))}, memory::data_type::u8,
                           memory::dims{1});
  return v.bytes <= kMaxScratch;
}

int OneDnnConvolution::FindVariant(const ConvolutionPiece& piece) {
  for (size_t i = 0; i < variants_.size(); ++i) {
    if (variants_[i].piece == piece) return static_cast<int>(i);
  }
  Variant variant;
  if (piece.in_rows <= 0 || variants_.size() == kMaxVariants || !MakeVariant(piece, variant)) return -1;
  scratch_bytes_ = std::max(scratch_bytes_, variant.bytes);
  variants_.push_back(std::move(variant));
  return static_cast<int>(variants_.size()) - 1;
}

bool OneDnnConvolution::Prepare(const std::optional<Tensor>& constant_weights, PackingCache& cache,
                                const KernelInterrupt* interrupt) {
  packed_ = constant_weights.has_value();
  variant_of_.resize(num_tasks());
  for (int64_t task = 0; task < num_tasks(); ++task) {
    if (StopRequested(interrupt)) return false;
    variant_of_[task] = FindVariant(blocking_.PieceAt(blocking_.PlaceOf(task)));
    if (variant_of_[task] < 0) return false;
  }
  weights_.resize(packed_ ? blocking_.channel_blocks() : 0);
  dnnl::stream stream(engine_);
  for (int64_t task = 0; packed_ && task < num_tasks(); ++task) {
    const ConvolutionBlocking::Place place = blocking_.PlaceOf(task);
    auto& weights = weights_[place.channel_block];
    if (weights != nullptr) continue;
    if (StopRequested(interrupt)) return false;
    const Variant& v = variants_[variant_of_[task]];
    weights = cache.Find(*constant_weights, place.channel, v.piece.channels, v.w);
    if (weights != nullptr) continue;
    const int64_t bytes =
        place.channel * (constant_weights->stored_bytes() / (extents().groups * extents().out_channels));
    memory from(v.plain_w, engine_,
                const_cast<char*>(static_cast<const char*>(constant_weights->data()) + bytes));
    memory packed(v.w, engine_);
    memory scratch(v.scratch, engine_);
    v.pack_w.execute(stream, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, packed}, {DNNL_ARG_SCRATCHPAD, scratch}});
    stream.wait();
    weights = std::make_shared<const PackedConstant>(
        PackedConstant{*constant_weights, place.channel, v.piece.channels, std::move(packed)});
    cache.Add(weights);
  }
  if (packed_) DropPages(*constant_weights);
  for (CallObjects& objects : objects_) FillObjects(objects);
  return true;
}

void OneDnnConvolution::FillObjects(CallObjects& objects) const {
  objects.stream = dnnl::stream(engine_);
  for (const Variant& v : variants_) {
    const auto empty = [&](const memory::desc& desc) { return memory(desc, engine_, nullptr); };
    objects.variants.push_back({empty(v.plain_x), empty(v.plain_w), empty(v.plain_y),
                                spec_.has_bias ? empty(v.bias) : memory(), empty(v.x), empty(v.w), empty(v.y),
                                empty(v.scratch)});
  }
}

void OneDnnConvolution::RunTask(int64_t task, const ConvolutionOperands& operands, void* scratch) const {
  const ScopedSingleThread single;
  char* const bytes = static_cast<char*>(scratch);
  for (CallObjects& objects : objects_) {
    if (objects.taken.load(std::memory_order_relaxed) ||
        objects.taken.exchange(true, std::memory_order_acquire)) {
      continue;
    }
    Call(objects, task, operands, bytes);
    objects.taken.store(false, std::memory_order_release);
    return;
  }
  CallObjects own;  // more threads at once than there are kept ones
  FillObjects(own);
  Call(own, task, operands, bytes);
}

void OneDnnConvolution::Call(CallObjects& objects, int64_t task, const ConvolutionOperands& operands,
                             char* scratch) const {
  const Variant& v = variants_[variant_of_[task]];
  const VariantObjects& o = objects.variants[variant_of_[task]];
  const ConvolutionBlocking::Place place = blocking_.PlaceOf(task);
  const auto size = static_cast<int64_t>(SizeOf(spec_.dtype));
  int64_t in_volume = 1, out_volume = 1, in_inner = 1, out_inner = 1, kernel_volume = 1;
  for (int d = 0; d < kMaxSpatialDims; ++d) {
    const WindowExtents& w = extents().window[d];
    in_volume *= w.input;
    out_volume *= w.output;
    kernel_volume *= w.kernel;
    if (d > blocking_.axis()) in_inner *= w.input, out_inner *= w.output;
  }
  const int64_t in_channels = extents().groups * extents().in_channels;
  const int64_t out_channels = extents().groups * extents().out_channels;
  const auto point = [&](const memory& object, const void* base, int64_t elements) {
    dnnl_memory_set_data_handle(object.get(), static_cast<char*>(const_cast<void*>(base)) + elements * size);
    return object.get();
  };
  // The C interface: the C++ one takes a map, which would be allocated for each call, and throws.
  const auto reorder = [&](const dnnl::reorder& primitive, dnnl_memory_t from, dnnl_memory_t to) {
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}, {DNNL_ARG_SCRATCHPAD, o.scratch.get()}};
    dnnl_primitive_execute(primitive.get(), objects.stream.get(), 3, args);
  };
  point(o.scratch, scratch + v.scratch_at, 0);
  point(o.x, scratch, 0);
  point(o.y, scratch + v.y_at, 0);
  reorder(v.pack_x,
          point(o.plain_x, operands.x, place.image * in_channels * in_volume + place.in_row * in_inner),
          o.x.get());
  dnnl_memory_t weights;
  if (packed_) {
    weights = weights_[place.channel_block]->packed.get();
  } else {
    weights = point(o.w, scratch + v.w_at, 0);
    reorder(v.pack_w, point(o.plain_w, operands.w, place.channel * extents().in_channels * kernel_volume),
            weights);
  }
  dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, o.x.get()},
                            {DNNL_ARG_WEIGHTS, weights},
                            {DNNL_ARG_DST, o.y.get()},
                            {DNNL_ARG_SCRATCHPAD, o.scratch.get()},
                            {}};
  if (spec_.has_bias) args[4] = {DNNL_ARG_BIAS, point(o.bias, operands.bias, place.channel)};
  dnnl_primitive_execute(v.convolution.get(), objects.stream.get(), spec_.has_bias ? 5 : 4, args);
  const int64_t first = (place.image * out_channels + place.channel) * out_volume + place.out_row * out_inner;
  reorder(v.unpack_y, o.y.get(), point(o.plain_y, operands.y, first));
  if (!spec_.canonicalize_nans) return;
  // While the piece is in the cache.
  for (int64_t image = 0; image < v.piece.images; ++image) {
    for (int64_t c = 0; c < v.piece.channels; ++c) {
      CanonicalizeNans(
          spec_.dtype,
          static_cast<char*>(operands.y) + (first + (image * out_channels + c) * out_volume) * size,
          v.piece.out_rows * out_inner);
    }
  }
}

class OneDnnConvolutionProvider final : public ConvolutionProvider {
 public:
  OneDnnConvolutionProvider() : engine_(dnnl::engine::kind::cpu, 0) {}

  absl::StatusOr<std::unique_ptr<ConvolutionKernel>> Create(const ConvolutionSpec& spec,
                                                            const KernelInterrupt* interrupt) override {
    const ConvolutionExtents& e = spec.extents;
    if (spec.dtype != DType::kF32 && spec.dtype != DType::kBF16) return nullptr;
    if (e.transposed) return nullptr;
    // bf16 instructions multiply channels in pairs. For the last of an odd number the library takes whatever
    // lies next to it, times 0: NaN beside an Inf of another position.
    const bool odd = e.in_channels > 1 && e.in_channels % 2 == 1;
    if (spec.dtype == DType::kBF16 && odd) return nullptr;
    double products = 1;
    for (int64_t extent : {e.batch, e.groups, e.in_channels, e.out_channels}) {
      if (extent <= 0 || extent > kMaxExtent) return nullptr;
      products *= static_cast<double>(extent);
    }
    for (const WindowExtents& w : e.window) {
      for (int64_t extent : {w.input, w.kernel, w.output, w.stride, w.dilation, w.pad_begin + 1}) {
        if (extent <= 0 || extent > kMaxExtent) return nullptr;
      }
      products *= static_cast<double>(w.kernel) * static_cast<double>(w.output);
    }
    if (products < kMinProducts) return nullptr;
    const std::optional<ConvolutionBlocking> blocking = ConvolutionBlocking::Choose(spec);
    if (!blocking) return nullptr;
    return Prepare(std::make_unique<OneDnnConvolution>(spec, *blocking, engine_), spec.constant_weights,
                   cache_, interrupt, "no memory to pack the weights of a convolution");
  }

 private:
  dnnl::engine engine_;
  PackingCache cache_;
};

}  // namespace

std::unique_ptr<ConvolutionProvider> CreateOneDnnConvolutionProvider() {
  return std::make_unique<OneDnnConvolutionProvider>();
}

}  // namespace tenfold
