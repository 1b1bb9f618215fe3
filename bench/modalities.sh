#!/usr/bin/env bash
# Kinds of models on kinds of bytes: bits per byte at equal FLOPs of training.
#
#   bash bench/modalities.sh matched KIND TRAIN VALID [OPTIONS] [MODEL...]
#   bash bench/modalities.sh ablations KIND TRAIN VALID [OPTIONS] [CHANGE...]
#   bash bench/modalities.sh preset NAME TRAIN VALID [OPTIONS]
#
# KIND says what the bytes are: text; image32 or image64, pictures of that width and height as RGB bytes one after the other; or
# audio, samples of one byte. The models of `matched` are of one size each, and try two learning rates with the first seed, the
# better one with the others. The changes of `ablations` are those of tables 10, 12 and 16 of Yu et al. 2023, made to the
# megabyte of `matched`, and ways to evaluate it. `preset` trains a named model by its recipe.
#
#   --flops F    of training, for each run [1e13]    --length T   bytes in a window [1024; a picture; 8192 for audio]
#   --seeds N    [2]                                 --rates "A B" learning rates to try [2e-3 4e-3]
#
# A budget of FLOPs, three forward passes for each byte that is predicted, becomes one of bytes, so that a run can be repeated:
# its result depends neither on the machine's load nor on threads.
set -euo pipefail

usage() { sed -n '4,16s/^# \?//p' "$script" >&2; exit 2; }
script=$(realpath "${BASH_SOURCE[0]}")
[ $# -ge 4 ] || usage
table=$1 kind=$2 train=$(realpath "$3") valid=$(realpath "$4")
shift 4
cd "$(dirname "$script")/.."
. bench/lib.sh

flops=1e13 seeds=2 length='' rates='2e-3 4e-3' chosen=()
while [ $# -gt 0 ]; do
  case $1 in
    --flops | --seeds | --length | --rates)
      [ $# -ge 2 ] || { echo "modalities.sh: $1 needs a value" >&2; exit 2; }
      declare "${1#--}=$2"
      shift 2 ;;
    -*) echo "modalities.sh: there is no option $1; choose --flops, --seeds, --length or --rates" >&2; exit 2 ;;
    *) chosen+=("$1"); shift ;;
  esac
done
above "$flops" 0 || { echo "modalities.sh: \"$flops\" is not a number of FLOPs" >&2; exit 2; }
whole_number "$seeds" || { echo "modalities.sh: \"$seeds\" is not a whole number above 0" >&2; exit 2; }

# patch, record and scan of a kind of data
scan='{"kind": "none"}' side=0
case $table:$kind in
  preset:*) ;;
  *:text) patch=8 record=1 length=${length:-1024} ;;
  *:audio) patch=8 record=1 length=${length:-8192} ;;
  *:image32) patch=12 side=32 tile=2 ;;
  *:image64) patch=48 side=64 tile=4 ;;
  *) usage ;;
esac
if [ $side -gt 0 ]; then
  record=$((side * side * 3))
  length=${length:-$record}
  scan="{\"kind\": \"patch\", \"width\": $side, \"height\": $side, \"channels\": 3, \"tile\": $tile}"
fi

cmake --preset release > /dev/null
cmake --build --preset release --target megalith_tool > /dev/null
tool=build/release/megalith
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# stack WIDTH LAYERS KIND SETTINGS: modern blocks with heads of 64 channels.
stack() {
  local norm='"norm": "rms", "activation": "relu_squared"'
  printf '{"width": %d, "layers": %d, "positions": "rotary", "bias": false, "%s": {"heads": %d, %s%s}}' \
    "$1" "$2" "$3" $(($1 / 64)) "$norm" "$4"
}
qk=', "qk_norm": true'
# model LENGTH SCALES: a config.
model() {
  printf '{"length": %d, "record": {"bytes": %d, "scan": %s}, "scales": [%s]}\n' "$1" "$record" "$scan" "$2"
}
flat() { model "$length" "{\"patch\": 1, \"stack\": $(stack 128 4 "$1" "$2")}"; }
# megabyte_with FIELDS OF THE GLOBAL SCALE, OF THE LOCAL ONE [, GLOBAL STACK [, LOCAL STACK]]
megabyte_with() {
  local global=${3:-$(stack 192 3 transformer "$qk")} local=${4:-$(stack 128 2 transformer "$qk")}
  model "$length" "{\"patch\": $patch$1, \"stack\": $global}, {\"patch\": 1, \"first_input\": \"previous\"$2, \"stack\": $local}"
}
# config NAME: a model of `matched`, or the megabyte with a change of `ablations`.
config() {
  local cross=", \"cross_patch\": $patch"
  case $1 in
    megabyte | strided | sliding) megabyte_with '' "$cross" ;;
    vanilla) flat transformer "$qk" ;;
    vanilla-1024) length=1024 flat transformer "$qk" ;;
    window) flat transformer "$qk, \"window\": 256" ;;
    perceiver)  # windows of pictures are whole ones, of which all is to be learned
      [ "$record" -gt 1 ] && latents="\"latents\": $((length / 8))" ||
        latents="\"latents\": $((length / 8)), \"predicted\": $((length / 8))"
      flat perceiver "$qk, $latents" ;;
    linear) flat linear_transformer '' ;;
    no-local) megabyte_with '' '' '' "$(stack 128 2 transformer "$qk, \"window\": 1")" ;;
    no-global) flat transformer "$qk, \"window\": $((patch * 3 / 2))" | sed 's/"layers": 4/"layers": 2/' ;;
    no-cross-patch) megabyte_with '' '' ;;
    cross-patch-half) megabyte_with '' ", \"cross_patch\": $((patch / 2))" ;;
    cross-patch-quarter) megabyte_with '' ", \"cross_patch\": $((patch / 4))" ;;
    convolution) megabyte_with ', "convolution": true' "$cross" ;;
    raster) scan='{"kind": "none"}' megabyte_with '' "$cross" ;;
    random-windows) scan='{"kind": "none"}' record=1 megabyte_with '' "$cross" ;;
    patch-*) patch=${1#patch-} && cross=", \"cross_patch\": $patch" && megabyte_with '' "$cross" ;;
    *) echo "modalities.sh: there is no $1" >&2; exit 2 ;;
  esac
}

# run_of NAME RATE SEED: trains and leaves the run in $run, and bits per byte of VALID in $bits, by the run itself; the most
# memory that it took in $memory. A rate of "recipe" is that of a named model.
run_of() {
  local name=$1 rate=$2 seed=$3 options=(--model "$1")
  run=$work/$name-$rate-$seed
  [ "$rate" = recipe ] || options=(--model "$work/$name.json" --lr "$rate" --schedule linear --batch "$batch")
  memory=$(peak "$tool" train --data "$train" --valid "$valid" "${options[@]}" --bytes "$bytes" --seed "$seed" \
    --eval-every 0 --eval-bytes 0 --save-every 0 --sample-every 0 --out "$run") || exit 1
  bits=$(field valid_bpb < "$run/metrics.jsonl" | tail -n 1 | xargs printf '%.4f')
}
# measured OPTIONS OF eval: bits per byte of VALID under the model in $run, or what is wrong with that.
measured() {
  "$tool" eval "$run" --data "$valid" "$@" > "$work/bits" 2> "$work/err" || { tail -n 1 "$work/err"; return 0; }
  sed -n 's/^bits_per_byte: //p' "$work/bits" | xargs printf '%.4f'
}

# row NAME: its line of the table.
row() {
  local name=$1 best='' best_run='' rate seed all=() trying=$rates parameters cost last
  local facts=("$work/$name.json")
  case $table in
    preset) facts=("$name") trying=recipe ;;
    *) config "$name" > "$work/$name.json" ;;
  esac
  window=$(fact batch length "${facts[@]}")
  batch=$(((bytes_a_step + window - 1) / window))
  cost=$(fact 'FLOP per byte' training "${facts[@]}")
  parameters=$(fact parameters 'in all' "${facts[@]}")
  bytes=$(awk -v f="$flops" -v c="$cost" 'BEGIN { printf "%.0f", f / c }')
  for rate in $trying; do
    run_of "$name" "$rate" 1
    if [ -z "$best" ] || above "${all[0]}" "$bits"; then best=$rate all=("$bits") best_run=$run; fi
  done
  last=$(grep train_bpb "$best_run/metrics.jsonl" | tail -n 1)
  run=$best_run
  case $name in
    strided) all=("$(measured --strided)") ;;
    sliding) all=("$(measured --stride $((window / 2)))") ;;
    *)
      for ((seed = 2; seed <= seeds; ++seed)); do
        run_of "$name" "$best" "$seed"
        all+=("$bits")
      done ;;
  esac
  printf '| %s | %s | %.2f | %s | %s | %s | %s | %.0f | %.0f |\n' "$name" "$parameters" "$(ratio "$cost" 1e6)" "$best" \
    "$(field step <<< "$last")" "$(ratio "$(field bytes <<< "$last")" 1e6 2)" "${all[*]}" \
    "$(ratio "$(field bytes <<< "$last")" "$(field seconds <<< "$last")" 0)" "$(ratio "$memory" 1e6 0)"
}

# alone PROGRAM OPTIONS...: bits per byte of VALID packed by itself, where there is such a program.
alone() {
  local name=$* size
  command -v "$1" > /dev/null || return 0
  case $1 in
    zpaq)  # packs files alone
      zpaq a "$work/packed.zpaq" "$valid" "${@:2}" > "$work/out" 2> "$work/err"
      size=$(stat -c %s "$work/packed.zpaq") ;;
    *) size=$("$@" < "$valid" | wc -c) ;;
  esac
  printf '| `%s` | | | | | | %s | | |\n' "$name" "$(ratio "$((8 * size))" "$(stat -c %s "$valid")" 4)"
}

models=(megabyte vanilla vanilla-1024 window perceiver linear)
changes=(megabyte no-local no-global no-cross-patch cross-patch-half cross-patch-quarter convolution strided)
case $table in
  matched) [ ${#chosen[@]} -gt 0 ] || chosen=("${models[@]}") ;;
  ablations)
    if [ ${#chosen[@]} -eq 0 ]; then
      chosen=("${changes[@]}")
      case $kind in
        image*) chosen+=(raster random-windows) ;;
        *) chosen+=(sliding patch-4 patch-16) ;;  # windows of pictures are whole ones and do not slide
      esac
    fi ;;
  preset) chosen=("$kind") ;;
  *) usage ;;
esac
bytes_a_step=4096

printf '| | parameters | MFLOP a byte | rate | steps | MB predicted | bits per byte, seeds 1 to %s | bytes/s | MB of memory |\n' "$seeds"
echo '|---|---:|---:|---:|---:|---:|---:|---:|---:|'
for name in "${chosen[@]}"; do row "$name"; done
alone xz -9e
alone zpaq -m5
