#!/usr/bin/env bash
# What a byte costs in training as sequences grow from 1,024 bytes to 1,048,576, and how fast that grows.
#
#   bash bench/length.sh [--quick] [--threads N] [--precision fp32|bf16] [--out FOLDER]     [build/bench/length]
#
# About 12 minutes on two cores whose peak is 480 GFLOP/s, with --quick (up to 16,384 bytes) 3. Four models of global width
# 512 (6 layers, 8 heads) and, but for the plain one, local width 256 (2 layers, 4 heads): patches of 8 bytes up to length
# 131,072; patches near T^(1/3); three scales with patches near T^(3/7) and T^(1/7), which cost the least attention; and the
# vanilla transformer as long as a step takes a minute. The outermost positions are rotary: a learned table would grow with T.
# Steps are of 8,192 bytes or one sequence. Leaves lengths.jsonl and lengths.svg in the folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/lib.sh

longest=1048576 threads=$(nproc) precision=fp32 out=build/bench/length most_seconds=60
while [ $# -gt 0 ]; do
  case $1 in
    --quick) longest=16384; shift; continue ;;
    --threads | --precision | --out) [ $# -ge 2 ] || { echo "length.sh: $1 needs a value" >&2; exit 2; } ;;
    *) echo "length.sh: there is no option $1; choose --quick, --threads, --precision or --out" >&2; exit 2 ;;
  esac
  case $1 in --threads) threads=$2 ;; --precision) precision=$2 ;; --out) out=$2 ;; esac
  shift 2
done
whole_number "$threads" || { echo "length.sh: \"$threads\" is not a number of threads" >&2; exit 2; }
build_bench
mkdir -p "$out"
lines=$out/lengths.jsonl
: > "$lines"

scale() { printf '{"unit": %s, "stack": {"width": %s, "layers": %s, "heads": %s, "positions": "%s"}}' "$@"; }
# near T NUMERATOR DENOMINATOR: the power of two next to T^(NUMERATOR/DENOMINATOR).
near() { awk -v t="$1" -v n="$2" -v d="$3" 'BEGIN { print 2 ^ int(log(t) / log(2) * n / d + 0.5) }'; }
# scales MODEL T: the scales of a model for sequences of T bytes.
scales() {
  local local_scale
  local_scale=$(scale 1 256 2 4 learned)
  case $1 in
    "patches of 8") echo "$(scale 8 512 6 8 rotary), $local_scale" ;;
    "patches near T^(1/3)") echo "$(scale "$(near "$2" 1 3)" 512 6 8 rotary), $local_scale" ;;
    "three scales") echo "$(scale "$(near "$2" 3 7)" 512 6 8 rotary), $(scale "$(near "$2" 1 7)" 256 2 4 learned), $local_scale" ;;
    "plain") scale 1 512 6 8 rotary ;;
  esac
}

printf '%-22s %8s %-12s %12s %10s %9s %14s %9s\n' model length units seconds bytes/s GFLOP/s MFLOP/byte MB
for model in "patches of 8" "patches near T^(1/3)" "three scales" "plain"; do
  gflops=
  for length in 1024 4096 16384 65536 131072 262144 1048576; do
    [ "$length" -le "$longest" ] || break
    # 131,072 is where patches of 8 end; the others go by fours.
    case $model:$length in "patches of 8":262144) break ;; "patches of 8":131072) ;; *:131072) continue ;; esac
    file=$out/model.json batch=$((length < 8192 ? 8192 / length : 1)) steps=$((length < 262144 ? 3 : 1))
    printf '{"length": %s, "scales": [%s]}\n' "$length" "$(scales "$model" "$length")" > "$file"
    if [ -n "$gflops" ]; then
      seconds=$(step_seconds "$gflops" "$file" "$length" "$batch")
      if [ "$model" = plain ] && above "$seconds" "$most_seconds"; then
        printf '%-22s %8s left out: a step would take about %.0f seconds\n' "$model" "$length" "$seconds"
        break
      fi
    fi
    line=$("$bin/train_step" "$file" "$length" "$batch" "$threads" "$steps" --precision "$precision")
    gflops=$(field gflops <<< "$line")
    units=$(grep -o '"unit": [0-9]*' "$file" | grep -o '[0-9]*$' | paste -sd ' ')
    printf '%-22s %8s %-12s %12s %10s %9s %14s %9s\n' "$model" "$length" "$units" "$(field seconds_per_step <<< "$line")" \
      "$(field bytes_per_second <<< "$line")" "$gflops" \
      "$(ratio "$(field flops_per_byte <<< "$line")" 1e6 2)" "$(field rss_anon_mb <<< "$line")"
    printf '{"series": "%s", "units": "%s", %s\n' "$model" "$units" "${line#\{}" >> "$lines"
  done
done
rm -f "$out/model.json"

# The exponents: slopes of log(cost of a sequence) over log(length), by least squares over all lengths, and between the last
# two. For patches of T^(1/3) the paper counts O(T^(4/3)).
echo
awk -F'"series": "' '{ split($2, a, "\""); print a[1] }' "$lines" | uniq | while IFS= read -r model; do
  exponents() { grep -F "\"series\": \"$model\"" "$lines" | tail -n "$1" | while IFS= read -r line; do
    echo "$(field length <<< "$line") $(field bytes_per_second <<< "$line") $(field flops_per_byte <<< "$line")"
  done | awk '{ x = log($1); t = x - log($2); f = x + log($3); ++n; sx += x; sxx += x * x; st += t; sf += f; sxt += x * t; sxf += x * f }
       END { d = n * sxx - sx * sx; if (n < 2) print "- -"; else printf "%.2f %.2f\n", (n * sxt - sx * st) / d, (n * sxf - sx * sf) / d }'; }
  read -r time counted <<< "$(exponents 99)"
  read -r last_time last_counted <<< "$(exponents 2)"
  printf '%-22s seconds grow as T^%s, counted FLOPs as T^%s; between the last two lengths T^%s and T^%s\n' \
    "$model" "$time" "$counted" "$last_time" "$last_counted"
done
"$bin/plot_lengths" "$lines" > "$out/lengths.svg"
echo "all figures are in $lines, their plot in $out/lengths.svg"
