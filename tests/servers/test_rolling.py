"""Two servers behind a balancer are restarted in turn under constant load, and not one request fails."""

import itertools
import os
import threading

import httpx
from synqly.engine.client import SynqlyEngine
from synqly.management.client import SynqlyManagement

from fleet import Listener

WRITERS = 4
# How often each server is restarted.
RESTARTS = int(os.environ.get("PATCHBAY_RESTARTS", "2"))


class Load:
    """Programs that use the unmodified SDK, each with a client of its own that tries nothing twice."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.stop = threading.Event()
        self.failures = []
        self.made = []
        self.threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def _work(self, writer):
        management = SynqlyManagement(base_url=self.url, token=self.token, max_retries=0, timeout=60)
        try:
            account = management.accounts.create(name=f"writer-{writer}").result.account
            self.made.append(account.name)
            made = management.integrations.create(account.id, name="tickets", provider_config={"type": "ticketing_mock_ticketing"}).result
            engine = SynqlyEngine(base_url=self.url, token=made.token.access.secret, max_retries=0, timeout=60)
            for turn in itertools.count():
                if self.stop.is_set():
                    return
                created = management.accounts.create(name=f"w{writer}-{turn}").result.account
                self.made.append(created.name)
                assert management.accounts.get(created.id).result.name == created.name, "what was just made is read, whichever server is asked"
                management.accounts.patch(created.id, request=[{"op": "replace", "path": "/fullname", "value": f"Turn {turn}"}])
                ticket = engine.ticketing.create_ticket(name=f"t{turn}", summary="Under load", priority="HIGH").result
                assert engine.ticketing.get_ticket(ticket.id).result.summary == "Under load"
                assert len(management.accounts.list(limit=5).result) > 0
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test is about
            self.failures.append(f"writer {writer}: {type(error).__name__}: {error}")

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(120)


def test_no_request_fails_while_servers_are_restarted(fleet, token):
    servers = fleet(2, drain=1)
    listener = Listener(servers.url, token)
    load = Load(servers.url, token)
    generations = []
    for index in [0, 1] * RESTARTS:
        # Each generation must have worked before the next one takes over.
        before = len(load.made)
        while len(load.made) < before + 2 * WRITERS and not load.failures:
            threading.Event().wait(0.02)
        generations.append(servers.balancer.requests())
        assert servers.restart(index) == 0, "".join(servers.log[-30:])
    load.end()
    assert not load.failures, load.failures
    assert not servers.balancer.failures, servers.balancer.failures
    assert all(min(counts) > 0 for counts in generations), f"the load is spread over both: {generations}"

    accounts = everything(servers.url, token, "/v1/accounts")
    names = sorted(load.made)
    assert len(set(names)) == len(names)
    assert sorted(row["name"] for row in accounts) == names, "each account is there once"
    rows = everything(servers.url, token, "/v1/audit/organizations")
    assert sum(row["x_patchbay"]["operation"] == "accounts.create" for row in rows) == len(names), "and has one audit row"

    ids = {row["id"] for row in accounts}
    made = lambda changes: [change["id"] for change in changes if change["kind"] == "account"]
    assert listener.until(lambda changes: ids <= set(made(changes))), "a listener has seen every account"
    listener.close()
    sequences = [change["sequence"] for change in listener.changes]
    assert sequences == sorted(set(sequences)), "each change once, in order"
    assert listener.gaps == 0 and listener.connections > 1, f"{listener.gaps} gaps over {listener.connections} connections"


def everything(url, token, path):
    """All pages of a list."""
    rows, after = [], None
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
        while True:
            answer = client.get(path, params={"limit": 500, **({"start_after": after} if after else {})})
            answer.raise_for_status()
            rows += answer.json()["result"]
            after = answer.headers.get("x-next-start-after")
            if not after:
                return rows
