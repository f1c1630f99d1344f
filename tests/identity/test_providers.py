"""The schemes of Persona and Sumsub: every byte of the rule, and what each status says."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bookrunner.adapters.identity import Outcome, WebhookRefused, persona, sumsub
from bookrunner.adapters.identity.providers import PROVIDERS
from bookrunner.core.errors import ConfigurationError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32
BODY = b'{"hello": "world"}'
SUBJECT = f"ivr_1-{'a' * 64}"
Headers = list[tuple[str, str]]


def persona_headers(body: bytes = BODY, *, age: int = 0, secrets: tuple[bytes, ...] = (OLD,)) -> Headers:
    signed = persona.sign(body, now=NOW - timedelta(seconds=age), secrets=secrets)
    return [("Persona-Signature", signed), ("Host", "x")]


def sumsub_headers(body: bytes = BODY, secret: bytes = OLD) -> Headers:
    return [*sumsub.sign(body, secret), ("Host", "x")]


def rule(provider: str, headers: Headers, body: bytes = BODY, secrets: dict[str, bytes] | None = None) -> str:
    with pytest.raises(WebhookRefused) as refused:
        PROVIDERS[provider].verify(headers, body, now=NOW, secrets=secrets or {"old": OLD})
    return refused.value.rule


def test_persona_signs_time_and_body() -> None:
    expected = hmac.new(OLD, b"%d." % NOW.timestamp() + BODY, "sha256").hexdigest()
    assert persona_headers()[0][1] == f"t={int(NOW.timestamp())},v1={expected}"


def test_sumsub_signs_the_body() -> None:
    assert dict(sumsub_headers()) == {
        "x-payload-digest": hmac.new(OLD, BODY, "sha256").hexdigest(),
        "x-payload-digest-alg": "HMAC_SHA256_HEX",
        "Host": "x",
    }


@pytest.mark.parametrize(
    ("provider", "headers"),
    [
        ("persona", persona_headers()),
        ("persona", persona_headers(age=299)),
        ("persona", persona_headers(age=-299)),
        ("persona", persona_headers(secrets=(NEW, OLD))),
        ("sumsub", sumsub_headers()),
        ("sumsub", list(sumsub.sign(BODY, OLD, "HMAC_SHA512_HEX"))),
    ],
)
def test_a_message_is_let_in_by_the_key_that_fits(provider: str, headers: Headers) -> None:
    message = PROVIDERS[provider].verify(headers, BODY, now=NOW, secrets={"new": b"x" * 32, "old": OLD})
    assert message.key_id == "old"
    assert message.id == message.body_sha256 == hashlib.sha256(BODY).hexdigest()


def test_an_old_signature_beside_a_recent_one_does_not_count() -> None:
    """An old set was signed with the right secret, the recent one with a wrong one."""
    old = persona_headers(age=301)[0][1]
    recent = persona_headers(secrets=(b"w" * 32,))[0][1]
    assert rule("persona", [("Persona-Signature", f"{old} {recent}")]) == "signature_matches"


SIGNED = persona_headers()[0][1]
DIGEST, ALGORITHM = sumsub_headers()[:2]


@pytest.mark.parametrize(
    ("provider", "headers", "expected"),
    [
        ("persona", [], "headers_are_complete"),
        ("persona", [*persona_headers(), *persona_headers()], "headers_stand_once"),
        ("persona", [("Persona-Signature", SIGNED.upper())], "headers_follow_grammar"),
        ("persona", [("Persona-Signature", f"{SIGNED},v0=00")], "headers_follow_grammar"),
        ("persona", [("Persona-Signature", SIGNED.replace("t=", "t=-"))], "headers_follow_grammar"),
        ("persona", [("Persona-Signature", " ".join([SIGNED] * 5))], "headers_follow_grammar"),
        ("persona", persona_headers(age=301), "timestamp_is_recent"),
        ("persona", persona_headers(age=-301), "timestamp_is_recent"),
        ("persona", persona_headers(b"{}"), "signature_matches"),
        ("persona", persona_headers(secrets=(NEW,)), "signature_matches"),
        (
            "persona",
            [("Persona-Signature", f"{SIGNED[:-1]}{'0' if SIGNED[-1] != '0' else '1'}")],
            "signature_matches",
        ),
        ("sumsub", [DIGEST], "headers_are_complete"),
        ("sumsub", [ALGORITHM], "headers_are_complete"),
        ("sumsub", [DIGEST, DIGEST, ALGORITHM], "headers_stand_once"),
        ("sumsub", [DIGEST, ALGORITHM, ALGORITHM], "headers_stand_once"),
        ("sumsub", [DIGEST, (ALGORITHM[0], "HMAC_SHA1_HEX")], "headers_follow_grammar"),
        ("sumsub", [DIGEST, (ALGORITHM[0], "none")], "headers_follow_grammar"),
        ("sumsub", [DIGEST, (ALGORITHM[0], "HMAC_SHA512_HEX")], "headers_follow_grammar"),
        ("sumsub", [(DIGEST[0], DIGEST[1].upper()), ALGORITHM], "headers_follow_grammar"),
        ("sumsub", sumsub_headers(b"{}"), "signature_matches"),
        ("sumsub", sumsub_headers(secret=NEW), "signature_matches"),
    ],
)
def test_the_rule_that_is_broken_first_is_named(provider: str, headers: Headers, expected: str) -> None:
    assert rule(provider, headers) == expected


@pytest.mark.parametrize("provider", ["persona", "sumsub"])
def test_a_body_is_at_most_a_mebibyte(provider: str) -> None:
    sign = {"persona": persona_headers, "sumsub": sumsub_headers}[provider]
    whole, more = b"x" * 2**20, b"x" * (2**20 + 1)
    assert PROVIDERS[provider].verify(sign(whole), whole, now=NOW, secrets={"old": OLD}).key_id == "old"
    assert rule(provider, sign(more), more) == "body_fits_limit"


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_short_secret_is_a_fault_of_the_set_up(provider: str) -> None:
    with pytest.raises(ConfigurationError):
        PROVIDERS[provider].verify([], BODY, now=NOW, secrets={"k": b"short"})
    with pytest.raises(ConfigurationError):
        PROVIDERS[provider].decode("c2hvcnQ=")


def inquiry(status: str = "approved", **changed: object) -> dict[str, Any]:
    """Return an event as Persona's documentation shows it."""
    attributes = {"status": status, "reference-id": SUBJECT, "name-first": "never read"}
    told = {
        "name": f"inquiry.{status}",
        "created-at": "2026-03-02T11:59:58.123Z",
        "payload": {"data": {"type": "inquiry", "id": "inq_1", "attributes": attributes}},
    }
    return {"data": {"type": "event", "id": "evt_XGu1", "attributes": told | changed}}


def review(kind: str = "applicantReviewed", status: str = "completed", **changed: object) -> dict[str, Any]:
    """Return an event as Sumsub's documentation shows it."""
    return {
        "applicantId": "5cb744200a975a67ed1798a4",
        "correlationId": "req-5fd92830",
        "externalUserId": SUBJECT,
        "type": kind,
        "reviewStatus": status,
        "createdAtMs": "2026-03-02 11:59:58.123",
        "reviewResult": {"reviewAnswer": "GREEN"},
    } | changed


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("created", Outcome.IN_PROGRESS),
        ("pending", Outcome.IN_PROGRESS),
        ("expired", Outcome.NEEDS_INPUT),
        ("completed", Outcome.IN_REVIEW),
        ("approved", Outcome.APPROVED),
        ("declined", Outcome.DECLINED),
        ("failed", Outcome.NEEDS_REVIEW),
        ("needs_review", Outcome.NEEDS_REVIEW),
        ("anything", Outcome.NEEDS_REVIEW),
    ],
)
def test_what_an_inquiry_says(status: str, outcome: Outcome) -> None:
    body = json.dumps(inquiry(status, name="inquiry.transitioned")).encode()
    event = PROVIDERS["persona"].read(body)
    assert (event.outcome, event.subject, event.event_id) == (outcome, SUBJECT, "evt_XGu1")
    assert event.occurred_at == datetime(2026, 3, 2, 11, 59, 58, 123000, tzinfo=UTC)
    assert event.evidence_sha256 == hashlib.sha256(body).hexdigest()


RED = {"reviewAnswer": "RED", "rejectLabels": ["FORGERY"]}


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (review(), Outcome.APPROVED),
        (review(reviewResult=RED | {"reviewRejectType": "FINAL"}), Outcome.DECLINED),
        (review(reviewResult=RED | {"reviewRejectType": "RETRY"}), Outcome.NEEDS_REVIEW),
        (review(reviewResult={"reviewAnswer": "YELLOW"}), Outcome.NEEDS_REVIEW),
        (review(reviewResult=None), Outcome.NEEDS_REVIEW),
        (review("applicantPending", "pending"), Outcome.IN_PROGRESS),
        (review("applicantOnHold", "onHold"), Outcome.IN_REVIEW),
        (review("applicantAwaitingUser", "awaitingUser"), Outcome.NEEDS_INPUT),
        (review("applicantReset", "init"), Outcome.NEEDS_REVIEW),
        (review("applicantPersonalInfoChanged", "completed"), Outcome.NEEDS_REVIEW),
        (review("applicantDeleted", "completed"), Outcome.NEEDS_REVIEW),
        (review(status="new"), Outcome.NEEDS_REVIEW),
    ],
)
def test_what_a_review_says(message: dict[str, Any], outcome: Outcome) -> None:
    event = PROVIDERS["sumsub"].read(json.dumps(message).encode())
    assert (event.outcome, event.subject) == (outcome, SUBJECT)
    assert event.occurred_at == datetime(2026, 3, 2, 11, 59, 58, 123000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("persona", b"no json"),
        ("persona", b"[]"),
        ("persona", json.dumps(inquiry(name="report/watchlist.matched")).encode()),
        ("persona", json.dumps(inquiry(**{"created-at": "2026-03-02T11:59:58"})).encode()),
        ("persona", json.dumps(inquiry(payload={"data": {"attributes": {"status": "approved"}}})).encode()),
        ("sumsub", b"\xff"),
        ("sumsub", json.dumps(review("applicantActionReviewed")).encode()),
        ("sumsub", json.dumps(review(createdAtMs="2026-02-30 11:59:58.123")).encode()),
        ("sumsub", json.dumps(review(externalUserId=None)).encode()),
        ("sumsub", json.dumps(review(reviewResult="GREEN")).encode()),
    ],
)
def test_a_body_of_another_shape(provider: str, body: bytes) -> None:
    with pytest.raises(WebhookRefused) as refused:
        PROVIDERS[provider].read(body)
    assert refused.value.rule == "event_has_its_shape"
    assert SUBJECT not in str(refused.value)


@pytest.mark.parametrize(("provider", "message"), [("persona", inquiry()), ("sumsub", review())])
def test_a_member_that_stands_twice(provider: str, message: dict[str, Any]) -> None:
    body = json.dumps(message)[:-1] + ', "x": 1, "x": 2}'
    with pytest.raises(WebhookRefused) as refused:
        PROVIDERS[provider].read(body.encode())
    assert refused.value.rule == "event_keys_are_unique"
