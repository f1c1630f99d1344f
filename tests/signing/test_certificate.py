"""The audit certificate says how an executed file came to be; keys and time-stamps keep their rules."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import tsp
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pypdf import PdfReader

import bookrunner.adapters.documents as documents_door
import bookrunner.adapters.signing as signing_door
from bookrunner.adapters.documents import SnapshotRule
from bookrunner.adapters.signing import Ceremony, SandboxAuthority, SandboxTimeStamper, envelope_for
from bookrunner.adapters.signing.certificates import Holder
from bookrunner.adapters.signing.pades import apart, validation
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError, Refused
from tests.documents import samples
from tests.signing.conftest import INTENT, Room

SHOWN = "2026-03-02T15:10:00.125Z"


def _signer(party: str, name: str, capacity: str, serial: int) -> dict[str, Any]:
    return {
        "party": party,
        "name": name,
        "capacity": capacity,
        "authority": "In person",
        "email": "signer@example.test",
        "authentication": {"method": "passkey", "at": SHOWN},
        "consent": {"version": 1, "sha256": "2e" * 32, "at": SHOWN},
        "intent": INTENT,
        "materials": [{"title": "Private placement memorandum", "sha256": "0c" * 32}],
        "sent_at": SHOWN,
        "opened_at": SHOWN,
        "read_at": SHOWN,
        "signed_at": SHOWN,
        "stamped_at": SHOWN,
        "address": "192.0.2.7",
        "agent": "Example Browser 1.0",
        "session": "ses_01example",
        "serial": f"{serial:x}",
    }


def _evidence(room: Room) -> dict[str, Any]:
    return {
        "as_of": "2026-03-02T15:20:00Z",
        "envelope": room.envelope.id,
        "offer": "ofr_01harbor",
        "investment": "inv_01first",
        "template": room.envelope.rendered.template,
        "template_sha256": room.envelope.rendered.template_sha256,
        "pages": room.envelope.rendered.pages,
        "hashes": {
            "rendered": room.envelope.rendered.sha256,
            "investor_signed": room.signed.sha256,
            "executed": room.executed.sha256,
        },
        "signers": [
            _signer(
                "pty_investor", room.envelope.signers["investor"].name, "Individually", room.signed.serial
            ),
            _signer("pty_issuer", room.envelope.issuer.name, "Manager", room.executed.serial),
        ],
        "happenings": [{"at": SHOWN, "kind": "reminder", "detail": "sent to the issuer"}],
        "verdict": {
            "checks": ["last_signature_covers_the_whole_file"],
            "tools": room.executed.verdict.tools,
            "verified_at": SHOWN,
        },
        "retention": "executed agreement",
        "chain_head": "3f" * 32,
    }


def test_a_certificate_states_hashes_times_intent_and_authentication(room: Room) -> None:
    evidence = _evidence(room)
    rendered, sealed = room.ceremony.certify(evidence)
    assert sealed.content.startswith(rendered.content)
    text = " ".join(" ".join(p.extract_text() for p in PdfReader(BytesIO(rendered.content)).pages).split())
    for stated in (
        *evidence["hashes"].values(),
        SHOWN,
        INTENT,
        "passkey",
        "192.0.2.7",
        "3f" * 32,
        "reminder",
    ):
        assert stated in text


def test_the_seal_is_valid_and_covers_the_whole_certificate(room: Room) -> None:
    _, sealed = room.ceremony.certify(_evidence(room))
    (signature,) = PdfFileReader(BytesIO(sealed.content)).embedded_signatures
    context = validation(room.authority.trust(), clock.now())
    status = apart(lambda: validate_pdf_signature(signature, context))
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda e: e["signers"].pop(), SnapshotRule.COUNT),
        (lambda e: e["signers"][0].pop("intent"), SnapshotRule.REQUIRED),
        (lambda e: e["hashes"].update(executed="ab"), SnapshotRule.SHAPE),
        (lambda e: e["signers"][1].update(agent="a\u202eb"), SnapshotRule.PRINTABLE),
    ],
)
def test_incomplete_evidence_is_refused(
    room: Room, change: Callable[[dict[str, Any]], object], rule: str
) -> None:
    evidence = _evidence(room)
    change(evidence)
    with pytest.raises(Refused) as refused:
        room.ceremony.certify(evidence)
    assert refused.value.rule == rule


def test_a_time_stamp_authority_that_is_down_leaves_nothing_signed(room: Room) -> None:
    class Down(SandboxTimeStamper):
        async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
            raise ConnectionRefusedError(repr(req.native))

    ceremony = Ceremony(room.authority, Down(room.authority.time_stamps), room.press)
    with pytest.raises(Refused) as refused:
        ceremony.sign(room.envelope, intent=INTENT)
    assert refused.value.rule == "time_stamp_is_given"


def test_a_time_stamp_of_another_hour_is_refused(room: Room) -> None:
    ahead = SandboxTimeStamper(room.authority.time_stamps, lambda: clock.now() + timedelta(hours=1))
    with pytest.raises(Refused) as refused:
        Ceremony(room.authority, ahead, room.press).sign(room.envelope, intent=INTENT)
    assert refused.value.rule == "signatures_are_valid"


def test_an_envelope_names_the_people_of_its_document(room: Room) -> None:
    data = samples.individual()
    assert (
        envelope_for("env_1", room.envelope.rendered, data).signers["investor"]
        == room.envelope.signers["investor"]
    )
    data["signers"][0]["capacity"] = "Trustee"
    with pytest.raises(Refused) as refused:
        envelope_for("env_1", room.envelope.rendered, data)
    assert refused.value.rule == "envelope_is_of_the_rendered_data"


def test_a_sentence_of_intent_is_printable(room: Room) -> None:
    with pytest.raises(Refused) as refused:
        room.ceremony.sign(room.envelope, intent="I\u202eagree")
    assert refused.value.rule == SnapshotRule.PRINTABLE


def test_a_key_signs_once(room: Room) -> None:
    credential = room.authority.issue(Holder("I", "pty_investor", room.envelope.id))
    credential.take_key()
    with pytest.raises(Refused) as refused:
        credential.take_key()
    assert refused.value.rule == "signing_key_is_used_once"


def test_the_authority_keeps_its_keys_to_itself_and_opens_again(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    first = SandboxAuthority.open(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    again = SandboxAuthority.open(folder)
    assert again.trust().roots == first.trust().roots
    before = again.trust()
    first.revoke(77)
    assert again.trust().lists != before.lists
    assert SandboxAuthority.open(folder)._listed().keys() == {77}


def test_revocations_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    authorities = [SandboxAuthority.open(tmp_path / "pki") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: authorities[number].revoke(number + 1), range(8)))
    assert authorities[0]._listed().keys() == set(range(1, 9))


def test_an_authority_with_a_lost_key_does_not_start(tmp_path: Path) -> None:
    SandboxAuthority.open(tmp_path / "pki")
    (tmp_path / "pki" / "issuing.key").unlink()
    with pytest.raises(ConfigurationError):
        SandboxAuthority.open(tmp_path / "pki")


@pytest.mark.parametrize("name", ["Ann Lee", "N" * 120, "Nguyễn Thị Ánh-Łukasz Ó Súilleabháin und Söhne"])
def test_a_certificate_holds_the_whole_name(tmp_path: Path, name: str) -> None:
    credential = SandboxAuthority.open(tmp_path / "pki").issue(Holder(name, "pty_1", "env_1"))
    assert name.encode() in credential.certificate


def test_a_stamp_is_seen_inside_each_box(room: Room, tmp_path: Path) -> None:
    program = shutil.which("pdftoppm")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pdftoppm is missing")
        pytest.skip("pdftoppm is not installed")

    def ink(content: bytes, name: str) -> int:
        (tmp_path / "a.pdf").write_bytes(content)
        box = room.envelope.rendered.boxes[name]
        area = {"-x": box.x + 2, "-y": box.y + 2, "-W": box.width - 4, "-H": box.height - 4}
        page = str(box.page)
        flags = [text for flag, value in area.items() for text in (flag, str(int(value)))]
        done = subprocess.run(
            [program, "-r", "72", "-gray", "-f", page, "-l", page, *flags, str(tmp_path / "a.pdf")],
            capture_output=True,
            check=True,
        )
        return sum(level < 128 for level in done.stdout.split(b"\n", 3)[3])

    assert ink(room.envelope.rendered.content, "investor") == 0
    assert ink(room.signed.content, "investor") > 100
    assert ink(room.signed.content, "issuer") == 0
    assert ink(room.executed.content, "issuer") > 100


@pytest.mark.parametrize("door", [signing_door, documents_door])
def test_each_public_name_stands_behind_its_door(door: Any) -> None:  # noqa: ANN401 - a module
    assert {name for name in door.__all__ if not hasattr(door, name)} == set()
    with pytest.raises(AttributeError):
        _ = door.nothing
