import pytest

from conftest import mock_config


@pytest.fixture
def point(management, name):
    return management.integration_points.create(
        name=name("tickets"), fullname="Ticketing", description="Where customers keep tickets", connector="ticketing",
        environments={"test": ["*"], "prod": ["ticketing_jira", "ticketing_mock_ticketing"]},
    ).result


def test_create_get_list(management, point):
    assert management.integration_points.get(point.id).result == point
    assert management.integration_points.get(point.name).result.id == point.id
    found = management.integration_points.list(filter=["connector[eq]ticketing", f"name[eq]{point.name}"], total=True)
    assert ([row.id for row in found.result], found.total) == ([point.id], 1)


def test_put_and_patch(management, point):
    management.integration_points.get(point.id)
    body = management.raw.json()["result"]
    body.pop("x_patchbay", None)
    body["description"] = "Changed"
    assert management.integration_points.update(point.id, **body).result.description == "Changed"
    answer = management.integration_points.patch(point.id, request=[{"op": "add", "path": "/environments/prod/-", "value": "ticketing_redmine"}]).result
    assert "ticketing_redmine" in management.raw.json()["result"]["environments"]["prod"]
    assert answer.id == point.id


def test_bad_points(management, refused, name):
    for bad in [
        {"connector": "nosuch", "environments": {}},
        {"connector": "ticketing", "environments": {"prod": ["nosuch_provider"]}},
        {"connector": "ticketing", "environments": {"prod": ["identity_openid"]}},
        {"connector": "ticketing", "environments": {"staging": ["*"]}},
        {"connector": "ticketing", "environments": "all"},
    ]:
        with refused(management, 400):
            management.integration_points.create(name=name("bad"), **bad)


def test_schedules_are_refused_with_a_reason(management, name):
    """501 has no class of its own on the management side: it is a plain error, its body a problem all the same."""
    try:
        management.integration_points.create(
            name=name("scheduled"), connector="ticketing", environments={"prod": ["*"]},
            scheduled_operations=[{"operation": "ticketing_query_tickets", "enabled": True, "frequency": {"type": "periodic", "value": "1h"}}],
        )
    except management.ApiError as error:
        assert error.status_code == 501, error.body
    else:
        raise AssertionError("a schedule was stored although nothing runs it")


def test_a_point_governs_its_integrations(management, point, name, refused):
    prod = management.accounts.create(name=name("prod"), environment="prod").result.account
    test = management.accounts.create(name=name("test"), environment="test").result.account
    for account in (prod, test):
        made = management.integrations.create(account.id, name=name("governed"), provider_config=mock_config(), integration_point_id=point.id).result
        assert made.integration.integration_point_id == point.id
    only_jira = management.integration_points.create(name=name("jira-only"), connector="ticketing", environments={"prod": ["ticketing_jira"]}).result
    with refused(management, 400):
        management.integrations.create(prod.id, name=name("wrong"), provider_config=mock_config(), integration_point_id=only_jira.id)
    # An environment that is left out allows none.
    with refused(management, 400):
        management.integrations.create(test.id, name=name("none"), provider_config=mock_config(), integration_point_id=only_jira.id)
    identity = management.integration_points.create(name=name("people"), connector="identity", environments={"prod": ["*"]}).result
    with refused(management, 400):
        management.integrations.create(prod.id, name=name("other"), provider_config=mock_config(), integration_point_id=identity.id)


def test_a_point_in_use_stays(management, point, account, name, refused):
    made = management.integrations.create(account.id, name=name("user"), provider_config=mock_config(), integration_point_id=point.id).result
    with refused(management, 409, "in_use") as refusal:
        management.integration_points.delete(point.id)
    assert made.integration.id in [resource["id"] for resource in refusal.problem["context"]["resources"]]
    management.integrations.delete(account.id, made.integration.id)
    management.integration_points.delete(point.id)
    with refused(management, 404, "not_found"):
        management.integration_points.get(point.id)
