#!/usr/bin/env bash
# Measures this machine and the library on it, and writes all figures, each beside what the machine can do, as JSON.
#
#   bash bench/run.sh [--quick] [--out FILE]          [build/bench/results.json]
#
# About 6 minutes on two cores once all is built (build/bench, build/bench-avx without AMX, build/bench-eigen without our kernels),
# with --quick under 3. Let nothing else run meanwhile. The limits are measured again and again, on as many threads as the
# figures use, and the best of all of them counts: on a shared machine no single window is trusted. Sequences of up to a million
# bytes are bench/length.sh's, other models at several lengths bench/compare_models.sh's.
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
build_bench
all=$(nproc) rounds=3 steps=5
"$quick" && rounds=1 steps=3
eigen=build/bench-eigen avx=build/bench-avx
if ! "$quick"; then
  cmake --preset bench -B "$eigen" -DMEGALITH_X86_KERNELS=OFF > /dev/null
  cmake --build "$eigen" --target bench_train_step > /dev/null
  cmake --preset bench -B "$avx" -DMEGALITH_AMX=OFF > /dev/null
  cmake --build "$avx" --target bench_train_step > /dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/figures" "$work/parts"
# limit THREADS
limit() { "$bin/limits" "$1" >> "$work/limits"; }
# best FIELD THREADS: the best of all windows on that many threads.
best() { grep "\"threads\": $2," "$work/limits" | field "$1" | sort -g | tail -n 1; }
# figure NAME FIELD LIMIT COMMAND...: the median of FIELD over some runs. LIMIT is a FIELD:THREADS of limits, or the field of the
# same line that holds the share already. The last run's line is kept too.
figure() {
  local name=$1 what=$2 limit=$3 values=() line
  shift 3
  for ((i = 0; i < rounds; ++i)); do
    line=$("$@")
    values+=("$(field "$what" <<< "$line")")
  done
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$what" "$(printf '%s\n' "${values[@]}" | median)" "$limit" "$*" "$line" >> "$work/figures"
  echo "measured: $name" >&2
}
# training NAME MODEL LENGTH BATCH THREADS OPTIONS...
training() {
  local name=$1 model=$2 length=$3 batch=$4 threads=$5 peak=fp32_gflops
  shift 5
  [[ " $* " != *" bf16 "* ]] || peak=bf16_gflops
  figure "$name" gflops "$peak:$threads" "$bin/train_step" "$model" "$length" "$batch" "$threads" "$steps" "$@"
}
parts() {
  "$bin/step_parts" megabyte-small 1024 8 "$all" --precision "$1" | sed "s/^{/{\"precision\": \"$1\", /" >> "$work/parts"
  echo "measured: the parts of a step in $1" >&2
}
precisions=(fp32)
if "$bin/train_step" megabyte-tiny 64 1 1 1 --precision bf16 > /dev/null 2>&1; then precisions+=(bf16); fi

limit "$all"
for precision in "${precisions[@]}"; do
  training "megabyte-small, $precision" megabyte-small 1024 8 "$all" --precision "$precision"
done
limit "$all"
figure "one stream of megabyte-small" bytes_per_second share_of_limit "$bin/generate" megabyte-small 1
figure "sixteen streams of megabyte-small" bytes_per_second share_of_limit "$bin/generate" megabyte-small 16
figure "one stream of vanilla-small-params" bytes_per_second share_of_limit "$bin/generate" vanilla-small-params 1
limit "$all"
for precision in "${precisions[@]}"; do parts "$precision"; done

# Threads, in turn with the peak on as many.
table_rounds=$rounds counts=(1)
for ((n = 2; n < all && n <= 16; n *= 2)); do counts+=("$n"); done
[ "$all" -le 1 ] || [ "$all" -gt 16 ] || counts+=("$all")
if ! "$quick"; then
  rounds=1
  for ((round = 0; round < table_rounds; ++round)); do
    for n in "${counts[@]}"; do
      limit "$n"
      for precision in "${precisions[@]}"; do
        training "megabyte-small, $precision, threads: $n" megabyte-small 1024 8 "$n" --precision "$precision"
      done
    done
  done
  for n in "${counts[@]}"; do limit "$n"; done
  rounds=$table_rounds

  training "megabyte-books" megabyte-books 512 4 "$all"
  training "megabyte-three-scale" megabyte-three-scale 1024 4 "$all"
  training "vanilla-small-flops" vanilla-small-flops 1024 8 "$all"
  limit "$all"
  rounds=1
  training "vanilla-small-params" vanilla-small-params 1024 8 "$all"
  training "vanilla-small-window" vanilla-small-window 1024 8 "$all"
  figure "megabyte-small, products by Eigen" gflops "fp32_gflops:$all" "$eigen/train_step" megabyte-small 1024 8 "$all" "$steps"
  figure "megabyte-small, products without AMX" gflops "fp32_gflops:$all" "$avx/train_step" megabyte-small 1024 8 "$all" "$steps"
  training "megabyte-small, recomputed" megabyte-small 1024 8 "$all" --recompute
  training "megabyte-small, 16,384 bytes" megabyte-small 16384 1 "$all"
  training "megabyte-small, 16,384 bytes, recomputed" megabyte-small 16384 1 "$all" --recompute
  limit "$all"
fi

# The figures of one name and their median: those of threads came one by one.
share_of() {
  case $1 in
    *:*) ratio "$2" "$(best "${1%:*}" "${1#*:}")" ;;
    *) field "$1" <<< "$3" ;;
  esac
}
or_null() { [ -n "$1" ] && echo "$1" || echo null; }
echo
printf '%-44s %12s %-18s %s\n' figure value '' 'of the limit'
cut -f 1 "$work/figures" | awk '!seen[$0]++' | while IFS= read -r name; do
  value=$(awk -F '\t' -v n="$name" '$1 == n { print $3 }' "$work/figures" | median)
  IFS=$'\t' read -r _ what _ limit command line < <(awk -F '\t' -v n="$name" '$1 == n' "$work/figures" | tail -n 1)
  share=$(share_of "$limit" "$value" "$line")
  printf '%-44s %12s %-18s %s\n' "$name" "$value" "$what" "$share"
  printf '    {"name": "%s", "command": "%s", "%s": %s, "share": %s, "last": %s}\n' "$name" "$command" "$what" "$value" \
    "$share" "$line" >> "$work/json"
done
list() { sed 's/^ */    /; $!s/$/,/' "$1"; }
mkdir -p "$(dirname "$out")"
{
  printf '{\n  "date": "%s",\n  "machine": "%s",\n' "$(date -u +%Y-%m-%d)" \
    "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)"
  printf '  "threads": %s,\n  "compiler": "%s",\n' "$all" "$(c++ --version | head -n 1)"
  for field in fp32_gflops fp32_product_gflops bf16_gflops memory_gbytes cache_gbytes; do
    printf '  "%s": %s,\n' "$field" "$(or_null "$(best "$field" "$all")")"
  done
  printf '  "limits": [\n%s\n  ],\n' "$(list "$work/limits")"
  printf '  "figures": [\n%s\n  ],\n' "$(list "$work/json")"
  printf '  "parts": [\n%s\n  ]\n}\n' "$(list "$work/parts")"
} > "$out"

echo
printf 'peak on %s threads: %s GFLOP/s of fp32 multiply-adds, %s of fp32 products, %s of bf16; ' "$all" \
  "$(best fp32_gflops "$all")" "$(best fp32_product_gflops "$all")" "$(or_null "$(best bf16_gflops "$all")")"
printf '%s GB/s read from memory, %s from L3\n' "$(best memory_gbytes "$all")" "$(best cache_gbytes "$all")"
# Products can hardly come closer to the peak than this: then it was not the peak.
for precision in "${precisions[@]}"; do
  grep "\"precision\": \"$precision\".*\"part\": \"products\"" "$work/parts" | while IFS= read -r line; do
    speed=$(ratio "$(field gflop <<< "$line")" "$(field ms <<< "$line")" 6)
    peak=${precision}_gflops
    [ "$precision" != fp32 ] || peak=fp32_product_gflops
    share=$(awk -v s="$speed" -v p="$(best "$peak" "$all")" 'BEGIN { printf "%.3f", s * 1000 / p }')
    printf 'products of scale %s in %s: %s of their peak\n' "$(field scale <<< "$line")" "$precision" "$share"
    if above "$share" 0.97; then
      echo "run.sh: above 0.97 of the peak, so what was measured as the peak is not it; run again on a quiet machine" >&2
    fi
  done
done
echo "all figures are in $out; the parts as a table: $bin/step_parts megabyte-small --table"
