"""Secrets are planted on every way into Patchbay; then everything it wrote or said is searched for them.

One journey is driven through a recording proxy: a member with a password, integrations with an API key and a password, a
provider app with a client secret, a consent with its code, verifier and tokens, refused and failing requests that carry
secrets, exports plain and sealed. Each secret is searched in plain, base64, hex and percent-encoded, whole and in its second half.
"""

import base64
import json
import os
import pathlib
import re
import secrets as random
import subprocess
import time
import urllib.parse

import httpx
import pytest

import person
from patchbay import Installation, Peer, binary
from recorder import Recorder


class Planted:
    """The secrets by what they are, and where each may be seen."""

    def __init__(self):
        self.secrets = {}

    def plant(self, what, value=None, seen_in=()):
        """`seen_in`: indexes of exchanges whose request enters the secret or whose answer reveals it."""
        value = value or "S3cret-" + random.token_urlsafe(24)
        self.secrets[what] = (value, list(seen_in))
        return value

    def may_be_seen_in(self, what, exchange):
        self.secrets[what][1].append(exchange)


def forms(value):
    """The shapes in which a secret may hide, as bytes."""
    raw = value.encode()
    shapes = {raw, raw.hex().encode(), urllib.parse.quote(value, safe="").encode(), json.dumps(value)[1:-1].encode()}
    for shift in range(3):
        # Inside a longer base64 text only the middle is the secret's own, whatever stands before and after it.
        coded = base64.b64encode(b"\0" * shift + raw)[(0, 2, 3)[shift]:]
        shapes.add(coded.rstrip(b"=")[: -1 if (len(raw) + shift) % 3 else None])
    if len(raw) >= 24:
        shapes.add(raw[len(raw) // 2:])
    return {shape for shape in shapes if len(shape) >= 8}


def found(value, content):
    return any(shape in content for shape in forms(value))


def belongings(folder):
    """The files of the store, and those in folders beside it."""
    return [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0].startswith("store.db")]


@pytest.fixture(scope="module")
def journey(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    planted = Planted()
    redmine, oidc = Peer.redmine(), Peer.oidc()
    installation = Installation(folder)
    organization = installation.init("Acme")["organization"]
    planted.plant("organization access token", organization["token"]["access"]["secret"])
    planted.plant("organization refresh token", organization["token"]["refresh"]["secret"])
    planted.plant("master key", (folder / "key").read_text().strip())
    server = installation.serve(environment={"RUST_LOG": "trace"})
    proxy = Recorder(server.url)
    client = httpx.Client(base_url=proxy.url, headers={"Authorization": f"Bearer {organization['token']['access']['secret']}"}, timeout=60)

    def send(method, path, body=None, *, ok=True, enters=(), headers=None):
        """One request that must succeed (`ok`), fail, or may do either (None); what it `enters` may be seen in it and nowhere else."""
        answer = client.request(method, path, json=body, headers=headers)
        for what in enters:
            planted.may_be_seen_in(what, ("sent", len(proxy.exchanges) - 1))
        if ok:
            assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        elif ok is False:
            assert answer.is_client_error or answer.is_server_error, f"{method} {path} was expected to fail: {answer.text}"
        return answer

    def reveals(what, value):
        """The last answer showed this token of ours, which is its one time."""
        planted.plant(what, value, [("answered", len(proxy.exchanges) - 1)])
        return value

    # People and accounts.
    planted.plant("member's password")
    member = send("POST", "/v1/members", {"name": "ada@example.com", "secret": planted.secrets["member's password"][0], "fullname": "Ada", "role_binding": ["administrator"]}, enters=["member's password"])
    logon = send("POST", f"/v1/auth/logon/{organization['id']}", {"name": "ada@example.com", "secret": planted.secrets["member's password"][0]}, enters=["member's password"]).json()
    reveals("member's access token", logon["result"]["token"]["access"]["secret"])
    reveals("member's refresh token", logon["result"]["token"]["refresh"]["secret"])
    planted.plant("refused password")
    send("POST", f"/v1/auth/logon/{organization['id']}", {"name": "ada@example.com", "secret": planted.secrets["refused password"][0]}, ok=False, enters=["refused password"])
    account = send("POST", "/v1/accounts", {"name": "planted"}).json()["result"]["account"]["id"]

    # A key that works, a password that does not, one that is in a refused request, a shared one that is replaced.
    planted.plant("Redmine API key", redmine.facts["users"][0]["api_key"])
    made = send("POST", f"/v1/integrations/{account}", {"name": "redmine", "provider_config": {
        "type": "ticketing_redmine", "url": redmine.facts["url"], "credential": {"type": "token", "secret": planted.secrets["Redmine API key"][0]}}}, enters=["Redmine API key"]).json()["result"]
    integration_token = reveals("integration access token", made["token"]["access"]["secret"])
    reveals("integration refresh token", made["token"]["refresh"]["secret"])
    planted.plant("wrong basic password")
    send("POST", f"/v1/integrations/{account}", {"name": "wrong", "provider_config": {
        "type": "ticketing_redmine", "url": redmine.facts["url"], "credential": {"type": "basic", "username": "admin", "secret": planted.secrets["wrong basic password"][0]}}}, enters=["wrong basic password"])
    reveals("second integration's access token", json.loads(proxy.exchanges[-1].answered.split(b"\n")[-1])["result"]["token"]["access"]["secret"])
    planted.plant("password at an unreachable host")
    send("POST", f"/v1/integrations/{account}/verify", {"integration": {"provider_config": {
        "type": "ticketing_jira", "url": "http://127.0.0.1:9", "credential": {"type": "basic", "username": "u", "secret": planted.secrets["password at an unreachable host"][0]}}}},
        ok=None, enters=["password at an unreachable host"])
    planted.plant("secret in an invalid request")
    bad = planted.secrets["secret in an invalid request"][0]
    for body in (
        {"name": "bad", "provider_config": {"type": "ticketing_redmine", "credential": {"type": "token", "secret": bad}}},
        {"name": "bad", "provider_config": {"type": "ticketing_redmine", "url": "http://x", "credential": {"type": "token", "secret": [bad]}}},
        {"name": "bad", "provider_config": {"type": "ticketing_redmine", "url": "http://x", "credential": {"type": "nosuch", "secret": bad}}},
        {"name": "bad", "provider_config": {"type": "ticketing_redmine", "url": "http://x", "credential": bad}},
        {"name": "bad", "provider_config": {"type": "ticketing_redmine", "url": "http://x", "api_key": bad, "credential": {"type": "token", "secret": "x"}}},
    ):
        send("POST", f"/v1/integrations/{account}", body, ok=False, enters=["secret in an invalid request"])
    planted.plant("shared secret")
    planted.plant("replaced shared secret")
    shared = send("POST", f"/v1/credentials/{account}", {"name": "shared", "config": {"type": "basic", "username": "u", "secret": planted.secrets["shared secret"][0]}}, enters=["shared secret"]).json()["result"]["id"]
    send("PATCH", f"/v1/credentials/{account}/{shared}", [{"op": "replace", "path": "/config/secret", "value": planted.secrets["replaced shared secret"][0]}], enters=["replaced shared secret"])
    planted.plant("secret in a refused patch")
    send("PATCH", f"/v1/credentials/{account}/{shared}", [{"op": "test", "path": "/config/secret", "value": planted.secrets["secret in a refused patch"][0]}], ok=False, enters=["secret in a refused patch"])
    planted.plant("dead bearer token")
    httpx.get(f"{proxy.url}/v1/accounts", headers={"Authorization": f"Bearer {planted.secrets['dead bearer token'][0]}"})

    # The connector, with a trace, and the same call as Try it makes it.
    as_integration = {"Authorization": f"Bearer {integration_token}"}
    send("GET", "/v1/ticketing/tickets?limit=3&meta=api/response(all)", headers=as_integration)
    send("GET", "/v1/ticketing/tickets/999999", ok=False, headers=as_integration)
    send("POST", f"/v1/x/integrations/{account}/redmine/call", {"operation": "query_tickets", "params": {"limit": 2}})

    # Consent, with the client secret of a confidential client, and a refresh.
    planted.plant("client secret", oidc.facts["confidential"]["client_secret"])
    send("POST", "/v1/x/provider-apps", {"provider": "identity_openid", "name": "peer", "issuer": oidc.facts["issuer"], "client_id": oidc.facts["confidential"]["client_id"],
         "client_secret": planted.secrets["client secret"][0]}, enters=["client secret"])
    people = send("POST", f"/v1/integrations/{account}", {"name": "people", "provider_config": {"type": "identity_openid", "issuer": oidc.facts["issuer"], "credential": {"type": "o_auth_user"}}}).json()["result"]["integration"]["id"]
    httpx.post(f"{oidc.facts['url']}/peer/settings", json={"access_ttl": 2})
    begun = send("POST", "/v1/x/connect-sessions", {"integration_id": people, "route": "browser", "redirect_uri": "http://127.0.0.1:45999/callback"}).json()["result"]
    callback = person.consent(begun["authorize_url"], "ada", oidc.facts["users"][0]["password"])
    state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(callback).query))["state"]
    planted.plant("consent state", state, [("answered", len(proxy.exchanges) - 1)])
    finished = send("POST", f"/v1/x/connect-sessions/{begun['id']}/finish", {"callback_url": callback})
    planted.may_be_seen_in("consent state", ("sent", len(proxy.exchanges) - 1))
    finish = len(proxy.exchanges) - 1
    assert finished.json()["result"]["state"] == "completed", finished.text
    # What is recorded of it, also of a window that tells too much, and of a page that quotes what it should not.
    planted.plant("code that a window saw")
    planted.plant("token in a page")
    again = send("POST", "/v1/x/connect-sessions", {"integration_id": people, "route": "browser", "redirect_uri": "http://127.0.0.1:45999/callback"}).json()["result"]
    seen, quoted = planted.secrets["code that a window saw"][0], planted.secrets["token in a page"][0]
    step = {"kind": "navigated", "at": "2026-11-22T00:00:00Z", "seen": {"origin": "https://login.example.com", "path": f"/{seen}", "parameters": [{"name": "code", "value": {"clear": seen}}]}}
    send("POST", f"/v1/x/connect-sessions/{again['id']}/record", {"steps": [step]}, enters=["code that a window saw"])
    page = {"seen": {"origin": "https://login.example.com", "path": "/error", "parameters": []}, "text": f"invalid_client: the token {quoted} is wrong"}
    send("POST", f"/v1/x/connect-sessions/{again['id']}/explain", page, enters=["token in a page"])
    for session in (begun, again):
        assert len(send("GET", f"/v1/x/connect-sessions/{session['id']}/flight").json()["result"]) >= 4
    send("GET", f"/v1/x/integrations/{account}/{people}/connect-sessions")
    tested = send("POST", "/v1/x/provider-apps/peer/preflight").json()["result"]["checks"]
    assert [check["outcome"] for check in tested if check["kind"] == "client"] == ["good"], tested
    time.sleep(2.5)
    send("POST", f"/v1/integrations/{account}/{people}/verify")
    for number, value in enumerate(httpx.get(f"{oidc.facts['url']}/peer/issued").json()):
        # The code came to us in the callback; everything else stays between the two servers.
        planted.plant(f"secret {number} of the consent", value, [("sent", finish)] if value in urllib.parse.unquote(callback) else [])

    # A connect link in a customer's browser, a key that is entered there, and what browsers and programs ask in vain with it.
    made = send("POST", "/v1/x/connect-links", {"account_id": account, "provider": "ticketing_redmine"}).json()["result"]
    link = reveals("connect link", made["url"].rsplit("/", 1)[1])
    guest = httpx.Client(base_url=proxy.url, timeout=60, headers={"Origin": server.url})
    planted.plant("key entered by a link")

    def visit(method, path, *, shows=True, **body):
        answer = guest.request(method, path, **body)
        for way in ("sent", "answered") if shows else ("sent",):
            planted.may_be_seen_in("connect link", (way, len(proxy.exchanges) - 1))
        return answer

    shown = visit("GET", f"/connect/{link}")
    [browser] = list(guest.cookies.values())
    planted.plant("browser of a connect link", browser, [("answered", len(proxy.exchanges) - 1)])
    proof = re.search('name="form" value="([^"]+)"', shown.text).group(1)
    planted.plant("proof of a form", proof, [("answered", len(proxy.exchanges) - 1)])
    entered = {"way": "token", "form": proof, "credential.secret": planted.secrets["key entered by a link"][0]}
    for url in ("not an address", "http://127.0.0.1:9", redmine.facts["url"]):
        refused = visit("POST", f"/connect/{link}/ticketing_redmine", data={**entered, "config.url": url})
        assert refused.status_code == 400, refused.text
        sent = ("sent", len(proxy.exchanges) - 1)
        for what in ("key entered by a link", "browser of a connect link", "proof of a form"):
            planted.may_be_seen_in(what, sent)
        planted.may_be_seen_in("proof of a form", ("answered", sent[1]))
    for method, path in (("PUT", f"/connect/{link}"), ("POST", f"/connect/{link}/a/b"), ("GET", f"/v1/x/connect-links/{link}"), ("GET", f"/connect/{link}/nothing")):
        assert visit(method, path).is_client_error
        planted.may_be_seen_in("browser of a connect link", ("sent", len(proxy.exchanges) - 1))
    send("GET", "/v1/x/connect-links")
    send("GET", "/v1/x/connect-links", ok=False, headers={"Authorization": f"Bearer {link}"})
    planted.may_be_seen_in("connect link", ("sent", len(proxy.exchanges) - 1))

    # A signed-in browser.
    web = httpx.Client(base_url=proxy.url, timeout=60, headers={"Origin": server.url})
    signed_in = web.post("/session", json={"token": organization["token"]["access"]["secret"]})
    assert signed_in.is_success, signed_in.text
    planted.may_be_seen_in("organization access token", ("sent", len(proxy.exchanges) - 1))
    [cookie] = [value for value in web.cookies.values()]
    planted.plant("web session", cookie, [("answered", len(proxy.exchanges) - 1)])
    web.post("/rpc", json={"command": "integrations.list", "params": {}})
    web.post("/rpc", json={"command": "overview.get", "params": {}})
    page = web.get("/")
    pages = [page.text]
    for asset in sorted(set(re.findall(r'(?:src|href)="([^"]+\.(?:js|css|svg))"', page.text))):
        pages.append(web.get(asset).text)

    # Everything that is read back, and both exports.
    for path in ("/v1/organization", "/v1/accounts", f"/v1/integrations/{account}?expand=all", f"/v1/credentials/{account}", "/v1/tokens", "/v1/members", "/v1/audit/organizations?limit=500", "/v1/x/overview", "/v1/x/provider-apps", "/metrics"):
        client.get(path)
    exports = [send("POST", "/v1/x/export", {}).text, installation.run("export").stdout]
    # The log with what was there before and after, as it is carried away and row by row.
    exports += [send("GET", f"/v1/x/audit/export?format={kind}").text for kind in ("jsonl", "csv")]
    exports += [installation.run("audit export").stdout, installation.run("audit list", "--output", "json").stdout]
    rows = client.get("/v1/audit/organizations", params={"limit": 500, "filter": "audit_type[eq]API"}).json()["result"]
    changed = [row["x_patchbay"]["id"] for row in rows if row["x_patchbay"]["has_before"] or row["x_patchbay"]["has_after"]]
    assert len(changed) > 5
    exports.append("".join(send("GET", f"/v1/x/audit/{row}").text for row in changed))
    recipient = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
    exports.append(send("POST", "/v1/x/export", {"secrets": "sealed", "recipient": recipient}).text)
    exports.append(installation.run("export", "--secrets", "sealed", "--recipient", recipient).stdout)

    # The files as they are while the server has them open, and again after it has ended.
    files = {f"{path.name} of the running server": path.read_bytes() for path in belongings(folder)}
    assert server.stop() == 0
    files |= {path.name: path.read_bytes() for path in belongings(folder)}
    said = "".join(server.log)
    proxy.stop()
    redmine.stop()
    oidc.stop()
    return {"planted": planted, "exchanges": proxy.exchanges, "files": files, "log": said.encode(), "exports": exports, "pages": pages, "member": member.text}


def test_the_search_itself_finds():
    """Without this, an error in the search would look like a clean result."""
    value = "S3cret-abcdefghijklmnopqrstuvwx"
    for content in (
        f"x{value}y".encode(), base64.b64encode(f"user:{value}".encode()), base64.b64encode(f"u:{value}!".encode()), base64.b64encode(f"ab:{value}".encode()), value.encode().hex().encode(),
        urllib.parse.quote("/" + value).encode(), value[len(value) // 2:].encode(),
    ):
        assert found(value, content), content
    assert not found(value, b"S3cret-zzzzzzzzzzzzzzzzzzzzzzzz")


def test_the_journey_said_something(journey):
    assert len(journey["log"]) > 1000 and len(journey["exchanges"]) > 30
    assert len(journey["planted"].secrets) > 20
    assert any(name.endswith("-wal of the running server") for name in journey["files"]), journey["files"].keys()
    assert all(len(export) > 200 for export in journey["exports"])
    assert len(journey["pages"]) > 1


@pytest.mark.parametrize("place", ["files", "log", "exports", "pages"])
def test_not_in(journey, place):
    contents = journey[place]
    if isinstance(contents, bytes):
        contents = {place: contents}
    if isinstance(contents, list):
        contents = {f"{place} {number}": text.encode() for number, text in enumerate(contents)}
    leaks = [f"{what} in {name}" for name, content in contents.items() for what, (value, _) in journey["planted"].secrets.items() if found(value, content)]
    assert leaks == []


def test_not_in_traffic(journey):
    leaks = []
    for what, (value, seen_in) in journey["planted"].secrets.items():
        for number, exchange in enumerate(journey["exchanges"]):
            for side in ("sent", "answered"):
                if found(value, getattr(exchange, side)) and (side, number) not in seen_in:
                    leaks.append(f"{what}: {side} in {exchange}")
    assert leaks == []


def test_a_passphrase_leaves_no_trace(tmp_path):
    passphrase = "Passphrase-" + random.token_urlsafe(24)
    path = tmp_path / "store.db"
    common = ["--store", f"sqlite:{path}", "--key-source", "passphrase"]
    environment = {"PATCHBAY_PASSPHRASE": passphrase, "RUST_LOG": "trace"}
    made = subprocess.run([binary(), "init", *common, "--organization", "Acme", "--output", "json"], capture_output=True, text=True, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    assert made.returncode == 0, made.stderr
    wrong = subprocess.run([binary(), "export", *common], capture_output=True, text=True, env={**os.environ, **environment, "PATCHBAY_PASSPHRASE": passphrase + "x"}, stdin=subprocess.DEVNULL)
    assert wrong.returncode == 1
    written = b"".join(file.read_bytes() for file in pathlib.Path(tmp_path).iterdir())
    for content in (written, made.stdout.encode(), made.stderr.encode(), wrong.stdout.encode(), wrong.stderr.encode()):
        assert not found(passphrase, content)
