// SPDX-License-Identifier: Apache-2.0
//
// Measures the error of the transcendental functions and prints a table: f32 over all 2^32 inputs, f64 over
// samples of every binade. `./dev accuracy` runs it; docs/numerics.md records what it printed.
//
//   accuracy [--functions=exp,tanh] [--quick] [--threads=2]
//
// Every f32 result is compared with glibc's f64 function, whose own error is 2^-29 of an f32 ULP and is
// checked against MPFR on a sample; every result that comes within 1e-6 ULP of the worst so far is measured
// again with MPFR, so that the printed maximum is MPFR's. f64 results are all measured with MPFR.

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/tests/graph/scalar/math_reference.h"

namespace tenfold::testing {
namespace {

constexpr int kBlock = BlockInterpreter::kBlock;
constexpr double kNearWorst = 1e-6;  // ULP

struct Options {
  std::vector<std::string> functions;  // empty: all
  bool quick = false;
  int threads = 2;
};

// No f32 or f64 function is right in every last place, so that errors up to this need no second look: where
// exp(x) is 1 + x there are a billion of them, each larger than the one before.
constexpr double kRounding = 0.5;

struct Worst {
  double ulp = kRounding;
  double x = 0;
  int64_t inputs = 0;

  void Merge(const Worst& other) {
    inputs += other.inputs;
    if (other.ulp > ulp) {
      ulp = other.ulp;
      x = other.x;
    }
  }
};

// One thread's interpreter, with its buffers.
class BlockRunner {
 public:
  BlockRunner(const ScalarProgram& program, DType type)
      : interpreter_(program),
        is_f32_(type == DType::kF32),
        x_(Allocate(kBlock * 8)),
        y_(Allocate(kBlock * 8)),
        workspace_(Allocate(interpreter_.WorkspaceBytes())) {}
  ~BlockRunner() {
    std::free(x_);
    std::free(y_);
    std::free(workspace_);
  }
  BlockRunner(const BlockRunner&) = delete;

  uint32_t* f32_bits() { return static_cast<uint32_t*>(x_); }
  void SetX(int i, double x) { static_cast<double*>(x_)[i] = x; }
  double x(int i) const { return Get(x_, i); }
  double y(int i) const { return Get(y_, i); }
  void Run(int count) {
    const void* inputs[] = {x_};
    void* outputs[] = {y_};
    const bool is_uniform[] = {false};
    interpreter_.RunBlock(inputs, is_uniform, outputs, count, workspace_);
  }

 private:
  static void* Allocate(size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }
  double Get(const void* p, int i) const {
    return is_f32_ ? static_cast<const float*>(p)[i] : static_cast<const double*>(p)[i];
  }

  BlockInterpreter interpreter_;
  bool is_f32_;
  void* x_;
  void* y_;
  void* workspace_;
};

// The error of `y` in f32 ULP against `reference`, as UlpMeter has it, but fast. Special values count as 0
// if they agree; else as infinite, so that MPFR decides.
double FastUlpError(double y, double reference) {
  constexpr double kAskMpfr = std::numeric_limits<double>::infinity();
  if (!(std::fabs(reference) < 0x1.fffffep127) || !std::isfinite(y)) {
    // From 0x1.ffffffp127 on, rounding to nearest gives infinity; leave the bound itself to MPFR.
    const bool overflows = std::fabs(reference) > 0x1.ffffffp127;
    const double rounded = overflows ? std::copysign(kAskMpfr, reference) : reference;
    const bool same = y == rounded || (std::isnan(y) && std::isnan(reference));
    return same ? 0 : kAskMpfr;
  }
  if (reference == 0 && (y != 0 || std::signbit(y) != std::signbit(reference))) return kAskMpfr;
  const int64_t exponent = static_cast<int64_t>(std::bit_cast<uint64_t>(reference) >> 52 & 0x7ff) - 1023;
  const int64_t inverse_ulp = 23 - (exponent < -126 ? -126 : exponent);
  return std::fabs(y - reference) * std::bit_cast<double>(static_cast<uint64_t>(inverse_ulp + 1023) << 52);
}

// Runs work(thread) on every thread and merges what they return.
template <class Work>
Worst InParallel(int threads, const Work& work) {
  Worst worst;
  std::mutex mutex;
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      const Worst mine = work(t);
      const std::lock_guard<std::mutex> lock(mutex);
      worst.Merge(mine);
    });
  }
  for (std::thread& thread : pool) thread.join();
  return worst;
}

Worst MeasureF32(const MathFunction& function, const Options& options) {
  const ScalarProgram program = ProgramOf(function, DType::kF32);
  // Quick: one block in 1009, a prime, so that every binade is met.
  const int64_t step = options.quick ? 1009 : 1;
  constexpr int64_t kBlocks = (int64_t{1} << 32) / kBlock;
  std::atomic<int64_t> next{0};
  return InParallel(options.threads, [&](int) {
    BlockRunner runner(program, DType::kF32);
    UlpMeter meter(function, DType::kF32);
    Worst worst;
    constexpr int64_t kBatch = 1024;
    for (int64_t first; (first = next.fetch_add(kBatch * step)) < kBlocks;) {
      for (int64_t block = first; block < first + kBatch * step && block < kBlocks; block += step) {
        for (int i = 0; i < kBlock; ++i) runner.f32_bits()[i] = static_cast<uint32_t>(block * kBlock + i);
        runner.Run(kBlock);
        for (int i = 0; i < kBlock; ++i) {
          const double x = runner.x(i);
          if (FastUlpError(runner.y(i), function.fast(x)) <= worst.ulp - kNearWorst) continue;
          const double ulp = meter.Error(x, runner.y(i));
          if (ulp > worst.ulp) worst = {ulp, x, worst.inputs};
        }
        worst.inputs += kBlock;
      }
    }
    return worst;
  });
}

// Fixed seeds: a measurement can be repeated.
uint64_t SplitMix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// How many samples a binade [2^e, 2^(e+1)) gets, of each sign: most where the functions bend.
int64_t SamplesInBinade(int exponent, bool quick) {
  const int64_t samples = exponent >= -12 && exponent <= 9    ? 200000
                          : exponent >= -30 && exponent <= 12 ? 20000
                                                              : 400;
  return quick ? samples / 100 : samples;
}

Worst MeasureF64(const MathFunction& function, const Options& options) {
  const ScalarProgram program = ProgramOf(function, DType::kF64);
  return InParallel(options.threads, [&](int thread) {
    BlockRunner runner(program, DType::kF64);
    UlpMeter meter(function, DType::kF64);
    Worst worst;
    int filled = 0;
    const auto flush = [&] {
      if (filled == 0) return;
      runner.Run(filled);
      for (int i = 0; i < filled; ++i) {
        const double ulp = meter.Error(runner.x(i), runner.y(i));
        if (ulp > worst.ulp) worst = {ulp, runner.x(i), worst.inputs};
      }
      worst.inputs += filled;
      filled = 0;
    };
    const auto add = [&](double x) {
      runner.SetX(filled++, x);
      if (filled == kBlock) flush();
    };
    uint64_t state = static_cast<uint64_t>(thread) << 32;
    // Biased exponent 0 is the subnormals and zero, 2047 infinity and NaN.
    for (int biased = thread; biased < 2048; biased += options.threads) {
      const int64_t samples = SamplesInBinade(biased - 1023, options.quick);
      for (uint64_t sign : {uint64_t{0}, uint64_t{1} << 63}) {
        const uint64_t base = sign | static_cast<uint64_t>(biased) << 52;
        add(std::bit_cast<double>(base));
        add(std::bit_cast<double>(base | 0xfffffffffffffu));
        for (int64_t i = 0; i < samples; ++i) add(std::bit_cast<double>(base | SplitMix(state) >> 12));
      }
    }
    // Where exp and sigmoid have subnormal results, or overflow.
    for (int64_t i = 0; i < (options.quick ? 1000 : 200000); ++i) {
      const double unit = static_cast<double>(SplitMix(state) >> 11) * 0x1p-53;
      add(-745.2 + 37.2 * unit);
      add(709 + unit);
    }
    flush();
    return worst;
  });
}

// The worst error of the f64 function that f32 results are compared with, in its own ULP.
double ReferenceError(const MathFunction& function) {
  UlpMeter meter(function, DType::kF64);
  uint64_t state = 1;
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(SplitMix(state)));
    const double y = function.fast(x);
    // Where no f32 result is left, the reference need not be precise.
    if (std::isnan(x) || std::fabs(y) < 0x1p-160 || std::fabs(y) > 0x1p130) continue;
    worst = std::fmax(worst, meter.Error(x, y));
  }
  return worst;
}

int Measure(const Options& options) {
  std::printf("| function | dtype | inputs | max ULP | at x | bound | seconds |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  bool good = true;
  for (const MathFunction& function : MathFunctions()) {
    const std::string name(function.name);
    if (!options.functions.empty() &&
        std::find(options.functions.begin(), options.functions.end(), name) == options.functions.end()) {
      continue;
    }
    const double reference_error = ReferenceError(function);
    // A thousandth of kNearWorst would still do.
    if (!(reference_error < 4)) {
      std::fprintf(stderr, "%s: the f64 reference is off by %.2f ULP\n", name.c_str(), reference_error);
      good = false;
    }
    for (DType type : {DType::kF32, DType::kF64}) {
      const auto start = std::chrono::steady_clock::now();
      const Worst worst = type == DType::kF32 ? MeasureF32(function, options) : MeasureF64(function, options);
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      const double bound = type == DType::kF32 ? function.max_ulp_f32 : function.max_ulp_f64;
      good &= worst.ulp <= bound;
      std::printf("| %s | %s | %lld | %.4f | %a | %g | %.0f |%s\n", name.c_str(),
                  std::string(Name(type)).c_str(), static_cast<long long>(worst.inputs), worst.ulp, worst.x,
                  bound, elapsed.count(), worst.ulp <= bound ? "" : "  <-- above the bound");
      std::fflush(stdout);
    }
  }
  return good ? 0 : 1;
}

int Main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    absl::string_view arg = argv[i];
    if (arg == "--quick") {
      options.quick = true;
    } else if (absl::ConsumePrefix(&arg, "--functions=")) {
      for (absl::string_view name : absl::StrSplit(arg, ',')) options.functions.emplace_back(name);
    } else if (!absl::ConsumePrefix(&arg, "--threads=") || !absl::SimpleAtoi(arg, &options.threads) ||
               options.threads < 1 || options.threads > 256) {
      std::fprintf(stderr, "usage: accuracy [--functions=exp,log,...] [--quick] [--threads=N]\n");
      return 2;
    }
  }
  return Measure(options);
}

}  // namespace
}  // namespace tenfold::testing

int main(int argc, char** argv) { return tenfold::testing::Main(argc, argv); }
