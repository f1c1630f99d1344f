"""X.509 certificates and revocation lists as the signing authority makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_FULL_NAME: Final = ObjectIdentifier("2.5.4.41")
_COMMON_NAME_LETTERS: Final = 64
_DRIFT: Final = timedelta(minutes=5)
_LIST_LIFE: Final = timedelta(days=7)


class Use(Enum):
    """What a certificate may be used for."""

    AUTHORITY = "authority"
    SIGNATURE = "signature"
    TIME_STAMP = "time_stamp"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate names: full name, id of the party, id of the envelope; the last two may be empty."""

    name: str
    party: str = ""
    envelope: str = ""

    def subject(self) -> x509.Name:
        """Return the name in X.509 form; a long name is cut in its common part only."""
        parts = [
            x509.NameAttribute(NameOID.COMMON_NAME, self.name[:_COMMON_NAME_LETTERS]),
            x509.NameAttribute(_FULL_NAME, self.name),
        ]
        if self.party:
            parts.append(x509.NameAttribute(NameOID.USER_ID, self.party))
        if self.envelope:
            parts.append(
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, self.envelope[:_COMMON_NAME_LETTERS])
            )
        return x509.Name(parts)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A P-256 key with its certificate."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """Return the certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)


def certify(holder: Holder, use: Use, *, issuer: KeyPair | None, life: timedelta, start: datetime) -> KeyPair:
    """Return a new key with a certificate signed by ``issuer``, or by itself when there is none.

    The certificate is valid from five minutes before ``start``, for clocks that differ, and for ``life``.
    """
    key = generate_private_key(SECP256R1())
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(holder.subject())
        .issuer_name(issuer.certificate.subject if issuer else holder.subject())
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _DRIFT)
        .not_valid_after(start + life)
        .add_extension(x509.BasicConstraints(ca=use is Use.AUTHORITY, path_length=None), critical=True)
        .add_extension(_key_usage(use), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if use is Use.TIME_STAMP:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
        )
    return KeyPair(key, builder.sign(signer, hashes.SHA256()))


def revocation_list(issuer: KeyPair, revoked: Mapping[int, datetime], *, number: int, at: datetime) -> bytes:
    """Return the DER of the issuer's revocation list, good for seven days; keys are serial numbers."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(at - _DRIFT)
        .next_update(at + _LIST_LIFE)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    for serial, when in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _key_usage(use: Use) -> x509.KeyUsage:
    authority = use is Use.AUTHORITY
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=use is Use.SIGNATURE,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
