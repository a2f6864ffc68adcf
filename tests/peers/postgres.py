#!/usr/bin/env python3
"""A throwaway PostgreSQL: a cluster of its own in a temporary folder, on a free port of the loopback interface.

    tests/peers/postgres.py [--durable] [--stdin] [--set NAME=VALUE ...] [--full-library LIBRARY --full-while FILE]

Prints one JSON line when it answers, stays in the foreground, and removes everything when it gets SIGTERM (or, with
--stdin, when its standard input closes). With --stdin each line is a command, answered by one JSON line:

    kill     kill -9 of every process of the server, as a crash of the machine would end it
    stop     ends it in good order, cutting what is connected, as a restart by its operator does
    start    starts it again after a kill or stop, on the same port and data
    tls CERTIFICATE KEY    starts it anew with a certificate (files in PEM); without TLS nobody gets in by TCP then

With --full-library (full_disk.c, compiled) the disk of the tables has no room as long as the file of --full-while exists.

No server of the system is touched, and none is needed: only the programs of Debian's package `postgresql`. Run as root, the
server runs as the user `postgres` (or `nobody`), since it refuses to run as root.

The cluster is made to catch what a friendly one would hide: its collation is a language's and not that of bytes, its time zone
is an odd one, and everybody has to give a password. Without --durable nothing is synchronised to the disk.
"""

import atexit
import contextlib
import itertools
import json
import os
import pathlib
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import process

NEEDED = "PostgreSQL is not installed: apt-get install postgresql postgresql-contrib"
ADMINISTRATOR = "postgres"
# A server that cannot have its port, or the memory of one that was just killed, is started again this often.
TRIES = 100


def programs():
    """The folder with initdb, postgres and psql of the newest PostgreSQL on this machine."""
    folders = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if folders:
        return max(folders, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parent.name)])
    found = shutil.which("initdb")
    if not found:
        raise SystemExit(NEEDED)
    return pathlib.Path(found).resolve().parent


def version(bin_folder):
    words = process.run([str(bin_folder / "postgres"), "--version"])
    return int(re.search(r"\d+", words).group())


def unprivileged():
    """How a child is started as somebody who is not root; nothing to be done for everybody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise SystemExit("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


# Waits for the end of its standard input, which comes with this program's end, however it ends; then ends the server, cutting
# what is connected, and removes its folder.
GUARD = 'read -r end; kill -INT "$1" 2>/dev/null; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2"'


class Cluster:
    """One server; `durable` where the test is about what survives."""

    _shared = None
    _numbers = itertools.count(1)

    @classmethod
    def shared(cls):
        """One for the whole test run, stopped when the program ends."""
        if cls._shared is None:
            cls._shared = cls()
            atexit.register(cls._shared.stop)
        return cls._shared

    def __init__(self, durable=False, settings=None, full=None):
        """`full` is the library of full_disk.c and the file while which there is no room for tables."""
        self.bin = programs()
        self.durable = durable
        self.settings = settings or {}
        self.password = secrets.token_urlsafe(18)
        self.child = None
        self.full = full
        self.user = unprivileged()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-postgres-"))
        self.log = self.folder / "log"
        self.port = process.free_port()
        try:
            self._own(self.folder)
            self._initialise()
            self.start()
        except BaseException:
            self.stop()
            raise

    def _own(self, path):
        if self.user:
            os.chown(path, self.user["user"], self.user["group"])

    def _initialise(self):
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        self._own(password)
        words = [str(self.bin / "initdb"), "--pgdata", str(self.folder / "data"), "--username", ADMINISTRATOR, "--pwfile", str(password)]
        words += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        if version(self.bin) >= 15:
            # Orders "a" before "B", as a database that was made with a language does; columns of ours must not depend on it.
            words += ["--locale-provider", "icu", "--icu-locale", "en-US"]
        process.run(words, cwd=self.folder, env=self._environment(), **self.user)
        password.unlink()

    def _environment(self):
        """Nothing of the caller's: PGDATA and the like would lead to another server."""
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder)}

    def _disk(self):
        """Has the server, and it alone, run out of room while the file exists. Its log of changes lies elsewhere: a server that
        cannot write that ends itself."""
        if not self.full:
            return {}
        library = self.folder / "full_disk.so"
        if not library.exists():
            # Its own copy: whoever the server runs as need not see the folder that it comes from.
            shutil.copyfile(self.full[0], library)
            library.chmod(0o755)
            self._own(library)
        return {"LD_PRELOAD": str(library), "FULL_FOLDER": str(self.folder / "data" / "base"), "FULL_WHILE": str(self.full[1])}

    def _options(self):
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "timezone": "Asia/Kathmandu",
            "max_connections": 100,
            "shared_buffers": "32MB",
            "max_wal_size": "128MB",
            "min_wal_size": "32MB",
            "wal_level": "minimal",
            "max_wal_senders": 0,
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return options | self.settings

    def start(self):
        """Starts the server and waits until it answers. After a kill it first repairs its files."""
        for _ in range(TRIES):
            said = self.log.stat().st_size if self.log.exists() else 0
            words = [str(self.bin / "postgres"), "-D", str(self.folder / "data")]
            words += [word for name, value in self._options().items() for word in ("-c", f"{name}={value}")]
            with open(self.log, "ab") as log:
                self.child = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=self._environment() | self._disk(), start_new_session=True, **self.user,
                )
            if self._answers():
                guard = ["/bin/sh", "-c", GUARD, "guard", str(self.child.pid), str(self.folder)]
                self.guard = subprocess.Popen(guard, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **self.user)
                return
            text = self.log.read_bytes()[said:].decode(errors="replace")
            if "could not bind" in text or "Address already in use" in text:
                self.port = process.free_port()
            elif "shared memory block" not in text and "postmaster.pid" not in text:
                raise SystemExit(f"PostgreSQL did not start:\n{text[-3000:]}")
            time.sleep(0.1)
        raise SystemExit(f"PostgreSQL did not start:\n{process.tail(self.log)}")

    def _answers(self):
        ready = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "5"]
        while self.child.poll() is None:
            if subprocess.run(ready, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                # Somebody else may have taken the port, and ours ends for want of it.
                time.sleep(0.05)
                return self.child.poll() is None
            time.sleep(0.02)
        return False

    def _processes(self):
        """The server and its children, which have sessions of their own."""
        found = [self.child.pid]
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name of a program may have spaces and brackets; behind it come state and parent.
                if stat.read_text().rpartition(")")[2].split()[1] == str(self.child.pid):
                    found.append(int(stat.parent.name))
        return found

    def _relieve(self):
        """The guard has no more to do: what it would end is ended by us."""
        if self.guard:
            self.guard.kill()
            self.guard.wait(10)
            self.guard.stdin.close()
            self.guard = None

    def kill(self):
        """kill -9 of every process: nothing is written out, nobody is told."""
        self._relieve()
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait(30)

    def halt(self):
        """Ends the server, cutting what is connected."""
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def stop(self):
        """Ends the server and removes everything."""
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def use_certificate(self, certificate, key):
        """Starts the server anew with a certificate; whoever comes by TCP without TLS is refused."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            target = self.folder / name
            target.unlink(missing_ok=True)
            target.touch(mode=0o600)
            target.write_bytes(pathlib.Path(source).read_bytes())
            self._own(target)
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text("local all all scram-sha-256\nhostssl all all all scram-sha-256\n")
        self.settings |= {"ssl": "on", "ssl_cert_file": self.folder / "server.crt", "ssl_key_file": self.folder / "server.key"}
        self.halt()
        self.start()

    def url(self, database="postgres", user=ADMINISTRATOR, password=None):
        """A store URL. Passwords of this module need no escaping."""
        return f"postgres://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def sql(self, text, database="postgres", user=ADMINISTRATOR, password=None, check=True):
        """Runs statements by psql and gives what came of them: a line per row, columns parted by `|`."""
        words = [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", database, "-f", "-"]
        done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=120, env=self._environment() | {"PGPASSWORD": password or self.password})
        if check and done.returncode != 0:
            raise AssertionError(f"{text}\n{done.stderr}")
        return done.stdout.strip() if check else done

    def database(self, login="patchbay", template=None):
        """A new database that `login` owns, and its URL. The login is made when it is first asked for: it may make the roles that
        `patchbay init` needs, and is no superuser."""
        name = f"patchbay_{next(self._numbers)}"
        password = self.login(login)
        self.sql(f'CREATE DATABASE "{name}" OWNER "{login}"' + (f' TEMPLATE "{template}"' if template else ""))
        return name, self.url(name, login, password)

    def login(self, name, attributes="CREATEROLE"):
        """A login by this name, made when it is not there; gives its password."""
        # Derived, so that it is the same however often it is asked for.
        password = f"{name}-{self.password}"
        if self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'") != "1":
            self.sql(f"CREATE ROLE \"{name}\" LOGIN {attributes} PASSWORD '{password}'")
        return password

    def drop(self, database):
        """Removes a database, whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def facts(self):
        """What another program needs to know."""
        return {"port": self.port, "user": ADMINISTRATOR, "password": self.password, "url": self.url(), "pid": self.child.pid, "bin": str(self.bin), "data": str(self.folder / "data")}


def main(words):
    settings = dict(word.split("=", 1) for flag, word in zip(words, words[1:]) if flag == "--set")
    given = {flag: word for flag, word in zip(words, words[1:]) if flag in ("--full-library", "--full-while")}
    cluster = Cluster(durable="--durable" in words, settings=settings, full=(given["--full-library"], given["--full-while"]) if given else None)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    say = lambda value: print(json.dumps(value), flush=True)

    def obey():
        for line in sys.stdin:
            command = line.strip()
            if command == "kill":
                cluster.kill()
                say({"killed": True})
            elif command == "stop":
                cluster.halt()
                say({"stopped": True})
            elif command == "start":
                cluster.start()
                say(cluster.facts())
            elif command.startswith("tls "):
                cluster.use_certificate(*command.split()[1:])
                say(cluster.facts())
            else:
                say({"error": f"there is no command {command!r}"})
        told.set()

    say(cluster.facts())
    if "--stdin" in words:
        threading.Thread(target=obey, daemon=True).start()
    while not told.wait(0.2):
        pass
    cluster.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
