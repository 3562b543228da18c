// SPDX-License-Identifier: Apache-2.0
//
// What the reader and the writer of .npz archives hold alike.
#ifndef TENFOLD_GRAPH_INGEST_ZIP_ARCHIVE_H_
#define TENFOLD_GRAPH_INGEST_ZIP_ARCHIVE_H_

#include <zip.h>

#include <memory>

#include "absl/strings/string_view.h"

namespace tenfold {

// Of a member's name, behind that of its array.
inline constexpr absl::string_view kNpyEnding = ".npy";

// Without a zip_close, what was written is dropped.
struct DiscardArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, DiscardArchive>;

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_ZIP_ARCHIVE_H_
