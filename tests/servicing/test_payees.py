"""A payee other than the holder: registered by two people, screened, paid from the next record date on."""

from __future__ import annotations

import pytest

from bookrunner.db import Database
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.servicing.paying import DAY, Payer, payer
from tests.treasury.escrow import digest, refused
from tests.treasury.test_refunds import block

PAYEE = "ivr_payee"
SAID = {"payee": PAYEE, "because": "its order of today", "sha256": digest("signed order").hex()}


@pytest.fixture
def world(connect: Connect, database: Database) -> tuple[Payer, Distributions]:
    return payer(connect, database)


def _earlier(w: Payer) -> None:
    """Let every mandate be decided two days ago; triggers look away for that."""
    admin = w.login("admin")
    for statement in (
        "alter table registry.payee_mandate disable trigger user",
        "update registry.payee_mandate set decided_at = decided_at - interval '2 days'",
        "alter table registry.payee_mandate enable trigger user",
    ):
        admin.execute(statement)


def _mandate(w: Payer, runs: Distributions, n: int, payee: str = PAYEE) -> list[object]:
    """Propose a payee of one holder; return the call that puts it in force."""
    said = SAID | {"holder": w.id("ivr", n), "payee": payee}
    return [
        "registry.decide_payee",
        w.offering,
        runs.name_payee(w.offering, said, actor="usr_first"),
        "true",
        1,
    ]


def test_a_registered_payee_is_paid_while_the_holder_stays_holder(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    holder = w.id("ivr", 1)
    agreed = _mandate(w, runs, 1)
    with refused("payee_is_screened_before_it_is_paid"):
        w.call(*agreed, actor="usr_second")
    with every_right(w, "registry") as login, refused("payee_is_screened_before_it_is_paid"):
        login.execute(
            "update registry.payee_mandate set status = 'in_force', decided_by = 'usr_x', decided_at = now()"
        )
    w.screen()
    with refused("mandate_needs_two_people"):
        w.call(*agreed)
    w.call(*agreed, actor="usr_second")
    _earlier(w)
    named = (digest("its account"), digest("letter"))
    account = runs.name_account(PAYEE, named, "its letter", actor="usr_first")
    w.screen()
    w.call("treasury.decide_payee_account", PAYEE, account, "true", 1, actor="usr_second")
    distribution = w.ready(runs)
    line = "select investor_id, payee_id, units from engine.distribution_line where line_id = %s"
    assert w.ask(line, w.line(1)) == [(holder, PAYEE, 1)]
    runs.start(w.offering, distribution, actor="usr_first")
    assert len(w.send(distribution)) == 3
    sent = "select investor_id, payee_fingerprint from treasury.disbursement where payee_id = %s"
    assert w.ask(sent, PAYEE) == [(holder, digest("its account"))]
    with every_right(w, "treasury") as login, refused("disbursement_is_what_the_line_says"):
        login.execute("update treasury.disbursement set payee_id = 'ivr_thief' where payee_id = %s", [PAYEE])
    back = w.line(1)
    w.call("treasury.return_disbursement", w.offering, back, "AC04", DAY)
    w.call("compliance.enlist_for_payment", [PAYEE])
    w.call("treasury.retry_disbursements", w.offering, distribution, [back])
    assert w.send(distribution, "pyo_2") == []
    held = "select held_because from treasury.disbursement where disbursement_id = %s"
    assert w.ask(held, back) == [("screening_waits",)]
    # The payee is written to, not the holder, and who is on a list is no work of the agent.
    work = "select investor_id from engine.holder_work where work = 'write_to_unpaid_payee' and subject = %s"
    assert w.ask(work, back) == [(PAYEE,)]
    assert w.ask("select engine.is_unpaid(%s, %s, current_date)", w.offering, back) == [(True,)]
    # A match of the holder is no less a match while its payee waits for an answer.
    block(w, 1)
    # The line says another reason, as one that came back or that nobody claims says none: the list is asked.
    assert w.ask(work, back) == []
    assert w.ask("select engine.is_unpaid(%s, %s, current_date)", w.offering, back) == [(False,)]
    assert w.login("registry").execute("select engine.is_matched(%s)", [[holder, PAYEE]]).fetchall() == [
        (True,)
    ]
    w.call("treasury.retry_disbursements", w.offering, distribution, [back])
    assert w.send(distribution, "pyo_3") == []
    assert w.ask(held, back) == [("match_with_a_list",)]
    assert w.ask(work, back) == []
    assert w.ask("select engine.is_unpaid(%s, %s, current_date)", w.offering, back) == [(False,)]
    w.check()


def test_a_change_of_payee_holds_the_line(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    agreed = _mandate(w, runs, 2)
    with refused("one_mandate_is_proposed"):
        w.call("registry.propose_payee", w.offering, "pmd_x", SAID | {"holder": w.id("ivr", 2)})
    with refused("mandate_is_of_a_holder"):
        w.call("registry.propose_payee", w.offering, "pmd_x", SAID | {"holder": "ivr_nobody"})
    with every_right(w, "registry") as login, refused("mandate_stays_as_proposed"):
        login.execute("update registry.payee_mandate set payee_id = 'ivr_thief'")
    assert len(w.send(distribution)) == 2
    held = "select investor_id, held_because from treasury.disbursement where status = 'held'"
    assert w.ask(held) == [(w.id("ivr", 2), "payee_change_in_progress")]
    assert w.balance(f"liab:distribution:{distribution}") > 0
    w.screen()
    w.call(*agreed, actor="usr_second")
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert w.send(distribution, "pyo_2") == [w.line(2)]
    as_of = "select payee_id from registry.payees_as_of(%s, current_date - %s)"
    assert w.ask(as_of, w.offering, 1) == []
    assert w.ask(as_of, w.offering, 0) == [(PAYEE,)]
    again = _mandate(w, runs, 2, w.id("ivr", 2))
    w.call(*again, actor="usr_second")
    assert w.ask(as_of, w.offering, 0) == [(w.id("ivr", 2),)]
    w.check()
