#!/usr/bin/env bash
# Measures Patchbay beside its references in the same run and prints one table.
. "$(dirname "$0")/env.sh"
tests/run/setup.sh test
build_ui
say 'programs'
cargo build --workspace --bins --features patchbay-desktop/custom-protocol --profile "${PROFILE:-release}"
exec python3 tests/bench/bench.py
