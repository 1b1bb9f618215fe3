#!/usr/bin/env bash
# Runs train_step, or generate, of two builds in turn with the same arguments, and prints the ratio of their medians.
#
#   bash bench/compare_builds.sh BUILD_A BUILD_B [--rounds N] [--generate] [ARGUMENTS]     [5 rounds, megabyte-small]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -ge 2 ] || { echo "usage: bash bench/compare_builds.sh BUILD_A BUILD_B [--rounds N] [--generate] [ARGUMENTS]" >&2; exit 2; }
a=$1 b=$2 rounds=5 program=train_step
shift 2
while :; do
  case ${1:-} in
    --rounds)
      whole_number "${2:-}" || { echo "compare_builds.sh: \"${2:-}\" is not a number of rounds" >&2; exit 2; }
      rounds=$2
      shift 2
      ;;
    --generate) program=generate; shift ;;
    *) break ;;
  esac
done
for build in "$a" "$b"; do
  [ -x "$build/$program" ] || { echo "compare_builds.sh: $build has no $program" >&2; exit 2; }
done
[ $# -gt 0 ] || set -- megabyte-small
of_a=() of_b=()
for ((round = 0; round < rounds; ++round)); do
  of_a+=("$("$a/$program" "$@" | field bytes_per_second)")
  of_b+=("$("$b/$program" "$@" | field bytes_per_second)")
done
printf '%s: %s bytes/s\n' "$a" "$(printf '%s\n' "${of_a[@]}" | spread)" "$b" "$(printf '%s\n' "${of_b[@]}" | spread)"
printf 'second over first: %s\n' "$(ratio "$(printf '%s\n' "${of_b[@]}" | median)" "$(printf '%s\n' "${of_a[@]}" | median)")"
