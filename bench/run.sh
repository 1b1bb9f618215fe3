#!/usr/bin/env bash
# Measures this machine and the library on it, and writes all figures, as shares of what the machine can do too, as JSON.
#
#   bash bench/run.sh [--quick] [--out FILE]          [build/bench/results.json]
#
# About 8 minutes, with --quick under 3. Let nothing else run meanwhile. The limits are measured before each group of figures,
# and the best of all of them counts: on a shared machine no single window is trusted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/lib.sh

quick=false out=build/bench/results.json
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=true; shift ;;
    --out) [ $# -ge 2 ] || { echo "run.sh: --out needs a file" >&2; exit 2; }; out=$2; shift 2 ;;
    *) echo "run.sh: there is no option $1; choose --quick or --out FILE" >&2; exit 2 ;;
  esac
done
cmake --preset bench > /dev/null
cmake --build --preset bench > /dev/null
bin=build/bench threads=$(nproc) rounds=3
"$quick" && rounds=1

lines=$(mktemp) limits=$(mktemp)
trap 'rm -f "$lines" "$limits"' EXIT
limit() { "$bin/limits" "$threads" | tee -a "$limits" > /dev/null; }
best() { field "$1" < "$limits" | sort -g | tail -n 1; }
# figure NAME FIELD COMMAND...: the median of FIELD over some runs; the JSON line of the last run is kept too.
figure() {
  local name=$1 what=$2 values=() line
  shift 2
  for ((i = 0; i < rounds; ++i)); do
    line=$("$@")
    values+=("$(field "$what" <<< "$line")")
  done
  local middle
  middle=$(printf '%s\n' "${values[@]}" | median)
  printf '%-34s %12s %s\n' "$name" "$middle" "$what"
  printf '    {"name": "%s", "command": "%s", "%s": %s, "last": %s}\n' "$name" "$*" "$what" "$middle" "$line" >> "$lines"
}

limit
figure "training megabyte-small fp32" gflops "$bin/train_step" megabyte-small
if "$bin/train_step" megabyte-tiny 64 1 1 1 --precision bf16 > /dev/null 2>&1; then
  figure "training megabyte-small bf16" gflops "$bin/train_step" megabyte-small 1024 8 "$threads" --precision bf16
fi
limit
figure "one stream" bytes_per_second "$bin/generate" megabyte-small 1
figure "sixteen streams" bytes_per_second "$bin/generate" megabyte-small 16
figure "one stream of the vanilla model" bytes_per_second "$bin/generate" vanilla-small-params 1
if ! "$quick"; then
  limit
  figure "training on one thread" gflops "$bin/train_step" megabyte-small 1024 8 1
  figure "peak of one thread" fp32_gflops "$bin/limits" 1
  figure "training megabyte-books" gflops "$bin/train_step" megabyte-books 512 4
  figure "training megabyte-three-scale" gflops "$bin/train_step" megabyte-three-scale 1024 4
  figure "training vanilla-small-flops" gflops "$bin/train_step" vanilla-small-flops
  figure "training vanilla-small-params" gflops "$bin/train_step" vanilla-small-params
  limit
fi
fp32=$(best fp32_gflops) bf16=$(best bf16_gflops)
mkdir -p "$(dirname "$out")"
{
  printf '{\n  "date": "%s",\n  "machine": "%s",\n' "$(date -u +%Y-%m-%d)" \
    "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)"
  printf '  "threads": %s,\n  "compiler": "%s",\n' "$threads" "$(c++ --version | head -n 1)"
  printf '  "fp32_gflops": %s,\n  "bf16_gflops": %s,\n' "$fp32" "${bf16:-null}"
  printf '  "memory_gbytes": %s,\n  "cache_gbytes": %s,\n' "$(best memory_gbytes)" "$(best cache_gbytes)"
  printf '  "figures": [\n%s\n  ]\n}\n' "$(sed '$!s/$/,/' "$lines")"
} > "$out"

echo
printf 'peak: %s GFLOP/s in fp32, %s in bf16\n' "$fp32" "${bf16:-none}"
while IFS= read -r line; do
  name=$(sed 's/.*"name": "\([^"]*\)".*/\1/' <<< "$line")
  case $name in
    *bf16*) peak=$bf16 ;;
    training\ on\ one*) continue ;;
    training*) peak=$fp32 ;;
    *) continue ;;
  esac
  printf '%-34s %s of the peak\n' "$name" "$(ratio "$(sed 's/.*", "gflops": \([0-9.]*\).*/\1/' <<< "$line")" "$peak")"
done < "$lines"
echo "all figures are in $out"
