"""One request leads through its event and the worker to the chain, all in one trace, and names nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bookrunner.api import api, issue
from bookrunner.app.settings import Settings
from bookrunner.core.log import traces
from bookrunner.engine.process.workflow import Workflows
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened
from tests.api.conftest import following
from tests.patience import PATIENT
from tests.serving import serving
from tests.stages import Install

pytestmark = pytest.mark.chain

INVESTORS = 6
ASKED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = int(ASKED[3:35], 16)


@pytest.fixture(scope="module")
def world(state_root: Path, install_at: Install) -> Iterator[World]:
    """Run a small raise on the morning of its close."""
    folder = state_root / "traces"
    install_at(folder, INVESTORS)
    with opened(Settings(state_dir=folder)) as running:
        running.application.answer()
        yield running


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    """Keep every span of the test."""
    with following() as spans:
        yield spans


def named(spans: tuple[ReadableSpan, ...], name: str) -> list[ReadableSpan]:
    """Return the spans of one name that belong to the trace of the request."""
    return [span for span in spans if span.name == name and span.context.trace_id == TRACE]


def test_a_closing_is_one_trace_from_the_request_to_the_chain(
    world: World, kept: InMemorySpanExporter
) -> None:
    app = world.application
    offering = Story(app, investors=INVESTORS).offering
    key = issue(world.endpoint, "engine-one", "engine", actor="usr_admin")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "close-1", "traceparent": ASKED}
    with serving(api(app.database)) as url:
        path = f"{url}/v1/offers/{offering}/closings"
        seen = httpx.post(f"{path}/dry_run", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENT)
        answer = httpx.post(
            path,
            json={"members": "ready"},
            headers={**headers, "If-Match": seen.headers["etag"]},
            timeout=PATIENT,
        )
    assert answer.status_code == 201, answer.text
    assert answer.headers["traceparent"].split("-")[1] == ASKED.split("-")[1]
    closing = answer.json()["id"]
    workflows = Workflows(world.endpoint, app.run_closing)
    workflows.start()
    try:
        assert workflows.wait(closing) > 0
    finally:
        workflows.stop()
    app.tend()
    (noted,) = app.desk.engine.trace_of_closing(offering=offering, closing=closing)
    assert noted["traceparent"] == answer.headers["traceparent"], "the event leads back to its request"
    spans = kept.get_finished_spans()
    (request,) = named(spans, "request")
    (carried,) = named(spans, "closing")
    assert request.parent is not None
    assert request.parent.span_id == int(ASKED[36:52], 16)
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/offers/{offer}/closings",
        "bookrunner.operation": "freeze_closing",
        "bookrunner.keeper": "engine",
        "http.response.status_code": 201,
    }
    assert carried.parent is not None
    assert carried.parent.span_id == request.context.span_id
    assert dict(carried.attributes or {}) == {"bookrunner.offering": offering, "bookrunner.closing": closing}
    sent = named(spans, "chain")
    assert sent
    assert {span.parent.span_id for span in sent if span.parent} == {carried.context.span_id}
    check_nobody_is_named(world, spans)


def check_nobody_is_named(world: World, spans: tuple[ReadableSpan, ...]) -> None:
    """No span has an id of a person or a wallet in it, or an attribute that is no word of the vocabulary."""
    with world.application.database.transaction("engine") as transaction:
        people = {
            str(row[0])
            for table, column in (("engine.position", "investor_id"), ("engine.investment", "investment_id"))
            for row in transaction.execute(f"select distinct {column} from {table}")  # noqa: S608 - ours
        }
    assert len(people) >= 2 * INVESTORS
    for span in spans:
        assert span.events == ()
        told = dict(span.attributes or {})
        assert set(told) <= set(traces.ATTRIBUTES.values())
        said = f"{span.name} {told} {span.status.description}"
        assert not [one for one in people if one in said], said
        assert not re.search(r"0x[0-9a-fA-F]{16}", said), said
