import pytest

NAMES = ["alpha", "Beta", "gamma", "delta", "epsilon", "zeta", "eta"]


@pytest.fixture(scope="module")
def many(management):
    """Seven accounts whose names share a beginning that no other test uses."""
    return [
        management.accounts.create(
            name=f"t-{name}".lower(), fullname=f"Tenant {name}", environment="test" if index % 2 else "prod", labels=["gold"] if index < 3 else ["silver", "eu:1"]
        ).result.account
        for index, name in enumerate(NAMES)
    ]


def names(answer):
    return [account.name for account in answer.result]


def test_create_answers_the_account(management, organization, name):
    wanted = name("made")
    answer = management.accounts.create(name=wanted, fullname="Größe & Co", environment="test", labels=["gold", "eu:1"]).result
    assert management.raw.status_code == 201
    assert (answer.account.name, answer.account.fullname, answer.account.environment) == (wanted, "Größe & Co", "test")
    assert answer.account.organization_id == organization["id"]
    assert sorted(answer.account.labels) == ["eu:1", "gold"]
    assert answer.token is None


def test_defaults(management):
    bare = management.accounts.create().result.account
    assert bare.environment == "prod"
    assert bare.name == bare.id
    assert bare.fullname == bare.name
    slug = management.accounts.create(fullname="Müller GmbH / Süd").result.account
    assert slug.name and set(slug.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-~")


def test_a_token_for_the_account_comes_with_it(management, bench, name, refused):
    answer = management.accounts.create(name=name("own"), token={"permission_set": "account-manager", "token_ttl": "2h"}).result
    own = bench.management(answer.token.primary.access.secret)
    assert [row.id for row in own.accounts.list().result] == [answer.account.id]
    other = management.accounts.create(name=name("foreign")).result.account
    with refused(own, 404):
        own.accounts.get(other.id)


def test_an_id_or_a_name_in_the_path(management, account):
    assert management.accounts.get(account.id).result.name == account.name
    assert management.accounts.get(account.name).result.id == account.id
    assert management.accounts.get(account.name.upper()).result.id == account.id


def test_a_name_is_taken_whatever_its_case(management, account, refused):
    with refused(management, 409, "name_taken") as refusal:
        management.accounts.create(name=account.name.upper())
    assert account.name in refusal.problem["message"].lower()


def test_bad_fields_name_themselves(management, refused):
    for bad, at in [
        ({"name": "has space"}, "/name"), ({"name": "x" * 300}, "/name"), ({"environment": "staging"}, "/environment"),
        ({"labels": ["no good"]}, "/labels/0"), ({"labels": "gold"}, "/labels"), ({"fullname": 7}, "/fullname"), ({"fullname": "x" * 5000}, "/fullname"),
    ]:
        with refused(management, 400) as refusal:
            management.accounts.create(**bad)
        parameter = refusal.problem["context"]["parameter"]
        assert (parameter["location"], parameter["id"]) == ("body", at), refusal.problem


def test_pages_follow_the_name(management, many):
    seen, start = [], None
    while True:
        page = names(management.accounts.list(limit=3, start_after=start, filter="name[like]t-%"))
        seen += page
        if len(page) < 3:
            break
        start = page[-1]
    assert seen == sorted(account.name for account in many)


def test_orders(management, many):
    down = names(management.accounts.list(order="name[desc]", filter="name[like]t-*"))
    assert down == sorted((account.name for account in many), reverse=True)
    by_two = management.accounts.list(order=["environment[asc]", "name[desc]"], filter="name[like]t-%").result
    assert [(a.environment.value, a.name) for a in by_two] == sorted(
        sorted(((a.environment, a.name) for a in many), key=lambda pair: pair[1], reverse=True), key=lambda pair: pair[0]
    )
    plain = names(management.accounts.list(order="created_at", filter="name[like]t-%"))
    assert plain == [account.name for account in many]


def test_pages_follow_any_order(management, many):
    whole = names(management.accounts.list(order="name[desc]", filter="name[like]t-%"))
    first = names(management.accounts.list(order="name[desc]", filter="name[like]t-%", limit=2))
    rest = names(management.accounts.list(order="name[desc]", filter="name[like]t-%", start_after=first[-1]))
    assert first + rest == whole


def test_filters(management, many):
    by_name = lambda *filters: sorted(names(management.accounts.list(filter=list(filters))))
    tests = sorted(account.name for account in many if account.environment == "test")
    assert by_name("name[like]t-%", "environment[eq]test") == tests
    assert by_name("name[like]t-%", "environment[ne]prod") == tests
    assert by_name("name[like]t-%", "environment[neq]prod") == tests
    assert by_name("name[in]t-beta,t-alpha") == ["t-alpha", "t-beta"]
    assert by_name("name[not in]t-beta,t-alpha", "name[like]t-%") == sorted(a.name for a in many if a.name not in ("t-beta", "t-alpha"))
    assert by_name("name[like]t-%", "name[not like]%eta") == sorted(a.name for a in many if not a.name.endswith("eta"))
    assert by_name('name[eq]"t-beta"') == ["t-beta"]
    assert by_name("name[like]t-%", "name[gte]t-gamma") == sorted(a.name for a in many if a.name >= "t-gamma")
    assert by_name("name[eq]t-nobody") == []


def test_total_counts_after_the_filters(management, many):
    answer = management.accounts.list(limit=1, filter="name[like]t-%", total=True)
    assert (len(answer.result), answer.total) == (1, len(many))
    assert management.accounts.list(limit=1).total is None


def test_bad_lists_are_refused(management, refused):
    for bad in [
        {"filter": "nosuch[eq]x"}, {"filter": "name[approximately]x"}, {"filter": "name"}, {"order": "nosuch"}, {"order": "name[sideways]"}, {"limit": 0}, {"limit": -1}, {"limit": 100000},
    ]:
        with refused(management, 400) as refusal:
            management.accounts.list(**bad)
        assert refusal.problem["context"]["parameter"]["location"] == "query"


def whole(management):
    body = management.raw.json()["result"]
    body.pop("x_patchbay", None)
    return body


def test_put_takes_the_whole_object(management, account):
    management.accounts.get(account.id)
    body = whole(management)
    body.update(fullname="Renamed", labels=["silver"])
    answer = management.accounts.update(account.id, **body).result
    assert (answer.fullname, answer.labels, answer.id) == ("Renamed", ["silver"], account.id)
    assert answer.updated_at > account.updated_at
    assert answer.created_at == account.created_at


def test_patch_is_a_bare_list_of_operations(management, account):
    answer = management.accounts.patch(
        account.id, request=[{"op": "replace", "path": "/fullname", "value": "Y"}, {"op": "add", "path": "/labels", "value": ["a"]}, {"op": "add", "path": "/labels/-", "value": "b"}]
    ).result
    assert (answer.fullname, answer.labels) == ("Y", ["a", "b"])
    answer = management.accounts.patch(
        account.id, request=[{"op": "test", "path": "/fullname", "value": "Y"}, {"op": "copy", "from": "/name", "path": "/fullname"}, {"op": "remove", "path": "/labels"}]
    ).result
    assert answer.fullname == account.name
    assert not answer.labels


def test_a_patch_is_whole_or_nothing(management, account, refused):
    for bad in [
        [{"op": "replace", "path": "/fullname", "value": "Z"}, {"op": "test", "path": "/name", "value": "other"}],
        [{"op": "replace", "path": "/fullname", "value": "Z"}, {"op": "replace", "path": "/id", "value": "1"}],
        [{"op": "replace", "path": "/fullname", "value": "Z"}, {"op": "remove", "path": "/nosuch"}],
        [{"op": "replace", "path": "/fullname", "value": "Z"}, {"op": "frobnicate", "path": "/name"}],
        [{"op": "replace", "path": "/fullname", "value": 7}],
        {"op": "replace", "path": "/fullname", "value": "Z"},
    ]:
        with refused(management, 400):
            management.accounts.patch(account.id, request=bad)
    assert management.accounts.get(account.id).result.fullname == account.fullname


def test_delete_takes_what_belongs_to_it(management, mock, refused):
    management.accounts.delete(mock.account.id)
    assert management.raw.status_code == 204
    with refused(management, 404, "not_found"):
        management.accounts.get(mock.account.id)
    with refused(management, 404, "not_found"):
        management.integrations.get(mock.account.id, mock.integration.id)
    with refused(mock.engine, 401):
        mock.engine.ticketing.list_projects()
    # The name is free again.
    management.accounts.create(name=mock.account.name)


def test_unknown_accounts(management, refused):
    for call in (management.accounts.get, management.accounts.delete, management.integrations.list_account, management.credentials.list):
        with refused(management, 404, "not_found"):
            call("nobody")
