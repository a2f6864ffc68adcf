"""Many writers on two servers, and listeners that come back again and again: each is told every change once, in order."""

import random
import threading

import httpx

from fleet import Listener

WRITERS, TURNS, LISTENERS = 6, 12, 3


def test_every_change_is_told_once_and_in_order(installation, fleet, token):
    servers = fleet(2)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    listeners = [Listener(servers.url, token) for _ in range(LISTENERS)]
    made = []

    def write(writer):
        with httpx.Client(base_url=servers.url, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
            for turn in range(TURNS):
                answer = client.post("/v1/accounts", json={"name": f"w{writer}-{turn}"})
                assert answer.status_code == 201, answer.text
                made.append(answer.json()["result"]["account"]["id"])
                # Some listener is cut off at this moment, or none; it comes back to whichever server has its turn.
                if chance.random() < 0.3:
                    chance.choice(listeners).cut.set()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == WRITERS * TURNS
    accounts = lambda changes: [change["id"] for change in changes if change["kind"] == "account"]
    for listener in listeners:
        assert listener.until(lambda changes: set(made) <= set(accounts(changes))), f"seed {seed}: {set(made) - set(accounts(listener.changes))} were never told"
        listener.close()
        told = accounts(listener.changes)
        assert sorted(told) == sorted(made), f"seed {seed}: each once"
        sequences = [change["sequence"] for change in listener.changes]
        assert sequences == sorted(set(sequences)), f"seed {seed}: in order"
        assert listener.gaps == 0, f"seed {seed}: nothing was missed"
    assert sum(listener.connections for listener in listeners) > LISTENERS, "they did come back"
