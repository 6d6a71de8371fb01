#!/usr/bin/env bash
# Sets up Ingot on a fresh Debian bookworm, compiles SmolLM2-135M-Instruct for this CPU and answers a prompt.
# Usage: tools/try.sh [PROMPT]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup/install_packages.sh
model=$(tools/setup/fetch_model.sh)
if [ ! -f build/build.ninja ]; then
    cmake -G Ninja -S . -B build -DCMAKE_BUILD_TYPE=Release -DINGOT_TESTS=OFF >/dev/null
fi
echo "building" >&2
ninja -C build --quiet ingot ingot-worker
exec build/tools/ingot chat "$model" --prompt "${1:-What is the capital of France?}" --temp 0
