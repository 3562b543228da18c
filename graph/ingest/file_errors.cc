// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/file_errors.h"

#include <cstdlib>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {

std::string Why(int error) { return std::generic_category().message(error); }

std::string Quoted(absl::string_view path) { return absl::StrCat("'", Printable(path, 4096), "'"); }

absl::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a folder";
  if (S_ISFIFO(mode)) return "it is a pipe";
  if (S_ISSOCK(mode)) return "it is a socket";
  return "it is a device";
}

std::string FolderOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string RealPath(const std::string& path) {
  char* const real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return "";
  std::string copy(real);
  std::free(real);
  return copy;
}

absl::Status CannotRead(absl::string_view path, absl::string_view why) {
  return MakeError("E0522", absl::StrCat("cannot read ", Quoted(path), ": ", why));
}

absl::Status CannotWrite(absl::string_view path, absl::string_view why) {
  return MakeError("E0523", absl::StrCat("cannot write ", Quoted(path), ": ", why));
}

}  // namespace tenfold
