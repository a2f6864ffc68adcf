import datetime
import time

import pytest

from conftest import at_once


def adhoc(management, name, **members):
    members = {"resources": {"accounts": {"ids": ["*"]}}, "permission_set": "administrator", "token_ttl": "1h", **members}
    return management.tokens.create_token(name=name("token"), **members).result


def test_the_administrators_own_container(management, organization):
    container = management.tokens.get(management.organization.get().result.refresh_token_id).result
    assert container.owner_id == organization["id"]
    assert container.owner_type == "organization"
    # Secrets are shown once, when they are made.
    assert container.primary.access.secret == "" and container.primary.refresh.secret == ""
    assert organization["token"]["access"]["secret"] not in management.raw.text


def test_list_shows_no_secret(management, name):
    made = adhoc(management, name)
    rows = management.tokens.list(filter=f"name[eq]{made.name}").result
    assert [row.id for row in rows] == [made.id]
    assert made.primary.access.secret not in management.raw.text
    assert made.primary.refresh.secret not in management.raw.text


def test_an_integration_token_is_single_and_short(management, bench, mock):
    made = management.tokens.create_integration_token(mock.account.id, mock.integration.id)
    lifetime = made.result.expires - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=9) < lifetime <= datetime.timedelta(minutes=10, seconds=5)
    assert bench.engine(made.result.secret).ticketing.list_projects()
    long = management.tokens.create_integration_token(mock.account.name, mock.integration.name, token_ttl="2h").result
    assert long.expires - datetime.datetime.now(datetime.timezone.utc) > datetime.timedelta(hours=1, minutes=59)


@pytest.mark.parametrize("ttl", ["soon", "-1h", "10", "1000000h", "0s"])
def test_bad_lifetimes(management, mock, refused, ttl):
    with refused(management, 400):
        management.tokens.create_integration_token(mock.account.id, mock.integration.id, token_ttl=ttl)


def test_refresh_keeps_the_old_pair_until_it_is_removed(management, bench, name, refused):
    made = adhoc(management, name)
    refreshed = bench.management(made.primary.refresh.secret).tokens.refresh(made.id).result
    assert refreshed.id == made.id
    assert refreshed.primary.access.secret not in ("", made.primary.access.secret)
    for secret in (made.primary.access.secret, refreshed.primary.access.secret):
        bench.management(secret).organization.get()
    management.tokens.remove_secondary(made.id)
    assert management.raw.status_code == 204
    with refused(old := bench.management(made.primary.access.secret), 401):
        old.organization.get()
    bench.management(refreshed.primary.access.secret).organization.get()
    assert management.tokens.get(made.id).result.secondary is None


def test_a_refresh_secret_opens_nothing_else(management, bench, name, mock, refused):
    made, other = adhoc(management, name), adhoc(management, name)
    client = bench.management(made.primary.refresh.secret)
    for call in (
        client.organization.get, client.accounts.list, client.tokens.list, lambda: client.tokens.get(made.id), lambda: client.tokens.delete(made.id),
        lambda: client.tokens.rotate(made.owner_id, made.id), lambda: client.accounts.create(name="x"),
    ):
        with refused(client, 403, "wrong_token_kind"):
            call()
    try:
        client.tokens.refresh(other.id)
    except client.ApiError as error:
        assert error.status_code in (403, 404), error.body
    else:
        raise AssertionError("one container's refresh secret refreshed another container")
    engine = bench.engine(mock.token.refresh.secret)
    with refused(engine, 403, "wrong_token_kind"):
        engine.ticketing.list_projects()


def test_an_access_secret_does_not_refresh(management, bench, mock, refused):
    engine_token = bench.management(mock.token.access.secret)
    with refused(engine_token, 403, "wrong_token_kind"):
        engine_token.tokens.refresh(mock.integration.refresh_token_id)


def test_an_integrations_pair_refreshes(bench, mock):
    refreshed = bench.management(mock.token.refresh.secret).tokens.refresh(mock.integration.refresh_token_id).result
    assert refreshed.owner_id == mock.integration.id
    assert refreshed.owner_type == "integration"
    assert bench.engine(refreshed.primary.access.secret).ticketing.list_projects()
    assert mock.engine.ticketing.list_projects()


def test_refresh_at_the_same_time_gives_working_tokens_only(management, bench, name):
    made = adhoc(management, name)
    clients = [bench.management(made.primary.refresh.secret) for _ in range(4)]
    answers = at_once(*[lambda client=client: client.tokens.refresh(made.id).result for client in clients])
    for answer in answers:
        assert not isinstance(answer, AssertionError), answer
    alive = [answer for answer in answers if not isinstance(answer, Exception)]
    assert alive, answers
    container = management.tokens.get(made.id).result
    works = 0
    for answer in alive:
        try:
            bench.management(answer.primary.access.secret).organization.get()
            works += 1
        except management.ApiError as error:
            assert error.status_code == 401
    assert works >= 1 and container.id == made.id


def test_rotate(management, bench, name, refused):
    made = adhoc(management, name)
    first = management.tokens.rotate(made.owner_id, made.id).result
    second = management.tokens.rotate(made.owner_id, made.id).result
    with refused(dead := bench.management(made.primary.access.secret), 401):
        dead.organization.get()
    for secret in (first.primary.access.secret, second.primary.access.secret):
        bench.management(secret).organization.get()


def test_reset_ends_everything_earlier(management, bench, mock, refused):
    container = mock.integration.refresh_token_id
    single = management.tokens.create_integration_token(mock.account.id, mock.integration.id).result
    fresh = management.tokens.reset(mock.integration.id, container).result
    assert fresh.secondary is None
    with refused(mock.engine, 401, "token_invalid"):
        mock.engine.ticketing.list_projects()
    with refused(old := bench.management(mock.token.refresh.secret), 401):
        old.tokens.refresh(container)
    assert bench.engine(fresh.primary.access.secret).ticketing.list_projects()
    assert single.secret


def test_reset_wants_the_right_owner(management, mock, account, refused):
    other = management.accounts.create().result.account
    with refused(management, 404, "not_found"):
        management.tokens.reset(other.id, mock.integration.refresh_token_id)


def test_delete_ends_both_pairs(management, bench, name, refused):
    made = adhoc(management, name)
    again = bench.management(made.primary.refresh.secret).tokens.refresh(made.id).result
    management.tokens.delete(made.id)
    assert management.raw.status_code == 204
    for secret in (made.primary.access.secret, again.primary.access.secret):
        with refused(dead := bench.management(secret), 401):
            dead.organization.get()
    with refused(management, 404, "not_found"):
        management.tokens.get(made.id)


def test_an_expired_token_is_dead_and_refreshes(management, bench, name, refused):
    made = adhoc(management, name, token_ttl="1s")
    time.sleep(1.5)
    with refused(late := bench.management(made.primary.access.secret), 401, "token_invalid"):
        late.organization.get()
    again = bench.management(made.primary.refresh.secret).tokens.refresh(made.id).result
    bench.management(again.primary.access.secret).organization.get()


def test_scope_only_shrinks(management, bench, account, name, refused):
    viewer = bench.management(adhoc(management, name, permission_set="viewer").primary.access.secret)
    viewer.accounts.list()
    with refused(viewer, 403, "permission_denied"):
        viewer.accounts.create(name=name("no"))
    with refused(viewer, 403):
        viewer.tokens.create_token(name=name("more"), resources={"accounts": {"ids": ["*"]}}, permission_set="administrator")
    narrow = bench.management(adhoc(management, name, resources={"accounts": {"ids": [account.id]}}).primary.access.secret)
    other = management.accounts.create(name=name("beyond")).result.account
    assert [row.id for row in narrow.accounts.list().result] == [account.id]
    with refused(narrow, 404, "not_found"):
        narrow.accounts.get(other.id)
    with refused(narrow, 404, "not_found"):
        narrow.integrations.list_account(other.id)
    try:
        wider = narrow.tokens.create_token(name=name("wide"), resources={"accounts": {"ids": ["*"]}}, permission_set="administrator").result
    except narrow.ApiError as error:
        assert error.status_code in (400, 403), error.body
    else:
        # Shrunk to what the caller has is as good as refused.
        assert [row.id for row in bench.management(wider.primary.access.secret).accounts.list().result] == [account.id]


def test_names_of_containers_and_bad_requests(management, name, refused):
    for bad in [
        {"permission_set": "emperor"}, {"resources": {"accounts": {"ids": "all"}}}, {"resources": 7}, {"token_ttl": "whenever"},
    ]:
        with refused(management, 400):
            adhoc(management, name, **bad)
