#!/usr/bin/env bash
# Runs train_step of two builds in turn with the same arguments, and prints the ratio of their medians.
#
#   bash bench/compare_builds.sh BUILD_A BUILD_B [--rounds N] [ARGUMENTS OF train_step]     [megabyte-small, 5 rounds]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -ge 2 ] || { echo "usage: bash bench/compare_builds.sh BUILD_A BUILD_B [--rounds N] [ARGUMENTS OF train_step]" >&2; exit 2; }
a=$1 b=$2 rounds=5
shift 2
if [ "${1:-}" = --rounds ]; then
  whole_number "${2:-}" || { echo "compare_builds.sh: \"${2:-}\" is not a number of rounds" >&2; exit 2; }
  rounds=$2
  shift 2
fi
for build in "$a" "$b"; do
  [ -x "$build/train_step" ] || { echo "compare_builds.sh: $build has no train_step" >&2; exit 2; }
done
[ $# -gt 0 ] || set -- megabyte-small
of_a=() of_b=()
for ((round = 0; round < rounds; ++round)); do
  of_a+=("$("$a/train_step" "$@" | field bytes_per_second)")
  of_b+=("$("$b/train_step" "$@" | field bytes_per_second)")
done
printf '%s: %s bytes/s\n' "$a" "$(printf '%s\n' "${of_a[@]}" | spread)" "$b" "$(printf '%s\n' "${of_b[@]}" | spread)"
printf 'second over first: %s\n' "$(ratio "$(printf '%s\n' "${of_b[@]}" | median)" "$(printf '%s\n' "${of_a[@]}" | median)")"
