#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every suite; or only the named ones:  suite.sh [ui] [rust] [sdk] ...
# A failing suite does not stop the others. The last line sums up: "patchbay: N passed, M failed".
. "$(dirname "$0")/env.sh"
tests/run/setup.sh test
logs=$cache/log
mkdir -p "$logs"
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(lints ui rust sdk conformance secrets web window)

passed=0 failed=0 lines=()

# suite NAME COMMAND...: its output goes to the terminal and to .cache/log/NAME; what it reports is added up.
suite() {
  local name=$1 started=$SECONDS status=0 good bad
  shift
  say "$name"
  "$@" 2>&1 </dev/null | tee "$logs/$name" || status=$?
  good=$(count passed "$logs/$name") bad=$(count failed "$logs/$name")
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi # it ended before it could count
  passed=$((passed + good)) failed=$((failed + bad))
  lines+=("$(printf '%-11s %5d passed %4d failed %5d s' "$name" "$good" "$bad" $((SECONDS - started)))")
}

# The numbers before "passed" or "failed", in the words of cargo, vitest, pytest and Playwright; after "pass" or "fail" in Node's.
count() {
  sed -E -e 's/\x1b\[[0-9;]*m//g' -e 's/^(ℹ|#) (pass|fail) ([0-9]+)$/\3 \2ed/' -e '/^ *Test Files /d' "$2" \
    | awk -v word="$1" '{for (i = 2; i <= NF; i++) if ($i ~ "^" word "[.,;]?$" && $(i - 1) ~ /^[0-9]+$/) sum += $(i - 1)} END {print sum + 0}'
}

rust() { cargo test --workspace --no-fail-fast "${features[@]}"; }
sdk() { "$cache/venv/bin/python" -m pytest tests/sdk; }
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
    rust | sdk | conformance | secrets | web | window) suite "$name" "$name" ;;
    *) die "there is no suite '$name'" ;;
  esac
done

printf '\n'
printf '%s\n' "${lines[@]}"
printf 'patchbay: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
