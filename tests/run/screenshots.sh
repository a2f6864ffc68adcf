#!/usr/bin/env bash
# Pictures of every screen, light and dark, into .cache/screenshots.
. "$(dirname "$0")/env.sh"
tests/run/setup.sh test
build_ui
cargo build --bin patchbay
exec npm --prefix tests exec --no -- playwright test --config tests/web/playwright.config.mjs --grep @screenshots
