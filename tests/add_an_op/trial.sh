#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The measure of the architecture: a patch of one row and one case file adds an op, and the C++ call, the text form,
# the documentation, the interpreter, the folder, the CPU's code and the PTX all have it. `./dev test` runs this last.
#
#   tests/add_an_op/trial.sh FOLDER EVENTS [BAZEL OPTIONS]
#
# Copies the tree as it stands to FOLDER, patches it, and runs the new op's tests there. Build events go to the file
# EVENTS for build_tools/count_tests.py; without a build it stays empty, which counts as a failure. FOLDER is best
# the same each time: Bazel then finds what it did before.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache="$1" folder="$1/tree" events="$2"
shift 2
: >"$events"

rm -rf "$folder"
mkdir -p "$folder"
# Files of the working tree, not of a commit: what is tried is what is there. A listed file may be deleted.
(cd "$root" && git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do if [[ -e $file ]]; then printf '%s\0' "$file"; fi; done |
  tar -c --null --files-from=- -f -) | tar -x -f - -C "$folder"

# Exact: a patch that has drifted from what it changes must be written anew, not guessed at.
if ! GIT_CEILING_DIRECTORIES="$cache" git -C "$folder" apply "$here/add_an_op.patch"; then
  echo "add-an-op trial: add_an_op.patch no longer applies; bring it up to date" >&2
  exit 1
fi

# The server is needed no longer than this.
cd "$folder"
bazel --max_idle_secs=5 test --build_event_json_file="$events" --test_arg=--gtest_filter='*square*:OpCases.*:NewOp.*' \
  "$@" //tests/add_an_op:new_op_test //tests/cases:cases_test
