"""What a packet states: a snapshot of the offer, the verified profile and everything the investor said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from bookrunner.adapters.documents import amount_in_words
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money, currency
from bookrunner.db import Row

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Snapshot

_EXEMPTIONS: Final = {
    "506(b)": "Rule 506(b) of Regulation D",
    "506(c)": "Rule 506(c) of Regulation D",
    "reg_cf": "Regulation Crowdfunding",
    "reg_a_tier_1": "Regulation A, Tier 1",
    "reg_a_tier_2": "Regulation A, Tier 2",
    "reg_s": "Regulation S",
    "eu_crowdfunding": "Regulation (EU) 2020/1503",
}
_KINDS: Final = {"retirement": "plan", "nominee": "entity"}
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Stated:
    """What the subscription book holds for one packet.

    ``form`` names template and issuer, ``acknowledged`` the items with their moments, ``particulars`` by kind
    what was stated.
    """

    form: Row
    acknowledged: Sequence[Row]
    particulars: Mapping[str, Row]


def packet_data(
    terms: Row, name: Row, stated: Stated, *, agreement: str, reference: str, at: datetime
) -> Snapshot:
    """Return the data of one packet, in the shape of the template's schema.

    ``terms`` are the engine's facts of the investment and its offer, ``name`` the portal's of the verified
    version of the profile; ``at`` is in UTC. Refuses ``packet_states_the_verified_profile`` when the two are
    of different versions, ``particular_is_stated`` with the kind that is missing, and
    ``representative_of_the_profile_signs`` when an authority leaves out whom the profile names.
    """
    if name["detail_digest"] != terms["detail_digest"]:
        raise Refused("packet_states_the_verified_profile", terms["investor_id"])
    amount = Money(terms["amount_minor"], currency(terms["currency"]))
    is_individual = name["kind"] == "individual"
    return {
        "document_id": agreement,
        "as_of": at.strftime(_TIME),
        "reference": reference,
        "offer": _offer(terms, stated.form),
        "investment": {
            "id": terms["investment_id"],
            "units": terms["units"],
            "amount_minor": amount.minor,
            "amount_in_words": amount_in_words(amount),
        },
        "investor": {
            "id": terms["investor_id"],
            "profile_version": name["detail_version"],
            "profile_sha256": bytes(name["detail_digest"]).hex(),
            "verified_at": terms["verified_at"].strftime(_TIME),
            "legal_name": name["legal_name"],
            "kind": _KINDS.get(name["kind"], name["kind"]),
            "address": [name["address"], name["country"]],
        },
        "owners": _sole(name["legal_name"]) if is_individual else _said(stated, "ownership")["owners"],
        **(_in_person(name) if is_individual else _authorised(name, _said(stated, "authority"))),
        "countersigner": {
            "party_id": terms["issuer_id"],
            "name": stated.form["issuer_name"],
            "capacity": "by an authorised signatory",
            "authority": "Authority on record with the subscription desk",
        },
        "risks": _items(stated, "risk", "acknowledged_at"),
        "representations": [{**item, "made": True} for item in _items(stated, "representation", "made_at")],
        "materials": _materials(stated),
        "tax": {**_said(stated, "tax_form"), "certified_at": _moment(stated, "tax_form")},
        "consent": _consent(stated),
    }


def _consent(stated: Stated) -> Snapshot:
    said = _said(stated, "records_consent")
    shown = {name: said[name] for name in ("version", "sha256", "format_opened_at")}
    return shown | {"given_at": _moment(stated, "records_consent")}


def _offer(terms: Row, form: Row) -> Snapshot:
    return {
        "id": terms["offering_id"],
        "version": terms["offer_version"],
        "name": terms["offer_name"],
        "issuer_name": form["issuer_name"],
        "jurisdiction": form["jurisdiction"],
        "security": form["security"],
        "exemption": _EXEMPTIONS[terms["exemption"]],
        "price_minor": terms["unit_price_minor"],
        "currency": terms["currency"],
    }


def _in_person(name: Row) -> Snapshot:
    signer = {
        "party_id": name["investor_id"],
        "name": name["legal_name"],
        "capacity": "Individually",
        "authority": "In person",
    }
    return {"signers": [signer], "signatures_required": 1}


def _authorised(name: Row, said: Snapshot) -> Snapshot:
    """Return who signs for an investor that is no single person; its representative is among them."""
    signers = [
        {"party_id": _party(name["investor_id"], number), **each}
        for number, each in enumerate(said["signers"], 1)
    ]
    if name["representative"] and name["representative"] not in [each["name"] for each in said["signers"]]:
        raise Refused("representative_of_the_profile_signs", "/signers")
    return {"signers": signers, "signatures_required": said["required"]}


def _party(investor: str, number: int) -> str:
    return investor if number == 1 else f"{investor}:{number}"


def _sole(name: str) -> list[Snapshot]:
    return [{"name": name, "relation": "registered owner", "basis_points": 10_000}]


def _items(stated: Stated, kind: str, moment: str) -> list[Snapshot]:
    return [
        {
            "code": row["code"],
            "version": row["item_version"],
            "sentence": row["sentence"],
            moment: row["occurred_at"].strftime(_TIME),
        }
        for row in stated.acknowledged
        if row["kind"] == kind
    ]


def _materials(stated: Stated) -> list[Snapshot]:
    return [
        {
            "code": row["code"],
            "title": row["sentence"],
            "version": row["item_version"],
            "sha256": bytes(row["document_sha256"]).hex(),
            "received_at": row["occurred_at"].strftime(_TIME),
        }
        for row in stated.acknowledged
        if row["kind"] == "material"
    ]


def _said(stated: Stated, kind: str) -> Snapshot:
    if kind not in stated.particulars:
        raise Refused("particular_is_stated", kind)
    detail: Snapshot = stated.particulars[kind]["detail"]
    return detail


def _moment(stated: Stated, kind: str) -> str:
    moment: str = stated.particulars[kind]["stated_at"].strftime(_TIME)
    return moment
