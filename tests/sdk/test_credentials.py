import pytest

SECRET = "v3ry-s3cret-value"


@pytest.fixture
def credential(management, account, name):
    return management.credentials.create(account.id, name=name("login"), fullname="A login", config={"type": "basic", "username": "u", "secret": SECRET}).result


def test_the_secret_is_never_answered(management, account, credential):
    assert management.raw.status_code == 201
    assert credential.config.type == "basic"
    assert (credential.account_id, credential.owner_type) == (account.id, "account")
    assert SECRET not in management.raw.text
    for call in (
        lambda: management.credentials.get(account.id, credential.id), lambda: management.credentials.list(account.id),
        lambda: management.credentials.lookup(credential.id), lambda: management.credentials.get(account.name, credential.name),
    ):
        call()
        assert SECRET not in management.raw.text


@pytest.mark.parametrize("config", [
    {"type": "token", "secret": SECRET}, {"type": "secret", "secret": SECRET}, {"type": "o_auth_client", "client_id": "c", "client_secret": SECRET},
    {"type": "aws", "access_key_id": "AKIA0", "secret_access_key": SECRET}, {"type": "aws_role", "role_arn": "arn:aws:iam::1:role/x", "external_id": "e"},
    {"type": "tls_certificate", "certificate": "-----BEGIN CERTIFICATE-----", "private_key": SECRET},
])
def test_every_kind(management, account, name, config):
    made = management.credentials.create(account.id, name=name("kind"), config=config).result
    assert made.config is None or made.config.type == config["type"]
    assert SECRET not in management.raw.text


def test_bad_credentials(management, account, name, refused):
    for config in [{"type": "nosuch"}, {"type": "basic", "username": "u"}, {"type": "token", "secret": 7}, {"type": "token", "secret": ""}, {}, "x"]:
        with refused(management, 400):
            management.credentials.create(account.id, name=name("bad"), config=config)
    for stored in management.credentials.list(account.id).result:
        assert not stored.name.startswith("bad")


def test_patch_is_narrow(management, account, credential, refused):
    answer = management.credentials.patch(
        account.id, credential.id, request=[{"op": "replace", "path": "/fullname", "value": "Renamed"}, {"op": "replace", "path": "/config/secret", "value": "another-s3cret"}]
    ).result
    assert answer.fullname == "Renamed"
    assert "another-s3cret" not in management.raw.text
    for bad in [
        [{"op": "copy", "from": "/name", "path": "/fullname"}], [{"op": "move", "from": "/name", "path": "/fullname"}], [{"op": "test", "path": "/name", "value": credential.name}],
        [{"op": "replace", "path": "/account_id", "value": "x"}], [{"op": "test", "path": "/config/secret", "value": SECRET}], [{"op": "copy", "from": "/config/secret", "path": "/fullname"}],
    ]:
        with refused(management, 400):
            management.credentials.patch(account.id, credential.id, request=bad)


def test_put_without_a_config_keeps_the_secret(management, account, credential):
    management.credentials.get(account.id, credential.id)
    body = management.raw.json()["result"]
    body.pop("x_patchbay", None)
    body.pop("config", None)
    body["fullname"] = "Put"
    answer = management.credentials.update(account.id, credential.id, **body).result
    assert answer.fullname == "Put"


def test_what_used_a_deleted_credential_says_so(management, bench, account, name, redmine, refused):
    shared = management.credentials.create(account.id, name=name("key"), config={"type": "token", "secret": redmine["users"][0]["api_key"]}).result
    config = {"type": "ticketing_redmine", "url": redmine["url"], "credential": {"type": "token_id", "value": shared.id}}
    made = management.integrations.create(account.id, name=name("user"), provider_config=config).result
    management.credentials.delete(account.id, shared.id)
    client = bench.engine(made.token.access.secret)
    with refused(client, 400) as refusal:
        client.ticketing.list_projects()
    assert "credential" in refusal.problem["message"]
    management.integrations.get(account.id, made.integration.id)
    assert management.raw.json()["result"]["x_patchbay"]["status"] == "needs_attention"
    with refused(management, 404, "not_found"):
        management.credentials.get(account.id, shared.id)


def test_of_another_account(management, credential, name, refused):
    other = management.accounts.create(name=name("other")).result.account
    with refused(management, 404, "not_found"):
        management.credentials.get(other.id, credential.id)
    with refused(management, 404, "not_found"):
        management.credentials.delete(other.id, credential.id)
