"""Requests and what they lead to are traced where somebody follows, and nowhere else; nobody is named."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bookrunner.api import api
from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.app.tracing import tracing
from bookrunner.core.errors import ConfigurationError
from bookrunner.core.log import traces
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, following
from tests.attack.world import Connect, World
from tests.patience import PATIENT
from tests.serving import serving

ONE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TWO = "00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BAD = [
    "",
    "x",
    ONE.upper(),
    ONE[:-1],
    "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
    ONE + "-",
    "ff" + ONE[2:],
]


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    """Keep every span of the test."""
    with following() as spans:
        yield spans


@pytest.fixture
def traced(
    kept: InMemorySpanExporter, endpoint: Endpoint, database: Database, connect: Connect
) -> Iterator[Api]:
    """Serve the API, followed, over an offer with unconfirmed investments."""
    world = World(connect).build("allocated")
    with serving(api(database)) as url:
        yield Api(url, endpoint, world)
    assert kept is not None


def number(trace: str) -> int:
    """Return the id of a trace."""
    return int(trace[3:35], 16)


def investments(calls: Api) -> list[str]:
    """Return the investments that are unconfirmed."""
    rows = calls.world.login("owner").execute(
        "select investment_id from engine.investment where status = 'new' order by 1"
    )
    return [one for (one,) in rows]


def confirm(calls: Api, investment: str, trace: str, **also: str) -> httpx.Response:
    """Confirm an investment under a trace."""
    headers = {"Authorization": f"Bearer {calls.key('engine')}", "Idempotency-Key": f"c-{investment}"}
    path = f"{calls.url}/v1/investments/{investment}/confirm"
    return httpx.post(path, headers={**headers, "traceparent": trace, **also}, timeout=PATIENT)


def requests(kept: InMemorySpanExporter, many: int = 1) -> list[ReadableSpan]:
    """Return the spans of so many requests; one may end a little after its answer came."""
    while True:
        found = [span for span in kept.get_finished_spans() if span.name == "request"]
        if len(found) >= many:
            return sorted(found, key=lambda span: span.start_time or 0)


def test_the_short_way_and_the_pages_say_templates_and_no_ids(
    traced: Api, kept: InMemorySpanExporter
) -> None:
    investment = investments(traced)[0]
    answer = confirm(traced, investment, ONE)
    assert answer.status_code == 200, answer.text
    assert httpx.get(f"{traced.url}/v1/nothing/{investment}", timeout=PATIENT).status_code == 404
    assert httpx.get(f"{traced.url}/{investment}", timeout=PATIENT).status_code == 404
    first, *others = requests(kept, 3)
    assert answer.headers["traceparent"][3:35] == ONE[3:35]
    assert dict(first.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/investments/{investment}/confirm",
        "bookrunner.operation": "confirm_investment",
        "bookrunner.keeper": "engine",
        "http.response.status_code": 200,
    }
    assert len(others) == 2
    assert not [span for span in kept.get_finished_spans() if investment in str(span.to_json())]


@pytest.mark.parametrize("sent", BAD)
def test_a_traceparent_that_is_none_begins_a_trace_of_ours(
    traced: Api, kept: InMemorySpanExporter, sent: str
) -> None:
    answer = httpx.get(f"{traced.url}/v1/openapi.json", headers={"traceparent": sent}, timeout=PATIENT)
    (span,) = requests(kept)
    assert span.parent is None
    assert answer.headers["traceparent"][3:35] == f"{span.context.trace_id:032x}" != ONE[3:35]


def test_two_traceparents_are_none(traced: Api, kept: InMemorySpanExporter) -> None:
    headers = [("traceparent", ONE), ("traceparent", TWO)]
    httpx.get(f"{traced.url}/v1/openapi.json", headers=headers, timeout=PATIENT)
    assert requests(kept)[0].parent is None


def test_reactions_go_on_in_the_trace_of_their_event_and_a_batch_for_several_has_links(
    traced: Api, kept: InMemorySpanExporter, application: Application
) -> None:
    application.process.drain()
    rows = traced.world.login("owner").execute("select distinct investor_id from engine.position order by 1")
    investor = rows.fetchall()[0][0]
    kept.clear()
    opened = []
    for at, trace in enumerate((ONE, TWO)):
        headers = {"Authorization": f"Bearer {traced.key('engine')}", "Idempotency-Key": f"open-{at}"}
        body = {"offer": "ofr_one", "investor": investor, "units": "1"}
        answer = httpx.post(
            f"{traced.url}/v1/investments",
            json=body,
            headers={**headers, "traceparent": trace},
            timeout=PATIENT,
        )
        assert answer.status_code == 201, answer.text
        opened.append(answer.json()["id"])
        if at == 0:
            application.process.drain()
    alone = [span for span in kept.get_finished_spans() if span.name == "reaction"]
    (own,) = (span for span in requests(kept, 2) if span.context.trace_id == number(ONE))
    assert {(span.context.trace_id, span.parent.span_id) for span in alone if span.parent} == {
        (number(ONE), own.context.span_id)
    }
    assert alone[0].attributes is not None
    assert alone[0].attributes["bookrunner.kind"] == "investment.opened"
    engine = application.desk.engine
    events = {"scopes": ["ofr_one"] * 2, "subjects": opened, "versions": [1, 1]}
    assert {row["traceparent"][3:35] for row in engine.traces_of(**events)} == {ONE[3:35], TWO[3:35]}
    causes = [row["traceparent"] for row in engine.traces_of(**events)]
    with traces.span("reaction", causes=causes) as both:
        assert both is not None
        assert both.get_span_context().trace_id not in {number(ONE), number(TWO)}
    linked = kept.get_finished_spans()[-1].links
    assert {link.context.trace_id for link in linked} == {number(ONE), number(TWO)}


def test_a_fault_is_told_by_its_class_and_never_by_its_words(kept: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Ada"), traces.span("request", method="GET"):
        raise ValueError("Ada Lovelace has no account")
    (span,) = kept.get_finished_spans()
    assert span.status.description == "ValueError"
    assert "Ada" not in span.to_json()
    assert span.events == ()


def test_an_attribute_outside_of_the_vocabulary_is_refused_and_words_are_hidden(
    kept: InMemorySpanExporter,
) -> None:
    with pytest.raises(KeyError), traces.span("request", investor="ivr_one"):
        pass
    with traces.span("request", kind="Ada Lovelace"):
        pass
    said = [dict(span.attributes or {}) for span in kept.get_finished_spans()]
    assert said[-1] == {"bookrunner.kind": "(hidden)"}


def test_without_anybody_who_follows_nothing_is_answered_kept_or_noted(calls: Api) -> None:
    answer = confirm(calls, investments(calls)[0], ONE)
    assert answer.status_code == 200
    assert "traceparent" not in answer.headers
    assert traces.here() is None
    count = calls.world.login("owner").execute("select count(*) from audit.trace").fetchone()
    assert count == (0,)


def test_a_trace_changes_no_event_and_stands_beside_it(traced: Api) -> None:
    investment = investments(traced)[0]
    confirm(traced, investment, ONE)
    owner = traced.world.login("owner")
    (canonical,) = owner.execute(
        "select canonical from audit.event where subject = %s order by version desc limit 1", [investment]
    ).fetchone() or ("",)
    assert ONE[3:35] not in canonical
    noted = owner.execute("select keeper, actor, request_id, traceparent from audit.trace").fetchall()
    assert [(keeper, actor, request) for keeper, actor, request, _ in noted] == [
        ("engine", "key:engine-one", f"c-{investment}")
    ]
    assert confirm(traced, investment, TWO).headers["idempotent-replayed"] == "true"
    again = owner.execute("select traceparent from audit.trace").fetchall()
    assert [trace for (trace,) in again] == [noted[0][3]], "a repetition leads to the first request"


def test_nobody_writes_traces_past_the_function_and_old_ones_leave(calls: Api) -> None:
    engine, owner = calls.world.login("engine"), calls.world.login("owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        engine.execute("insert into audit.trace values ('treasury', 'a', 'r', %s)", [ONE])
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        engine.execute("select audit.note_traces('{a}', '{r}', 'Ada Lovelace')")
    assert refused.value.diag.constraint_name == "traceparent_is_of_version_00"
    engine.execute("select audit.note_traces('{a,b}', '{r,r}', %s)", [ONE])
    owner.execute("update audit.trace set noted_at = noted_at - interval '8 days' where actor = 'a'")
    calls.world.login("treasury").execute("select audit.note_traces('{a}', '{r}', %s)", [TWO])
    kept = owner.execute("select keeper, actor from audit.trace order by 1, 2").fetchall()
    assert kept == [("engine", "b"), ("treasury", "a")]


def test_a_collector_without_the_extra_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("opentelemetry.exporter"):
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setenv("BOOKRUNNER_TRACES_TO", "http://127.0.0.1:4318/v1/traces")
    with pytest.raises(ConfigurationError, match=r"bookrunner\[traces\]"), tracing(Settings()):
        pass
    monkeypatch.delenv("BOOKRUNNER_TRACES_TO")
    with tracing(Settings()):
        assert not traces.is_on()
