"""Stores: two servers on one database against one, the cost of row security and of sealing against the bare statement, and the
rotation of many credentials."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import threading
import time

import latency
import postgres
from patchbay import Installation

# What a server may use: a quarter of a core, in turns short enough not to be seen in an answer.
PERIOD = 20_000
QUOTA = PERIOD // 4


class Quarter:
    """A quarter of a core for one process, by the kernel's own scheduler (a control group). Stopping and continuing a process
    by signals would not do: it stops in the middle of a transaction, and its peers wait for its locks."""

    def __init__(self, pid):
        self.folder = None
        name = f"patchbay-bench-{pid}"
        unified, old = pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup/cpu")
        try:
            if (unified / "cgroup.controllers").exists():
                # Version 2: the controller has to be handed down from the root.
                with contextlib.suppress(OSError):
                    (unified / "cgroup.subtree_control").write_text("+cpu")
                self.folder = unified / name
                self.folder.mkdir()
                (self.folder / "cpu.max").write_text(f"{QUOTA} {PERIOD}")
            elif old.exists():
                self.folder = old / name
                self.folder.mkdir()
                (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD))
                (self.folder / "cpu.cfs_quota_us").write_text(str(QUOTA))
            else:
                raise OSError("there are no control groups here")
            (self.folder / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            self.close()
            raise SystemExit(f"a server cannot be held to a quarter of a core: {error}. Run this as root on a machine with control groups.") from error

    def close(self):
        # It is empty when its process has ended.
        if self.folder:
            with contextlib.suppress(OSError):
                self.folder.rmdir()


def used(pid):
    """Seconds of processor time."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def throughput(servers, token, seconds, clients=8):
    """Answers a second of so many clients, spread over the servers: an account is made, and lists of twenty are read thrice."""
    stop, done, lock = threading.Event(), [0], threading.Lock()
    bearer = {"Authorization": f"Bearer {token}"}

    def work(number):
        server = servers[number % len(servers)]
        connection, mine = latency.Connection(server.url, bearer), 0
        lists = connection.request("/v1/accounts?limit=20")
        while not stop.is_set():
            for turn in range(4):
                if turn == 0:
                    status, body = connection.exchange(connection.post("/v1/accounts", json.dumps({"name": f"a-{os.urandom(6).hex()}"}).encode()))
                    good = status in (201, 503)
                else:
                    status, body = connection.exchange(lists)
                    good = status == 200
                assert good, (status, body[:300])
                mine += status != 503
        with lock:
            done[0] += mine

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    began, before = time.perf_counter(), [used(server.child.pid) for server in servers]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    shares = [(used(server.child.pid) - spent) / (time.perf_counter() - began) for server, spent in zip(servers, before)]
    stop.set()
    for thread in threads:
        thread.join()
    return done[0] / (time.perf_counter() - began), shares


def two_against_one(seconds=20):
    """Answers a second of two servers and of one, each held to a quarter of a core, and what share of a core each used."""
    cluster = postgres.Cluster(durable=True)
    installation = Installation(backend="postgres", cluster=cluster)
    try:
        token = installation.init("Bench")["organization"]["token"]["access"]["secret"]
        rates, shares = [], []
        # Turn by turn, so that both see the same weather.
        for count in (1, 2, 1, 2):
            servers = [installation.serve(private_networks=False) for _ in range(count)]
            quarters = [Quarter(server.child.pid) for server in servers]
            throughput(servers, token, min(3, seconds))
            rate, share = throughput(servers, token, seconds)
            rates.append(rate)
            shares += share
            for server in servers:
                server.kill()
            for quarter in quarters:
                quarter.close()
        return (rates[1] + rates[3]) / 2, (rates[0] + rates[2]) / 2, max(shares)
    finally:
        installation.close()
        cluster.stop()


class Filled:
    """A PostgreSQL store with many integrations, each with its sealed credential, made by the program itself."""

    def __init__(self, credentials, backend="postgres"):
        self.cluster = postgres.Cluster(durable=True) if backend == "postgres" else None
        self.installation = Installation(backend=backend, cluster=self.cluster)
        self.made = self.installation.init("Bench")
        accounts = max(1, credentials // 10)
        lines = self.installation.folder / "lines.jsonl"
        with lines.open("w") as file:
            for number in range(accounts):
                file.write(json.dumps({"account": {"name": f"customer-{number:06}", "environment": "prod"}}) + "\n")
            for number in range(credentials):
                config = {"type": "ticketing_redmine", "url": "https://redmine.example.com", "credential": {"type": "token", "secret": f"secret-{number:08}-of-the-provider"}}
                body = {"account": f"customer-{number % accounts:06}", "name": f"i-{number:06}", "provider_config": config}
                file.write(json.dumps({"integration": body}) + "\n")
        run = subprocess.run(self.installation.command("import", str(lines)), capture_output=True, text=True)
        if run.returncode != 0:
            raise AssertionError(run.stderr[-3000:])
        if self.cluster:
            self.cluster.sql("VACUUM ANALYZE", self.installation.database)

    def bench(self, script, seconds, key=None):
        """Seconds of one transaction of a script, by pgbench with prepared statements."""
        file = self.installation.folder / "script.sql"
        file.write_text(script)
        words = [str(self.cluster.bin / "pgbench"), "-n", "-M", "prepared", "-f", str(file), "-T", str(seconds), "-h", "127.0.0.1", "-p", str(self.cluster.port), "-U", "postgres"]
        words += ["-D", f"key={key}"] if key else []
        done = subprocess.run([*words, self.installation.database], capture_output=True, text=True, env={"PATH": os.environ["PATH"], "PGPASSWORD": self.cluster.password})
        found = re.search(r"latency average = ([0-9.]+) ms", done.stdout)
        if done.returncode != 0 or not found:
            raise AssertionError(done.stdout + done.stderr)
        return float(found.group(1)) / 1e3

    def close(self):
        self.installation.close()
        if self.cluster:
            self.cluster.stop()


def costs(credentials=100_000, seconds=10):
    """(what, ours, bare) in seconds: the same statement in the role that row security holds for and above it; and the writing of
    a secret with and without the second seal."""
    store = Filled(credentials)
    try:
        organization = store.made["organization"]["id"]
        scope = f"SET LOCAL patchbay.scope = 'tenant'; SET LOCAL patchbay.organization = '{organization}'; SET LOCAL patchbay.account = 'all';\n"
        # Both take a role and state a scope, so that nothing but the policies differs.
        begin = lambda role: f"BEGIN ISOLATION LEVEL REPEATABLE READ;\nSET LOCAL ROLE {role};\nSET LOCAL search_path = patchbay;\n{scope}"
        page = (
            "\\set from random(0, {most})\n{begin}SELECT id, account_id, name, fullname, provider, status, config FROM integration_instances "
            "WHERE organization_id = '{organization}' AND deleted_at IS NULL AND (name, id) > ('i-' || lpad(:from::text, 6, '0'), '00000000-0000-0000-0000-000000000000') "
            "ORDER BY name, id LIMIT 100;\nCOMMIT;\n"
        )
        fill = lambda text, role: text.format(most=max(1, credentials - 100), begin=begin(role), organization=organization)
        rows = [("page of 100 under row security / above it", store.bench(fill(page, "patchbay_management"), seconds), store.bench(fill(page, "postgres"), seconds))]
        one = "\\set pick random(0, {most})\n{begin}SELECT id, name, config FROM integration_instances WHERE organization_id = '{organization}' AND name = 'i-' || lpad(:pick::text, 6, '0') AND deleted_at IS NULL;\nCOMMIT;\n"
        rows.append(("one row under row security / above it", store.bench(fill(one, "patchbay_management"), seconds), store.bench(fill(one, "postgres"), seconds)))
        envelope = "gen_random_bytes(72)"
        seal = "BEGIN;\nSET LOCAL search_path = patchbay, public;\nUPDATE integration_instances SET credentials = jsonb_build_object('v', 1, 'key_id', 'bench', 'ct', {value}) WHERE name = 'i-000001';\nROLLBACK;\n"
        sealed = store.bench(seal.format(value=f"patchbay.sealed({envelope}, 'a-key-of-this-bench-and-no-other-0123456789')"), seconds)
        bare = store.bench(seal.format(value=f"translate(encode({envelope}, 'base64'), chr(10), '')"), seconds)
        rows.append(("secret written with pgcrypto / without", sealed, bare))
        return rows
    finally:
        store.close()


def rotation(credentials=100_000, backend="sqlite"):
    """Seconds for the rotation of the data key, and for opening every value as `store verify` does, which reads the same rows."""
    store = Filled(credentials, backend)
    try:
        began = time.perf_counter()
        run = subprocess.run(store.installation.command("key rotate", "--data"), capture_output=True, text=True)
        ours = time.perf_counter() - began
        assert run.returncode == 0, run.stderr[-3000:]
        began = time.perf_counter()
        run = subprocess.run(store.installation.command("store verify", "--output", "json"), capture_output=True, text=True)
        assert run.returncode == 0 and json.loads(run.stdout)["sealed_values"] >= credentials, (run.stdout[-2000:], run.stderr[-2000:])
        return ours, time.perf_counter() - began
    finally:
        store.close()
