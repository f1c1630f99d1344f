"""The subscription packet: one PDF that says what was agreed, acknowledged, represented and received."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

from bookrunner.adapters.documents.readback import check_boxes, check_summary
from bookrunner.adapters.documents.snapshot import (
    Snapshot,
    check_letters,
    check_packet,
    check_shape,
    moment,
)
from bookrunner.adapters.documents.template import Template, read_clause
from bookrunner.adapters.documents.typesetter import Sheet, Typesetter, engine_version
from bookrunner.core.money import Money, currency

MEDIA_TYPE: Final = "application/pdf"
_SCHEDULES: Final = ("risks", "representations", "materials", "consent", "authority", "intent")
_LETTER: Final = (612, 792)


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """Where a signature is shown: page from 1, upper left corner, width and height in points."""

    page: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class RenderedPacket:
    """The bytes of a packet and what proves how they were made.

    Hashes are SHA-256 in hex: ``sha256`` of the PDF, ``data_sha256`` of the snapshot in canonical form
    (RFC 8785), ``template_sha256`` of all files of the template version. ``media_type`` is PDF.
    """

    content: bytes
    sha256: str
    data_sha256: str
    template: str
    template_sha256: str
    engine_version: str
    pages: int
    boxes: Mapping[str, SignatureBox]
    media_type: str = MEDIA_TYPE


def render_packet(template: Template, data: Snapshot, typesetter: Typesetter) -> RenderedPacket:
    """Return the packet of one investment as PDF/A-2b; the same template and data give the same bytes.

    ``data`` is a snapshot of the shape in the template's ``schema.json``. Refuses each rule of
    :class:`SnapshotRule`, what :meth:`Typesetter.typeset` refuses, and ``printed_text_equals_the_data`` when
    the file, read back, says something else than the data.
    """
    check_letters(data)
    check_shape(template, data)
    check_packet(template, data)
    summary = _summary(data)
    labels = [f"sig-{name}" for name in template.about["signature_boxes"]]
    printed = typesetter.typeset(
        Sheet(
            template.folder,
            template.layout,
            _packet(template, data, summary),
            moment(data["as_of"]),
            (*labels, "pages"),
        )
    )
    pages = int(printed.labels["pages"][0])
    boxes = {label.removeprefix("sig-"): printed.labels[label][0] for label in labels}
    check_boxes(boxes, pages, _LETTER)
    check_summary(printed.content, summary)
    return RenderedPacket(
        content=printed.content,
        sha256=hashlib.sha256(printed.content).hexdigest(),
        data_sha256=hashlib.sha256(rfc8785.dumps(dict(data))).hexdigest(),
        template=f"{template.id}/{template.version}",
        template_sha256=template.sha256,
        engine_version=engine_version(),
        pages=pages,
        boxes={name: SignatureBox(**box) for name, box in boxes.items()},
    )


def _packet(template: Template, data: Snapshot, summary: Sequence[tuple[str, str]]) -> dict[str, object]:
    places = _places(data)
    agreement = [
        {"number": number, **read_clause(template.clause(name), places)}
        for number, name in enumerate(template.clauses("agreement"), 1)
    ]
    schedules = {
        name: read_clause(template.clause(f"schedules/{name}"), places)
        for name in (*_SCHEDULES, _tax_clause(data))
    }
    schedules["tax"] = schedules.pop(_tax_clause(data))
    return {
        "title": template.about["title"],
        "template": {"id": template.id, "version": template.version},
        "data": data,
        "summary": summary,
        "agreement": agreement,
        "schedules": schedules,
        "tax": _tax(data["tax"]),
        "owners": [
            {"name": o["name"], "relation": o["relation"], "share": _share(o["basis_points"])}
            for o in data["owners"]
        ],
    }


def _tax_clause(data: Snapshot) -> str:
    return "tax-w9" if data["tax"]["form"] == "W-9" else "tax-w8"


def _summary(data: Snapshot) -> list[tuple[str, str]]:
    offer, investment, investor = data["offer"], data["investment"], data["investor"]
    places = _places(data)
    return [
        ("Legal name", investor["legal_name"]),
        ("Kind of investor", investor["kind"]),
        ("Address", ", ".join(investor["address"])),
        ("Issuer", offer["issuer_name"]),
        ("Security", offer["security"]),
        ("Exemption", offer["exemption"]),
        ("Units", places["units"]),
        ("Price per unit", places["price"]),
        ("Purchase price", places["amount"]),
        ("In words", investment["amount_in_words"]),
        ("Payment reference", data["reference"]),
        ("Document", data["document_id"]),
        ("Investment", investment["id"]),
        ("Offer", f"{offer['id']}, version {offer['version']}"),
        ("Investor profile", f"{investor['id']}, version {investor['profile_version']}"),
        ("Verified", investor["verified_at"]),
        ("Stated as of", data["as_of"]),
    ]


def _places(data: Snapshot) -> dict[str, str]:
    """Return what clause texts may name: each text of the offer, the investment and the investor."""
    unit = currency(data["offer"]["currency"])
    places = {
        f"{group}.{name}": value
        for group in ("offer", "investment", "investor")
        for name, value in data[group].items()
        if isinstance(value, str)
    }
    return places | {
        "reference": data["reference"],
        "units": f"{data['investment']['units']:,}",
        "price": _shown(Money(data["offer"]["price_minor"], unit)),
        "amount": _shown(Money(data["investment"]["amount_minor"], unit)),
    }


def _shown(money: Money) -> str:
    whole, point, part = money.format().partition(".")
    return f"{int(whole):,}{point}{part} {money.currency.code}"


def _share(basis_points: int) -> str:
    return "none" if basis_points == 0 else f"{basis_points // 100}.{basis_points % 100:02} %"


def _tax(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("Form", form["form"]), ("Name", form["name"])]
    if form["form"] == "W-9":
        rows += [
            ("Federal tax classification", form["classification"]),
            ("Taxpayer number", f"{form['number_kind']} ending in {form['number_ends']}"),
            ("Subject to backup withholding", "yes" if form["backup_withholding"] else "no"),
            ("FATCA exemption code", form["fatca_code"] or "none"),
        ]
    else:
        rows += [
            ("Country of residence", form["country"]),
            ("Status", form["status"]),
            ("Foreign taxpayer number", f"ending in {form['foreign_number_ends'] or 'none given'}"),
            ("Treaty claimed", form["treaty"] or "none"),
        ]
    return [*rows, ("Certified", form["certified_at"])]
