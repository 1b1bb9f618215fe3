#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bash bench/score.sh [MODEL...]: bytes a second that `megalith eval` scores in windows that do not overlap, as a stream whose
# windows slide by half (what Scorer does with bytes from a pipe), and line by line, each line alone. The last columns are shares
# of the first. Medians of 3 of a process each, loading the model included; MEGALITH names the tool, BYTES the size of the text.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
megalith=${MEGALITH:-build/release/megalith}
bytes=${BYTES:-400000}
models=("$@")
[ $# -gt 0 ] || models=(megabyte-tiny megabyte-small llama-small)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat README.md bench/README.md include/megalith/*.h include/megalith/*/*.h > "$work/some"
while [ "$(stat -c %s "$work/text" 2> /dev/null || echo 0)" -lt "$bytes" ]; do cat "$work/some" >> "$work/text"; done
truncate -s "$bytes" "$work/text"

# rate COMMAND...: bytes a second, the median of 3.
rate() {
  local begin end i
  for i in 1 2 3; do
    begin=$(date +%s.%N)
    "$@" < "$work/text" > /dev/null 2>&1
    end=$(date +%s.%N)
    awk -v a="$begin" -v b="$end" -v n="$bytes" 'BEGIN { print n / (b - a) }'
  done | median
}

printf '%-22s %12s %12s %12s %8s %8s\n' model windows stream lines stream lines
for model in "${models[@]}"; do
  run=$work/$model
  "$megalith" train --data "$work/some" --model "$model" --steps 1 --batch 1 --eval-every 0 --out "$run" > /dev/null 2>&1
  length=$(sed -n 's/.*"length": *\([0-9]*\).*/\1/p' "$run/config.json" | head -1)
  windows=$(rate "$megalith" eval "$run" --data "$work/text")
  stream=$(rate "$megalith" eval "$run" --data - --stride $((length / 2)))
  lines=$(rate "$megalith" eval "$run" --data - --lines=alone)
  printf '%-22s %12.0f %12.0f %12.0f %8s %8s\n' "$model" "$windows" "$stream" "$lines" "$(ratio "$stream" "$windows" 2)" \
    "$(ratio "$lines" "$windows" 2)"
done
