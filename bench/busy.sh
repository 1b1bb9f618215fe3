#!/usr/bin/env bash
# Speed while other programs keep the cores busy, beside the speed on a quiet machine.
#
#   bash bench/busy.sh [--tool FILE] [--rounds N] [--pinned] [--out FILE] [WORK...]
#
# WORK is some of tiny, small (training), stream, streams (generation, 1 and 16 at once), eval [all]. It runs on two processors,
# the first two that this script may use, with two threads and with one, and starts the neighbours there itself: shells that
# count. With --pinned each neighbour keeps to one of the two; otherwise the system moves it as it likes. In each of N rounds [5]
# quiet processors and busy ones take turns, and a share is the median of the N shares of the speed measured just before: what
# disturbs the machine for longer than that disturbs both. The figures go to FILE too, one line of JSON each
# [build/bench/busy.json]. About 15 minutes; let nothing else run meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/lib.sh

tool=build/bench/megalith rounds=5 pinned=false out=build/bench/busy.json works=()
while [ $# -gt 0 ]; do
  case $1 in
    --tool | --rounds | --out)
      [ $# -ge 2 ] || { echo "busy.sh: $1 needs a value" >&2; exit 2; }
      case $1 in --tool) tool=$2 ;; --rounds) rounds=$2 ;; --out) out=$2 ;; esac
      shift 2 ;;
    --pinned) pinned=true; shift ;;
    tiny | small | stream | streams | eval) works+=("$1"); shift ;;
    *)
      echo "busy.sh: there is no $1; choose tiny, small, stream, streams, eval, --tool, --rounds, --pinned or --out" >&2
      exit 2 ;;
  esac
done
whole_number "$rounds" || { echo "busy.sh: \"$rounds\" is not a number of rounds" >&2; exit 2; }
[ ${#works[@]} -gt 0 ] || works=(tiny small stream streams eval)
[ "$tool" != build/bench/megalith ] || build_bench
[ -x "$tool" ] || { echo "busy.sh: there is no $tool" >&2; exit 2; }
tool=$(realpath "$tool")
mkdir -p "$(dirname "$out")"
out=$(realpath "$out")
processors=()
IFS=, read -ra ranges <<< "$(sed -n 's/^Cpus_allowed_list:\s*//p' /proc/self/status)"
for range in "${ranges[@]}"; do mapfile -t -O ${#processors[@]} processors < <(seq "${range%-*}" "${range#*-}"); done
[ ${#processors[@]} -ge 2 ] || { echo "busy.sh: this needs two processors" >&2; exit 2; }
both=${processors[0]},${processors[1]}

neighbours=()
# end_neighbours: ends those that run.
end_neighbours() {
  [ ${#neighbours[@]} -eq 0 ] || kill "${neighbours[@]}" 2> /dev/null || true
  [ ${#neighbours[@]} -eq 0 ] || wait "${neighbours[@]}" 2> /dev/null || true
  neighbours=()
}
# start_neighbours N NICENESS
start_neighbours() {
  local where
  for ((k = 0; k < $1; ++k)); do
    where=$both
    ! "$pinned" || where=${processors[$(((k + 1) % 2))]}
    taskset -c "$where" nice -n "$2" bash -c 'while :; do :; done' &
    neighbours+=($!)
  done
  [ "$1" -eq 0 ] || sleep 0.2
}
work=$(mktemp -d)
trap 'end_neighbours; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cat include/megalith/*/*.h > "$work/text"
head -c 50000 "$work/text" > "$work/piece"
"$tool" train --data "$work/text" --out "$work/model" --steps 1 --save-every 0 > /dev/null 2>&1

now() { date +%s.%N; }
# training STEPS THREADS OPTIONS...
training() {
  local steps=$1 threads=$2
  shift 2
  rm -rf "$work/run"
  taskset -c "$both" "$tool" train --data "$work/text" --out "$work/run" --save-every 0 --steps "$steps" --threads "$threads" \
    "$@" > /dev/null 2>&1
  tail -n 1 "$work/run/metrics.jsonl" | awk -F '[:,]' '{ print $4 / $6 }'  # bytes over seconds
}
# timed BYTES COMMAND...
timed() {
  local bytes=$1 start
  shift
  start=$(now)
  taskset -c "$both" "$@" > /dev/null 2>&1
  awk -v b="$bytes" -v s="$start" -v e="$(now)" 'BEGIN { print b / (e - s) }'
}
# speed WORK THREADS: bytes/s.
speed() {
  case $1 in
    tiny) training 20 "$2" --model megabyte-tiny ;;
    small) training 2 "$2" --model megabyte-small ;;
    stream) timed 3000 "$tool" generate "$work/model" --bytes 3000 --threads "$2" ;;
    streams) timed 16000 "$tool" generate "$work/model" --bytes 1000 --samples 16 --out "$work/sample" --force --threads "$2" ;;
    eval) timed 50000 "$tool" eval "$work/model" --data "$work/piece" --threads "$2" ;;
  esac
}

# measure CONDITION THREADS: the speed of each work, into files.
measure() {
  local w
  for w in "${works[@]}"; do speed "$w" "$2" >> "$work/$w $1, $2 threads"; done
}
# What each condition is held against is measured just before it.
crowds=("1 0" "2 0" "1 19" "2 19")  # neighbours, their niceness
for ((round = 0; round < rounds; ++round)); do
  measure "before 1 thread" 2
  measure quiet 1
  for crowd in "${crowds[@]}"; do
    measure "before $crowd" 2
    start_neighbours $crowd
    measure "$crowd" 2
    case $crowd in *" 0") measure "$crowd" 1 ;; esac
    end_neighbours
  done
done

# share WORK A B: the median of A over B, round by round.
share() { paste "$work/$1 $2" "$work/$1 $3" | awk '{ print $1 / $2 }' | median | awk '{ printf "%.2f", $1 }'; }
# record WORK NEIGHBOURS NICENESS THREADS FILE...
record() {
  printf '{"work": "%s", "neighbours": %s, "niceness": %s, "pinned": %s, "threads": %s, "bytes_per_second": %s, "rounds": %s}\n' \
    "$1" "$2" "$3" "$pinned" "$4" "$(cat "${@:5}" | median)" "$rounds" >> "$out"
}
: > "$out"
echo "| | quiet, bytes/s | 1 neighbour | 2 neighbours | 1 niced | 2 niced | 1 thread, quiet | 1 neighbour, over 1 thread |" \
  "2, over 1 thread |"
echo "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
for w in "${works[@]}"; do
  record "$w" 0 0 2 "$work/$w before"*
  record "$w" 0 0 1 "$work/$w quiet, 1 threads"
  printf '| %s | %.0f |' "$w" "$(cat "$work/$w before"* | median)"
  for crowd in "${crowds[@]}"; do
    record "$w" $crowd 2 "$work/$w $crowd, 2 threads"
    printf ' %s |' "$(share "$w" "$crowd, 2 threads" "before $crowd, 2 threads")"
  done
  printf ' %s |' "$(share "$w" "quiet, 1 threads" "before 1 thread, 2 threads")"
  for crowd in "1 0" "2 0"; do
    record "$w" $crowd 1 "$work/$w $crowd, 1 threads"
    printf ' %s |' "$(share "$w" "$crowd, 2 threads" "$crowd, 1 threads")"
  done
  echo
done
