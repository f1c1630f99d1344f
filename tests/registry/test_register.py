"""The register as of a day: statements, lots and legends, the control book beside it, and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pypdf import PdfReader

from bookrunner.adapters.documents import Typesetter
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import Connect, World, digest

AGENT, SECOND = "agent.theo", "agent.tess"
WHERE = {"offering": "ofr_one"}


@pytest.fixture
def world(connect: Connect) -> World:
    return World(connect).build("registered")


@pytest.fixture
def keeper(database: Database, world: World) -> Keeper:
    assert world.offering == "ofr_one"
    return registry.keeper(database)


@pytest.fixture(scope="module")
def press() -> Iterator[Typesetter]:
    with Typesetter() as opened:
        yield opened


def _backdate(world: World, days: int) -> None:
    """Move what was posted and entered to an earlier day, as a restored old database would have it."""
    connection = world.login("admin")
    with connection.transaction():
        for table, column in (("posting", "posted_at"), ("control_entry", "entered_at")):
            connection.execute(f"alter table registry.{table} disable trigger aa_append_only".encode())
            connection.execute(
                f"update registry.{table} set {column} = {column} - interval '{days} days'".encode()  # noqa: S608
            )
            connection.execute(f"alter table registry.{table} enable always trigger aa_append_only".encode())


def test_the_register_of_a_day_equals_the_control_book_of_that_day(world: World, keeper: Keeper) -> None:
    _backdate(world, 2)
    two = World(world.login, "two", 2).build("published")
    assert two.offering == "ofr_two"
    today = clock.today()
    posted = today - timedelta(days=2)
    for day, units in (
        (today, 6),
        (today - timedelta(days=1), 6),
        (posted, 6),
        (posted - timedelta(days=1), 0),
    ):
        rows = keeper.register_as_of(**WHERE, day=day)
        book = keeper.control_as_of(**WHERE, day=day)
        assert sum(row["units"] for row in rows) == units
        assert (0 if book is None else book["issued_units"]) == units
        assert rows == keeper.register_as_of(**WHERE, day=day)
    assert [row["units"] for row in keeper.register_as_of(**WHERE, day=posted)] == [1, 2, 3]
    for asked in (keeper.register_as_of, keeper.control_as_of):
        with pytest.raises(Refused, match="register_day_has_begun"):
            asked(**WHERE, day=today + timedelta(days=2))
    lines = registry.register_csv(keeper, "ofr_one", posted).splitlines()
    assert lines[0] == "holding_id,investor_id,units,lots,first_posted_at,wallets"
    assert lines[1].startswith("hld_one1,ivr_one1,1,1,")
    assert lines[1].endswith(f",0x{world.address(1).hex()}=1")
    assert len(lines) == 4


def test_a_statement_equals_the_register_and_verifies(
    world: World, keeper: Keeper, press: Typesetter
) -> None:
    _backdate(world, 2)
    day = clock.today() - timedelta(days=1)
    on = ("ofr_one", "hld_one2", day)
    statement, made = registry.issue_statement(keeper, press, on, actor=AGENT, offer_name="Example")
    same, again = registry.issue_statement(keeper, press, on, actor=AGENT, offer_name="Example")
    assert (same, made.content) == (statement, again.content)
    found = registry.verify_statement(keeper, press, "ofr_one", made.content)
    assert (found["holding_id"], found["units"], found["as_of"]) == ("hld_one2", 2, day)
    with pytest.raises(Refused, match="statement_is_recorded"):
        registry.verify_statement(keeper, press, "ofr_one", made.content + b" ")
    from io import BytesIO

    text = " ".join(PdfReader(BytesIO(made.content)).pages[0].extract_text().split())
    assert "Units held 2" in text
    assert "Restricted: 17 CFR 230.144" in text
    assert f"0x{world.address(2).hex()} 2" in text
    before = ("ofr_one", "hld_one2", day - timedelta(days=2))
    with pytest.raises(Refused, match="statement_is_not_before_the_first_posting"):
        registry.issue_statement(keeper, press, before, actor=AGENT, offer_name="Example")
    to_come = ("ofr_one", "hld_one2", day + timedelta(days=3))
    with pytest.raises(Refused, match="register_day_has_begun"):
        registry.issue_statement(keeper, press, to_come, actor=AGENT, offer_name="Example")


def test_a_legend_goes_by_an_opinion_and_two_people(world: World, keeper: Keeper) -> None:
    def legend() -> object:
        return (
            world.login("registry")
            .execute("select legend, removal from registry.lot_standing where lot_id = 'lot_one1'")
            .fetchone()
        )

    bearing = "Restricted: 17 CFR 230.144"
    on = WHERE | {"removal": "lgr_1"}
    paper = {"lot": "lot_one1", "basis": "opinion", "paper_sha256": digest("opinion"), "because": "counsel"}
    keeper.propose_legend_removal(actor=AGENT, **on, **paper)
    assert legend() == (bearing, "proposed")
    keeper.decide_legend_removal(actor=SECOND, **on, is_approved=False, because="the opinion is unsigned")
    assert legend() == (bearing, None)
    keeper.propose_legend_removal(actor=AGENT, **(on | {"removal": "lgr_2"}), **paper)
    keeper.decide_legend_removal(actor=SECOND, **WHERE, removal="lgr_2", is_approved=True, because="")
    assert legend() == (None, "approved")


def test_authorised_units_follow_the_issuers_paper_and_two_people(keeper: Keeper) -> None:
    paper = {"units": 2_000_000, "authority_sha256": digest("second"), "reference": "resolution 2"}
    keeper.propose_control_change(actor=AGENT, **WHERE, change="cch_1", **paper)
    assert keeper.balance(**WHERE)["authorised_units"] == 1_000_000
    keeper.decide_control_change(actor=SECOND, **WHERE, change="cch_1", is_approved=True, because="")
    assert keeper.balance(**WHERE)["authorised_units"] == 2_000_000
    book = keeper.control_as_of(**WHERE, day=clock.today())
    assert (book["entry_no"], book["authorised_units"], book["entered_by"]) == (3, 2_000_000, SECOND)
    keeper.propose_control_change(actor=AGENT, **WHERE, change="cch_2", **(paper | {"units": 7}))
    keeper.decide_control_change(actor=SECOND, **WHERE, change="cch_2", is_approved=False, because="unsigned")
    assert keeper.balance(**WHERE)["authorised_units"] == 2_000_000


def test_a_difference_is_named_measured_and_resolved(world: World, keeper: Keeper) -> None:
    def shown(number: int, minted: int, undelivered: int) -> dict[str, object]:
        return {
            "block_number": number,
            "block_hash": digest(f"block {number}").hex(),
            "minted": minted,
            "undelivered": undelivered,
        }

    def kept() -> list[tuple[object, ...]]:
        return (
            world.login("registry")
            .execute(
                "select kind, status, left_units, right_units from registry.record_difference order by kind"
            )
            .fetchall()
        )

    compare = keeper.compare_records
    assert compare(actor=AGENT, **WHERE, chain=None) == 0
    assert compare(actor=AGENT, **WHERE, chain=shown(5, 1_000, 994)) == 0
    assert kept() == []
    assert compare(actor=AGENT, **WHERE, chain=shown(6, 1_000_001, 999_993)) == 2
    chain, over = "chain_is_not_the_control_book", "supply_is_over_authorised"
    assert kept() == [(chain, "open", 8, 6), (over, "open", 1, 0)]
    assert compare(actor=AGENT, **WHERE, chain=shown(7, 1_000, 994)) == 0
    assert kept() == [(chain, "open", 6, 6), (over, "open", 0, 0)]
    rows = world.login("registry").execute("select difference_id from registry.record_difference").fetchall()
    for (name,) in rows:
        keeper.resolve_difference(
            actor=AGENT, **WHERE, difference=name, because="a delivery was not posted yet"
        )
    assert {row[1] for row in kept()} == {"resolved"}
    assert keeper.balance(**WHERE)["delivered_units"] == 6
    assert compare(actor=AGENT, **WHERE, chain=shown(1, 1_000, 995)) == 1, "a chain that began again is lower"


def test_a_debit_without_detail_is_kept_apart(world: World, keeper: Keeper) -> None:
    entry = {"entry": "sub_1", "side": "debit", "units": 2, "reference": "power 1", "because": "no such lot"}
    keeper.keep_apart(actor=AGENT, **WHERE, **entry, owner=AGENT)
    keeper.resolve_entry(
        actor=SECOND, **WHERE, entry="sub_1", holding="hld_one2", because="the lot was found"
    )
    row = (
        world.login("registry").execute("select status, holding_id from registry.subsidiary_entry").fetchone()
    )
    assert row == ("resolved", "hld_one2")


@pytest.mark.parametrize(
    ("received", "start", "due"),
    [
        ("2026-03-02T17:00:00+00:00", "2026-03-02", "2026-03-05"),
        ("2026-03-02T17:00:01+00:00", "2026-03-03", "2026-03-06"),
        ("2026-03-06T18:00:00+00:00", "2026-03-09", "2026-03-12"),
        ("2026-03-07T15:00:00+00:00", "2026-03-09", "2026-03-12"),
        ("2026-07-02T16:00:00+00:00", "2026-07-02", "2026-07-07"),
        ("2026-11-25T18:00:00+00:00", "2026-11-27", "2026-12-02"),
        ("2026-03-03T03:00:00+00:00", "2026-03-03", "2026-03-06"),
    ],
)
def test_the_clock_counts_from_noon_in_business_days(received: str, start: str, due: str) -> None:
    first = registry.counts_from(datetime.fromisoformat(received))
    assert (first.isoformat(), registry.due_on("transfer", first).isoformat()) == (start, due)


def test_an_inquiry_is_due_in_five_days() -> None:
    assert registry.due_on("inquiry", date(2026, 3, 2)) == date(2026, 3, 9)


def test_the_figures_of_a_month_add_up(world: World, keeper: Keeper) -> None:
    def log(reference: str, day: int, *, is_routine: bool = True, kind: str = "transfer") -> str:
        moment = datetime(2026, 3, day, 15, tzinfo=UTC)
        told = {"kind": kind, "is_routine": is_routine, "reference": reference, "received_at": moment}
        return registry.receive(keeper, ("ofr_one", AGENT), told)

    items = [log("power 1", 2), log("power 2", 2), log("power 3", 3), log("power 4", 31)]
    log("estate", 4, is_routine=False)
    inquiry = log("letter", 5, kind="inquiry")
    closed = {items[0]: "2026-03-05T20:00:00Z", items[1]: "2026-03-06T20:00:00Z"}
    connection = world.login("admin")
    for item, moment in closed.items():
        keeper.close_item(
            actor=AGENT, **WHERE, item=item, is_completed=True, because=None, answer_sha256=None
        )
        with connection.transaction():
            connection.execute(b"alter table registry.turnaround_item disable trigger zz_guard")
            connection.execute(
                "update registry.turnaround_item set closed_at = %s where item_id = %s", [moment, item]
            )
            connection.execute(b"alter table registry.turnaround_item enable always trigger zz_guard")
    figures = registry.month_figures(keeper, date(2026, 3, 17))
    assert (figures.routine_received, figures.routine_in_time, figures.routine_late) == (4, 1, 2)
    assert (figures.percent_in_time, figures.asks_for_a_notice) == (33, True), "one is open past its day"
    assert (figures.other_received, figures.other_turned, figures.other_open) == (1, 0, 1)
    assert figures.aged == {20: 1}
    for in_time, late, spare, notice in ((36, 0, 4, False), (36, 4, 0, False), (35, 5, 0, True)):
        month = replace(figures, routine_in_time=in_time, routine_late=late)
        assert (month.spare, month.asks_for_a_notice) == (spare, notice)
    april = registry.month_figures(keeper, date(2026, 4, 1))
    assert (april.routine_received, april.routine_in_time, april.routine_late) == (0, 0, 2)
    assert april.asks_for_a_notice, "two of March wait still"
    assert registry.month_figures(keeper, date(2026, 2, 1)).percent_in_time is None
    with pytest.raises(Refused, match="answered_inquiry_keeps_its_answer"):
        keeper.close_item(
            actor=AGENT, **WHERE, item=inquiry, is_completed=True, because=None, answer_sha256=None
        )
    keeper.close_item(
        actor=AGENT, **WHERE, item=inquiry, is_completed=True, because=None, answer_sha256=digest("answer")
    )
