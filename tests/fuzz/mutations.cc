// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/fuzz/mutations.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/onnx/import.h"
#include "tenfold/graph/serialization/crc32c.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/tests/fuzz/exercise.h"
#include "tenfold/tests/fuzz/exercise_files.h"
#include "tenfold/tests/fuzz/exercise_onnx.h"
#include "tenfold/tests/fuzz/mutate_message.h"

namespace tenfold::fuzz {
namespace {

namespace fs = std::filesystem;

using Exercise = void (*)(absl::string_view);

std::string FormatOf(const std::string& file) { return file.substr(0, file.find('/')); }

Exercise ExerciseOf(const std::string& format) {
  constexpr std::pair<const char*, Exercise> kFormats[] = {
      {"npy", ExerciseNpyBytes},        {"npz", ExerciseNpzBytes}, {"safetensors", ExerciseSafetensorsBytes},
      {"tnf", ExerciseTnfBytes},        {"tnt", ExerciseTntBytes}, {"onnx", ExerciseOnnxBytes},
      {"literal", ExerciseLiteralBytes}};
  for (const auto& [name, exercise] : kFormats) {
    if (format == name) return exercise;
  }
  return nullptr;
}

// A graph file's checksum would end most mutations early: docs/file-format.md says where it stands.
std::string WithChecksum(std::string bytes) {
  constexpr size_t kHeaderSize = 32, kChecksumAt = 12;
  if (bytes.size() < kHeaderSize) return bytes;
  const uint32_t checksum = Crc32c(absl::string_view(bytes).substr(kHeaderSize));
  std::memcpy(bytes.data() + kChecksumAt, &checksum, sizeof(checksum));
  return bytes;
}

std::string Contents(absl::string_view corpus, const std::string& file) {
  std::stringstream contents;
  contents << std::ifstream(fs::path(std::string(corpus)) / file, std::ios::binary).rdbuf();
  return contents.str();
}

// One byte of a text, or its length, changes.
void MutateText(std::string& text, std::minstd_rand& random) {
  if (text.empty() || random() % 4 == 0) {
    text += static_cast<char>(random() % 256);
  } else if (random() % 4 == 0) {
    text.pop_back();
  } else {
    text[random() % text.size()] = static_cast<char>(random() % 256);
  }
}

// A model with one to four changes of its message; `good` itself where none of some is small enough.
std::string MutateModel(const onnx::ModelProto& model, const std::string& good, size_t max_size,
                        std::minstd_rand& random) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    onnx::ModelProto mutated = model;
    const auto mutate_text = [&](std::string& text) { MutateText(text, random); };
    for (uint32_t changes = 1 + random() % 4; changes > 0; --changes)
      MutateMessage(mutated, random, mutate_text);
    std::string bytes = mutated.SerializeAsString();
    if (bytes.size() <= max_size && bytes != good) return bytes;
  }
  return good;
}

// Larger inputs than the file are made of it.
size_t MaxInput(const std::string& good) { return 4 * good.size() + 4096; }

// What parent and child share: the child's findings, and the input at hand, should it crash.
struct Shared {
  int64_t inputs;
  double slowest_seconds;
  int64_t largest_growth;
  char finding[200];
  size_t size;
  char input[];
};

double CpuSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Resident memory: now, and at its peak since the last reset.
class ResidentMemory {
 public:
  ResidentMemory()
      : clear_(open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)),
        status_(open("/proc/self/status", O_RDONLY | O_CLOEXEC)) {}
  ~ResidentMemory() {
    close(clear_);
    close(status_);
  }
  ResidentMemory(const ResidentMemory&) = delete;

  void ResetPeak() {
    const ssize_t written = pwrite(clear_, "5", 1, 0);
    if (written != 1) measures_ = false;
  }
  // By how much the peak lies above `before`; 0 where the system does not say.
  int64_t Now() const { return Field("VmRSS:"); }
  int64_t Peak() const { return measures_ ? Field("VmHWM:") : 0; }

 private:
  int64_t Field(const char* name) const {
    char text[4096];
    const ssize_t n = pread(status_, text, sizeof(text) - 1, 0);
    if (n <= 0) return 0;
    text[n] = '\0';
    const char* const at = std::strstr(text, name);
    return at == nullptr ? 0 : std::strtoll(at + std::strlen(name), nullptr, 10) * 1024;
  }

  const int clear_;
  const int status_;
  bool measures_ = true;
};

// The child's work.
class Mutator {
 public:
  Mutator(const std::string& format, const MutationOptions& options, Shared* shared)
      : exercise_(ExerciseOf(format)),
        has_checksum_(format == "tnf"),
        is_model_(format == "onnx"),
        options_(options),
        shared_(shared) {}

  void Run(const std::string& good) {
    // What is set up once and kept is no input's growth.
    exercise_(good);
    for (size_t n = 0; n <= good.size(); ++n) Try(absl::string_view(good).substr(0, n));
    std::mt19937_64 random(options_.seed);
    for (int64_t i = 0; i < options_.mutations && !good.empty(); ++i) {
      std::string mutated = good;
      const size_t at = random() % mutated.size();
      mutated[at] = static_cast<char>(mutated[at] + 1 + random() % 255);  // always another
      Try(mutated);
      if (has_checksum_) Try(WithChecksum(std::move(mutated)));
    }
    if (is_model_) RunOnMessage(good);
  }

 private:
  void RunOnMessage(const std::string& good) {
    onnx::ModelProto model;
    if (!model.ParseFromString(good)) return;
    std::minstd_rand random(static_cast<uint32_t>(options_.seed));
    for (int64_t i = 0; i < options_.mutations; ++i) Try(MutateModel(model, good, MaxInput(good), random));
  }

  void Try(absl::string_view input) {
    shared_->size = input.size();
    if (!input.empty()) std::memcpy(shared_->input, input.data(), input.size());
    memory_.ResetPeak();
    const int64_t before = memory_.Now();
    const double start = CpuSeconds();
    exercise_(input);
    const double seconds = CpuSeconds() - start;
    const int64_t growth = memory_.Peak() - before;
    ++shared_->inputs;
    shared_->slowest_seconds = std::max(shared_->slowest_seconds, seconds);
    shared_->largest_growth = std::max(shared_->largest_growth, growth);
    if (seconds <= options_.max_seconds && growth <= options_.max_bytes) return;
    absl::SNPrintF(shared_->finding, sizeof(shared_->finding), "an input took %.2f s and %d bytes", seconds,
                   growth);
    _exit(1);
  }

  const Exercise exercise_;
  const bool has_checksum_;
  const bool is_model_;
  const MutationOptions& options_;
  Shared* const shared_;
  ResidentMemory memory_;
};

// Writes the input at hand, and says where.
std::string Keep(const std::string& file, const MutationOptions& options, const Shared& shared) {
  if (options.findings.empty()) return "";
  const std::string path = absl::StrCat(options.findings, "/", absl::StrReplaceAll(file, {{"/", "-"}}));
  std::ofstream(path, std::ios::binary).write(shared.input, static_cast<std::streamsize>(shared.size));
  return absl::StrCat("; the input is ", path);
}

}  // namespace

std::vector<std::string> FilesOf(absl::string_view corpus) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(std::string(corpus))) {
    const fs::path& path = entry.path();
    if (entry.is_directory()) continue;
    files.push_back(path.parent_path().filename().string() + "/" + path.filename().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool IsValid(absl::string_view corpus, const std::string& file) {
  const std::string bytes = Contents(corpus, file), format = FormatOf(file);
  const Limits limits = SmallLimits();
  if (format == "npy") return ReadNpy(bytes, file, limits).ok();
  if (format == "npz") return ReadNpz(bytes, file, limits).ok();
  if (format == "safetensors") return ReadSafetensors(bytes, file, {.limits = limits}).ok();
  if (format == "tnf") return ParseGraph(bytes, {.limits = limits}).ok();
  if (format == "tnt") return ParseText(bytes, {.limits = limits}).ok();
  if (format == "onnx") return ImportOnnxBytes(bytes, file, {.limits = limits}).ok();
  return false;
}

FileReport MutateFile(absl::string_view corpus, const std::string& file, const MutationOptions& options) {
  FileReport report;
  report.file = file;
  const std::string good = Contents(corpus, file);
  report.bytes = static_cast<int64_t>(good.size());
  if (ExerciseOf(FormatOf(file)) == nullptr) {
    report.finding = "its folder names no format";
    return report;
  }
  const size_t bytes = sizeof(Shared) + MaxInput(good);
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    report.finding = "no memory to share";
    return report;
  }
  Shared* const shared = static_cast<Shared*>(memory);  // all zeros
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    Mutator(FormatOf(file), options, shared).Run(good);
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    report.finding = "no process to work in";
  } else if (shared->finding[0] != '\0') {
    report.finding = shared->finding + Keep(file, options, *shared);
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    report.finding = absl::StrCat("an input ended the process, see above", Keep(file, options, *shared));
  }
  report.inputs = shared->inputs;
  report.slowest_seconds = shared->slowest_seconds;
  report.largest_growth = shared->largest_growth;
  munmap(memory, bytes);
  return report;
}

}  // namespace tenfold::fuzz
