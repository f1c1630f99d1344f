"""Webhooks are let in only when every byte of the rule is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookrunner.adapters.identity import Outcome, WebhookRefused
from bookrunner.adapters.identity.webhook import decode_secret, parse_identity_event, sign, verify
from bookrunner.core.errors import ConfigurationError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32
BODY = b'{"hello": "world"}'
HEADERS = sign("msg_1", BODY, now=NOW, secrets=[OLD])
Headers = tuple[tuple[str, str], ...]


def changed(name: str, value: str) -> Headers:
    return tuple((n, value if n == f"webhook-{name}" else v) for n, v in HEADERS)


def rule_of(headers: Headers, body: bytes = BODY, now: datetime = NOW) -> str:
    with pytest.raises(WebhookRefused) as refusal:
        verify(headers, body, now=now, secrets={"old": OLD})
    return refusal.value.rule


def test_known_answer() -> None:
    secret = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", body, now=datetime.fromtimestamp(1614265330, UTC), secrets=[secret]
    )
    assert headers[2][1] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signed_message_is_let_in_by_the_key_that_fits() -> None:
    message = verify(HEADERS, BODY, now=NOW, secrets={"new": NEW, "old": OLD})
    assert (message.id, message.key_id) == ("msg_1", "old")
    assert len(message.signature_digest) == len(message.body_sha256) == 64
    # The same message again is let in again: the caller knows the ids that it has seen.
    assert verify(HEADERS, BODY, now=NOW, secrets={"old": OLD}) == message


def test_rotation_signs_with_both() -> None:
    headers = sign("msg_1", BODY, now=NOW, secrets=[NEW, OLD])
    assert verify(headers, BODY, now=NOW, secrets={"old": OLD}).key_id == "old"
    assert verify(headers, BODY, now=NOW, secrets={"new": NEW}).key_id == "new"


def test_header_names_have_no_case_and_others_are_ignored() -> None:
    headers = (("Host", "x"), *((name.title(), value) for name, value in HEADERS), ("Host", "y"))
    assert verify(headers, BODY, now=NOW, secrets={"old": OLD}).id == "msg_1"


def test_a_body_that_is_no_text_is_checked_like_any_other() -> None:
    body = b"\xff\xfe\x00"
    headers = sign("msg_1", body, now=NOW, secrets=[OLD])
    assert verify(headers, body, now=NOW, secrets={"old": OLD}).id == "msg_1"
    assert rule_of(headers, body + b"\xff") == "signature_matches"


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
def test_missing_and_repeated_headers(name: str) -> None:
    rest = tuple(pair for pair in HEADERS if pair[0] != f"webhook-{name}")
    again = next(pair for pair in HEADERS if pair[0] == f"webhook-{name}")
    assert rule_of(rest) == "headers_are_complete"
    assert rule_of((*HEADERS, again)) == "headers_stand_once"
    assert rule_of((*HEADERS, (again[0].upper(), again[1]))) == "headers_stand_once"


SIGNATURE = HEADERS[2][1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", ""),
        ("id", "a.b"),
        ("id", "a" * 257),
        ("id", "msg_1\n"),
        ("id", "ms\u0261_1"),
        ("timestamp", "1772452800.9"),
        ("timestamp", " 1772452800"),
        ("timestamp", "1_772"),
        ("timestamp", "-1"),
        ("timestamp", "\uff11\uff17\uff17\uff12"),
        ("timestamp", "1" * 13),
        ("signature", ""),
        ("signature", SIGNATURE[3:]),
        ("signature", SIGNATURE + "\n"),
        ("signature", SIGNATURE.replace("v1,", "v2,")),
        ("signature", SIGNATURE.replace("v1,", "v1,,")),
        ("signature", SIGNATURE[:-1]),
        ("signature", SIGNATURE + "  " + SIGNATURE),
        ("signature", "v1,%%%"),
        ("signature", " ".join([SIGNATURE] * 9)),
    ],
)
def test_headers_outside_the_grammar(name: str, value: str) -> None:
    assert rule_of(changed(name, value)) == "headers_follow_grammar"


def test_an_unknown_scheme_beside_the_right_one_is_skipped() -> None:
    headers = changed("signature", "v1a," + "A" * 86 + "== " + SIGNATURE)
    assert verify(headers, BODY, now=NOW, secrets={"old": OLD}).key_id == "old"
    assert rule_of(changed("signature", "v1a," + "A" * 86 + "==")) == "signature_matches"


@pytest.mark.parametrize(("seconds", "fits"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_the_window_is_five_minutes(seconds: int, *, fits: bool) -> None:
    then = NOW + timedelta(seconds=seconds)
    if fits:
        assert verify(HEADERS, BODY, now=then, secrets={"old": OLD}).id == "msg_1"
    else:
        assert rule_of(HEADERS, now=then) == "timestamp_is_recent"


def test_tampering_is_noticed() -> None:
    assert rule_of(HEADERS, BODY + b" ") == "signature_matches"
    assert rule_of(changed("id", "msg_2")) == "signature_matches"
    assert rule_of(changed("timestamp", str(int(HEADERS[1][1]) + 1))) == "signature_matches"
    assert rule_of(sign("msg_1", BODY, now=NOW, secrets=[NEW])) == "signature_matches"


def test_a_large_body_is_refused_before_anything_else() -> None:
    assert rule_of((), b"x" * (1024 * 1024 + 1)) == "body_fits_limit"


@pytest.mark.parametrize("secrets", [{}, {"a": b"short"}])
def test_secrets_must_be_there_and_long(secrets: dict[str, bytes]) -> None:
    with pytest.raises(ConfigurationError):
        verify(HEADERS, BODY, now=NOW, secrets=secrets)


def test_a_time_without_zone_and_a_bad_secret_are_faults_of_ours() -> None:
    with pytest.raises(ConfigurationError):
        verify(HEADERS, BODY, now=NOW.replace(tzinfo=None), secrets={"old": OLD})
    with pytest.raises(ConfigurationError):
        decode_secret("whsec_%%%")


@given(
    st.lists(st.tuples(st.sampled_from([n for n, _ in HEADERS]), st.text(max_size=80)), max_size=5),
    st.binary(),
)
def test_garbage_is_refused_and_never_crashes(headers: list[tuple[str, str]], body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        verify(headers, body, now=NOW, secrets={"old": OLD})


EVENT = {
    "event_id": "evt_1",
    "kind": "identity.reviewed",
    "subject": "prf_1",
    "outcome": "approved",
    "evidence_sha256": "a" * 64,
    "occurred_at": "2026-03-02T12:00:00Z",
}


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("approved", Outcome.APPROVED),
        ("declined", Outcome.DECLINED),
        ("APPROVED", Outcome.NEEDS_REVIEW),
        ("green", Outcome.NEEDS_REVIEW),
        ("", Outcome.NEEDS_REVIEW),
    ],
)
def test_only_known_outcomes_are_taken(told: str, read: Outcome) -> None:
    event = parse_identity_event(json.dumps({**EVENT, "outcome": told, "more": 1}).encode())
    assert event.outcome is read
    assert event.occurred_at == NOW


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"a": ' * 5000,
        *(json.dumps({**EVENT, key: None}).encode() for key in EVENT),
        json.dumps({**EVENT, "occurred_at": "2026-03-02T12:00:00"}).encode(),
        json.dumps({**EVENT, "occurred_at": 1772452800}).encode(),
        json.dumps({**EVENT, "evidence_sha256": "A" * 64}).encode(),
        json.dumps({**EVENT, "subject": "prf_1\n"}).encode(),
    ],
)
def test_an_event_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused) as refusal:
        parse_identity_event(body)
    assert refusal.value.rule == "event_has_its_shape"


def test_a_member_that_stands_twice_is_refused() -> None:
    body = json.dumps(EVENT)[:-1] + ', "outcome": "declined"}'
    with pytest.raises(WebhookRefused, match="event_keys_are_unique"):
        parse_identity_event(body.encode())
