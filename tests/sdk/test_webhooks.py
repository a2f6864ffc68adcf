"""Organization webhooks, against a receiver that verifies signatures by itself."""

import hashlib
import hmac
import json

import httpx
import pytest
from synqly.management.organization_webhook_events.types.organization_webhook_payload import OrganizationWebhookPayload

from conftest import mock_config
from receiver import Receiver

SECRET = "wh-s3cret-value-of-this-test"
OURS = "/v1/x/organization/webhooks"


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def hook(management, receiver, name):
    made = management.organization_webhooks.create(name=name("hook"), fullname="A hook", environment="test", filters=["all"], url=receiver.url, secret={"value": SECRET}).result
    yield made
    try:
        management.organization_webhooks.delete(made.id)
    except management.ApiError as gone:
        assert gone.status_code == 404


@pytest.fixture
def ours(server, organization):
    """Calls a route that the SDK does not have."""
    def call(method, path, status=200, token=None):
        answer = httpx.request(method, server.url + OURS + path, headers={"authorization": f"Bearer {token or organization['token']['access']['secret']}"}, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    return call


def signed(request, secret=SECRET):
    wanted = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(request.headers["x-synqly-signature"], wanted)
    return json.loads(request.body)


def test_the_shapes(management, hook, receiver, name, refused):
    assert (hook.environment, [str(one) for one in hook.filters], hook.url) == ("test", ["all"], receiver.url)
    assert SECRET not in management.raw.text
    assert management.organization_webhooks.get(hook.name).result.id == hook.id
    listed = management.organization_webhooks.list(filter=f"name[eq]{hook.name}").result
    assert [one.id for one in listed] == [hook.id]
    whole = management.organization_webhooks.get(hook.id).result.dict()
    whole.update(fullname="Another", filters=["account_create", "operation_complete"])
    updated = management.organization_webhooks.update(hook.id, **whole).result
    assert (updated.fullname, sorted(str(one) for one in updated.filters), updated.credential_id) == ("Another", ["account_create", "operation_complete"], hook.credential_id)
    patched = management.organization_webhooks.patch(hook.id, request=[{"op": "replace", "path": "/filters", "value": ["all"]}, {"op": "replace", "path": "/environment", "value": "prod"}]).result
    assert (patched.environment, [str(one) for one in patched.filters]) == ("prod", ["all"])
    with refused(management, 409, "name_taken"):
        management.organization_webhooks.create(name=hook.name.upper(), filters=["all"], url=receiver.url, secret={"value": SECRET})
    for wrong in [
        {"filters": []}, {"filters": ["account_created"]}, {"filters": "all"}, {"url": "ftp://h"}, {"url": "https://u:p@h"}, {"url": 7},
        {"secret": {"value": ""}}, {"secret": {}}, {"secret": SECRET}, {"secret": {"value": SECRET, "expires": "2001-01-01T00:00:00Z"}}, {"environment": "staging"},
    ]:
        with refused(management, 400):
            management.organization_webhooks.create(**{"name": name("bad"), "filters": ["all"], "url": receiver.url, "secret": {"value": SECRET}, **wrong})
        assert SECRET not in management.raw.text
    with refused(management, 400):
        management.organization_webhooks.patch(hook.id, request=[{"op": "replace", "path": "/secret/value", "value": SECRET}])
    with refused(management, 404):
        management.organization_webhooks.get("nosuch")


def test_the_secret_is_a_credential_of_the_webhook(management, hook, refused):
    credentials = management.credentials.list(hook.id).result
    assert [(one.id, one.owner_type, one.organization_webhook_id, one.config.type) for one in credentials] == [(hook.credential_id, "organization_webhook", hook.id, "secret")]
    assert SECRET not in management.raw.text
    with refused(management, 409, "in_use"):
        management.credentials.delete(hook.id, hook.credential_id)
    another = management.credentials.create(hook.id, name="another", config={"type": "secret", "secret": "another-value"}).result
    whole = {**hook.dict(), "credential_id": another.id}
    assert management.organization_webhooks.update(hook.id, **whole).result.credential_id == another.id
    management.credentials.delete(hook.id, hook.credential_id)
    with refused(management, 400):
        management.organization_webhooks.update(hook.id, **hook.dict())
    management.organization_webhooks.delete(hook.id)
    with refused(management, 404):
        management.credentials.lookup(another.id)


def test_events_are_what_the_api_answers(bench, management, hook, receiver, name, ours):
    account = management.accounts.create(name=name("told"), environment="test", labels=["gold"]).result.account
    seen = management.accounts.get(account.id)
    account_view = {key: value for key, value in management.raw.json()["result"].items() if key != "x_patchbay"}
    made = management.integrations.create(account.id, name=name("told"), provider_config=mock_config()).result.integration
    receiver.wait(2)
    management.integrations.get(account.id, made.id)
    integration_view = {key: value for key, value in management.raw.json()["result"].items() if key != "x_patchbay"}
    management.accounts.create(name=name("elsewhere"), environment="prod")
    management.integrations.delete(account.id, made.id)
    management.accounts.delete(account.id)
    events = [signed(request) for request in receiver.wait(4)]
    for request, event in zip(receiver.requests, events):
        management._validate("webhook", OrganizationWebhookPayload, event)
        assert request.headers["content-type"] == "application/json" and SECRET.encode() not in request.body
    assert [event["event"] for event in events] == ["account_create", "integration_create", "integration_delete", "account_delete"]
    assert events[0]["account"] == account_view and seen.result.id == account.id
    assert events[1]["integration"] == integration_view and events[1]["account"] == account_view
    assert len({event["nonce"] for event in events}) == 4
    log = ours("GET", f"/{hook.id}/deliveries?order=created_at%5Bdesc%5D")["result"]
    assert [one["event"] for one in log] == ["account_delete", "integration_delete", "integration_create", "account_create"]
    assert len(receiver.requests) == 4, "no account of another environment is told of"


def test_rotation_redelivery_and_rehearsal(management, hook, receiver, name, ours, bench, refused):
    management.accounts.create(name=name("first"), environment="test")
    first = signed(receiver.wait(1)[0])
    management.credentials.patch(hook.id, hook.credential_id, request=[{"op": "replace", "path": "/config/secret", "value": "rotated-value"}])
    [delivery] = ours("GET", f"/{hook.name}/deliveries?total=true")["result"]
    again = ours("POST", f"/{hook.id}/deliveries/{delivery['id']}/redeliver", 201)["result"]
    assert again["redelivery_of"] == delivery["id"]
    second = signed(receiver.wait(2)[1], "rotated-value")
    assert second == first, "the same event with the same nonce"
    receiver.status, receiver.headers = 302, {"location": receiver.url}
    tried = ours("POST", f"/{hook.id}/test")["result"]
    assert (tried["state"], tried["log"][0]["status"], len(receiver.requests)) == ("failed", 302, 3), tried
    assert "redirect" in tried["log"][0]["error"]
    receiver.status, receiver.headers = 200, {}
    tried = ours("POST", f"/{hook.id}/test")["result"]
    assert tried["state"] == "delivered" and tried["log"][0]["response"] == "ok"
    event = signed(receiver.requests[-1], "rotated-value")
    management._validate("rehearsal", OrganizationWebhookPayload, event)
    assert event["nonce"].startswith("patchbay-test-")
    assert ours("GET", f"/{hook.id}/deliveries/{tried['id']}")["result"]["payload"] == receiver.requests[-1].body.decode()
    viewer = management.tokens.create_token(name=name("viewer"), resources={"accounts": {"ids": ["*"]}}, permission_set="viewer").result.primary.access.secret
    assert ours("GET", f"/{hook.id}/deliveries", token=viewer)["result"]
    ours("POST", f"/{hook.id}/test", 403, token=viewer)
    ours("POST", f"/{hook.id}/deliveries/{delivery['id']}/redeliver", 403, token=viewer)
    with refused(client := bench.management(viewer), 403):
        client.organization_webhooks.delete(hook.id)
    narrowed = management.tokens.create_token(
        name=name("narrow"), resources={"accounts": {"ids": [management.accounts.list(limit=1).result[0].id]}}, permission_set="administrator",
    ).result.primary.access.secret
    with refused(client := bench.management(narrowed), 403):
        client.organization_webhooks.list()


def test_a_deletion_can_be_undone(server, management, hook, receiver, name, ours, refused, organization):
    impact = ours("GET", f"/{hook.id}/impact")["result"]
    assert {one["kind"]: one["count"] for one in impact["takes"]}.get("credential") == 1
    management.organization_webhooks.delete(hook.id)
    deletion = management.raw.headers["x-patchbay-deletion"]
    with refused(management, 404):
        management.organization_webhooks.get(hook.id)
    management.accounts.create(name=name("unheard"), environment="test")
    token = organization["token"]["access"]["secret"]
    assert httpx.post(f"{server.url}/v1/x/deletions/{deletion}/undo", headers={"authorization": f"Bearer {token}"}).status_code == 204
    assert management.organization_webhooks.get(hook.id).result.credential_id == hook.credential_id
    made = management.accounts.create(name=name("heard"), environment="test").result.account
    assert signed(receiver.wait(1)[0])["account"]["id"] == made.id, "what happened meanwhile is not told"
