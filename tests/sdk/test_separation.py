"""Each API refuses the other's token with 403 and names the kind it needs; no or a dead token is 401."""

import httpx
import pytest


def test_management_refuses_integration_tokens(bench, mock, refused):
    client = bench.management(mock.token.access.secret)
    for call in (
        client.organization.get, client.accounts.list, client.accounts.create, client.integrations.list, client.integration_points.list, client.tokens.list, client.members.list,
        client.audit.list, client.capabilities.list_providers, client.capabilities.list_connectors, lambda: client.accounts.get(mock.account.id),
        lambda: client.integrations.delete(mock.account.id, mock.integration.id), lambda: client.tokens.create_integration_token(mock.account.id, mock.integration.id),
        lambda: client.credentials.list(mock.account.id),
    ):
        with refused(client, 403, "wrong_token_kind") as refusal:
            call()
        assert "organization" in refusal.problem["message"].lower() + (refusal.problem.get("detail") or "").lower()


def test_connectors_refuse_organization_tokens(bench, organization, refused):
    client = bench.engine(organization["token"]["access"]["secret"])
    for call in (
        client.ticketing.list_projects, client.ticketing.query_tickets, lambda: client.ticketing.get_ticket("1"), lambda: client.ticketing.create_ticket(name="x"),
        lambda: client.ticketing.patch_ticket("1", request=[]), lambda: client.ticketing.list_comments("1"), lambda: client.ticketing.delete_comment("1", "2"),
        client.ticketing.list_remote_fields, lambda: client.ticketing.list_attachments_metadata("1"),
    ):
        with refused(client, 403, "wrong_token_kind") as refusal:
            call()
        assert "integration" in refusal.problem["message"].lower() + (refusal.problem.get("detail") or "").lower()


@pytest.mark.parametrize("token", ["", "nonsense", "pbo_" + "A" * 49, "pbi_" + "A" * 49, "pbo_ä", "x" * 10000])
def test_no_or_dead_tokens(bench, token, refused):
    if token.isascii():
        for client, call in ((m := bench.management(token), m.organization.get), (e := bench.engine(token), e.ticketing.list_projects)):
            try:
                call()
            except client.ApiError as error:
                assert error.status_code in (401, 431), error.body
            except httpx.LocalProtocolError:
                assert token == "", "only an empty header is refused by the client itself"
            else:
                raise AssertionError("a dead token was accepted")


def test_without_a_header(server):
    for path in ("/v1/organization", "/v1/ticketing/projects", "/v1/accounts"):
        answer = httpx.get(server.url + path)
        assert answer.status_code == 401
        assert answer.json()["code"] == "token_missing"
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_in_the_query_is_no_token(server, organization):
    answer = httpx.get(f"{server.url}/v1/organization", params={"access_token": organization["token"]["access"]["secret"]})
    assert answer.status_code == 401


def test_an_integration_token_reaches_its_own_integration_only(bench, management, mock, name):
    """The path never names the integration: what one token writes, the token of another integration does not see."""
    from conftest import mock_config

    other = management.integrations.create(mock.account.id, name=name("second"), provider_config=mock_config()).result
    ticket = mock.engine.ticketing.create_ticket(name="only here").result
    engine = bench.engine(other.token.access.secret)
    try:
        engine.ticketing.get_ticket(ticket.id)
    except engine.ApiError as error:
        assert error.status_code == 404, error.body
    else:
        raise AssertionError("a ticket of another integration was readable")
