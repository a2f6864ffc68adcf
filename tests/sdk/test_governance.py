"""A point that prescribes configuration, seen by programs: the SDK's own calls, and our routes beside them."""

import httpx
import pytest

from conftest import mock_config

POLICY = {"providers": {"ticketing_mock_ticketing": {"locked": {"name": "desk"}, "defaults": {"polling_interval": "1h"}}}}


@pytest.fixture
def ours(server, organization):
    """Our routes under /v1/x, for which the SDK has no operations."""
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {organization['token']['access']['secret']}"}, timeout=60) as client:
        yield client


@pytest.fixture
def point(management, name):
    return management.integration_points.create(
        name=name("governing"), connector="ticketing", environments={"prod": ["*"]}, request_options={"additional_body_parameters": {"x_patchbay": {"policy": POLICY}}}
    ).result


def extra(management):
    return management.raw.json()["result"]["x_patchbay"]


def test_what_is_locked_is_filled_in_and_held_to(management, ours, point, account, name, refused):
    management.integration_points.get(point.id)
    assert extra(management)["policy"] == POLICY
    made = management.integrations.create(account.id, name=name("locked"), provider_config=mock_config(), integration_point_id=point.id).result.integration
    assert made.provider_config.name == "desk"
    with refused(management, 400, "invalid_config") as refusal:
        management.integrations.create(account.id, name=name("other"), provider_config=mock_config(name="elsewhere"), integration_point_id=point.id)
    assert refusal.problem["context"]["parameter"]["id"] == "/provider_config/name"
    with refused(management, 400, "invalid_config"):
        management.integrations.verify(account.id, integration={"provider_config": mock_config(name="elsewhere"), "integration_point_id": point.id})
    with refused(management, 400, "invalid_config"):
        management.integrations.patch(account.id, made.id, request=[{"op": "replace", "path": "/provider_config/name", "value": "elsewhere"}])
    management.integrations.get(account.id, made.id)
    assert extra(management)["config"] == {"polling_interval": "1h"}
    # The knobs are changed beside provider_config, and a PUT that knows nothing of them leaves them.
    management.integrations.patch(account.id, made.id, request=[{"op": "add", "path": "/x_patchbay/config/webhook_url", "value": "https://hooks.example.com/a"}])
    body = management.raw.json()["result"]
    body.pop("x_patchbay")
    management.integrations.update(account.id, made.id, **body)
    assert extra(management)["config"] == {"webhook_url": "https://hooks.example.com/a", "polling_interval": "1h"}
    with refused(management, 400, "invalid_config") as refusal:
        management.integrations.patch(account.id, made.id, request=[{"op": "replace", "path": "/x_patchbay/config/polling_interval", "value": "4m"}])
    assert refusal.problem["context"]["parameter"]["id"] == "/x_patchbay/config/polling_interval"
    with refused(management, 400, "invalid_patch"):
        management.integrations.patch(account.id, made.id, request=[{"op": "replace", "path": "/x_patchbay/status", "value": "paused"}])


def test_a_change_of_a_point_is_shown_before_and_felt_after(management, bench, ours, point, account, name):
    made = management.integrations.create(account.id, name=name("felt"), provider_config=mock_config(), integration_point_id=point.id).result
    engine = bench.engine(made.token.access.secret)
    assert engine.ticketing.list_projects().result
    body = {"connector": "ticketing", "environments": {"prod": ["ticketing_jira"]}}
    preview = ours.post(f"/v1/x/integration-points/{point.id}/preview", json=body).json()["result"]
    assert (preview["affected"], preview["environments"]["prod"]["provider_no_longer_allowed"]) == (1, 1)
    assert preview["integrations"][0]["id"] == made.integration.id
    management.integration_points.patch(point.id, request=[{"op": "replace", "path": "/environments", "value": {"prod": ["ticketing_jira"]}}])
    assert extra(management)["policy"] == POLICY, "a patch of something else leaves the policy"
    with pytest.raises(engine.ApiError) as refusal:
        engine.ticketing.list_projects()
    assert refusal.value.status_code == 400 and engine.raw.json()["code"] == "provider_not_allowed"
    management.integrations.list(filter=f"integration_point_id[eq]{point.id}")
    [row] = management.raw.json()["result"]
    assert [problem["reason"] for problem in row["x_patchbay"]["governed_problems"]] == ["provider_no_longer_allowed"]
    management.integration_points.patch(point.id, request=[
        {"op": "add", "path": "/environments/prod/-", "value": "ticketing_mock_ticketing"},
        {"op": "replace", "path": "/x_patchbay/policy/providers/ticketing_mock_ticketing/locked/name", "value": "other"},
    ])
    management.integrations.get(account.id, made.integration.id)
    assert [problem["member"] for problem in extra(management)["governed_problems"]] == ["name"]
    management.integration_points.patch(point.id, request=[{"op": "remove", "path": "/x_patchbay/policy/providers/ticketing_mock_ticketing"}])
    assert engine.ticketing.list_projects().result


@pytest.mark.parametrize("policy, at", [
    ({"providers": {"nosuch_provider": {}}}, "/x_patchbay/policy/providers/nosuch_provider"),
    ({"providers": {"ticketing_redmine": {"locked": {"nosuch": 1}}}}, "/x_patchbay/policy/providers/ticketing_redmine/locked/nosuch"),
    ({"providers": {"ticketing_redmine": {"locked": {"url": 7}}}}, "/x_patchbay/policy/providers/ticketing_redmine/locked/url"),
    ({"providers": []}, "/x_patchbay/policy/providers"),
])
def test_a_policy_that_cannot_be_is_refused_at_its_place(management, name, refused, policy, at):
    with refused(management, 400) as refusal:
        management.integration_points.create(
            name=name("bad"), connector="ticketing", environments={"prod": ["*"]}, request_options={"additional_body_parameters": {"x_patchbay": {"policy": policy}}}
        )
    assert refusal.problem["context"]["parameter"]["id"] == at


def test_mappings_are_refused_with_a_reason(management, point):
    for path in ("/mappings", "/additional_mappings", "/scheduled_operations"):
        try:
            management.integration_points.patch(point.id, request=[{"op": "add", "path": f"{path}/-", "value": {"x": 1}}])
        except management.ApiError as error:
            assert error.status_code == 501, error.body
        else:
            raise AssertionError(f"{path} was stored although nothing heeds it")


def test_definitions_and_versions(management, ours, account, name):
    rows = ours.get("/v1/x/definitions", params={"filter": "connector[eq]ticketing", "order": "provider[desc]", "total": "true"}).json()
    assert rows["total"] == len(rows["result"]) and [row["provider"] for row in rows["result"]] == sorted((row["provider"] for row in rows["result"]), reverse=True)
    mock = ours.get("/v1/x/definitions/ticketing_mock_ticketing").json()["result"]
    assert {"webhook_url", "polling_interval"} <= set(mock["config_schema"]["properties"])
    made = management.integrations.create(account.id, name=name("pinned"), provider_config=mock_config()).result.integration
    again = ours.get(f"/v1/x/definitions/{mock['id']}").json()["result"]
    assert again["integrations"] == mock["integrations"] + 1
    versions = ours.get(f"/v1/x/integrations/{account.id}/{made.id}/versions").json()["result"]
    assert [(row["version"], row["pinned"], row["rollback"]) for row in versions if row["pinned"]] == [(mock["version"], True, False)]
    preview = ours.post(f"/v1/x/integrations/{account.id}/{made.id}/version/preview", json={"version": mock["version"]}).json()["result"]
    assert (preview["possible"], preview["schema_changes"], preview["problems"][0]["code"]) == (False, [], "invalid_field")
    assert ours.put(f"/v1/x/integrations/{account.id}/{made.id}/version", json={"version": mock["version"]}).status_code == 400
    assert ours.post(f"/v1/x/integrations/{account.id}/{made.id}/version/rollback").json()["code"] == "invalid_request"
    assert ours.get("/v1/x/definitions/nosuch_provider").status_code == 404


def test_a_provider_with_each_of_its_parts(management, refused):
    bare = management.capabilities.get_provider("ticketing_jira").result
    assert bare.operations is None and bare.provider_config is None and isinstance(bare.connector, (str, type(None)))
    for part in ("operations", "provider_config", "connector", "request_body"):
        one = management.capabilities.get_provider("ticketing_jira", expand=[part]).result
        assert (one.operations is not None) == (part in ("operations", "request_body")), part
        assert (one.provider_config is not None) == (part == "provider_config"), part
    whole = management.capabilities.get_provider("ticketing_jira", expand=["operations", "request_body"]).result
    assert any(operation.request_body for operation in whole.operations)
    with refused(management, 400):
        management.capabilities.get_provider("ticketing_jira", expand=["nosuch"])
