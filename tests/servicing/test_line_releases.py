# ruff: noqa: S608 - names and ids come from this file
"""Lines of a started buy-back that nobody can cancel: two people let one go, and the others go on."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from itertools import count

import psycopg
import pytest

from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from tests.attack.world import Connect
from tests.registry.transferring import wall
from tests.servicing.buying import BACK, NUMBERS, Buyer, rule_of
from tests.servicing.release_worker import look_until_killed
from tests.servicing.test_buyback_promises import dies
from tests.treasury.escrow import refused
from tests.treasury.test_refunds import block

ONE, TWO, THREE = (f"ivr_one{n}" for n in NUMBERS)
THEO, UMA = "agent.theo", "agent.uma"


@pytest.fixture
def issuer(connect: Connect, database: Database) -> Buyer:
    return Buyer(connect, database)


def started(issuer: Buyer) -> tuple[str, str]:
    """Return a buy-back of 10 units of each holder whose money is set apart, and what pays it."""
    made = issuer.invited()
    for n in NUMBERS:
        issuer.tender(made, n, 10)
    assert issuer.accept(made) == {ONE: 10, TWO: 10, THREE: 10}
    return made, issuer.start(made)


def holding(issuer: Buyer, investor: str) -> str:
    """Return the id of a holding."""
    asked = "select holding_id from registry.holding where investor_id = %s"
    return str(issuer.ask(asked, investor)[0][0])


def ask(
    issuer: Buyer, made: str, investor: str = TWO, name: str = "lnr_1", *, seen: int | None = None
) -> str:
    """Let somebody ask to let the line of a holder go, on the version that stands."""
    (row,) = (one for one in issuer.back.buybacks(**issuer.where) if one["buyback_id"] == made)
    issuer.back.propose_line_release(
        actor=THEO,
        **issuer.where,
        buyback=made,
        release=name,
        holding=holding(issuer, investor),
        because="a court froze the account",
        seen=row["version"] if seen is None else seen,
    )
    return name


def decide(issuer: Buyer, name: str = "lnr_1", *, by: str = UMA, seen: int = 1, agreed: bool = True) -> None:
    """Let somebody decide on it."""
    issuer.back.decide_line_release(
        actor=by, **issuer.where, release=name, is_agreed=agreed, because="read the order", seen=seen
    )


def waiting(issuer: Buyer) -> list[tuple[int]]:
    """Return the receipts of the issuer that wait to be sent back."""
    return issuer.ask("select amount_minor from treasury.receipt where status = 'unmatched' order by 1")


def test_two_people_let_one_line_go_and_the_others_are_bought(issuer: Buyer) -> None:
    made, paid = started(issuer)
    free = "select registry.free_units(%s, %s)"
    assert issuer.ask(free, issuer.offering, TWO) == [(10,)]
    issuer.control("freeze_account", investor=TWO)
    with pytest.raises(Refused, match="decision_is_on_the_version_seen"):
        ask(issuer, made, seen=99)
    assert rule_of(lambda: ask(issuer, made, ONE)) == "released_line_cannot_be_cancelled"
    ask(issuer, made)
    assert rule_of(lambda: ask(issuer, made, name="lnr_again")) == "line_is_released_once"
    assert rule_of(lambda: decide(issuer, by=THEO)) == "line_release_needs_two_people"
    assert rule_of(lambda: decide(issuer, seen=7)) == "decision_is_on_the_version_seen"
    decide(issuer)
    (row,) = issuer.back.line_releases(**issuer.where, buyback=made)
    assert (row["status"], row["hindered_by"], row["decided_by"]) == (
        "released",
        "seller_account_is_not_frozen",
        UMA,
    )
    # Its units are the holder's again, and the account is frozen for its own reason.
    assert issuer.ask("select registry.accepted_units(%s, %s)", issuer.offering, TWO) == [(0,)]
    assert issuer.ask("select registry.is_account_frozen(%s, %s)", issuer.offering, TWO) == [(True,)]
    assert {line["holding"] for line in issuer.plan(made)} == {holding(issuer, ONE), holding(issuer, THREE)}
    assert issuer.burn(made) == 2
    assert issuer.held() == {ONE: 0, TWO: 20, THREE: 21}
    (after,) = issuer.back.buybacks(**issuer.where)
    assert (after["status"], after["open_lines"]) == ("executed", 0)
    # The price of the line stays set apart until the others are paid; then it waits as the issuer's money.
    issuer.runs.look(clock.today())
    assert waiting(issuer) == []
    assert issuer.balance(f"liab:distribution_funds:{paid}") == 10 * BACK
    assert len(issuer.settle(paid)) == 2
    assert issuer.runs.look(clock.today()) == 1
    assert waiting(issuer) == [(10 * BACK,)]
    assert issuer.balance(f"liab:distribution_funds:{paid}") == 0
    assert issuer.balance("liab:unmatched") == 10 * BACK
    assert issuer.runs.standing(issuer.offering, paid)["status"] == "paid"
    standing = {row["investor_id"]: row["status"] for row in issuer.runs.lines(issuer.offering, paid)}
    assert standing == {ONE: "paid", TWO: "released", THREE: "paid"}
    assert issuer.differing() == []
    issuer.check()
    # The capital of what stayed stays with the class.
    ((kept, whole),) = issuer.ask("select engine.capital_let_go(r), r.capital_minor from engine.redemption r")
    assert kept == whole * 10 // 30
    # Sent back to the issuer as any money of nobody is.
    ((receipt, version),) = issuer.ask(
        "select receipt_id, version from treasury.receipt where status = 'unmatched'"
    )
    said = ["prp_back", "refund", receipt, None, "a line was let go", version]
    issuer.call("treasury.propose_act", issuer.offering, *said)
    issuer.call("treasury.decide_act", issuer.offering, "prp_back", "true", None, 1, actor="usr_second")
    assert issuer.ask("select amount_minor, status from treasury.refund") == [(10 * BACK, "created")]
    issuer.check()


def test_the_last_line_that_is_let_go_ends_the_buy_back_and_frees_the_class(issuer: Buyer) -> None:
    made, paid = started(issuer)
    block(issuer, 20)
    assert issuer.burn(made) == 2
    ask(issuer, made)
    decide(issuer)
    (row,) = issuer.back.buybacks(**issuer.where)
    assert row["status"] == "executed"
    assert issuer.ask("select registry.free_units(%s, %s)", issuer.offering, TWO) == [(20,)]
    issuer.settle(paid)
    issuer.runs.look(clock.today())
    assert issuer.runs.standing(issuer.offering, paid)["status"] == "paid"
    assert waiting(issuer) == [(10 * BACK,)]
    issuer.propose()
    issuer.check()


def test_an_estate_is_let_go(issuer: Buyer) -> None:
    made, paid = started(issuer)
    dies(issuer, TWO)
    ask(issuer, made)
    decide(issuer)
    assert issuer.burn(made) == 2
    issuer.settle(paid)
    issuer.runs.look(clock.today())
    assert waiting(issuer) == [(10 * BACK,)]


def test_a_line_on_its_way_or_cancelled_is_not_let_go(issuer: Buyer) -> None:
    made, _ = started(issuer)
    lines = issuer.plan(made)
    issuer.control("freeze_account", investor=TWO)
    ask(issuer, made)
    mine = [line for line in lines if line["holding"] == holding(issuer, ONE)]
    signed = issuer.sign("first", mine)
    issuer.control("freeze_account", investor=ONE)
    assert rule_of(lambda: ask(issuer, made, ONE, "lnr_2")) == "released_line_is_open"
    issuer.final(signed, mine)
    assert rule_of(lambda: ask(issuer, made, ONE, "lnr_2")) == "released_line_is_open"
    # Signed after somebody asked: refused while it is on its way, and for ever once it is cancelled.
    issuer.control("thaw_account", investor=TWO)
    assert rule_of(lambda: decide(issuer)) == "released_line_cannot_be_cancelled"
    other = [line for line in lines if line["holding"] == holding(issuer, TWO)]
    signed = issuer.sign("second", other)
    issuer.control("freeze_account", investor=TWO)
    assert rule_of(lambda: decide(issuer)) == "released_line_is_open"
    issuer.final(signed, other)
    assert rule_of(lambda: decide(issuer)) == "released_line_is_open"
    decide(issuer, agreed=False)
    (row,) = issuer.back.line_releases(**issuer.where, buyback=made)
    assert row["status"] == "declined"
    assert waiting(issuer) == []
    assert issuer.held() == {ONE: 0, TWO: 10, THREE: 31}


def test_nothing_is_let_go_of_a_buy_back_without_its_money(issuer: Buyer) -> None:
    made = issuer.invited()
    issuer.tender(made, 20, 10)
    issuer.accept(made)
    issuer.control("freeze_account", investor=TWO)
    assert rule_of(lambda: ask(issuer, made)) == "released_line_has_its_price_set_apart"
    issuer.start(made)
    ask(issuer, made)
    with issuer.untriggered("treasury.receipt") as admin:
        gone = "update treasury.receipt set status = 'returned', receivable_minor = 1 where receipt_id = %s"
        admin.execute(gone.encode(), ["rcp_issuer"])
    assert rule_of(lambda: decide(issuer)) == "released_line_has_its_price_set_apart"


def test_a_price_goes_back_by_the_rail_of_its_payee(issuer: Buyer) -> None:
    made = issuer.invited()
    for n in NUMBERS:
        issuer.tender(made, n, 10)
    issuer.accept(made)
    issuer.open_coins()
    paid = issuer.draft(made)
    issuer.approve(paid)
    issuer.fund(paid, 20 * BACK, "bank")
    issuer.fund(paid, 10 * BACK, "tokens")
    issuer.runs.start(issuer.offering, paid, actor="usr_first")
    with issuer.untriggered("treasury.receipt") as admin:
        admin.execute(b"update treasury.receipt set rail = 'stablecoin' where receipt_id = 'rcp_tokens'")
    issuer.name_coins(TWO)
    issuer.control("freeze_account", investor=TWO)
    ask(issuer, made)
    decide(issuer)
    issuer.runs.look(clock.today())
    rooms = "select treasury.room_on(%s, %s, true), treasury.room_on(%s, %s, false)"
    on = [issuer.offering, paid]
    assert issuer.ask(rooms, *on, *on) == [(10 * BACK, 20 * BACK)]
    assert issuer.burn(made) == 2
    assert len(issuer.settle(paid)) == 2
    issuer.runs.look(clock.today())
    waits = "select receipt_id from treasury.receipt where status = 'unmatched'"
    assert issuer.ask(waits) == [("rcp_tokens",)]
    assert issuer.ask(rooms, *on, *on) == [(0, 0)]


def test_a_worker_that_dies_gives_each_price_back_once(issuer: Buyer, endpoint: Endpoint) -> None:
    made, paid = started(issuer)
    issuer.control("freeze_account", investor=TWO)
    ask(issuer, made)
    decide(issuer)
    lines = issuer.plan(made)
    issuer.final(issuer.sign("burn", lines), lines)
    issuer.runs.look(clock.today())
    assert len(issuer.settle(paid)) == 2
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.servicing.release_worker"])
    died = 0
    for steps in count():
        where = (endpoint.admin_dsn(), str(endpoint.secrets.folder), steps)
        worker = forks.Process(target=look_until_killed, args=where)
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        died += 1
        assert waiting(issuer) in ([], [(10 * BACK,)])
        issuer.check()
    assert died > 1
    assert waiting(issuer) == [(10 * BACK,)]
    assert issuer.ask("select count(*), sum(amount_minor) from treasury.released_price") == [(1, 10 * BACK)]
    assert issuer.balance(f"liab:distribution_funds:{paid}") == 0
    assert issuer.states() == {ONE: "paid", THREE: "paid"}


def test_a_burn_and_a_decision_wait_for_each_other(issuer: Buyer, connect: Connect) -> None:
    made, _ = started(issuer)
    lines = [line for line in issuer.plan(made) if line["holding"] == holding(issuer, TWO)]
    issuer.control("freeze_account", investor=TWO)
    ask(issuer, made)
    told: list[str] = []
    held = connect("registry")
    with held.transaction():
        # Whoever lets the line go holds the book until it commits; a burn that was planned before waits.
        held.execute(
            "select registry.decide_line_release('agent.uma', 'req_race', %s, 'lnr_1', true, 'read', 1)",
            [issuer.offering],
        )

        def burn() -> None:
            try:
                issuer.sign("late", lines)
            except psycopg.Error as caught:
                told.append(str(caught.diag.constraint_name))

        racing = threading.Thread(target=burn)
        racing.start()
        racing.join(1)
        assert racing.is_alive()
    racing.join(30)
    assert told == ["line_is_burned_whole_and_once"]


ASKED = (
    "insert into registry.line_release (offering_id, release_id, buyback_id, holding_id, status, because,"
    " hindered_by, proposed_by) values ('{offering}', 'lnr_2', '{made}', '%s', 'proposed', '%s',"
    " 'seller_account_is_not_frozen', 'usr_x')"
)
SAID = "update registry.line_release set status = '%s', decided_at = now(), decided_by = '%s'"


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("update registry.line_release set holding_id = '{three}'", "line_release_stays_as_proposed"),
        (SAID % ("released", THEO) + ", decided_because = 'x'", "line_release_needs_two_people"),
        (SAID % ("declined", UMA), "decided_line_release_has_its_reason"),
        (ASKED % ("{three}", "x"), "released_line_cannot_be_cancelled"),
        (ASKED % ("{two}", " "), "released_line_has_its_reason"),
        (ASKED % ("{two}", "x"), "line_is_released_once"),
    ],
)
def test_the_register_refuses_a_release_that_nobody_decided(issuer: Buyer, statement: str, rule: str) -> None:
    made, _ = started(issuer)
    issuer.control("freeze_account", investor=TWO)
    ask(issuer, made)
    known = {"offering": issuer.offering, "made": made}
    known |= {"two": holding(issuer, TWO), "three": holding(issuer, THREE)}
    assert wall(issuer, statement.format(**known)) == rule


def test_a_line_that_was_let_go_is_never_cancelled_nor_owed(issuer: Buyer) -> None:
    made, paid = started(issuer)
    line = {"offering": issuer.offering, "made": made, "two": holding(issuer, TWO), "paid": paid}
    ((named, payee),) = issuer.ask(
        "select line_id, payee_id from engine.distribution_line where investor_id = %s", TWO
    )
    price = (
        "insert into treasury.released_price (offering_id, line_id, distribution_id, amount_minor)"
        f" values ('{issuer.offering}', '{named}', '{paid}', %d)"
    )
    assert wall(issuer, price % (10 * BACK), "treasury") == "released_price_is_of_its_line"
    issuer.control("freeze_account", investor=TWO)
    ask(issuer, made)
    decide(issuer)
    assert wall(issuer, price % 1, "treasury") == "released_price_is_of_its_line"
    cancelled = (
        "insert into registry.cancellation (offering_id, buyback_id, holding_id, units)"
        " values ('{offering}', '{made}', '{two}', 10)"
    )
    assert wall(issuer, cancelled.format(**line)) == "cancellation_is_of_its_line"
    taken = (
        "insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id,"
        " units, reference, is_tacked)"
        " values ('{offering}', 'mov_x', 'redemption', '{two}', '{two}', 10, '{made}/{two}', true)"
    )
    assert wall(issuer, taken.format(**line)) == "redemption_takes_its_line"
    call = (
        "insert into registry.redemption_call (offering_id, buyback_id, holding_id, address, units,"
        " intent_id) values ('{offering}', '{made}', '{two}', decode(repeat('01', 20), 'hex'), 10, 'int_x')"
    )
    assert wall(issuer, call.format(**line)) == "burn_follows_its_money"
    owed = (
        "insert into treasury.disbursement (offering_id, disbursement_id, distribution_id, investor_id,"
        " payee_id, status, amount_minor, currency, owed_since)"
        f" values ('{issuer.offering}', '{named}', '{paid}', '{TWO}', '{payee}', 'owed', {10 * BACK},"
        " 'USD', current_date)"
    )
    assert wall(issuer, owed, "treasury") == "disbursement_is_what_the_line_says"
    assert wall(issuer, price % (10 * BACK), "treasury") == "released_price_is_of_its_line"
    assert issuer.burn(made) == 2
    issuer.settle(paid)
    issuer.runs.look(clock.today())
    assert wall(issuer, price % (10 * BACK), "treasury") == "price_is_released_once"
    again = "update registry.line_release set status = 'declined' where release_id = 'lnr_1'"
    assert wall(issuer, again) == "transition_is_listed_for_the_keeper"
    with refused("line_is_burned_whole_and_once"):
        burn = {"buyback": made, "holding": line["two"], "address": issuer.address(20).hex(), "units": -10}
        issuer.sign("past", [burn])


def test_what_passes_is_no_reason_and_a_reason_stands_until_the_decision(issuer: Buyer) -> None:
    """A change of an account that one person proposes, or the holder itself, would let it leave a tender."""
    made, _ = started(issuer)
    ((source,),) = issuer.ask("select source_id from treasury.source_account where investor_id = %s", TWO)
    issuer.call("treasury.propose_payee_account", TWO, "pac_1", "bank", source, "asked by the payee")
    waits = issuer.ask("select holding_id from registry.line_hindrances(%s, %s)", issuer.offering, made)
    assert waits == [(holding(issuer, TWO),)]
    assert rule_of(lambda: ask(issuer, made)) == "released_line_cannot_be_cancelled"
    issuer.control("freeze_account", investor=TWO)
    ask(issuer, made)
    issuer.control("thaw_account", investor=TWO)
    assert rule_of(lambda: decide(issuer)) == "released_line_cannot_be_cancelled"
    block(issuer, 20)
    assert rule_of(lambda: decide(issuer)) == "released_line_cannot_be_cancelled"
    decide(issuer, agreed=False)


def test_events_keep_neither_words_nor_matches_of_a_release(issuer: Buyer) -> None:
    made, _ = started(issuer)
    block(issuer, 20)
    ask(issuer, made)
    decide(issuer)
    told = issuer.ask("select canonical from audit.event where kind like 'line_release.%' order by version")
    assert len(told) == 2
    assert not any(word in row[0] for row in told for word in ("because", "hindered_by", "match", "court"))
