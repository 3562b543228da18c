#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The digits example from array to answer, and three errors on the way; `./dev demo` builds and runs it.
# Works from any folder and writes to a temporary one. Fails if something that should work does not, or
# something that should be refused is not.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
bin="${TENFOLD_BIN:-$repo/bazel-bin}"  # where the build puts the programs
data="$here/data"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$data"/*.npy "$data"/weights.npz "$folder"
cd "$folder"  # so that the commands below read as a person types them
PATH="$bin/tools:$bin/examples/digits:$PATH"

section() {
  printf '\n== %s\n' "$*"
}

# Shows the command, then runs it.
show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

# Shows a command that has to be refused with exit status 1, and its error.
refused() {
  printf '\n$ %s\n' "$*"
  local status=0
  "$@" 2>&1 || status=$?
  printf '(exit status %d)\n' "$status"
  [[ $status -eq 1 ]] || { echo "demo: this should have been refused with status 1" >&2; exit 1; }
}

section "The graph, built in C++ from the trained weights and saved"
show digits make . digits.tnf

section "As it was written"
show tenfold-dump digits.tnf

section "As it is executed: fused, with the reason for every decision"
show tenfold-dump digits.tnf --stage fused --explain

section "450 images that training has not seen, compared with scikit-learn's own probabilities"
show tenfold-run digits.tnf --input x=images.npy --output p=p.npy --expect p=probabilities.npy --atol 1e-5
show digits accuracy p.npy labels.npy

section "Refused: an image of 28x28 pixels for a layer of 784 inputs"
refused digits wrong-shape image28.npy

section "Refused: an array of text"
refused tenfold-run digits.tnf --input x=text.npy

section "Refused: float64 where the graph takes float32"
refused tenfold-run digits.tnf --input x=images_f64.npy
