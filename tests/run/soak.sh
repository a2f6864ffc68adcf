#!/usr/bin/env bash
# The tests that gain from large counts, one after the other, whatever becomes of each; or only the named ones:
# soak.sh [kills] [disks] ...  The last line sums up.
#   KILLS=200           how often the server is killed under write load, a rotation of keys, a backup, restore or copy at their work,
#                       on a file and on PostgreSQL, whose server is killed too
#   PATCHBAY_CASES=10   how many times as many random cases are tried as in `make test`, and places where a disk is full
#   PATCHBAY_SEED=...   which ones; a new number every time unless it is given, and told here
#   FIRE=10000          rounds of renewal under fire, of each variant
#   FIRE_LANES=10       in how many lanes at once
#   ROUNDS=3            how often the SDK's suite is run
#   RESTARTS=20         how often each of two servers under load is restarted
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/tally.sh"
tests/run/setup.sh test
build_ui
export PATCHBAY_CASES=${PATCHBAY_CASES:-10} PATCHBAY_SEED=${PATCHBAY_SEED:-$(date +%s)} PATCHBAY_KILL_ROUNDS=${KILLS:-200}
export PATCHBAY_KILL_SEED=${PATCHBAY_KILL_SEED:-$PATCHBAY_SEED}
say "PATCHBAY_CASES=$PATCHBAY_CASES PATCHBAY_SEED=$PATCHBAY_SEED PATCHBAY_KILL_SEED=$PATCHBAY_KILL_SEED KILLS=$PATCHBAY_KILL_ROUNDS ROUNDS=${ROUNDS:-3} FIRE=${FIRE:-10000}"

# One feature set for building and testing, so that nothing is compiled twice.
features=(--workspace --features patchbay-desktop/custom-protocol)
kills() { cargo test "${features[@]}" --test cli -- kill_9 --nocapture --test-threads 1; }
# Disks without room at every operation of a command, and database servers that go, are full or read-only.
disks() { cargo test "${features[@]}" --test cli -- full:: connections:: crowd:: without_room --nocapture; }
# Renewal of tokens while answers are lost and processes are killed; so often that an optimized build is worth its time.
fire() { FIRE=${FIRE:-10000} FIRE_LANES=${FIRE_LANES:-10} cargo test --package patchbay-engine --profile soak --test fire -- --nocapture --test-threads 1; }
# The reference model against an engine, two engines and two programs, which were built above.
property() { cargo test "${features[@]}" --test property -- --nocapture; }
# Every route with every permission set, and tokens that never exceed who minted them.
matrix() { cargo test "${features[@]}" --test server --test verbs --test calls --test consent --no-fail-fast; }
store() { cargo test "${features[@]}" --test suite; }
sdk() {
  for _ in $(seq "${ROUNDS:-3}"); do "$cache/venv/bin/python" -m pytest tests/sdk; done
}

servers() { PATCHBAY_RESTARTS=${RESTARTS:-20} "$cache/venv/bin/python" -m pytest tests/servers; }
conformance() { "$cache/venv/bin/python" -m pytest tests/conformance; }

cargo build "${features[@]}" --bins
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(kills disks fire property matrix store sdk servers conformance)
for name in "${suites[@]}"; do
  case $name in
    kills | disks | fire | property | matrix | store | sdk | servers | conformance) suite "$name" "$name" ;;
    *) die "there is no suite '$name'" ;;
  esac
done
# What the kills came to, beside the counts.
grep -hE '^kill -9 of .*none lost' "$logs/kills" 2>/dev/null || :
grep -hE '^fire .* rounds ' "$logs/fire" 2>/dev/null || :
summary
