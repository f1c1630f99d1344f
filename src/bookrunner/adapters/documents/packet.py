"""The subscription packet, and the sample record that an investor opens before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bookrunner.adapters.documents.render import Rendered, render
from bookrunner.adapters.documents.snapshot import Snapshot, check_letters, check_packet, check_shape
from bookrunner.adapters.documents.template import Template, read_clause
from bookrunner.adapters.documents.typesetter import Typesetter
from bookrunner.core.money import Money, currency

_SCHEDULES: Final = ("risks", "representations", "materials", "consent", "authority", "intent")
INVESTOR: Final = "investor"
ISSUER: Final = "issuer"


def render_packet(template: Template, data: Snapshot, typesetter: Typesetter) -> Rendered:
    """Return the packet of one investment as PDF/A-2b; the same template and data give the same bytes.

    ``data`` is a snapshot of the shape in the template's ``schema.json``. Refuses each rule of
    :class:`SnapshotRule` and what :func:`render` refuses.
    """
    check_letters(data)
    check_shape(template, data)
    check_packet(template, data)
    summary = _summary(data)
    packet = _packet(template, data, summary)
    fields = [*packet["fields"], ISSUER]
    return render(template, data, typesetter, packet=packet, summary=summary, fields=fields)


def signer_fields(data: Snapshot) -> list[str]:
    """Return the signature fields of the investor's signers, in the order in which the packet lists them."""
    return [
        INVESTOR if number == 1 else f"{INVESTOR}_{number}" for number, _ in enumerate(data["signers"], 1)
    ]


def render_consent_sample(template: Template, data: Snapshot, typesetter: Typesetter) -> Rendered:
    """Return a sample record with the statement on electronic records and the code printed inside it.

    An investor who can enter the code has shown that the format can be opened (15 USC 7001(c)). ``data`` has
    the shape in the template's ``schema.json``; :func:`consent_statement` is what was agreed to. Refuses what
    :func:`check_letters`, :func:`check_shape` and :func:`render` refuse.
    """
    check_letters(data)
    check_shape(template, data)
    summary = [
        ("Issuer", data["issuer_name"]),
        ("Offering", data["offer_name"]),
        ("Stated as of", data["as_of"]),
    ]
    packet = {
        "title": template.about["title"],
        "summary": summary,
        "statement": read_clause(template.clause("statement"), data),
        "code": data["code"],
    }
    return render(template, data, typesetter, packet=packet, summary=summary)


def consent_statement(template: Template, data: Snapshot) -> str:
    """Return the statement that an investor consents to, without the code; its SHA-256 is what is kept."""
    read = read_clause(template.clause("statement"), data)
    lines = [f"{block['mark']} {block['text']}".strip() for block in read["blocks"]]
    return "\n\n".join([read["heading"], *lines])


def _packet(template: Template, data: Snapshot, summary: Sequence[tuple[str, str]]) -> dict[str, Any]:
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
        "fields": signer_fields(data),
        "agreement": agreement,
        "schedules": schedules,
        "tax": _tax(data["tax"]),
        "owners": [
            {"name": o["name"], "relation": o["relation"], "share": _share(o)} for o in data["owners"]
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


def _share(owner: Mapping[str, Any]) -> str:
    points = owner["basis_points"]
    if points == 0:
        return "undivided" if owner["relation"] == "joint owner" else "none"
    return f"{points // 100}.{points % 100:02} %"


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
