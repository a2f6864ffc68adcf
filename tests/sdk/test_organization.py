import datetime


def test_init_prints_what_a_program_needs(organization):
    assert organization["name"]
    for half in ("access", "refresh"):
        assert organization["token"][half]["secret"] and organization["token"][half]["expires"]
    lifetime = datetime.datetime.fromisoformat(organization["token"]["access"]["expires"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(hours=23) < lifetime <= datetime.timedelta(hours=24)


def test_get(management, organization):
    answer = management.organization.get().result
    assert answer.id == organization["id"]
    assert answer.organization_type == "root"


def test_patch_and_put(management):
    answer = management.organization.patch(request=[{"op": "replace", "path": "/fullname", "value": "Acme & Söhne"}]).result
    assert answer.fullname == "Acme & Söhne"
    whole = management.raw.json()["result"]
    whole["contact"] = "ops@example.com"
    whole.pop("x_patchbay", None)
    assert management.organization.update(**whole).result.contact == "ops@example.com"
    assert management.organization.get().result.fullname == "Acme & Söhne"


def test_a_second_organization_sees_nothing_of_the_first(installation, bench, management, account, refused, server):
    other = installation.init("Other")["organization"]
    stranger = bench.management(other["token"]["access"]["secret"])
    assert stranger.organization.get().result.id == other["id"]
    assert stranger.accounts.list().result == []
    with refused(stranger, 404, "not_found"):
        stranger.accounts.get(account.id)
    with refused(stranger, 404, "not_found"):
        stranger.integrations.list_account(account.id)
    management.accounts.get(account.id)


def test_the_name_of_an_organization_is_taken_once(installation, organization):
    again = installation.run("init", "--organization", organization["name"], "--output", "json", check=False)
    assert again.returncode == 1
    assert organization["name"] in again.stderr
