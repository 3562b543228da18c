// SPDX-License-Identifier: Apache-2.0
//
// What readers and writers of files say alike.
#ifndef TENFOLD_GRAPH_INGEST_FILE_ERRORS_H_
#define TENFOLD_GRAPH_INGEST_FILE_ERRORS_H_

#include <sys/stat.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tenfold {

// The system's words for an errno.
std::string Why(int error);
// In quotes, fit for a message, as long as paths are.
std::string Quoted(absl::string_view path);
// "it is a folder", for what is no regular file.
absl::string_view KindOf(mode_t mode);
// "." for a path without one.
std::string FolderOf(absl::string_view path);
// The path with every link followed; empty, with errno, if there is none.
std::string RealPath(const std::string& path);

absl::Status CannotRead(absl::string_view path, absl::string_view why);   // E0522
absl::Status CannotWrite(absl::string_view path, absl::string_view why);  // E0523

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_FILE_ERRORS_H_
