"""One store, one organization and one Redmine for the whole run; each test makes objects with names of its own.

The suite runs on SQLite with one server, and on PostgreSQL with two behind a balancer that gives every second request to the other.
"""

import itertools
import os
import threading
import types

import pytest

import judge
from fleet import Fleet
from patchbay import Installation, Peer, stores

_numbers = itertools.count(1)


CLIENTS = ("sync", "async")


def places():
    """The suite runs on each kind of store and with each of the SDK's two clients; every store with every client where
    PATCHBAY_CASES asks for more, since what the two clients send is the same."""
    if float(os.environ.get("PATCHBAY_CASES") or 1) > 1:
        return list(itertools.product(stores(), CLIENTS))
    return list(zip(stores(), itertools.cycle(CLIENTS)))


@pytest.fixture(scope="session", params=places(), ids="-".join)
def place(request):
    """The store and the client of this run."""
    return request.param


@pytest.fixture(scope="session")
def flavour(place):
    return place[1]


@pytest.fixture(scope="session")
def installation(place):
    made = Installation(backend=place[0])
    yield made
    made.close()


@pytest.fixture(scope="session")
def organization(installation):
    """What `patchbay init` printed."""
    return installation.init("Acme")["organization"]


@pytest.fixture(scope="session")
def server(installation, organization):
    running = Fleet(installation, 2) if installation.backend == "postgres" else installation.serve()
    yield running
    assert running.stop() == 0, "serve ends with status 0 on SIGTERM"
    if isinstance(running, Fleet):
        assert not running.balancer.failures, running.balancer.failures
        assert min(running.requests) > 100, f"the load is spread over both: {running.requests}"


@pytest.fixture(scope="session")
def redmine():
    peer = Peer.redmine()
    yield peer.facts
    peer.stop()


@pytest.fixture(scope="session")
def bench(flavour, server, organization):
    made = judge.Bench(server.url, flavour)
    management = made.management(organization["token"]["access"]["secret"])
    for provider in management.capabilities.list_providers(expand=["provider_config"]).result:
        made.schemas[provider.id] = provider.provider_config
    return made


@pytest.fixture(scope="session")
def management(bench, organization):
    """The administrator's client."""
    return bench.management(organization["token"]["access"]["secret"])


@pytest.fixture
def name():
    """A fresh name: name('account') is account-1, account-2, ..."""
    return lambda stem: f"{stem}-{next(_numbers)}"


@pytest.fixture
def account(management, name):
    """An account of this test's own."""
    return management.accounts.create(name=name("account"), fullname="An account").result.account


def mock_config(**members):
    return {"type": "ticketing_mock_ticketing", **members}


def redmine_config(redmine, user=0, **members):
    return {
        "type": "ticketing_redmine", "url": redmine["url"],
        "credential": {"type": "token", "secret": redmine["users"][user]["api_key"]}, **members,
    }


@pytest.fixture
def mock(bench, management, account, name):
    """An integration with the stateful mock, and a client with its token."""
    made = management.integrations.create(account.id, name=name("mock"), provider_config=mock_config()).result
    return types.SimpleNamespace(integration=made.integration, token=made.token, account=account, engine=bench.engine(made.token.access.secret))


@pytest.fixture
def real(bench, management, account, name, redmine):
    """An integration with the real Redmine, and a client with its token."""
    made = management.integrations.create(account.id, name=name("redmine"), provider_config=redmine_config(redmine)).result
    return types.SimpleNamespace(integration=made.integration, token=made.token, account=account, engine=bench.engine(made.token.access.secret))


@pytest.fixture
def refused():
    """`with refused(client, 404, 'not_found'):` the call inside fails with that status and code (None: any code)."""
    class Refusal:
        def __init__(self, client, status, code=None):
            self.client, self.status, self.code = client, status, code

        def __enter__(self):
            return self

        def __exit__(self, kind, error, _trace):
            assert kind is not None, f"the call was not refused; {self.status} was expected"
            if not isinstance(error, self.client.ApiError):
                return False
            assert error.status_code == self.status, f"{error.status_code} instead of {self.status}: {error.body}"
            self.problem = self.client.raw.json()
            if self.code:
                assert self.problem["code"] == self.code, self.problem
            if type(error) is self.client.ApiError:
                raise AssertionError(f"HTTP {self.status} is not one of the SDK's typed errors")
            return True

    return Refusal


def at_once(*calls):
    """Runs the calls at the same time and answers what each returned or raised."""
    results = [None] * len(calls)

    def run(index, call):
        try:
            results[index] = call()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
