// SPDX-License-Identifier: Apache-2.0
//
// What if there is no memory? A graph is loaded, compiled, run and written again and again; each time another
// large allocation fails, by this program's own operator new. It must end in a Status, or in success where
// something could do without, and nothing may be lost.
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>

#include "gtest/gtest.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/parser.h"

namespace {

// Of allocations as large as data, here of at least these bytes, number `fail_at` fails; 0: none does.
constexpr size_t kLarge = 32768;
std::atomic<int64_t> fail_at = 0;
std::atomic<int64_t> seen = 0;
std::atomic<int64_t> live = 0;

void* Allocate(size_t size, size_t align) {
  if (fail_at > 0 && size >= kLarge && ++seen == fail_at) return nullptr;
  ++live;
  return align == 0 ? std::malloc(size) : std::aligned_alloc(align, (size + align - 1) / align * align);
}
void* OrThrow(void* p) { return p != nullptr ? p : throw std::bad_alloc(); }
void Free(void* p) {
  if (p != nullptr) --live;
  std::free(p);
}

}  // namespace

void* operator new(size_t size) { return OrThrow(Allocate(size, 0)); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return Allocate(size, 0); }
void* operator new(size_t size, std::align_val_t align) {
  return OrThrow(Allocate(size, static_cast<size_t>(align)));
}
void* operator new(size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return Allocate(size, static_cast<size_t>(align));
}
void operator delete(void* p) noexcept { Free(p); }
void operator delete(void* p, size_t) noexcept { Free(p); }
void operator delete(void* p, std::align_val_t) noexcept { Free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { Free(p); }

namespace tenfold {
namespace {

// One weight is stored in full, one is a value.
std::string GraphText() {
  std::string weights;
  for (int i = 0; i < 64 * 256; ++i) weights += std::to_string(i % 7) + (i + 1 < 64 * 256 ? ", " : "");
  return R"(tenfold 1
graph g(x: f32[N,64]) -> (p, s) {
  w = Const f32[64,256] {)" +
         weights + R"(}
  v = Const f32[64,256] splat 2
  u = Mul(w, v)
  m = MatMul(x, u)
  h = Tanh(m)
  p = Softmax(h)
  s = ReduceSum(h, axes=[0], keepdims=false)
}
)";
}

class OutOfMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    graph_path_ = testing::TempDir() + "/out_of_memory.tnf";
    result_path_ = testing::TempDir() + "/out_of_memory.npy";
    const auto graph = ParseText(GraphText());
    ASSERT_EQ(graph.status(), absl::OkStatus());
    graph_ = *graph;
    ASSERT_EQ(SaveGraph(graph_, graph_path_), absl::OkStatus());
    const float one = 1;
    feeds_ = {{"x", *Tensor::Splat(DType::kF32, Dims{200, 64}, &one)->Materialize()}};
  }

  // In this thread and interpreted: LLVM ends the process when it finds no memory.
  absl::Status CompileAndRun() const {
    CompileReport report;
    TENFOLD_RETURN_IF_ERROR(RunPipeline(graph_, {}, Stage::kPlanned, report));
    TENFOLD_ASSIGN_OR_RETURN(
        const Executable executable,
        Executable::Create(*std::move(report.plan), {.threads = 1, .jit = JitMode::kOff}));
    return executable.Run(feeds_).status();
  }

  // Lets allocation number 1, 2, ... fail, until none is left. Gives how many there were.
  int64_t FailEach(const std::function<absl::Status()>& work) {
    EXPECT_EQ(work(), absl::OkStatus());  // what is made once is made now
    for (int64_t n = 1;; ++n) {
      // What is made at its first use, and kept, is no leak: then it is not made again.
      if (!FailsWithoutLeak(work, n) && !FailsWithoutLeak(work, n)) {
        ADD_FAILURE() << "leaks after allocation " << n;
      }
      if (seen < n || HasFailure()) return seen;
    }
  }

  bool FailsWithoutLeak(const std::function<absl::Status()>& work, int64_t n) {
    const int64_t before = live;
    {
      seen = 0;
      fail_at = n;
      const absl::Status status = work();
      fail_at = 0;
      if (!status.ok()) {
        EXPECT_EQ(DiagnosticsOf(status)[0].code, "E0402") << status;
        ++refusals_;
      }
    }
    return live == before;
  }

  int64_t refusals_ = 0;
  std::string graph_path_, result_path_;
  Graph graph_;
  NamedTensors feeds_;
};

TEST_F(OutOfMemoryTest, LoadingBinaryGraphs) {
  EXPECT_GE(FailEach([&] { return LoadGraph(graph_path_).status(); }), 1);
  EXPECT_GE(refusals_, 1);
}

TEST_F(OutOfMemoryTest, ReadingText) {
  const std::string text = GraphText();
  EXPECT_GE(FailEach([&] { return ParseText(text).status(); }), 1);
  EXPECT_GE(refusals_, 1);
}

TEST_F(OutOfMemoryTest, CompilingAndRunning) {
  EXPECT_GE(FailEach([&] { return CompileAndRun(); }), 6);
  EXPECT_GE(refusals_, 4);
}

TEST_F(OutOfMemoryTest, WritingIntoMemory) {
  EXPECT_GE(FailEach([&] { return SerializeGraph(graph_).status(); }), 1);
  EXPECT_GE(FailEach([&] { return WriteNpy(feeds_[0].second).status(); }), 1);
  EXPECT_GE(refusals_, 2);
}

// Files are written in pieces: nothing is as large as the data.
TEST_F(OutOfMemoryTest, WritingFilesTakesNone) {
  EXPECT_EQ(FailEach([&] { return SaveGraph(graph_, result_path_); }), 0);
  EXPECT_EQ(FailEach([&] { return SaveNpy(feeds_[0].second, result_path_); }), 0);
}

}  // namespace
}  // namespace tenfold
