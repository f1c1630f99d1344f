"""PAdES signatures: the first of the investor's certifies, the issuer's countersignature closes the file."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from tempfile import NamedTemporaryFile
from typing import Final, TypeVar

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from bookrunner.adapters.documents.certificate import SEAL
from bookrunner.adapters.documents.packet import ISSUER
from bookrunner.adapters.documents.render import SignatureBox
from bookrunner.adapters.documents.template import LAYOUT, Template
from bookrunner.adapters.documents.typesetter import Sheet, Typesetter
from bookrunner.adapters.documents.uploads import READER_FAULTS
from bookrunner.adapters.signing.additions import PAGE_HEIGHT
from bookrunner.adapters.signing.authority import Credential, Trust
from bookrunner.core.errors import Refused

# It warns at each signature that nothing is fetched, which is how it is meant to be.
logging.getLogger("pyhanko.sign.signers.pdf_signer").setLevel(logging.ERROR)

# A check reads tens of thousands of small objects that live as long as it does: a collector that looks at
# them after each 700 takes a fifth of the time.
gc.set_threshold(50_000, 10, 10)

T = TypeVar("T")

_WHOLE_BOX: Final = SimpleBoxLayoutRule(
    x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID, margins=Margins.uniform(0)
)
_DSS: Final = DSSContentSettings(
    placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE, include_vri=False
)


@dataclass(frozen=True, slots=True)
class Act:
    """One act of signing: who, in which capacity, for which envelope, with which sentence of intent, when.

    ``field`` is one of the investor's, ``issuer`` or, for a sealed certificate, ``seal``; the box holds the
    stamp.
    """

    field: str
    name: str
    capacity: str
    envelope: str
    intent: str
    signed_at: datetime
    box: SignatureBox


@dataclass(frozen=True, slots=True)
class SignedFile:
    """The bytes after one signature, their SHA-256 in hex and the serial number of the certificate."""

    content: bytes
    sha256: str
    serial: int


class PadesSigner:
    """Signs packets at level B-LT: time-stamp and validation data lie in the revision of the signature.

    ``stamp`` is the template of the visible stamp.
    """

    def __init__(self, stamp: Template, typesetter: Typesetter, time_stamper: TimeStamper) -> None:
        self._stamp = stamp
        self._typesetter = typesetter
        self._time_stamper = time_stamper

    def sign(self, content: bytes, act: Act, credential: Credential, trust: Trust) -> SignedFile:
        """Return the file with one more signature, over everything before it.

        The first certifies and allows only signatures in the fields that are there; the issuer's allows
        nothing. Refuses
        ``signing_key_is_used_once``, ``time_stamp_is_given`` when the time-stamp authority does not answer,
        and ``file_can_be_signed``, which includes a certificate that is expired or revoked.
        """
        stamp = self._typesetter.typeset(_stamp(self._stamp, act, credential.serial))
        signer = SimpleSigner(
            asn1_x509.Certificate.load(credential.certificate),
            keys.PrivateKeyInfo.load(credential.take_key()),
            _store(trust),
        )
        with NamedTemporaryFile(suffix=".pdf") as page:
            page.write(stamp.content)
            page.flush()
            pdf_signer = PdfSigner(
                _metadata(act, trust, is_first=_is_first(content)),
                signer,
                timestamper=self._time_stamper,
                stamp_style=StaticStampStyle.from_pdf_file(
                    page.name, border_width=0, background_opacity=1.0, background_layout=_WHOLE_BOX
                ),
            )
            signed = _sign(pdf_signer, content)
        return SignedFile(signed, hashlib.sha256(signed).hexdigest(), credential.serial)


def with_fields(content: bytes, boxes: Mapping[str, SignatureBox]) -> bytes:
    """Return the rendered file with one empty field for each party, added as an update after its bytes.

    The issuer's field and a seal's carry the lock: after that signature nothing may change.
    """
    writer = IncrementalPdfFileWriter(BytesIO(content))
    for name, box in boxes.items():
        last = name in {ISSUER, SEAL}
        fields.append_signature_field(
            writer,
            fields.SigFieldSpec(
                name,
                on_page=box.page - 1,
                box=_corners(box),
                field_mdp_spec=fields.FieldMDPSpec(fields.FieldMDPAction.ALL) if last else None,
                doc_mdp_update_value=fields.MDPPerm.NO_CHANGES if last else None,
                empty_field_appearance=True,
            ),
        )
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def validation(trust: Trust, at: datetime) -> ValidationContext:
    """Return the strictest context: our roots, nothing fetched, revocation known for each certificate."""
    return ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(der) for der in trust.roots],
        other_certs=[asn1_x509.Certificate.load(der) for der in trust.between],
        crls=list(trust.lists),
        moment=at,
        allow_fetching=False,
        revocation_mode="require",
        retroactive_revinfo=True,
    )


def apart(act: Callable[[], T]) -> T:
    """Run ``act`` where no event loop runs, and wait for it: pyHanko starts a loop of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return act()
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(act).result()


def _is_first(content: bytes) -> bool:
    """Whether nobody has signed yet; refuses a file that an earlier signature has closed."""
    try:
        earlier = PdfFileReader(BytesIO(content)).embedded_signatures
        closed = [each for each in earlier if each.docmdp_level is fields.MDPPerm.NO_CHANGES]
    except (PdfError, *READER_FAULTS) as fault:
        raise Refused("file_can_be_signed", type(fault).__name__) from None
    if closed:
        raise Refused("file_can_be_signed", f"{closed[0].field_name} has closed it")
    return not earlier


def _metadata(act: Act, trust: Trust, *, is_first: bool) -> PdfSignatureMetadata:
    return PdfSignatureMetadata(
        field_name=act.field,
        md_algorithm="sha256",
        reason=act.intent,
        name=act.name,
        certify=is_first and act.field != ISSUER,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES if act.field == SEAL else fields.MDPPerm.FILL_FORMS,
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=True,
        validation_context=validation(trust, act.signed_at),
        dss_settings=_DSS,
    )


def _sign(signer: PdfSigner, content: bytes) -> bytes:
    out = BytesIO()
    try:
        apart(lambda: signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(content)), output=out))
    except (TimestampRequestError, OSError) as fault:
        raise Refused("time_stamp_is_given", type(fault).__name__) from None
    except (SigningError, PdfError, ValueError) as fault:
        raise Refused("file_can_be_signed", type(fault).__name__) from None
    return out.getvalue()


def _stamp(template: Template, act: Act, serial: int) -> Sheet:
    packet = {
        "name": act.name,
        "capacity": act.capacity,
        "signed_at": act.signed_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "envelope": act.envelope,
        "serial": f"{serial:x}"[-16:],
        "width": act.box.width,
        "height": act.box.height,
    }
    return Sheet(template.folder, LAYOUT, packet, act.signed_at)


def _store(trust: Trust) -> SimpleCertificateStore:
    store = SimpleCertificateStore()
    store.register_multiple(asn1_x509.Certificate.load(der) for der in (*trust.between, *trust.roots))
    return store


def _corners(box: SignatureBox) -> tuple[int, int, int, int]:
    """Return lower left and upper right corner in the coordinates of PDF, which count from below."""
    top = PAGE_HEIGHT - box.y
    return round(box.x), round(top - box.height), round(box.x + box.width), round(top)
