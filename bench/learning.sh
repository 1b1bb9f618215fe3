#!/usr/bin/env bash
# Bits per byte that the named models reach in the budget of the table in bench/README.md, two seeds each.
#
#   bash bench/learning.sh TRAIN VALID [MODEL...]
#
# About 15 minutes for each model and seed on two cores. Budgets are in steps, so the result does not depend on the machine's
# load or its number of threads.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: bash bench/learning.sh TRAIN VALID [MODEL...]" >&2; exit 2; }
train=$(realpath "$1") valid=$(realpath "$2")
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -gt 0 ] || set -- megabyte-small megabyte-books megabyte-three-scale

declare -A steps=([megabyte-small]=2340 [megabyte-books]=8800 [megabyte-three-scale]=4400)
for model in "$@"; do
  [ -n "${steps[$model]:-}" ] || { echo "learning.sh: there is no budget for $model; choose of: ${!steps[*]}" >&2; exit 2; }
done

cmake --preset release > /dev/null
cmake --build --preset release --target megalith_tool > /dev/null
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for model in "$@"; do
  for seed in 1 2; do
    run=$results/$model-$seed
    build/release/megalith train --data "$train" --valid "$valid" --model "$model" --steps "${steps[$model]}" --seed "$seed" \
      --eval-every 0 --save-every 0 --out "$run" > "$results/log" 2>&1 || { cat "$results/log" >&2; exit 1; }
    bits=$(sed -n 's/.*"valid_bpb": *\([0-9.]*\).*/\1/p' "$run/metrics.jsonl" | tail -n 1)
    printf '%-22s seed %d: %.4f bits per byte\n' "$model" "$seed" "$bits"
  done
done
