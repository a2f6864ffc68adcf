"""What schemathesis must know of this server: it is loaded by SCHEMATHESIS_HOOKS.

Nothing is left out of the run. Three things are turned aside in single requests: what would end the run's own access, addresses
of strangers, and failures that are the provider's.
"""

import json
import os
import pathlib
import re
import uuid

import requests
import schemathesis
from hypothesis.internal import lambda_sources
from schemathesis.generation.meta import TestPhase
from schemathesis.transport.prepare import prepare_path

# hypothesis reads the source of a lambda to name it in reports; deep in a recursion Python 3.11 fails at that ("AST constructor
# recursion depth mismatch"), and the whole run with it.
lambda_sources.lambda_description = lambda function: "lambda: <unknown>"

FACTS = json.loads(pathlib.Path(os.environ["PATCHBAY_CONFORMANCE_FACTS"]).read_text())
# Ids and names of the run's own token and member, and of the integration whose token the connector's run holds.
OWN = set(FACTS["own"])
# What changes or ends the object that a path names; reading one's own is fine.
WRITES = {"PUT", "PATCH", "DELETE", "POST"}
HOST = re.compile(r"(?<=://)[^/?#\s\"\\]*[^/?#\s\"\\:0-9][^/?#\s\"\\]*")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Answers are held to what is described: a member that is not described is a finding."""
    schemas = raw_schema["components"]["schemas"]
    sent = reachable(raw_schema, [
        operation["requestBody"] for item in raw_schema["paths"].values() for operation in item.values() if "requestBody" in operation
    ])
    for name, schema in schemas.items():
        if name not in sent:
            close(schema)


def reachable(document, roots):
    found, queue = set(), list(roots)
    while queue:
        node = queue.pop()
        if isinstance(node, dict):
            name = node.get("$ref", "").rpartition("/components/schemas/")[2] if isinstance(node.get("$ref"), str) else ""
            if name and name not in found:
                found.add(name)
                queue.append(document["components"]["schemas"][name])
            queue.extend(node.values())
        elif isinstance(node, list):
            queue.extend(node)
    return found


def close(schema):
    if schema.get("type") == "object" and schema.get("properties") and "additionalProperties" not in schema and "allOf" not in schema:
        schema["additionalProperties"] = False


@schemathesis.hook
def before_call(context, case, kwargs):
    parameters = case.path_parameters or {}
    if leads_on(case):
        # A made-up filter chooses nothing, and from an empty list no link leads on.
        case.query = {}
    if case.method.upper() in WRITES:
        for name, value in parameters.items():
            # The organization owns its tokens: that part of a path is no object to be spared.
            if name not in ("owner_id", "organization_id") and str(value).lower() in OWN:
                case.path_parameters[name] = str(uuid.uuid4())
    if case.operation.definition.raw.get("operationId") == "auth_logoff":
        lend(case)
    body = case.body
    if isinstance(body, (dict, list)):
        case.body = turned(body)


def leads_on(case):
    """Whether this is a list in a run along links, from which others start."""
    stateful = case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL
    return stateful and case.method.upper() == "GET" and any("links" in answer for answer in case.operation.definition.raw["responses"].values())


def lend(case):
    """Signing off ends the token that is sent, so a token of its own is sent. Other kinds of credentials are left alone."""
    sent = (case.headers or {}).get("Authorization")
    if sent == f"Bearer {FACTS['token']}":
        case.headers["Authorization"] = f"Bearer {disposable()}"


def disposable():
    answer = requests.post(
        FACTS["url"] + "/v1/tokens", timeout=30, headers={"Authorization": f"Bearer {FACTS['token']}"},
        json={"permission_set": "viewer", "resources": {}, "token_ttl": "1h"},
    )
    answer.raise_for_status()
    return answer.json()["result"]["primary"]["access"]["secret"]


def turned(value):
    """The same body, in which every address leads to a name that resolves nowhere (RFC 2606 section 2)."""
    if isinstance(value, dict):
        return {key: turned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [turned(item) for item in value]
    if isinstance(value, str) and "://" in value:
        return HOST.sub("stranger.invalid", value)
    return value


# What was deleted, by the handle that its undo takes, as schemathesis says it; and what was brought back by one. And the ids and
# names in the paths of what was deleted: schemathesis looks for a deletion only among what came of the same step.
DELETED, RESTORED, GONE = {}, set(), set()


@schemathesis.hook
def after_call(context, case, response):
    if case.method.upper() == "DELETE" and response.status_code < 300:
        GONE.update(str(value) for value in (case.path_parameters or {}).values())
    for handle in response.headers.get("x-patchbay-deletion", []):
        DELETED[handle] = f"DELETE {prepare_path(case.path, case.path_parameters)}"
    if case.operation.definition.raw.get("operationId") == "deletions_undo" and response.status_code < 300:
        RESTORED.add(DELETED.get(str((case.path_parameters or {}).get("deletion_id"))))


def malformed(case, response):
    """Whether a request that fits its schema was refused as one that does not. A body whose fields are told one by one
    (`invalid_field`) was read and understood: whether a time is to come, whether there is such a role, provider or version, and what
    goes together with what, only the server knows."""
    problem = response.json()
    if case.operation.path.endswith("/call"):
        # What its path, query and body must be depends on the operation that it names.
        return False
    if problem.get("code") == "invalid_field":
        return problem.get("context", {}).get("parameter", {}).get("location") != "body"
    return problem.get("code") in ("invalid_body", "unsupported_media_type")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A documented 501 to 504 tells of a part that the provider does not have, or of trouble at the provider; it is no fault.
    An address that is too long is refused before there is an operation."""
    kind = type(failure).__name__
    if kind == "RejectedPositiveData":
        return response.status_code in (400, 415) and malformed(case, response)
    if kind == "UseAfterFree" and failure.free in RESTORED:
        return False
    if kind == "EnsureResourceAvailability" and not GONE.isdisjoint(str(value) for value in (case.path_parameters or {}).values()):
        return False
    if response.status_code in (414, 431) and len(response.request.url) > 16_000:
        return False
    documented = str(response.status_code) in case.operation.definition.raw["responses"]
    return not (kind == "ServerError" and response.status_code in (501, 502, 503, 504) and documented)
