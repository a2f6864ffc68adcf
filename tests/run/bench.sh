#!/usr/bin/env bash
# Measures Patchbay beside its references in the same run and prints one table.
. "$(dirname "$0")/env.sh"
tests/run/setup.sh test
build_ui
say 'programs'
export PROFILE=release
cargo build --release --workspace --bins --example blank-window --features patchbay-desktop/custom-protocol
exec "$cache/venv/bin/python" tests/bench/bench.py
