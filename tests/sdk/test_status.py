"""Sums, events and time series of calls."""

import datetime

import pytest

from conftest import mock_config


@pytest.fixture
def told(management, server):
    """`told(integration)`: what was called so far is counted. Each server writes its own counts when it is asked, so each is."""
    def ask(account, integration):
        for _ in range(getattr(server, "count", 1)):
            management.status.get(account, integration)

    return ask


def test_an_integration_that_was_never_called_has_zeros(management, mock):
    status = management.status.get(mock.account.id, mock.integration.id).result
    assert (status.account_id, status.integration_id, status.status) == (mock.account.id, mock.integration.id, "active")
    assert (status.requests, status.failed, status.cpu_time, status.db_ops, status.api_ops, status.in_bytes, status.out_bytes) == (0,) * 7
    assert management.status.list_events(mock.account.id, mock.integration.id).result == []
    assert all(point.succeeded == point.failed == 0 for point in management.status.get_integration_timeseries(mock.account.id, mock.integration.id).result.series)


def test_calls_are_counted(management, mock, told):
    mock.engine.ticketing.create_ticket(name="one", project="DEMO", summary="One", description="x" * 1000)
    for _ in range(2):
        mock.engine.ticketing.query_tickets(limit=5)
    with pytest.raises(mock.engine.ApiError):
        mock.engine.ticketing.get_ticket("no-such-ticket")
    told(mock.account.id, mock.integration.id)
    status = management.status.get(mock.account.name, mock.integration.name).result
    assert (status.requests, status.failed) == (4, 1)
    assert status.cpu_time > 0 and status.db_ops >= 4 and status.api_ops >= 4 and status.out_bytes > 1000 and status.in_bytes > 1000, status
    assert status.updated_at >= status.created_at
    hour = management.status.get_integration_timeseries(mock.account.id, mock.integration.id, interval="hour").result
    assert (len(hour.series), hour.interval, hour.end_time - hour.start_time) == (24, "1h", datetime.timedelta(hours=24))
    assert [sum(getattr(point, field) for point in hour.series) for field in ("succeeded", "failed", "in_bytes")] == [3, 1, status.in_bytes]
    gaps = {later.created_at - earlier.created_at for earlier, later in zip(hour.series, hour.series[1:])}
    assert gaps == {datetime.timedelta(hours=1)}
    whole = management.status.get_timeseries().result
    assert (len(whole.series), whole.interval) == (60, "1m")
    assert sum(point.succeeded for point in whole.series) >= 3


def test_intervals(management, mock, refused):
    for interval, points in [("minute", 60), ("hour", 24), ("day", 7)]:
        series = management.status.get_integration_timeseries(mock.account.id, mock.integration.id, interval=interval).result
        assert len(series.series) == points
    with refused(management, 400, "invalid_field"):
        management.status.get_integration_timeseries(mock.account.id, mock.integration.id, interval="century")


def test_lists_page_and_expand(management, account, name):
    made = [management.integrations.create(account.id, name=name("many"), provider_config=mock_config()).result.integration.id for _ in range(5)]
    mine = [f"account_id[eq]{account.id}"]
    whole = [row.integration_id for row in management.status.list(filter=mine).result]
    assert sorted(whole) == sorted(made) and whole == sorted(whole)
    seen, after = [], None
    while True:
        rows = management.status.list(filter=mine, limit=2, start_after=after).result
        seen.extend(row.integration_id for row in rows)
        if len(rows) < 2:
            break
        after = f"{rows[-1].account_id},{rows[-1].integration_id}"
    assert seen == whole
    for expand, account_there, integration_there in [(["account"], True, False), (["accounts"], True, False), (["integration"], False, True), (["all"], True, True), (None, False, False)]:
        [row] = management.status.list(filter=[*mine, f"integration_id[eq]{made[0]}"], expand=expand).result
        assert (row.account is not None, row.integration is not None) == (account_there, integration_there), expand
    assert management.status.list(filter=[*mine, "requests[gt]0"]).result == []
    assert [row.integration_id for row in management.status.list(filter=mine, order="integration_id[desc]").result] == whole[::-1]


def test_events_tell_failures_and_recoveries(management, real, redmine, told, server):
    management.integrations.get(real.account.id, real.integration.id)
    credential = management.raw.json()["result"]["provider_config"]["credential"]["value"]
    owner = management.credentials.lookup(credential).result.integration_id or real.account.id
    real.engine.ticketing.query_tickets(limit=1)

    def enter(secret):
        management.credentials.patch(owner, credential, request=[{"op": "replace", "path": "/config/secret", "value": secret}])

    enter("0" * 40)
    for _ in range(3):
        with pytest.raises(real.engine.ApiError):
            real.engine.ticketing.query_tickets(limit=1)
    enter(redmine["users"][0]["api_key"])
    for _ in range(2):
        real.engine.ticketing.query_tickets(limit=1)
    told(real.account.id, real.integration.id)
    events = management.status.list_events(real.account.id, real.integration.id).result
    assert [event.error is not None for event in events] == [True, False], events
    alone = getattr(server, "count", 1) == 1
    # How many calls the other server has had by then, none of the two knows.
    assert not alone or [event.request for event in events] == [2, 5], events
    assert [event.created_at for event in events] == sorted(event.created_at for event in events)
    newest = management.status.list_events(real.account.id, real.integration.id, order="created_at[desc]", limit=1).result
    assert [(event.request, event.created_at) for event in newest] == [(events[-1].request, events[-1].created_at)]
    status = management.status.get(real.account.id, real.integration.id).result
    assert (status.requests, status.failed, status.status) == (6, 3, "active")
    management.status.reset(real.account.id, real.integration.id)
    status = management.status.get(real.account.id, real.integration.id).result
    assert (status.requests, status.failed, status.api_ops) == (0, 0, 0)
    assert management.status.list_events(real.account.id, real.integration.id).result == []


def test_a_narrowed_caller_sees_its_own_accounts(bench, management, mock, account, name, refused):
    other = management.accounts.create(name=name("other")).result.account
    foreign = management.integrations.create(other.id, name=name("foreign"), provider_config=mock_config()).result.integration
    mock.engine.ticketing.query_tickets(limit=1)
    token = management.tokens.create_token(name=name("narrow"), resources={"accounts": {"ids": [other.id]}}, permission_set="account-manager").result
    narrow = bench.management(token.primary.access.secret)
    assert {row.account_id for row in narrow.status.list().result} == {other.id}
    assert sum(point.succeeded for point in narrow.status.get_timeseries().result.series) == 0, "the calls of other accounts are not in the sums"
    assert narrow.status.get(other.id, foreign.id).result.requests == 0
    narrow.status.reset(other.id, foreign.id)
    for call in (
        lambda: narrow.status.get(mock.account.id, mock.integration.id),
        lambda: narrow.status.reset(mock.account.id, mock.integration.id),
        lambda: narrow.status.list_events(mock.account.id, mock.integration.id),
        lambda: narrow.status.get_integration_timeseries(mock.account.id, mock.integration.id),
    ):
        with refused(narrow, 404, "not_found"):
            call()
    viewer = bench.management(management.tokens.create_token(name=name("viewer"), resources={"accounts": {"ids": ["*"]}}, permission_set="viewer").result.primary.access.secret)
    with refused(viewer, 403, "permission_denied"):
        viewer.status.reset(mock.account.id, mock.integration.id)
