#!/usr/bin/env bash
# Holds what `megalith info` says of memory against what the tool takes: the most anonymous memory (RssAnon) of training by the
# preset's batch, by another one, and with recomputation, and of generating 300 bytes. Prints a table; the last column is measured
# over estimated.
#
#   bash bench/memory.sh [--seconds N] [--threads N] [--build DIR] [MODEL...]     [600; 2; build/bench; all presets]
#
# What would take more than N seconds of training, by its FLOPs at 50 GFLOP/s, or more memory than is free, is named and left out;
# where the preset's batch does, one window is tried.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/lib.sh

seconds=600 threads=2 build=build/bench
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    --*) echo "memory.sh: there is no option $1; choose --seconds, --threads or --build" >&2; exit 2 ;;
    *) break ;;
  esac
done
tool=$build/megalith
[ -x "$tool" ] || { echo "memory.sh: $build has no megalith; build it first" >&2; exit 2; }
[ $# -gt 0 ] || set -- $("$tool" models | awk '/^[a-z]+-[a-z0-9-]+/ { print $1 }' | grep -v '^paper-text$')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for ((i = 0; i < 20; ++i)); do cat README.md bench/README.md include/megalith/*/*.h; done > "$work/train"
head -c 16384 bench/README.md > "$work/valid"

# line NAME TAKEN TOLD
line() { awk -v what="$1" -v m="$2" -v e="$3" 'BEGIN { printf "%-50s %9.1f %9.1f %7.3f\n", what, m / 1e6, e / 1e6, m / e }'; }
# too_much STEPS ARGUMENTS OF info: why such a training is left out, or nothing.
too_much() {
  local steps=$1
  shift
  awk -v s="$steps" -v flops="$(fact 'FLOP per byte' training "$@")" -v windows="$(fact batch windows "$@")" \
    -v bytes="$(fact batch length "$@")" -v memory="$(fact 'training memory' 'in all' "$@")" -v limit="$seconds" \
    -v free="$(free -b | awk '/^Mem/ { print $7 }')" 'BEGIN {
      time = s * flops * windows * bytes / 50e9
      if (memory > 0.9 * free) printf "would take %.1f GB\n", memory / 1e9
      else if (time > limit) printf "would take %.0f s or so\n", time }'
}
# train NAME MODEL STEPS BATCH OPTIONS...: leaves the run in $work/run.
train() {
  local name=$1 model=$2 steps=$3 batch=$4 why taken
  shift 4
  why=$(too_much "$steps" "$model" --batch "$batch")
  [ -z "$why" ] || { printf '%-50s %s\n' "$name" "$why"; return 1; }
  rm -rf "$work/run"
  taken=$(peak "$tool" train --data "$work/train" --valid "$work/valid" --model "$model" --steps "$steps" --batch "$batch" \
    --eval-every 0 --save-every 0 --threads "$threads" --out "$work/run" "$@") || { printf '%-50s failed\n' "$name"; return 1; }
  line "$name" "$taken" "$(fact 'training memory' 'in all' "$work/run")"
}

printf '%-50s %9s %9s %7s\n' '' 'MB taken' 'MB told' 'ratio'
for model in "$@"; do
  batch=$(fact batch windows "$model") steps=3
  if ! train "$model, $batch windows" "$model" "$steps" "$batch"; then
    batch=1 steps=1
    train "$model, 1 window" "$model" 1 1 || continue
  fi
  taken=$(peak "$tool" generate "$work/run" --bytes 300 --prompt 'The ' --threads "$threads")
  line "$model, generating" "$taken" "$(fact 'generation memory' 'in all' "$model")"
  train "$model, $batch windows, recomputing" "$model" 1 "$batch" --recompute || true
  other=$((batch > 2 ? batch / 2 : batch * 3))
  train "$model, $other windows" "$model" 1 "$other" || true
done
