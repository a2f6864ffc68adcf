import httpx
import pytest

GOOD = "korrekt-Pferd-71-Batterie"
OTHER = "vier Worte ohne Zusammenhang"


@pytest.fixture
def create(management, name):
    """Makes a member of this test's own."""
    def create(**members):
        wanted = {"name": f"{name('ref')}@example.com", "fullname": "Ref Eree", "secret": GOOD, "role_binding": ["viewer"], **members}
        return management.members.create(**wanted).result.member
    return create


@pytest.fixture
def member(create):
    return create()


@pytest.fixture
def logon(management, organization):
    def logon(member, secret=GOOD):
        return management.auth.logon(organization["id"], name=member.name, secret=secret).result
    return logon


def link(server, management, member, purpose):
    """What `members.create_link` gives; the SDK does not know it."""
    answer = httpx.post(f"{server.url}/v1/x/members/{member.id}/links", json={"purpose": purpose}, headers={"Authorization": management.raw.request.headers["Authorization"]})
    return answer.status_code, answer.json()


def redeem(server, url, secret):
    return httpx.post(f"{server.url}/session", json={"setup": url.partition("#welcome=")[2], "secret": secret})


def test_create_get_list(management, member):
    assert management.raw.status_code == 201
    assert GOOD not in management.raw.text
    assert (member.role_binding, member.type, member.state) == (["viewer"], "personal", "enabled")
    assert member.ttl == "87600h" and member.token_ttl == "1h"
    assert (member.pin_expires - member.created_at).days == 180
    assert management.members.get(member.id).result.name == member.name
    assert management.members.get(member.name).result.id == member.id
    assert [row.id for row in management.members.list(filter=f"name[eq]{member.name}").result] == [member.id]
    assert GOOD not in management.raw.text


def test_bad_members(management, member, refused, name):
    fresh = f"{name('m')}@example.com"
    for bad, status in [
        ({"name": "no address", "secret": GOOD}, 400), ({"name": fresh, "secret": "short"}, 400), ({"name": fresh, "secret": "password"}, 400),
        ({"name": fresh, "secret": fresh}, 400), ({"name": fresh, "secret": "x" * 72}, 400), ({"name": fresh, "secret": GOOD, "role_binding": ["emperor"]}, 400),
        ({"name": fresh, "secret": GOOD, "options": {"ttl": "23h"}}, 400), ({"name": fresh, "secret": GOOD, "options": {"token_ttl": "30s"}}, 400),
        ({"name": fresh, "secret": GOOD, "options": {"token_ttl": "25h"}}, 400), ({"name": fresh, "secret": GOOD, "options": {"options": ["promoted"]}}, 400),
        ({"name": fresh, "secret": GOOD, "options": {"options": ["invited", "locked"]}}, 400), ({"name": member.name.upper(), "secret": GOOD}, 409),
    ]:
        with refused(management, status):
            management.members.create(**bad)


def test_a_program_is_a_member_with_longer_tokens(management, create, logon, name):
    service = create(name=name("pipeline"), type="service", options={"token_ttl": "2160h"})
    assert (service.type, service.token_ttl) == ("service", "2160h")
    token = logon(service).token
    assert (token.access.expires - service.created_at).days >= 89


def test_update_and_patch(management, member, refused):
    changed = management.members.update(**{**member.model_dump(exclude={"x_patchbay"}), "member_id": member.id, "nickname": "Ref", "role_binding": ["member"]}).result
    assert (changed.nickname, changed.role_binding, changed.state) == ("Ref", ["member"], "enabled")
    assert (changed.expires, changed.pin_expires) == (member.expires, member.pin_expires), "what comes back unchanged stays"
    patched = management.members.patch(member.id, request=[{"op": "replace", "path": "/fullname", "value": "New Name"}, {"op": "replace", "path": "/ttl", "value": "48h"}]).result
    assert (patched.fullname, patched.ttl) == ("New Name", "48h")
    assert 47 <= (patched.expires - patched.updated_at).total_seconds() / 3600 <= 48
    for path in ["/id", "/type", "/last_logon", "/x_patchbay"]:
        with refused(management, 400, "invalid_patch"):
            management.members.patch(member.id, request=[{"op": "replace", "path": path, "value": "x"}])


def test_a_member_may_do_what_its_role_says(management, bench, member, logon, name, refused):
    answer = logon(member)
    assert answer.auth_code == "success"
    viewer = bench.management(answer.token.access.secret)
    viewer.accounts.list()
    with refused(viewer, 403, "permission_denied"):
        viewer.accounts.create(name=name("no"))


def test_a_wrong_password(management, organization, member, logon, refused):
    with refused(management, 401, "logon_failed") as wrong:
        logon(member, "wrong-" + GOOD)
    with refused(management, 401, "logon_failed") as unknown:
        management.auth.logon(organization["id"], name="nobody@example.com", secret=GOOD)
    # Whether a member exists must not be told.
    assert wrong.problem["message"] == unknown.problem["message"]


@pytest.mark.parametrize("option, code", [("disabled", "member_disabled"), ("invited", "member_invited"), ("locked", "member_locked"), ("forgotten", "logon_failed")])
def test_states_in_which_nobody_signs_in(management, create, logon, refused, option, code):
    member = create(options={"options": [option]})
    assert member.state == option
    with refused(management, 401, code):
        logon(member)
    with refused(management, 401, "logon_failed"):
        logon(member, "not the password")
    enabled = management.members.patch(member.id, request=[{"op": "replace", "path": "/state", "value": "enabled"}]).result
    assert enabled.state == "enabled"
    assert logon(member).auth_code == "success"


def test_an_expired_password_opens_its_own_change_alone(management, bench, create, logon, refused):
    member = create(options={"options": ["expired"]})
    answer = logon(member)
    assert answer.auth_code == "expired" and answer.auth_msg
    own = bench.management(answer.token.access.secret)
    with refused(own, 403, "permission_denied"):
        own.accounts.list()
    with refused(own, 401, "logon_failed"):
        own.auth.change_password(old_secret="wrong", new_secret=OTHER)
    with refused(own, 400, "weak_password"):
        own.auth.change_password(old_secret=GOOD, new_secret=GOOD)
    assert own.auth.change_password(old_secret=GOOD, new_secret=OTHER).result.auth_code == "success"
    own.accounts.list()
    with refused(management, 401, "logon_failed"):
        logon(member)
    assert logon(member, OTHER).auth_code == "success"


def test_a_new_password_ends_other_logons_and_logoff_its_own(bench, member, logon, refused):
    first, second = (bench.management(logon(member).token.access.secret) for _ in range(2))
    first.auth.change_password(old_secret=GOOD, new_secret=OTHER)
    with refused(second, 401, "token_invalid"):
        second.accounts.list()
    first.accounts.list()
    first.auth.logoff()
    assert first.raw.status_code == 204
    with refused(first, 401, "token_invalid"):
        first.accounts.list()


def test_an_invitation_is_redeemed_once(server, management, create, logon, refused):
    member = create(options={"options": ["invited"]})
    status, made = link(server, management, member, "invitation")
    assert (status, made["result"]["purpose"]) == (201, "invitation")
    url = made["result"]["url"]
    assert url.startswith(server.url), url
    look = httpx.post(f"{server.url}/session/link", json={"link": url.partition("#welcome=")[2]})
    assert (look.status_code, look.json()["name"]) == (200, member.name)
    assert redeem(server, url, "short").status_code == 400
    answer = redeem(server, url, OTHER)
    assert (answer.status_code, answer.json()["member"]["id"]) == (200, member.id)
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert redeem(server, url, GOOD).status_code == 401
    assert logon(member, OTHER).auth_code == "success"
    with refused(management, 401, "logon_failed"):
        logon(member)
    assert link(server, management, member, "invitation")[0] == 400


def test_delete_ends_the_members_tokens(management, bench, organization, member, refused):
    secret = management.auth.logon(organization["id"], name=member.name, secret=GOOD).result.token.access.secret
    management.members.delete(member.id)
    assert management.raw.status_code == 204
    with refused(dead := bench.management(secret), 401):
        dead.accounts.list()
    with refused(management, 404, "not_found"):
        management.members.get(member.id)
