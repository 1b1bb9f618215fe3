#!/usr/bin/env bash
# Installs what this machine lacks: the one list of packages of Debian and Ubuntu. Asks nothing of the network where nothing is
# missing.
#   bash tests/install_packages.sh         what building, testing and the quick start need
#   bash tests/install_packages.sh fuzz    and what tests/fuzz.sh needs besides: Clang with its run-time libraries
set -euo pipefail

packages=(g++ cmake ninja-build libeigen3-dev libgtest-dev libcli11-dev nlohmann-json3-dev pkg-config gzip xz-utils zstd groff-base
  libpng-dev libjpeg-dev)
[ "${1:-}" != fuzz ] || packages+=(clang llvm libclang-rt-dev libomp-dev)

if ! command -v dpkg-query > /dev/null; then
  echo "no Debian packages here; the build looks for a C++20 compiler, CMake, Ninja, Eigen, GoogleTest, CLI11 and" \
       "nlohmann-json by itself" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "installing ${missing[*]}"
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
