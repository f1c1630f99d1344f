"""A screening hit: both sides next to each other, the score by its parts, who is concerned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bookrunner.core.errors import NotFound
from bookrunner.db import Database, load
from bookrunner.pages.compliance.items import frame
from bookrunner.pages.shell import mask

FACTS = {
    "name": "Name",
    "birth_date": "Birth date",
    "country": "Country",
    "identifier": "Identifier",
    "alias": "Alias",
    "wallet": "Wallet address",
}
_ALWAYS = frozenset({"name", "birth_date", "country", "identifier"})
_OF_THE_ENTRY = ("listed_kind", "programmes", "tickers", "family")


def hit(database: Database, subject: str, name: str) -> dict[str, Any]:
    """Return the facts of a hit with masked names; raises NotFound for an unknown one."""
    queries = load(__package__)
    with database.transaction("compliance") as transaction:
        found = queries.hit(transaction, subject=subject, hit=name)
        if found is None:
            raise NotFound(f"there is no hit {name} of {subject}")
        concerned = queries.concerned_investors(transaction, subject=subject)
        claimed = queries.claimed(transaction, subject=subject)
        earlier = queries.earlier_hits(transaction, subject=subject, entry=found["entry_id"], hit=name)
    stops = sum(row["investments"] for row in concerned), sum(row["holdings"] for row in concerned)
    return {
        "hit": found,
        "score": score(found["parts"]),
        "concerned": concerned,
        "claimed": claimed,
        "earlier": earlier,
        "stops": stops,
        **frame("hit", subject, name, found),
    }


def score(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what made a score, as the screening recorded it, the subject's names masked.

    Each fact has an outcome and an effect in ten-thousandths; what is not known on both sides adds none.
    """
    facts = [{**row, "title": FACTS.get(row["fact"], row["fact"])} for row in parts.get("facts", ())]
    known = {row["fact"] for row in facts}
    return {
        "facts": facts,
        "silent": [title for fact, title in FACTS.items() if fact in _ALWAYS and fact not in known],
        "asked": mask(parts["asked_name"]) if "asked_name" in parts else "",
        "listed": parts.get("listed_name") or parts.get("address", ""),
        "strength": parts.get("strength", ""),
        "words": parts.get("words", ()),
        "entry": {name: parts[name] for name in _OF_THE_ENTRY if parts.get(name)},
    }
