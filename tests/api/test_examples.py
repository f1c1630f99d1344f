"""The examples of docs/api.md are played in order, and answer what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from bookrunner.audit import advance_feed
from bookrunner.db import Database
from tests.api.conftest import Api
from tests.patience import PATIENT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "2026-03-02T09:30:00Z"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "9f2c" * 16),
    (re.compile(r"\b[0-9a-f]{32}\b"), "4b1d" * 8),
    (re.compile(r"_01[0-9a-z]{24}\b"), "_01m7zaf8kjmsd9r30y5rz6jrp8"),
)


@dataclass
class Example:
    """One call of the page: its request, and what it is recorded to answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    answer: str


def steady(text: str) -> str:
    """Replace what differs from run to run: moments, digests and the ids that the call makes."""
    for pattern, instead in VARIES:
        text = pattern.sub(instead, text)
    return text


def examples(text: str) -> Iterator[Example]:
    """Read each block of the page: lines with ``> `` go out, the rest came back."""
    for block in re.findall(r"```text\n(> .*?)\n```", text, re.DOTALL):
        sent = [line[2:] for line in block.splitlines() if line.startswith("> ")]
        came = "\n".join(line for line in block.splitlines() if not line.startswith("> "))
        method, path = sent[0].split(" ")
        headers = dict(line.split(": ", 1) for line in sent[1:] if not line.startswith("{"))
        yield Example(method, path, headers, "".join(line for line in sent if line.startswith("{")), came)


def answered(answer: httpx.Response) -> str:
    """Write an answer as the page does: status, the headers that matter, the body."""
    shown = [
        f"{name}: {answer.headers[name]}"
        for name in ("ETag", "Idempotent-Replayed")
        if name in answer.headers
    ]
    status = f"{answer.status_code} {answer.headers['content-type']}"
    return "\n".join([status, *shown, json.dumps(answer.json(), indent=2)])


def play(calls: Api, database: Database, text: str) -> Iterator[tuple[str, str]]:
    """Yield what each example is recorded to answer and what it answers; ETags of the page are real ones."""
    seen: dict[str, str] = {}
    for example in examples(text):
        headers = {"Authorization": f"Bearer {calls.key('engine')}", **example.headers}
        told = headers.get("If-Match")
        if told is not None:
            headers["If-Match"] = seen.get(told, told)
        if example.body:
            headers["Content-Type"] = "application/json"
        advance_feed(database)
        came = httpx.request(
            example.method, calls.url + example.path, headers=headers, content=example.body, timeout=PATIENT
        )
        if "etag" in came.headers:
            seen[steady(came.headers["etag"])] = came.headers["etag"]
        yield example.answer, steady(answered(came))


def test_the_page_says_what_the_api_answers(calls: Api, database: Database) -> None:
    for step in ("instructed", "received", "funded", "linked"):
        if step == "instructed":
            calls.world.call("engine.confirm", "ofr_one", "inv_one2")
            calls.world.call("engine.confirm", "ofr_one", "inv_one3")
            calls.world.call("engine.confirm_legally", "ofr_one", "inv_one2")
            calls.world.call("engine.confirm_legally", "ofr_one", "inv_one3")
        getattr(calls.world, step)()
    calls.world.revoke(3)
    played = list(play(calls, database, PAGE.read_text(encoding="utf-8")))
    assert len(played) > 6
    for recorded, came in played:
        assert recorded == came
