#!/usr/bin/env bash
# Kills the server again and again under write load:  KILLS=50
. "$(dirname "$0")/env.sh"
tests/run/setup.sh serve
build_ui
export PATCHBAY_KILL_ROUNDS=${KILLS:-50}
exec cargo test -p patchbay --test cli -- kill --nocapture
