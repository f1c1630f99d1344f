"""What the books hold against: asking again, many tranches, overtaking, records that do not fit."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest

from bookrunner.adapters.scoring import Facts, Score
from bookrunner.adapters.scoring.prompt import INSTRUCTIONS, PROMPT_VERSION
from bookrunner.app import Application
from bookrunner.core import clock
from bookrunner.db import Database
from bookrunner.engine.allocation.capital import Asked, Intakes
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED, rolled_back
from tests.capital.conftest import Capitals
from tests.capital.servers import completion, verdict
from tests.capital.test_escrow import reviewed
from tests.capital.test_intake import decide
from tests.capital.test_settlement import in_escrow, status

DOUBTS = (200, completion(verdict(50, "manual_review")))
PRAISE = (200, completion(verdict(95)))


@pytest.mark.parametrize("is_decided", [True, False])
def test_what_was_declined_or_waits_is_not_undone_by_asking_again(
    capital: Capitals, *, is_decided: bool
) -> None:
    capital.scorer.answer = lambda _: DOUBTS
    first = capital.ask().json()["id"]
    if is_decided:
        assert decide(capital, first, "officer.omar", approved=False) == "declined"
    capital.scorer.answer = lambda _: PRAISE
    again = capital.ask(tranche="junior").json()
    assert (again["status"], again["rules_met"]) == ("in_review", ["history.declined"])


def test_many_tranches_are_one_amount(capital: Capitals) -> None:
    four = {"amount": {"amount": "4000000.00", "currency": "USD"}}
    told = [capital.ask(tranche=name, **four).json() for name in ("a", "b", "c")]  # type: ignore[arg-type]
    assert [one["status"] for one in told] == ["fast_tracked", "fast_tracked", "in_review"]
    assert told[2]["rules_met"] == ["amount.large"]
    assert capital.move(told[0]["allocation"], "cancelled", because="smaller").status_code == 200
    # What waits for an officer counts too, and what is cancelled does not.
    last = capital.ask(tranche="d", **four).json()  # type: ignore[arg-type]
    assert last["rules_met"] == ["amount.large", "history.declined"]


def test_the_name_of_a_tranche_is_untrusted_text() -> None:
    assert PROMPT_VERSION.startswith("capital-2.")
    assert "except `statement` and `tranche`" in INSTRUCTIONS


def breaks(capital: Capitals) -> list[tuple[str, str, str]]:
    """Return the breaks of an intake with their owners."""
    rows = capital.world.login("owner").execute(
        "select d.subject_id, d.kind, coalesce(d.owner, k.owner) from reconciliation.differences(%s, null) d"
        " join reconciliation.kind k using (kind) where d.kind = 'approved_intake_is_not_entered'",
        [capital.world.offering],
    )
    return rows.fetchall()


def test_no_request_overtakes_an_approved_one(capital: Capitals, application: Application) -> None:
    capital.scorer.answer = lambda _: DOUBTS
    first = capital.ask().json()["id"]
    assert decide(capital, first, "officer.omar", approved=True) == "approved"
    capital.scorer.answer = lambda _: PRAISE
    over = capital.ask()
    assert (over.status_code, over.json()["code"]) == (409, "approved_request_is_entered_first")
    assert breaks(capital) == [(first, "approved_intake_is_not_entered", "engine")]
    application.process.drain()
    application.process.drain()
    assert capital.one("select intake_id from engine.allocation") == (first,)
    assert breaks(capital) == []


@pytest.mark.parametrize(
    ("due", "told"),
    [
        (4102444800, (422, "request_has_the_agreed_shape")),
        ("4102444800", (422, "request_has_the_agreed_shape")),
        ("2027-01-31T17:00:00", (422, "request_has_the_agreed_shape")),
        ("9999-12-31T23:59:59-14:00", (422, "request_has_the_agreed_shape")),
        ("9999-12-31T23:59:59Z", (409, "settlement_is_due_within_two_years")),
        (
            (clock.now() + timedelta(days=735)).isoformat(timespec="seconds"),
            (409, "settlement_is_due_within_two_years"),
        ),
    ],
    ids=["number", "digits", "no_zone", "no_year", "far_off", "a_week_too_late"],
)
def test_a_settlement_is_due_at_a_moment_within_two_years(
    capital: Capitals, due: str | int, told: tuple[int, str]
) -> None:
    answer = capital.escrow(reviewed(capital), settlement_due_at=due)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == told


def test_units_that_were_issued_first_do_not_keep_it_from_being_funded(
    capital: Capitals, application: Application
) -> None:
    allocation = in_escrow(capital)
    application.process.drain()
    for step in ("linked", "frozen", "prepared", "submitted", "registered"):
        getattr(capital.world, step)()
    (closing,) = capital.one("select closing_id from engine.closing")
    capital.world.call("engine.mark_issued", capital.world.offering, closing)
    state = "select status from engine.investment where investment_id = %s"
    assert capital.one(state, capital.world.investment) == ("closed_successfully",)
    assert capital.settle(capital.notice(allocation)).status_code == 200
    assert status(capital) == "funded"


FORGED = (
    "insert into engine.allocation (offering_id, allocation_id, tranche, entity_id, status, amount_minor,"
    " currency, requested_by, intake_id, investment_id)"
    " values (%s, 'iac_forged', %s, %s, 'pending', %s, 'USD', %s, %s, %s)"
)


def test_an_allocation_is_that_of_its_intake(capital: Capitals) -> None:
    capital.scorer.answer = lambda _: DOUBTS
    declined, good = capital.ask().json()["id"], capital.ask(tranche="good").json()["id"]
    decide(capital, declined, "officer.omar", approved=False)
    decide(capital, good, "officer.omar", approved=True)
    world, asker = capital.world, f"key:{capital.world.entity}"
    fits = ("good", world.entity, 10_000_000, asker, good, None)
    unfit = "allocation_fits_its_intake"
    cases = [
        (("senior", world.entity, 10_000_000, asker, declined, None), unfit),
        (("good", world.entity, 10_000_000, asker, "itk_nothing", None), unfit),
        (("other", world.entity, 10_000_000, asker, good, None), unfit),
        (("good", world.id("ivr", 201), 10_000_000, asker, good, None), unfit),
        (("good", world.entity, 10_000_001, asker, good, None), unfit),
        ((*fits[:5], world.investment), "allocation_in_escrow_names_its_investment"),
    ]
    for said, rule in cases:
        with rolled_back(world.login("admin")) as connection:
            connection.execute((NAMED + ";" + EVERY_RIGHT.format("engine")).encode())
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(FORGED.encode(), [world.offering, *said])
            assert caught.value.diag.constraint_name == rule, said
    with rolled_back(world.login("admin")) as connection:
        connection.execute((NAMED + ";" + EVERY_RIGHT.format("engine")).encode())
        connection.execute(FORGED.encode(), [world.offering, *fits])
        twin = FORGED.replace("iac_forged", "iac_twin")
        connection.execute(
            b"update engine.allocation set status = 'cancelled', cancelled_by = 'usr_x',"
            b" cancelled_because = 'x' where allocation_id = 'iac_forged'"
        )
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(twin.encode(), [world.offering, *fits])
        assert caught.value.diag.constraint_name == "one_allocation_per_intake"


PERSONAL = (
    "Call Ada Example, born 1970-02-03, +1 212 555 0100, ada@example.org, SSN 123-45-6789, or on"
    " 3 February 1970 (3.2.70), IBAN GB29 NWBK 6016 1331 9268 19, tax DE123456789. We serve"
    " 40,000 teachers with 250,000,000 USD."
)


def test_personal_data_is_taken_out_of_the_words(capital: Capitals) -> None:
    said = capital.ask(statement=PERSONAL).json()
    facts = json.loads(capital.scorer.asked[-1]["messages"][1]["content"])
    assert facts["statement"] == (
        "Call Ada Example, born [removed], [removed], [removed], SSN [removed], or on [removed]"
        " ([removed]), IBAN [removed], tax [removed]. We serve 40,000 teachers with 250,000,000 USD."
    )
    # The digest is of what was sent; the officer reads what was written.
    (digest,) = capital.one(
        "select encode(sha256(convert_to(audit.canonical(%s::jsonb), 'UTF8')), 'hex')", json.dumps(facts)
    )
    assert said["score"]["inputs_sha256"] == digest
    assert capital.one("select statement from engine.intake") == (PERSONAL,)


class Broken:
    """A scorer that fails in a way that nobody foresaw."""

    model, prompt_version = "m", "p"

    async def score(self, facts: Facts) -> Score:
        raise ZeroDivisionError(facts.tranche)


def test_a_fault_that_nobody_foresaw_leaves_it_unscored(capital: Capitals, database: Database) -> None:
    asked = Asked(
        offering=capital.world.offering,
        entity=capital.world.entity,
        actor=f"key:{capital.world.entity}",
        request="one",
        body_sha256=b"\x01" * 32,
        tranche="senior",
        amount_minor=10_000_000,
        currency="USD",
        statement="",
    )
    with pytest.raises(ZeroDivisionError):
        Intakes(database, Broken()).take_now(asked)
    assert capital.one("select status, failed_rule from engine.intake") == ("unscored", "scorer_answers")
