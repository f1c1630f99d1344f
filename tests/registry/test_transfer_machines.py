# ruff: noqa: S608 - table and state names come from the constants of this file and the transitions
"""Every listed move of the transfer machines has a verb that makes it, and no other move can be made."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.db import Database
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.test_rescission import ask, decide
from tests.registry.transferring import AGENT, ASKER, SECOND, Transferring, papers

MACHINES = {
    "transfer_rule": "rule_id",
    "affiliation": "affiliation_id",
    "transfer_request": "request_id",
    "observed_transfer": "observed_id",
}
NOWHERE = b"\0" * 20
Move = tuple[str, str, str]


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


def _rules(desk: Transferring) -> None:
    keeper, on = desk.keeper, {"offering": desk.offering}
    said = {"kind": "holder_cap", "amount": 9, "starts_on": "2026-01-01", "because": "x", "paper": "0a" * 32}
    for rule in ("trl_stays", "trl_declined", "trl_waits"):
        keeper.propose_transfer_rule(actor=AGENT, **on, rule=rule, said=said)
    keeper.decide_transfer_rule(
        actor=SECOND, **on, rule="trl_declined", is_approved=False, because="unsigned"
    )
    keeper.decide_transfer_rule(actor=SECOND, **on, rule="trl_stays", is_approved=True, because="")
    keeper.end_transfer_rule(actor=SECOND, **on, rule=desk.rule("holder_cap", amount=8), because="repealed")
    for name in ("aff_stays", "aff_ends"):
        keeper.record_affiliation(
            actor=AGENT, **on, affiliation=name, investor=f"ivr_{name}", group="g", because="spouses"
        )
    keeper.end_affiliation(actor=SECOND, **on, affiliation="aff_ends", because="divorce")


def _requests(desk: Transferring, taker: str) -> None:
    keeper, on = desk.keeper, {"offering": desk.offering}

    def end(transfer: str, status: str) -> None:
        keeper.end_transfer(actor=AGENT, **on, transfer=transfer, status=status, reasons=["for a reason"])

    desk.asked(taker)
    for make in (desk.asked, desk.screened, desk.approved):
        for status in ("rejected", "withdrawn"):
            end(make(taker), status)
    returned = desk.asked(taker)
    end(returned, "returned")
    registry.present_again(keeper, (desk.offering, returned, ASKER), [])
    end(returned, "returned")
    end(returned, "withdrawn")
    again = desk.screened(taker)
    end(again, "returned")
    lapsed = desk.screened(taker, papers=("transfer_instruction", "purchase_agreement"))
    desk.approve(lapsed, days=-1)
    keeper.lapse_transfers(actor="process", **on)
    more = desk.asked(taker, papers=("transfer_instruction",))
    keeper.add_transfer_papers(actor=ASKER, **on, transfer=more, papers=papers("purchase_agreement"))
    reverted = desk.approved(taker)
    transaction = desk.signed(reverted)
    attempt_again(desk, transaction)
    desk.world.call("registry.record_revert", desk.offering, f"{transaction}.2", "the chain refused it")
    end(reverted, "withdrawn")
    desk.registered(taker)


def attempt_again(desk: Transferring, transaction: str) -> None:
    """Let a further attempt take the transfer of the first one when it wins."""
    further = {
        "id": f"{transaction}.2",
        "max_fee": 4_000_000_000,
        "priority_fee": 2_000_000_000,
        "hash": digest(f"{transaction}.2").hex(),
        "raw": "01",
    }
    assert desk.world.call("registry.record_replacement", desk.offering, transaction, further)


def observe(
    desk: Transferring, name: str, sender: bytes, receiver: bytes, *, mined_at: datetime | None = None
) -> str | None:
    """Let the chain show a transfer that is none of ours."""
    log = {
        "id": f"obs_{name}",
        "chain_id": CHAIN,
        "hash": digest(name).hex(),
        "ordinal": 0,
        "block": 12,
        "mined_at": (mined_at or clock.now()).isoformat(),
        "from": sender.hex(),
        "to": receiver.hex(),
        "units": 1,
    }
    timed = registry.item_clock(None, is_routine=False)
    seen: str | None = desk.keeper.observe_transfer(
        actor="process", offering=desk.offering, log=log, item=f"itm_{name}", clock=timed
    )
    return seen


def _observed(desk: Transferring, taker: str) -> None:
    keeper, on = desk.keeper, {"offering": desk.offering}
    ours, theirs = desk.world.address(3), digest(f"wallet {taker[4:]}")[:20]
    desk.approved(taker, 1, route="holder")
    assert observe(desk, "approved", ours, theirs) == "matched"
    shown: Mapping[str, tuple[bytes, bytes, str]] = {
        "unauthorised": (desk.world.address(2), theirs, "post"),
        "unmapped": (ours, b"\x99" * 20, "reversed"),
        "over_issued": (NOWHERE, ours, "bought_in"),
    }
    for status, (sender, receiver, ending) in shown.items():
        for name in (f"{status}1", f"{status}2"):
            assert observe(desk, name, sender, receiver) == status
        explained = {"observed": f"obs_{status}1", "paper_sha256": digest("paper"), "because": "an order"}
        for agreed in (False, True):
            keeper.explain_observed(actor=AGENT, **on, **explained, ending=ending)
            keeper.resolve_observed(actor=SECOND, **on, observed=f"obs_{status}1", is_agreed=agreed)
    assert observe(desk, "last", ours, b"\x99" * 20) == "unmapped"
    keeper.explain_observed(
        actor=AGENT,
        **on,
        observed="obs_unmapped2",
        ending="reversed",
        paper_sha256=digest("paper"),
        because="sent back",
    )


def test_every_listed_move_has_its_verb_and_every_other_is_refused(desk: Transferring) -> None:
    taker = desk.taker()
    _rules(desk)
    decide(desk, ask(desk, desk.registered(taker)))
    _requests(desk, taker)
    _observed(desk, taker)
    desk.approved(taker)
    owner = desk.world.login("owner")
    listed = set(
        owner.execute(
            "select machine, from_state, to_state from engine.transition where machine = any (%s)",
            [[*MACHINES]],
        ).fetchall()
    )
    made, was = set[Move](), defaultdict[tuple[str, str], str](str)
    rows = owner.execute(
        "select kind, subject, canonical from audit.event where split_part(kind, '.', 1) = any (%s)"
        " order by scope, subject, version",
        [[*MACHINES]],
    ).fetchall()
    for kind, subject, canonical in rows:
        machine = kind.partition(".")[0]
        becomes = json.loads(canonical)["payload"].get("status", was[machine, subject])
        made.add((machine, was[machine, subject], becomes))
        was[machine, subject] = becomes
    assert listed - made == set()
    _other_moves(desk, listed)


def _other_moves(desk: Transferring, listed: set[Move]) -> None:
    """Try every state from every state that a row is in, with every right of the login."""
    admin, tried = desk.world.login("admin"), 0
    for machine, key in MACHINES.items():
        table = f"registry.{machine}"
        states = {to for name, _, to in listed if name == machine}
        found = dict(
            admin.execute(f"select status, min({key}) from {table} group by status".encode()).fetchall()
        )
        assert set(found) >= states - {"screened", "instructed"}, machine
        for state, row in found.items():
            for to in states - {to for name, was, to in listed if (name, was) == (machine, state)}:
                with pytest.raises(psycopg.Error) as caught:
                    _move(desk, f"update {table} set status = '{to}' where {key} = '{row}'")
                assert caught.value.sqlstate == "BR002", (machine, state, to)
                tried += 1
    assert tried > 60


def _move(desk: Transferring, statement: str) -> None:
    admin = desk.world.login("admin")
    with admin.transaction(force_rollback=True):
        admin.execute(EVERY_RIGHT.format("registry").encode())
        admin.execute(NAMED.encode())
        admin.execute(statement.encode())
