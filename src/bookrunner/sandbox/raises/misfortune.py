"""What befalls a raise at any moment: each through the door by which it would come in life."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bookrunner.core import clock
from bookrunner.core.errors import BookrunnerError
from bookrunner.core.ids import new_id
from bookrunner.engine import Process
from bookrunner.sandbox.entering.checks import OFFICER
from bookrunner.sandbox.people import Person
from bookrunner.sandbox.props import evidence
from bookrunner.sandbox.raises.course import Course

_BANK = "fundadmin.fay"


class Crash(BookrunnerError):
    """The process ended inside a transaction."""


@dataclass(frozen=True, slots=True)
class Misfortune:
    """A fault and how it strikes."""

    name: str
    strikes: Callable[[Course], None]


def _somebody(course: Course) -> Person:
    return course.chance.choice(list(course.crowd.people))


def _receipt_of(course: Course, person: Person) -> str | None:
    rows = course.app.desk.life.receipts_of(offering=course.crowd.offering, investment=person.investment)
    return rows[0]["receipt_id"] if rows else None


def _returned_payment(course: Course) -> None:
    receipt = _receipt_of(course, _somebody(course))
    if receipt is not None:
        course.app.desk.treasury.record_return(
            actor=_BANK,
            offering=course.crowd.offering,
            receipt=receipt,
            code="R10",
            booked_on=clock.today(),
            is_booked=True,
        )


def _sanctions_hit(course: Course) -> None:
    compliance = course.app.desk.compliance
    found = next(row for row in compliance.lists_in_force() if "wallet" not in row["covers"])
    person = _somebody(course)
    candidate = {"entry_id": "entry-1", "score_bp": 9900}
    result = {
        "subject": person.investor,
        "screening": new_id("scr"),
        "source": found["source"],
        "list_version": found["list_version"],
        "matcher_version": "exact.1",
        "threshold_bp": 9000,
        "candidates": [candidate],
    }
    compliance.record_results(actor=OFFICER, results=[result])


def _owner_appears(course: Course) -> None:
    course.app.desk.compliance.declare_owner(
        actor=OFFICER,
        investor=_somebody(course).investor,
        owner=new_id("own"),
        share_bp=2600,
        controls=False,
        is_identified=False,
    )


def _accreditation_lapses(course: Course) -> None:
    person = _somebody(course)
    course.app.desk.compliance.record_accreditation(
        actor=OFFICER,
        investor=person.investor,
        accreditation=new_id("acr"),
        method="net_worth",
        evidence_sha256=evidence(f"{person.investor}/late"),
        valid_until=clock.now() + timedelta(milliseconds=5),
    )
    time.sleep(0.006)
    course.app.process.expire()


def _cancellation_is_asked(course: Course) -> None:
    person = _somebody(course)
    where = {"offering": course.crowd.offering, "investment": person.investment}
    course.app.desk.life.request_cancellation(actor=person.investor, **where, because=None)
    if course.chance.random() < 1 / 2:
        course.app.answer()
    course.app.desk.life.decide_cancellation(
        actor="manager.mia", **where, is_granted=course.chance.random() < 1 / 2, because="so"
    )


def _manager_cancels(course: Course) -> None:
    course.app.desk.life.cancel_investment(
        actor="manager.mia",
        offering=course.crowd.offering,
        investment=_somebody(course).investment,
        because="a duplicate",
    )


def _refunds_go_out(course: Course) -> None:
    treasury, offering = course.app.desk.treasury, course.crowd.offering
    with treasury.together() as within:
        taken = within.take_refunds(actor=_BANK, offering=offering, most=course.chance.randint(1, 3))
        if not taken:
            return
        payout, refunds = new_id("pyo"), [each["refund"] for each in taken]
        within.store_payout(
            actor=_BANK, offering=offering, payout=payout, content=payout.encode(), refunds=refunds
        )
    treasury.mark_handed_over(actor=_BANK, offering=offering, payout=payout, bank_reference="ack")
    if course.chance.random() < 1 / 2:
        for _ in range(2):
            treasury.settle_refunds(actor=_BANK, offering=offering, refunds=refunds, booked_on=clock.today())
    else:
        _manager_cancels(course)


def _statement_again(course: Course) -> None:
    if course.crowd.statement:
        course.app.import_statement(course.crowd.offering, course.crowd.statement, actor=_BANK)


def _messages_again(course: Course) -> None:
    """Messages of the identity provider come late, doubled and in another order."""
    messages = [*course.crowd.sent, *course.crowd.sent[:2]]
    course.chance.shuffle(messages)
    if any(course.crowd.deliver(messages)):
        raise Crash("a message that was heard before was new")


def _messages_come_late(course: Course) -> None:
    """Let what the identity provider said long ago come now, twice; whom it clears signs and confirms."""
    crowd = course.crowd
    people = [person for person in crowd.people if person.investor in crowd.late]
    messages = [crowd.late.pop(person.investor) for person in people] * 2
    course.chance.shuffle(messages)
    crowd.deliver(messages)
    course.app.answer()
    if people:
        crowd.sign_and_submit(people, course.app.desk.subscription.requirements(offering=crowd.offering))
        crowd.countersign_all()


def _worker_is_killed(course: Course) -> None:
    course.let_a_worker_die()


def _process_dies(course: Course) -> None:
    """Begin again from nothing but the books."""
    course.app.process = Process(course.app.desk, course.app.room)


def _die() -> None:
    raise Crash("the process died before the commit")


def _transaction_dies(course: Course) -> None:
    person = _somebody(course)
    try:
        with course.app.desk.life.together() as within:
            within.cancel_investment(
                actor="manager.mia",
                offering=course.crowd.offering,
                investment=person.investment,
                because="it dies here",
            )
            _die()
    except Crash:
        _process_dies(course)


def _deadline(course: Course) -> None:
    if course.chance.random() < 1 / 8:
        course.let_the_deadline_come()


FAULTS = (
    Misfortune("returned_payment", _returned_payment),
    Misfortune("sanctions_hit", _sanctions_hit),
    Misfortune("owner_appears", _owner_appears),
    Misfortune("accreditation_lapses", _accreditation_lapses),
    Misfortune("cancellation_is_asked", _cancellation_is_asked),
    Misfortune("manager_cancels", _manager_cancels),
    Misfortune("refunds_go_out", _refunds_go_out),
    Misfortune("statement_again", _statement_again),
    Misfortune("messages_again", _messages_again),
    Misfortune("messages_come_late", _messages_come_late),
    Misfortune("worker_is_killed", _worker_is_killed),
    Misfortune("process_dies", _process_dies),
    Misfortune("transaction_dies", _transaction_dies),
    Misfortune("deadline", _deadline),
)
