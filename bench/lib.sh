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
