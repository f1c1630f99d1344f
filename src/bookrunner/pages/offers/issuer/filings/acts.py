"""What a person of the engine may do with the filings of an offer, by which verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from io import BytesIO
from typing import Any, Final

from bookrunner.books.subscription import Archive, packets_of
from bookrunner.core.errors import Malformed, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Keeper, Row

_RETENTION: Final = "working_paper"
# What no book holds and a person states, each with its title.
FACTS: Final[Mapping[str, str]] = {
    "year_end": "The end of a fiscal year",
    "state_sale": "A first sale in a state",
    "change_of_notice": "A change or mistake of a notice",
    "reportable_event": "An event of Form 1-U",
    "end_of_duty": "The duty to report has ended",
}


def state(keeper: Keeper, actor: str, offering: str, said: Mapping[str, Any]) -> None:
    """State a fact on a document.

    Refuses ``stated_fact_is_known``, ``fact_has_its_document`` and what the engine refuses.
    """
    if said["fact"] not in FACTS:
        raise Refused("stated_fact_is_known", "choose one of the facts")
    happened_on = _day(said["on"])
    if not said["because"].strip():
        raise Refused("stated_fact_says_what_it_is", "say what it is")
    if not said["paper"]:
        raise Refused("fact_has_its_document", "a fact is stated on a document")
    keeper.state_filing_fact(
        actor=actor,
        offering=offering,
        fact_id=new_id("fct"),
        fact=said["fact"],
        place=said["place"],
        happened_on=happened_on,
        because=said["because"],
        evidence_sha256=_kept(keeper, actor, said["paper"]),
    )


def act(keeper: Keeper, actor: str, filing: Row, said: Mapping[str, Any]) -> None:
    """Fill, prepare, reopen, record or end a filing, or confirm that it is not owed.

    Refuses ``decision_is_one_of_those_offered``, ``filing_has_its_proof`` and what the engine refuses.
    """
    by = {"actor": actor, "offering": filing["offering_id"], "filing": filing["filing_id"]}
    acts: Mapping[str, Callable[[], object]] = {
        "fill": lambda: keeper.fill_filing(
            **by, code=said["item"], value=said["value"].strip(), source=said["source"].strip()
        ),
        "prepare": lambda: keeper.prepare_filing(**by, seen=_seen(said)),
        "record": lambda: _record(keeper, by, filing, said),
        "reopen": lambda: keeper.reopen_filing(**by, because=said["because"], seen=_seen(said)),
        "confirm_end": lambda: keeper.confirm_filing_end(**by, seen=_seen(said)),
        "end": lambda: keeper.end_filing(**by, because=said["because"], seen=_seen(said)),
    }
    if said["act"] not in acts:
        raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
    acts[said["act"]]()


def _record(keeper: Keeper, by: Mapping[str, str], filing: Row, said: Mapping[str, Any]) -> None:
    filed_on = _day(said["on"])
    if not said["paper"]:
        raise Refused("filing_has_its_proof", "a filing is recorded with what proves it")
    # The archive keeps what it once took, so only the proof of a filing that can be recorded is taken.
    if filing["status"] != "prepared" or not said["reference"].strip():
        raise Refused("filed_filing_has_its_proof", "a prepared filing is recorded, with its number")
    keeper.record_filing(
        **by,
        filed_on=filed_on,
        reference=said["reference"].strip(),
        proof_sha256=_kept(keeper, by["actor"], said["paper"]),
        seen=_seen(said),
    )


def _kept(keeper: Keeper, actor: str, paper: bytes) -> bytes:
    archive = Archive(packets_of(keeper.database))
    return archive.take(BytesIO(paper), _RETENTION, investor=None, actor=actor)


def _seen(said: Mapping[str, Any]) -> int:
    number = read_whole(said["seen"])
    if number is None:
        raise Malformed("number_is_whole", "the version that was seen is missing")
    return number


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Malformed("day_is_written_as_year_month_day", "write the day as 2026-03-31") from None
