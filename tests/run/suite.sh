#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every suite; or only the named ones:  suite.sh [ui] [rust] [sdk] ...
# A failing suite does not stop the others. The last line sums up: "patchbay: N passed, M failed".
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/tally.sh"
tests/run/setup.sh test
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(lints ui rust sdk servers conformance secrets web window)

# Every trial of `life` is among those of `rust`; by its name it runs alone.
life() { cargo test --package patchbay-server --test life; }
rust() { cargo test --workspace --no-fail-fast "${features[@]}"; }
sdk() { "$cache/venv/bin/python" -m pytest tests/sdk; }
servers() { "$cache/venv/bin/python" -m pytest tests/servers; }
conformance() { "$cache/venv/bin/python" -m pytest tests/conformance; }
secrets() { "$cache/venv/bin/python" -m pytest tests/secrets; }
web() { npm --prefix tests exec --no -- playwright test --config tests/web/playwright.config.mjs; }
window() { node --test --test-concurrency=1 tests/window/*.test.mjs; }

build_ui
say 'programs'
# One feature set for building and testing, so that nothing is compiled twice.
features=(--features patchbay-desktop/custom-protocol)
cargo build --workspace --bins "${features[@]}"

for name in "${suites[@]}"; do
  case $name in
    lints) suite lints tests/run/check.sh ;;
    ui) suite ui npm --prefix ui run --silent test ;;
    rust | life | sdk | servers | conformance | secrets | web | window) suite "$name" "$name" ;;
    *) die "there is no suite '$name'" ;;
  esac
done

summary
