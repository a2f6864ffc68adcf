#!/usr/bin/env bash
# Proves `make run` and `make test` on a machine that has nothing: a minimal Debian in a folder of its own, with only make and
# sudo added and the Rust and Node toolchains of this machine copied in.  As root:  tests/run/fresh-machine.sh [TARGET...]
#   TARGET   make targets to run there, in order (default: test run)
#   SUITE    Debian release (bookworm)      MIRROR   of its packages      KEEP=1   leave the folder
# What this cannot prove: the official installers of Rust and Node, which are replaced by the copies.
. "$(dirname "$0")/env.sh"
[ "$(id -u)" = 0 ] || die 'fresh-machine.sh needs root, for debootstrap and chroot'
command -v debootstrap >/dev/null || die 'debootstrap is missing: apt-get install debootstrap'
if [ "${IN_NAMESPACE:-}" != 1 ]; then
  # Mounts made below are seen by this process and its children only, and vanish with them.
  IN_NAMESPACE=1 exec unshare --mount --propagation private "$root/tests/run/fresh-machine.sh" "$@"
fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(test run)

machine=$(mktemp -d "${TMPDIR:-/var/tmp}/patchbay-fresh-XXXXXX")
chmod 755 "$machine"
clean() {
  umount --recursive "$machine" 2>/dev/null || umount --lazy "$machine"/{proc,sys,dev/pts,dev/shm,dev} 2>/dev/null
  [ "${KEEP:-}" = 1 ] && say "kept: $machine" || rm -rf --one-file-system "$machine"
}
trap clean EXIT

say "a minimal Debian ${SUITE:-bookworm} in $machine"
debootstrap --variant=minbase --include=make,sudo,ca-certificates "${SUITE:-bookworm}" "$machine" ${MIRROR:+"$MIRROR"} >"$cache/debootstrap.log"
cp /etc/resolv.conf "$machine/etc/resolv.conf"
# The installer writes this file, debootstrap does not.
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' >"$machine/etc/hosts"
# A certificate authority of this network, where there is one, is part of the network and not of the machine.
if compgen -G '/usr/local/share/ca-certificates/*' >/dev/null; then
  cp -r /usr/local/share/ca-certificates/. "$machine/usr/local/share/ca-certificates/"
  chroot "$machine" update-ca-certificates >/dev/null 2>&1
fi
mount -t proc proc "$machine/proc"
mount -t sysfs sys "$machine/sys" 2>/dev/null || mount --rbind /sys "$machine/sys"
mount --bind /dev "$machine/dev"
# Terminals are wanted by one test; where this kernel gives no second devpts, those of the bound /dev serve.
mount -t devpts devpts "$machine/dev/pts" 2>/dev/null || mount --bind /dev/pts "$machine/dev/pts"
mount -t tmpfs shm "$machine/dev/shm" -o mode=1777

say 'toolchains'
cp -a "$(rustc --print sysroot)" "$machine/opt/rust"
mkdir -p "$machine/opt/node/bin" "$machine/opt/node/lib/node_modules"
cp "$(readlink -f "$(command -v node)")" "$machine/opt/node/bin/node"
cp -a "$(npm root --global 2>/dev/null)/npm" "$machine/opt/node/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$machine/opt/node/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$machine/opt/node/bin/npx"

say 'a person with sudo, and a fresh clone'
chroot "$machine" useradd --create-home --shell /bin/bash person
echo 'person ALL=(ALL) NOPASSWD: ALL' >"$machine/etc/sudoers.d/person"
git clone --quiet --no-hardlinks "$root" "$machine/home/person/patchbay"
chroot "$machine" chown -R person: /home/person

certificates=/etc/ssl/certs/ca-certificates.crt
# Not chroot: the kernel refuses user namespaces to whoever is in one, and the tests need them to make a read-only disk.
inside() {
  unshare --mount --propagation private sh -ec '
    mount --rbind "$1" "$1"
    cd "$1"
    mkdir -p .host
    pivot_root . .host
    /bin/umount --lazy /.host
    shift
    exec setpriv --reuid=person --regid=person --init-groups "$@"' sh "$machine" /usr/bin/env -i HOME=/home/person USER=person LANG=C.UTF-8 CI=true YES=1 \
    PATH=/opt/rust/bin:/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NODE_EXTRA_CA_CERTS=$certificates PIP_CERT=$certificates SSL_CERT_FILE=$certificates \
    bash -c "cd ~/patchbay || exit; $1" </dev/null
}

for target in "${targets[@]}"; do
  say "make $target"
  started=$SECONDS
  if [ "$target" = run ]; then
    # Without a display it serves until it is told to stop: it must print its one-time link and answer.
    inside 'setsid make run >run.log 2>&1 & server=$!
      for _ in $(seq 900); do grep -q "http://127.0.0.1" run.log && break; kill -0 $server 2>/dev/null || break; sleep 1; done
      cat run.log
      link=$(grep -oE "http://127\.0\.0\.1:[0-9]+" run.log | head -n 1)
      curl --silent --show-error --fail "$link/readyz" >/dev/null && curl --silent --fail "$link/" | grep -qi "<!doctype html"
      answered=$?
      kill -- -$server; wait $server
      exit $answered'
  else
    inside "make $target"
  fi
  say "make $target: done after $((SECONDS - started)) s"
done
