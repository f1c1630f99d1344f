"""A packet's data as a story, with names that need more than ASCII."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

from bookrunner.adapters.documents import Template, load_template
from bookrunner.adapters.documents.template import SHELF, folder_sha256

Data = dict[str, Any]

_RISKS = (
    ("total_loss", "I may lose the whole amount that I invest, and I can bear that loss."),
    ("illiquidity", "There is no public market for the units and I may have to hold them for years."),
    ("early_company", "The issuer has a short history and may never make a profit."),
    ("token_technology", "Keys can be lost and software can fail; the register decides, not the token."),
)
_REPRESENTATIONS = (
    ("accredited_investor", "I am an accredited investor by the method that I chose and evidenced."),
    ("own_account", "I buy for my own account and not to distribute the units."),
    ("restricted_securities", "I understand that the units are restricted and carry a legend."),
    ("information_received", "I received the offering materials and could ask questions about them."),
    ("tax_identity", "The tax information that I gave is true and complete."),
)
_PACKET: Data = {
    "document_id": "doc_01packet",
    "as_of": "2026-03-02T15:04:05Z",
    "reference": "RF18BKR000042",
    "offer": {
        "id": "ofr_01harbor",
        "version": 3,
        "name": "Harbor Lofts Series A",
        "issuer_name": "Harbor Lofts Holdings LLC",
        "jurisdiction": "the State of Delaware",
        "security": "Class A membership interests",
        "exemption": "Rule 506(c) of Regulation D",
        "price_minor": 100_00,
        "currency": "USD",
    },
    "investment": {
        "id": "inv_01first",
        "units": 2_500,
        "amount_minor": 250_000_00,
        "amount_in_words": "two hundred fifty thousand and 00/100 USD",
    },
    "investor": {
        "id": "ivr_01nguyen",
        "profile_version": 2,
        "profile_sha256": "ab" * 32,
        "verified_at": "2026-02-20T09:00:00Z",
        "legal_name": "Nguyễn Thị Ánh-Łukasz Ó Súilleabháin",
        "kind": "individual",
        "address": ["12 Example Street", "Springfield, ZZ 00000"],
    },
    "owners": [
        {
            "name": "Nguyễn Thị Ánh-Łukasz Ó Súilleabháin",
            "relation": "registered owner",
            "basis_points": 10_000,
        }
    ],
    "signers": [
        {
            "party_id": "pty_investor",
            "name": "Nguyễn Thị Ánh-Łukasz Ó Súilleabháin",
            "capacity": "Individually",
            "authority": "In person",
        }
    ],
    "signatures_required": 1,
    "countersigner": {
        "party_id": "pty_issuer",
        "name": "Iris Example",
        "capacity": "Manager",
        "authority": "Operating agreement of 2024-01-15, section 5.2",
    },
    "risks": [
        {"code": code, "version": 1, "sentence": text, "acknowledged_at": f"2026-03-02T14:0{n}:10Z"}
        for n, (code, text) in enumerate(_RISKS)
    ],
    "representations": [
        {"code": code, "version": 1, "sentence": text, "made": True, "made_at": f"2026-03-02T14:1{n}:20Z"}
        for n, (code, text) in enumerate(_REPRESENTATIONS)
    ],
    "materials": [
        {
            "code": "memorandum",
            "title": "Private placement memorandum",
            "version": 4,
            "sha256": "0c" * 32,
            "received_at": "2026-03-01T10:00:00Z",
        },
        {
            "code": "operating_agreement",
            "title": "Operating agreement",
            "version": 2,
            "sha256": "1d" * 32,
            "received_at": "2026-03-01T10:00:05Z",
        },
    ],
    "tax": {
        "form": "W-9",
        "name": "Nguyễn Thị Ánh-Łukasz Ó Súilleabháin",
        "classification": "Individual",
        "number_kind": "SSN",
        "number_ends": "0000",
        "backup_withholding": False,
        "fatca_code": "",
        "certified_at": "2026-03-02T14:20:00Z",
    },
    "consent": {
        "version": 1,
        "sha256": "2e" * 32,
        "format_opened_at": "2026-03-01T09:58:00Z",
        "given_at": "2026-03-01T09:59:00Z",
    },
}


def individual() -> Data:
    """Return the data of an individual, free to change."""
    return deepcopy(_PACKET)


def named(name: str) -> Data:
    """Return the data of an individual of that name."""
    data = individual()
    data["investor"]["legal_name"] = data["signers"][0]["name"] = data["tax"]["name"] = name
    data["owners"][0]["name"] = name
    return data


def trust() -> Data:
    """Return the data of a foreign trust that a trustee signs for."""
    data = named("The Ångström Family Trust")
    data["investor"]["kind"] = "trust"
    data["signers"][0] |= {
        "name": "Åsa Ångström",
        "capacity": "Trustee",
        "authority": "Deed of 2019-04-02, clause 6",
    }
    data["owners"] = [
        {"name": "Åsa Ångström", "relation": "trustee", "basis_points": 0},
        {"name": "Björn Ångström", "relation": "beneficial owner", "basis_points": 6_000},
        {"name": "Χρήστος Παπαδόπουλος", "relation": "beneficial owner", "basis_points": 4_000},
    ]
    data["tax"] = {
        "form": "W-8BEN-E",
        "name": "The Ångström Family Trust",
        "country": "SE",
        "foreign_number_ends": "77",
        "treaty": "Sweden",
        "status": "Passive NFFE",
        "certified_at": "2026-03-02T14:20:00Z",
    }
    return data


def joint(owners: int = 2) -> Data:
    """Return the data of owners who hold together; each of them signs."""
    data = named("Åsa and Björn Ångström")
    data["investor"]["kind"] = "joint"
    names = ["Åsa Ångström", "Björn Ångström", *(f"Owner Example-{n}" for n in range(3, owners + 1))]
    data["owners"] = [{"name": name, "relation": "joint owner", "basis_points": 0} for name in names]
    data["signers"] = [
        {
            "party_id": "pty_investor" if n == 1 else f"pty_investor:{n}",
            "name": name,
            "capacity": "Joint tenant with right of survivorship",
            "authority": "In person",
        }
        for n, name in enumerate(names, 1)
    ]
    data["signatures_required"] = owners
    return data


def altered(folder: Path, file: str, old: str, new: str) -> Template:
    """Return the packet template with one text replaced in one file, approved on a shelf of its own."""
    shelf = shutil.copytree(SHELF, folder / "shelf")
    version = shelf / "subscription_packet" / "1.1.0"
    path = version / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    approve(shelf, state="approved")
    return load_template("subscription_packet", "1.1.0", shelf)


def approve(shelf: Path, *, state: str) -> None:
    """Write the packet's approval anew for the files as they are now."""
    approvals = json.loads((shelf / "approved.json").read_text(encoding="utf-8"))
    digest = folder_sha256(shelf / "subscription_packet" / "1.1.0")
    approvals["subscription_packet/1.1.0"] |= {"state": state, "sha256": digest}
    (shelf / "approved.json").write_text(json.dumps(approvals), encoding="utf-8")
