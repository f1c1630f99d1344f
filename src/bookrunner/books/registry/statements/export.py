"""The register as an open file: a package of the Open Cap Table Format."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bookrunner.adapters.captable import ENDINGS, Item, Package, write_package
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.money import currency
from bookrunner.db import Keeper, Row


@dataclass(frozen=True, slots=True)
class Described:
    """What the format asks of an issuer and its class and the register does not keep."""

    legal_name: str
    formed_on: date
    country: str
    class_type: str = "COMMON"
    votes_per_unit: str = "1"


def export_package(registry: Keeper, offering: str, described: Described, moment: datetime) -> bytes:
    """Return the register of an offer as a package; the same register and moment give the same bytes.

    A lot that was used in part ends with each use, and what was left of it goes on as a balance security.
    Holders are named by their ids: names stay with the portal. Refuses ``control_book_exists``.
    """
    with registry.together() as within:
        head: Row | None = within.export_head(offering=offering)
        if head is None:
            raise UnknownRecord("control_book_exists", f"{offering} has no control book")
        holders, lots = within.export_holders(offering=offering), within.export_lots(offering=offering)
        places = defaultdict(list)
        for row in within.export_places(offering=offering):
            places[row["holding_id"]].append(f"wallet {row['address']} has {row['units']} units")
        uses, authorised = within.export_uses(offering=offering), within.export_authorised(offering=offering)
    transactions = [*_authorised(head, authorised), *_securities(head, lots, uses)]
    objects = {
        "stock_legend_templates_files": [_legend(text) for text in _legends(lots)],
        "stock_classes_files": [_class(head, described)],
        "transactions_files": sorted(transactions, key=lambda one: (one["date"], _order(one), one["id"])),
        "stakeholders_files": [_stakeholder(row, places[row["holding_id"]]) for row in holders],
    }
    issuer = {
        "id": head["issuer_id"],
        "object_type": "ISSUER",
        "legal_name": described.legal_name,
        "formation_date": described.formed_on.isoformat(),
        "country_of_formation": described.country,
    }
    return write_package(
        Package(issuer, moment.date().isoformat(), moment.isoformat(timespec="seconds"), objects)
    )


def legend_id(text: str) -> str:
    """Return the id of a legend, by its words."""
    return f"lgd_{hashlib.sha256(text.encode()).hexdigest()[:26]}"


def _legends(lots: Sequence[Row]) -> list[str]:
    return sorted({row["legend"] for row in lots if row["legend"]})


def _legend(text: str) -> Item:
    return {"id": legend_id(text), "object_type": "STOCK_LEGEND_TEMPLATE", "name": text, "text": text}


def _class(head: Row, described: Described) -> Item:
    return {
        "id": head["offering_id"],
        "object_type": "STOCK_CLASS",
        "name": head["name"],
        "class_type": described.class_type,
        "default_id_prefix": "U-",
        "initial_shares_authorized": str(head["first_authorised"]),
        "votes_per_share": described.votes_per_unit,
        "seniority": "1",
        "price_per_share": _price(head),
    }


def _stakeholder(row: Row, places: Sequence[str]) -> Item:
    kept = f"registered as {row['registration_fact']}, digest {row['registration_digest']}"
    return {
        "id": row["investor_id"],
        "object_type": "STAKEHOLDER",
        "name": {"legal_name": row["investor_id"]},
        "stakeholder_type": "INDIVIDUAL" if row["kind"] in {"individual", "joint"} else "INSTITUTION",
        "issuer_assigned_id": row["investor_id"],
        "comments": [f"holding {row['holding_id']}", kept, *places],
    }


def _price(head: Row) -> Item:
    return _money(head["unit_price_minor"], head["currency"])


def _money(minor: int, code: str) -> Item:
    places = currency(code).exponent
    whole, part = divmod(minor, 10**places)
    return {"amount": f"{whole}.{part:0{places}d}" if places else str(whole), "currency": code}


def _authorised(head: Row, rows: Sequence[Row]) -> Iterator[Item]:
    for row in rows:
        yield {
            "id": f"tx_{head['offering_id']}.{row['entry_no']}",
            "object_type": "TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT",
            "date": row["entered_on"].isoformat(),
            "stock_class_id": head["offering_id"],
            "new_shares_authorized": str(row["authorised_units"]),
        }


def _securities(head: Row, lots: Sequence[Row], uses: Sequence[Row]) -> Iterator[Item]:
    """Yield the issuance of each lot and, for each use of it, its transfer and the balance that is left."""
    used: Mapping[str, list[Row]] = defaultdict(list)
    for row in uses:
        used[row["lot_id"]].append(row)
    for lot in lots:
        security, left = lot["lot_id"], lot["units"]
        yield _issuance(head, lot, security, (left, lot["acquired_on"]))
        for number, use in enumerate(used[lot["lot_id"]], start=1):
            left -= use["units"]
            balance = f"{lot['lot_id']}~{number}" if left else None
            yield _used(head, use, security, balance)
            if balance is not None:
                yield _issuance(head, lot, balance, (left, use["moved_on"]))
                security = balance


def _issuance(head: Row, lot: Row, security: str, what: tuple[int, date]) -> Item:
    units, day = what
    return {
        "id": f"tx_{security}",
        "object_type": "TX_STOCK_ISSUANCE",
        "date": day.isoformat(),
        "security_id": security,
        "custom_id": security,
        "stakeholder_id": lot["investor_id"],
        "stock_class_id": head["offering_id"],
        "share_price": _price(head)
        if lot["price_minor"] is None
        else _money(lot["price_minor"], head["currency"]),
        "quantity": str(units),
        "stock_legend_ids": [legend_id(lot["legend"])] if lot["legend"] else [],
        "security_law_exemptions": [
            {"description": head["exemption"], "jurisdiction": _law(head["exemption"])}
        ],
        "comments": [
            f"acquired_on {lot['acquired_on'].isoformat()}",
            f"period_from {lot['period_from'].isoformat()}",
        ],
    }


def _law(exemption: str) -> str:
    return "EU" if exemption == "eu_crowdfunding" else "US"


def _used(head: Row, use: Row, security: str, balance: str | None) -> Item:
    if use["kind"] in {"split", "conversion"}:
        return _ended(use, security)
    made = _repurchase(head, use, security) if use["kind"] == "redemption" else _transfer(use, security)
    return made if balance is None else {**made, "balance_security_id": balance}


def _transfer(use: Row, security: str) -> Item:
    return {
        "id": f"tx_{use['movement_id']}.{security}",
        "object_type": "TX_STOCK_TRANSFER",
        "date": use["moved_on"].isoformat(),
        "security_id": security,
        "quantity": str(use["units"]),
        "resulting_security_ids": [use["new_lot_id"]],
        "comments": [f"{use['kind']} {use['movement_id']}"],
    }


def _repurchase(head: Row, use: Row, security: str) -> Item:
    return {
        "id": f"tx_{use['movement_id']}.{security}",
        "object_type": "TX_STOCK_REPURCHASE",
        "date": use["moved_on"].isoformat(),
        "security_id": security,
        "price": _money(use["price_minor"], head["currency"]),
        "quantity": str(use["units"]),
        "comments": [f"{use['kind']} {use['movement_id']}"],
    }


def _ended(use: Row, security: str) -> Item:
    """Return the end of a security by a split, which may leave less than a unit of it, or by a conversion."""
    made = {
        "id": f"tx_{use['movement_id']}.{security}",
        "date": use["moved_on"].isoformat(),
        "security_id": security,
        "reason_text": f"{use['kind']} {use['movement_id']}",
    }
    if use["new_lot_id"] is None:
        return {**made, "object_type": "TX_STOCK_CANCELLATION", "quantity": str(use["units"])}
    return {**made, "object_type": "TX_STOCK_REISSUANCE", "resulting_security_ids": [use["new_lot_id"]]}


def _order(one: Item) -> int:
    return int(one["object_type"] in ENDINGS)
