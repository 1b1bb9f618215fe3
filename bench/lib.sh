# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share: fields of JSON lines, medians, ratios.

# field NAME: the number of that name in each JSON line of the input.
field() { sed -n 's/.*"'"$1"'": *\([0-9.eE+-]*\).*/\1/p'; }

# The median of the numbers in the input, one a line.
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# ratio A B [DIGITS]
ratio() { awk -v a="$1" -v b="$2" -v d="${3:-3}" 'BEGIN { if (b > 0) printf "%.*f", d, a / b; else printf "null" }'; }

# "median (least to most)" of the numbers in the input.
spread() { sort -g | awk '{ v[NR] = $1 } END { m = (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; print m " (" v[1] " to " v[NR] ")" }'; }

whole_number() { [[ "$1" =~ ^[1-9][0-9]*$ ]]; }

# above A B: whether A is the larger number.
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'; }

# Builds the programs of this folder; they are then in $bin.
build_bench() {
  cmake --preset bench > /dev/null
  cmake --build --preset bench > /dev/null
  bin=build/bench
}

# step_seconds GFLOPS ARGUMENTS OF train_step: the seconds that a step would take at that speed, by its FLOPs.
step_seconds() {
  local gflops=$1 line
  shift
  line=$("$bin/train_step" "$@" --count)
  awk -v f="$(field flops_per_byte <<< "$line")" -v t="$(field length <<< "$line")" -v b="$(field batch <<< "$line")" \
    -v g="$gflops" 'BEGIN { print f * t * b / (g * 1e9) }'
}

# peak COMMAND...: the most anonymous memory that it had, in bytes, sampled fifty times a second. It writes into $work.
peak() {
  "$@" > "$work/out" 2> "$work/err" &
  local pid=$! most=0 name value
  while kill -0 "$pid" 2> /dev/null; do
    while read -r name value _; do
      [ "$name" != RssAnon: ] || [ "$value" -le "$most" ] || most=$value
    done 2> /dev/null < "/proc/$pid/status" || true
    sleep 0.02
  done
  wait "$pid" || { tail -n 2 "$work/err" >&2; return 1; }
  echo $((most * 1024))
}
# fact PART KEY ARGUMENTS OF info: a number of a part of what $tool tells.
fact() {
  local part=$1 key=$2
  shift 2
  "$tool" info "$@" --json |
    awk -v part="\"$part\":" -v key="\"$key\":" '
      index($0, part) { on = 1 }
      on && !told && index($0, key) { sub(/.*: */, ""); sub(/,.*/, ""); print; told = 1 }'
}
