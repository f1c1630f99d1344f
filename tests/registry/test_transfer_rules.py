"""May A give N units to B now: each rule fails by its name, on its day, and passes when it should."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import Connect, World
from tests.registry.transferring import AGENT, SALE_PAPERS, SECOND, YEAR, Transferring


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    return Transferring(World(connect).build("registered"), database)


def detail(desk: Transferring, buyer: str, units: int, rule: str) -> tuple[str, object]:
    """Return what a rule says of a transfer, and the day on which it would pass."""
    parties = (desk.seller, buyer)
    (found,) = (
        row for row in registry.refusals(desk.keeper, desk.offering, parties, units) if row["rule"] == rule
    )
    return found["detail"], found["passes_on"]


def test_a_lot_is_free_on_its_day_and_not_one_day_early(desk: Transferring) -> None:
    taker, rule = desk.taker(), "lots_are_past_their_holding_period"
    assert desk.failing(taker) == [rule]
    today = clock.today()
    year = today.replace(year=today.year + 1)
    assert detail(desk, taker, 1, rule) == ("0 units are free now", year)
    desk.free_lots(year - today - timedelta(days=1))
    assert desk.failing(taker) == [rule]
    assert detail(desk, taker, 1, rule)[1] == today + timedelta(days=1)
    desk.free_lots(timedelta(days=1))
    assert desk.failing(taker) == []


def test_an_issuer_that_reports_has_six_months_and_no_less(desk: Transferring) -> None:
    taker = desk.taker()
    desk.free_lots(timedelta(days=185))
    assert desk.failing(taker) == ["lots_are_past_their_holding_period"]
    with pytest.raises(Refused, match="holding_period_is_six_months_or_more"):
        desk.rule("holding_period", amount=5)
    rule = desk.rule("holding_period", amount=6)
    assert desk.failing(taker) == []
    desk.keeper.end_transfer_rule(
        actor=SECOND, offering=desk.offering, rule=rule, because="the issuer stopped to report"
    )
    assert desk.failing(taker) == ["lots_are_past_their_holding_period"]


def test_a_lot_without_its_legend_is_free(desk: Transferring) -> None:
    taker, keeper = desk.taker(), registry.keeper(desk.keeper.database)
    on = {"offering": desk.offering, "removal": "lgr_1"}
    paper = {"lot": "lot_one3", "basis": "opinion", "paper_sha256": b"\x04" * 32, "because": "counsel"}
    keeper.propose_legend_removal(actor=AGENT, **on, **paper)
    keeper.decide_legend_removal(actor=SECOND, **on, is_approved=True, because="")
    assert desk.failing(taker, 3) == []


def test_accounts_and_parties_are_asked_in_their_order(desk: Transferring) -> None:
    desk.free_lots()
    taker = desk.taker()
    assert desk.failing(taker, 4) == ["seller_holds_the_units", "lots_are_past_their_holding_period"]
    assert desk.failing(desk.seller)[0] == "taker_is_another_holder"
    assert desk.failing("ivr_nobody") == ["buyer_wallet_is_linked", "buyer_is_cleared"]
    desk.world.call("compliance.revoke_identity", taker, "the document was forged")
    assert desk.failing(taker) == ["buyer_is_cleared"]
    assert "identity_is_verified" in detail(desk, taker, 1, "buyer_is_cleared")[0]


def test_a_lock_up_and_a_closed_country_bind_between_their_dates(desk: Transferring) -> None:
    desk.free_lots()
    taker, today = desk.taker(), clock.today()
    tomorrow = today + timedelta(days=1)
    desk.rule("lock_up", ends_on=today.isoformat(), investor="ivr_one1")
    desk.rule("lock_up", ends_on=tomorrow.isoformat(), investor="ivr_one2")
    assert desk.failing(taker) == []
    desk.rule("lock_up", ends_on=tomorrow.isoformat(), investor=desk.seller)
    desk.rule("country_closed", countries=["US"])
    assert desk.failing(taker) == ["country_is_open_to_transfers", "lock_up_is_over"]
    assert detail(desk, taker, 1, "lock_up_is_over")[1] == tomorrow
    other = desk.taker("other", "CA")
    assert desk.failing(other) == ["lock_up_is_over"]
    desk.rule("country_closed", countries=["CA"], starts_on=tomorrow.isoformat())
    assert desk.failing(other) == ["lock_up_is_over"]


def test_the_holder_cap_counts_approved_takers_and_frees_givers(desk: Transferring) -> None:
    desk.free_lots()
    desk.rule("holder_cap", amount=3)
    taker, rule = desk.taker(), "holder_count_is_within_its_cap"
    assert desk.failing(taker, 1) == [rule]
    assert detail(desk, taker, 1, rule)[0] == "4 holders after it, 3 may be"
    assert desk.failing(taker, 3) == []
    assert desk.failing("ivr_one1", 1) == []


def test_two_at_once_cannot_both_pass_the_last_place(desk: Transferring) -> None:
    desk.free_lots()
    desk.rule("holder_cap", amount=4)
    requests = [desk.screened(desk.taker(name)) for name in ("first", "second")]

    def approve(transfer: str) -> str:
        try:
            desk.approve(transfer)
        except Refused as refused:
            return refused.rule
        return "approved"

    with ThreadPoolExecutor(2) as both:
        ends = sorted(both.map(approve, requests))
    assert ends == ["approved", "holder_count_is_within_its_cap"]


def test_only_holders_who_are_not_accredited_count_in_their_cap(desk: Transferring) -> None:
    desk.free_lots()
    desk.rule("non_accredited_cap", amount=1)
    plain, rule = desk.taker("plain", is_accredited=False), "non_accredited_count_is_within_its_cap"
    assert rule not in desk.failing(plain)
    connection = desk.world.login("admin")
    with connection.transaction():
        connection.execute(b"alter table compliance.accreditation disable trigger user")
        connection.execute(
            b"update compliance.accreditation set valid_until = now() where investor_id = 'ivr_one1'"
        )
        connection.execute(b"alter table compliance.accreditation enable trigger user")
    assert rule in desk.failing(plain)
    assert detail(desk, plain, 1, rule)[0] == "2 holders after it, 1 may be"
    assert rule not in desk.failing(desk.taker("rich"))


def test_the_limit_of_a_holder_sums_its_affiliates(desk: Transferring) -> None:
    desk.free_lots()
    desk.rule("holding_limit", amount=5_000)
    rule = "share_is_within_its_limit"
    assert desk.failing("ivr_one2", 1) == []
    assert desk.failing("ivr_one2", 2) == [rule]
    assert detail(desk, "ivr_one2", 2, rule)[0] == "2 of 6 units now, 5000 of 10000 parts may be"
    for number, investor in enumerate(("ivr_one1", "ivr_one2")):
        on = {"affiliation": f"aff_{number}", "investor": investor, "group": "family"}
        desk.keeper.record_affiliation(actor=AGENT, offering=desk.offering, **on, because="spouses")
    assert desk.failing("ivr_one2", 1) == [rule]


def test_a_volume_limit_counts_what_is_approved_and_names_its_day(desk: Transferring) -> None:
    desk.free_lots()
    desk.rule("volume", amount=2, span="quarter")
    taker, rule = desk.taker(), "volume_is_within_its_window"
    assert detail(desk, taker, 3, rule)[1] is None
    waiting, rival = desk.screened(taker, 1), desk.screened(taker, 2)
    desk.approve(waiting)
    assert desk.failing(taker, 2) == [rule]
    with pytest.raises(Refused, match=rule):
        desk.approve(rival)
    desk.final(waiting, desk.signed(waiting))
    assert desk.failing(taker, 1) == []
    assert desk.failing(taker, 2) == [rule]
    (day,) = (
        desk.world.login("registry").execute("select (current_date + interval '3 months')::date").fetchall()
    )
    assert detail(desk, taker, 2, rule)[1] == day[0]


@pytest.mark.parametrize(
    ("exemption", "rule"),
    [
        ("reg_s", "no_us_person_takes_during_the_distribution_period"),
        ("reg_cf", "first_year_is_over_or_taker_is_permitted"),
    ],
)
def test_the_first_year_abroad_and_of_a_crowd(desk: Transferring, exemption: str, rule: str) -> None:
    plain = desk.taker("plain", "US", is_accredited=False)
    abroad = desk.taker("abroad", "CA", is_accredited=False)
    rich = desk.taker("rich", "US")
    desk.exempt(exemption)
    bound = {"reg_s": {plain, rich}, "reg_cf": {plain, abroad}}[exemption]
    for days, binds in ((0, True), (YEAR.days, False)):
        desk.free_lots(timedelta(days=days))
        for taker in (plain, abroad, rich):
            assert (rule in desk.failing(taker)) is (binds and taker in bound), (days, taker)


def test_a_paper_states_why_units_go_in_the_first_year_of_a_crowd(desk: Transferring) -> None:
    taker = desk.taker("child", is_accredited=False)
    desk.exempt("reg_cf")
    free = {"price_minor": None, "currency": None}
    given = ("transfer_instruction", "gift_statement")
    asked: list[tuple[dict[str, Any], tuple[str, ...], bool]] = [
        ({"kind": "gift", **free}, given, False),
        ({"kind": "gift", **free}, (*given, "family_statement"), True),
        ({"kind": "gift", **free}, (*given, "trust_statement"), False),
        ({"kind": "trust", **free}, ("transfer_instruction", "trust_certification"), False),
        ({"kind": "trust", **free}, ("transfer_instruction", "trust_statement"), True),
        ({"kind": "inheritance", **free}, ("death_certificate",), True),
        ({}, SALE_PAPERS, False),
        ({}, (*SALE_PAPERS, "registration_statement"), True),
        ({}, (*SALE_PAPERS, "family_statement"), False),
    ]
    for said, papers, passes in asked:
        transfer = desk.asked(taker, 3, **said, papers=papers)
        on = {"offering": desk.offering, "seller": desk.seller, "buyer": taker, "units": 3}
        found = {row["rule"] for row in desk.keeper.transfer_refusals(**on, transfer=transfer)}
        assert ("first_year_is_over_or_taker_is_permitted" not in found) is passes, (said, papers)


def test_a_frozen_part_of_a_holding_stays(desk: Transferring) -> None:
    desk.free_lots()
    taker, call = desk.taker(), desk.world.call
    freeze = {"kind": "freeze_units", "investor": desk.seller, "units": 2, "because": "a lien"}
    assert desk.failing(taker, 2) == []
    call("registry.ask_control", desk.offering, "cta_1", freeze)
    call("registry.decide_control", desk.offering, "cta_1", "true", "", actor="usr_second")
    assert desk.failing(taker, 2) == ["units_are_not_frozen"]
    assert desk.failing(taker, 1) == []
