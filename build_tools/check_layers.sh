#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks that dependencies point one way: proto <- graph <- runtime <- kernels <- compiler <- tools.
# Visibility refuses most of it already; this also sees a target that was made more visible than its layer.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

layers=(proto graph runtime kernels compiler tools tests examples benchmarks)
# Those from here on may depend on each other.
last_layer=5

has_package() {
  [[ -n $(git ls-files -- "$1/**BUILD.bazel" "$1/BUILD.bazel") ]]
}

status=0
for ((i = 0; i <= last_layer; i++)); do
  has_package "${layers[i]}" || continue
  above=()
  for layer in "${layers[@]:i+1}"; do
    has_package "$layer" && above+=("//$layer/...")
  done
  [[ ${#above[@]} -gt 0 ]] || continue
  union=$(printf ' + %s' "${above[@]}")
  wrong=$(bazel query --ui_event_filters=-info --noshow_progress \
    "deps(//${layers[i]}/...) intersect (${union# + })")
  if [[ -n $wrong ]]; then
    echo "${layers[i]}/ depends on a layer above it:" >&2
    echo "$wrong" >&2
    status=1
  fi
done
exit "$status"
