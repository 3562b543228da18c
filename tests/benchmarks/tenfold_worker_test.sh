#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What benchmarks/peers asks of a runtime, and what Tenfold answers.

set -euo pipefail

model=/usr/share/libonnx-testdata/data/node/test_relu/model.onnx
worker=benchmarks/peers/tenfold_worker
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  echo "$*" >&2
  exit 1
}

# matches LINE PATTERN
matches() {
  [[ $1 =~ ^$2$ ]] || fail "got '$1', want $2"
}

# An input file, and what is to come of it.
printf 'tenfold 1\ngraph g(x: f32[3,4,5]) -> (y) {\n  y = Mul(x, 1)\n}\n' >"$folder/same.tnt"
tools/tenfold-run "$folder/same.tnt" --input x=random --output y="$folder/x.npy"

mapfile -t answers < <(printf 'run 1\nload\nrun 3\nsave %s\nwalk\n' "$folder" | "$worker" 1 "$model" "$folder/x.npy")
[[ ${#answers[@]} -eq 6 ]] || fail "got ${#answers[@]} answers: ${answers[*]}"
matches "${answers[0]}" 'ready'
matches "${answers[1]}" 'refused nothing is loaded'
matches "${answers[2]}" 'loaded [0-9]+'
matches "${answers[3]}" 'ran [0-9]+ [0-9]+ [0-9]+'
matches "${answers[4]}" 'saved'
matches "${answers[5]}" 'refused no command: walk'
tools/tenfold-run "$model" --input x="$folder/x.npy" --expect y="$folder/output_0.npy"

# A refusal is one line, too, though the error has several.
mapfile -t answers < <(echo load | "$worker" 1 "$folder/absent.onnx" "$folder/x.npy")
[[ ${#answers[@]} -eq 2 ]] || fail "got ${#answers[@]} answers: ${answers[*]}"
matches "${answers[1]}" 'refused error\[E[0-9]{4} .*absent\.onnx.*'
echo "all answers are as they should be"
