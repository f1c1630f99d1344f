"""Whether a file is executed: all checks together, each with its own name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import version
from io import BytesIO
from typing import Any, Final

from asn1crypto import crl
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.general import (
    CMSExtractionError,
    NonexistentAttributeError,
    find_unique_cms_attribute,
)
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel

from bookrunner.adapters.documents.packet import ISSUER
from bookrunner.adapters.documents.render import SignatureBox
from bookrunner.adapters.documents.uploads import READER_FAULTS
from bookrunner.adapters.signing.additions import additions
from bookrunner.adapters.signing.authority import Trust
from bookrunner.adapters.signing.pades import apart, validation
from bookrunner.core import clock
from bookrunner.core.errors import Refused

_MOST_BYTES: Final = 50 << 20
_DRIFT: Final = timedelta(minutes=5)
_STAMP_ATTRIBUTE: Final = "signature_time_stamp_token"
_MALFORMED: Final = (CMSExtractionError, PdfError, SignatureValidationError, *READER_FAULTS)


class ExecutionRule(StrEnum):
    """What a signed file must keep, in the order in which a breach is reported."""

    BYTES = "file_has_the_stored_hash"
    ORIGIN = "file_starts_with_the_rendered_document"
    READABLE = "signed_file_is_readable"
    FIELDS = "required_fields_are_signed_and_no_other"
    ADDED = "only_signatures_were_added_to_the_rendered_document"
    SIGNERS = "signers_are_the_expected_ones"
    VALIDITY = "signatures_are_valid"
    CHANGES = "changes_stay_within_what_is_permitted"
    COVERAGE = "last_signature_covers_the_whole_file"


@dataclass(frozen=True, slots=True)
class ExpectedSigner:
    """The certificate that a party was issued: its serial number, and party and envelope in its subject."""

    serial: int
    party: str
    envelope: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a signed file is compared with.

    The rendered bytes with their signature boxes, one for each party; the signer of each field that is
    signed at this step; whom we trust; the stored hash.

    ``sha256`` in hex is None only before the first verification, whose bytes become the stored ones.
    """

    rendered: bytes
    boxes: Mapping[str, SignatureBox]
    signers: Mapping[str, ExpectedSigner]
    trust: Trust
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """One signature as found: field, serial number of the certificate, time of its time-stamp.

    ``end`` is the number of bytes up to which it covers the file.
    """

    field: str
    serial: int
    stamped_at: datetime | None
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a file, when, and by which tools; kept as it is and never computed anew."""

    sha256: str
    failures: tuple[tuple[ExecutionRule, str], ...]
    signatures: tuple[SignatureFacts, ...]
    verified_at: datetime
    tools: str

    def record(self) -> dict[str, Any]:
        """Return the verdict as JSON values, for the archive and the audit certificate."""
        return {
            "sha256": self.sha256,
            "failures": [[rule.value, detail] for rule, detail in self.failures],
            "signatures": [
                {
                    "field": found.field,
                    "serial": f"{found.serial:x}",
                    "stamped_at": found.stamped_at.isoformat() if found.stamped_at else None,
                }
                for found in self.signatures
            ],
            "verified_at": self.verified_at.isoformat(),
            "tools": self.tools,
        }


def verify_executed(
    content: bytes, expected: Expected, *, read_clock: Callable[[], datetime] = clock.now
) -> Verdict:
    """Return the verdict on a file that every party signed, the issuer last; refuses a broken rule."""
    return _demanded(set(expected.boxes), content, expected, read_clock)


def verify_investor_signed(
    content: bytes, expected: Expected, *, read_clock: Callable[[], datetime] = clock.now
) -> Verdict:
    """Return the verdict on a file that all signers of the investor signed; refuses the first broken rule."""
    return _demanded(set(expected.boxes) - {ISSUER}, content, expected, read_clock)


def verify_partly_signed(
    content: bytes, expected: Expected, *, read_clock: Callable[[], datetime] = clock.now
) -> Verdict:
    """Return the verdict on a file that exactly the expected of the investor's signers signed so far."""
    own = set(expected.signers) & (set(expected.boxes) - {ISSUER})
    return _demanded(own or {ISSUER}, content, expected, read_clock)


def inspect_signed(content: bytes, expected: Expected, *, at: datetime) -> Verdict:
    """Return the verdict with every broken rule, in the order of :class:`ExecutionRule`; refuses nothing."""
    digest = hashlib.sha256(content).hexdigest()
    failures = []
    if expected.sha256 is not None and digest != expected.sha256:
        failures.append((ExecutionRule.BYTES, digest))
    if not content.startswith(expected.rendered):
        failures.append((ExecutionRule.ORIGIN, ""))
    signatures: list[SignatureFacts] = []
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError("too large")
        reader = PdfFileReader(BytesIO(content))
        found = list(reader.embedded_signatures)
        signatures += [_facts(each) for each in found]
        if not failures or failures[-1][0] is not ExecutionRule.ORIGIN:
            added = additions(reader, expected.rendered, expected.boxes)
            failures += [(ExecutionRule.ADDED, what) for what in added]
        failures += _broken(found, expected, at)
    except _MALFORMED as fault:
        failures.append((ExecutionRule.READABLE, type(fault).__name__))
    order = list(ExecutionRule)
    failures.sort(key=lambda failure: order.index(failure[0]))
    tools = f"pyhanko {version('pyhanko')}, pyhanko-certvalidator {version('pyhanko-certvalidator')}"
    return Verdict(digest, tuple(failures), tuple(signatures), at, tools)


def _demanded(
    fields: set[str], content: bytes, expected: Expected, read_clock: Callable[[], datetime]
) -> Verdict:
    if set(expected.signers) != fields:
        raise Refused(ExecutionRule.SIGNERS, "the expected signers are not those of this step")
    verdict = inspect_signed(content, expected, at=read_clock())
    if verdict.failures:
        rule, detail = verdict.failures[0]
        raise Refused(rule, detail)
    return verdict


def _broken(
    found: list[EmbeddedPdfSignature], expected: Expected, at: datetime
) -> Iterator[tuple[ExecutionRule, str]]:
    names = [signature.field_name for signature in found]
    if sorted(names) != sorted(expected.signers) or ISSUER in names[:-1]:
        yield ExecutionRule.FIELDS, ", ".join(names)
    statuses = {}
    for signature in found:
        name = signature.field_name
        wanted = expected.signers.get(name)
        if wanted is None or not _is(signature, wanted):
            yield ExecutionRule.SIGNERS, name
        statuses[name] = status = _status(signature, expected.trust, at)
        if fault := _invalid(signature, status, expected.trust, at):
            yield ExecutionRule.VALIDITY, f"{name} {fault}"
        if not _unchanged(signature, status, is_first=signature is found[0]):
            yield ExecutionRule.CHANGES, name
    if not found or statuses[names[-1]].coverage != SignatureCoverageLevel.ENTIRE_FILE:
        yield ExecutionRule.COVERAGE, names[-1] if names else "no signature"


def _facts(signature: EmbeddedPdfSignature) -> SignatureFacts:
    _, _, start, length = signature.byte_range
    return SignatureFacts(
        signature.field_name, signature.signer_cert.serial_number, _stamped(signature), int(start + length)
    )


def _is(signature: EmbeddedPdfSignature, wanted: ExpectedSigner) -> bool:
    subject = signature.signer_cert.subject.native
    found = (
        signature.signer_cert.serial_number,
        subject.get("user_id"),
        subject.get("organizational_unit_name"),
    )
    return found == (wanted.serial, wanted.party, wanted.envelope)


def _status(signature: EmbeddedPdfSignature, trust: Trust, at: datetime) -> PdfSignatureStatus:
    """Validate as of the time-stamp, which :func:`_invalid` requires to be trusted itself."""
    context = validation(trust, _stamped(signature) or at)
    return apart(lambda: validate_pdf_signature(signature, context))


def _invalid(signature: EmbeddedPdfSignature, status: PdfSignatureStatus, trust: Trust, at: datetime) -> str:
    """Return why a signature is not valid, or nothing."""
    stamp, claimed = _stamped(signature), status.signer_reported_dt
    if not status.intact or not status.valid:
        return "does not match the bytes"
    if not status.trusted:
        return "has a certificate that is not trusted"
    if signature.signer_cert.serial_number in _revoked(trust):
        return "has a certificate that was revoked"
    if stamp is None or status.timestamp_validity is None:
        return "has no time-stamp"
    if stamp > at + _DRIFT or claimed is None or abs(claimed - stamp) > _DRIFT:
        return "states a time that its time-stamp contradicts"
    return "" if status.bottom_line else "is not valid as a whole"


def _unchanged(signature: EmbeddedPdfSignature, status: PdfSignatureStatus, *, is_first: bool) -> bool:
    """Whether the file changed after the signature by no more than the lock that it must carry.

    The first certifies, the issuer's locks; those between carry nothing and stand under the certification.
    """
    is_last = signature.field_name == ISSUER
    permitted = ModificationLevel.NONE if is_last else ModificationLevel.FORM_FILLING
    own = MDPPerm.NO_CHANGES if is_last else MDPPerm.FILL_FORMS if is_first else None
    level = status.modification_level
    return (
        signature.docmdp_level == own
        and bool(status.docmdp_ok)
        and level is not None
        and level.value <= permitted.value
    )


def _stamped(signature: EmbeddedPdfSignature) -> datetime | None:
    try:
        token = find_unique_cms_attribute(signature.signer_info["unsigned_attrs"], _STAMP_ATTRIBUTE)
    except NonexistentAttributeError:
        return None
    stated: datetime = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
    return stated


@lru_cache(maxsize=8)
def _revoked(trust: Trust) -> frozenset[int]:
    return frozenset(
        entry["user_certificate"].native
        for der in trust.lists
        for entry in crl.CertificateList.load(der)["tbs_cert_list"]["revoked_certificates"] or ()
    )
