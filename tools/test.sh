#!/usr/bin/env bash
# Sets up a fresh Debian bookworm and runs all tests.
# Usage: tools/test.sh
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup/install_packages.sh --tests
model=$(tools/setup/fetch_model.sh)
cmake -G Ninja -S . -B build-test -DCMAKE_BUILD_TYPE=Release -DINGOT_MODEL="$model" >/dev/null
ninja -C build-test --quiet
ctest --test-dir build-test --output-on-failure -j "$(nproc)"
