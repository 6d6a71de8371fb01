#!/usr/bin/env bash
# Sets up a fresh Debian bookworm, builds Ingot and lets SmolLM2-135M answer a question on the CPU.
# Usage: tools/quickstart.sh [QUESTION]
set -euo pipefail
cd "$(dirname "$0")/.."

question=${1:-What is gravity?}
tools/setup/install_packages.sh
model=$(tools/setup/fetch_model.sh)
echo "building (a few minutes the first time)" >&2
cmake -G Ninja -S . -B build -DCMAKE_BUILD_TYPE=Release -DINGOT_TESTS=OFF >/dev/null
ninja -C build --quiet tools/ingot
exec build/tools/ingot chat "$model" -p "$question" --temp 0 -n 120
