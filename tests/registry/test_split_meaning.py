"""What was said in units before a split means the same after it, or is refused by name."""

from __future__ import annotations

import json

import pytest

from bookrunner.core.errors import Refused
from tests.attack.conftest import shared
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED
from tests.registry.test_splits import PROPOSER, SECOND, UNDELIVERED, Class, at_rest, units
from tests.registry.transferring import wall

__all__ = ["at_rest", "shared", "units"]


def test_a_schedule_is_decided_now_whatever_somebody_writes(at_rest: Class) -> None:
    offering, admin = at_rest.where["offering"], at_rest.world.login("admin")
    said = {"kind": "fixed", "rate_bp": 1200, "principal": 50_001, "day_count": "actual/actual", "months": 1}
    said |= {"starts_on": "2024-01-01", "ends_on": "2025-01-01"}
    at_rest.world.call("engine.propose_schedule", offering, "csc_one", json.dumps(said))
    with admin.transaction(force_rollback=True):
        admin.execute(EVERY_RIGHT.format("engine").encode())
        admin.execute(NAMED.encode())
        admin.execute(
            b"update engine.coupon_schedule set status = 'in_force', decided_by = 'usr_second',"
            b" decided_at = '2020-01-01'"
        )
        found = admin.execute(
            b"select decided_at > now() - interval '1 day', proposed_at <= decided_at"
            b" from engine.coupon_schedule"
        )
        assert found.fetchall() == [(True, True)]


def test_a_volume_limit_keeps_its_meaning_through_a_split(at_rest: Class) -> None:
    moves, rule = at_rest.moves, "volume_is_within_its_window"
    at_rest.control("resume")
    moves.rule("volume", amount=24, span="quarter")
    moves.registered(at_rest.taker, 7)
    assert moves.failing(at_rest.taker, 7) == []
    assert moves.failing(at_rest.taker, 8) == [rule]
    at_rest.control("pause")
    # A limit that two people have not decided on is asked for in units: it is decided before.
    said = {"kind": "volume", "starts_on": "2026-01-01", "because": "the bylaws", "paper": "0a" * 32}
    late = {**at_rest.where, "rule": "trl_late"}
    moves.keeper.propose_transfer_rule(actor=PROPOSER, **late, said=said | {"amount": 1, "span": "day"})
    split = at_rest.decide(at_rest.propose())
    assert at_rest.hindrances(split) == ["split_meets_units_at_rest"]
    moves.keeper.decide_transfer_rule(actor=SECOND, **late, is_approved=False, because="after the split")
    at_rest.begin(split)
    with pytest.raises(Refused, match="split_is_carried_through_first"):
        moves.rule("volume", amount=1, span="day")
    lines = at_rest.open_wallets(split)
    at_rest.final(at_rest.sign(split, lines), lines)
    # The limit is 36 now, and the 17 units that went are 25 and a half.
    at_rest.control("resume")
    assert moves.failing(at_rest.taker, 10) == []
    assert moves.failing(at_rest.taker, 11) == [rule]
    kept = {
        row["rule_id"]: (row["amount"], row["amount_now"])
        for row in moves.keeper.transfer_rules(**at_rest.where)
    }
    assert (24, 36) in kept.values()
    assert kept["trl_late"] == (1, 1)
    backdated = "update registry.transfer_rule set decided_at = '2020-01-01' where status = 'in_force'"
    assert wall(at_rest.world, backdated) == "transfer_rule_is_locked"


def test_units_that_were_split_are_not_those_of_their_transfer(at_rest: Class) -> None:
    ((transfer,), _) = at_rest.ask("select request_id from registry.transfer_request order by units")
    at_rest.execute()
    asked = {
        "because": "misled",
        "order_sha256": "0b" * 32,
        "order_reference": "deed 3",
        "transfer": transfer,
    }
    with pytest.raises(Refused, match="rescinded_units_were_not_split"):
        at_rest.moves.keeper.ask_rescission(
            actor="agent.theo", **at_rest.where, rescission="rsn_1", action="cta_back", asked=asked
        )


def test_a_split_begins_with_the_units_that_the_chain_showed(at_rest: Class) -> None:
    split = at_rest.decide(at_rest.propose())
    at_rest.look(undelivered=UNDELIVERED + 1)
    with pytest.raises(Refused, match="split_has_the_undelivered_units_of_the_chain"):
        at_rest.splits.begin_split(actor="process", **at_rest.where, split=split, undelivered=UNDELIVERED)
    assert at_rest.open_wallets(split) == []
    at_rest.begin(split)
