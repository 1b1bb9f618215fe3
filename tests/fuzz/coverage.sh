#!/usr/bin/env bash
# Tells how many lines of the readers the corpora reach, and fails where that is below 90 % of a file. After a build:
#   bash tests/fuzz.sh 0 && bash tests/fuzz/coverage.sh
#   bash tests/fuzz/coverage.sh src/io/checkpoint.cpp    shows that file with the count of each line
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

least=90
programs=build/fuzz/tests/fuzz
profiles=$PWD/build/fuzz/coverage
rm -rf "$profiles"
mkdir -p "$profiles"
objects=()
for harness in checkpoint config options media; do
  LLVM_PROFILE_FILE=$profiles/$harness.profraw OMP_NUM_THREADS=1 \
    "$programs/fuzz_$harness" -runs=0 -max_len=16384 "$PWD/tests/fuzz/corpus/$harness" 2> "$profiles/$harness.log" ||
    { cat "$profiles/$harness.log" >&2; exit 1; }
  objects+=(${objects[0]:+-object} "$programs/fuzz_$harness")  # the first stands alone: llvm-cov show asks for that
done
llvm-profdata merge -o "$profiles/all" "$profiles"/*.profraw

if [ $# -gt 0 ]; then
  exec llvm-cov show -instr-profile="$profiles/all" "${objects[@]}" "$@"
fi
# Of the files that are compiled for it (tests/fuzz/CMakeLists.txt), and of the headers in src/ that these share.
root=$(printf '%s' "$PWD" | sed 's/[][\\.*^$+?(){}|]/\\&/g')
base="$root/(build/fuzz/([.][.]/)*)?"  # some compiler caches let paths begin at the folder of the build
others="^/usr|^$base(include|tests)/|^${base}src/((page|tool|train)/.*|media/(sheet|sound))[.]h$"
llvm-cov report -instr-profile="$profiles/all" "${objects[@]}" -ignore-filename-regex="$others" 2> "$profiles/report.log" |
  awk -v least="$least" '
    NF >= 10 && $1 ~ /\.(cpp|h)$/ { printf "%6s of %4d lines  %s\n", $10, $8, $1; low += $10 + 0 < least; files++ }
    END { if (!files || low) { printf "%d files are below %d %%\n", low, least; exit 1 } }'
