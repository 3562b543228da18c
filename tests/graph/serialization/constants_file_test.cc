// SPDX-License-Identifier: Apache-2.0
//
// Graphs with large constants: two files that belong together, whatever happens while they are written.
#include "tenfold/graph/serialization/constants_file.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/mapped_file.h"
#include "tenfold/graph/ingest/safetensors.h"
#include "tenfold/graph/ingest/safetensors_writer.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
using std::string;
using testing::ElementsAre;

Graph ConstGraph(const NamedTensors& tensors) {
  Graph graph;
  graph.name = "g";
  for (const auto& [name, tensor] : tensors) {
    const NodeId node = *graph.AddNode(*graph.registry().Find("Const"), {}, {{"value", tensor}}, {name}, {});
    (void)graph.AddOutput(absl::StrCat("out.", graph.outputs().size()), graph.node(node).outputs[0]);
  }
  return graph;
}

Tensor Filled(int64_t count, float value) {
  Tensor tensor = *Tensor::Allocate(DType::kF32, Dims{count});
  std::ranges::fill(tensor.mutable_values<float>(), value);
  return tensor;
}

Tensor ValueOf(const Graph& graph, const string& name) {
  return *graph.ConstantValue(*graph.FindValue(name));
}

constexpr SaveOptions kFrom1000 = {.external_bytes = 1000};

// A folder of its own for each test; messages name it as FOLDER.
class ConstantsFileTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::canonical(testing::TempDir()).string() + "/" + info->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  string Path(const string& name) const { return folder_ + "/" + name; }
  std::vector<string> Files() const {
    std::vector<string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  string Text(const absl::Status& status) const {
    string text(status.message());
    for (size_t at; (at = text.find(folder_)) != string::npos;) text.replace(at, folder_.size(), "FOLDER");
    return text;
  }
  string LoadError(bool check_contents = false) const {
    return Text(LoadGraph(Path("m.tnf"), {.check_contents = check_contents}).status());
  }
  void Save(const NamedTensors& tensors) const {
    const absl::Status status = SaveGraph(ConstGraph(tensors), Path("m.tnf"), kFrom1000);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  // One byte from the end, where the data are.
  void ChangeLastByte(const string& name) const {
    std::fstream file(Path(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x41');
  }

  string folder_;
};

// Of ones: the name follows from the contents.
constexpr char kOnes[] = "m.tnf.6c799c32.safetensors";
constexpr char kTwos[] = "m.tnf.f3c61d03.safetensors";

TEST_F(ConstantsFileTest, LargeConstantsStandBesideTheGraph) {
  const NamedTensors tensors = {{"odd", Filled(333, 2)},
                                {"small", Filled(10, 3)},
                                {"large", Filled(1024, 1)},
                                {"splat", *Tensor::Splat(DType::kI8, Dims{5000}, "\1")}};
  const Graph graph = ConstGraph(tensors);
  Save(tensors);
  ASSERT_EQ(Files().size(), 2u);
  EXPECT_LT(fs::file_size(Path("m.tnf")), 1000u);
  const auto beside = *SafetensorsFile::Open(Path(Files()[1]));
  ASSERT_EQ(beside->entries().size(), 3u);
  EXPECT_EQ(beside->entries()[0].name, "large");
  EXPECT_EQ(beside->entries()[1].name, "odd");
  EXPECT_EQ(beside->entries()[2].name, "tenfold.padding.0");

  for (const bool check : {false, true}) {
    const absl::StatusOr<Graph> back = LoadGraph(Path("m.tnf"), {.check_contents = check});
    ASSERT_TRUE(back.ok()) << back.status().message();
    // The inline form of both is the same, so the graphs are.
    EXPECT_EQ(*SerializeGraph(*back), *SerializeGraph(graph));
  }
}

TEST_F(ConstantsFileTest, EqualNamesAndNoNamesAreToldApart) {
  Graph graph =
      ConstGraph({{"", Filled(300, 1)}, {"constant", Filled(300, 2)}, {"__metadata__", Filled(300, 3)}});
  ASSERT_TRUE(SaveGraph(graph, Path("m.tnf"), kFrom1000).ok());
  const absl::StatusOr<Graph> back = LoadGraph(Path("m.tnf"));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(*SerializeGraph(*back), *SerializeGraph(graph));
}

TEST_F(ConstantsFileTest, OnlyTheFileOfTheGraphInPlaceIsKept) {
  Save({{"w", Filled(1000, 1)}});
  EXPECT_THAT(Files(), ElementsAre("m.tnf", kOnes));
  Save({{"w", Filled(1000, 1)}});
  EXPECT_THAT(Files(), ElementsAre("m.tnf", kOnes));
  Save({{"w", Filled(1000, 2)}});
  EXPECT_THAT(Files(), ElementsAre("m.tnf", kTwos));
  // A graph that lies in the file that it replaces.
  const Graph loaded = *LoadGraph(Path("m.tnf"));
  ASSERT_TRUE(SaveGraph(loaded, Path("m.tnf"), {.external_bytes = std::nullopt}).ok());
  EXPECT_THAT(Files(), ElementsAre("m.tnf"));
  EXPECT_EQ(ValueOf(*LoadGraph(Path("m.tnf")), "w").at<float>(999), 2);
}

TEST_F(ConstantsFileTest, APrivateGraphHasPrivateConstants) {
  Save({{"w", Filled(1000, 1)}});
  fs::permissions(Path("m.tnf"), fs::perms::owner_read | fs::perms::owner_write);
  Save({{"w", Filled(1000, 2)}});
  for (const string& name : Files()) {
    EXPECT_EQ(fs::status(Path(name)).permissions(), fs::perms::owner_read | fs::perms::owner_write) << name;
  }
}

TEST_F(ConstantsFileTest, FilesOfOthersAreLeftAlone) {
  std::ofstream(Path("m.tnf.00000000.safetensors")) << "no tensors";
  ASSERT_TRUE(SaveSafetensors({{"w", Filled(4, 1)}}, Path("m.tnf.11111111.safetensors")).ok());
  ASSERT_TRUE(SaveSafetensors({{"w", Filled(4, 1)}}, Path("other.tnf.22222222.safetensors"),
                              {.metadata = {{"tenfold.crc32c", "22222222"}}})
                  .ok());
  Save({{"w", Filled(1000, 1)}});
  EXPECT_EQ(Files().size(), 5u);
}

// Two contents with one checksum: the file in place may be another graph's, or this one's before the save.
TEST_F(ConstantsFileTest, AnEqualNameWithOtherContentsIsNotOverwritten) {
  std::ofstream(Path(kOnes)) << "other";
  Save({{"w", Filled(1000, 1)}});
  EXPECT_EQ(Files().size(), 3u);
  EXPECT_THAT(Files(), testing::Contains("m.tnf.6c799c32-2.safetensors"));
  EXPECT_EQ(ValueOf(*LoadGraph(Path("m.tnf")), "w").at<float>(0), 1);
  std::ifstream in(Path(kOnes));
  string text;
  in >> text;
  EXPECT_EQ(text, "other");
}

// ---------------------------------------------------------------------------------------------------------

TEST_F(ConstantsFileTest, AMissingFile) {
  Save({{"w", Filled(1000, 1)}});
  fs::remove(Path(kOnes));
  EXPECT_EQ(LoadError(),
            "error[E0521 file-not-found]: there is no file 'FOLDER/m.tnf.6c799c32.safetensors'\n"
            "  --> FOLDER/m.tnf\n"
            "  the graph's large constants are in that file, which belongs beside it\n"
            "  in node Const 'w'");
}

TEST_F(ConstantsFileTest, AnotherFile) {
  Save({{"w", Filled(1000, 2)}});
  fs::rename(Path(kTwos), Path("keep"));
  Save({{"w", Filled(1000, 1)}});
  fs::rename(Path("keep"), Path(kOnes));
  EXPECT_EQ(
      LoadError(),
      "error[E0530 wrong-constants-file]: 'm.tnf.6c799c32.safetensors' is not the file that the graph's "
      "constants "
      "were saved in: its checksum is f3c61d03, the graph names 6c799c32\n"
      "  --> FOLDER/m.tnf\n"
      "  in node Const 'w'\n"
      "  help: copy the graph's two files again, together, or save the graph again");
  ASSERT_TRUE(SaveSafetensors({{"w", Filled(1000, 1)}}, Path(kOnes)).ok());
  EXPECT_EQ(
      LoadError(),
      "error[E0530 wrong-constants-file]: 'm.tnf.6c799c32.safetensors' is not the file that the graph's "
      "constants "
      "were saved in: it states no checksum\n"
      "  --> FOLDER/m.tnf\n"
      "  in node Const 'w'\n"
      "  help: copy the graph's two files again, together, or save the graph again");
}

TEST_F(ConstantsFileTest, ContentsAreCheckedOnRequest) {
  Save({{"w", Filled(1000, 1)}});
  ChangeLastByte(kOnes);
  EXPECT_EQ(LoadError(), "");
  EXPECT_EQ(
      LoadError(true),
      "error[E0530 wrong-constants-file]: 'm.tnf.6c799c32.safetensors' is not the file that the graph's "
      "constants "
      "were saved in: the checksum of its contents is df69028d, the graph names 6c799c32\n"
      "  --> FOLDER/m.tnf\n"
      "  in node Const 'w'\n"
      "  help: copy the graph's two files again, together, or save the graph again");
}

TEST_F(ConstantsFileTest, AReferenceWithAChecksumNeedsSuchAFile) {
  ASSERT_TRUE(WriteFileAtomically(Path("w.npy"), "").ok());
  const ArrayResolver resolve = FolderResolver(folder_);
  EXPECT_EQ(
      Text(resolve({.file = "w.npy", .member = "", .checksum = 1}).status()),
      "error[E0530 wrong-constants-file]: 'w.npy' is not the file that the graph's constants were saved in: "
      "it is no .safetensors file\n"
      "  help: copy the graph's two files again, together, or save the graph again");
}

TEST_F(ConstantsFileTest, AFileThatWasCutOff) {
  Save({{"w", Filled(1000, 1)}});
  fs::resize_file(Path(kOnes), fs::file_size(Path(kOnes)) - 1);
  EXPECT_EQ(
      LoadError(),
      "error[E0305 truncated-array]: 'FOLDER/m.tnf.6c799c32.safetensors' is truncated: its tensors take "
      "4032 bytes "
      "after the header, 4031 found\n"
      "  --> FOLDER/m.tnf\n"
      "  in node Const 'w'\n"
      "  help: the file was cut off while it was written or copied: write or copy it again");
}

TEST_F(ConstantsFileTest, NothingOutsideTheFolderIsOpened) {
  Save({{"w", Filled(1000, 1)}});
  fs::create_directory(Path("model"));
  fs::rename(Path("m.tnf"), Path("model/m.tnf"));
  fs::create_symlink(Path(kOnes), Path(string("model/") + kOnes));
  EXPECT_EQ(Text(LoadGraph(Path("model/m.tnf")).status()),
            "error[E0525 reference-outside]: the reference 'm.tnf.6c799c32.safetensors' leads out of the "
            "model's folder "
            "by a symbolic link\n"
            "  --> FOLDER/model/m.tnf\n"
            "  the graph's large constants are in that file, which belongs beside it\n"
            "  in node Const 'w'\n"
            "  help: put the file into 'FOLDER/model' or a folder in it");
}

TEST_F(ConstantsFileTest, AFailedSaveLeavesTheOldPairAndNothingElse) {
  Save({{"w", Filled(1000, 1)}});
  fs::create_directory(Path("dir.tnf"));
  EXPECT_EQ(Text(SaveGraph(ConstGraph({{"w", Filled(1000, 2)}}), Path("dir.tnf"), kFrom1000)),
            "error[E0523 cannot-write]: cannot write 'FOLDER/dir.tnf': it is a folder");
  EXPECT_EQ(Text(SaveGraph(ConstGraph({{"w", Filled(1000, 2)}}), Path("no/m.tnf"), kFrom1000)),
            "error[E0523 cannot-write]: cannot write 'FOLDER/no/m.tnf': No such file or directory");
  EXPECT_THAT(Files(), ElementsAre("dir.tnf", "m.tnf", kOnes));
}

// ---------------------------------------------------------------------------------------------------------

// Of this process, in bytes.
int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST_F(ConstantsFileTest, LoadingTouchesNoPagesOfTheConstants) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's own memory would be measured";
#endif
  constexpr int64_t kBytes = int64_t{400} << 20;
  struct statvfs disk;
  if (statvfs(folder_.c_str(), &disk) != 0 || disk.f_bavail * disk.f_frsize < 2 * uint64_t{kBytes})
    GTEST_SKIP() << "not enough space on the disk";
  // Pages that are only read take no memory.
  void* const zeros = mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(zeros, MAP_FAILED);
  NamedTensors tensors;
  for (int i = 0; i < 4; ++i) {
    const char* part = static_cast<const char*>(zeros) + i * kBytes / 4;
    tensors.emplace_back(absl::StrCat("w", i), *Tensor::Wrap(DType::kF32, Dims{kBytes / 16}, part, nullptr));
  }
  const int64_t before_saving = ResidentBytes();
  ASSERT_TRUE(SaveGraph(ConstGraph(tensors), Path("m.tnf")).ok());
  EXPECT_LT(ResidentBytes() - before_saving, kBytes / 100) << "saving made a copy";
  munmap(zeros, kBytes);

  const int64_t before = ResidentBytes();
  const absl::StatusOr<Graph> graph = LoadGraph(Path("m.tnf"));
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const int64_t growth = ResidentBytes() - before;
  EXPECT_LT(growth, kBytes / 100);
  RecordProperty("growth_bytes", absl::StrCat(growth));
  EXPECT_EQ(ValueOf(*graph, "w3").values<float>().back(), 0);
}

// What a kernel that has packed its weights does with the original.
TEST_F(ConstantsFileTest, DroppedPagesAreNoLongerResidentAndComeBack) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's own memory would be measured";
#endif
  constexpr int64_t kBytes = int64_t{64} << 20;
  Save({{"w", Filled(kBytes / 4, 1)}, {"odd", Filled(1001, 2)}});
  const Graph graph = *LoadGraph(Path("m.tnf"));
  const Tensor w = ValueOf(graph, "w"), odd = ValueOf(graph, "odd");
  const auto sum = [](const Tensor& tensor) {
    return std::accumulate(tensor.values<float>().begin(), tensor.values<float>().end(), 0.0);
  };
  const int64_t before = ResidentBytes();
  EXPECT_EQ(sum(w), kBytes / 4);
  EXPECT_GT(ResidentBytes() - before, kBytes / 2);
  DropPages(w);
  EXPECT_LT(ResidentBytes() - before, kBytes / 10);
  EXPECT_EQ(sum(w), kBytes / 4);
  DropPages(odd);
  EXPECT_EQ(sum(odd), 2002);
  const Tensor owned = Filled(kBytes / 4, 3);
  DropPages(owned);
  EXPECT_EQ(sum(owned), 3 * (kBytes / 4));
}

// Rounds in a usual test; TENFOLD_KILL_ROUNDS says how many otherwise.
int KillRounds() {
  const char* const text = std::getenv("TENFOLD_KILL_ROUNDS");
  return text == nullptr ? 10 : std::atoi(text);
}

TEST_F(ConstantsFileTest, AKilledWriterLeavesTheOldPairOrTheNew) {
  const Graph graphs[] = {
      ConstGraph({{"w", Filled(200'000, 1)}, {"b", Filled(400, 1)}, {"s", Filled(10, 1)}}),
      ConstGraph({{"w", Filled(200'000, 2)}, {"b", Filled(400, 2)}, {"s", Filled(10, 2)}})};
  ASSERT_TRUE(SaveGraph(graphs[0], Path("m.tnf"), kFrom1000).ok());
  std::mt19937 random(20);
  int seen[2] = {};
  for (int round = 0; round < KillRounds(); ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int i = 1;; ++i) (void)SaveGraph(graphs[i % 2], Path("m.tnf"), kFrom1000);
    }
    usleep(random() % 40'000);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    const absl::StatusOr<Graph> graph = LoadGraph(Path("m.tnf"), {.check_contents = true});
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    const float value = ValueOf(*graph, "s").at<float>(0);
    const int which = value == 1 ? 0 : 1;
    ++seen[which];
    EXPECT_EQ(*SerializeGraph(*graph), *SerializeGraph(graphs[which]));
  }
  RecordProperty("first", seen[0]);
  RecordProperty("second", seen[1]);
  // The next save clears away what the killed ones left.
  ASSERT_TRUE(SaveGraph(graphs[0], Path("m.tnf"), kFrom1000).ok());
  int constants_files = 0;
  for (const string& name : Files()) {
    if (absl::EndsWith(name, ".safetensors") && !absl::StrContains(name, ".tmp-")) ++constants_files;
  }
  EXPECT_EQ(constants_files, 1);
}

// A writer of another model must neither wait for ever nor remove what is not its own.
TEST_F(ConstantsFileTest, TwoWritersOfOneModelKeepItWhole) {
  const Graph ones = ConstGraph({{"w", Filled(5000, 1)}}), twos = ConstGraph({{"w", Filled(5000, 2)}});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool ok = true;
    for (int i = 0; i < 20; ++i) ok = SaveGraph(ones, Path("m.tnf"), kFrom1000).ok() && ok;
    _exit(ok ? 0 : 1);
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(SaveGraph(twos, Path("m.tnf"), kFrom1000).ok());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const absl::StatusOr<Graph> graph = LoadGraph(Path("m.tnf"), {.check_contents = true});
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(Files().size(), 2u);
}

}  // namespace
}  // namespace tenfold
