"""Several people sign for one investor: each by itself, in any order, and the issuer after all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bookrunner.adapters.signing import (
    Envelope,
    EnvelopeEvent,
    ExecutionRule,
    Expected,
    LocalProvider,
    Signed,
    accept_executed,
    accept_signed,
    inspect_signed,
    verify_executed,
    verify_investor_signed,
    verify_partly_signed,
)
from bookrunner.adapters.signing.certificates import Holder
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from tests.documents import samples
from tests.signing import attacks
from tests.signing.conftest import INTENT, Room, make_envelope
from tests.signing.test_attacks import _pdfsig

OWNERS = ("investor_2", "investor", "investor_3")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def envelope(room: Room) -> Envelope:
    return make_envelope(room.press, samples.joint(3), "env_01joint")


@pytest.fixture(scope="module")
def steps(room: Room, envelope: Envelope) -> list[Signed]:
    """Return the file after each signature, in an order that is not the listed one."""
    made: list[Signed] = []
    serials: dict[str, int] = {}
    for field in OWNERS:
        after = (made[-1].content, room.ceremony.expected(envelope, **serials)) if made else None
        made.append(room.ceremony.sign(envelope, intent=INTENT, field=field, after=after))
        serials[field] = made[-1].serial
    before = room.ceremony.expected(envelope, sha256=made[-1].sha256, **serials)
    made.append(room.ceremony.countersign(envelope, made[-1].content, investor=before, intent=INTENT))
    return made


@pytest.fixture(scope="module")
def expected(room: Room, envelope: Envelope, steps: list[Signed]) -> Expected:
    serials = dict(zip((*OWNERS, "issuer"), (step.serial for step in steps), strict=True))
    return room.ceremony.expected(envelope, **serials)


def _rule(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.rule


def _first(expected: Expected, count: int) -> Expected:
    """Return what the file has to be after so many signatures."""
    return replace(expected, signers=dict(list(expected.signers.items())[:count]))


def test_every_owner_has_a_certificate_of_its_own(
    envelope: Envelope, steps: list[Signed], expected: Expected, tmp_path: Path
) -> None:
    verdict = verify_executed(steps[-1].content, replace(expected, sha256=steps[-1].sha256))
    assert [found.field for found in verdict.signatures] == [*OWNERS, "issuer"]
    assert len({found.serial for found in verdict.signatures}) == 4
    assert len({party.id for party in (*envelope.signers.values(), envelope.issuer)}) == 4
    said = _pdfsig(steps[-1].content, tmp_path)
    assert said.count("Signature Validation: Signature is Valid.") == 4
    assert "- Total document signed" in said[said.index("Signature #4") :]


def test_each_step_is_signed_by_exactly_those_before_it(steps: list[Signed], expected: Expected) -> None:
    for count, step in enumerate(steps[:-1], 1):
        so_far = _first(expected, count)
        assert not verify_partly_signed(step.content, so_far).failures
        for other in (count - 1, count + 1):
            assert _rule(lambda n=other, s=step: verify_partly_signed(s.content, _first(expected, n)))
        assert _rule(lambda s=step: verify_executed(s.content, expected)) == ExecutionRule.FIELDS
    for count in (1, 2):
        part = _first(expected, count)
        content = steps[count - 1].content
        assert _rule(lambda c=content, p=part: verify_investor_signed(c, p)) == ExecutionRule.SIGNERS
    assert not verify_investor_signed(steps[2].content, _first(expected, 3)).failures


def test_the_issuer_does_not_come_before_the_last_owner(
    room: Room, envelope: Envelope, steps: list[Signed], expected: Expected
) -> None:
    early = lambda: room.ceremony.countersign(  # noqa: E731
        envelope, steps[1].content, investor=_first(expected, 2), intent=INTENT
    )
    assert _rule(early) == ExecutionRule.SIGNERS
    # Who signs all the same makes a file that the last owner cannot join and nobody accepts.
    credential = room.authority.issue(Holder("Iris", "pty_issuer", envelope.id))
    stolen = attacks.sign_plainly(steps[1].content, "issuer", credential)
    serials = {**_serials(expected, 2), "issuer": credential.serial}
    late = lambda: room.ceremony.sign(  # noqa: E731
        envelope,
        intent=INTENT,
        field="investor_3",
        after=(stolen, room.ceremony.expected(envelope, **serials)),
    )
    assert _rule(late) == ExecutionRule.SIGNERS
    assert _rule(lambda: verify_executed(stolen, expected)) in set(ExecutionRule)


def _serials(expected: Expected, count: int) -> dict[str, int]:
    return {field: signer.serial for field, signer in list(expected.signers.items())[:count]}


def test_nobody_signs_twice_or_for_another(
    room: Room, envelope: Envelope, steps: list[Signed], expected: Expected
) -> None:
    sign = lambda field: room.ceremony.sign(  # noqa: E731
        envelope, intent=INTENT, field=field, after=(steps[0].content, _first(expected, 1))
    )
    assert _rule(lambda: sign("investor_2")) == "each_signer_signs_once"
    for field in ("investor_4", "issuer", "witness"):
        assert _rule(lambda f=field: sign(f)) == "signer_is_a_party_of_the_packet"


def test_owners_who_change_places_are_refused(steps: list[Signed], expected: Expected) -> None:
    signers = dict(expected.signers)
    signers["investor"], signers["investor_3"] = signers["investor_3"], signers["investor"]
    verdict = inspect_signed(steps[-1].content, replace(expected, signers=signers), at=clock.now())
    assert {rule for rule, _ in verdict.failures} == {ExecutionRule.SIGNERS}


@pytest.mark.parametrize(
    ("attack", "noticed"),
    [
        (attacks.flip_a_byte, ExecutionRule.VALIDITY),
        (attacks.replace_page_one, ExecutionRule.ADDED),
        (attacks.add_an_annotation, ExecutionRule.ADDED),
        (attacks.append_bytes, ExecutionRule.COVERAGE),
        (attacks.rewrite, ExecutionRule.ORIGIN),
        (attacks.with_a_third_field, ExecutionRule.ADDED),
    ],
)
def test_attacks_bite_after_each_signature(
    steps: list[Signed], expected: Expected, attack: Callable[[bytes], bytes], noticed: str
) -> None:
    for count in (1, 3, 4):
        changed = attack(steps[count - 1].content)
        verdict = inspect_signed(changed, _first(expected, count), at=clock.now())
        assert noticed in {rule for rule, _ in verdict.failures}


def test_a_change_between_two_owners_is_refused(
    room: Room, envelope: Envelope, steps: list[Signed], expected: Expected
) -> None:
    """The second owner's signature would cover it and be valid over it."""
    credential = room.authority.issue(Holder("Owner", "pty_investor", envelope.id))
    changed = attacks.sign_plainly(attacks.replace_page_one(steps[0].content), "investor", credential)
    serials = {**_serials(expected, 1), "investor": credential.serial}
    verdict = inspect_signed(changed, room.ceremony.expected(envelope, **serials), at=clock.now())
    assert {ExecutionRule.ADDED, ExecutionRule.CHANGES} <= {rule for rule, _ in verdict.failures}


def test_one_signature_too_many_is_refused(
    room: Room, envelope: Envelope, steps: list[Signed], expected: Expected
) -> None:
    credential = room.authority.issue(Holder("Wes Witness", "pty_witness", envelope.id))
    fifth = attacks.sign_once_more(steps[-1].content, credential)
    verdict = inspect_signed(fifth, expected, at=clock.now())
    assert {ExecutionRule.FIELDS, ExecutionRule.CHANGES} <= {rule for rule, _ in verdict.failures}


def test_boxes_of_ten_signers_stand_beside_each_other(room: Room) -> None:
    boxes = make_envelope(room.press, samples.joint(10)).rendered.boxes
    assert len(boxes) == 11
    for one, other in ((a, b) for a in boxes.values() for b in boxes.values() if a is not b):
        apart = (
            one.page != other.page
            or one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )
        assert apart


def test_a_provider_lets_every_owner_sign_before_the_issuer(
    room: Room, envelope: Envelope, tmp_path: Path
) -> None:
    local = LocalProvider(tmp_path / "envelopes", room.ceremony, b"a secret of thirty-two bytes, ok")
    ref = local.create(envelope, expires_at=clock.now() + HOUR, idempotency_key="agr_j/1")

    def sign(party: str) -> EnvelopeEvent:
        asked = parse_qs(urlsplit(local.signing_url(ref, party, ttl=HOUR)).query)
        until, token = int(asked["until"][0]), asked["token"][0]
        return local.sign(ref, party, until=until, token=token, intent=INTENT)

    trust = room.authority.trust()
    assert _rule(lambda: accept_signed(local, ref, envelope, trust)) == "envelope_is_signed"
    for count, party in enumerate(("pty_investor:3", "pty_investor", "pty_investor:2"), 1):
        assert _rule(lambda: sign("pty_issuer")) == "parties_sign_in_their_order"
        assert sign(party) is EnvelopeEvent.SIGNED
        assert _rule(lambda p=party: sign(p)) == "parties_sign_in_their_order"
        found = accept_signed(local, ref, envelope, trust)
        assert [len(verdict.signatures) for _, verdict in found] == list(range(1, count + 1))
    assert sign("pty_issuer") is EnvelopeEvent.COMPLETED
    content, verdict = accept_executed(local, ref, envelope, trust)
    assert content.startswith(found[-1][0])
    assert [seen.field for seen in verdict.signatures] == ["investor_3", "investor", "investor_2", "issuer"]
