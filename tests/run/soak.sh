#!/usr/bin/env bash
# Kills the server again and again under write load:  KILLS=50
. "$(dirname "$0")/env.sh"
tests/run/setup.sh test
cargo build --bin patchbay
exec "$cache/venv/bin/python" tests/soak/kill.py "${KILLS:-50}"
