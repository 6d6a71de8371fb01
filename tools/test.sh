#!/usr/bin/env bash
# Sets up a fresh Debian bookworm and runs all tests: format, the tests as users' machines build them (warnings are
# errors), clang-tidy, the tests under address and undefined-behaviour sanitizers, and a minute of fuzzing.
# Usage: tools/test.sh
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "set up"
tools/setup/install_packages.sh --tests
model=$(tools/setup/fetch_model.sh)

step "format"
git ls-files '*.cpp' '*.h' '*.c' '*.hpp' | xargs clang-format-22 --dry-run --Werror

step "tests"
cmake -G Ninja -S . -B build-test -DCMAKE_BUILD_TYPE=Release -DINGOT_MODEL="$model" >/dev/null
ninja -C build-test --quiet
ctest --test-dir build-test --output-on-failure -j "$(nproc)"

step "clang-tidy"
mkdir -p build-test/tidy # a compile database in which every file stands once, whatever it is linked into
python3 -c 'import json, sys; json.dump(list({c["file"]: c for c in json.load(sys.stdin)}.values()), sys.stdout)' \
    <build-test/compile_commands.json >build-test/tidy/compile_commands.json
rooms="^$PWD/(ir|frontend|passes|codegen|runtime|tools|tests)/"
run-clang-tidy-22 -p build-test/tidy -j "$(nproc)" -quiet -hide-progress "$rooms" 2>/dev/null

step "tests under sanitizers"
cmake -G Ninja -S . -B build-asan -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++-22 \
    -DCMAKE_C_COMPILER=clang-22 -DINGOT_WORKER=OFF -DINGOT_FUZZERS=ON \
    -DINGOT_WORKER_PROGRAM="$PWD/build-test/tools/ingot-worker" \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -gline-tables-only" \
    -DINGOT_SANITIZE=fuzzer-no-link,address,undefined -DINGOT_MODEL="$model" >/dev/null
ninja -C build-asan --quiet
ctest --test-dir build-asan --output-on-failure -j "$(nproc)"

step "fuzzing"
declare -A seeds=([fuzz_ir_text]=tests/passes/golden [fuzz_chat_template]=tests/runtime/chat_templates)
targets=(build-asan/tests/fuzz/fuzz_*)
for target in "${targets[@]}"; do
    [ -x "$target" ] || continue
    log=$(mktemp) found=$(mktemp -d) from=${seeds[$(basename "$target")]:-}
    if ! "$target" -max_total_time=$((60 / ${#targets[@]})) -timeout=10 -rss_limit_mb=2048 \
        "$found" ${from:+"$from"} >"$log" 2>&1; then
        tail -50 "$log"
        exit 1
    fi
    echo "$(basename "$target"): $(grep -o 'Done [0-9]* runs' "$log")"
    rm -r "$log" "$found"
done
echo "all tests passed"
