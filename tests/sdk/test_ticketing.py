"""Every ticketing call of the slice, on the stateful mock and on a real Redmine."""

import base64
import datetime

import pytest


@pytest.fixture(params=["mock", "real"])
def desk(request, bench):
    """An integration with tickets to work on; `project` is where new ones go."""
    made = request.getfixturevalue(request.param)
    made.kind = request.param
    made.ticketing = made.engine.ticketing
    projects = made.ticketing.list_projects().result
    assert projects
    made.project = next((project.id for project in projects if project.name == "Support"), projects[0].id)
    return made


@pytest.fixture
def ticket(desk, name):
    return desk.ticketing.create_ticket(
        name=name("ticket"), summary="Drucker druckt nicht 🖨️", description="Zeile eins\n\nLine <two> & \"three\"", priority="HIGH", project=desk.project
    ).result


def test_projects_in_pages(desk):
    whole = [project.id for project in desk.ticketing.list_projects().result]
    seen, cursor = [], None
    while True:
        page = desk.ticketing.list_projects(limit=1, cursor=cursor)
        seen += [project.id for project in page.result]
        cursor = page.cursor
        if not cursor:
            break
        assert len(seen) <= len(whole), "the pages do not end"
    assert seen == whole


def test_create_and_get(desk, ticket):
    assert desk.engine.raw.status_code in (200, 201)
    assert ticket.summary == "Drucker druckt nicht 🖨️"
    again = desk.ticketing.get_ticket(ticket.id).result
    assert again.id == ticket.id
    assert again.description.replace("\r\n", "\n") == "Zeile eins\n\nLine <two> & \"three\""
    assert again.project == desk.project
    assert again.priority == "HIGH"
    assert again.status
    assert abs(datetime.datetime.now(datetime.timezone.utc) - again.created_at) < datetime.timedelta(minutes=2)


def test_only_a_name_is_needed(desk, name):
    if desk.kind == "real":
        try:
            desk.ticketing.create_ticket(name=name("bare"))
        except desk.engine.ApiError as error:
            assert error.status_code == 400, error.body  # Redmine has no default project
            assert "project" in str(error.body).lower()
            return
    made = desk.ticketing.create_ticket(name=name("bare")).result
    assert made.summary


def test_query_in_pages(desk, ticket, name):
    for _ in range(4):
        desk.ticketing.create_ticket(name=name("more"), summary="more", project=desk.project)
    whole = desk.ticketing.query_tickets(limit=100).result
    ids = [row.id for row in whole]
    assert len(ids) == len(set(ids)) >= 5
    assert ticket.id in ids
    seen, cursor = [], None
    while True:
        page = desk.ticketing.query_tickets(limit=3, cursor=cursor)
        assert len(page.result) <= 3
        seen += [row.id for row in page.result]
        cursor = page.cursor
        if not cursor:
            break
        assert len(seen) <= len(ids) + 3, "the pages do not end"
    assert seen == ids


def test_order(desk, ticket, name):
    desk.ticketing.create_ticket(name=name("later"), summary="later", project=desk.project)
    for direction, wanted in (("asc", False), ("desc", True)):
        rows = desk.ticketing.query_tickets(limit=50, order=f"created_at[{direction}]").result
        times = [row.created_at for row in rows]
        assert times == sorted(times, reverse=wanted)


def test_filter(desk, ticket, refused):
    rows = desk.ticketing.query_tickets(limit=100, filter=f"project[eq]{desk.project}").result
    assert ticket.id in [row.id for row in rows]
    assert all(row.project == desk.project for row in rows)
    rows = desk.ticketing.query_tickets(limit=100, filter=[f"project[eq]{desk.project}", f'status[eq]"{ticket.status}"']).result
    assert rows and all(row.status == ticket.status for row in rows)
    for bad in ("nosuch[eq]x", "status[approximately]x", "status"):
        with refused(desk.engine, 400):
            desk.ticketing.query_tickets(filter=bad)
    for bad in ({"order": "nosuch"}, {"limit": 0}, {"limit": -3}, {"cursor": "no cursor of ours"}):
        with refused(desk.engine, 400):
            desk.ticketing.query_tickets(**bad)


def test_patch(desk, ticket):
    answer = desk.ticketing.patch_ticket(ticket.id, request=[{"op": "replace", "path": "/summary", "value": "Läuft wieder"}, {"op": "replace", "path": "/priority", "value": "LOW"}]).result
    assert (answer.summary, answer.priority) == ("Läuft wieder", "LOW")
    assert desk.ticketing.get_ticket(ticket.id).result.summary == "Läuft wieder"


def test_patch_the_status(desk, ticket):
    wanted = next(row.status for row in desk.ticketing.query_tickets(limit=100).result if row.status and row.status != ticket.status) if desk.kind == "real" else "Done"
    assert desk.ticketing.patch_ticket(ticket.id, request=[{"op": "replace", "path": "/status", "value": wanted}]).result.status == wanted


def test_bad_patches(desk, ticket, refused):
    for bad in [
        [{"op": "replace", "path": "/nosuch", "value": 1}], [{"op": "replace", "path": "/id", "value": "7"}], [{"op": "test", "path": "/summary", "value": "other"}, {"op": "replace", "path": "/summary", "value": "x"}],
        [{"op": "replace", "path": "/priority", "value": "WHENEVER"}], {"op": "replace"},
    ]:
        with refused(desk.engine, 400):
            desk.ticketing.patch_ticket(ticket.id, request=bad)
    assert desk.ticketing.get_ticket(ticket.id).result.summary == ticket.summary


def test_unknown_tickets(desk, refused):
    for unknown in ("99999999", "no-such-ticket"):
        for call in (desk.ticketing.get_ticket, desk.ticketing.list_comments, desk.ticketing.list_attachments_metadata):
            with refused(desk.engine, 404, "not_found"):
                call(unknown)


def test_a_path_does_not_climb(desk, refused):
    """A ticket id is data, whatever it looks like (the SDK does not escape it)."""
    for evil in ("..%2Fprojects", "1%3Fkey=x", "1.json%23"):
        with refused(desk.engine, 404):
            desk.ticketing.get_ticket(evil)


def test_comments(desk, ticket, refused):
    first = desk.ticketing.create_comment(ticket.id, content="Erster Kommentar ✓\nzweite Zeile").result
    second = desk.ticketing.create_comment(ticket.id, content="second").result
    assert first.ticket_id == ticket.id and first.creator
    rows = desk.ticketing.list_comments(ticket.id).result
    assert [row.id for row in rows] == [first.id, second.id]
    assert rows[0].content.replace("\r\n", "\n") == "Erster Kommentar ✓\nzweite Zeile"
    desk.ticketing.delete_comment(ticket.id, first.id)
    assert [row.id for row in desk.ticketing.list_comments(ticket.id).result] == [second.id]
    with refused(desk.engine, 404, "not_found"):
        desk.ticketing.delete_comment(ticket.id, "99999999")


def test_attachments(desk, ticket, refused):
    content = bytes(range(256)) * 40
    made = desk.ticketing.create_attachment(ticket.id, file_name="Bericht äöü.bin", content=base64.b64encode(content).decode()).result
    assert (made.ticket_id, made.file_name) == (ticket.id, "Bericht äöü.bin")
    [row] = desk.ticketing.list_attachments_metadata(ticket.id).result
    assert (row.id, row.file_size) == (made.id, len(content))
    back = desk.ticketing.download_attachment(ticket.id, row.id).result
    assert base64.b64decode(back.content) == content
    assert back.file_name == "Bericht äöü.bin"
    desk.ticketing.delete_attachment(ticket.id, row.id)
    assert desk.ticketing.list_attachments_metadata(ticket.id).result == []
    with refused(desk.engine, 404, "not_found"):
        desk.ticketing.download_attachment(ticket.id, row.id)
    with refused(desk.engine, 400):
        desk.ticketing.create_attachment(ticket.id, file_name="x", content="no base64 !!")


def test_remote_fields(desk):
    assert desk.ticketing.list_remote_fields().result


def test_meta(desk, ticket):
    answer = desk.ticketing.query_tickets(limit=5, meta=["stats/count()", "api/response(primary)"])
    assert answer.meta.stats
    if desk.kind == "real":
        assert answer.meta.api.response.primary


def test_what_a_provider_does_not_offer_is_501(desk, refused):
    with refused(desk.engine, 501, "operation_unsupported"):
        desk.ticketing.list_on_call("x")
    with refused(desk.engine, 501, "operation_unsupported"):
        desk.ticketing.query_escalation_policies()


def test_the_real_tickets_are_there(real, redmine):
    rows = real.engine.ticketing.query_tickets(limit=100).result
    assert len(rows) >= redmine["issues"]
    first = real.engine.ticketing.get_ticket(str(redmine["first_issue"])).result
    assert first.summary == "Printer on the third floor prints blank pages"
    assert first.creator and first.attachments[0].file_name == "notes.txt"
    assert [row.content.split("\n")[0].strip() for row in real.engine.ticketing.list_comments(first.id).result] == ["Ich habe es mir angesehen: Trommel ist leer.", "Thank you!"]
    notes = real.engine.ticketing.download_attachment(first.id, first.attachments[0].id).result
    assert base64.b64decode(notes.content).decode() == "line one\nZeile zwei äöü\n"


def test_a_default_project(management, bench, account, name, redmine):
    from conftest import redmine_config

    made = management.integrations.create(account.id, name=name("default"), provider_config=redmine_config(redmine, default_project="support", default_issue_type="Support")).result
    ticket = bench.engine(made.token.access.secret).ticketing.create_ticket(name=name("bare")).result
    assert ticket.issue_type == "Support" or ticket.issue_type


def test_a_person_without_the_right(management, bench, account, name, redmine):
    """zoe is a reporter: the provider's refusal comes through as the provider's, with its words."""
    from conftest import redmine_config

    made = management.integrations.create(account.id, name=name("zoe"), provider_config=redmine_config(redmine, user=2)).result
    client = bench.engine(made.token.access.secret)
    [row, *_] = client.ticketing.query_tickets(limit=1).result
    try:
        client.ticketing.patch_ticket(row.id, request=[{"op": "replace", "path": "/summary", "value": "mine now"}])
    except client.ApiError as error:
        assert error.status_code in (502, 403), error.body
    else:
        assert client.ticketing.get_ticket(row.id).result.summary == row.summary, "Redmine ignores silently, and so must the answer say"


def test_a_dead_key_is_told_as_such(management, bench, account, name, redmine):
    wrong = {"type": "ticketing_redmine", "url": redmine["url"], "credential": {"type": "token", "secret": "d" * 40}}
    made = management.integrations.create(account.id, name=name("dead"), provider_config=wrong).result
    client = bench.engine(made.token.access.secret)
    try:
        client.ticketing.list_projects()
    except client.ApiError as error:
        assert error.status_code in (400, 502), error.body
        assert "dddd" not in client.raw.text
    else:
        raise AssertionError("a wrong key was accepted")
