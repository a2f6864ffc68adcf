"""What a server had under way when it was killed is taken over by another one when the lease ends."""

import sqlite3

import httpx
import pytest

from receiver import Receiver


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.answers.set()
    made.close()


def end_leases(installation):
    """Lets every lease on a delivery end now, in place of the wait."""
    if installation.cluster:
        installation.cluster.sql("UPDATE patchbay.webhook_deliveries SET next_attempt_at = clock_timestamp() - interval '1 second' WHERE state = 'sending'", installation.database)
        return
    with sqlite3.connect(installation.path) as store:
        store.execute("UPDATE webhook_deliveries SET next_attempt_at = '2001-01-01T00:00:00.000000Z' WHERE state = 'sending'")


def test_a_delivery_of_a_killed_server_is_sent_by_another_one(installation, fleet, token, receiver):
    servers = fleet(1)
    headers = {"authorization": f"Bearer {token}"}
    client = httpx.Client(base_url=servers.url, headers=headers, timeout=60)
    hook = client.post("/v1/organization/webhooks", json={"name": "hook", "filters": ["account_create"], "url": receiver.url, "environment": "prod", "secret": {"value": "a-secret-of-this-test"}})
    assert hook.status_code == 201, hook.text
    hook = hook.json()["result"]["id"]
    receiver.answers.clear()
    assert client.post("/v1/accounts", json={"name": "first"}).status_code == 201
    receiver.wait(1)

    servers.kill(0)
    receiver.answers.set()
    end_leases(installation)
    # Something new makes the other server look at once instead of when it thinks that the lease ends.
    assert client.post("/v1/accounts", json={"name": "second"}).status_code == 201
    requests = receiver.wait(3)
    deliveries = [request.headers["x-patchbay-delivery"] for request in requests]
    assert deliveries[0] == deliveries[1] != deliveries[2], "the one under way once more, under its id, and then the next"
    path = f"/v1/x/organization/webhooks/{hook}/deliveries"
    # Written down a moment after it was answered.
    while any(row["state"] not in ("delivered", "failed") for row in client.get(path).json()["result"]):
        pass
    attempts = client.get(f"{path}/{deliveries[0]}").json()["result"]["log"]
    assert [attempt.get("error") is not None for attempt in attempts] == [True, False], f"the lost attempt is in the log: {attempts}"
