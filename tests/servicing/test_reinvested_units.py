# ruff: noqa: S608 - names and ids come from this file
"""Units that are reinvested: minted, posted once, hindered one by one, and walls that raw SQL meets."""

from __future__ import annotations

import psycopg
import pytest

from bookrunner.core import clock
from bookrunner.db import Database
from tests.allocation.test_illegal import every_right
from tests.attack.world import CHAIN, Connect, digest
from tests.servicing.buying import rule_of
from tests.servicing.reinvesting import ONE, SECOND, THREE, TWO, Reinvestor
from tests.treasury.escrow import refused
from tests.treasury.test_refunds import block

POOL = 6_100_00
BLOCK = {"number": 9, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
WALLET = "decode(repeat('0a', 20), 'hex')"
COPY = """insert into engine.reinvestment (offering_id, distribution_id, line_id, investor_id, plan_id,
    election_id, share_bp, price_minor, units, amount_minor, because)
    select offering_id, distribution_id, 'dln_other', investor_id, plan_id, election_id, share_bp,
    price_minor, units, amount_minor, because from engine.reinvestment limit 1"""
GIVE = f"""insert into registry.movement (offering_id, movement_id, kind, to_holding_id, to_address, units,
    reference, is_tacked, chain_id, transaction_hash, ordinal)
    select offering_id, 'mov_stolen', 'reinvestment', holding_id, {WALLET}, units, line_id, false, {CHAIN},
    sha256('x'), 0 from registry.reinvestment_open limit 1"""
BARE = """insert into registry.movement (offering_id, movement_id, kind, to_holding_id, units, reference,
    is_tacked) select offering_id, 'mov_stolen', 'reinvestment', holding_id, units, line_id, false
    from registry.reinvestment_open limit 1"""
CALL = f"""insert into registry.reinvestment_call (offering_id, distribution_id, line_id, address, units,
    intent_id) select offering_id, distribution_id, line_id, {WALLET}, 1000, intent_id
    from registry.reinvestment_open, registry.chain_intent limit 1"""
RUN, PLAN, BOOK = "engine.distribution", "registry.reinvestment_plan", "registry.control_book"
# Each is tried on a started distribution of two lines that are owed 23 units; a mint of one is signed.
STOLEN = [
    ("history_is_append_only", "engine", "update engine.reinvestment set units = 99, amount_minor = 297000"),
    ("history_is_append_only", "registry", "delete from registry.reinvestment_call"),
    ("distribution_stays_as_drafted", "engine", COPY),
    ("distribution_stays_as_drafted", "engine", f"update {RUN} set reinvested_minor = 0, net_minor = 427000"),
    ("plan_terms_are_locked", "registry", f"update {PLAN} set price_minor = 1"),
    ("plan_terms_are_locked", "registry", f"update {PLAN} set most_units = 1000000"),
    ("reinvestment_gives_its_line", "registry", GIVE),
    ("reinvestment_gives_its_line", "registry", GIVE.replace(" units, line_id", " 1000, line_id")),
    ("reinvestment_gives_its_line", "registry", BARE),
    ("mint_follows_its_money", "registry", CALL),
    (
        "control_book_changes_on_written_authority",
        "registry",
        f"update {BOOK} set authority_sha256 = sha256('x')",
    ),
    ("issued_units_are_the_postings", "registry", f"update {BOOK} set issued_units = issued_units + 46"),
]


@pytest.fixture
def issuer(connect: Connect, database: Database) -> Reinvestor:
    """Return a class of which two holders are owed units of a started distribution."""
    made = Reinvestor(connect, database)
    made.planned()
    made.elect(ONE, 10_000)
    made.elect(TWO, 5_000)
    made.started(POOL)
    return made


def test_units_come_into_the_register_with_the_transaction_that_minted_them(issuer: Reinvestor) -> None:
    lines = issuer.minted()
    assert {line["units"] for line in lines} == {23}
    signed = issuer.sign("mint", lines)
    assert issuer.minted() == []
    # Whatever of it the chain has by now is no difference, and nothing goes with another transaction.
    for delivered in (61, 61 + 23, 61 + 46):
        assert issuer.differs_at(delivered) == 0
    assert issuer.differs_at(61 + 47) == 1
    first = str(lines[0]["address"])
    assert issuer.apart({first: 23}) == []
    assert issuer.apart({first: 22}) == ["units_differ"]
    with refused("line_is_minted_once"):
        issuer.sign("twice", lines)
    with refused("chain_delivered_the_frozen_lines"):
        issuer.call("registry.finalize", issuer.offering, signed, BLOCK, issuer.logs(lines, {"units": 24}))
    assert issuer.held() == {ONE: 10, TWO: 20, THREE: 31}
    assert issuer.final(signed, lines) == 2
    assert issuer.final(signed, lines) == 0
    issuer.look()
    assert issuer.held() == {ONE: 33, TWO: 43, THREE: 31}
    assert issuer.differing() == []
    lots = issuer.ask(
        "select units, cost_minor, acquired_on from registry.reinvested_lot order by investor_id"
    )
    assert lots == [(23, 69_000, clock.today())] * 2
    new = issuer.ask(
        "select legend, period_from, from_lot_id from registry.lot where movement_id is not null"
    )
    assert new == [("Restricted: 17 CFR 230.144", clock.today(), None)] * 2
    assert issuer.ask("select issued_units, authority_sha256 from registry.control_book") == [
        (107, digest("plan"))
    ]
    assert issuer.minted() == []
    assert issuer.apart({}) == []


def test_a_mint_waits_for_nobody_that_it_does_not_mint_to(issuer: Reinvestor) -> None:
    first = ONE if issuer.minted()[0]["address"] == issuer.address(10).hex() else TWO
    admin, session = issuer.login("admin"), issuer.login("registry")
    session.execute("set lock_timeout = '500ms'")
    others = "where offering_id = %s and investor_id <> %s for update"
    with admin.transaction():
        for table in ("registry.holding", "engine.position"):
            admin.execute(f"select from {table} {others}".encode(), [issuer.offering, first])
        issuer.sign("part", issuer.minted()[:1])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            issuer.sign("other", issuer.minted())
    session.execute("reset lock_timeout")
    assert len(issuer.minted()) == 1


def test_a_mint_that_comes_to_nothing_has_a_successor(issuer: Reinvestor) -> None:
    lines = issuer.minted()
    signed = issuer.sign("first", lines)
    issuer.call("registry.record_revert", issuer.offering, signed, "the chain refused it")
    assert issuer.minted() == lines
    assert issuer.issue("second") == 2
    assert issuer.held()[ONE] == 33


def test_a_dropped_mint_waits_for_its_key_and_is_made_once(issuer: Reinvestor) -> None:
    lines = issuer.minted()
    issuer.sign("first", lines)
    issuer.call("registry.drop_intent", issuer.offering, "txn_first", "stp_1")
    with refused("chain_key_is_not_stopped"):
        issuer.sign("second", lines)
    issuer.call("registry.propose_start", issuer.offering, "stp_1", "another program had the key")
    issuer.call("registry.start_key", issuer.offering, "stp_1", 1, actor=SECOND)
    assert issuer.issue("third") == 2
    assert issuer.held() == {ONE: 33, TWO: 43, THREE: 31}


def test_a_mint_that_is_replaced_is_posted_by_whichever_attempt_comes_through(issuer: Reinvestor) -> None:
    lines = issuer.minted()
    issuer.sign("first", lines)
    more = {"id": "txn_more", "max_fee": 3_000_000_000, "priority_fee": 2_000_000_000, "raw": "01"}
    told = [issuer.offering, "txn_first", more | {"hash": digest("more").hex()}]
    assert issuer.call("registry.record_replacement", *told)
    assert issuer.final("txn_more", lines) == 2
    assert issuer.ask("select status from registry.chain_transaction where transaction_id = 'txn_first'") == [
        ("replaced",)
    ]
    assert issuer.held() == {ONE: 33, TWO: 43, THREE: 31}
    assert issuer.minted() == []


def test_a_recovery_waits_for_units_that_are_on_their_way(issuer: Reinvestor) -> None:
    lines = issuer.minted()
    signed = issuer.sign("first", lines)
    on = [issuer.offering, "wmp_late"]
    issuer.call("registry.open_mapping", *on, ONE, CHAIN, b"\x0b" * 20, "wlc_late@1", "key")
    issuer.call("registry.mark_screened", *on, "scr_late@1")
    issuer.call("registry.approve_wallet", *on)
    order = {"investor": ONE, "mapping": "wmp_late", "order_reference": "order 7"}
    order["order_sha256"] = digest("order").hex()
    asked = {"kind": "recover_wallet", "because": "an order", **order}
    action = {**issuer.where, "action": "cta_late"}
    issuer.register.ask_control(actor="agent.theo", **action, asked=asked)
    decide = {"actor": SECOND, **action, "is_approved": True, "because": ""}
    assert rule_of(lambda: issuer.register.decide_control(**decide)) == "minted_units_arrive_first"
    issuer.final(signed, lines)
    issuer.register.decide_control(**decide)
    assert issuer.held()[ONE] == 33


def test_a_wallet_is_linked_when_no_units_are_on_their_way_to_another(issuer: Reinvestor) -> None:
    lines = issuer.minted()
    signed = issuer.sign("first", lines)
    on = [issuer.offering, "wmp_next"]
    issuer.call("registry.open_mapping", *on, ONE, CHAIN, b"\x0b" * 20, "wlc_next@1", "key")
    issuer.call("registry.mark_screened", *on, "scr_next@1")
    issuer.call("registry.approve_wallet", *on)
    with refused("wallet_changes_between_deliveries"):
        issuer.call("registry.link_wallet", *on, actor="usr_agent")
    assert issuer.final(signed, lines) == 2
    issuer.call("registry.link_wallet", *on, actor="usr_agent")


def test_nothing_else_is_issued_of_what_is_promised(issuer: Reinvestor) -> None:
    lines = issuer.minted()[:1]
    signed = issuer.sign("first", lines)
    with issuer.untriggered("registry.control_book") as admin:
        admin.execute(b"update registry.control_book set authorised_units = 61 + 46 - 1")
    with refused("promised_units_stay_authorised"):
        issuer.final(signed, lines)
    assert issuer.held() == {ONE: 10, TWO: 20, THREE: 31}


def test_one_holder_waits_and_the_others_go_on(issuer: Reinvestor) -> None:
    block(issuer, 10)
    assert issuer.waits() == {ONE: "holder_is_cleared"}
    assert issuer.issue() == 1
    assert issuer.held() == {ONE: 10, TWO: 43, THREE: 31}
    assert issuer.runs.look(clock.today()) == 0
    assert issuer.differing() == []


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("pause", "security_is_not_paused"),
        ("freeze_account", "account_is_not_frozen"),
        ("revoked wallet", "wallet_is_linked"),
        ("held holding", "holding_is_not_held"),
        ("money back", "mint_follows_its_money"),
        ("wallet change", "wallet_change_in_progress"),
    ],
)
def test_a_line_waits_for_each_condition_by_its_name(issuer: Reinvestor, kind: str, rule: str) -> None:
    lines = issuer.minted()
    one = f"where investor_id = '{ONE}'"
    if kind == "revoked wallet":
        with issuer.untriggered("registry.wallet_mapping") as admin:
            admin.execute(f"update registry.wallet_mapping set status = 'revoked' {one}".encode())
    elif kind == "held holding":
        with issuer.untriggered("registry.holding") as admin:
            admin.execute(f"update registry.holding set status = 'held' {one}".encode())
    elif kind == "money back":
        with issuer.untriggered("treasury.receipt") as admin:
            admin.execute(
                b"update treasury.receipt set status = 'returned', receivable_minor = 1"
                b" where funds_distribution_id is not null"
            )
    elif kind == "wallet change":
        issuer.call(
            "registry.open_mapping", issuer.offering, "wmp_new", ONE, CHAIN, b"\x0b" * 20, "wlc_x@1", "key"
        )
    else:
        issuer.control(kind, **({} if kind == "pause" else {"investor": ONE}))
    assert issuer.waits()[ONE] == rule
    with refused("line_is_minted_once"):
        issuer.sign("past", lines)


def test_raw_statements_meet_the_walls(issuer: Reinvestor) -> None:
    issuer.sign("mint", issuer.minted()[:1])
    for rule, login, statement in STOLEN:
        with every_right(issuer, login) as connection, refused(rule):
            connection.execute(statement.encode())


def test_a_draft_that_reinvests_otherwise_is_refused_at_its_commit(
    connect: Connect, database: Database
) -> None:
    issuer = Reinvestor(connect, database)
    plan = issuer.planned()
    election = issuer.elect(ONE, 10_000)
    issuer.elect(TWO, 5_000)
    run = issuer.drafted(POOL)
    columns = {
        table: ", ".join(
            row[0] for row in issuer.ask(
                "select column_name from information_schema.columns where table_schema = 'engine'"
                " and table_name = %s and is_generated = 'NEVER' order by ordinal_position", table
            )
        )
        for table in ("distribution", "distribution_line", "distribution_tier", "reinvestment")
    }  # fmt: skip
    issuer.cancel(run)

    def copied(table: str, *changes: tuple[str, str]) -> str:
        taken = columns[table].replace("distribution_id", "'dst_copy'", 1)
        for name, value in changes:
            taken = taken.replace(name, value)
        return f"insert into engine.{table} ({columns[table]}) select {taken} from engine.{table}"

    more = "case when investor_id = '{}' then {} else {} end"
    # Nobody gets more or fewer units than the election says, under another plan, or none of it.
    attacks = {
        "more units": (
            ("units", more.format(ONE, "units - 1", "units")),
            ("amount_minor", more.format(ONE, "amount_minor - 3000", "amount_minor")),
        ),
        "cash": (
            ("units", more.format(ONE, 0, "units")),
            ("amount_minor", more.format(ONE, 0, "amount_minor")),
            ("because", more.format(ONE, "'holder_died'", "because")),
        ),
        "another election": (("election_id", f"'{election}x'"),),
        "another plan": (("plan_id", f"'{plan}x'"),),
        "another share": (("share_bp", "share_bp - 1"),),
    }
    draft = (("status", "'draft'"), ("cancelled_because", "null"), ("approved_by", "null"))
    for changes in attacks.values():
        with every_right(issuer, "engine") as session, refused("reinvestment_is_worked_out"):
            session.execute(copied("distribution_tier").encode())
            session.execute(copied("distribution_line").encode())
            session.execute(copied("reinvestment", *changes).encode())
            session.execute(copied("distribution", *draft).encode())
            session.execute(b"set constraints all immediate")
    with every_right(issuer, "engine") as session:
        for table in ("distribution_tier", "distribution_line", "reinvestment"):
            session.execute(copied(table).encode())
        session.execute(copied("distribution", *draft).encode())
        session.execute(b"set constraints all immediate")
