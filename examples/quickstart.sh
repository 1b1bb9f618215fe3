#!/usr/bin/env bash
# Builds Megalith and shows two things that a model of bytes is good for, in two to three minutes after the build: it reads
# books and then knows one that it has not seen better than compressors that were given the same books; and it reads a log of
# this machine and then finds the strange lines in it.
#
#   bash examples/quickstart.sh                   the books of examples/books, and a log of this machine
#   bash examples/quickstart.sh --data PATH...    your own files or folders in place of the books
#   bash examples/quickstart.sh --log FILE        another log
#   bash examples/quickstart.sh --steps N         steps of training on the books [1400]; the log takes a fifth of that
#
# Budgets are in steps, so that the result does not depend on the machine's load.
set -euo pipefail
export LC_ALL=C  # awk and sort read and write numbers

usage() {
  echo "usage: bash examples/quickstart.sh [--data PATH...] [--log FILE] [--steps N]" >&2
  exit 2
}

data=() log='' steps=1400
while [ $# -gt 0 ]; do
  option=$1
  shift
  case $option in
    --data)
      while [ $# -gt 0 ] && [[ $1 != --* ]]; do
        [ -e "$1" ] || { echo "quickstart: there is no file or folder $1" >&2; exit 1; }
        data+=("$(realpath "$1")")
        shift
      done
      [ ${#data[@]} -gt 0 ] || usage ;;
    --log)
      [ $# -gt 0 ] || usage
      [ -f "$1" ] && [ -r "$1" ] || { echo "quickstart: $1 is no file that can be read" >&2; exit 1; }
      [ "$(head -n 500 "$1" | wc -l)" -eq 500 ] || { echo "quickstart: $1 has fewer than 500 lines; give a longer log" >&2; exit 1; }
      log=$(realpath "$1")
      shift ;;
    --steps)
      [[ ${1:-} =~ ^[1-9][0-9]{0,8}$ ]] || { echo "quickstart: \"${1:-}\" is not a number of steps" >&2; exit 2; }
      steps=$1
      shift ;;
    *) usage ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=build/quickstart
megalith=build/release/megalith

say() { printf '\n== %s\n' "$*"; }
next_run() {
  local n=1
  while [ -e "runs/$1-$n" ]; do n=$((n + 1)); done
  echo "runs/$1-$n"
}
last_metric() { sed -n "s/.*\"$2\": *\([0-9.e+-]*\).*/\1/p" "$1/metrics.jsonl" | tail -n 1; }
# Bytes that could steer the terminal are shown as '?'.
printable() { LC_ALL=C tr -c '\11\12\40-\176\200-\377' '?'; }

# --- the books

# The last 5 % of the bytes of all files are held out. At most 20 MB are used: so far zstd and xz look back.
split_own() {
  local bytes
  find -L "$@" -type f -print0 | sort -z | xargs -0 cat > "$work/all"
  bytes=$(wc -c < "$work/all")
  if [ "$bytes" -gt 20000000 ]; then
    echo "of $bytes bytes, the first 20,000,000 are used"
    bytes=20000000
    truncate -s "$bytes" "$work/all"
  fi
  [ "$bytes" -ge 20000 ] || { echo "quickstart: $* have $bytes bytes; give 20,000 or more" >&2; exit 1; }
  head -c $((bytes - bytes / 20)) "$work/all" > "$work/train"
  tail -c $((bytes / 20)) "$work/all" > "$work/held-out"
  rm "$work/all"
}

# bits BYTES: bits for each held-out byte.
bits() { awk -v n="$1" -v bytes="$(wc -c < "$work/held-out")" 'BEGIN { printf "%.2f", 8 * n / bytes }'; }
# alone COMMAND...: what a compressor makes of the held-out bytes, in bytes.
alone() { "$@" < "$work/held-out" | wc -c; }
# What it adds for them to those of the training text.
after_xz() { echo $(($(cat "$work/train" "$work/held-out" | xz -9e | wc -c) - $(xz -9e < "$work/train" | wc -c))); }
after_zstd() { zstd -qq -19 --long=27 --patch-from="$work/train" -c "$work/held-out" | wc -c; }

learn_books() {
  local run
  if [ ${#data[@]} -gt 0 ]; then
    say "1. your files: learn from 95 % of the bytes, then read the last 5 %"
    split_own "${data[@]}"
  else
    say "1. books: learn from six books of fiction, then read The Time Machine, which the model has not seen"
    cat examples/books/train/*.txt > "$work/train"
    cat examples/books/held-out/*.txt > "$work/held-out"
  fi
  run=$(next_run quickstart-books)
  "$megalith" train --data "$work/train" --valid "$work/held-out" --model megabyte-tiny --steps "$steps" --out "$run"

  echo
  echo "Bits for each of the $(wc -c < "$work/held-out") held-out bytes; every one of these could pack and unpack them:"
  echo
  printf '%-16s %9s   %s\n' '' alone "given the $(wc -c < "$work/train") bytes of training text"
  printf '%-16s %9s   %s\n' "gzip -9" "$(bits "$(alone gzip -9)")" "looks back 32 KB only" \
    "zstd -19" "$(bits "$(alone zstd -q -19 -c)")" "$(bits "$(after_zstd)")" \
    "xz -9e" "$(bits "$(alone xz -9e)")" "$(bits "$(after_xz)")" \
    "megabyte-tiny" "" "$(last_metric "$run" valid_bpb | awk '{ printf "%.2f", $1 }')"
  echo
  echo "How it goes on from \"It was \", by itself:"
  echo
  "$megalith" generate "$run" --prompt "It was " --bytes 300 --temperature 0.7 | printable
  echo
  books_run=$run
}

# --- the log

# The first log of the usual ones that can be read and has enough lines to learn from.
find_log() {
  local file
  for file in "$log" /var/log/dpkg.log /var/log/syslog /var/log/messages /var/log/pacman.log /var/log/dnf.log; do
    if [ -f "$file" ] && [ -r "$file" ] && [ "$(head -n 500 "$file" | wc -l)" -eq 500 ]; then
      echo "$file"
      return
    fi
  done
}

# Holds out the last lines, at most 400, and plants two strange ones among them; their numbers go to $work/planted.
plant() {
  local file=$1 lines held
  tail -n 20000 "$file" > "$work/log"
  lines=$(wc -l < "$work/log")
  held=$((lines / 10 < 400 ? lines / 10 : 400))
  head -n -"$held" "$work/log" > "$work/log.train"
  tail -n "$held" "$work/log" | awk -v n="$held" -v planted="$work/planted" '
    { print; ++out }
    NR >= int(n / 3) && NF >= 5 && !reversed {  # the words of this line, the last first
      reversed = 1
      line = $1 " " $2
      for (i = NF; i > 2; --i) line = line " " $i
      print line
      print ++out > planted
    }
    NR == int(2 * n / 3) {
      print $1 " " $2 " sudo: www-data : USER=root ; COMMAND=/bin/sh"
      print ++out > planted
    }' > "$work/log.new"
}

# Ranks of the planted lines by a column of numbers, one for each line: "1 and 2".
ranks() { paste - <(seq "$(wc -l < "$work/log.new")") | sort -k1,1rn -s | awk -v planted="$work/planted" '
  BEGIN { while ((getline n < planted) > 0) is[n] = 1 }
  $2 in is { printf "%s%d", any++ ? " and " : "", NR }'; }

# The size of each line by zstd with a dictionary made of the log's earlier lines.
zstd_of_lines() {
  mkdir "$work/lines"
  (cd "$work/lines" && split -l 1 -a 6 ../log.train t && zstd -q --train t* -o ../dictionary 2> /dev/null && rm t*)
  (cd "$work/lines" && split -l 1 -a 6 ../log.new n && zstd -q -19 -D ../dictionary n* && stat -c %s n*.zst)
}

learn_log() {
  local file run
  file=$(find_log)
  if [ -z "$file" ]; then
    say "2. a log: none here that can be read and has 500 lines; name one with --log FILE"
    return
  fi
  plant "$file"
  say "2. a log: learn $(wc -l < "$work/log.train") lines of $file, then score the last $(wc -l < "$work/log.new"), two of them planted"
  run=$(next_run quickstart-log)
  "$megalith" train --data "$work/log.train" --model vanilla-tiny --steps $((steps / 5 + 1)) --out "$run"
  "$megalith" eval "$run" --data "$work/log.new" --lines > "$work/scored"
  echo
  echo "The five strangest lines, by their bits (planted: lines $(paste -sd ' ' "$work/planted" | sed 's/ / and /')):"
  echo
  sort -rn "$work/scored" | sed -n '1,5 { s|[^\t]*/||; p }' | printable
  echo
  echo "Ranks of the planted lines: $(cut -f 1 "$work/scored" | ranks). By zstd -19 with a dictionary of the same log:" \
    "$(zstd_of_lines | ranks)."
  log_run=$run
}

say "packages and build"
bash tests/install_packages.sh
for program in gzip xz zstd; do
  command -v "$program" > /dev/null || { echo "quickstart: there is no $program; install it" >&2; exit 1; }
done
cmake --preset release > /dev/null
cmake --build --preset release --target megalith_tool
rm -rf "$work"
mkdir -p "$work"

learn_books
learn_log

say "what next (from $PWD)"
echo "the learning curve, a sample and speeds:   $books_run/report.html"
echo "more of its writing:                       $megalith generate $books_run --bytes 2000"
echo "a page that colours what surprises it:     $megalith eval $books_run --data $work/held-out --html map.html"
[ -z "${log_run:-}" ] || echo "strange lines as they come:                tail -f LOG | $megalith eval $log_run --lines"
