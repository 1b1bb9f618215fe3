#!/usr/bin/env bash
# Runs train_step, or generate, of two builds with the same arguments, in pairs whose order changes. Prints the speeds, the
# median of the ratios of the pairs, and the ratio of the best speeds, which others on the machine disturb least.
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
# speed BUILD ARGUMENTS: bytes/s.
speed() { "$1/$program" "${@:2}" | field bytes_per_second; }
of_a=() of_b=() ratios=()
for ((round = 0; round < rounds; ++round)); do
  if ((round % 2)); then
    speed_b=$(speed "$b" "$@")
    speed_a=$(speed "$a" "$@")
  else
    speed_a=$(speed "$a" "$@")
    speed_b=$(speed "$b" "$@")
  fi
  of_a+=("$speed_a") of_b+=("$speed_b") ratios+=("$(ratio "$speed_b" "$speed_a")")
done
all_a=$(printf '%s\n' "${of_a[@]}") all_b=$(printf '%s\n' "${of_b[@]}")
printf '%s: %s bytes/s\n' "$a" "$(spread <<< "$all_a")" "$b" "$(spread <<< "$all_b")"
printf 'second over first: %s by pairs, %s by the best\n' "$(printf '%s\n' "${ratios[@]}" | spread)" \
  "$(ratio "$(sort -g <<< "$all_b" | tail -n 1)" "$(sort -g <<< "$all_a" | tail -n 1)")"
