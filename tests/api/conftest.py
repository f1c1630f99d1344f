"""The API on a real server over a real database, and keys to call it with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.api import api, issue
from bookrunner.core.log import traces
from bookrunner.db import Database, Endpoint
from tests.attack.world import Connect, World, digest
from tests.serving import serving

# No test is about how fast a busy machine answers.
PATIENCE_SECONDS = 60
DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


@dataclass
class Api:
    """A running API: the world behind it, and a client for each key."""

    url: str
    endpoint: Endpoint
    world: World
    keys: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    def key(self, keeper: str, name: str = "") -> str:
        """Return the key of a keeper under a name; issued at its first use."""
        name = name or f"{keeper}-one"
        if name not in self.keys:
            self.keys[name] = issue(self.endpoint, name, keeper, actor="usr_admin")
        return self.keys[name]

    def get(self, path: str, keeper: str = "engine") -> httpx.Response:
        """Read under the key of a keeper."""
        headers = {"Authorization": f"Bearer {self.key(keeper)}"}
        return as_told(httpx.get(self.url + path, headers=headers, timeout=PATIENCE_SECONDS))

    def post(self, path: str, body: object = None, **said: str) -> httpx.Response:
        """Write under a key; ``keeper``, ``name``, ``request`` and ``seen`` say how."""
        self.sent += 1
        headers = {
            "Authorization": f"Bearer {self.key(said.get('keeper', 'engine'), said.get('name', ''))}",
            "Idempotency-Key": said.get("request", f"test-{self.sent}"),
        }
        if "seen" in said:
            headers["If-Match"] = said["seen"]
        return as_told(httpx.post(self.url + path, json=body, headers=headers, timeout=PATIENCE_SECONDS))

    def events(self, subject: str) -> list[str]:
        """Return the kinds of the events of one subject, in order."""
        rows = self.world.login("owner").execute(
            "select kind from audit.event where subject = %s order by version", [subject]
        )
        return [kind for (kind,) in rows]


@contextmanager
def following() -> Iterator[InMemorySpanExporter]:
    """Keep every span of the block."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    traces.follow(provider)
    try:
        yield kept
    finally:
        traces.follow(None)
        provider.shutdown()


@pytest.fixture
def calls(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API over an offer whose three investments are allocated and unconfirmed."""
    world = World(connect).build("allocated")
    app = api(database)
    app.state.bank_files = AnyFormatReader()
    app.state.paying_address = lambda offer: digest(offer)[:20]
    with serving(app) as url:
        yield Api(url, endpoint, world)


@cache
def description() -> Mapping[str, Any]:
    """Return the description that the project keeps."""
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return found


def as_told(answer: httpx.Response) -> httpx.Response:
    """Return an answer that the description has: its status, its type, every field of its body."""
    told = description()
    for path, methods in told["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), answer.url.path):
            operation = methods.get(answer.request.method.lower())
            if operation is not None:
                status = str(answer.status_code)
                assert status in operation["responses"], f"{operation['operationId']} {status}: {answer.text}"
                found = operation["responses"][status]
                while "$ref" in found:
                    found = told["components"]["responses"][found["$ref"].rpartition("/")[2]]
                kind = answer.headers["content-type"].partition(";")[0]
                schema = found["content"][kind].get("schema", {})
                if kind.endswith("json"):
                    whole = {**schema, "components": told["components"]}
                    Draft202012Validator(whole).validate(answer.json())
                return answer
    assert answer.status_code in {404, 405}, f"nothing is told of {answer.url.path}"
    return answer


def problem(answer: httpx.Response) -> Mapping[str, object]:
    """Return the problem of an answer, which must be one."""
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, object] = answer.json()
    assert found["status"] == answer.status_code
    assert found["type"] == f"urn:bookrunner:refusal:{found['code']}"
    return found
