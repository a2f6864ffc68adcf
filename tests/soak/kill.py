#!/usr/bin/env python3
"""Kills `patchbay serve` with SIGKILL under write load, again and again:  tests/soak/kill.py [KILLS]

After every kill the store must verify clean, the server must start, and every write that was acknowledged must be there,
whole: an account with its members, an integration with its token container, a deletion as a deletion. A write that was
under way may be there or not, but never by half.
"""

import pathlib
import random
import sys
import threading
import time

import httpx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
from patchbay import Installation  # noqa: E402

WRITERS = 6


class Ledger:
    """What was acknowledged: the state that every object must have."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accounts = {}
        self.integrations = {}
        self.deleted = set()
        self.writes = 0

    def note(self, change):
        with self.lock:
            change()
            self.writes += 1


def write(url, token, ledger, stop, seed):
    """Creates, renames, connects and deletes until the server is gone."""
    dice = random.Random(seed)
    mine = []
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10) as client:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                answer = client.post("/v1/accounts", json={"name": f"a-{seed}-{number}", "labels": ["soak"]})
                if answer.status_code != 201:
                    continue
                account = answer.json()["result"]["account"]["id"]
                ledger.note(lambda: ledger.accounts.__setitem__(account, f"a-{seed}-{number}"))
                mine.append(account)
                if dice.random() < 0.5:
                    # The new name counts once it is acknowledged; until then both are right.
                    ledger.note(lambda: ledger.accounts.__setitem__(account, None))
                    answer = client.patch(f"/v1/accounts/{account}", json=[{"op": "replace", "path": "/fullname", "value": f"Renamed {number}"}])
                    if answer.status_code == 200:
                        ledger.note(lambda: ledger.accounts.__setitem__(account, f"Renamed {number}"))
                if dice.random() < 0.5:
                    answer = client.post(f"/v1/integrations/{account}", json={"provider_config": {"type": "ticketing_mock_ticketing"}})
                    if answer.status_code == 201:
                        made = answer.json()["result"]["integration"]
                        ledger.note(lambda: ledger.integrations.__setitem__(made["id"], (account, made["refresh_token_id"])))
                if dice.random() < 0.2:
                    gone = mine.pop(dice.randrange(len(mine)))
                    with ledger.lock:  # from here on it may be there or not
                        ledger.accounts.pop(gone, None)
                        for key in [key for key, (owner, _) in ledger.integrations.items() if owner == gone]:
                            del ledger.integrations[key]
                    if client.delete(f"/v1/accounts/{gone}").status_code == 204:
                        ledger.note(lambda: ledger.deleted.add(gone))
            except (httpx.HTTPError, OSError):
                if stop.wait(0.02):
                    return


def check(url, token, ledger):
    """Every acknowledged write, read back."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        there, start = {}, None
        while True:
            page = client.get("/v1/accounts", params={"limit": 500, **({"start_after": start} if start else {})}).raise_for_status().json()["result"]
            there.update({row["id"]: row for row in page})
            if len(page) < 500:
                break
            start = page[-1]["name"]
        for account, name in ledger.accounts.items():
            assert account in there, f"the account {account} was acknowledged and is gone"
            row = there[account]
            assert row["labels"] == ["soak"], row
            assert name is None or name in (row["name"], row["fullname"]), f"{row} is not what was acknowledged: {name}"
        for account in ledger.deleted:
            assert account not in there, f"the deletion of {account} was acknowledged, and it is there"
        for integration, (account, container) in ledger.integrations.items():
            assert client.get(f"/v1/integrations/{account}/{integration}").status_code == 200, f"the integration {integration} was acknowledged and is gone"
            assert client.get(f"/v1/tokens/{container}/info").status_code == 200, f"the integration {integration} lost its tokens"
    # Later rounds check what they wrote themselves; all of it again would make the rounds longer and longer.
    ledger.integrations.clear()


def main(kills):
    installation = Installation()
    token = installation.init("Soak")["organization"]["token"]["access"]["secret"]
    ledger = Ledger()
    for round_ in range(1, kills + 1):
        server = installation.serve(private_networks=False)
        stop = threading.Event()
        before = ledger.writes
        writers = [threading.Thread(target=write, args=(server.url, token, ledger, stop, round_ * 100 + number)) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(random.uniform(0.3, 1.5))
        server.kill()
        stop.set()
        for writer in writers:
            writer.join()
        written = ledger.writes - before
        assert written, f"round {round_}: nothing was written before the kill"
        verified = installation.run("store verify", check=False)
        assert verified.returncode == 0, f"round {round_}: store verify is not clean\n{verified.stdout}{verified.stderr}"
        server = installation.serve(private_networks=False)
        check(server.url, token, ledger)
        assert server.stop() == 0
        print(f"kill {round_:3}: {written} writes acknowledged, all there; store verify clean", flush=True)
    print(f"{kills} kills, {ledger.writes} acknowledged writes, 0 lost")
    installation.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
