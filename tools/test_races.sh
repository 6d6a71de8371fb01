#!/usr/bin/env bash
# Looks for data races with ThreadSanitizer: caches, devices, sessions and the API, alone and several at once, with
# kernels that are instrumented too. About five minutes on two cores, most of it compiling, so it is no part of
# tools/test.sh.
# Usage: tools/test_races.sh
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup/install_packages.sh --tests
cmake -G Ninja -S . -B build-tsan -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++-22 \
    -DCMAKE_C_COMPILER=clang-22 -DINGOT_WORKER=OFF -DINGOT_SANITIZE=thread >/dev/null
ninja -C build-tsan --quiet sanitizing_worker test_runtime test_model
build-tsan/tests/test_runtime --gtest_brief=1
build-tsan/tests/test_model --gtest_brief=1 --gtest_filter=-*Golden*:RealSession.*
