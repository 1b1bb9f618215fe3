#!/usr/bin/env bash
# Bits per byte over all of VALID that the named models reach, by their recipes, in a budget of steps.
#
#   bash bench/learning.sh TRAIN VALID [--seeds N] [--precision fp32|bf16] [--steps N | --minutes M] [MODEL...]
#
# Without --steps and --minutes the budgets are those of the table in bench/README.md: about 15 minutes for each model and seed
# on two cores. --minutes 10 gives each model the steps that it makes in that time, by its speed in a run of half a minute just
# before; equal training time in one command:
#
#   bash bench/learning.sh TRAIN VALID --minutes 10 megabyte-small vanilla-small-params vanilla-small-flops vanilla-small-window
#
# Budgets are in steps, so that a run can be repeated: its result does not depend on the machine's load or threads.
set -euo pipefail

usage="usage: bash bench/learning.sh TRAIN VALID [--seeds N] [--precision fp32|bf16] [--steps N | --minutes M] [MODEL...]"
[ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
train=$(realpath "$1") valid=$(realpath "$2")
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/lib.sh

declare -A budgets=([megabyte-small]=1900 [megabyte-books]=8800 [megabyte-three-scale]=4400)
seeds=2 precision=fp32 steps='' minutes='' models=()
while [ $# -gt 0 ]; do
  case $1 in
    --seeds | --precision | --steps | --minutes)
      [ $# -ge 2 ] || { echo "learning.sh: $1 needs a value" >&2; exit 2; }
      case $1 in --seeds) seeds=$2 ;; --precision) precision=$2 ;; --steps) steps=$2 ;; --minutes) minutes=$2 ;; esac
      shift 2 ;;
    -*) echo "learning.sh: there is no option $1; choose --seeds, --precision, --steps or --minutes" >&2; exit 2 ;;
    *) models+=("$1"); shift ;;
  esac
done
for number in "$seeds" "${steps:-1}"; do
  whole_number "$number" || { echo "learning.sh: \"$number\" is not a whole number above 0" >&2; exit 2; }
done
above "${minutes:-1}" 0 || { echo "learning.sh: \"$minutes\" is not a number of minutes" >&2; exit 2; }
[ -z "$steps" ] || [ -z "$minutes" ] || { echo "learning.sh: choose --steps or --minutes" >&2; exit 2; }
[ ${#models[@]} -gt 0 ] || models=(megabyte-small megabyte-books megabyte-three-scale)
for model in "${models[@]}"; do
  [ -n "$steps$minutes${budgets[$model]:-}" ] ||
    { echo "learning.sh: there is no budget for $model; give --steps or --minutes, or choose of: ${!budgets[*]}" >&2; exit 2; }
done

cmake --preset release > /dev/null
cmake --build --preset release --target megalith_tool > /dev/null
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# trained FOLDER MODEL OPTIONS...: trains, and prints the last line of the run's metrics.
trained() {
  local run=$1 model=$2
  shift 2
  build/release/megalith train --data "$train" --model "$model" --precision "$precision" --eval-every 0 --save-every 0 \
    --out "$run" "$@" > "$results/log" 2>&1 || { cat "$results/log" >&2; exit 1; }
  grep train_bpb "$run/metrics.jsonl" | tail -n 1
}

for model in "${models[@]}"; do
  budget=${steps:-${budgets[$model]:-}}
  if [ -n "$minutes" ]; then
    line=$(trained "$results/$model-speed" "$model" --minutes 0.5)
    budget=$(awk -v m="$minutes" -v steps="$(field step <<< "$line")" -v s="$(field seconds <<< "$line")" \
      'BEGIN { n = int(m * 60 * steps / s); print (n > 0 ? n : 1) }')
  fi
  for ((seed = 1; seed <= seeds; ++seed)); do
    run=$results/$model-$seed
    line=$(trained "$run" "$model" --valid "$valid" --steps "$budget" --seed "$seed")
    bits=$(field valid_bpb < "$run/metrics.jsonl" | tail -n 1)
    printf '%-22s seed %d: %.4f bits per byte after %s steps, %.1f MB, %.0f seconds (%s)\n' "$model" "$seed" "$bits" "$budget" \
      "$(ratio "$(field bytes <<< "$line")" 1e6)" "$(field seconds <<< "$line")" "$precision"
  done
done
