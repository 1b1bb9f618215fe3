#!/usr/bin/env bash
# Trains megabyte-small and the same shape in plain PyTorch in turn, on the same threads, and prints medians and their ratio.
#
#   bash bench/compare_pytorch.sh [--rounds N] [--threads N] [--precision fp32|bf16] [--build DIR]
#
# 20 to 35 seconds a round. --precision is that of our products; PyTorch's stay in fp32. Needs python3-torch and
# libopenblas0.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

rounds=5 threads=2 precision=fp32 build=$here/../build/bench
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { echo "compare_pytorch.sh: $1 needs a value" >&2; exit 2; }
  case $1 in
    --rounds) rounds=$2 ;;
    --threads) threads=$2 ;;
    --precision) precision=$2 ;;
    --build) build=$2 ;;
    *) echo "compare_pytorch.sh: there is no option $1; choose --rounds, --threads, --precision or --build" >&2; exit 2 ;;
  esac
  shift 2
done
for number in "$rounds" "$threads"; do
  whole_number "$number" || { echo "compare_pytorch.sh: \"$number\" is not a number above 0" >&2; exit 2; }
done
[ -x "$build/train_step" ] || { echo "compare_pytorch.sh: $build has no train_step; build it by: cmake --preset bench && cmake --build --preset bench" >&2; exit 2; }
/usr/bin/python3 "$here/peer_megabyte.py" --check

unset OPENBLAS_CORETYPE
ours=() theirs=()
for ((round = 0; round < rounds; ++round)); do
  ours+=("$("$build/train_step" megabyte-small 1024 8 "$threads" --precision "$precision" | field bytes_per_second)")
  theirs+=("$(/usr/bin/python3 "$here/peer_megabyte.py" --threads "$threads" | field bytes_per_second)")
done
printf 'megabyte-small in %s: %s bytes/s\n' "$precision" "$(printf '%s\n' "${ours[@]}" | spread)"
printf 'PyTorch in fp32:      %s bytes/s\n' "$(printf '%s\n' "${theirs[@]}" | spread)"
printf 'ratio of medians: %s\n' "$(ratio "$(printf '%s\n' "${ours[@]}" | median)" "$(printf '%s\n' "${theirs[@]}" | median)")"
