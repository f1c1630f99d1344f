"""The sandbox signing authority: its keys lie in the state folder, never in the checkout."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bookrunner.adapters.signing.certificates import Holder, KeyPair, Use, certify, revocation_list
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError, Refused

_ROOT_LIFE: Final = timedelta(days=3650)
_ISSUING_LIFE: Final = timedelta(days=1825)
_PARTY_LIFE: Final = timedelta(hours=24)
_LIST_AGE: Final = timedelta(hours=12)
_REVOKED: Final = "revoked.json"


@dataclass(frozen=True, slots=True)
class Trust:
    """What signatures are checked against, all in DER: roots, certificates in between, revocation lists."""

    roots: tuple[bytes, ...]
    between: tuple[bytes, ...]
    lists: tuple[bytes, ...]


class Credential:
    """A key and certificate of one party for one envelope; the key signs once and is then dropped."""

    def __init__(self, pair: KeyPair) -> None:
        self._key: EllipticCurvePrivateKey | None = pair.key
        self.certificate = pair.der
        self.serial = pair.certificate.serial_number

    def take_key(self) -> bytes:
        """Return the key in PKCS #8 DER and forget it; refuses ``signing_key_is_used_once``."""
        key, self._key = self._key, None
        if key is None:
            raise Refused("signing_key_is_used_once")
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class SandboxAuthority:
    """A root, an issuing authority, a time-stamp key and the platform's seal, made at the first use.

    ``open`` reads them from a folder that only its owner may enter. A deployment with a commercial
    certificate authority implements ``issue``, ``trust`` and the time-stamps in its own adapter.
    """

    def __init__(self, folder: Path, read_clock: Callable[[], datetime] = clock.now) -> None:
        self._folder = folder
        self._now = read_clock
        self._lock = Lock()
        self._trust: tuple[datetime, dict[int, datetime], Trust] | None = None
        self._root, self._issuing, self.time_stamps, self._seal = (
            _read(folder, name) for name in ("root", "issuing", "time_stamps", "seal")
        )

    @classmethod
    def open(cls, folder: Path, read_clock: Callable[[], datetime] = clock.now) -> Self:
        """Return the authority of this folder, making it whole or not at all when there is none."""
        if not folder.exists():
            _create(folder, read_clock())
        return cls(folder, read_clock)

    def issue(self, holder: Holder, *, life: timedelta = _PARTY_LIFE) -> Credential:
        """Return a new credential of this party for this envelope, valid from now for ``life``."""
        return Credential(certify(holder, Use.SIGNATURE, issuer=self._issuing, life=life, start=self._now()))

    def sealing(self) -> Credential:
        """Return the platform's seal, for one signature."""
        return Credential(self._seal)

    def revoke(self, serial: int) -> None:
        """Put a certificate on the revocation list from now on; a second call changes nothing."""
        with self._lock, _alone(self._folder):
            listed = self._listed()
            listed.setdefault(serial, self._now())
            text = json.dumps({str(number): when.isoformat() for number, when in listed.items()})
            _write(self._folder / _REVOKED, text.encode())

    def trust(self) -> Trust:
        """Return root, issuing certificates and revocation lists that are at most twelve hours old.

        A revocation by another process is seen at once.
        """
        now = self._now()
        with self._lock:
            listed = self._listed()
            if self._trust is None or self._trust[1] != listed or now - self._trust[0] > _LIST_AGE:
                number = int(now.timestamp())
                lists = (
                    revocation_list(self._root, {}, number=number, at=now),
                    revocation_list(self._issuing, listed, number=number, at=now),
                )
                made = Trust((self._root.der,), (self._issuing.der, self.time_stamps.der), lists)
                self._trust = (now, listed, made)
            return self._trust[2]

    def _listed(self) -> dict[int, datetime]:
        path = self._folder / _REVOKED
        if not path.exists():
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
        return {int(serial): datetime.fromisoformat(when) for serial, when in found.items()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from writing the list at the same time."""
    descriptor = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _create(folder: Path, now: datetime) -> None:
    root = certify(Holder("Sandbox Root"), Use.AUTHORITY, issuer=None, life=_ROOT_LIFE, start=now)
    issuing = certify(Holder("Sandbox Issuing"), Use.AUTHORITY, issuer=root, life=_ISSUING_LIFE, start=now)
    below = {
        "root": root,
        "issuing": issuing,
        "time_stamps": certify(
            Holder("Sandbox Time-Stamps"), Use.TIME_STAMP, issuer=issuing, life=_ISSUING_LIFE, start=now
        ),
        "seal": certify(
            Holder("Sandbox Platform Seal"), Use.SIGNATURE, issuer=issuing, life=_ISSUING_LIFE, start=now
        ),
    }
    making = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    making.mkdir(mode=0o700, parents=True)
    for name, pair in below.items():
        secret = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(making / f"{name}.key", secret)
        _write(making / f"{name}.crt", pair.certificate.public_bytes(Encoding.PEM))
    try:
        making.rename(folder)
    except OSError:
        # Another process was first; its keys count.
        shutil.rmtree(making)
        if not folder.exists():
            raise


def _write(path: Path, content: bytes) -> None:
    part = path.with_suffix(f".{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read(folder: Path, name: str) -> KeyPair:
    try:
        key = load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
    except (OSError, ValueError):
        raise ConfigurationError(f"the signing authority has no readable key {name}") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ConfigurationError(f"the signing authority's key {name} is of another kind")
    return KeyPair(key, certificate)
