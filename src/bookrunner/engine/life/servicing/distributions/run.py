"""A distribution from its terms to its end: each step is a verb; a run that died is finished by the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from bookrunner.books import registry
from bookrunner.books.treasury import disbursements
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Keeper, Row, Within
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.life.servicing.distributions.waterfall import Flow, Run, Step, read_tier, run_tiers

# What a draft pays, said in the transaction that drafts it.
Tie = Callable[[Within, str], None]

LINES_AT_ONCE: Final = 1_000
_TERMS: Final = ("kind", "holders_bp", "rate_bp", "target_bp", "day_count", "compounds")
_MOVED: Final = ("contributed", "returned", "preferred", "further", "sponsor")
_HOLDERS_ALONE: Final = ({"kind": "split", "holders_bp": 10_000},)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is distributed: cash in minor units, less named reserves, by tiers defined as data.

    Without tiers everything goes to the holders by their units. ``income`` is ``dividend`` or ``interest``;
    ``sponsor`` is the payee of whatever the tiers give to the sponsor.
    """

    record_on: date
    pay_on: date
    available_minor: int
    reserves: Sequence[tuple[str, int]] = ()
    tiers: Sequence[Mapping[str, object]] = field(default=_HOLDERS_ALONE)
    income: str = "dividend"
    sponsor: str | None = None


class Distributions:
    """What the engine knows of distributions, and what their payment asks of the treasury."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.terms = Keeper(desk.database, "engine", "bookrunner.engine.life.servicing.distributions")
        self.payments = disbursements(desk.database)

    def work_out(self, offering: str, terms: Terms) -> list[Step]:
        """Return what each tier would pay, with its working; nothing is written.

        Refuses ``tier_is_defined``, ``tiers_sum_to_the_distributable_amount`` and
        ``catch_up_gets_more_than_its_target``.
        """
        return self._worked_out(offering, terms)[0]

    def _worked_out(self, offering: str, terms: Terms) -> tuple[list[Step], list[str]]:
        """Return what each tier would pay, and the earlier distributions that it counts."""
        currency = self._desk.offer(offering)["currency"]
        rows = self.terms.distribution_flows(offering=offering, record_on=terms.record_on)
        flows = [Flow(on=row["on_day"], **{name: int(row[name]) for name in _MOVED}) for row in rows]
        distributable = terms.available_minor - sum(amount for _, amount in terms.reserves)
        run = Run(distributable, terms.pay_on, flows, currency)
        counted = [row["distribution_id"] for row in rows if row["distribution_id"] is not None]
        return run_tiers(run, [read_tier(row) for row in terms.tiers]), counted

    def draft(self, offering: str, terms: Terms, *, actor: str, tie: Tie | None = None) -> str:
        """Draft a distribution from the register of its record date; return its id.

        ``tie`` is done with its id in the same transaction: where it refuses, nothing is drafted. Every
        payee's screening is opened. Refuses what `work_out` refuses, ``record_date_is_reconciled``,
        ``tiers_count_what_was_paid_before``, ``distributions_follow_each_other``,
        ``one_distribution_is_prepared``, ``capital_is_returned_once`` and ``paid_sponsor_is_named``.
        """
        drafted, distribution = self.worked(offering, terms), new_id("dst")
        with self.terms.together() as within:
            within.draft_distribution(
                actor=actor, offering=offering, distribution=distribution, terms=drafted
            )
            if tie is not None:
                tie(within, distribution)
        tell("a distribution is drafted", offering=offering, subject=distribution)
        self.screen(offering, distribution, actor=actor)
        return distribution

    def worked(self, offering: str, terms: Terms) -> dict[str, object]:
        """Return a draft as the database takes it, with what each tier pays; refuses what `work_out` does."""
        steps, counted = self._worked_out(offering, terms)
        return {
            "record_on": terms.record_on.isoformat(),
            "pay_on": terms.pay_on.isoformat(),
            "income": terms.income,
            "available": terms.available_minor,
            "sponsor": terms.sponsor,
            "counted": counted,
            "reserves": [{"name": name, "amount": amount} for name, amount in terms.reserves],
            "tiers": [_drafted(row, step) for row, step in zip(terms.tiers, steps, strict=True)],
        }

    def screen(self, offering: str, distribution: str, *, actor: str) -> int:
        """Open the screening of every payee on the lists in force; return how many payees.

        Until they are answered nobody approves; after a crash it may be done again.
        """
        payees: list[str] = self.terms.payees(offering=offering, distribution=distribution)
        self._desk.compliance.enlist_for_payment(actor=actor, investors=payees)
        return len(payees)

    def choose_account(
        self,
        investor: str,
        chosen: tuple[str, str | None],
        because: str,
        *,
        entry_class: str | None = None,
        actor: str,
    ) -> str:
        """Propose one of the accounts that the book has of a payee: ``chosen`` is the way and its source.

        Opens the screening of the payee: another person's word waits for it where the bank booked no money of
        the payee from that account. Returns the proposal's id; refuses as `name_account`.
        """
        name, (way, source) = new_id("pac"), chosen
        self.payments.propose_payee_account(
            actor=actor,
            investor=investor,
            account=name,
            way=way,
            entry_class=entry_class,
            source=source,
            because=because,
        )
        self.screen_payee(investor, actor=actor)
        return name

    def name_account(
        self,
        investor: str,
        account: tuple[bytes, bytes],
        because: str,
        *,
        entry_class: str | None = None,
        actor: str,
    ) -> str:
        """Propose an account that the book does not have: its fingerprint, and the SHA-256 of the evidence.

        With ``entry_class``, PPD or CCD, it is paid by the ACH. Opens the screening of the payee, which
        another person's word waits for; returns the proposal's id. Refuses ``one_payee_account_is_proposed``
        and ``payee_account_has_its_reason``.
        """
        name, (fingerprint, evidence) = new_id("pac"), account
        self.payments.name_payee_account(
            actor=actor,
            investor=investor,
            account=name,
            fingerprint=fingerprint,
            evidence_sha256=evidence,
            because=because,
            way="bank" if entry_class is None else "ach",
            entry_class=entry_class,
        )
        self.screen_payee(investor, actor=actor)
        return name

    def name_payee(self, offering: str, said: Mapping[str, str], *, actor: str) -> str:
        """Propose who receives what a holder is paid, and open the screening of that payee; return the id.

        ``said`` has holder, payee, because and sha256 (hex) of the evidence; the holder as its own payee ends
        an earlier mandate. Refuses ``mandate_is_of_a_holder`` and ``one_mandate_is_proposed``.
        """
        mandate = new_id("pmd")
        registry.holders_of(self._desk.database).propose_payee(
            actor=actor, offering=offering, mandate=mandate, said=dict(said)
        )
        self.screen_payee(said["payee"], actor=actor)
        return mandate

    def fund_fractions(self, on: tuple[str, str], receipt: str, seen: int | None, *, actor: str) -> None:
        """Take a receipt as the money for what a split, (offering, id), owes for fractions.

        Opens the screening of everybody it pays. Refuses as the funding of a distribution does.
        """
        offering, split = on
        self.payments.fund_distribution(
            actor=actor, offering=offering, distribution=split, receipt=receipt, seen=seen
        )
        rows = self.payments.lines_of_fractions(offering=offering, split=split)
        people = sorted({row[who] for row in rows for who in ("investor_id", "payee_id")})
        self._desk.compliance.enlist_for_payment(actor=actor, investors=people)

    def pay_fractions(self, offering: str, split: str, *, actor: str) -> int:
        """Owe every line of a split for its fraction, which the run of orders pays; return how many anew.

        Refuses ``cash_in_lieu_is_of_an_executed_split`` and ``cash_in_lieu_is_funded_before_it_is_paid``.
        """
        owed: int = self.payments.pay_fractions(actor=actor, offering=offering, split=split)
        tell("fractions are owed", offering=offering, subject=split, rows=owed)
        return owed

    def screen_payee(self, payee: str, *, actor: str) -> None:
        """Open the screening of one payee on the lists in force; again after a crash."""
        self._desk.compliance.enlist_for_payment(actor=actor, investors=[payee])

    def start(self, offering: str, distribution: str, *, actor: str) -> int:
        """Start the payment of an approved distribution and owe its lines; return how many are owed anew.

        A second start owes nobody anything. Refuses ``distribution_is_paid_from_its_day_on``,
        ``distribution_is_funded_before_it_is_paid`` and a distribution that is not approved.
        """
        self.terms.start_distribution(actor=actor, offering=offering, distribution=distribution)
        owed: int = self.payments.declare_disbursements(
            actor=actor, offering=offering, distribution=distribution
        )
        tell("a distribution is started", offering=offering, subject=distribution, rows=owed)
        return owed

    def look(self, on: date) -> int:
        """Go on with what was started, end what waits for no bank, and age what nobody claimed by a day.

        A start that ended before its lines were owed owes them now; one that is refused holds up no other.
        Returns how many lines are owed anew, distributions ended and lines aged; refuses
        ``unclaimed_day_has_come``.
        """
        owed = 0
        for row in self.terms.undeclared():
            offering, distribution = row["offering_id"], row["distribution_id"]
            try:
                owed += self.payments.declare_disbursements(
                    actor=PROCESS, offering=offering, distribution=distribution
                )
            except Refused as refused:
                warn("a distribution waits", offering=offering, subject=distribution, rule=refused.rule)
        ended: int = self.terms.finish_distributions(actor=PROCESS)
        aged: int = self.payments.age_disbursements(actor=PROCESS, on=on)
        return owed + ended + aged

    def standing(self, offering: str, distribution: str) -> Row:
        """Return a distribution beside the state of its payments; refuses ``distribution_exists``."""
        found: Row | None = self.terms.distribution(offering=offering, distribution=distribution)
        if found is None:
            raise UnknownRecord("distribution_exists", f"there is no distribution {distribution}")
        return found

    def lines(self, offering: str, distribution: str, *, status: str | None = None) -> Iterator[Row]:
        """Yield every line of a distribution, or those in a state, in the order of their ids."""
        after = ""
        while True:
            rows: list[Row] = self.terms.distribution_lines(
                offering=offering,
                distribution=distribution,
                after=after,
                status=status,
                most=LINES_AT_ONCE,
            )
            yield from rows
            if len(rows) < LINES_AT_ONCE:
                return
            after = rows[-1]["line_id"]


def _drafted(row: Mapping[str, object], step: Step) -> dict[str, object]:
    """Return a tier as the database takes it: its terms, what it paid and the working."""
    kind = row["kind"]
    terms: dict[str, object] = {name: row.get(name) for name in _TERMS}
    if row.get("holders_bp") is None:
        terms["holders_bp"] = 10_000
    if kind == "preferred_return":
        terms["day_count"] = str(step.tier.day_count)
        terms["compounds"] = step.tier.compounds
    return {
        **terms,
        "due": step.due,
        "holders": step.holders,
        "sponsor": step.sponsor,
        "rest": step.left,
        "working": list(step.working),
    }
