#!/usr/bin/env bash
# Installs what Ingot is built with, on Debian bookworm: nothing if all of it is there.
# Usage: install_packages.sh [--tests]   (with --tests also what only the tests need)
set -euo pipefail

packages=(
    g++ cmake ninja-build ccache pkg-config git
    clang-22 llvm-22-dev libclang-22-dev liblld-22-dev
    libfmt-dev libspdlog-dev libcli11-dev nlohmann-json3-dev
    libboost1.81-dev libboost-graph1.81-dev
    libflatbuffers-dev flatbuffers-compiler
    libpcre2-dev libutf8proc-dev libxxhash-dev libssl-dev libhwloc-dev
    python3 python3-pip unzip
)
if [ "${1:-}" = "--tests" ]; then
    packages+=(libgtest-dev libgmock-dev libbenchmark-dev clang-format-22 clang-tidy-22 libclang-rt-22-dev python3-numpy
               libamdhip64-dev)
fi

missing=()
for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "installing ${missing[*]}" >&2
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
