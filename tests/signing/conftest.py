"""One executed packet with its authority, shared by the tests that attack it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bookrunner.adapters.documents import Typesetter, load_template, render_packet
from bookrunner.adapters.signing import (
    Ceremony,
    Envelope,
    Expected,
    SandboxAuthority,
    SandboxTimeStamper,
    Signed,
    envelope_for,
)
from tests.documents import samples

INTENT = "I agree to be bound by this subscription agreement and its schedules."


@dataclass(frozen=True)
class Room:
    """What one ceremony used and made."""

    authority: SandboxAuthority
    press: Typesetter
    ceremony: Ceremony
    envelope: Envelope
    signed: Signed
    executed: Signed

    def expected(self, *, sha256: str | None = None) -> Expected:
        """Return what the executed file has to be, by default as if it came from outside."""
        return self.ceremony.expected(
            self.envelope, investor=self.signed.serial, issuer=self.executed.serial, sha256=sha256
        )


def open_ceremony(folder: Path, press: Typesetter) -> tuple[SandboxAuthority, Ceremony]:
    """Return an authority in this folder and a ceremony that trusts it."""
    authority = SandboxAuthority.open(folder)
    return authority, Ceremony(authority, SandboxTimeStamper(authority.time_stamps), press)


def make_envelope(press: Typesetter, data: samples.Data, name: str = "env_01first") -> Envelope:
    """Return an envelope of this packet, for its two signers."""
    rendered = render_packet(load_template("subscription_packet", "1.1.0"), data, press)
    return envelope_for(name, rendered, data)


@pytest.fixture(scope="session")
def press() -> Iterator[Typesetter]:
    with Typesetter() as typesetter:
        yield typesetter


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory, press: Typesetter) -> Room:
    authority, ceremony = open_ceremony(tmp_path_factory.mktemp("state") / "pki", press)
    envelope = make_envelope(press, samples.individual())
    signed = ceremony.sign(envelope, intent=INTENT)
    before = ceremony.expected(envelope, investor=signed.serial, sha256=signed.sha256)
    executed = ceremony.countersign(envelope, signed.content, investor=before, intent=INTENT)
    return Room(authority, press, ceremony, envelope, signed, executed)
