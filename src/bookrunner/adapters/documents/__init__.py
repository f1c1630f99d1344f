"""Documents that people sign, made so that the same data always gives the same bytes.

What needs a large library is imported at its first use, so that a command answers fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from bookrunner.adapters.documents.terms import AgreementTerms, Document, render_agreement
from bookrunner.adapters.documents.words import amount_in_words

if TYPE_CHECKING:
    from bookrunner.adapters.documents.certificate import render_certificate, render_index, render_statement
    from bookrunner.adapters.documents.packet import (
        ISSUER,
        consent_statement,
        render_consent_sample,
        render_packet,
        signer_fields,
    )
    from bookrunner.adapters.documents.render import Rendered, SignatureBox
    from bookrunner.adapters.documents.snapshot import Snapshot, SnapshotRule
    from bookrunner.adapters.documents.template import Template, load_template
    from bookrunner.adapters.documents.typesetter import Typesetter, engine_version
    from bookrunner.adapters.documents.uploads import UploadRule, take_upload

__all__ = [
    "ISSUER",
    "AgreementTerms",
    "Document",
    "Rendered",
    "SignatureBox",
    "Snapshot",
    "SnapshotRule",
    "Template",
    "Typesetter",
    "UploadRule",
    "amount_in_words",
    "consent_statement",
    "engine_version",
    "load_template",
    "render_agreement",
    "render_certificate",
    "render_consent_sample",
    "render_index",
    "render_packet",
    "render_statement",
    "signer_fields",
    "take_upload",
]

_HOMES: Final = {
    "ISSUER": "packet",
    "Rendered": "render",
    "SignatureBox": "render",
    "Snapshot": "snapshot",
    "SnapshotRule": "snapshot",
    "Template": "template",
    "Typesetter": "typesetter",
    "UploadRule": "uploads",
    "consent_statement": "packet",
    "engine_version": "typesetter",
    "load_template": "template",
    "render_certificate": "certificate",
    "render_consent_sample": "packet",
    "render_index": "certificate",
    "render_packet": "packet",
    "render_statement": "certificate",
    "signer_fields": "packet",
    "take_upload": "uploads",
}


def __getattr__(name: str) -> object:
    """Return a public name from the module that holds it."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
