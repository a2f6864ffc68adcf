import pytest

GOOD = "korrekt-Pferd-71-Batterie"


@pytest.fixture
def member(management, name):
    return management.members.create(name=f"{name('ref')}@example.com", fullname="Ref Eree", secret=GOOD, role_binding=["viewer"]).result.member


def test_create_get_list(management, member):
    assert management.raw.status_code == 201
    assert GOOD not in management.raw.text
    assert (member.role_binding, member.type) == (["viewer"], "personal")
    assert management.members.get(member.id).result.name == member.name
    assert management.members.get(member.name).result.id == member.id
    assert [row.id for row in management.members.list(filter=f"name[eq]{member.name}").result] == [member.id]
    assert GOOD not in management.raw.text


def test_bad_members(management, member, refused, name):
    for bad, status in [
        ({"name": "no address", "secret": GOOD}, 400), ({"name": f"{name('m')}@example.com", "secret": "short"}, 400), ({"name": f"{name('m')}@example.com", "secret": "password"}, 400),
        ({"name": f"{name('m')}@example.com", "secret": "x" * 72}, 400), ({"name": f"{name('m')}@example.com", "secret": GOOD, "role_binding": ["emperor"]}, 400),
        ({"name": member.name.upper(), "secret": GOOD}, 409),
    ]:
        with refused(management, status):
            management.members.create(**bad)


def test_a_member_may_do_what_its_role_says(management, bench, organization, member, name, refused):
    answer = management.auth.logon(organization["id"], name=member.name, secret=GOOD)
    assert answer.result.auth_code == "success"
    viewer = bench.management(answer.result.token.access.secret)
    viewer.accounts.list()
    with refused(viewer, 403, "permission_denied"):
        viewer.accounts.create(name=name("no"))


def test_a_wrong_password(management, organization, member, refused):
    with refused(management, 401, "logon_failed") as wrong:
        management.auth.logon(organization["id"], name=member.name, secret="wrong-" + GOOD)
    with refused(management, 401, "logon_failed") as unknown:
        management.auth.logon(organization["id"], name="nobody@example.com", secret=GOOD)
    # Whether a member exists must not be told.
    assert wrong.problem["message"] == unknown.problem["message"]


def test_delete_ends_the_members_tokens(management, bench, organization, member, refused):
    secret = management.auth.logon(organization["id"], name=member.name, secret=GOOD).result.token.access.secret
    management.members.delete(member.id)
    assert management.raw.status_code == 204
    with refused(dead := bench.management(secret), 401):
        dead.accounts.list()
    with refused(management, 404, "not_found"):
        management.members.get(member.id)
