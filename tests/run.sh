#!/usr/bin/env bash
# Installs what is missing, builds with GCC in release, runs every test, and ends with the summary.
#   bash tests/run.sh [options of ctest]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash tests/install_packages.sh
CXX=g++ cmake --preset release
cmake --build --preset release
ctest --preset release --parallel "$(nproc)" "$@"
