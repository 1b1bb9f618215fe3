#!/usr/bin/env bash
# Builds Megalith, trains a small MEGABYTE for about two minutes, and shows what it learned.
#
#   bash examples/quickstart.sh                   on the C++ headers of the installed Eigen
#   bash examples/quickstart.sh --data PATH...    on your own files or folders
set -euo pipefail

usage() {
  echo "usage: bash examples/quickstart.sh [--data PATH...]" >&2
  exit 2
}

data=()
if [ $# -gt 0 ]; then
  if [ "$1" != --data ] || [ $# -lt 2 ]; then usage; fi
  shift
  for path in "$@"; do
    [ -e "$path" ] || { echo "quickstart: there is no file or folder $path" >&2; exit 1; }
    data+=("$(realpath "$path")")
  done
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=build/quickstart
megalith=build/release/megalith

say() { printf '\n== %s\n' "$*"; }

# The files under a path, in bytewise path order, as the library reads folders.
files_of() { find -L "$1" -type f -print0 | LC_ALL=C sort -z; }

eigen_headers() {
  local folder
  for folder in $(pkg-config --cflags-only-I eigen3 2> /dev/null | sed 's/-I//g') \
                /usr/include/eigen3 /usr/local/include/eigen3 /opt/homebrew/include/eigen3; do
    [ -f "$folder/Eigen/Core" ] && { echo "$folder"; return; }
  done
  echo "quickstart: the headers of Eigen are not in the usual folders; give text of your own with --data PATH" >&2
  exit 1
}

# Every 20th file is held out: the model never sees it, and a second call holds out the same.
split_eigen() {
  local headers=$1 file number=0 to
  while IFS= read -r -d '' file; do
    number=$((number + 1))
    to=$work/train
    [ $((number % 20)) -ne 0 ] || to=$work/held-out
    mkdir -p "$to/$(dirname "$file")"
    cp "$headers/$file" "$to/$file"
  done < <(cd "$headers" && files_of .)
}

# The last 5 % of the bytes of all files are held out.
split_own() {
  local path bytes
  mkdir -p "$work/train" "$work/held-out"
  for path in "$@"; do files_of "$path"; done | xargs -0 cat > "$work/all"
  bytes=$(wc -c < "$work/all")
  head -c $((bytes - bytes / 20)) "$work/all" > "$work/train/bytes"
  tail -c $((bytes / 20)) "$work/all" > "$work/held-out/bytes"
  rm "$work/all"
}

next_run() {
  local n=1
  while [ -e "runs/quickstart-$n" ]; do n=$((n + 1)); done
  echo "runs/quickstart-$n"
}

last_metric() { sed -n "s/.*\"$1\": *\([0-9.e+-]*\).*/\1/p" "$run/metrics.jsonl" | tail -n 1; }

# Bits that a compressor, reading $work/held-out.bin, spends on each of its bytes.
compressor_bits() { "$@" -c "$work/held-out.bin" | wc -c | awk -v bytes="$held_out_bytes" '{ printf "%.3f", 8 * $1 / bytes }'; }

say "packages and build"
bash tests/install_packages.sh
cmake --preset release > /dev/null
cmake --build --preset release --target megalith_tool

say "data"
rm -rf "$work"
mkdir -p "$work"
if [ ${#data[@]} -eq 0 ]; then
  headers=$(eigen_headers)
  split_eigen "$headers"
  echo "the headers under $headers: $(files_of "$work/train" | tr -cd '\0' | wc -c) files to learn from," \
       "$(files_of "$work/held-out" | tr -cd '\0' | wc -c) held out"
else
  split_own "${data[@]}"
  echo "${data[*]}; the last 5 % of the bytes are held out"
fi

say "training, two minutes (Ctrl-C saves; a run can be resumed)"
run=$(next_run)
"$megalith" train --data "$work/train" --valid "$work/held-out" --model megabyte-tiny --minutes 2 --out "$run"

say "bits per byte on the held-out bytes"
files_of "$work/held-out" | xargs -0 cat > "$work/held-out.bin"
held_out_bytes=$(wc -c < "$work/held-out.bin")
printf '%-14s %.3f\n' "megabyte-tiny" "$(last_metric valid_bpb)"
printf '%-14s %s\n' "gzip -9" "$(compressor_bits gzip -9)" "xz -9" "$(compressor_bits xz -9)"
echo "(over $held_out_bytes bytes; the compressors read them alone, the model has read the training files before)"

say "a sample"
# Bytes that could steer the terminal are shown as '?'.
"$megalith" generate "$run" --bytes 400 --temperature 0.8 | LC_ALL=C tr -c '\11\12\40-\176\200-\377' '?'

say "the run is in $run"
echo "its learning curve:  $run/report.html"
echo "more of it:          $megalith generate $run --bytes 2000"
echo "what surprises it:   $megalith eval $run --data $work/held-out.bin --html map.html"
