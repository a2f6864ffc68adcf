#!/usr/bin/env bash
# The application: installs what is missing, builds, opens the window. Without a display it serves instead.
. "$(dirname "$0")/env.sh"
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  say 'There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set): serving the same interface to a browser instead.'
  exec tests/run/serve.sh
fi
tests/run/setup.sh run
build_ui
say 'application'
cargo build --bin patchbay-desktop --features custom-protocol
exec "$target/debug/patchbay-desktop"
