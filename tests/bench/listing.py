"""One page of 100 integrations out of 100,000: the Management API against the bare SQL on the same file."""

import json
import random
import sqlite3
import uuid

import httpx

import latency
from patchbay import Installation

INTEGRATIONS = 100_000
ACCOUNTS = 1_000


def seed(path):
    """Multiplies the one account and the one integration that the API made: every copy is a row like any other."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA synchronous = OFF")
    columns = lambda table: [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
    row = lambda table: dict(zip(columns(table), store.execute(f"SELECT * FROM {table}").fetchone()))
    account, integration = row("accounts"), row("integration_instances")
    as_text = isinstance(account["id"], str)
    fresh = lambda: str(uuid.uuid4()) if as_text else uuid.uuid4().bytes

    def copies(table, original, changes):
        names = list(original)
        store.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            ([{**original, **change}[name] for name in names] for change in changes),
        )

    store.execute("BEGIN")
    accounts = [fresh() for _ in range(ACCOUNTS - 1)]
    key = [name for name in account if name in ("name", "name_key", "external_id", "fullname", "slug")]
    copies("accounts", account, ({"id": id_, **{name: f"customer-{number:05}" for name in key}} for number, id_ in enumerate(accounts)))
    accounts.append(account["id"])
    key = [name for name in integration if name in ("name", "name_key", "fullname", "slug")]
    copies(
        "integration_instances", integration,
        ({"id": fresh(), "account_id": accounts[number % ACCOUNTS], **{name: f"i-{number:06}" for name in key}} for number in range(INTEGRATIONS - 1)),
    )
    store.execute("COMMIT")
    store.execute("ANALYZE")
    store.close()


def measure(count=300):
    """Answers (through the API, bare SQL), medians in seconds."""
    installation = Installation()
    token = installation.init("Bench")["organization"]["token"]["access"]["secret"]
    bearer = {"Authorization": f"Bearer {token}"}
    server = installation.serve(private_networks=False)
    with httpx.Client(base_url=server.url, headers=bearer) as client:
        account = client.post("/v1/accounts", json={"name": "first"}).raise_for_status().json()["result"]["account"]["id"]
        client.post(f"/v1/integrations/{account}", json={"name": "first", "provider_config": {"type": "ticketing_mock_ticketing"}}).raise_for_status()
    assert server.stop() == 0
    seed(installation.path)
    server = installation.serve(private_networks=False)
    connection = latency.Connection(server.url, bearer)
    bare = sqlite3.connect(installation.path)
    organization = bare.execute("SELECT id FROM organizations").fetchone()[0]
    dice = random.Random(1)
    starts = [f"i-{dice.randrange(INTEGRATIONS - 200):06}" for _ in range(500)]

    def through_the_api():
        status, body = connection.exchange(connection.request(f"/v1/integrations?limit=100&start_after={dice.choice(starts)}"))
        assert status == 200, body
        return body

    def bare_sql():
        rows = bare.execute(
            "SELECT * FROM integration_instances WHERE organization_id = ? AND deleted_at IS NULL AND name > ? ORDER BY name, id LIMIT 100", (organization, dice.choice(starts))
        ).fetchall()
        assert len(rows) == 100
        return rows

    page = json.loads(through_the_api())["result"]
    assert len(page) == 100 and page[0]["name"].startswith("i-"), page[:1]
    medians = latency.interleaved([through_the_api, bare_sql], count)
    bare.close()
    connection.close()
    server.stop()
    installation.close()
    return medians
