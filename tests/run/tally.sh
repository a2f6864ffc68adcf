# Sourced by scripts that run several suites: each runs to its end whatever became of the others, and what they report is
# added up. The last line sums up: "patchbay: N passed, M failed".
logs=$cache/log
mkdir -p "$logs"
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

# What came of all of them; the status says whether every one passed.
summary() {
  printf '\n'
  printf '%s\n' "${lines[@]}"
  printf 'patchbay: %d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}
