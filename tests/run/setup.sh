#!/usr/bin/env bash
# Installs what is missing on a Debian or Ubuntu machine:  setup.sh serve | run | test
#   serve  the headless program: a C compiler, Rust, Node
#   run    and the desktop application: WebKitGTK and its headers
#   test   and the peers, browsers and drivers of the suites
# Packages that are there are left alone. Rust and Node come from their official installers, after asking (YES=1 answers yes).
. "$(dirname "$0")/env.sh"
what=${1:-run}

rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
node_wanted=20.19.0
node_installed=22 # the line of Node that is installed where none is there

packages=(build-essential pkg-config mold curl ca-certificates xz-utils)
case $what in
  serve) ;;
  run | test) packages+=(libwebkit2gtk-4.1-dev libgtk-3-dev librsvg2-dev libdbus-1-dev) ;;
  *) die "usage: setup.sh serve | run | test" ;;
esac
if [ "$what" = test ]; then
  # The native window; the browser; Redmine as a real ticketing system; PostgreSQL; Python for the judges of the API.
  packages+=(webkit2gtk-driver xvfb xauth openbox xdotool dbus dbus-x11 gnome-keyring imagemagick)
  packages+=(chromium fonts-dejavu-core)
  packages+=(redmine redmine-sqlite ruby-sqlite3 puma)
  packages+=(postgresql postgresql-contrib)
  packages+=(python3 python3-venv)
fi

at_least() { # at_least FOUND WANTED
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

ask() { # ask QUESTION: yes with YES=1 or a y on the terminal
  [ "${YES:-}" = 1 ] && return 0
  [ -t 0 ] || die "$1 Say yes by YES=1, for example: YES=1 make ${what/serve/serve}"
  local answer
  read -r -p "$1 [y/N] " answer
  [[ $answer = [yY]* ]]
}

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in ii*) ;; *) missing+=("$package") ;; esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local root_by=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing, and there is no sudo; as root: apt-get install ${missing[*]}"
    root_by=(sudo)
  fi
  say "apt-get install ${missing[*]}"
  # Redmine is only used as a private copy: no database of the system is set up for it.
  if [[ " ${missing[*]} " = *" redmine "* ]]; then
    echo 'redmine redmine/instances/default/dbconfig-install boolean false' | "${root_by[@]}" debconf-set-selections
  fi
  # Of PostgreSQL only the programs are used: no cluster of the system is made, and so none is started.
  local no_cluster=/etc/postgresql-common/createcluster.d/patchbay-tests.conf
  if [[ " ${missing[*]} " = *" postgresql "* ]]; then
    "${root_by[@]}" mkdir -p "${no_cluster%/*}"
    echo 'create_main_cluster = false' | "${root_by[@]}" tee "$no_cluster" >/dev/null
  fi
  local status=0
  { "${root_by[@]}" apt-get update -q && "${root_by[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } || status=$?
  # What the person of this machine installs later is none of our business.
  "${root_by[@]}" rm -f "$no_cluster"
  return "$status"
}

install_rust() {
  local found=none
  command -v rustc >/dev/null && command -v cargo >/dev/null && found=$(rustc --version | cut -d' ' -f2)
  [ "$found" != none ] && at_least "${found%%-*}" "$rust_wanted" && return 0
  ask "Rust $rust_wanted or newer is needed (found: $found). Install it for this user with the official installer from https://sh.rustup.rs?" \
    || die "install Rust $rust_wanted or newer from https://rustup.rs and start again"
  say 'Rust'
  if command -v rustup >/dev/null; then
    rustup toolchain install stable --profile minimal --component clippy --component rustfmt
    rustup default stable
  else
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --component clippy --component rustfmt --no-modify-path
  fi
  hash -r
  # A rustc of the system further up the path would still be found first.
  export PATH="$HOME/.cargo/bin:$PATH"
  at_least "$(rustc --version | cut -d' ' -f2)" "$rust_wanted" || die "rustc on the path is still older than $rust_wanted: put ~/.cargo/bin first on PATH"
}

install_node() {
  local found=none
  command -v node >/dev/null && command -v npm >/dev/null && found=$(node --version | tr -d v)
  [ "$found" != none ] && at_least "$found" "$node_wanted" && return 0
  local base=https://nodejs.org/dist/latest-v$node_installed.x machine
  case $(uname -m) in x86_64) machine=x64 ;; aarch64) machine=arm64 ;; *) die "install Node $node_wanted or newer for $(uname -m) from https://nodejs.org and start again" ;; esac
  ask "Node $node_wanted or newer is needed (found: $found). Unpack the official build from $base into .cache/node of this folder?" \
    || die "install Node $node_wanted or newer from https://nodejs.org and start again"
  say 'Node'
  local work archive
  work=$(mktemp -d)
  curl --proto '=https' -sSf "$base/SHASUMS256.txt" -o "$work/sums"
  archive=$(grep -oE "node-v[0-9.]+-linux-$machine\.tar\.xz$" "$work/sums")
  curl --proto '=https' -sSf "$base/$archive" -o "$work/$archive"
  (cd "$work" && grep " $archive\$" sums | sha256sum --check --quiet) || die "the archive of Node does not match its published checksum"
  rm -rf "$cache/node"
  mkdir -p "$cache/node"
  tar -xJf "$work/$archive" -C "$cache/node" --strip-components=1
  rm -rf "$work"
  hash -r
}

# The judges of the Management and Connector API and a private AWS, in an environment of their own: the SDK, schemathesis, moto.
install_judges() {
  local venv=$cache/venv wanted=(tests/sdk/requirements.txt tests/conformance/requirements.txt tests/peers/requirements.txt)
  cat "${wanted[@]}" | cmp -s - "$venv/requirements.txt" && return 0
  say 'Python packages'
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps "${wanted[@]/#/-r}"
  "$venv/bin/pip" check -q --disable-pip-version-check
  cat "${wanted[@]}" >"$venv/requirements.txt"
}

if ! command -v apt-get >/dev/null; then
  say "no apt-get here: assuming these are installed: ${packages[*]}"
else
  install_packages
fi
install_rust
install_node
if [ "$what" = test ]; then
  install_judges
  node_modules tests
fi
