"""A million integrations in a hundred thousand accounts: lists and single creates through the Management API against the bare SQL
on the same file, and an import of a hundred thousand integrations against the bare inserts of their rows."""

import itertools
import json
import random
import sqlite3
import subprocess
import time
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import httpx

import latency
from patchbay import Installation

INTEGRATIONS = 1_000_000
ACCOUNTS = 100_000
PROVIDERS = ["ticketing_mock_ticketing", "ticketing_jira", "ticketing_redmine"]
PAGE = 100


class Volume:
    """A store that the API began and SQL multiplied: every copy is a row like any other."""

    def __init__(self, integrations=INTEGRATIONS, accounts=ACCOUNTS):
        self.integrations, self.accounts = integrations, accounts
        self.installation = Installation()
        self.token = self.installation.init("Bench")["organization"]["token"]["access"]["secret"]
        self.bearer = {"Authorization": f"Bearer {self.token}"}
        server = self.serve()
        with httpx.Client(base_url=server.url, headers=self.bearer) as client:
            account = client.post("/v1/accounts", json={"name": "first"}).raise_for_status().json()["result"]["account"]["id"]
            for provider, config in zip(PROVIDERS, ({}, jira(), redmine())):
                body = {"name": provider.replace("_", "-"), "provider_config": {"type": provider, **config}}
                client.post(f"/v1/integrations/{account}", json=body).raise_for_status()
        assert server.stop() == 0
        self._multiply()

    def serve(self):
        return self.installation.serve(private_networks=False)

    def bare(self):
        """The same file without Patchbay, as durable as Patchbay writes it."""
        connection = sqlite3.connect(self.installation.path, isolation_level=None, timeout=30)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        return connection

    def _multiply(self):
        store = sqlite3.connect(self.installation.path, isolation_level=None)
        store.execute("PRAGMA synchronous = OFF")
        indexes = [row[0] for row in store.execute(
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('accounts', 'integration_instances')")]
        names = [row[0] for row in store.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('accounts', 'integration_instances')")]
        columns = lambda table: [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
        rows = lambda table: [dict(zip(columns(table), row)) for row in store.execute(f"SELECT * FROM {table}")]
        account, originals = rows("accounts")[0], rows("integration_instances")
        store.execute("BEGIN")
        for name in names:
            store.execute(f"DROP INDEX {name}")

        def copies(table, rows):
            store.executemany(f"INSERT INTO {table} ({', '.join(columns(table))}) VALUES ({', '.join('?' * len(columns(table)))})", (list(row.values()) for row in rows))

        dice = random.Random(1)
        begun = datetime(2024, 1, 1, tzinfo=timezone.utc)
        fresh = lambda: uuid.UUID(int=dice.getrandbits(128), version=4).bytes
        accounts = [fresh() for _ in range(self.accounts - 1)]
        copies("accounts", ({**account, "id": id_, "name": f"customer-{number:06}", "fullname": f"Customer {number}", "external_id": f"customer-{number:06}"}
                            for number, id_ in enumerate(accounts)))
        accounts.append(account["id"])

        def integrations():
            for number in range(self.integrations - len(originals)):
                name = f"i-{dice.randrange(10**9):09}-{number}"
                at = (begun + timedelta(seconds=dice.randrange(60 * 10**6), microseconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                status = "needs_attention" if number % 50 == 0 else "active"
                yield {**originals[number % len(originals)], "id": fresh(), "account_id": accounts[number % self.accounts], "name": name, "fullname": name,
                       "status": status, "status_cause": "provider_unreachable" if status == "needs_attention" else None, "created_at": at, "updated_at": at}

        copies("integration_instances", integrations())
        for index in indexes:
            store.execute(index)
        store.execute("COMMIT")
        store.execute("ANALYZE")
        store.close()

    def close(self):
        self.installation.close()


def jira():
    return {"url": "https://example.atlassian.net", "credential": {"type": "basic", "username": "bench", "secret": "bench-secret"}}


def redmine():
    return {"url": "https://redmine.example.com", "credential": {"type": "token", "secret": "bench-secret"}}


# What is listed: the query through the API, and the same as conditions and an order in SQL.
LISTS = {
    "all, by name": ("order=name", "", "name", "asc"),
    "one provider, by name descending": ("filter=provider_type[eq]ticketing_jira&order=name[desc]", "provider = 'ticketing_jira'", "name", "desc"),
    "needing attention, by name": ("filter=status[eq]needs_attention&order=name", "status = 'needs_attention'", "name", "asc"),
    "all, newest first": ("order=created_at[desc]", "", "created_at", "desc"),
}


def lists(volume, count=200):
    """Per list and page (what, through the API, bare SQL): medians in seconds."""
    server = volume.serve()
    connection = latency.Connection(server.url, volume.bearer)
    bare = volume.bare()
    organization = bare.execute("SELECT id FROM organizations").fetchone()[0]
    measured = []
    for what, (query, condition, key, direction) in LISTS.items():
        beyond, back = (">", "DESC") if direction == "asc" else ("<", "ASC")
        where = f"organization_id = ? AND deleted_at IS NULL{' AND ' + condition if condition else ''}"
        columns = "id, organization_id, account_id, integration_id, name, fullname, provider, connector, integration_point_id, status, status_cause, status_since, " \
                  "config, webhook_config, refresh_token_id, last_used_at, last_connected_at, created_at, updated_at"
        first = f"SELECT {columns} FROM integration_instances WHERE {where} ORDER BY {key} {direction}, id {direction} LIMIT {PAGE + 1}"
        behind = f"SELECT {columns} FROM integration_instances WHERE {where} AND ({key}, id) {beyond} (?, ?) ORDER BY {key} {direction}, id {direction} LIMIT {PAGE + 1}"
        before_last = bare.execute(f"SELECT {key}, id FROM integration_instances WHERE {where} ORDER BY {key} {back}, id {back} LIMIT 1 OFFSET {PAGE}", (organization,)).fetchone()
        after = quote(f"{before_last[0]},{uuid.UUID(bytes=before_last[1])}")
        path = f"/v1/integrations?limit={PAGE}&" + query.replace("[", "%5B").replace("]", "%5D")
        for page, request, sql, values in (
            ("first page", connection.request(path), first, (organization,)),
            ("last page", connection.request(f"{path}&start_after={after}"), behind, (organization, *before_last)),
        ):
            def through_the_api(request=request):
                status, body = connection.exchange(request)
                assert status == 200, body
                return body

            def bare_sql(sql=sql, values=values):
                return bare.execute(sql, values).fetchall()

            ids = [row["id"] for row in json.loads(through_the_api())["result"]]
            assert ids == [str(uuid.UUID(bytes=row[0])) for row in bare_sql()][:PAGE] and len(ids) == PAGE, f"{what}, {page}: not the same rows"
            measured.append((f"{what}, {page}", *latency.interleaved([through_the_api, bare_sql], count)))
    bare.close()
    connection.close()
    assert server.stop() == 0
    return measured


def creates(volume, count=200):
    """Per noun (what, through the API, bare insert as durable): medians in seconds."""
    server = volume.serve()
    connection = latency.Connection(server.url, volume.bearer)
    bare = volume.bare()
    numbers = itertools.count()
    measured = []
    for what, table, path, body in (
        ("account", "accounts", "/v1/accounts", {}),
        ("integration", "integration_instances", "/v1/integrations/first", {"provider_config": {"type": "ticketing_mock_ticketing"}}),
    ):
        names = [row[1] for row in bare.execute(f"PRAGMA table_info({table})")]
        original = dict(zip(names, bare.execute(f"SELECT * FROM {table} WHERE name = ?", ("first" if table == "accounts" else "ticketing-mock-ticketing",)).fetchone()))
        insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"

        def through_the_api(path=path, body=body):
            status, answer = connection.exchange(connection.post(path, json.dumps({"name": f"made-{next(numbers)}", **body}).encode()))
            assert status == 201, answer

        def bare_insert(insert=insert, original=original):
            name = f"bare-{next(numbers)}"
            bare.execute(insert, list({**original, "id": uuid.uuid4().bytes, "name": name, **({"external_id": name} if "external_id" in original else {})}.values()))

        measured.append((f"one {what}", *latency.interleaved([through_the_api, bare_insert], count)))
    bare.close()
    connection.close()
    assert server.stop() == 0
    return measured


# The tables that an import writes, parents first.
WRITTEN = ["accounts", "integration_instances", "token_containers", "token_secrets", "audit_events", "changes"]


def imports(integrations=100_000, accounts=10_000, batch=500):
    """Seconds for an import through the program, and for the bare inserts of all its rows in batches of the same size."""
    installation = Installation()
    installation.init("Bench")
    empty = installation.folder / "empty.db"
    with sqlite3.connect(installation.path) as store:
        store.execute("VACUUM INTO ?", (str(empty),))
    lines = installation.folder / "lines.jsonl"
    with lines.open("w") as file:
        for number in range(accounts):
            file.write(json.dumps({"account": {"name": f"customer-{number:06}", "environment": "prod"}}) + "\n")
        for number in range(integrations):
            body = {"account": f"customer-{number % accounts:06}", "name": f"i-{number:06}", "provider_config": {"type": "ticketing_mock_ticketing"}}
            file.write(json.dumps({"integration": body}) + "\n")
    started = time.perf_counter()
    run = subprocess.run(installation.command("import", str(lines)), capture_output=True, text=True, check=True)
    ours = time.perf_counter() - started
    told = run.stderr.splitlines()
    assert len(told) >= min(ours - 2, 3), f"progress was told {len(told)} times in {ours:.0f} s"

    source = sqlite3.connect(installation.path)
    bare = sqlite3.connect(empty, isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    rows = {}
    for table in WRITTEN:
        old = bare.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        rows[table] = source.execute(f"SELECT * FROM {table} ORDER BY rowid LIMIT -1 OFFSET {old}").fetchall()
    batches = -(-(accounts + integrations) // batch)
    started = time.perf_counter()
    for number in range(batches):
        bare.execute("BEGIN IMMEDIATE")
        for table in WRITTEN:
            part = rows[table][len(rows[table]) * number // batches : len(rows[table]) * (number + 1) // batches]
            if part:
                bare.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(part[0]))})", part)
        bare.execute("COMMIT")
    reference = time.perf_counter() - started
    bare.close()
    source.close()
    installation.close()
    return ours, reference, told[len(told) // 2]
