"""Asking an identity provider: what is asked, how an answer is read, and how a bad provider is refused."""

from __future__ import annotations

import hmac
import json
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bookrunner.adapters.identity import IdentityEvent, Outcome
from bookrunner.adapters.identity.answers import SCHEMES
from bookrunner.adapters.identity.remote import RemoteProvider
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError, Refused, Unavailable
from tests.identity import inquiries

SUBJECT = f"ivr_1-{'ab' * 32}"
AT = "2026-03-01T10:00:00.000Z"


def persona(status: str = "approved", **times: str) -> dict[str, object]:
    """Return one inquiry of Persona's list."""
    said = {"status": status, "reference-id": SUBJECT, "created-at": AT}
    return {
        "type": "inquiry",
        "id": "inq_1",
        "attributes": said | {k.replace("_", "-"): v for k, v in times.items()},
    }


def applicant(status: str = "completed", **review: object) -> dict[str, object]:
    """Return Sumsub's applicant."""
    said = {"reviewStatus": status, "createDate": "2026-03-01 10:00:00+0000", **review}
    return {"id": "5b594a", "externalUserId": SUBJECT, "createdAt": "2026-02-01 09:00:00", "review": said}


def read(scheme: str, content: object) -> IdentityEvent:
    return SCHEMES[scheme].read(json.dumps(content).encode())


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("created", Outcome.IN_PROGRESS),
        ("pending", Outcome.IN_PROGRESS),
        ("expired", Outcome.NEEDS_INPUT),
        ("completed", Outcome.IN_REVIEW),
        ("approved", Outcome.APPROVED),
        ("declined", Outcome.DECLINED),
        ("needs_review", Outcome.NEEDS_REVIEW),
        ("invented tomorrow", Outcome.NEEDS_REVIEW),
    ],
)
def test_an_inquiry_says_what_its_message_says(status: str, outcome: Outcome) -> None:
    event = read("persona", {"data": [persona(status)]})
    assert (event.outcome, event.subject) == (outcome, SUBJECT)


def test_of_several_inquiries_the_last_to_change_speaks() -> None:
    early = persona("approved", decisioned_at="2026-03-01T11:00:00Z")
    late = persona("declined", decisioned_at="2026-03-02T11:00:00Z")
    for order in ([early, late], [late, early]):
        event = read("persona", {"data": order})
        assert (event.outcome, event.occurred_at) == (Outcome.DECLINED, datetime(2026, 3, 2, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "result", "outcome"),
    [
        ("completed", {"reviewAnswer": "GREEN"}, Outcome.APPROVED),
        ("completed", {"reviewAnswer": "RED", "reviewRejectType": "FINAL"}, Outcome.DECLINED),
        ("completed", {"reviewAnswer": "RED", "reviewRejectType": "RETRY"}, Outcome.NEEDS_REVIEW),
        ("completed", {"reviewAnswer": "BLUE"}, Outcome.NEEDS_REVIEW),
        ("pending", None, Outcome.IN_PROGRESS),
        ("onHold", None, Outcome.IN_REVIEW),
        ("awaitingUser", None, Outcome.NEEDS_INPUT),
        ("invented", None, Outcome.NEEDS_REVIEW),
    ],
)
def test_an_applicant_says_what_its_message_says(
    status: str, result: dict[str, str] | None, outcome: Outcome
) -> None:
    event = read("sumsub", applicant(status, **({} if result is None else {"reviewResult": result})))
    assert event.outcome is outcome


def test_an_applicant_speaks_of_the_moment_of_its_review() -> None:
    done = read(
        "sumsub", applicant(reviewDate="2026-03-05 12:30:00+0000", reviewResult={"reviewAnswer": "GREEN"})
    )
    assert done.occurred_at == datetime(2026, 3, 5, 12, 30, tzinfo=UTC)
    assert read("sumsub", applicant("pending")).occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("scheme", "body", "rule"),
    [
        ("persona", b"[]", "event_has_its_shape"),
        ("persona", b'{"data": []}', "inquiry_exists"),
        ("persona", b"torn {", "event_has_its_shape"),
        ("persona", b'{"data": [], "data": []}', "event_keys_are_unique"),
        ("sumsub", b"{}", "event_has_its_shape"),
        ("sumsub", json.dumps(applicant() | {"createdAt": "yesterday"}).encode(), "event_has_its_shape"),
        ("sumsub", json.dumps(applicant()).replace("{", '{"id": "x", ', 1).encode(), "event_keys_are_unique"),
        ("standard", b"{}", "event_has_its_shape"),
    ],
)
def test_an_answer_of_another_shape_is_refused(scheme: str, body: bytes, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        SCHEMES[scheme].read(body)
    assert caught.value.rule == rule


def test_each_provider_is_asked_in_its_own_way() -> None:
    asked: list[dict[str, str]] = []
    with inquiries.answering(200, {}, seen=asked) as url:
        for scheme, credential in (("persona", "key"), ("sumsub", "sbx:token:secret"), ("standard", "key")):
            RemoteProvider(SCHEMES[scheme], url, credential).ask(SUBJECT)
    first, second, third = asked
    assert first["path"] == f"/api/v1/inquiries?filter%5Breference-id%5D={SUBJECT}"
    assert (first["authorization"], first["persona-version"]) == ("Bearer key", "2023-01-05")
    path = f"/resources/applicants/-;externalUserId={SUBJECT}/one"
    text = f"{second['x-app-access-ts']}GET{path}".encode()
    assert (second["path"], second["x-app-token"]) == (path, "sbx:token")
    assert second["x-app-access-sig"] == hmac.digest(b"secret", text, "sha256").hex()
    assert (third["path"], third["authorization"]) == (f"/inquiries/{SUBJECT}", "Bearer key")
    assert {one["accept-encoding"] for one in asked} == {"identity"}


def test_a_subject_stays_one_part_of_the_path() -> None:
    for scheme, credential in (("persona", "k"), ("sumsub", "t:s"), ("standard", "k")):
        path = SCHEMES[scheme].question("../a?b=c&d#e", credential, now=clock.now()).path
        assert "%2F" in path
        assert not {"#", "&"} & set(path)


@pytest.mark.parametrize(
    ("status", "rule"),
    [
        (404, "inquiry_exists"),
        (401, "identity_provider_accepts_us"),
        (403, "identity_provider_accepts_us"),
        (302, "identity_provider_answers"),
        (429, "identity_provider_answers"),
        (500, "identity_provider_answers"),
        (503, "identity_provider_answers"),
    ],
)
def test_a_status_that_is_no_answer_is_refused(status: int, rule: str) -> None:
    asked: list[dict[str, str]] = []
    with inquiries.answering(status, {}, seen=asked) as url, pytest.raises(Refused) as caught:
        RemoteProvider(SCHEMES["persona"], url, "key").ask(SUBJECT)
    assert caught.value.rule == rule
    assert "key" not in str(caught.value)
    assert len(asked) == 1


def test_an_answer_over_the_limit_is_not_read_to_its_end() -> None:
    with inquiries.answering(200, b" " * (2**20 + 1)) as url, pytest.raises(Refused) as caught:
        RemoteProvider(SCHEMES["persona"], url, "key").ask(SUBJECT)
    assert caught.value.rule == "body_fits_limit"


@pytest.mark.parametrize(
    "act", [inquiries.drip, inquiries.drip_headers, inquiries.hang, inquiries.hang_up, inquiries.babble]
)
def test_a_provider_that_gives_no_answer_is_refused_in_time(act: Callable[[socket.socket], None]) -> None:
    with inquiries.misbehaving(act) as url:
        remote = RemoteProvider(SCHEMES["persona"], url, "key", seconds=0.4)
        began = time.monotonic()
        with pytest.raises(Refused) as caught:
            remote.ask(SUBJECT)
        assert time.monotonic() - began < 1.5
    assert caught.value.rule == "identity_provider_answers"
    assert isinstance(caught.value, Unavailable)


def test_nobody_at_the_address_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Refused, match="identity_provider_answers"):
        RemoteProvider(SCHEMES["persona"], url, "key").ask(SUBJECT)


@pytest.mark.parametrize(
    ("scheme", "set_up"),
    [
        ("persona", {"address": "http://provider.example.test"}),
        ("persona", {"address": "ftp://127.0.0.1"}),
        ("persona", {"address": "https://user:secret@provider.example.test"}),
        ("persona", {"address": "https://provider.example.test/?to=elsewhere"}),
        ("persona", {"address": "provider"}),
        ("sumsub", {"address": "https://provider.example.test", "credential": "no colon"}),
    ],
)
def test_a_set_up_that_cannot_be_asked_is_refused(scheme: str, set_up: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RemoteProvider(SCHEMES[scheme], **{"credential": "secret", **set_up})
    assert "secret" not in str(caught.value).replace("token:secret", "")
