"""Servers on one database whose machines do not agree what time it is."""

import datetime
import time

import httpx
import pytest

import clock
from patchbay import stores
from receiver import Receiver

postgres = pytest.mark.parametrize("installation", [one for one in stores() if one == "postgres"], indirect=True)

HOOK = {"filters": ["account_create"], "environment": "prod", "secret": {"value": "a-secret-of-this-test"}}


@pytest.fixture
def receivers():
    made = [Receiver(), Receiver()]
    yield made
    for one in made:
        one.answers.set()
        one.close()


@pytest.fixture
def serve(installation):
    """`serve(seconds)` starts a server whose clock is so far ahead; each must end in good order, but those that were killed."""
    started = []

    def start(seconds=0):
        started.append(installation.serve(environment=clock.ahead(seconds)))
        return started[-1]

    yield start
    for one in started:
        if one.child.poll() is None:
            assert one.stop() == 0, "".join(one.log[-30:])


def client(server, token):
    return httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}, timeout=60)


def made(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]


def lease(installation, hook, ends):
    """Has the lease on what is under way to a webhook end at another time, told by the database's clock."""
    installation.cluster.sql(
        f"UPDATE patchbay.webhook_deliveries SET next_attempt_at = clock_timestamp() + interval '{ends}' WHERE state = 'sending' AND webhook_id = '{hook}'", installation.database,
    )


@postgres
@pytest.mark.parametrize("seconds", [600, -600])
def test_a_lease_is_no_longer_and_no_shorter_for_a_server_with_another_clock(installation, token, serve, receivers, seconds):
    held, witness = receivers
    right = serve()
    api = client(right, token)
    hook = made(api.post("/v1/organization/webhooks", json={**HOOK, "name": "held", "url": held.url}))["id"]
    made(api.post("/v1/organization/webhooks", json={**HOOK, "name": "witness", "url": witness.url}))
    held.answers.clear()
    made(api.post("/v1/accounts", json={"name": "first"}))
    held.wait(1)
    # Written down a moment after it was answered.
    while installation.cluster.sql("SELECT count(*) FROM patchbay.webhook_deliveries WHERE state = 'delivered'", installation.database) != "1":
        time.sleep(0.05)
    # Who holds the lease is gone, and it lives for five minutes more: half of what the clocks differ by.
    right.kill()
    lease(installation, hook, "5 minutes")

    api = client(serve(seconds), token)
    for turn in range(3):
        # What comes to the witness is sent by this server, which looks at both webhooks every time.
        made(api.post("/v1/accounts", json={"name": f"meanwhile-{turn}"}))
        witness.wait(turn + 2)
    assert len(held.requests) == 1, "a lease that lives is another's, however late this server thinks it is"

    lease(installation, hook, "-1 seconds")
    held.answers.set()
    made(api.post("/v1/accounts", json={"name": "at-last"}))
    requests = held.wait(6)
    names = [request.headers["x-patchbay-delivery"] for request in requests]
    assert names[0] == names[1], "a lease that has ended is nobody's, however early this server thinks it is"
    assert len(set(names[1:])) == 5, "and each of the others came once"


@postgres
@pytest.mark.parametrize("seconds", [120, -120])
def test_what_one_server_issues_the_other_takes(installation, token, serve, seconds):
    one, other = client(serve(), token), client(serve(seconds), token)
    account = made(one.post("/v1/accounts", json={"name": "globex"}))["account"]["id"]
    integration = made(other.post(f"/v1/integrations/{account}", json={"name": "tickets", "provider_config": {"type": "ticketing_mock_ticketing"}}))["integration"]["id"]
    for here, there in ((one, other), (other, one)):
        # The shortest that there are live for ten minutes.
        short = made(here.post(f"/v1/tokens/{account}/{integration}", json={}))["secret"]
        answer = there.get("/v1/ticketing/tickets", headers={"authorization": f"Bearer {short}"})
        assert answer.status_code == 200, answer.text
        pair = made(here.post("/v1/tokens", json={"resources": {}, "permission_set": "viewer"}))
        access, refresh = (pair["primary"][half]["secret"] for half in ("access", "refresh"))
        assert there.get("/v1/accounts", headers={"authorization": f"Bearer {access}"}).status_code == 200
        answer = there.put(f"/v1/tokens/{pair['id']}/refresh", headers={"authorization": f"Bearer {refresh}"})
        assert answer.status_code == 200, answer.text
        assert here.get("/v1/accounts", headers={"authorization": f"Bearer {answer.json()['result']['primary']['access']['secret']}"}).status_code == 200
        # A deletion here is undone there.
        gone = here.delete(f"/v1/accounts/{account}")
        assert gone.status_code == 204, gone.text
        assert there.post(f"/v1/x/deletions/{gone.headers['x-patchbay-deletion']}/undo").status_code == 204
        assert here.get(f"/v1/accounts/{account}").status_code == 200


@postgres
def test_the_clock_of_a_program_is_the_one_that_it_was_given(installation, token, serve):
    right, ahead = (client(serve(seconds), token) for seconds in (0, 3600))
    times = [datetime.datetime.fromisoformat(made(api.post("/v1/accounts", json={"name": name}))["account"]["created_at"]) for name, api in (("now", right), ("later", ahead))]
    assert datetime.timedelta(minutes=59) < times[1] - times[0] < datetime.timedelta(minutes=61)
