# ruff: noqa: S608 - names and numbers come from the constants and ids of this file
"""The bulletin board: what may be posted, what a match asks for, and that nothing settles by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database
from tests.attack.world import Connect, World
from tests.registry.transferring import AGENT, SALE_PAPERS, SECOND, Transferring, papers, wall

LATER, PAST = "2999-01-01", "2026-01-02"
HELD_UNITS = 3


class Board(Transferring):
    """The verbs of the board over one offering: investor 3 holds three units, the taker has none."""

    def __init__(self, world: World, database: Database) -> None:
        super().__init__(world, database)
        self.free_lots()
        self.market = registry.market_of(database)
        self.buyer = self.taker()

    def post(self, units: int = 1, side: str = "sell", investor: str = "", **changed: object) -> str:
        who = investor or (self.seller if side == "sell" else self.buyer)
        said: dict[str, object] = {"side": side, "investor": who, "units": units, "price_minor": 5_000}
        said |= {"currency": "USD", "ends_on": LATER} | changed
        return registry.post_interest(self.market, (self.offering, who), said)

    def match(self, interest: str, investor: str = "") -> str:
        who = investor or self.buyer
        return registry.match_interest(self.market, (self.offering, who), interest, who)

    def standing(self) -> list[tuple[str, int, bool]]:
        rows = self.market.board(offering=self.offering, investor=self.buyer, most=9)
        return [(row["side"], row["units"], row["is_own"]) for row in rows]


@pytest.fixture
def board(connect: Connect, database: Database) -> Board:
    return Board(World(connect).build("registered"), database)


def test_a_match_asks_for_a_transfer_and_settles_nothing(board: Board) -> None:
    transfer = board.match(board.post(2))
    on = {"offering": board.offering, "transfer": transfer}
    found = board.keeper.transfer(**on)
    assert (found["status"], found["seller_id"], found["buyer_id"]) == (
        "requested",
        board.seller,
        board.buyer,
    )
    assert (found["price_minor"], set(found["missing"])) == (10_000, set(SALE_PAPERS))
    assert board.units()[board.seller] == HELD_UNITS
    with pytest.raises(Refused, match="transfer_papers_are_complete"):
        board.keeper.mark_transfer_screened(actor="process", **on)
    board.keeper.add_transfer_papers(actor=board.seller, **on, papers=papers(*SALE_PAPERS))
    with pytest.raises(Refused, match="transition_is_listed"):
        board.approve(transfer)
    board.keeper.mark_transfer_screened(actor="process", **on)
    with pytest.raises(Refused, match="transfer_is_approved_by_another_person"):
        board.approve(transfer, board.buyer)
    board.approve(transfer)
    assert board.final(transfer, board.signed(transfer)) == 1
    assert board.units()[board.buyer] == 2
    (row,) = board.market.interests(offering=board.offering, most=9)
    assert (row["status"], row["transfer_status"]) == ("matched", "registered")


def test_an_offer_above_the_free_balance_is_refused(board: Board) -> None:
    with pytest.raises(Refused, match="offered_units_are_free"):
        board.post(HELD_UNITS + 1)
    board.post(2)
    with pytest.raises(Refused, match="offered_units_are_free"):
        board.post(2)
    board.match(board.post(1))
    with pytest.raises(Refused, match="offered_units_are_free"):
        board.post(1)


def test_units_of_another_transfer_are_not_offered(board: Board) -> None:
    board.approved(board.buyer, 2)
    with pytest.raises(Refused, match="offered_units_are_free"):
        board.post(2)
    board.post(1)


def test_offers_at_once_stay_within_the_balance(board: Board) -> None:
    def post(_: int) -> bool:
        try:
            board.post(2)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(post, range(4))) == [False, False, False, True]


def test_one_interest_is_matched_once(board: Board) -> None:
    interest, other = board.post(1), board.taker("other")

    def match(investor: str) -> bool:
        try:
            board.match(interest, investor)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(match, (board.buyer, other))) == [False, True]


def test_somebody_who_seeks_units_is_sold_to_by_who_has_them(board: Board) -> None:
    interest, many = board.post(1, "buy"), board.post(HELD_UNITS + 1, "buy")
    with pytest.raises(Refused, match="taker_is_another_holder"):
        board.match(interest, board.buyer)
    with pytest.raises(Refused, match="seller_holds_the_units"):
        board.match(many, board.seller)
    board.post(HELD_UNITS)
    with pytest.raises(Refused, match="offered_units_are_free"):
        board.match(interest, board.seller)
    found = board.keeper.transfers(offering=board.offering, investor=None, most=9)
    assert found == []


def test_units_that_a_venue_took_meanwhile_are_matched_to_nobody(board: Board) -> None:
    interest = board.post(HELD_UNITS)
    said = {"kind": "ats", "name": "Floor", "registered_as": "8-1", "agreement_sha256": "0a" * 32}
    venue = {"offering": board.offering, "venue": "vnu_one"}
    board.market.propose_venue(actor=AGENT, **venue, said=said | {"public_key": "0b" * 32})
    board.market.decide_venue(actor=SECOND, **venue, is_approved=True, because="", seen=1)
    told = {"trade": "T-1", "seller": board.seller, "buyer": board.buyer, "units": HELD_UNITS}
    told |= {"price_minor": 5_000, "currency": "USD", "executed_at": "2026-10-01T14:30:00+00:00"}
    signed = {"message": "m", "signed_at": 1, "public_key": "0b" * 32, "signature": "00" * 64}
    ids = {"transfer": "xfr_venue", "item": "itm_venue", "clock": registry.item_clock(None)}
    heard = board.market.hear_trade(actor=AGENT, **venue, signed=signed, body=b"{}", told=told, **ids)
    assert heard["result"] == "taken"
    with pytest.raises(Refused, match="offered_units_are_free"):
        board.match(interest)


def test_one_side_of_the_board_does_not_hide_the_other(board: Board) -> None:
    for price in range(1, 4):
        board.post(1, price_minor=price)
    own = [board.post(1, "buy", price_minor=price) for price in range(1, 4)]
    shown = board.market.board(offering=board.offering, investor=board.seller, most=1)
    assert [(row["side"], row["price_minor"], row["is_own"]) for row in shown] == [
        *(("sell", price, True) for price in range(1, 4)),
        ("buy", 3, False),
    ]
    board.market.withdraw_interest(
        actor=board.buyer, offering=board.offering, interest=own[0], investor=board.buyer
    )


def test_a_rule_of_transfers_refuses_the_match(board: Board) -> None:
    interest = board.post(1)
    board.rule("holder_cap", amount=3)
    with pytest.raises(Refused, match="holder_count_is_within_its_cap"):
        board.match(interest)
    with pytest.raises(Refused, match="buyer_wallet_is_linked"):
        board.match(interest, "ivr_nobody")


def test_whoever_is_not_cleared_posts_nothing(board: Board) -> None:
    with pytest.raises(Refused, match="poster_is_cleared"):
        board.post(1, "buy", "ivr_nobody")
    board.world.call("compliance.revoke_identity", board.buyer, "the document was forged")
    with pytest.raises(Refused, match="poster_is_cleared"):
        board.post(1, "buy")


def test_an_interest_ends_by_its_day_or_its_poster(board: Board) -> None:
    with pytest.raises(Refused, match="interest_ends_in_days_to_come"):
        board.post(1, ends_on=PAST)
    interest = board.post(HELD_UNITS)
    assert board.standing() == [("sell", HELD_UNITS, False)]
    on = {"offering": board.offering, "interest": interest}
    with pytest.raises(NotFound):
        board.market.withdraw_interest(actor=board.buyer, **on, investor=board.buyer)
    board.market.withdraw_interest(actor=board.seller, **on, investor=board.seller)
    assert board.standing() == []
    board.post(HELD_UNITS)
    with pytest.raises(Refused, match="transition_is_listed"):
        board.match(interest)
    with pytest.raises(NotFound):
        board.market.withdraw_interest(actor=AGENT, **(on | {"interest": "itr_none"}), investor=board.seller)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"side": "swap"}, "interest_buys_or_sells"),
        ({"units": 0}, "interest_has_units"),
        ({"price_minor": 0}, "interest_has_its_price"),
        ({"currency": "usd"}, "interest_names_its_currency"),
    ],
)
def test_an_interest_says_what_it_is(board: Board, changed: dict[str, object], rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        board.post(**({"units": 1} | changed))  # type: ignore[arg-type]


def test_raw_sql_of_the_keeper_passes_no_wall(board: Board) -> None:
    board.post(1)
    keeper = board.world.login("registry")
    for statement in (
        "update registry.interest set units = 99",
        "insert into registry.interest (offering_id, interest_id) values ('ofr_one', 'itr_x')",
        "delete from registry.interest",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            keeper.execute(statement.encode())
    said = {"side": "sell", "investor": board.seller, "units": HELD_UNITS, "price_minor": 1}
    with pytest.raises(psycopg.Error, match="units are free to offer"):
        board.world.call(
            "registry.post_interest", "ofr_one", "itr_y", said | {"currency": "USD", "ends_on": LATER}
        )
    again = (
        'insert into registry.interest select (jsonb_populate_record(i, \'{"interest_id": "itr_x",'
        f' "units": {HELD_UNITS}}}\')).* from registry.interest i'
    )
    alone = "update registry.interest set status = 'matched'"
    for statement, rule in (
        ("update registry.interest set units = 9, status = 'withdrawn'", "interest_terms_are_locked"),
        (again, "offered_units_are_free"),
        (alone, "matched_interest_is_a_transfer"),
        (f"{alone}, request_id = 'x', matched_with = investor_id", "nobody_matches_itself"),
    ):
        assert wall(board.world, statement) == rule, statement
