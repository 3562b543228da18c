// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/onednn/onednn_matmul.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <dnnl.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/ingest/mapped_file.h"
#include "tenfold/kernels/onednn/packing_cache.h"
#include "tenfold/kernels/onednn/prepare.h"
#include "tenfold/kernels/onednn/single_thread.h"

namespace tenfold {
namespace {

// Multiplications below which calling the library costs more than computing.
constexpr int64_t kMinProducts = 16384;
// Multiplications of one task, which nothing can stop: some ten milliseconds.
constexpr int64_t kMaxTaskProducts = int64_t{1} << 29;
// Beyond that even the narrowest task takes too long. The reference can be stopped anywhere.
constexpr int64_t kMaxDepth = kMaxTaskProducts / 32;

// Rows and columns of the result that one task computes: as many as make up for what each task does anew
// (streaming the right side, and packing it where it is not constant), and no more, so that threads finish
// together. docs/performance.md has the measurements.
struct Blocking {
  int64_t m, n;
};
Blocking ChooseBlocking(const MatMulSpec& spec) {
  int64_t m = std::min<int64_t>(spec.m, spec.constant_rhs ? 64 : 256);
  int64_t n = std::min<int64_t>(spec.n, spec.m <= 32 ? 256 : 512);
  // k is never split: where it is huge, blocks are narrower instead.
  while (m * n > kMaxTaskProducts / spec.k && n > 32) n = (n + 1) / 2;
  while (m * n > kMaxTaskProducts / spec.k && m > 1) m = (m + 1) / 2;
  return {m, n};
}

// The product of one block size.
struct Block {
  dnnl::matmul primitive;
  dnnl::memory::desc lhs, rhs, out, scratch;
};

// What a call needs of its own: memory objects carry the addresses, so two calls cannot share them.
struct CallObjects {
  dnnl::stream stream;
  // For each of the four block sizes: lhs, rhs (where it is not packed), out, scratch.
  dnnl::memory memories[4][4];
  std::atomic<bool> taken{false};
};

dnnl::memory::data_type TypeOf(DType dtype) {
  return dtype == DType::kBF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

class OneDnnMatMul final : public MatMulKernel {
 public:
  OneDnnMatMul(const MatMulSpec& spec, const dnnl::engine& engine)
      : spec_(spec), blocking_(ChooseBlocking(spec)), engine_(engine) {
    spec_.constant_rhs.reset();
    m_blocks_ = (spec.m + blocking_.m - 1) / blocking_.m;
    n_blocks_ = (spec.n + blocking_.n - 1) / blocking_.n;
  }

  // False if the library has no fast code, or if it was stopped. Throws dnnl::error.
  bool Prepare(const std::optional<Tensor>& constant_rhs, PackingCache& cache,
               const KernelInterrupt* interrupt);

  int64_t num_tasks() const override { return spec_.batch * m_blocks_ * n_blocks_; }
  size_t scratch_bytes() const override { return scratch_bytes_; }
  void RunTask(int64_t task, const void* lhs, const void* rhs, void* out, void* scratch) const override;

 private:
  static constexpr int kKept = 16;

  bool MakeBlock(int64_t m, int64_t n, const dnnl::memory::desc& rhs, Block& block) const;
  std::shared_ptr<const PackedConstant> Pack(const Tensor& rhs, int64_t begin, int64_t width,
                                             const dnnl::memory::desc& desc, PackingCache& cache) const;
  void FillObjects(CallObjects& objects) const;
  void Call(CallObjects& objects, int64_t task, const void* lhs, const void* rhs, void* out,
            void* scratch) const;

  MatMulSpec spec_;
  const Blocking blocking_;
  const dnnl::engine engine_;
  int64_t m_blocks_, n_blocks_;
  size_t scratch_bytes_ = 0;
  bool packed_ = false;
  Block blocks_[4];  // 2 * (last rows) + (last columns): whole blocks, and what is left at the edges
  std::vector<std::shared_ptr<const PackedConstant>> columns_;  // by block of columns, if packed
  mutable CallObjects objects_[kKept];
};

bool OneDnnMatMul::MakeBlock(int64_t m, int64_t n, const dnnl::memory::desc& rhs, Block& block) const {
  const dnnl::memory::data_type type = TypeOf(spec_.dtype);
  const dnnl::memory::desc lhs({m, spec_.k}, type, dnnl::memory::dims{spec_.k, 1});
  const dnnl::memory::desc out({m, n}, type, dnnl::memory::dims{spec_.n, 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(lhs, rhs, out), attributes, engine_,
                                                 /*allow_empty=*/true);
  if (!description) return false;
  // Its generic loops are slower than ours.
  if (std::strstr(description.impl_info_str(), "ref") != nullptr) return false;
  block = {dnnl::matmul(description), description.src_desc(), description.weights_desc(),
           description.dst_desc(), description.scratchpad_desc()};
  return true;
}

std::shared_ptr<const PackedConstant> OneDnnMatMul::Pack(const Tensor& rhs, int64_t begin, int64_t width,
                                                         const dnnl::memory::desc& desc,
                                                         PackingCache& cache) const {
  if (auto found = cache.Find(rhs, begin, width, desc)) return found;
  const dnnl::memory::desc plain({spec_.k, width}, TypeOf(spec_.dtype), dnnl::memory::dims{spec_.n, 1});
  const char* const first = static_cast<const char*>(rhs.data()) + begin * SizeOf(spec_.dtype);
  dnnl::memory from(plain, engine_, const_cast<char*>(first));
  dnnl::memory packed(desc, engine_);
  dnnl::stream stream(engine_);
  dnnl::reorder(from, packed).execute(stream, from, packed);
  stream.wait();
  auto columns = std::make_shared<const PackedConstant>(PackedConstant{rhs, begin, width, std::move(packed)});
  cache.Add(columns);
  return columns;
}

bool OneDnnMatMul::Prepare(const std::optional<Tensor>& constant_rhs, PackingCache& cache,
                           const KernelInterrupt* interrupt) {
  packed_ = constant_rhs.has_value();
  const dnnl::memory::data_type type = TypeOf(spec_.dtype);
  const int64_t last_m = spec_.m - (m_blocks_ - 1) * blocking_.m;
  const int64_t last_n = spec_.n - (n_blocks_ - 1) * blocking_.n;
  for (int edge = 0; edge < 4; ++edge) {
    const int64_t m = edge & 2 ? last_m : blocking_.m;
    const int64_t n = edge & 1 ? last_n : blocking_.n;
    dnnl::memory::desc rhs({spec_.k, n}, type, dnnl::memory::dims{spec_.n, 1});
    if (packed_) {
      // The edge of rows reads the columns as the whole blocks have them packed.
      rhs = edge & 2 ? blocks_[edge & 1].rhs
                     : dnnl::memory::desc({spec_.k, n}, type, dnnl::memory::format_tag::any);
    }
    if (!MakeBlock(m, n, rhs, blocks_[edge])) return false;
    scratch_bytes_ = std::max(scratch_bytes_, blocks_[edge].scratch.get_size());
  }
  for (int64_t b = 0; packed_ && b < n_blocks_; ++b) {
    if (StopRequested(interrupt)) {
      cache.KeepUnfinished(std::move(columns_));
      return false;
    }
    const bool last = b == n_blocks_ - 1;
    columns_.push_back(
        Pack(*constant_rhs, b * blocking_.n, last ? last_n : blocking_.n, blocks_[last ? 1 : 0].rhs, cache));
  }
  cache.KeepUnfinished({});
  // Nobody reads the original again but for products too small for the library.
  if (packed_) DropPages(*constant_rhs);
  for (CallObjects& objects : objects_) FillObjects(objects);
  return true;
}

void OneDnnMatMul::FillObjects(CallObjects& objects) const {
  objects.stream = dnnl::stream(engine_);
  for (int edge = 0; edge < 4; ++edge) {
    const Block& block = blocks_[edge];
    objects.memories[edge][0] = dnnl::memory(block.lhs, engine_, nullptr);
    if (!packed_) objects.memories[edge][1] = dnnl::memory(block.rhs, engine_, nullptr);
    objects.memories[edge][2] = dnnl::memory(block.out, engine_, nullptr);
    objects.memories[edge][3] = dnnl::memory(block.scratch, engine_, nullptr);
  }
}

void OneDnnMatMul::RunTask(int64_t task, const void* lhs, const void* rhs, void* out, void* scratch) const {
  const ScopedSingleThread single;
  for (CallObjects& objects : objects_) {
    if (objects.taken.load(std::memory_order_relaxed) ||
        objects.taken.exchange(true, std::memory_order_acquire)) {
      continue;
    }
    Call(objects, task, lhs, rhs, out, scratch);
    objects.taken.store(false, std::memory_order_release);
    return;
  }
  CallObjects own;  // more threads at once than there are kept ones
  FillObjects(own);
  Call(own, task, lhs, rhs, out, scratch);
}

void OneDnnMatMul::Call(CallObjects& objects, int64_t task, const void* lhs, const void* rhs, void* out,
                        void* scratch) const {
  const int64_t size = static_cast<int64_t>(SizeOf(spec_.dtype));
  // Down the rows first, so that threads read the same columns of the right side at about the same time.
  const int64_t m_block = task % m_blocks_;
  const int64_t n_block = task / m_blocks_ % n_blocks_;
  const int64_t matrix = task / n_blocks_ / m_blocks_;
  const int edge = (m_block == m_blocks_ - 1 ? 2 : 0) + (n_block == n_blocks_ - 1 ? 1 : 0);
  const int64_t row = m_block * blocking_.m, column = n_block * blocking_.n;
  const int64_t lhs_offset = (spec_.lhs_batched ? matrix : 0) * spec_.m * spec_.k + row * spec_.k;
  const int64_t rhs_offset = (spec_.rhs_batched ? matrix : 0) * spec_.k * spec_.n + column;
  const int64_t out_offset = (matrix * spec_.m + row) * spec_.n + column;

  dnnl::memory* const memories = objects.memories[edge];
  const auto point = [](const dnnl::memory& memory, const void* base, int64_t bytes) {
    dnnl_memory_set_data_handle(memory.get(), static_cast<char*>(const_cast<void*>(base)) + bytes);
    return memory.get();
  };
  const dnnl_memory_t right =
      packed_ ? columns_[n_block]->packed.get() : point(memories[1], rhs, rhs_offset * size);
  // The C interface: the C++ one takes a map, which would be allocated for each call, and throws.
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, point(memories[0], lhs, lhs_offset * size)},
                                  {DNNL_ARG_WEIGHTS, right},
                                  {DNNL_ARG_DST, point(memories[2], out, out_offset * size)},
                                  {DNNL_ARG_SCRATCHPAD, point(memories[3], scratch, 0)}};
  dnnl_primitive_execute(blocks_[edge].primitive.get(), objects.stream.get(), 4, args);
  if (!spec_.canonicalize_nans) return;
  // While the block is in the cache.
  const int64_t rows = std::min(blocking_.m, spec_.m - row),
                columns = std::min(blocking_.n, spec_.n - column);
  for (int64_t r = 0; r < rows; ++r) {
    CanonicalizeNans(spec_.dtype, static_cast<char*>(out) + (out_offset + r * spec_.n) * size, columns);
  }
}

class OneDnnMatMulProvider final : public MatMulProvider {
 public:
  OneDnnMatMulProvider() : engine_(dnnl::engine::kind::cpu, 0) {}

  absl::StatusOr<std::unique_ptr<MatMulKernel>> Create(const MatMulSpec& spec,
                                                       const KernelInterrupt* interrupt) override {
    if (spec.dtype != DType::kF32 && spec.dtype != DType::kBF16) return nullptr;
    if (spec.batch <= 0 || spec.m <= 0 || spec.k <= 0 || spec.n <= 0) return nullptr;
    if (static_cast<double>(spec.m) * spec.k * spec.n < kMinProducts) return nullptr;
    if (spec.k > kMaxDepth) return nullptr;
    return Prepare(std::make_unique<OneDnnMatMul>(spec, engine_), spec.constant_rhs, cache_, interrupt,
                   absl::StrCat("no memory to pack a matrix [", spec.k, ",", spec.n, "]"));
  }

 private:
  dnnl::engine engine_;
  PackingCache cache_;
};

}  // namespace

std::unique_ptr<MatMulProvider> CreateOneDnnMatMulProvider() {
  return std::make_unique<OneDnnMatMulProvider>();
}

}  // namespace tenfold
