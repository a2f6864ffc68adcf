#!/usr/bin/env bash
# The headless program on a local store: made on the first start, with a key file only this user can read.
#   LISTEN=127.0.0.1:8080   where to listen (default: port 7750 of the loopback interface)
. "$(dirname "$0")/env.sh"
tests/run/setup.sh serve
build_ui
say 'headless program'
cargo build --bin patchbay
home=${XDG_DATA_HOME:-$HOME/.local/share}/patchbay/server
store=(--store "sqlite:$home/store.db" --key-source "file:$home/key")
if [ ! -e "$home/store.db" ]; then
  (umask 077 && mkdir -p "$home")
  "$target/debug/patchbay" init "${store[@]}" --organization "${ORGANIZATION:-My organization}" >/dev/null
  say "new store: $home/store.db"
fi
# The one-time link signs the first browser in; the tokens of init are not needed for that and were not kept.
exec "$target/debug/patchbay" serve "${store[@]}" --listen "${LISTEN:-127.0.0.1:7750}" --setup-link
