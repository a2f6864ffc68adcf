"""The unmodified SDK as a judge.

The SDK builds its answers unchecked, so a call that returns proves little. Here every call through the SDK is recorded, and
the raw answer is validated strictly against the very model that the SDK promises for it: no missing or mistyped member, no
unknown enum value, and no member that the model does not have, apart from our one `x_patchbay`.
"""

import asyncio
import enum
import inspect
import json
import threading
import typing

import httpx
import jsonschema
import pydantic
from synqly.engine.client import AsyncSynqlyEngine, SynqlyEngine
from synqly.engine.common.types.problem import Problem as EngineProblem
from synqly.engine.core.api_error import ApiError as EngineApiError
from synqly.management import CategoryId
from synqly.management.capabilities.types.connector import Connector
from synqly.management.client import AsyncSynqlyManagement, SynqlyManagement
from synqly.management.common.types.problem import Problem as ManagementProblem
from synqly.management.core.api_error import ApiError as ManagementApiError
from synqly.management.providers_generated.types.provider_config import ProviderConfig

OURS = "x_patchbay"
PROBLEM_MEMBERS_OF_OURS = {"title", "code"}
# Connectors that the SDK's product does not have; the SDK takes the words for unknown ones and goes on.
CONNECTORS_OF_OURS = {"crm", "accounting"}
KNOWN_PROVIDERS = {variant.model_fields["type"].default for variant in typing.get_args(typing.get_args(ProviderConfig)[0])}


class Verdict(AssertionError):
    """An answer that the SDK's own models refuse."""


class Bench:
    """What all judged clients of one server share: its address, the provider schemas it serves, and the count of verdicts."""

    def __init__(self, url, flavour="sync"):
        self.url = url
        self.schemas = {}
        self.judged = 0
        self.calls = set()
        self.loop = None
        if flavour == "async":
            self.loop = asyncio.new_event_loop()
            threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def management(self, token):
        client = AsyncSynqlyManagement if self.loop else SynqlyManagement
        return Judged(self, client, token, ManagementProblem, ManagementApiError)

    def engine(self, token):
        client = AsyncSynqlyEngine if self.loop else SynqlyEngine
        return Judged(self, client, token, EngineProblem, EngineApiError)

    def result(self, answer):
        """What a method of the SDK answered: the async client's answers are waited for on the bench's own loop, streams are read."""
        async def read(answer):
            if inspect.isawaitable(answer):
                answer = await answer
            return b"".join([part async for part in answer]) if inspect.isasyncgen(answer) else answer

        if self.loop:
            return asyncio.run_coroutine_threadsafe(read(answer), self.loop).result()
        return b"".join(answer) if inspect.isgenerator(answer) else answer


class Judged:
    """An SDK client whose every answer is judged. `raw` is the last answer as it came."""

    def __init__(self, bench, client, token, problem, api_error):
        self._bench = bench
        self._problem = problem
        self.ApiError = api_error
        self.raw = None
        if bench.loop:
            http = httpx.AsyncClient(timeout=60, event_hooks={"response": [self._record_async]})
        else:
            http = httpx.Client(timeout=60, event_hooks={"response": [self._record]})
        # Conflicts are errors here, not something to wait for.
        self._client = client(base_url=bench.url, token=token, httpx_client=http, max_retries=0)

    def _record(self, response):
        response.read()
        self.raw = response

    async def _record_async(self, response):
        await response.aread()
        self.raw = response

    def __getattr__(self, resource):
        return _Resource(self, resource, getattr(self._client, resource))

    def judge_answer(self, name, promised):
        raw = self.raw
        if promised in (None, type(None)):
            if raw.content:
                raise Verdict(f"{name}: an operation without a result answered {raw.content[:200]!r}")
        elif promised is not typing.Any:
            _json_type(name, raw, "application/json")
            self._validate(name, promised, raw.json())
        self._bench.judged += 1
        self._bench.calls.add(name)

    def judge_problem(self, name):
        raw = self.raw
        _json_type(name, raw, "application/problem+json")
        body = raw.json()
        self._validate(f"{name} (HTTP {raw.status_code})", self._problem, body)
        if body["status"] != raw.status_code:
            raise Verdict(f"{name}: HTTP {raw.status_code} but the problem says {body['status']}")
        if body.get("type") != f"urn:patchbay:problem:{body.get('code')}":
            raise Verdict(f"{name}: type {body.get('type')!r} does not name code {body.get('code')!r}")
        self._bench.judged += 1
        return body

    def _validate(self, name, promised, body):
        substituted = self._without_foreign_parts(name, body)
        try:
            answer = pydantic.TypeAdapter(promised).validate_json(json.dumps(substituted), strict=True)
        except pydantic.ValidationError as refused:
            faults = "\n".join(f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in refused.errors()[:12])
            raise Verdict(f"{name}: {promised} refuses the answer\n{faults}\n{json.dumps(body)[:2000]}") from None
        _walk(name, "result", answer)

    def _without_foreign_parts(self, name, part):
        """Parts that the SDK cannot know: the configuration of providers of ours is judged by the schema that the server
        serves, and a name of such a provider is left out of lists whose values the SDK enumerates."""
        if isinstance(part, list):
            return [self._without_foreign_parts(name, item) for item in part]
        if not isinstance(part, dict):
            return part
        whole = {}
        for key, value in part.items():
            if key == OURS:
                continue
            if key == "provider_config" and isinstance(value, dict) and value.get("type") in self._bench.schemas and value["type"] not in KNOWN_PROVIDERS:
                schema = self._bench.schemas[value["type"]]
                for fault in jsonschema.Draft202012Validator(schema).iter_errors(value):
                    raise Verdict(f"{name}: provider_config does not fit the schema we serve: {fault.message}\n{json.dumps(value)}")
                value = {"type": "ticketing_mock_ticketing"}
            if key == "environments" and isinstance(value, dict):
                value = {
                    environment: [provider for provider in allowed if provider not in self._bench.schemas or provider in KNOWN_PROVIDERS]
                    for environment, allowed in value.items()
                }
            if key == "config" and value == {"type": "o_auth_user"}:
                continue
            if key == "connector" and isinstance(value, dict):
                # An id or the whole object; the SDK's enumeration of ids swallows every object unseen.
                pydantic.TypeAdapter(Connector).validate_json(json.dumps(self._without_foreign_parts(name, value)), strict=True)
                value = value["id"]
            whole[key] = self._without_foreign_parts(name, value)
        return whole


class _Resource:
    def __init__(self, judged, name, resource):
        self._judged, self._name, self._resource = judged, name, resource

    def __getattr__(self, operation):
        method = getattr(self._resource, operation)
        promised = typing.get_type_hints(method).get("return")
        name = f"{self._name}.{operation}"

        def call(*arguments, **members):
            self._judged.raw = None
            try:
                answer = self._judged._bench.result(method(*arguments, **members))
            except self._judged.ApiError:
                self._judged.judge_problem(name)
                raise
            self._judged.judge_answer(name, promised)
            return answer

        return call


def _json_type(name, raw, wanted):
    found = raw.headers.get("content-type", "").split(";")[0]
    if found != wanted:
        raise Verdict(f"{name}: HTTP {raw.status_code} with content type {found!r} instead of {wanted!r}: {raw.text[:300]}")


def _walk(name, where, value):
    if isinstance(value, enum.Enum):
        if value.name == "_UNKNOWN" and not (isinstance(value, CategoryId) and value.value in CONNECTORS_OF_OURS):
            raise Verdict(f"{name}: {where} has the value {value.value!r}, unknown to {type(value).__name__}")
    elif isinstance(value, pydantic.BaseModel):
        extra = set(value.model_extra or {}) - (PROBLEM_MEMBERS_OF_OURS if type(value).__name__ == "Problem" else set())
        if extra:
            raise Verdict(f"{name}: {where} ({type(value).__name__}) has members the SDK does not know: {sorted(extra)}")
        for member in type(value).model_fields:
            _walk(name, f"{where}.{member}", getattr(value, member))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _walk(name, f"{where}[{index}]", item)
