"""The served documents are OpenAPI 3.1 and the server does what they say."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator


@pytest.mark.parametrize("name", ["management", "engine"])
def test_a_document_is_openapi_3_1(document, name):
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in OpenAPIV31SpecValidator(document(name)).iter_errors()]
    assert not errors, "\n".join(errors[:20])


def test_the_management_api_is_as_described(worlds, schemathesis):
    status, output = schemathesis("management", "organization_token", lambda world: world.token)
    print(output)
    assert status == 0, "schemathesis has findings"
    for world in worlds:
        assert world.call("GET", "/v1/organization")["id"] == world.organization["id"], "the run ended its own access"


def test_the_connector_api_is_as_described(worlds, schemathesis):
    status, output = schemathesis("engine", "integration_token", lambda world: world.integration_token)
    print(output)
    assert status == 0, "schemathesis has findings"
    for world in worlds:
        assert world.call("GET", "/v1/ticketing/tickets?limit=1", token=world.integration_token) is not None, "the run ended its own access"
