"""What a forger does to an executed file; each function returns the file that it would hand in."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

from asn1crypto import keys, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pypdf import PdfReader, PdfWriter

from bookrunner.adapters.documents import SignatureBox
from bookrunner.adapters.signing.authority import Credential
from bookrunner.adapters.signing.pades import apart

_NAME = generic.NameObject


def _updated(writer: IncrementalPdfFileWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def flip_a_byte(content: bytes) -> bytes:
    """Change one letter of the metadata, which both signatures cover."""
    place = content.index(b"<pdfaid:conformance>") + len(b"<pdfaid:conformance>")
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def replace_page_one(content: bytes) -> bytes:
    """Give page 1 another content stream in an incremental update."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    page = writer.root["/Pages"]["/Kids"][0]
    stream = generic.StreamObject(stream_data=b"BT ET")
    page[_NAME("/Contents")] = writer.add_object(stream)
    writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0))
    return _updated(writer)


def add_an_annotation(content: bytes) -> bytes:
    """Put a note over page 1 and change the catalog in an incremental update."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    note = generic.DictionaryObject(
        {
            _NAME("/Type"): _NAME("/Annot"),
            _NAME("/Subtype"): _NAME("/FreeText"),
            _NAME("/Rect"): generic.ArrayObject(map(generic.NumberObject, (10, 10, 300, 300))),
            _NAME("/Contents"): generic.pdf_string("Amount: 1"),
        }
    )
    page = writer.root["/Pages"]["/Kids"][0]
    page[_NAME("/Annots")] = generic.ArrayObject([writer.add_object(note)])
    writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0))
    writer.root[_NAME("/Lang")] = generic.pdf_string("fr")
    writer.update_root()
    return _updated(writer)


def append_bytes(content: bytes) -> bytes:
    """Write behind the end of the file."""
    return content + b"\n% see the side letter\n"


def rewrite(content: bytes) -> bytes:
    """Write all objects anew, as a tool that saves a copy does."""
    out = BytesIO()
    PdfWriter(clone_from=PdfReader(BytesIO(content))).write(out)
    return out.getvalue()


def with_a_third_field(content: bytes) -> bytes:
    """Add one more signature field in an incremental update."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    fields.append_signature_field(
        writer, fields.SigFieldSpec("witness", on_page=0, box=(50, 50, 250, 120), empty_field_appearance=True)
    )
    return _updated(writer)


def unlocked_fields(content: bytes, boxes: Mapping[str, SignatureBox]) -> bytes:
    """Add the fields of both parties, neither with a lock."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    for number, name in enumerate(boxes):
        box = (50, 50 + 100 * number, 250, 120 + 100 * number)
        spec = fields.SigFieldSpec(name, on_page=0, box=box, empty_field_appearance=True)
        fields.append_signature_field(writer, spec)
    return _updated(writer)


def sign_plainly(
    content: bytes, field: str, credential: Credential, stamper: TimeStamper | None = None
) -> bytes:
    """Sign with a tool that certifies nothing and locks nothing."""
    signer = SimpleSigner(
        x509.Certificate.load(credential.certificate),
        keys.PrivateKeyInfo.load(credential.take_key()),
        SimpleCertificateStore(),
    )
    out = BytesIO()
    pdf_signer = PdfSigner(PdfSignatureMetadata(field_name=field), signer, timestamper=stamper)
    apart(lambda: pdf_signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(content)), output=out))
    return out.getvalue()


def sign_once_more(content: bytes, credential: Credential) -> bytes:
    """Sign in a new field, whatever the lock says."""
    return sign_plainly(with_a_third_field(content), "witness", credential)
