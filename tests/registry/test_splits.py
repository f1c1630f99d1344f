# ruff: noqa: S608 - names and ids come from this file
"""Splits in the register alone: terms, what they wait for, what they do to every lot."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.money import allocate
from bookrunner.db import Database, Keeper
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.actions import actions_of
from bookrunner.engine.life.servicing.coupons import Coupons
from tests.attack.conftest import shared
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.transferring import Transferring, wall

__all__ = ["shared"]

PROPOSER, SECOND = "issuer.iris", "agent.tess"
THREE_FOR_TWO = {"new_units": 3, "for_units": 2, "fractions": "cash", "cash_price_minor": 33_333}
UNDELIVERED = 10
# What a thief writes for a line or a wallet, and the wallets beside a transaction of another purpose.
OWED = (
    "l.holding_id, l.units_before, l.units_after, l.fraction_parts, l.cash_minor + least(l.fraction_parts, 1)"
)
PLACED = "p.address, p.holding_id, p.units_before, p.units_after + case when {} then 5 else 0 end"
FINAL = (
    "registry.split_place p cross join (select x.* from registry.chain_transaction x"
    " where x.status = 'final' order by x.transaction_id limit 1) t where p.units_after <> p.units_before"
)
AGENT_KEY = b"\x09" * 20


class Class:
    """A class of units whose sale is over: holders of 31, 70, 91 and, in two lots, 10 units."""

    def __init__(self, connect: Connect, database: Database, kind: type[World] = World) -> None:
        self.world = kind(connect)
        self.world.numbers = (31, 70, 101)  # type: ignore[assignment]
        self.world.build("registered")
        self.where = {"offering": self.world.offering}
        self.register: Keeper = registry.keeper(database)
        self.splits: Keeper = registry.actions_of(database)
        self.terms: Keeper = actions_of(database)
        self.moves = Transferring(self.world, database)
        self.moves.seller = "ivr_one101"
        self.moves.free_lots()
        self.taker = self.moves.taker()
        for units in (4, 6):
            self.moves.registered(self.taker, units)
        self._count = 0

    def propose(self, **changed: object) -> str:
        """Propose a split, with some of its terms changed; None leaves one out."""
        self._count += 1
        split = f"spl_{self._count}"
        asked = {
            **THREE_FOR_TWO,
            "effective_at": (clock.now() - timedelta(minutes=1)).isoformat(),
            "authority_sha256": digest("resolution").hex(),
            "authority_reference": "resolution 7",
            **changed,
        }
        self.splits.propose_split(actor=PROPOSER, **self.where, split=split, asked=asked)
        return split

    def decide(self, split: str, *, by: str = SECOND, is_approved: bool = True, because: str = "") -> str:
        """Decide a split as another person."""
        self.splits.decide_split(
            actor=by, **self.where, split=split, is_approved=is_approved, because=because
        )
        return split

    def hindrances(self, split: str) -> list[str]:
        """Return what keeps a split from beginning."""
        return [row["rule"] for row in self.splits.split_hindrances(**self.where, split=split)]

    def force(self, statement: str) -> None:
        """Bring the offer to where its own story would take it in many more steps."""
        admin = self.world.login("admin")
        with admin.transaction():
            for table in ("engine.offer", "engine.closing"):
                admin.execute(f"alter table {table} disable trigger user".encode())
            admin.execute(statement.encode())
            for table in ("engine.offer", "engine.closing"):
                admin.execute(f"alter table {table} enable trigger user".encode())

    def control(self, kind: str, **terms: object) -> str:
        """Ask for a control action, approve it and find the chain as it wants it."""
        self._count += 1
        action = {**self.where, "action": f"cta_{self._count}"}
        asked = {"kind": kind, "because": "a split", **terms}
        self.register.ask_control(actor="agent.theo", **action, asked=asked)
        self.register.decide_control(actor=SECOND, **action, is_approved=True, because="")
        version = self.register.control_plan(**action)["version"]
        self.register.submit_control(actor="process", **action, version=version, steps="[]")
        return str(action["action"])

    def close(self) -> None:
        """End the sale, and pause the security."""
        self.force("update engine.closing set status = 'certified'")
        self.force("update engine.offer set status = 'closed_successfully'")
        self.control("pause")

    def look(self, block: int = 9, undelivered: int = UNDELIVERED) -> int:
        """Record that the chain has what the register says, and so many units that nobody has bought."""
        ((units,),) = self.ask("select coalesce(sum(units), 0)::bigint from registry.address_units")
        self._count += 1
        seen = {"block_number": block, "block_hash": digest(f"look {self._count}").hex()}
        seen |= {"minted": units + undelivered, "undelivered": undelivered}
        differing: int = self.world.call("registry.compare_records", self.where["offering"], seen)
        return differing

    def begin(self, split: str) -> None:
        """Begin a split with so many units that nobody has bought, as the chain shows them."""
        self.look()
        self.splits.begin_split(actor="process", **self.where, split=split, undelivered=UNDELIVERED)

    def open_wallets(self, split: str) -> list[dict[str, object]]:
        """Return the wallets that are to be changed, as lines of a transaction."""
        return [
            {"split": split, "address": bytes(row["address"]).hex(), "units": row["units"]}
            for row in self.splits.open_wallets(**self.where, split=split)
        ]

    def sign(self, name: str, lines: list[dict[str, object]]) -> str:
        """Store a transaction with these lines; return its id."""
        call = self.world.call
        call("registry.open_key", CHAIN, AGENT_KEY, "agent")
        with self.world.login("registry").transaction():
            stored = {
                "id": f"txn_{name}",
                "intent": f"int_{name}",
                "purpose": "split",
                "chain_id": CHAIN,
                "sender": AGENT_KEY.hex(),
                "nonce": call("registry.take_nonce", CHAIN, AGENT_KEY),
                "max_fee": 2_000_000_000,
                "priority_fee": 1_000_000_000,
                "hash": digest(name).hex(),
                "raw": "00",
            }
            call("registry.record_transaction", self.where["offering"], stored, lines)
        return f"txn_{name}"

    def final(self, transaction: str, lines: list[dict[str, object]]) -> int:
        """Let the chain make a transaction final that did these lines; return how many were new."""
        logs = [
            {"address": line["address"], "units": line["units"], "ordinal": n} for n, line in enumerate(lines)
        ]
        block = {"number": 9, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
        posted: int = self.world.call(
            "registry.finalize", self.where["offering"], transaction, block, json.dumps(logs)
        )
        return posted

    def execute(self, **changed: object) -> str:
        """Take a split all the way, in one transaction of the chain."""
        split = self.decide(self.propose(**changed))
        self.begin(split)
        if lines := self.open_wallets(split):
            self.final(self.sign(split, lines), lines)
        self.look()
        return split

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a question to the register."""
        return self.world.login("registry").execute(query.encode()).fetchall()

    def lots(self, investor: str) -> list[tuple[Any, ...]]:
        """Return what is left of a holder's lots, with their days."""
        return self.ask(
            "select left_units, acquired_on, period_from, legend from registry.lot_standing"
            f" where investor_id = '{investor}' and left_units > 0 order by left_units"
        )

    def supply_differs(
        self, delivered: int, undelivered: int = UNDELIVERED, block: int = 9
    ) -> tuple[int, int]:
        """Return how many totals differ from such a supply, in the register's books and to reconciliation."""
        seen = {"block_number": block, "block_hash": "09" * 32, "undelivered": undelivered}
        chain = json.dumps({"lines": {}, "delivered": delivered, "block": block})
        supply = "select from reconciliation.holdings(%s, null, %s) d where d.kind = %s"
        told = [self.where["offering"], chain, "supply_is_not_the_control_book"]
        looked = len(self.world.login("admin").execute(supply.encode(), told).fetchall())
        with self.world.login("registry").transaction(force_rollback=True):
            seen["minted"] = delivered + undelivered
            return self.world.call("registry.compare_records", self.where["offering"], seen), looked

    def differing(self) -> list[tuple[Any, ...]]:
        """Return totals that are not equal, and holdings that are not their postings and lots."""
        return self.ask(
            "select kind from registry.comparison where left_units <> right_units"
            " union all select holding_id from registry.holding_parts"
            " where units <> posted_units or units <> lot_units"
        )


@pytest.fixture
def units(connect: Connect, database: Database) -> Class:
    return Class(connect, database)


@pytest.fixture
def at_rest(units: Class) -> Class:
    units.close()
    return units


def test_terms_that_do_not_hold_are_refused_by_name(units: Class) -> None:
    for rule, changed in {
        "split_has_a_rule_for_fractions": {"fractions": None, "cash_price_minor": None},
        "cash_in_lieu_has_its_price": {"cash_price_minor": None},
        "split_changes_the_units": {"new_units": 2},
        "split_ratio_is_in_lowest_terms": {"new_units": 4},
        "split_ratio_is_of_whole_numbers": {"for_units": 0},
        "split_has_its_paper": {"authority_sha256": "00"},
        "split_names_its_authority": {"authority_reference": " "},
    }.items():
        with pytest.raises(Refused, match=rule):
            units.propose(**changed)
    split = units.propose()
    with pytest.raises(Refused, match="one_split_waits"):
        units.propose()
    with pytest.raises(Refused, match="split_needs_two_people"):
        units.decide(split, by=PROPOSER)
    with pytest.raises(Refused, match="declined_split_has_its_reason"):
        units.decide(split, is_approved=False)
    units.decide(split, is_approved=False, because="the ratio is another")
    given_up = units.decide(units.propose())
    units.splits.abandon_split(actor=SECOND, **units.where, split=given_up, because="the issuer took it back")
    with pytest.raises(Refused, match="split_is_agreed"):
        units.begin(given_up)


def test_a_split_waits_for_each_condition_by_its_name(units: Class) -> None:
    later = (clock.now() + timedelta(days=1)).isoformat()
    split = units.propose(effective_at=later)
    units.control("freeze_units", investor=units.taker, units=1)
    asked = units.moves.asked(units.taker)
    selling = [
        "split_is_agreed",
        "split_time_has_come",
        "split_follows_the_sale",
        "split_meets_no_open_closing",
        "split_meets_a_paused_security",
        "split_meets_units_at_rest",
        "split_meets_no_frozen_part",
    ]
    assert units.hindrances(split) == selling
    units.decide(split)
    assert units.hindrances(split) == selling[1:]
    with pytest.raises(Refused, match="split_time_has_come"):
        units.begin(split)
    units.close()
    assert units.hindrances(split) == ["split_time_has_come", *selling[5:]]
    units.splits.abandon_split(actor=SECOND, **units.where, split=split, because="at once instead")
    units.moves.keeper.end_transfer(
        actor="holder.clerk", **units.where, transfer=asked, status="withdrawn", reasons=[]
    )
    units.control("thaw_units", investor=units.taker, units=1)
    units.register.keep_apart(
        actor="agent.theo", **units.where, entry="sub_one", side="credit", units=1, reference="paper 1",
        because="no holding is named", owner="agent.theo",
    )  # fmt: skip
    split = units.decide(units.propose())
    assert units.hindrances(split) == ["split_meets_records_that_agree"]
    with pytest.raises(Refused, match="split_meets_records_that_agree"):
        units.begin(split)
    assert units.open_wallets(split) == []


def test_every_lot_moves_by_the_ratio_and_fractions_are_owed_in_cash(at_rest: Class) -> None:
    before = {holder: at_rest.lots(holder) for holder in ("ivr_one101", at_rest.taker)}
    split = at_rest.decide(at_rest.propose())
    at_rest.begin(split)
    lines = at_rest.open_wallets(split)
    assert sorted(line["units"] for line in lines) == [5, 5, 15, 35, 45]

    # While wallets are changed one by one, nothing else moves and no wallet is changed twice.
    for act in (
        lambda: at_rest.control("resume"),
        lambda: at_rest.moves.asked(at_rest.taker),
        lambda: at_rest.control("freeze_units", investor=at_rest.taker, units=1),
    ):
        with pytest.raises(Refused, match="split_is_carried_through_first"):
            act()
    first = at_rest.sign("first", lines[:2])
    for again in (lines[:1], [{**lines[2], "units": 1}], [{**lines[2], "address": "ff" * 20}]):
        with pytest.raises(psycopg.Error) as refused:
            at_rest.sign("again", again)
        assert refused.value.diag.constraint_name == "wallet_is_changed_once"
    with pytest.raises(psycopg.Error) as refused:
        at_rest.final(first, [lines[0], {**lines[1], "units": 1}])
    assert refused.value.diag.constraint_name == "chain_delivered_the_frozen_lines"
    # A supply with any part of what is on its way agrees; one that has more than it does not.
    ((treasury,),) = at_rest.ask("select encode(treasury_address, 'hex') from engine.offer")
    minted = sum(line["units"] for line in lines[:2] if line["address"] != treasury)
    supplies = (201, 202, 202 + minted, 203 + minted)
    assert [at_rest.supply_differs(units) for units in supplies] == [(1, 1), (0, 0), (0, 0), (1, 1)]
    assert at_rest.final(first, lines[:2]) == 2
    supplies = (202, 201 + minted, 202 + minted, 203 + minted)
    assert [at_rest.supply_differs(units) for units in supplies] == [(1, 1), (1, 1), (0, 0), (1, 1)]
    assert at_rest.supply_differs(202 + minted, 1_500_000) == (1, 0)
    # Whoever looked before the block that shows it saw none of it, or a part.
    supplies = (201, 202, 202 + minted, 203 + minted)
    differs = [at_rest.supply_differs(units, block=8) for units in supplies]
    assert differs == [(1, 1), (0, 0), (0, 0), (1, 1)]
    assert at_rest.moves.units()["ivr_one70"] == 70
    second = at_rest.sign("second", lines[2:])
    assert at_rest.final(second, lines[2:]) == 3
    assert at_rest.final(second, lines[2:]) == 0

    held = {"ivr_one31": 46, "ivr_one70": 105, "ivr_one101": 136, at_rest.taker: 15}
    assert at_rest.moves.units() == held
    rows = at_rest.splits.split_lines(**at_rest.where, split=split)
    owed = {row["investor_id"]: row["cash_minor"] for row in rows if row["cash_minor"]}
    assert (sorted(owed), sum(owed.values())) == (["ivr_one101", "ivr_one31"], 33_333)
    assert [row[0] for row in at_rest.lots(at_rest.taker)] == [6, 9]
    for holder, lots in before.items():
        assert [row[1:] for row in at_rest.lots(holder)] == [row[1:] for row in lots]
    assert at_rest.look() == 0
    assert at_rest.differing() == []
    (balance,) = at_rest.ask("select authorised_units, issued_units, register_units from registry.balance")
    assert balance == (1_500_000, 302, 302)
    day = at_rest.register.register_as_of(**at_rest.where, day=clock.today())
    assert {row["investor_id"]: (row["units"], row["lots"]) for row in day}[at_rest.taker] == (15, 2)

    at_rest.terms.follow_split(actor="process", **at_rest.where, split=split)
    at_rest.terms.follow_split(actor="process", **at_rest.where, split=split)
    offer = at_rest.ask("select unit_price_minor, units_total, minimum_units from engine.offer")
    assert offer == [(33_333, 1_500_000, 1)]
    at_rest.control("resume")
    assert at_rest.moves.failing("ivr_one31", 1, seller="ivr_one70") == []


def test_a_split_leaves_the_principal_of_coupons(at_rest: Class) -> None:
    admin, call, offering = at_rest.world.login("admin"), at_rest.world.call, at_rest.where["offering"]
    admin.execute("alter table registry.posting disable trigger user")
    admin.execute("update registry.posting set posted_at = posted_at - interval '1 day'")
    admin.execute("alter table registry.posting enable trigger user")
    today, coupons = clock.today(), Coupons(Desk(at_rest.terms.database))
    said = {"kind": "fixed", "rate_bp": 1200, "principal": 50_001, "day_count": "actual/actual", "months": 1}
    said |= {"starts_on": "2024-01-01", "ends_on": "2025-01-01"}

    def worked(record_on: date) -> int:
        return int(coupons.work_out(offering, 1, record_on)["amount_minor"])

    def rounded(whole: Fraction) -> int:
        return floor(whole + Fraction(1, 2))

    def put(name: str) -> None:
        call("engine.propose_schedule", offering, name, json.dumps(said))
        call("engine.decide_schedule", offering, name, "true", actor="usr_second")

    put("csc_before")
    call("engine.propose_schedule", offering, "csc_old", json.dumps(said))
    assert worked(today) == rounded(Fraction(202 * 50_001, 100))
    at_rest.execute()
    assert worked(today) == rounded(Fraction(302 * 50_001 * 2, 3 * 100))
    at_rest.execute(new_units=1, for_units=7, cash_price_minor=9)
    ((units,),) = at_rest.ask("select sum(units)::bigint from registry.holding")
    assert worked(today) == rounded(Fraction(units * 50_001 * 2 * 7, 3 * 100))
    assert worked(today - timedelta(days=1)) == rounded(Fraction(202 * 50_001, 100))
    working = coupons.work_out(offering, 1, today)["working"]
    assert [line.split(": ")[1] for line in working if line.startswith("split ")] == [
        "a unit counts 2/3 of that principal",
        "a unit counts 7/1 of that principal",
    ]
    # Terms that were decided afterwards are of the units since then; older proposals are of other units.
    put("csc_after")
    assert worked(today) == rounded(Fraction(units * 50_001, 100))
    assert worked(today - timedelta(days=1)) == rounded(Fraction(202 * 50_001 * 3, 2 * 7 * 100))
    decided = "update engine.coupon_schedule set status = 'in_force', decided_by = 'usr_second'"
    backdated = f"{decided}, proposed_at = now(), decided_at = '2020-01-01' where schedule_id = 'csc_old'"
    with pytest.raises(psycopg.Error) as old:
        call("engine.decide_schedule", offering, "csc_old", "true", actor="usr_second")
    assert old.value.diag.constraint_name == "terms_are_of_the_units_as_proposed"
    assert wall(at_rest.world, backdated, "engine") == "coupon_terms_stay_as_proposed"
    assert wall(at_rest.world, backdated.replace("proposed_at = now(), ", ""), "engine") == (
        "terms_are_of_the_units_as_proposed"
    )
    late = "update engine.coupon_schedule set decided_at = now() where status = 'in_force'"
    assert wall(at_rest.world, late, "engine") == "coupon_terms_stay_as_proposed"


def test_a_reverse_split_rounds_by_its_rule_and_may_leave_a_holder_without_units(at_rest: Class) -> None:
    asked = {"new_units": 1, "for_units": 20, "cash_price_minor": None}
    at_rest.execute(**asked, fractions="round_half")
    held = {"ivr_one31": 2, "ivr_one70": 4, "ivr_one101": 5, at_rest.taker: 1}
    assert at_rest.moves.units() == held
    assert at_rest.differing() == []
    at_rest.execute(**asked | {"for_units": 3}, fractions="round_up")
    assert at_rest.moves.units() == {"ivr_one31": 1, "ivr_one70": 2, "ivr_one101": 2, at_rest.taker: 1}
    at_rest.execute(new_units=1, for_units=2, fractions="cash", cash_price_minor=5)
    described = registry.Described("Example Issuer Inc.", clock.today(), "US")
    package = registry.export_package(at_rest.register, at_rest.where["offering"], described, clock.now())
    judged = registry.judge_package(package)
    assert (judged.faults, judged.units) == ([], 2)
    assert at_rest.moves.units() == {"ivr_one31": 0, "ivr_one70": 1, "ivr_one101": 1, at_rest.taker: 0}
    assert at_rest.differing() == []
    assert at_rest.ask("select coalesce(sum(units), 0) from registry.address_units") == [(2,)]


def test_rounding_up_does_not_issue_more_than_is_authorised(at_rest: Class) -> None:
    change = {**at_rest.where, "change": "cch_one"}
    at_rest.register.propose_control_change(
        actor="agent.theo", **change, units=202, authority_sha256=digest("less"), reference="resolution 6"
    )
    at_rest.register.decide_control_change(actor=SECOND, **change, is_approved=True, because="")
    split = at_rest.decide(at_rest.propose(fractions="round_up", cash_price_minor=None))
    assert at_rest.hindrances(split) == ["split_stays_within_the_authorised_units"]
    with pytest.raises(Refused, match="split_stays_within_the_authorised_units"):
        at_rest.splits.begin_split(actor="process", **at_rest.where, split=split, undelivered=0)


def test_an_offer_is_exited_when_nobody_holds_a_unit_and_nothing_is_open(at_rest: Class) -> None:
    engine = at_rest.world.login("engine")

    def leave() -> str:
        with pytest.raises(psycopg.Error) as refused:
            at_rest.world.call("engine.move_offer", at_rest.where["offering"], "exited")
        return f"{refused.value.diag.constraint_name}: {refused.value.diag.message_primary}"

    assert leave().startswith("exit_leaves_no_units_outstanding: ")
    assert "exit_leaves_no_units_outstanding 202" in leave()
    bought_out = {"new_units": 1, "for_units": 1000, "fractions": "round_half", "cash_price_minor": None}
    split = at_rest.decide(at_rest.propose(**bought_out))
    assert "exit_leaves_no_units_under_way 1" in leave()
    at_rest.begin(split)
    lines = at_rest.open_wallets(split)
    at_rest.final(at_rest.sign("last", lines), lines)
    assert at_rest.moves.units() == dict.fromkeys(at_rest.moves.units(), 0)
    assert leave().startswith("exit_leaves_no_units_under_way: ")
    at_rest.terms.follow_split(actor="process", **at_rest.where, split=split)
    waiting = at_rest.propose()
    assert leave().startswith("exit_leaves_no_units_under_way: ")
    at_rest.decide(waiting, is_approved=False, because="nothing is left to split")
    # Escrow that nobody released, money that is nobody's, a balance of a payee, what a bank took back.
    for account in (
        "liab:inv:inv_one31:cleared",
        "liab:unmatched",
        "liab:wallet:ivr_one31",
        "asset:clawback_receivable",
    ):
        side = "debit" if account.startswith("asset:") else "credit"
        key = f"'{at_rest.where['offering']}', '{account}', 'USD'"
        at_rest.force("delete from treasury.balance")
        at_rest.force(f"insert into treasury.account values ({key}, '{side}') on conflict do nothing")
        at_rest.force(f"insert into treasury.balance values ({key}, 7)")
        assert leave().startswith("exit_leaves_no_money_in_escrow: ")
        assert leave().endswith("exit_leaves_no_money_in_escrow 7")
    at_rest.force("delete from treasury.balance")
    at_rest.world.call("engine.move_offer", at_rest.where["offering"], "exited")
    assert engine.execute(b"select status from engine.offer").fetchall() == [("exited",)]


def test_no_login_writes_a_split_past_its_walls(at_rest: Class) -> None:
    split = at_rest.decide(at_rest.propose())
    at_rest.look()
    of = f"where split_id = '{split}'"
    raw = "update engine.offer set status = 'exited', because = 'sold'"
    assert wall(at_rest.world, raw, "engine") == "exit_leaves_no_units_outstanding"
    begun = "begun_at = now(), authorised_before = 1000000, authorised_after = 1500000"
    line = f"'{at_rest.where['offering']}', '{split}'"
    begin = f"update registry.split set status = 'begun', {begun} {of}"
    lines = f"insert into registry.split_line select {line}, l.* from registry.split s,"
    lines += f" lateral registry.lines_of_split(s) l {of};"
    places = f"insert into registry.split_place select {line}, p.* from registry.split s,"
    places += f" lateral registry.places_of_split(s, {UNDELIVERED}) p {of};"
    of_holder = "split_has_a_place_for_every_wallet"
    fewer = places.replace(f"(s, {UNDELIVERED})", f"(s, {UNDELIVERED - 1})")
    for rule, forged in (
        ("split_has_the_undelivered_units_of_the_chain", lines + fewer + begin),
        ("split_has_the_undelivered_units_of_the_chain", lines + begin),
        ("authorised_units_move_by_the_ratio", lines + places + begin.replace("1500000", "9000000")),
        ("authorised_units_move_by_the_ratio", lines + places + begin.replace("1000000", "1000001")),
        ("split_has_a_line_for_every_holder", lines.replace("l.*", OWED) + places + begin),
        (of_holder, lines + places.replace(f"{of};", f"{of} and p.holding_id is null;") + begin),
        (of_holder, lines + places.replace("p.*", PLACED.format("p.holding_id is null")) + begin),
        (of_holder, lines + places.replace("p.*", PLACED.format("p.holding_id is not null")) + begin),
    ):
        assert wall(at_rest.world, forged) == rule, forged
    refused = {
        "split_has_a_line_for_every_holder": f"update registry.split set status = 'begun', {begun} {of}",
        "split_terms_are_locked": f"update registry.split set new_units = 5 {of}",
        "transition_is_listed_for_the_keeper": f"update registry.split set status = 'proposed' {of}",
        "records_are_never_deleted": f"delete from registry.split {of}",
    }
    for rule, statement in refused.items():
        assert wall(at_rest.world, statement) == rule
    at_rest.begin(split)
    executed = "status = 'executed', executed_at = now()"
    refused = {
        "split_follows_its_chain": f"update registry.split set {executed} {of}",
        "split_lines_stand_since_it_began": "insert into registry.split_place"
        f" values ({line}, '\\x{'aa' * 20}', null, 1, 9)",
        "history_is_append_only": "update registry.split_line set units_after = units_after + 1",
        "control_book_changes_on_written_authority": "update registry.control_book"
        " set authorised_units = 1500000",
        "split_is_carried_through_first": "insert into registry.movement (offering_id, movement_id, kind,"
        " to_holding_id, units, reference, is_tacked) select offering_id, 'mov_thief', 'import', holding_id,"
        " 1, 'thief', true from registry.holding limit 1",
    }
    for rule, statement in refused.items():
        assert wall(at_rest.world, statement) == rule
    seen = f"insert into registry.split_seen select offering_id, split_id, address, {CHAIN},"
    seen += " sha256('thief'), 0 from registry.split_place limit 1"
    assert wall(at_rest.world, seen) == "split_follows_its_chain"
    of_another = (
        "insert into registry.split_call select p.offering_id, p.split_id, p.address, t.intent_id from"
        f" {FINAL}; insert into registry.split_seen select p.offering_id, p.split_id, p.address, t.chain_id,"
        f" t.hash, 0 from {FINAL}"
    )
    assert wall(at_rest.world, of_another) == "split_follows_its_chain"
    change = {**at_rest.where, "change": "cch_late", "units": 5_000_000, "reference": "resolution 8"}
    with pytest.raises(Refused, match="split_is_carried_through_first"):
        at_rest.register.propose_control_change(actor="agent.theo", **change, authority_sha256=digest("more"))
    cheap = f"insert into engine.followed_split values ({line}, '{{50000,1,1}}', '{{1,1,1}}')"
    assert wall(at_rest.world, cheap, "engine") == "followed_split_is_executed"
    open_lines = at_rest.open_wallets(split)
    at_rest.final(at_rest.sign("whole", open_lines), open_lines)
    elsewhere = f"insert into engine.followed_split select {line}, t.b, engine.terms_after_split(t.b, s)"
    elsewhere += f" from registry.split s, (select array[2, 2, 2]::bigint[] as b) t {of}"
    assert wall(at_rest.world, elsewhere, "engine") == "followed_split_is_executed"


def test_what_is_asked_while_a_split_begins_waits_and_is_refused(at_rest: Class) -> None:
    split = at_rest.decide(at_rest.propose())
    at_rest.look()
    waiting = "select from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
    with ThreadPoolExecutor(1) as other:
        with at_rest.world.login("registry").transaction():
            at_rest.world.call("registry.begin_split", at_rest.where["offering"], split, UNDELIVERED)
            asked = other.submit(at_rest.moves.asked, at_rest.taker)
            watcher = at_rest.world.login("admin")
            while not asked.done() and not watcher.execute(waiting.encode()).fetchall():
                pass
        with pytest.raises(Refused, match="split_is_carried_through_first"):
            asked.result()


@pytest.fixture(scope="module")
def asking(shared: Connect) -> psycopg.Connection:
    return shared("admin")


@settings(max_examples=40, deadline=None)
@given(whole=st.integers(0, 10**15), weights=st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_parts_sum_to_the_whole_and_are_those_of_the_rounding_rule(
    asking: psycopg.Connection, whole: int, weights: list[int]
) -> None:
    keyed = {f"k{n}": weight for n, weight in enumerate(weights) if weight}
    if not keyed:
        return
    parts = dict(
        asking.execute(
            b"select key, part from registry.apportioned(%s, %s, %s)",
            [whole, list(keyed), list(keyed.values())],
        ).fetchall()
    )
    assert parts == allocate(whole, keyed)
