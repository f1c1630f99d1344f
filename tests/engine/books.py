"""What must hold of a closed offer, whatever was killed on the way: books, chain and history agree."""

from __future__ import annotations

from collections import Counter

import psycopg

from bookrunner.audit import advance_feed, seal, verify_history
from bookrunner.sandbox.world import World

_ISSUED = """
select i.investment_id, encode(i.address, 'hex'), i.units, count(*), sum(p.units), count(distinct l.lot_id),
    sum(l.units)
from registry.issuance_instruction i
left join registry.posting p using (offering_id, instruction_id)
left join registry.lot l using (offering_id, instruction_id)
where i.offering_id = %s and i.status = 'posted' group by 1, 2, 3
"""
_HOLDINGS = """
select h.investor_id, h.units, (select sum(l.units) from registry.lot l where l.offering_id = h.offering_id
    and l.holding_id = h.holding_id), (select sum(p.units) from registry.posting p
    where p.offering_id = h.offering_id and p.holding_id = h.holding_id)
from registry.holding h where h.offering_id = %s
"""
_LEDGER = """
select sum(case when side = 'debit' then amount_minor else -amount_minor end),
    (select count(*) from treasury.trial_balance b
     join treasury.entry_sum s using (offering_id, account, currency)
     where b.offering_id = %(offering)s and b.amount_minor <> s.amount_minor)
from treasury.trial_balance where offering_id = %(offering)s
"""
_FEED = "select count(*), min(seq), max(seq), (select count(*) from audit.event) from audit.feed"


def members(world: World, closing: str, status: str) -> set[str]:
    """Return the investments of a closing whose membership has this status."""
    return {
        row[0]
        for row in _ask(
            world,
            "select investment_id from engine.closing_member where closing_id = %s and status = %s",
            [closing, status],
        )
    }


def check_issued_once(world: World, offering: str, expected: set[str], *, displays_all: bool = True) -> None:
    """Each expected investment is posted and delivered on chain exactly once, and nothing else is."""
    app = world.application
    issued = _ask(world, _ISSUED, [offering])
    assert {row[0] for row in issued} == expected
    assert len(issued) == len(expected)
    for _, _, units, postings, posted, lots, held in issued:
        assert (postings, posted, lots, held) == (1, units, 1, units)
    for investor, units, lots, postings in _ask(world, _HOLDINGS, [offering]):
        assert units == lots == postings, investor
    offer = app.desk.engine.offer(offering=offering)
    token, treasury = bytes(offer["token_address"]), bytes(offer["treasury_address"])
    logs = app.chain.transfer_logs(token, 0, app.chain.block_numbers().latest)
    delivered = Counter((log.receiver.hex(), log.amount) for log in logs if log.sender == treasury)
    assert delivered == Counter((address, units) for _, address, units, *_ in issued)
    balances = app.chain.balances(token, [bytes.fromhex(row[1]) for row in issued])
    assert balances == [row[2] for row in issued]
    totals = app.totals(offering)
    units = sum(row[2] for row in issued)
    names = ["registered_units", "control_units", "chain_units", *["displayed_units"] * displays_all]
    assert [totals[name] for name in names] == [units] * len(names)


def check_history_and_ledger(world: World, offering: str) -> None:
    """No event is missing, chains and seals stand, accounts equal entries, debits equal credits."""
    app = world.application
    app.process.drain()
    advance_feed(app.database)
    seal(app.database)
    verdict = verify_history(app.database)
    assert verdict.ok, verdict.faults
    ((count, first, last, events),) = _ask(world, _FEED, [])
    assert (first, last, count) == (1, events, events)
    assert _ask(world, _LEDGER, {"offering": offering}) == [(0, 0)]


def check_released_once(world: World, offering: str, closing: str, expected: set[str]) -> None:
    """Exactly these investments left escrow, once, and the closing has its one certificate."""
    lines = _ask(world, "select investment_id from treasury.release_line where offering_id = %s", [offering])
    assert Counter(row[0] for row in lines) == Counter(expected)
    sent = _ask(world, "select status from treasury.release where closing_id = %s", [closing])
    assert Counter(row[0] for row in sent)["sent"] == 1
    assert world.application.desk.engine.closing(closing=closing)["status"] == "certified"
    assert _ask(world, "select count(*) from engine.certificate where closing_id = %s", [closing]) == [(1,)]


def _ask(world: World, question: str, values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(world.endpoint.owner_dsn()) as connection:
        return connection.execute(question.encode(), values or None).fetchall()  # type: ignore[arg-type]
