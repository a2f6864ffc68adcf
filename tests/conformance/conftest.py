"""Two servers for each document, each a fresh store with a little of everything, and administrators' tokens."""

import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import sys

import pytest
import requests

from patchbay import Installation

HERE = pathlib.Path(__file__).resolve().parent
# How much is tried: cases spread over the operations of a document, scaled like those of every other random test.
CASES = max(1, round(100 * float(os.environ.get("PATCHBAY_CASES", "1"))))
# Walks along the links.
WALKS = max(1, CASES // 20)
SEED = int(os.environ.get("PATCHBAY_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


class World:
    """A served organization with sample data; `ids` holds some values of each path parameter."""

    def __init__(self):
        self.installation = Installation()
        self.organization = self.installation.init("Acme")["organization"]
        self.token = self.organization["token"]["access"]["secret"]
        self.server = self.installation.serve(private_networks=False)
        self.url = self.server.url
        self.ids = {}
        self.fill()

    def call(self, method, path, body=None, token=None):
        answer = requests.request(method, self.url + path, json=body, timeout=60, headers={"Authorization": f"Bearer {token or self.token}"})
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json().get("result") if answer.content else None

    def note(self, **ids):
        for name, value in ids.items():
            self.ids.setdefault(name, []).append(value)

    def fill(self):
        call = self.call
        for name, environment in (("globex", "test"), ("initech", "prod"), ("umbrella", "test")):
            account = call("POST", "/v1/accounts", {"name": name, "environment": environment, "labels": ["gold"]})["account"]
            self.note(account_id=account["id"], owner_id=account["id"])
            for number in range(2):
                made = call("POST", f"/v1/integrations/{name}", {"name": f"tickets-{number}", "provider_config": {"type": "ticketing_mock_ticketing"}})
                integration = made["integration"]
                self.note(integration_id=f"tickets-{number}", refresh_token_id=integration["refresh_token_id"])
            credential = call("POST", f"/v1/credentials/{name}", {"name": "login", "config": {"type": "basic", "username": "ada", "secret": "s3cret-word"}})
            self.note(credential_id=credential["id"])
        for name in ("tickets", "spare"):
            point = call("POST", "/v1/integration-points", {"name": name, "connector": "ticketing", "environments": {"test": ["*"], "prod": ["*"]}})
            self.note(integration_point_id=point["id"])
        for name in ("robot", "pipeline"):
            self.note(member_id=call("POST", "/v1/members", {"name": name, "type": "service", "role_binding": ["viewer"]})["member"]["id"])
        token = call("POST", "/v1/tokens", {"name": "reports", "permission_set": "viewer", "resources": {"accounts": {"ids": ["*"]}}})
        self.note(refresh_token_id=token["id"], owner_id=token["owner_id"])
        app = call("POST", "/v1/x/provider-apps", {
            "name": "login", "provider": "identity_openid", "issuer": "https://login.stranger.invalid", "client_id": "patchbay", "redirect_uris": ["https://patchbay.stranger.invalid/oauth/callback"],
        })
        self.note(provider_app_id=app["id"], organization_id=self.organization["id"], provider_id="ticketing_mock_ticketing")
        # The one whose token the connector's run holds stands apart.
        call("POST", "/v1/accounts", {"name": "bench", "environment": "test"})
        bench = call("POST", "/v1/integrations/bench", {"name": "bench", "provider_config": {"type": "ticketing_mock_ticketing"}})
        self.integration = bench["integration"]
        own = call("GET", "/v1/organization")
        self.own = [own["refresh_token_id"], "bench", self.integration["id"], self.integration["account_id"], self.integration["refresh_token_id"]]
        for member in call("GET", "/v1/members"):
            if "root_administrator" in member["role_binding"]:
                self.own += [member["id"], member["name"]]
        # An hour is enough for any run; ten minutes may not be.
        self.integration_token = call("POST", "/v1/tokens/bench/bench", {"token_ttl": "24h"})["secret"]
        for number in range(3):
            ticket = call("POST", "/v1/ticketing/tickets", {"name": f"ticket-{number}", "summary": "A ticket"}, token=self.integration_token)
            comment = call("POST", f"/v1/ticketing/tickets/{ticket['id']}/comments", {"content": "A comment"}, token=self.integration_token)
            attachment = call("POST", f"/v1/ticketing/attachments/{ticket['id']}", {"file_name": "a.txt", "content": "aGVsbG8="}, token=self.integration_token)
            self.note(ticket_id=ticket["id"], comment_id=comment["id"], attachment_id=attachment["id"])

    def document(self, name):
        answer = requests.get(f"{self.url}/v1/meta/openapi/{name}", timeout=60, headers={"Authorization": f"Bearer {self.token}"})
        answer.raise_for_status()
        return answer.json()

    def close(self):
        try:
            assert self.server.stop() == 0, "serve ends with status 0 on SIGTERM"
        finally:
            self.installation.close()


@pytest.fixture
def worlds():
    """Two, so that two can be asked at once: a second run on the same one deletes what the first has just made, and no seed
    repeats that."""
    made = []
    try:
        made += [World(), World()]
        yield made
    finally:
        for world in made:
            world.close()


@pytest.fixture
def document(worlds):
    """Reads one of the two served documents."""
    return lambda name: worlds[0].document(name)


@pytest.fixture
def schemathesis(worlds, tmp_path):
    """Runs schemathesis on a document with the token of a security scheme; gives its exit status and what it wrote."""

    def run(name, scheme, token):
        def share(number):
            world, folder = worlds[number], tmp_path / f"{name}-{number}"
            folder.mkdir()
            document = world.document(name)
            paths = sorted(document["paths"])
            of_world = {**document, "paths": {path: document["paths"][path] for path in paths[number :: len(worlds)]}}
            # First every operation by itself, a part in each world; then along the links, several times: a walk ends as soon as
            # the server answers one and the same step otherwise than before, as it must when a name is taken by then.
            runs = [("examples,coverage,fuzzing", of_world, SEED)]
            runs += [("stateful", document, SEED + walk) for walk in range(1 + number, 1 + WALKS, len(worlds))]
            return [against(world, folder, about, scheme, token(world), phases, seed) for phases, about, seed in runs]

        with concurrent.futures.ThreadPoolExecutor(len(worlds)) as pool:
            done = [one for shares in pool.map(share, range(len(worlds))) for one in shares]
        told = "\n".join(text for _, text in done)
        return max((status for status, _ in done), key=abs), f"seed {SEED}, cases {CASES}\n{told}"

    return run


def against(world, folder, document, scheme, token, phases, seed):
    """One run."""
    (folder / "facts.json").write_text(json.dumps({"url": world.url, "token": token, "own": [value.lower() for value in world.own]}))
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "schemathesis.toml").write_text(configuration(world, document, scheme, token, seed))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", world.url]
    command += ["--report", "ndjson,junit", "--report-dir", "report", "--phases", phases]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "PATCHBAY_CONFORMANCE_FACTS": str(folder / "facts.json")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=max(1800, CASES * 60))
    # Generated addresses can be as long as a book.
    shown = "\n".join(line[:1000] for line in done.stdout.splitlines())
    return done.returncode, f"{phases}, seed {seed}\n{shown[-60_000:]}\n{done.stderr[-4000:]}"


def configuration(world, document, scheme, token, seed):
    """The settings of a run. Values that are written as JSON are also TOML."""
    examples = max(1, CASES // 20)
    lines = [
        f"seed = {seed}", "color = false", "continue-on-failure = true", "warnings = false", "request-timeout = 60.0",
        "[generation]", f"max-examples = {examples}", "no-shrink = true", 'database = "none"',
        "[checks]", "enabled = true",
        "[phases.stateful]", "max-steps = 8", f"generation.max-examples = {CASES}",
        # The links that the document itself tells; those that its names suggest are thousands, and all but never lead anywhere.
        "inference.algorithms = []",
        f"[auth.openapi.{scheme}]", f"bearer = {json.dumps(token)}",
    ]
    used = {parameter["name"] for item in document["paths"].values() for operation in item.values() for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
    known = {name: values for name, values in world.ids.items() if name in used}
    lines.append("[dictionaries]")
    lines += [f"{name} = {{ values = {json.dumps(values)} }}" for name, values in known.items()]
    lines.append("[parameters]")
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.7 }}' for name in known]
    return "\n".join(lines) + "\n"
