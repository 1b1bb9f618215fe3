#!/usr/bin/env bash
# Gives hostile files and command lines to the readers of checkpoints, configs, options, pictures and sound, under the address and
# undefined-behaviour sanitizers: first the corpora in tests/fuzz/corpus, then SECONDS (0: none) of what Clang's libFuzzer makes
# of them.
#   bash tests/fuzz.sh SECONDS [HARNESS...]    harnesses: checkpoint config options media; all of them where none is named
# An input that is a finding is kept in build/fuzz/findings. tests/fuzz/README.md says more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-}
if ! [[ $seconds =~ ^[0-9]+$ ]]; then
  echo "usage: bash tests/fuzz.sh SECONDS [checkpoint|config|options|media]..." >&2
  exit 2
fi
shift
harnesses=("$@")
[ $# -gt 0 ] || harnesses=(checkpoint config options media)

bash tests/install_packages.sh fuzz
cmake --preset fuzz
cmake --build --preset fuzz --target "${harnesses[@]/#/fuzz_}"

export OMP_NUM_THREADS=1
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export LLVM_PROFILE_FILE=/dev/null  # of coverage.sh
export UBSAN_OPTIONS=print_stacktrace=1
findings=$PWD/build/fuzz/findings
mkdir -p "$findings"
# No single piece of memory, and not all together, may be far above what an input of this size needs. An input that takes
# a minute is a finding too.
limits=(-max_len=16384 -malloc_limit_mb=64 -rss_limit_mb=1024 -timeout=60)

for harness in "${harnesses[@]}"; do
  program=$PWD/build/fuzz/tests/fuzz/fuzz_$harness
  corpus=$PWD/tests/fuzz/corpus/$harness
  found=$PWD/build/fuzz/found/$harness  # new inputs that reach something new, kept for the next call
  mkdir -p "$found"
  look() { "$program" "${limits[@]}" -artifact_prefix="$findings/$harness-" "$@" >> "$found.log" 2>&1; }
  : > "$found.log"
  if ! look -runs=0 "$corpus" || { [ "$seconds" -gt 0 ] && ! look -max_total_time="$seconds" "$found" "$corpus"; }; then
    tail -n 60 "$found.log" >&2
    input=$(find "$findings" -name "$harness-*" -newer "$program" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
    [ -n "$input" ] || { echo "fuzz: $harness: failed and left no input; its words are in $found.log" >&2; exit 1; }
    echo "fuzz: $harness: a finding, kept in $input; to see it again: $program $input" >&2
    exit 1
  fi
  echo "fuzz: $harness: $(grep -o 'Done .*' "$found.log" | tail -n 1), and no finding"
done
