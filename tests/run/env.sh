# Sourced by the other scripts: the checkout's root as working directory, toolchains on the path, and a few words.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
cache=$root/.cache
mkdir -p "$cache"

# Toolchains that setup.sh installed come first.
export PATH="$cache/node/bin:$HOME/.cargo/bin:$PATH"
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 # Debian's chromium is used
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
target=${CARGO_TARGET_DIR:-$root/target}

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'patchbay: %s\n' "$*" >&2; exit 1; }

# npm ci where the lock file changed since the last one.
node_modules() {
  local folder=$1
  if [ ! -e "$folder/node_modules/.package-lock.json" ] || [ "$folder/package-lock.json" -nt "$folder/node_modules/.package-lock.json" ]; then
    say "packages of $folder"
    npm --prefix "$folder" ci --no-progress --loglevel=error
    touch "$folder/node_modules/.package-lock.json"
  fi
}

# The web interface, built when a source is newer than the last build.
build_ui() {
  node_modules ui
  if [ ! -e ui/dist/index.html ] || [ -n "$(find ui -path ui/node_modules -prune -o -path ui/dist -prune -o -type f -newer ui/dist/index.html -print -quit)" ]; then
    say 'web interface'
    npm --prefix ui run --silent build
  fi
}
