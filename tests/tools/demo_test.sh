#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The demo from beginning to end, on the programs that this build made.

set -euo pipefail

shown=$(TENFOLD_BIN="$PWD" examples/digits/demo.sh)
echo "$shown"
grep -qx 'accuracy: 97\.[0-9] %' <<<"$shown"
for code in E0201 E0301 E0320; do
  grep -q "^error\[$code " <<<"$shown"
done
