"""Roles and permission sets: shapes as the SDK knows them, and what is enforced of them at once."""

import pytest
from synqly.management.permissionset.types.api_permission_map import ApiPermissionMap

GOOD = "korrekt-Pferd-71-Batterie"
BUILTIN = ["administrator", "member", "root_administrator", "viewer"]
OFFERED = {"administrator", "viewer", "member", "account-manager", "connect-ui", "token-issuer", "account-provisioner"}


def signed_in(management, bench, organization, name, *roles):
    person = management.members.create(name=f"{name('person')}@example.com", secret=GOOD, role_binding=list(roles)).result.member
    secret = management.auth.logon(organization["id"], name=person.name, secret=GOOD).result.token.access.secret
    return person, bench.management(secret)


def test_the_built_in_roles_are_listed_and_stay_as_they_are(management, refused):
    rows = {row.name: row for row in management.roles.list(limit=1000).result}
    assert set(BUILTIN) <= set(rows)
    assert [rows[word].permission_set for word in BUILTIN] == ["administrator", "member", "administrator", "viewer"]
    for word in BUILTIN:
        assert management.roles.get(word).result.id == rows[word].id
        with refused(management, 400, "invalid_request"):
            management.roles.delete(word)
        with refused(management, 400, "invalid_request"):
            management.roles.patch(word, request=[{"op": "replace", "path": "/permission_set", "value": "administrator"}])
        with refused(management, 409, "name_taken"):
            management.roles.create(name=word.upper(), permission_set="viewer")


def test_a_role_is_made_read_changed_and_listed(management, account, name):
    resources = {"organizations": {"ids": ["*"]}, "accounts": {"ids": [account.id], "labels": ["gold"], "environments": ["prod"]}, "integrations": {"categories": ["ticketing"]}}
    made = management.roles.create(fullname=f"Support {name('team')}", description="Who answers", resources=resources, permission_set="viewer").result
    assert management.raw.status_code == 201 and management.raw.json()["result"]["resources"] == resources
    assert made.name.startswith("support-")
    assert management.roles.get(made.name.upper()).result == made
    filters = [f"name[eq]{made.name}", "permission_set[eq]viewer"]
    assert [row.id for row in management.roles.list(filter=filters).result] == [made.id]

    whole = management.raw.json()["result"][0]
    updated = management.roles.update(made.id, **{**{key: value for key, value in whole.items() if key != "x_patchbay"}, "permission_set": "member"}).result
    assert updated.permission_set == "member" and updated.resources == made.resources
    patched = management.roles.patch(made.id, request=[{"op": "remove", "path": "/resources"}, {"op": "replace", "path": "/fullname", "value": "All"}]).result
    assert patched.resources is None and patched.fullname == "All"
    management.roles.delete(made.id)
    assert management.raw.status_code == 204


@pytest.mark.parametrize("bad", [
    {"permission_set": "emperor"}, {"permission_set": "mcp-management"}, {"permission_set": "viewer", "name": "has space"},
    {"permission_set": "viewer", "resources": {"accounts": {"ids": ["nobody"]}}}, {"permission_set": "viewer", "resources": {"integrations": {"categories": ["telepathy"]}}},
    {"permission_set": "viewer", "resources": {"organizations": {"ids": ["0198c0de-0000-7000-8000-000000000000"]}}},
    {"permission_set": "viewer", "resources": {"accounts": {"ids": ["*"], "environments": ["stage"]}}},
])
def test_bad_roles(management, refused, bad):
    with refused(management, 400, "invalid_field"):
        management.roles.create(**bad)


def test_a_role_is_enforced_and_its_change_acts_at_once(management, bench, organization, account, mock, name, refused):
    role = management.roles.create(name=name("role"), permission_set="viewer", resources={"accounts": {"ids": [account.id]}}).result
    _, client = signed_in(management, bench, organization, name, role.name)
    assert [row.id for row in client.accounts.list().result] == [account.id]
    other = management.accounts.create(name=name("other")).result.account
    with refused(client, 404, "not_found"):
        client.accounts.get(other.id)
    with refused(client, 403, "permission_denied"):
        client.integrations.delete(account.id, mock.integration.id)
    with refused(client, 403, "permission_denied"):
        client.members.list()
    management.roles.patch(role.id, request=[{"op": "replace", "path": "/permission_set", "value": "account-manager"}])
    client.integrations.delete(account.id, mock.integration.id)
    management.roles.patch(role.id, request=[{"op": "replace", "path": "/resources", "value": {"accounts": {"ids": [other.id]}}}])
    with refused(client, 404, "not_found"):
        client.accounts.get(account.id)
    assert client.accounts.get(other.id).result.name == other.name


def test_a_role_in_use_is_not_deleted(management, bench, organization, name, refused):
    role = management.roles.create(name=name("role"), permission_set="viewer").result
    person, client = signed_in(management, bench, organization, name, role.name)
    with refused(management, 409, "in_use") as refusal:
        management.roles.delete(role.id)
    assert [(one["type"], one["id"]) for one in refusal.problem["context"]["resources"] if one["rel"] == "cause"] == [("member", person.id)]
    client.accounts.list(limit=1)
    management.members.patch(person.id, request=[{"op": "replace", "path": "/role_binding", "value": ["member"]}])
    management.roles.delete(role.id)
    with refused(management, 404, "not_found"):
        management.roles.get(role.id)


def test_permission_sets(management, refused):
    rows = management.permissionset.list().result
    assert {row.name for row in rows} == OFFERED
    apis = {field.alias or name for name, field in ApiPermissionMap.model_fields.items()}
    for row in management.raw.json()["result"]:
        assert set(row["permissions"]) == apis, "every API of the wire stands in the map"
        assert row["permissions"]["alarms"] == {"actions": []} and row["permissions"]["billing"] == {"actions": []}
        single = management.permissionset.get(row["name"])
        assert management.raw.json()["result"] == row and single.result.description
    administrator = management.permissionset.get("administrator").result.permissions
    assert administrator.all_.actions == ["*"] and "reset" in administrator.tokens.actions
    issuer = management.permissionset.get("token-issuer").result.permissions
    assert issuer.tokens.actions == ["create_integration"] and issuer.accounts.actions == []
    # Offered nowhere: tokens with these would open no route.
    for word in ("mcp-management", "mcp-integrations-use-only"):
        with refused(management, 404, "not_found") as refusal:
            management.permissionset.get(word)
        assert "MCP" in refusal.problem["message"]


def test_the_map_says_what_is_enforced(management, bench, account, name, refused):
    """Reading what a set may do, and doing it, agree."""
    for permission_set in sorted(OFFERED):
        actions = management.permissionset.get(permission_set).result.permissions
        token = management.tokens.create_token(name=name("token"), resources={"accounts": {"ids": ["*"]}}, permission_set=permission_set).result
        client = bench.management(token.primary.access.secret)
        for had, call in [
            ("list" in actions.accounts.actions, lambda: client.accounts.list(limit=1)),
            ("get" in actions.accounts.actions, lambda: client.accounts.get(account.id)),
            ("create" in actions.accounts.actions, lambda: client.accounts.create(name=name("made"))),
            ("list_account" in actions.integrations.actions, lambda: client.integrations.list_account(account.id)),
            ("list" in actions.audit.actions, lambda: client.audit.list(limit=1)),
            ("list" in actions.roles.actions, lambda: client.roles.list(limit=1)),
            ("list" in actions.permission_set.actions, lambda: client.permissionset.list()),
            ("get" in actions.organizations.actions, lambda: client.organization.get()),
            ("list" in actions.credentials.actions, lambda: client.credentials.list(account.id)),
        ]:
            if had:
                call()
            else:
                with refused(client, 403, "permission_denied"):
                    call()
