"""Ten attacks on an executed file: each is refused, and the rules that notice it are the expected ones."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from bookrunner.adapters.documents import load_template
from bookrunner.adapters.signing import (
    ExecutionRule,
    Expected,
    ExpectedSigner,
    SandboxAuthority,
    SandboxTimeStamper,
    inspect_signed,
    verify_executed,
)
from bookrunner.adapters.signing.certificates import Holder
from bookrunner.adapters.signing.pades import Act, PadesSigner, with_fields
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from tests.documents import samples
from tests.signing import attacks
from tests.signing.conftest import INTENT, Room, make_envelope, open_ceremony

BYTES, ORIGIN, FIELDS = ExecutionRule.BYTES, ExecutionRule.ORIGIN, ExecutionRule.FIELDS
SIGNERS, VALIDITY = ExecutionRule.SIGNERS, ExecutionRule.VALIDITY
CHANGES, COVERAGE = ExecutionRule.CHANGES, ExecutionRule.COVERAGE
ADDED = ExecutionRule.ADDED


def _broken(content: bytes, expected: Expected) -> set[ExecutionRule]:
    """Return the broken rules, after seeing that the file is refused by the first of them."""
    verdict = inspect_signed(content, expected, at=clock.now())
    assert verdict.failures
    with pytest.raises(Refused) as refused:
        verify_executed(content, expected)
    assert refused.value.rule == verdict.failures[0][0]
    return {rule for rule, _ in verdict.failures}


def _pdfsig(content: bytes, folder: Path) -> str:
    """Return what poppler says of the signatures."""
    program = shutil.which("pdfsig")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pdfsig is missing")
        pytest.skip("pdfsig is not installed")
    (folder / "a.pdf").write_bytes(content)
    done = subprocess.run(
        [program, "-nocert", str(folder / "a.pdf")], capture_output=True, text=True, check=False
    )
    return done.stdout


def test_an_untouched_file_is_executed(room: Room) -> None:
    verdict = verify_executed(room.executed.content, room.expected(sha256=room.executed.sha256))
    assert not verdict.failures
    assert [found.field for found in verdict.signatures] == ["investor", "issuer"]
    assert all(found.stamped_at is not None for found in verdict.signatures)
    assert "pyhanko 0.38.0" in verdict.record()["tools"]


def test_poppler_confirms_an_untouched_file(room: Room, tmp_path: Path) -> None:
    said = _pdfsig(room.executed.content, tmp_path)
    assert said.count("Signature Validation: Signature is Valid.") == 2
    assert said.count("Signature Type: ETSI.CAdES.detached") == 2
    last = said[said.index("Signature #2") :]
    assert "- Total document signed" in last
    assert re.search(r"Signature Field Name: issuer", last)


@pytest.mark.parametrize(
    ("attack", "noticed"),
    [
        (attacks.flip_a_byte, {VALIDITY}),
        (attacks.replace_page_one, {VALIDITY, CHANGES, COVERAGE}),
        (attacks.add_an_annotation, {VALIDITY, CHANGES, COVERAGE}),
        (attacks.append_bytes, {COVERAGE}),
        (attacks.rewrite, {ORIGIN, VALIDITY}),
        (attacks.with_a_third_field, {VALIDITY, CHANGES, COVERAGE}),
    ],
)
def test_a_changed_file_is_refused(
    room: Room, attack: Callable[[bytes], bytes], noticed: set[ExecutionRule]
) -> None:
    changed = attack(room.executed.content)
    assert _broken(changed, room.expected()) >= noticed
    assert BYTES in _broken(changed, room.expected(sha256=room.executed.sha256))


def test_bytes_behind_the_end_are_noticed_by_the_coverage_alone(room: Room) -> None:
    assert _broken(attacks.append_bytes(room.executed.content), room.expected()) == {COVERAGE}


def test_poppler_sees_a_flipped_byte_and_what_was_added(room: Room, tmp_path: Path) -> None:
    assert "Digest Mismatch" in _pdfsig(attacks.flip_a_byte(room.executed.content), tmp_path)
    said = _pdfsig(attacks.replace_page_one(room.executed.content), tmp_path)
    assert "- Total document signed" not in said[said.index("Signature #2") :]


def test_signatures_bring_no_font_that_is_not_embedded(room: Room) -> None:
    reader = PdfReader(BytesIO(room.executed.content))
    numbers = {number for table in reader.xref.values() for number in table} | set(reader.xref_objStm)
    objects = [IndirectObject(number, 0, reader).get_object() for number in sorted(numbers)]
    descriptors = [o for o in objects if isinstance(o, dict) and o.get("/Type") == "/FontDescriptor"]
    fonts = [
        o
        for o in objects
        if isinstance(o, dict) and o.get("/Type") == "/Font" and "/DescendantFonts" not in o
    ]
    assert len(descriptors) >= len(fonts) > 2
    assert all({"/FontFile2", "/FontFile3"} & set(found) for found in descriptors)
    assert all("/FontDescriptor" in found for found in fonts)


def test_a_file_beyond_all_measure_is_not_read(room: Room) -> None:
    huge = room.envelope.rendered.content + bytes(50 << 20)
    assert _broken(huge, room.expected()) == {ExecutionRule.READABLE}


def test_a_file_cut_back_to_the_investors_revision_is_refused(room: Room) -> None:
    assert room.executed.content.startswith(room.signed.content)
    assert _broken(room.signed.content, room.expected()) == {FIELDS}


def _signer(room: Room) -> PadesSigner:
    stamps = SandboxTimeStamper(room.authority.time_stamps)
    return PadesSigner(load_template("signature_stamp", "1.0.0"), room.press, stamps)


def _act(room: Room, **other: object) -> Act:
    act = Act(
        field="issuer",
        name="Iris Example",
        capacity="Manager",
        envelope=room.envelope.id,
        intent=INTENT,
        signed_at=clock.now(),
        box=room.envelope.rendered.boxes["issuer"],
    )
    return replace(act, **other)  # type: ignore[arg-type]


def test_a_third_signature_is_refused(room: Room) -> None:
    credential = room.authority.issue(Holder("Wes Witness", "pty_witness", room.envelope.id))
    third = attacks.sign_once_more(room.executed.content, credential)
    assert _broken(third, room.expected()) >= {FIELDS, VALIDITY, CHANGES}


def test_our_own_signer_adds_nothing_after_the_lock(room: Room) -> None:
    credential = room.authority.issue(Holder("Wes Witness", "pty_witness", room.envelope.id))
    prepared = attacks.with_a_third_field(room.executed.content)
    with pytest.raises(Refused) as refused:
        _signer(room).sign(prepared, _act(room, field="witness"), credential, room.authority.trust())
    assert refused.value.rule == "file_can_be_signed"


def test_a_twin_with_the_same_names_is_refused(room: Room, tmp_path: Path) -> None:
    _, forger = open_ceremony(tmp_path / "pki", room.press)
    signed = forger.sign(room.envelope, intent=INTENT)
    before = forger.expected(room.envelope, investor=signed.serial)
    twin = forger.countersign(room.envelope, signed.content, investor=before, intent=INTENT)
    assert _broken(twin.content, room.expected()) == {SIGNERS, VALIDITY}
    # Even with the very serial numbers of the forger no root of ours stands above them.
    numbers = {
        "investor": ExpectedSigner(signed.serial, room.envelope.signers["investor"].id, room.envelope.id),
        "issuer": ExpectedSigner(twin.serial, room.envelope.issuer.id, room.envelope.id),
    }
    assert _broken(twin.content, replace(room.expected(), signers=numbers)) == {VALIDITY}


def test_a_certificate_of_another_envelope_or_party_is_refused(room: Room) -> None:
    for wrong in ({"envelope": "env_02other"}, {"party": "pty_other"}, {"serial": 1}):
        signers = dict(room.expected().signers)
        signers["issuer"] = replace(signers["issuer"], **wrong)
        assert _broken(room.executed.content, replace(room.expected(), signers=signers)) == {SIGNERS}


@pytest.mark.parametrize("revoked", ["investor", "issuer"])
def test_a_revoked_signer_is_refused(tmp_path: Path, room: Room, revoked: str) -> None:
    authority, ceremony = open_ceremony(tmp_path / "pki", room.press)
    signed = ceremony.sign(room.envelope, intent=INTENT)
    before = ceremony.expected(room.envelope, investor=signed.serial)
    executed = ceremony.countersign(room.envelope, signed.content, investor=before, intent=INTENT)
    authority.revoke(signed.serial if revoked == "investor" else executed.serial)
    expected = ceremony.expected(room.envelope, investor=signed.serial, issuer=executed.serial)
    assert _broken(executed.content, expected) == {VALIDITY}


def test_a_revoked_investor_stops_the_countersignature(tmp_path: Path, room: Room) -> None:
    authority, ceremony = open_ceremony(tmp_path / "pki", room.press)
    signed = ceremony.sign(room.envelope, intent=INTENT)
    authority.revoke(signed.serial)
    before = ceremony.expected(room.envelope, investor=signed.serial)
    with pytest.raises(Refused) as refused:
        ceremony.countersign(room.envelope, signed.content, investor=before, intent=INTENT)
    assert refused.value.rule == VALIDITY


def test_an_expired_signer_is_refused(room: Room, tmp_path: Path) -> None:
    """The signer says that it is the day before yesterday; the time-stamp says that it is now."""
    past = clock.now() - timedelta(days=2)
    early = SandboxAuthority.open(tmp_path / "pki", lambda: past)
    credentials = [
        early.issue(Holder("I", party, room.envelope.id)) for party in ("pty_investor", "pty_issuer")
    ]
    stamps = SandboxTimeStamper(early.time_stamps)
    signer = PadesSigner(load_template("signature_stamp", "1.0.0"), room.press, stamps)
    trust = SandboxAuthority.open(tmp_path / "pki").trust()
    content = with_fields(room.envelope.rendered.content, room.envelope.rendered.boxes)
    for field, credential in zip(("investor", "issuer"), credentials, strict=True):
        act = _act(room, field=field, signed_at=past)
        content = signer.sign(content, act, credential, trust).content
    signers = {
        field: ExpectedSigner(credential.serial, f"pty_{field}", room.envelope.id)
        for field, credential in zip(("investor", "issuer"), credentials, strict=True)
    }
    rendered = room.envelope.rendered
    expected = Expected(rendered.content, rendered.boxes, signers, trust)
    assert _broken(content, expected) == {VALIDITY}


def test_an_expired_or_revoked_certificate_cannot_sign(room: Room) -> None:
    expired = room.authority.issue(Holder("I", "pty_issuer", room.envelope.id), life=timedelta(seconds=-1))
    revoked = room.authority.issue(Holder("I", "pty_issuer", room.envelope.id))
    room.authority.revoke(revoked.serial)
    for credential in (expired, revoked):
        with pytest.raises(Refused) as refused:
            _signer(room).sign(room.signed.content, _act(room), credential, room.authority.trust())
        assert refused.value.rule == "file_can_be_signed"


def test_a_file_of_another_text_is_refused(room: Room) -> None:
    data = samples.individual()
    data["document_id"] = "doc_02other"
    other = make_envelope(room.press, data)
    expected = replace(room.expected(), rendered=other.rendered.content)
    assert _broken(room.executed.content, expected) == {ORIGIN}


def test_without_the_issuers_lock_the_file_is_refused(room: Room) -> None:
    """A stamp could be laid over a page afterwards while every signature stays valid."""
    boxes = dict.fromkeys(("investor", "issuer"), room.envelope.rendered.boxes["investor"])
    content = attacks.unlocked_fields(room.envelope.rendered.content, boxes)
    serials = {}
    for field in ("investor", "issuer"):
        credential = room.authority.issue(Holder("I", f"pty_{field}", room.envelope.id))
        signed = attacks.sign_plainly(
            content, field, credential, SandboxTimeStamper(room.authority.time_stamps)
        )
        content, serials[field] = signed, credential.serial
    expected = room.ceremony.expected(room.envelope, investor=serials["investor"], issuer=serials["issuer"])
    assert _broken(content, expected) == {CHANGES, ADDED}


@pytest.mark.parametrize(
    "attack", [attacks.replace_page_one, attacks.add_an_annotation, attacks.with_a_third_field]
)
def test_what_slipped_in_before_the_first_signature_is_refused(
    room: Room, attack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Every signature is valid over it, for poppler too; only the rendered file tells."""
    rendered = room.envelope.rendered
    content = attack(with_fields(rendered.content, rendered.boxes))
    serials = {}
    for field in ("investor", "issuer"):
        credential = room.authority.issue(Holder("I", f"pty_{field}", room.envelope.id))
        content = (
            _signer(room).sign(content, _act(room, field=field), credential, room.authority.trust()).content
        )
        serials[field] = credential.serial
    assert _pdfsig(content, tmp_path).count("Signature is Valid.") == 2
    expected = room.ceremony.expected(room.envelope, investor=serials["investor"], issuer=serials["issuer"])
    assert _broken(content, expected) == {ADDED}


def test_a_verdict_needs_both_signers(room: Room) -> None:
    before = room.ceremony.expected(room.envelope, investor=room.signed.serial)
    with pytest.raises(Refused) as refused:
        verify_executed(room.signed.content, before)
    assert refused.value.rule == SIGNERS


def test_broken_files_are_refused_and_nothing_else(room: Room) -> None:
    chance = random.Random(11)
    whole = room.executed.content
    broken = [whole[: chance.randrange(len(whole))] for _ in range(8)] + [b"", b"%PDF-1.7"]
    for _ in range(16):
        bad = bytearray(whole)
        for _ in range(4):
            bad[chance.randrange(len(room.envelope.rendered.content), len(bad))] ^= 1 << chance.randrange(8)
        broken.append(bytes(bad))
    for content in broken:
        assert _broken(content, room.expected())
