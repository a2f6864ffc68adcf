import datetime

import pytest

from conftest import mock_config, redmine_config


def test_create_answers_integration_and_tokens(management, account, name):
    answer = management.integrations.create(account.id, name=name("first"), fullname="First", provider_config=mock_config())
    assert management.raw.status_code == 201
    made = answer.result.integration
    assert (made.category, made.provider_type, made.account_id) == ("ticketing", "ticketing_mock_ticketing", account.id)
    assert made.provider_fullname
    now = datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=8) < answer.result.token.access.expires - now <= datetime.timedelta(minutes=10, seconds=5)
    assert answer.result.token.refresh.expires - now > datetime.timedelta(days=80)
    assert answer.result.token.access.permissions.resource_type == "integration"


def test_an_inline_secret_becomes_a_credential(management, account, name, redmine):
    answer = management.integrations.create(account.id, name=name("sealed"), provider_config=redmine_config(redmine))
    raw = management.raw.text
    assert redmine["users"][0]["api_key"] not in raw
    result = management.raw.json()["result"]
    [credential] = answer.result.credentials_created
    assert result["integration"]["provider_config"]["credential"] == {"type": "token_id", "value": credential.id}
    assert credential.owner_type == "integration"
    assert credential.integration_id == result["integration"]["id"]
    assert management.credentials.lookup(credential.id).result.id == credential.id
    assert redmine["users"][0]["api_key"] not in management.raw.text


def test_a_shared_credential_serves_several_integrations(management, bench, account, name, redmine):
    shared = management.credentials.create(account.id, name=name("key"), config={"type": "token", "secret": redmine["users"][1]["api_key"]}).result
    for _ in range(2):
        config = {"type": "ticketing_redmine", "url": redmine["url"], "credential": {"type": "token_id", "value": shared.id}}
        made = management.integrations.create(account.id, name=name("sharing"), provider_config=config).result
        assert not made.credentials_created
        assert bench.engine(made.token.access.secret).ticketing.list_projects().result


def test_a_foreign_credential_cannot_be_used(management, account, name, redmine, refused):
    other = management.accounts.create(name=name("other")).result.account
    foreign = management.credentials.create(other.id, name=name("key"), config={"type": "token", "secret": "s3cret-of-another"}).result
    config = {"type": "ticketing_redmine", "url": redmine["url"], "credential": {"type": "token_id", "value": foreign.id}}
    with refused(management, 400):
        management.integrations.create(account.id, name=name("thief"), provider_config=config)


@pytest.mark.parametrize("config", [
    {"type": "nosuch_provider"},
    {"type": "ticketing_redmine"},
    {"type": "ticketing_redmine", "url": "not a url", "credential": {"type": "token", "secret": "x"}},
    {"type": "ticketing_redmine", "url": "http://127.0.0.1:1", "credential": {"type": "token"}},
    {"type": "ticketing_redmine", "url": "http://127.0.0.1:1", "credential": {"type": "aws", "access_key_id": "a", "secret_access_key": "b"}},
    {"type": "ticketing_redmine", "url": "http://127.0.0.1:1", "credential": {"type": "token", "secret": "x"}, "nosuch": 1},
    {"type": "ticketing_jira", "url": "ftp://example.com", "credential": {"type": "basic", "username": "u", "secret": "s"}},
    {},
])
def test_a_bad_configuration_is_refused(management, account, name, refused, config):
    with refused(management, 400):
        management.integrations.create(account.id, name=name("bad"), provider_config=config)
    assert management.integrations.list_account(account.id).result == []


def test_a_provider_that_refuses_does_not_stop_the_creation(management, account, name, redmine):
    wrong = redmine_config(redmine)
    wrong["credential"] = {"type": "token", "secret": "0123456789abcdef0123456789abcdef01234567"}
    answer = management.integrations.create(account.id, name=name("wrong"), provider_config=wrong)
    [problem] = answer.messages.problems
    assert "0123456789abcdef" not in management.raw.text
    assert problem.message
    silent = {"type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": {"type": "token", "secret": "x" * 40}}
    answer = management.integrations.create(account.id, name=name("silent"), provider_config=silent)
    assert answer.messages.problems


def test_verify_before_creating(management, account, redmine):
    answer = management.integrations.verify(account.id, integration={"provider_config": redmine_config(redmine)})
    assert not (answer.messages and answer.messages.problems), management.raw.text
    wrong = redmine_config(redmine)
    wrong["credential"]["secret"] = "f" * 40
    try:
        answer = management.integrations.verify(account.id, integration={"provider_config": wrong})
        assert answer.messages.problems
    except management.ApiError as error:
        assert error.status_code == 502, error.body
    assert management.integrations.list_account(account.id).result == []


def test_verify_an_existing_one(management, real):
    answer = management.integrations.verify_existing(real.account.id, real.integration.id)
    assert not (answer.messages and answer.messages.problems), management.raw.text


def test_lists(management, account, name):
    other = management.accounts.create(name=name("elsewhere")).result.account
    mine = [management.integrations.create(account.id, name=name("mine"), provider_config=mock_config()).result.integration for _ in range(3)]
    management.integrations.create(other.id, name=name("theirs"), provider_config=mock_config())
    found = management.integrations.list(filter=f"account_id[eq]{account.id}", total=True)
    assert ({row.id for row in found.result}, found.total) == ({row.id for row in mine}, 3)
    found = management.integrations.list_account(account.name, filter=f"name[eq]{mine[1].name}", expand="all").result
    assert [row.id for row in found] == [mine[1].id]
    assert found[0].account.id == account.id
    page = management.integrations.list_account(account.id, limit=2).result
    rest = management.integrations.list_account(account.id, limit=2, start_after=page[-1].name).result
    assert [row.name for row in page + rest] == sorted(row.name for row in mine)
    assert management.integrations.list_account(account.id).result[0].account is None


def test_names_are_unique_per_account(management, account, name, refused):
    wanted = name("same")
    management.integrations.create(account.id, name=wanted, provider_config=mock_config())
    with refused(management, 409, "name_taken"):
        management.integrations.create(account.id, name=wanted.upper(), provider_config=mock_config())
    other = management.accounts.create(name=name("other")).result.account
    management.integrations.create(other.id, name=wanted, provider_config=mock_config())


def test_put_and_patch(management, real, redmine):
    management.integrations.get(real.account.id, real.integration.id)
    body = management.raw.json()["result"]
    body.pop("x_patchbay", None)
    body["fullname"] = "Redmine 3"
    body["provider_config"]["default_project"] = "support"
    answer = management.integrations.update(body["account_id"], real.integration.id, **body).result
    assert answer.fullname == "Redmine 3"
    assert management.raw.json()["result"]["provider_config"]["default_project"] == "support"
    answer = management.integrations.patch(real.account.id, real.integration.id, request=[{"op": "replace", "path": "/fullname", "value": "Redmine 4"}]).result
    assert answer.fullname == "Redmine 4"
    # The sealed credential survived both.
    assert real.engine.ticketing.list_projects().result


def test_a_new_secret_by_patch(management, real, redmine):
    before = {project.id for project in real.engine.ticketing.list_projects().result}
    management.integrations.patch(
        real.account.id, real.integration.id,
        request=[{"op": "replace", "path": "/provider_config/credential", "value": {"type": "token", "secret": redmine["users"][2]["api_key"]}}],
    )
    assert redmine["users"][2]["api_key"] not in management.raw.text
    assert {project.id for project in real.engine.ticketing.list_projects().result} < before


def test_the_account_and_the_provider_of_an_integration_stay(management, mock, name, refused):
    other = management.accounts.create(name=name("other")).result.account
    for path, value in [("/account_id", other.id), ("/id", "x"), ("/category", "identity"), ("/provider_config/type", "ticketing_jira")]:
        with refused(management, 400):
            management.integrations.patch(mock.account.id, mock.integration.id, request=[{"op": "replace", "path": path, "value": value}])


def test_delete_ends_the_tokens(management, mock, refused):
    mock.engine.ticketing.list_projects()
    management.integrations.delete(mock.account.id, mock.integration.id)
    assert management.raw.status_code == 204
    with refused(mock.engine, 401):
        mock.engine.ticketing.list_projects()
    with refused(management, 404, "not_found"):
        management.tokens.get(mock.integration.refresh_token_id)


def test_an_integration_of_another_account_is_not_found(management, mock, name, refused):
    other = management.accounts.create(name=name("other")).result.account
    with refused(management, 404, "not_found"):
        management.integrations.get(other.id, mock.integration.id)
    with refused(management, 404, "not_found"):
        management.integrations.delete(other.id, mock.integration.id)
    with refused(management, 404, "not_found"):
        management.tokens.create_integration_token(other.id, mock.integration.id)
