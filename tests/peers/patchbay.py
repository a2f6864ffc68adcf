"""Patchbay itself as the other end of a test: a store of its own, `init`, and `serve` on a free port.

The store is a SQLite file, or a database in a throwaway PostgreSQL: `Installation(backend="postgres")`.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import threading

import postgres

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary(name="patchbay"):
    path = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / os.environ.get("PROFILE", "debug") / name
    if not path.exists():
        raise SystemExit(f"{path} is not there: cargo build --bin {name}")
    return str(path)


def stores():
    """The kinds of stores on which suites run: all, or those that PATCHBAY_STORES names, parted by commas."""
    return os.environ.get("PATCHBAY_STORES", "sqlite,postgres").split(",")


class Installation:
    """One store with its key file; every command of the headless program may be run on it.

    `backend` is `sqlite` or `postgres`; the latter makes a database in `cluster`, or in the one that the test run shares.
    """

    def __init__(self, folder=None, environment=None, backend="sqlite", cluster=None):
        self.owned = None
        if folder is None:
            self.owned = tempfile.TemporaryDirectory(prefix="patchbay-test-")
            folder = self.owned.name
        self.folder = pathlib.Path(folder)
        self.key = self.folder / "key"
        self.environment = environment or {}
        self.backend = backend
        self.cluster = self.database = self.path = None
        if backend == "postgres":
            self.cluster = cluster or postgres.Cluster.shared()
            self.database, self.store = self.cluster.database()
        else:
            self.path = self.folder / "store.db"
            self.store = f"sqlite:{self.path}"

    def command(self, verb, *arguments):
        """`verb` is one word or several: the command and its subcommand."""
        words = verb.split()
        return [binary(), *words, "--store", self.store, "--key-source", f"file:{self.key}", *arguments]

    def run(self, verb, *arguments, check=True, stdin=None, environment=None):
        done = subprocess.run(
            self.command(verb, *arguments), capture_output=True, text=True, input=stdin or "", timeout=120,
            env={**os.environ, **self.environment, **(environment or {})},
        )
        if check and done.returncode != 0:
            raise AssertionError(f"patchbay {verb} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def init(self, organization="Acme"):
        """Creates the store (or adds an organization) and answers what `init --output json` printed."""
        return json.loads(self.run("init", "--organization", organization, "--output", "json").stdout)

    def serve(self, *arguments, environment=None, private_networks=True, drain=0):
        """Nothing but a test's balancer heeds /readyz, so that an end waits for nobody to notice it unless `drain` says so."""
        return Server(self, [*arguments, "--drain", str(drain)], environment or {}, private_networks)

    def close(self):
        if self.database:
            self.cluster.drop(self.database)
        if self.owned:
            self.owned.cleanup()


class Server:
    """`patchbay serve` on a free loopback port; its log is kept line by line."""

    def __init__(self, installation, arguments, environment, private_networks):
        words = ["--listen", "127.0.0.1:0", "--output", "json", *arguments]
        if private_networks:
            words.append("--allow-private-networks")
        self.log = []
        self.child = subprocess.Popen(
            installation.command("serve", *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **installation.environment, **environment},
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        line = self.child.stdout.readline()
        if not line:
            self.child.wait(10)
            self.reader.join(5)
            raise AssertionError("patchbay serve ended:\n" + "".join(self.log[-30:]))
        self.url = json.loads(line)["listening"]

    def _read(self):
        for line in self.child.stderr:
            self.log.append(line)

    def stop(self):
        """The orderly end: SIGTERM, and the exit status must be 0."""
        self.child.terminate()
        status = self.child.wait(30)
        self.reader.join(5)
        self.child.stdout.close()
        return status

    def kill(self):
        self.child.kill()
        self.child.wait(30)
        self.reader.join(5)
        self.child.stdout.close()


class Peer:
    """A stand-in or real system started by one of the scripts of this folder; it ends with this process."""

    def __init__(self, *command, environment=None):
        self.child = subprocess.Popen(
            [*command, "--stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})}, cwd=ROOT,
        )
        line = self.child.stdout.readline()
        if not line:
            raise AssertionError(f"{' '.join(command)} did not start:\n{self.child.stderr.read()[-3000:]}")
        self.errors = threading.Thread(target=self.child.stderr.read, daemon=True)
        self.errors.start()
        self.facts = json.loads(line)

    @classmethod
    def redmine(cls):
        return cls("python3", "tests/peers/redmine.py")

    @classmethod
    def oidc(cls, **environment):
        return cls("node", "tests/peers/oidc.mjs", environment=environment)

    def stop(self):
        self.child.stdin.close()
        self.child.wait(30)
