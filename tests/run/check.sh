#!/usr/bin/env bash
# Formatting and lints. Every warning is an error.
. "$(dirname "$0")/env.sh"
cargo fmt --all --check
build_ui
cargo clippy --workspace --all-targets --features patchbay-desktop/custom-protocol -- --deny warnings
npm --prefix ui run --silent check
