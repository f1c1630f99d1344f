"""Documents that people sign, made so that the same data always gives the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import rfc8785

__all__ = ["AgreementTerms", "Document", "render_agreement"]

MEDIA_TYPE = "application/vnd.bookrunner.agreement+json"


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """The snapshot that a subscription agreement states.

    Ids, units, minor units of money and the digest of the profile.
    """

    offering: str
    offer_name: str
    investment: str
    investor: str
    profile_digest: str
    units: int
    amount_minor: int
    currency: str
    exemption: str


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a document, their media type and their SHA-256."""

    content: bytes
    media_type: str
    sha256: bytes


def render_agreement(terms: AgreementTerms) -> Document:
    """Return the machine-readable terms of the agreement in canonical form (RFC 8785)."""
    content = rfc8785.dumps({"document": "subscription agreement", "terms": asdict(terms)})
    return Document(content, MEDIA_TYPE, hashlib.sha256(content).digest())
