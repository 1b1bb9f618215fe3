#!/usr/bin/env bash
# Makes the pictures of README.md from a run of the quick start: its learning curve, and what surprises its model in a file.
#
#   bash examples/pictures.sh RUN_DIR FILE [FOLDER]          [examples/pictures]
#
# For the second picture a browser takes a photograph of the page; needs Debian's chromium.
set -euo pipefail
[ $# -ge 2 ] && [ $# -le 3 ] || { echo "usage: bash examples/pictures.sh RUN_DIR FILE [FOLDER]" >&2; exit 2; }
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
run=$(realpath --relative-to "$root" "$1") file=$(realpath --relative-to "$root" "$2")
out=${3:+$(realpath -m "$3")}
cd "$root"
out=${out:-examples/pictures}
[ -f "$run/curve.svg" ] || { echo "pictures.sh: $run has no curve.svg; give the folder of a run that has ended" >&2; exit 1; }
command -v chromium > /dev/null || { echo "pictures.sh: there is no chromium; install the package chromium" >&2; exit 1; }
mkdir -p "$out"
cp "$run/curve.svg" "$out/learning_curve.svg"
page=$(mktemp -d)
trap 'rm -rf "$page"' EXIT
build/release/megalith eval "$run" --data "$file" --html "$page/map.html" --html-bytes 1800 > /dev/null
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=2 --window-size=860,760 \
  --user-data-dir="$page/profile" --screenshot="$out/surprise_map.png" "file://$page/map.html" > /dev/null 2>&1
echo "$out/learning_curve.svg"
echo "$out/surprise_map.png"
