"""No route with an id in its address tells an investor anything of another investor."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from bookrunner.api import api
from bookrunner.app import Application
from bookrunner.db import Endpoint
from bookrunner.pages import web
from tests.api.conftest import description
from tests.pages.test_access import visitor
from tests.pages.test_wall import Walk
from tests.pages.world import OFFERING
from tests.patience import PATIENT
from tests.serving import serving
from tests.stages import Built

pytestmark = pytest.mark.timeout(300)

OWN = "ivr_0001"
# What is of another: its ids and what stands in its records.
FOREIGN = re.compile(
    r"(?:ivr|inv|agr|pay|rcp|map|clr|kyc|scr|hld)_000[2-6]|Investor 000[2-6]|000[2-6]@example"
)
ANOTHER = {
    "offer": OFFERING,
    "offering": OFFERING,
    "investment": "inv_0002",
    "investor": "ivr_0002",
    "agreement": "agr_0002",
    "receipt": "rcp_0002",
    "subject": "ivr_0002",
    "challenge": "wch_0002",
    "holding": "hld_0002",
    "name": "rcp_0002",
    "statement": "stm_1",
}


@pytest.fixture
def walk(
    application: Application,
    endpoint: Endpoint,
    built: Built,  # noqa: ARG001 - what the copy is of
) -> Iterator[Walk]:
    """Serve pages and API at one address over an offer of six investors."""
    with serving(api(application.database, beside=web(application))) as url:
        yield Walk(application, endpoint, url)


def put(path: str) -> str:
    """Put another investor's ids into the places of an address."""
    return re.sub(r"\{(\w+)\}", lambda place: ANOTHER.get(place[1], "none"), path)


def operations() -> Iterator[tuple[str, str, object]]:
    """Yield method, address and example body of each operation with an id in its address, or a list."""
    for path, methods in description()["paths"].items():
        for method, told in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
                yield method.upper(), put(path), content.get("example")


def test_the_pages_tell_an_investor_nothing_of_another(walk: Walk) -> None:
    asked = 0
    with visitor(walk, walk.key(OWN, "portal")) as client:
        for path, methods in walk.routes:
            if "{" not in path or path.startswith("/live/"):
                continue
            address = put(path)
            for method in sorted(methods - {"HEAD"}):
                asked += 1
                answer = client.request(method, address)
                # A refusal repeats what was asked for, which is no news.
                told = re.sub("|".join(map(re.escape, address.split("/")[1:])), "", answer.text)
                assert not FOREIGN.search(told), (method, address, FOREIGN.findall(told))
                if "{investment}" in path or "{investor}" in path:
                    assert answer.status_code in {403, 404}, (method, address, answer.status_code)
    assert asked > 100


@pytest.mark.parametrize("way", ["session", "key"])
def test_the_api_tells_an_investor_nothing(walk: Walk, way: str) -> None:
    key = walk.key(OWN, "portal")
    faults, asked = [], 0
    with visitor(walk, key) as client:
        if way == "key":
            client.cookies.clear()
            client.headers["Authorization"] = f"Bearer {key}"
        for number, (method, path, body) in enumerate(operations()):
            headers = {"Idempotency-Key": f"foreign-{way}-{number}", "If-Match": '"1"'}
            with client.stream(method, path, json=body, headers=headers) as answer:
                streams = answer.headers.get("content-type", "").startswith("text/event-stream")
                text = "" if streams else answer.read().decode(errors="replace")
            asked += 1
            if FOREIGN.search(text.replace(path, "")) or (answer.status_code < 300 and "{" in path):
                faults.append((method, path, answer.status_code, FOREIGN.findall(text)[:3]))
            if streams:
                faults.append((method, path, answer.status_code, ["a stream"]))
    assert asked > 80
    assert faults == []


def test_a_program_of_the_portal_still_reads(walk: Walk) -> None:
    headers = {"Authorization": f"Bearer {walk.key('portal.backend', 'portal')}"}
    assert (
        httpx.get(f"{walk.url}/v1/investments/inv_0002", headers=headers, timeout=PATIENT).status_code == 200
    )
