"""An e-sign provider's word executes nothing; links, order, repeats and races are held by its port."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bookrunner.adapters.identity.webhook import sign as sign_message
from bookrunner.adapters.signing import (
    EnvelopeEvent,
    ExecutionRule,
    Fetched,
    LocalProvider,
    SigningProvider,
    SimulatedProvider,
    accept_executed,
    verify_executed,
)
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from tests.documents import samples
from tests.signing import attacks
from tests.signing.conftest import INTENT, Room, make_envelope

SECRET = b"a secret of thirty-two bytes, ok"
HOUR = timedelta(hours=1)


@pytest.fixture
def local(room: Room, tmp_path: Path) -> LocalProvider:
    return LocalProvider(tmp_path / "envelopes", room.ceremony, SECRET)


def _create(provider: SigningProvider, room: Room, key: str = "agr_1/1") -> str:
    return provider.create(room.envelope, expires_at=clock.now() + HOUR, idempotency_key=key)


def _sign(provider: LocalProvider, ref: str, party: str, **other: str) -> EnvelopeEvent:
    asked = parse_qs(urlsplit(provider.signing_url(ref, party, ttl=HOUR)).query)
    token = other.get("token", asked["token"][0])
    return provider.sign(
        ref, other.get("as_party", party), until=int(asked["until"][0]), token=token, intent=INTENT
    )


def _rule(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.rule


def _completed(local: LocalProvider, room: Room) -> str:
    ref = _create(local, room)
    assert _sign(local, ref, "pty_investor") is EnvelopeEvent.SIGNED
    assert _sign(local, ref, "pty_issuer") is EnvelopeEvent.COMPLETED
    return ref


def test_a_completed_envelope_is_accepted_after_our_own_checks(local: LocalProvider, room: Room) -> None:
    ref = _completed(local, room)
    content, verdict = accept_executed(local, ref, room.envelope, room.authority.trust())
    assert content == local.fetch_executed(ref).content
    assert not verdict.failures
    assert [notice.kind for notice in _notices(local, ref)] == ["sent", "signed", "completed"]


def _notices(provider: LocalProvider, ref: str) -> list[object]:
    return [
        notice
        for headers, body in provider.messages(ref)
        for notice in provider.verify_webhook(headers, body)
    ]


def test_completed_with_other_bytes_executes_nothing(local: LocalProvider, room: Room) -> None:
    provider = SimulatedProvider(local, seed=1)
    ref = _completed(local, room)
    honest = provider.fetch_executed(ref)
    data = samples.individual()
    data["reference"] = "RF18OTHER"
    other = make_envelope(room.press, data)
    signed = room.ceremony.sign(other, intent=INTENT)
    cases = (
        (signed.content, ExecutionRule.ORIGIN),
        (attacks.append_bytes(honest.content), ExecutionRule.COVERAGE),
        (attacks.replace_page_one(honest.content), ExecutionRule.ADDED),
        (room.envelope.rendered.content, ExecutionRule.FIELDS),
        (room.executed.content, ExecutionRule.SIGNERS),
        (b"<html>not found</html>", ExecutionRule.ORIGIN),
    )
    for content, rule in cases:
        provider.substitute(ref, Fetched(content, honest.serials))
        assert provider.status(ref) is EnvelopeEvent.COMPLETED
        assert _rule(lambda: accept_executed(provider, ref, room.envelope, room.authority.trust())) == rule


def test_completed_before_both_have_signed_executes_nothing(local: LocalProvider, room: Room) -> None:
    ref = _create(local, room)
    message = json.dumps(
        {"id": "ntc_1", "kind": "completed", "ref": ref, "occurred_at": clock.now().isoformat()}
    ).encode()
    headers = sign_message("ntc_1", message, now=clock.now(), secrets=[SECRET])
    (notice,) = local.verify_webhook(headers, message)
    assert notice.kind is EnvelopeEvent.COMPLETED
    assert (
        _rule(lambda: accept_executed(local, ref, room.envelope, room.authority.trust()))
        == "envelope_is_completed"
    )


def test_completed_without_the_certificate_of_a_party_executes_nothing(
    local: LocalProvider, room: Room
) -> None:
    ref = _completed(local, room)
    provider = SimulatedProvider(local, 1)
    honest = provider.fetch_executed(ref)
    assert accept_executed(provider, ref, room.envelope, room.authority.trust())[0] == honest.content
    for party, serial in honest.serials.items():
        provider.substitute(ref, Fetched(honest.content, {party: serial}))
        assert (
            _rule(lambda: accept_executed(provider, ref, room.envelope, room.authority.trust()))
            == "every_party_has_signed"
        )


def test_a_file_is_signed_and_checked_while_an_event_loop_runs(room: Room) -> None:
    async def serve() -> str:
        signed = room.ceremony.sign(room.envelope, intent=INTENT)
        before = room.ceremony.expected(room.envelope, investor=signed.serial, sha256=signed.sha256)
        executed = room.ceremony.countersign(room.envelope, signed.content, investor=before, intent=INTENT)
        wanted = room.ceremony.expected(room.envelope, investor=signed.serial, issuer=executed.serial)
        verify_executed(executed.content, wanted)
        return executed.sha256

    with ThreadPoolExecutor(1) as server:
        assert len(server.submit(lambda: asyncio.run(serve())).result()) == 64


def test_messages_lost_doubled_and_reordered_change_nothing(local: LocalProvider, room: Room) -> None:
    ref = _completed(local, room)
    seen = set()
    for seed in range(20):
        messages = SimulatedProvider(local, seed).messages(ref)
        kinds = [json.loads(body)["kind"] for _, body in messages]
        seen.add(tuple(kinds))
        assert local.status(ref) is EnvelopeEvent.COMPLETED
    assert () in seen or any("completed" not in kinds for kinds in seen)
    assert any(len(kinds) > 3 for kinds in seen)
    assert any(kinds and kinds[0] == "completed" for kinds in seen)


def test_a_forged_or_stale_message_is_refused(local: LocalProvider, room: Room, tmp_path: Path) -> None:
    ref = _create(local, room)
    ((headers, body),) = local.messages(ref)
    assert _rule(lambda: local.verify_webhook(headers, body + b" ")) == "signature_matches"
    later = LocalProvider(
        tmp_path / "envelopes", room.ceremony, SECRET, read_clock=lambda: clock.now() + HOUR
    )
    assert _rule(lambda: later.verify_webhook(headers, body)) == "timestamp_is_recent"
    odd = json.dumps({"id": "ntc_1", "kind": "exploded", "ref": ref, "occurred_at": "2026-01-01T00:00:00Z"})
    signed = sign_message("ntc_1", odd.encode(), now=clock.now(), secrets=[SECRET])
    assert _rule(lambda: local.verify_webhook(signed, odd.encode())) == "event_has_its_shape"


def test_a_repeated_create_returns_the_same_envelope(local: LocalProvider, room: Room) -> None:
    until = clock.now() + HOUR
    ref = local.create(room.envelope, expires_at=until, idempotency_key="agr_1/1")
    assert local.create(room.envelope, expires_at=until, idempotency_key="agr_1/1") == ref
    assert local.create(room.envelope, expires_at=until, idempotency_key="agr_1/2") != ref
    other = make_envelope(room.press, samples.trust())
    act = lambda: local.create(other, expires_at=until, idempotency_key="agr_1/1")  # noqa: E731
    assert _rule(act) == "idempotency_key_names_one_envelope"


def test_a_link_works_for_its_party_and_its_time_only(local: LocalProvider, room: Room) -> None:
    ref = _create(local, room)
    assert _rule(lambda: _sign(local, ref, "pty_issuer", as_party="pty_investor")) == "signing_link_is_valid"
    assert _rule(lambda: _sign(local, ref, "pty_investor", token="0" * 64)) == "signing_link_is_valid"
    stale = parse_qs(urlsplit(local.signing_url(ref, "pty_investor", ttl=-HOUR)).query)
    act = lambda: local.sign(  # noqa: E731
        ref, "pty_investor", until=int(stale["until"][0]), token=stale["token"][0], intent=INTENT
    )
    assert _rule(act) == "signing_link_is_valid"
    assert local.status(ref) is EnvelopeEvent.SENT


def test_the_parties_sign_in_their_order_and_once(local: LocalProvider, room: Room) -> None:
    ref = _create(local, room)
    assert _rule(lambda: _sign(local, ref, "pty_issuer")) == "parties_sign_in_their_order"
    _sign(local, ref, "pty_investor")
    assert _rule(lambda: _sign(local, ref, "pty_investor")) == "parties_sign_in_their_order"
    _sign(local, ref, "pty_issuer")
    assert _rule(lambda: _sign(local, ref, "pty_issuer")) == "envelope_is_open"


def test_a_void_or_expired_envelope_is_not_signed(local: LocalProvider, room: Room) -> None:
    ref = _create(local, room)
    local.void(ref, "the amount changed")
    assert local.status(ref) is EnvelopeEvent.VOIDED
    assert _rule(lambda: _sign(local, ref, "pty_investor")) == "envelope_is_open"
    assert _rule(lambda: local.void(ref, "again")) == "envelope_is_open"
    old = local.create(room.envelope, expires_at=clock.now() - HOUR, idempotency_key="old")
    assert _rule(lambda: _sign(local, old, "pty_investor")) == "envelope_is_open"


def test_two_officers_at_once_make_one_executed_file(
    local: LocalProvider, room: Room, tmp_path: Path
) -> None:
    ref = _create(local, room)
    _sign(local, ref, "pty_investor")
    second = LocalProvider(tmp_path / "envelopes", room.ceremony, SECRET)

    def countersign(provider: LocalProvider) -> str:
        try:
            return _sign(provider, ref, "pty_issuer").value
        except Refused as refused:
            return refused.rule

    with ThreadPoolExecutor(2) as officers:
        answers = sorted(officers.map(countersign, (local, second)))
    assert answers == ["completed", "envelope_is_open"]
    accept_executed(local, ref, room.envelope, room.authority.trust())


def test_a_signed_file_that_changed_on_disk_is_not_countersigned(
    local: LocalProvider, room: Room, tmp_path: Path
) -> None:
    ref = _create(local, room)
    _sign(local, ref, "pty_investor")
    path = tmp_path / "envelopes" / ref / "signed1.pdf"
    path.write_bytes(attacks.replace_page_one(path.read_bytes()))
    assert _rule(lambda: _sign(local, ref, "pty_issuer")) in set(ExecutionRule)
    assert not (path.parent / "executed.pdf").exists()
    assert local.status(ref) is EnvelopeEvent.SIGNED


def test_an_unknown_reference_is_not_found(local: LocalProvider, room: Room) -> None:
    shutil.rmtree(local._folder / _create(local, room))
    for ref in ("env_none", "../../etc", "env_../x"):
        with pytest.raises(NotFound):
            local.status(ref)


def test_the_clock_of_an_envelope_has_its_zone(local: LocalProvider, room: Room) -> None:
    ref = _create(local, room)
    (body,) = [json.loads(body) for _, body in local.messages(ref)]
    assert datetime.fromisoformat(body["occurred_at"]).utcoffset() == timedelta(0)
