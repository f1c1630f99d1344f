"""The client calls a real server, and what it raises says what the server said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from bookrunner.api import api
from bookrunner.audit import advance_feed
from bookrunner.client import (
    ApiRefused,
    Bookrunner,
    Call,
    ETag,
    GateClosed,
    Malformed,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    Unreachable,
    VersionChanged,
    currency,
    fresh_key,
    shapes,
)
from bookrunner.client.generated import OPERATIONS
from bookrunner.core import errors
from bookrunner.core.errors import Refused, VersionNotNamed
from bookrunner.core.money import Money
from bookrunner.db import Database
from scripts.generate_client import modules
from tests.api.conftest import Api, description
from tests.serving import serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "client.md"


@pytest.fixture
def ours(calls: Api) -> Iterator[Bookrunner]:
    """Lend a client under a key of the engine."""
    with Bookrunner(calls.url, calls.key("engine")) as client:
        yield client


def test_the_generated_modules_are_current() -> None:
    text = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    folder = ROOT / "src/bookrunner/client/generated"
    kept = {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in folder.rglob("*.py")}
    assert modules(text) == kept, "run python -m scripts.generate_client"


def test_every_operation_of_a_key_has_its_method() -> None:
    with Bookrunner("http://127.0.0.1:9") as client:
        for methods in description()["paths"].values():
            for told in methods.values():
                if "security" in told and "text/event-stream" not in json.dumps(told["responses"]):
                    assert callable(getattr(getattr(client, told["tags"][0]), told["operationId"]))
                    assert told["operationId"] in OPERATIONS


def test_a_record_has_exact_money_and_its_version(ours: Bookrunner) -> None:
    offer = ours.offers.get_offer("ofr_one")
    assert offer.unit_price == Money(50_000, currency("USD"))
    assert offer.etag == ETag.of(offer.version)
    with pytest.raises(ValidationError, match="frozen"):
        offer.name = "another"  # type: ignore[misc]


def test_a_closed_gate_is_an_error_with_its_conditions(ours: Bookrunner, calls: Api) -> None:
    path, body = "/v1/offers/ofr_one/closings", {"members": "all"}
    seen = ours.closings.dry_run_closing("ofr_one")
    with pytest.raises(GateClosed) as closed:
        ours.closings.freeze_closing("ofr_one", shapes.NewClosing(members="all"), if_match=seen.etag)
    told = calls.post(path, body, seen=seen.etag.text).json()
    assert isinstance(closed.value, errors.GateClosed)
    assert closed.value.rule == "gate_is_closed"
    assert closed.value.act == told["gate"]["act"]
    named = [(m.investment_id, m.condition, m.keeper) for m in closed.value.missing]
    assert named == [(m["investment"], m["condition"], m["keeper"]) for m in told["gate"]["missing"]]
    assert named
    assert all(m.since.tzinfo is not None for m in closed.value.missing)


def test_a_decision_on_another_version_is_its_own_error(ours: Bookrunner) -> None:
    offer = ours.offers.get_offer("ofr_one")
    with pytest.raises(VersionChanged) as refused:
        ours.offers.fail_offer(
            offer.id, shapes.Failure(ended_as="halted", because="a test"), if_match=ETag.of("99")
        )
    assert refused.value.problem.status == 412
    with pytest.raises(Refused, match="if_match_is_one_strong_etag"):
        ETag("3")


def test_a_write_is_made_once_under_its_key(ours: Bookrunner, calls: Api) -> None:
    key = fresh_key()
    first = ours.investments.confirm_investment("inv_one1", idempotency_key=key)
    again = ours.investments.confirm_investment("inv_one1", idempotency_key=key)
    assert (first.is_replayed, again.is_replayed) == (False, True)
    assert (first.model_dump(), first.etag) == (again.model_dump(), again.etag)
    assert calls.events("inv_one1").count("investment.confirmed") == 1
    with pytest.raises(Malformed) as refused:
        ours.investments.confirm_investment("inv_one2", idempotency_key=key)
    assert refused.value.rule == "request_key_has_one_body"


def test_each_refusal_is_an_error_of_its_own(ours: Bookrunner, calls: Api) -> None:
    with pytest.raises(NotFound):
        ours.offers.get_offer("ofr_none")
    with pytest.raises(Malformed) as misshapen:
        ours.offers.get_offer("no such?thing")
    assert misshapen.value.problem.errors[0].pointer == "/path/offer"
    for part in ("", "..", "ofr_one/moves"):
        with pytest.raises(Refused, match="path_part_is_one_segment"):
            ours.offers.get_offer(part)
    with Bookrunner(calls.url) as nobody, pytest.raises(NotAuthenticated):
        nobody.offers.list_offers()
    with Bookrunner(calls.url, calls.key("treasury")) as other, pytest.raises(NotAllowed):
        other.investments.confirm_investment("inv_one1")
    assert ours.investments.confirm_investment("inv_one1").status == "confirmed"
    with pytest.raises(ApiRefused) as twice:
        ours.investments.confirm_investment("inv_one1")
    assert type(twice.value) is ApiRefused


def test_a_list_yields_the_records_of_every_page(ours: Bookrunner, database: Database) -> None:
    found = [one.id for one in ours.investments.each_of_investments(offer="ofr_one", limit=1)]
    assert found == ["inv_one1", "inv_one2", "inv_one3"]
    advance_feed(database)
    events = [event.seq for event in ours.events.each_of_events(limit=7)]
    assert len(events) > 7
    assert events == list(range(events[0], events[0] + len(events)))


def test_any_operation_is_called_by_its_name(ours: Bookrunner) -> None:
    found = ours.call("get_offer", Call(path={"offer": "ofr_one"}))
    assert isinstance(found, dict)
    assert found["id"] == "ofr_one"
    with pytest.raises(VersionNotNamed):
        ours.call("move_offer", Call(path={"offer": "ofr_one"}, body={"to": "draft"}))


class Losing:
    """Lets calls reach the API, and loses the answers to the first so many."""

    def __init__(self, inner: ASGIApp, lose: int) -> None:
        self._inner = inner
        self.lose = lose
        self.came = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        self.came += 1
        if self.came > self.lose:
            await self._inner(scope, receive, send)
            return

        async def swallow(_: object) -> None:
            return None

        await self._inner(scope, receive, swallow)
        await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(("lose", "sent"), [(1, 2), (3, 4), (9, 4)])
def test_what_is_safe_is_sent_again_and_happens_once(
    calls: Api, database: Database, lose: int, sent: int
) -> None:
    paused: list[float] = []
    losing = Losing(api(database), lose)
    with serving(losing) as url, Bookrunner(url, calls.key("engine"), pause=paused.append) as client:
        if lose < sent:
            assert client.investments.confirm_investment("inv_one1").is_replayed
        else:
            with pytest.raises(NotReady):
                client.investments.confirm_investment("inv_one1")
    assert losing.came == sent
    assert paused == [0.0] * (sent - 1)
    assert calls.events("inv_one1").count("investment.confirmed") == 1


def test_what_is_not_safe_is_sent_once(calls: Api, database: Database) -> None:
    losing = Losing(api(database), 9)
    with (
        serving(losing) as url,
        Bookrunner(url, calls.key("subscription")) as client,
        pytest.raises(NotReady),
    ):
        client.agreements.link_agreement_file(
            "agr_one1", shapes.Linked(file="executed", minutes=5, reader="usr_auditor")
        )
    assert losing.came == 1


def test_a_server_that_is_not_there_is_said_with_the_key_of_the_write() -> None:
    paused: list[float] = []
    with (
        Bookrunner("http://127.0.0.1:9", "key", pause=paused.append) as client,
        pytest.raises(Unreachable) as gone,
    ):
        client.investments.confirm_investment("inv_one1", idempotency_key="mine")
    assert gone.value.idempotency_key == "mine"
    assert len(paused) == 3
    assert all(0.2 <= pause <= 1.6 for pause in paused)


def test_the_example_of_the_page_is_typed_and_runs(calls: Api, tmp_path: Path) -> None:
    (code,) = re.findall(
        r"<!-- example -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(script)],
        env={**os.environ, "MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    told = {
        "BOOKRUNNER_URL": calls.url,
        "BOOKRUNNER_KEY": calls.key("engine"),
        "PYTHONPATH": str(ROOT / "src"),
    }
    ran = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "published 500.00 USD" in ran.stdout
    assert "inv_one1" in ran.stdout


def test_a_wrong_program_is_found_by_its_types(tmp_path: Path) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(
        "from bookrunner.client import Bookrunner, shapes\n"
        "api = Bookrunner('http://127.0.0.1:9')\n"
        "api.offers.move_offer('ofr_one', shapes.Move(to='draft'))\n"
        "api.offers.get_offer('ofr_one').nmae\n"
        "shapes.NewClosing(members='most')\n",
        encoding="utf-8",
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(script)],
        env={**os.environ, "MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    wrong = re.findall(r"wrong\.py:(\d): error: .*\[(.*)\]", checked.stdout)
    assert wrong == [("3", "call-arg"), ("4", "attr-defined"), ("5", "arg-type")]
