"""What a desk may do with a case, a contradiction, a request of an institution or a paper delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Final

from bookrunner.books import subscription
from bookrunner.books.subscription import Archive, SigningEvidence, packets_of
from bookrunner.core.errors import Malformed, Refused, VersionChanged
from bookrunner.core.ids import new_id
from bookrunner.core.money import parse, read_whole, ungrouped
from bookrunner.db import Database, Keeper
from bookrunner.pages.application.acts import Papers

_COUNSEL: Final = "decided_by_counsel"
CASE_CHOICES: Final = (
    ("to_be_included", "Include in the next closing", "It comes back among the candidates of a closing."),
    ("to_be_refunded", "Refund", "The investment ends; its money goes back to where it came from."),
    (_COUNSEL, "Counsel has decided", "The decision comes as a PDF, which the archive keeps."),
)
_QUERIES: Final = "bookrunner.pages.desk"
REASONS: Final = ("missing", "illegible", "inconsistent", "name_differs", "capacity", "expired", "other")
_PARTS: Final = ("page", "field", "reason", "words")
_ROWS: Final = 3
_YES: Final = "yes"
_RETENTION: Final = "closing_decision"
Form = Mapping[str, str]


class PartlyRefused(Refused):
    """Some of several acts were refused; the others were done."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """A person at the desk of one offer; every rule is the database's."""

    papers: Papers
    offering: str
    actor: str
    evidence: SigningEvidence

    @property
    def database(self) -> Database:
        """The keepers' logins."""
        return self.papers.database

    def decide_case(self, form: Form, paper: bytes) -> None:
        """Decide the case of an investment that a set left out; refuses what the books refuse."""
        choice = form.get("choice", "")
        if choice not in {name for name, _, _ in CASE_CHOICES}:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        desk, seen = Keeper(self.database, "engine", "bookrunner.engine"), _whole(form.get("seen", ""))
        known = {row["case_id"]: row for row in desk.closing_cases(offering=self.offering)}
        case = known.get(form.get("case", ""))
        is_fresh = case is not None and (case["status"], case["version"]) == ("open", seen)
        digest = None
        # The archive keeps what it once took, so only the file of a decision that can stand is taken.
        if paper and is_fresh and choice == _COUNSEL and form.get("reason", "").strip():
            archive = Archive(packets_of(self.database))
            digest = archive.take(BytesIO(paper), _RETENTION, investor=None, actor=self.actor)
        desk.decide_case(
            actor=self.actor,
            offering=self.offering,
            case=form.get("case", ""),
            status=choice,
            because=form.get("reason", ""),
            evidence_sha256=digest,
            seen=seen,
        )

    def approve(self, form: Form) -> None:
        """Approve the units that the desk proposed for an investment; refuses what the book refuses."""
        subscription.keeper(self.database).approve_allocation(
            actor=self.actor, offering=self.offering, approval=form.get("approval", "")
        )

    def decide_statement(self, form: Form) -> None:
        """Accept a contradiction under the programme that was seen, or take an acceptance back."""
        with Keeper(self.database, "compliance", _QUERIES).together() as within:
            within.decide_under(actor=self.actor, programme=form.get("programme", ""))
            if form.get("acceptance"):
                within.withdraw_acceptance(
                    actor=self.actor,
                    offering=self.offering,
                    acceptance=form["acceptance"],
                    because=form.get("reason", ""),
                    seen=_whole(form.get("seen", "")),
                )
                return
            within.accept_statement(
                actor=self.actor,
                offering=self.offering,
                acceptance=new_id("sac"),
                investor=form.get("investor", ""),
                statement=form.get("statement", ""),
                fact=form.get("fact", ""),
                because=form.get("reason", ""),
            )

    def request(self, form: Form) -> None:
        """Ask for an allocation of one tranche for an institution."""
        amount = parse(ungrouped(form.get("amount", "")), "USD")
        asked = {
            "tranche": form.get("tranche", "").strip(),
            "amount_minor": amount.minor,
            "currency": amount.currency.code,
        }
        Keeper(self.database, "engine", _QUERIES).request_allocation(
            actor=self.actor,
            offering=self.offering,
            allocation=new_id("iac"),
            entity=form.get("entity", "").strip(),
            asked=asked,
        )

    def move(self, form: Form) -> None:
        """Take up an institutional allocation, open its escrow or cancel it, on the version that was seen."""
        named = {"actor": self.actor, "offering": self.offering, "allocation": form.get("allocation", "")}
        with Keeper(self.database, "engine", _QUERIES).together() as within:
            if within.seen_allocation(**named) != _whole(form.get("seen", "")):
                raise VersionChanged("decision_is_on_the_version_seen", "look again, then decide")
            choice = form.get("choice")
            if choice == "cancel":
                within.cancel_allocation(**named, because=form.get("reason", ""))
            elif choice == "escrow_initiated":
                due = _end_of(_day(form.get("due", "")))
                within.initiate_escrow(**named, investment=form.get("investment", "").strip(), due=due)
            elif choice == "under_internal_review":
                within.open_review(**named)
            else:
                raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")

    def decide_intake(self, form: Form) -> None:
        """Approve or decline a request that the rules sent to an officer, on the version that was seen."""
        choice = form.get("choice")
        if choice not in {"approve", "decline"}:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        Keeper(self.database, "compliance", _QUERIES).decide_intake(
            actor=self.actor,
            offering=self.offering,
            intake=form.get("intake", ""),
            is_approved=choice == "approve",
            because=form.get("reason", ""),
            seen=_whole(form.get("seen", "")),
        )

    def handle(self, form: Form) -> None:
        """Release a signed packet, return it with its deficiencies, or countersign those that are ticked.

        Each that is ticked is countersigned by itself; the first rule that kept one is raised, as
        PartlyRefused where others are done.
        """
        packets, choice = packets_of(self.database), form.get("choice", "")
        if choice == "countersign":
            self._countersign([name for name in form if name.startswith("agr_") and form[name] == _YES])
            return
        if choice not in {"release", "return"}:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        seen = {
            "actor": self.actor,
            "offering": self.offering,
            "review": new_id("rvw"),
            "agreement": form.get("agreement", ""),
            "seen_sha256": _digest(form.get("seen", "")),
        }
        if choice == "release":
            packets.release_packet(**seen)
        else:
            packets.return_packet(**seen, deficiencies=_deficiencies(form) or "[]")

    def _countersign(self, named: list[str]) -> None:
        if not named:
            raise Refused("countersigned_packets_are_ticked", "tick the agreements to countersign")
        outcomes = self.papers.signing.countersign_many(
            self.offering, named, officer=self.actor, evidence=self.evidence
        )
        kept = [(each.agreement, each.refused) for each in outcomes if each.refused is not None]
        if kept:
            first, rule = kept[0]
            said = f"{len(kept)} of {len(named)} are not countersigned, {first} first"
            raise (PartlyRefused if len(kept) < len(named) else Refused)(rule, said)

    def send(self, form: Form) -> None:
        """Record how a record was sent on paper."""
        self.papers.consents.sent(
            self.offering, form.get("delivery", ""), form.get("how", "").strip(), actor=self.actor
        )


def _deficiencies(form: Form) -> list[dict[str, object]]:
    """Return the deficiencies that a form names, at most as many as it has rows for."""
    rows = [[form.get(f"{part}-{row}", "").strip() for part in _PARTS] for row in range(1, _ROWS + 1)]
    return [
        {"id": new_id("dfc"), "page": _whole(page), "field": field, "reason": reason, "words": words}
        for page, field, reason, words in rows
        if any((page, field, words))
    ]


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Malformed("digest_is_hexadecimal", "the form names no file") from None


def _whole(text: str) -> int:
    number = read_whole(text)
    if number is None:
        raise Malformed("number_is_whole", "a version or a page is missing")
    return number


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("day_is_written_as_year_month_day", "write the day as 2026-03-31") from None


def _end_of(day: datetime) -> datetime:
    """Return the last second of a day: what is due on a day may come until it ends."""
    return day.replace(hour=23, minute=59, second=59)
