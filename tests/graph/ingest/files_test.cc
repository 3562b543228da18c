// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/files.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tenfold/graph/ingest/array_reference.h"
#include "tenfold/graph/ingest/atomic_file.h"
#include "tenfold/graph/ingest/mapped_file.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/ingest/safetensors_writer.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
using std::string;

// A folder of its own for each test; messages name it as FOLDER.
class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::canonical(testing::TempDir()).string() + "/" + info->test_suite_name() + "-" + info->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  string Path(const string& name) const { return folder_ + "/" + name; }
  void Write(const string& name, const string& text) const { std::ofstream(Path(name)) << text; }
  string Text(const absl::Status& status) const {
    string text(status.message());
    for (size_t at; (at = text.find(folder_)) != string::npos;) text.replace(at, folder_.size(), "FOLDER");
    return text;
  }
  int Count() const {
    return static_cast<int>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  string folder_;
};

TEST_F(FilesTest, ReadsWhatWasWritten) {
  const string bytes("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(Path("x"), bytes).ok());
  EXPECT_EQ(*ReadFile(Path("x"), 4), bytes);
  ASSERT_TRUE(WriteFileAtomically(Path("x"), "").ok());
  EXPECT_EQ(*ReadFile(Path("x"), 0), "");
  EXPECT_EQ(Count(), 1);
}

TEST_F(FilesTest, ReadRefusals) {
  Write("weights.npz", "1234");
  EXPECT_EQ(Text(ReadFile(Path("weigths.npz"), 9).status()),
            "error[E0521 file-not-found]: there is no file 'FOLDER/weigths.npz'\n"
            "  help: did you mean 'FOLDER/weights.npz'?");
  EXPECT_EQ(Text(ReadFile(Path("unlike"), 9).status()),
            "error[E0521 file-not-found]: there is no file 'FOLDER/unlike'");
  EXPECT_EQ(Text(ReadFile(folder_, 9).status()),
            "error[E0522 cannot-read]: cannot read 'FOLDER': it is a folder");
  EXPECT_EQ(Text(ReadFile("/dev/zero", 9).status()),
            "error[E0522 cannot-read]: cannot read '/dev/zero': it is a device");
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(Text(ReadFile(Path("pipe"), 9).status()),
            "error[E0522 cannot-read]: cannot read 'FOLDER/pipe': it is a pipe");
  EXPECT_EQ(Text(ReadFile(Path("weights.npz"), 3).status()),
            "error[E0402 too-large]: 'FOLDER/weights.npz' has 4 bytes; the limit is 3");
  EXPECT_EQ(Text(ReadFile(absl::string_view("a\0b", 3), 3).status()),
            "error[E0522 cannot-read]: cannot read 'a\\x00b': its name has a zero byte");
}

TEST_F(FilesTest, AFileThatShrinksIsAnError) {
  Write("x", string(100, 'x'));
  const std::unique_ptr<FileSource> file = *FileSource::Open(Path("x"));
  ASSERT_EQ(truncate(Path("x").c_str(), 10), 0);
  char bytes[100];
  EXPECT_EQ(Text(file->Read(bytes)),
            "error[E0522 cannot-read]: cannot read 'FOLDER/x': it became shorter while it was read");
}

TEST_F(FilesTest, WriteRefusalsLeaveNothingBehind) {
  EXPECT_EQ(Text(WriteFileAtomically(Path("no/such/x"), "a")),
            "error[E0523 cannot-write]: cannot write 'FOLDER/no/such/x': No such file or directory");
  EXPECT_EQ(Text(WriteFileAtomically(folder_, "a")),
            "error[E0523 cannot-write]: cannot write 'FOLDER': it is a folder");
  EXPECT_EQ(Text(WriteFileAtomically("/dev/null", "a")),
            "error[E0523 cannot-write]: cannot write '/dev/null': it is a device");
  EXPECT_EQ(Count(), 0);
}

// A limit on the size of files fails like a full disk: write(2) reports an error half way.
TEST_F(FilesTest, AFullDiskLeavesTheOldContents) {
  Write("x", "old");
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Tensor tensor = *Tensor::Allocate(DType::kI8, Dims{100'000});
  const absl::Status statuses[] = {WriteFileAtomically(Path("x"), string(100'000, 'n')),
                                   SaveNpy(tensor, Path("x")), SaveNpz({{"w", tensor}}, Path("x")),
                                   SaveSafetensors({{"w", tensor}}, Path("x"))};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  for (const absl::Status& status : statuses)
    EXPECT_EQ(Text(status), "error[E0523 cannot-write]: cannot write 'FOLDER/x': File too large");
  EXPECT_EQ(*ReadFile(Path("x"), 100), "old");
  EXPECT_EQ(Count(), 1);
}

TEST_F(FilesTest, WritingKeepsLinksAndModes) {
  Write("x", "old");
  ASSERT_EQ(chmod(Path("x").c_str(), 0600), 0);
  fs::create_symlink("x", Path("link"));
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(*ReadFile(Path("x"), 100), "new");
  struct stat info;
  ASSERT_EQ(stat(Path("x").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(FilesTest, PiecesAppearTogether) {
  Write("x", "old");
  {
    const std::unique_ptr<AtomicFile> file = *AtomicFile::Create(Path("x"));
    ASSERT_TRUE(file->Write("....-").ok());
    ASSERT_TRUE(file->Write("body").ok());
    ASSERT_TRUE(file->Overwrite(0, "head").ok());
    EXPECT_EQ(Text(file->Overwrite(8, "xy")),
              "error[E9001 internal-error]: bytes that were never written are overwritten");
    EXPECT_EQ(*ReadFile(Path("x"), 100), "old");
    ASSERT_TRUE(file->Commit().ok());
  }
  EXPECT_EQ(*ReadFile(Path("x"), 100), "head-body");
  EXPECT_EQ(Count(), 1);
}

TEST_F(FilesTest, WithoutACommitNothingHappens) {
  Write("x", "old");
  {
    const std::unique_ptr<AtomicFile> file = *AtomicFile::Create(Path("x"));
    ASSERT_TRUE(file->Write("new").ok());
    ASSERT_TRUE(file->Sync().ok());
  }
  EXPECT_EQ(*ReadFile(Path("x"), 100), "old");
  EXPECT_EQ(Count(), 1);
}

TEST_F(FilesTest, AFileMayBeNamedAfterItsContents) {
  const std::unique_ptr<AtomicFile> file = *AtomicFile::Create(Path("x"));
  ASSERT_TRUE(file->Write("abc").ok());
  Write("same", "abc");
  Write("other", "abd");
  Write("longer", "abcd");
  EXPECT_TRUE(*file->Equals("same"));
  EXPECT_FALSE(*file->Equals("other"));
  EXPECT_FALSE(*file->Equals("longer"));
  EXPECT_FALSE(*file->Equals("missing"));
  ASSERT_TRUE(file->CommitAs("x.abc").ok());
  EXPECT_EQ(*ReadFile(Path("x.abc"), 100), "abc");
  EXPECT_FALSE(fs::exists(Path("x")));
}

// A process that is killed cannot clean up: where the file system can, there is nothing to clean.
TEST_F(FilesTest, AnUnfinishedFileHasNoName) {
  const std::unique_ptr<AtomicFile> file = *AtomicFile::Create(Path("x"));
  ASSERT_TRUE(file->Write("abc").ok());
  if (Count() == 1) GTEST_SKIP() << "this file system has no files without names";
  EXPECT_EQ(Count(), 0);
}

TEST_F(FilesTest, AMappedFileShowsTheContentsAndKeepsThem) {
  Write("x", "some bytes");
  const std::shared_ptr<const MappedFile> file = *MappedFile::Open(Path("x"));
  EXPECT_EQ(file->bytes(), "some bytes");
  ASSERT_TRUE(WriteFileAtomically(Path("x"), "others").ok());
  EXPECT_EQ(file->bytes(), "some bytes");
  fs::remove(Path("x"));
  EXPECT_EQ(file->bytes(), "some bytes");
  Write("empty", "");
  EXPECT_EQ((*MappedFile::Open(Path("empty")))->bytes(), "");
}

TEST_F(FilesTest, MapRefusals) {
  Write("weights", "");
  EXPECT_EQ(Text(MappedFile::Open(Path("weigths")).status()),
            "error[E0521 file-not-found]: there is no file 'FOLDER/weigths'\n"
            "  help: did you mean 'FOLDER/weights'?");
  EXPECT_EQ(Text(MappedFile::Open(folder_).status()),
            "error[E0522 cannot-read]: cannot read 'FOLDER': it is a folder");
  EXPECT_EQ(Text(MappedFile::Open("/dev/zero").status()),
            "error[E0522 cannot-read]: cannot read '/dev/zero': it is a device");
}

using ReferenceTest = FilesTest;

TEST_F(ReferenceTest, FindsFilesBeneathTheFolder) {
  fs::create_directory(Path("data"));
  Write("data/w.npy", "");
  Write("weights.npz", "");
  fs::create_symlink("data/w.npy", Path("inside.npy"));
  const absl::StatusOr<ArrayReference> npy = ResolveArrayReference(folder_, "data/w.npy");
  ASSERT_TRUE(npy.ok()) << npy.status().message();
  EXPECT_EQ(npy->path, Path("data/w.npy"));
  EXPECT_EQ(npy->member, "");
  const absl::StatusOr<ArrayReference> npz = ResolveArrayReference(folder_, "weights.npz:layer:0/w1");
  ASSERT_TRUE(npz.ok()) << npz.status().message();
  EXPECT_EQ(npz->path, Path("weights.npz"));
  EXPECT_EQ(npz->member, "layer:0/w1");
  EXPECT_EQ(ResolveArrayReference(folder_, "inside.npy")->path, Path("data/w.npy"));
}

TEST_F(ReferenceTest, LoadsThem) {
  ASSERT_TRUE(SaveNpy(Tensor::Scalar(1.5f), Path("w.npy")).ok());
  ASSERT_TRUE(SaveNpz({{"w1", Tensor::Scalar(2.5f)}}, Path("w.npz")).ok());
  ASSERT_TRUE(SaveSafetensors({{"w1", Tensor::Scalar(3.5f)}}, Path("w.safetensors")).ok());
  EXPECT_EQ(LoadArray(Path("w.safetensors"), "w1")->at<float>(0), 3.5f);
  EXPECT_EQ(LoadArray(Path("w.npy"), "")->at<float>(0), 1.5f);
  EXPECT_EQ(LoadArray(Path("w.npz"), "w1")->at<float>(0), 2.5f);
}

TEST_F(ReferenceTest, NothingOutsideTheFolder) {
  fs::create_directory(Path("model"));
  fs::create_directory(Path("model-2"));
  Write("secret.npy", "");
  Write("model-2/w.npy", "");
  fs::create_symlink(Path("secret.npy"), Path("model/out.npy"));
  fs::create_symlink("..", Path("model/up"));
  fs::create_symlink(Path("model-2"), Path("model/twin"));
  const auto error = [&](absl::string_view reference) {
    return Text(ResolveArrayReference(Path("model"), reference).status());
  };
  const string help = "\n  help: put the file into 'FOLDER/model' or a folder in it";
  EXPECT_EQ(
      error(Path("secret.npy")),
      "error[E0525 reference-outside]: the reference 'FOLDER/secret.npy' is an absolute path; references "
      "are relative to the model's folder" +
          help);
  EXPECT_EQ(error("../secret.npy"),
            "error[E0525 reference-outside]: the reference '../secret.npy' has '..' in it; references stay "
            "beneath the model's folder" +
                help);
  for (const string link : {"out.npy", "up/secret.npy", "twin/w.npy"}) {
    EXPECT_EQ(error(link), "error[E0525 reference-outside]: the reference '" + link +
                               "' leads out of the model's folder by a symbolic link" + help);
  }
  EXPECT_NE(error("a/../w.npy").find("E0525"), string::npos);
}

TEST_F(ReferenceTest, OtherRefusals) {
  fs::create_directory(Path("folder.npy"));
  ASSERT_EQ(mkfifo(Path("pipe.npy").c_str(), 0600), 0);
  fs::create_symlink("missing.npy", Path("dangling.npy"));
  const auto error = [&](absl::string_view reference) {
    return Text(ResolveArrayReference(folder_, reference).status());
  };
  EXPECT_EQ(error("weights.npz"),
            "error[E0524 bad-reference]: the reference 'weights.npz' names no array of the file\n"
            "  help: write weights.npz:NAME");
  EXPECT_EQ(error("w.safetensors"),
            "error[E0524 bad-reference]: the reference 'w.safetensors' names no array of the file\n"
            "  help: write w.safetensors:NAME");
  EXPECT_EQ(
      error("w.npy:a"),
      "error[E0524 bad-reference]: the reference 'w.npy:a' names a member, but an .npy file is one array\n"
      "  help: write w.npy");
  EXPECT_EQ(
      error("/etc/passwd"),
      "error[E0524 bad-reference]: the reference '/etc/passwd' names no .npy, .npz or .safetensors file\n"
      "  help: write FILE.npy, or FILE.npz:NAME or FILE.safetensors:NAME for one array of several");
  EXPECT_EQ(error(absl::string_view("w\0.npy", 6)),
            "error[E0524 bad-reference]: 'w\\x00.npy' is no path of a file");
  EXPECT_EQ(error("folder.npy"), "error[E0522 cannot-read]: cannot read 'FOLDER/folder.npy': it is a folder");
  EXPECT_EQ(error("pipe.npy"), "error[E0522 cannot-read]: cannot read 'FOLDER/pipe.npy': it is a pipe");
  EXPECT_EQ(error("unlike-all.npy").find("error[E0521 file-not-found]: there is no file"), 0u);
  EXPECT_EQ(error("dangling.npy").find("error[E0521 file-not-found]: there is no file"), 0u);
}

}  // namespace
}  // namespace tenfold
