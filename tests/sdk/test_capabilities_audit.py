import jsonschema

OURS = {"ticketing_redmine", "ticketing_jira", "ticketing_mock_ticketing", "identity_openid"}


def test_connectors(management):
    rows = {row.id: row for row in management.capabilities.list_connectors().result}
    assert {"ticketing", "identity"} <= set(rows)
    assert {"ticketing_redmine", "ticketing_jira", "ticketing_mock_ticketing"} <= set(rows["ticketing"].provider_ids)
    expanded = {row.id: row for row in management.capabilities.list_connectors(expand=["providers"]).result}
    assert {provider.id for provider in expanded["ticketing"].providers} == set(rows["ticketing"].provider_ids)


def test_providers(management):
    rows = {row.id: row for row in management.capabilities.list_providers().result}
    assert OURS <= set(rows)
    assert rows["ticketing_jira"].vendor and rows["ticketing_jira"].description
    assert rows["ticketing_jira"].operations is None


def test_one_provider_with_everything(management, refused):
    answer = management.capabilities.get_provider("ticketing_redmine", expand=["operations", "provider_config", "connector"]).result
    by_name = {operation.name: operation for operation in answer.operations}
    assert {"query_tickets", "get_ticket", "create_ticket", "patch_ticket", "list_projects"} <= set(by_name)
    assert by_name["query_tickets"].supported and by_name["query_tickets"].filters
    assert not by_name["list_on_call"].supported
    jsonschema.Draft202012Validator.check_schema(answer.provider_config)
    assert "url" in answer.provider_config["properties"]
    with refused(management, 404, "not_found"):
        management.capabilities.get_provider("nosuch")


def test_every_served_schema_is_a_schema(bench):
    assert OURS <= set(bench.schemas)
    for schema in bench.schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_what_was_done_is_in_the_audit(management, name):
    wanted = name("audited")
    made = management.accounts.create(name=wanted).result.account
    management.accounts.delete(made.id)
    rows = management.audit.list(order="created_at[desc]", limit=50, filter=f"account_id[eq]{made.id}").result
    assert [(row.method, row.audit_type) for row in rows] == [("DELETE", "API"), ("POST", "API")]
    assert all(row.path.startswith("/v1/accounts") and row.user_agent and row.remote_addr for row in rows)


def test_refusals_are_in_the_audit(management, bench, mock, refused):
    client = bench.management(mock.token.access.secret)
    with refused(client, 403):
        client.accounts.create(name="x")
    assert any(row.code.startswith("403") or row.status == "403" for row in management.audit.list(order="created_at[desc]", limit=20).result), management.raw.text[:2000]


def test_pages_of_the_audit(management, name):
    for _ in range(5):
        management.accounts.create(name=name("paged"))
    first = management.audit.list(order="created_at[desc]", limit=3).result
    last = first[-1].created_at.isoformat().replace("+00:00", "Z")
    rest = management.audit.list(order="created_at[desc]", limit=3, start_after=last).result
    assert len(first) == 3 and rest and all(row.created_at < first[-1].created_at for row in rest)


def test_no_secret_in_the_audit(management, bench, redmine, organization):
    management.audit.list(order="created_at[desc]", limit=500)
    for secret in [organization["token"]["access"]["secret"], *(user["api_key"] for user in redmine["users"])]:
        assert secret not in management.raw.text


def test_the_built_in_permission_sets_and_roles(management, bench, organization):
    """Read through `tokens`: every permission set of the wire document can be given to a token."""
    for permission_set in ("administrator", "viewer", "member", "account-manager", "connect-ui", "token-issuer", "account-provisioner"):
        made = management.tokens.create_token(resources={"accounts": {"ids": ["*"]}}, permission_set=permission_set).result
        assert made.primary.access.permissions.adhoc_role.permission_set == permission_set
