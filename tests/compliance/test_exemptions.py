"""The exemption of an offer decides what its clearances ask, and the limits at the moment of commitment."""

from __future__ import annotations

import json
import threading

import psycopg
import pytest

from tests.attack.world import DETAIL, PRICE, Connect, World, digest

PLACES = 35


def offer(shared: Connect, label: str, exemption: str, investors: int) -> World:
    """Return a published offer under an exemption, with a list in force."""
    world = World(shared, label, investors)
    world.exemption = exemption
    world.published()
    world.listed()
    return world


def profile(world: World, n: int, country: str = "US") -> str:
    """Open a profile and record identity and screening; return the investor's id."""
    ivr = world.id("ivr", n)
    world.call("portal.open_profile", ivr, world.id("acc", n), "individual", DETAIL | {"country": country})
    world.call("compliance.open_case", ivr, world.id("kyc", n), "individual")
    row = (
        world.login("portal")
        .execute("select detail_digest from portal.profile where investor_id = %s", [ivr])
        .fetchone()
    )
    assert row is not None
    world.call("compliance.record_identity", ivr, "approved", digest("e"), row[0], None)
    world.call("compliance.record_screening", ivr, world.id("scr", n), "list-1", None)
    return ivr


def lacks(world: World, n: int) -> list[str]:
    row = (
        world.login("compliance")
        .execute("select lacks from compliance.clearance where clearance_id = %s", [world.id("clr", n)])
        .fetchone()
    )
    assert row is not None
    found: list[str] = row[0]
    return found


def clear(world: World, n: int, country: str = "US") -> list[str]:
    """Open the clearance of one investor and return what it lacks."""
    ivr = profile(world, n, country)
    world.call("compliance.open_clearance", world.offering, world.id("clr", n), ivr)
    return lacks(world, n)


def capable(world: World, n: int, basis: str = "alone", **more: str) -> None:
    """State that an investor can judge the offer, or cannot."""
    statement = {"basis": basis, "evidence_sha256": digest("questionnaire").hex()} | more
    world.call(
        "compliance.record_sophistication",
        world.offering,
        world.id("ivr", n),
        json.dumps(statement),
        "twenty years as a credit analyst",
    )


def test_506b_asks_whether_a_purchaser_can_judge_the_offer(shared: Connect) -> None:
    """17 CFR 230.506(b)(2)(ii): not accredited, but knowing enough, alone or with a representative."""
    world = offer(shared, "soph", "506(b)", 2)
    assert clear(world, 1) == ["purchaser_is_sophisticated"]
    capable(world, 1, "not_capable")
    assert lacks(world, 1) == ["purchaser_is_sophisticated"]
    capable(world, 1, "with_representative", representative="rep_1")
    assert lacks(world, 1) == []
    capable(world, 1, valid_until="2999-01-01")
    assert lacks(world, 1) == []
    row = (
        world.login("compliance")
        .execute("select valid_until from compliance.clearance where clearance_id = %s", [world.id("clr", 1)])
        .fetchone()
    )
    assert row is not None
    assert row[0].year < 2999
    capable(world, 1, valid_until="2020-01-01")
    assert lacks(world, 1) == ["purchaser_is_sophisticated"]
    world.call(
        "compliance.record_accreditation", world.id("ivr", 1), "acr_s", "income", digest("a"), "infinity"
    )
    assert lacks(world, 1) == []
    assert clear(world, 2) == ["purchaser_is_sophisticated"]


UNSTATED = "units_behind_a_nominee_are_stated"


def nominee(world: World) -> str:
    """Open a nominee with a paper on file and a clearance; return its id."""
    ivr = world.id("ivr", 1)
    world.call(
        "portal.open_profile", ivr, world.id("acc", 1), "nominee", DETAIL | {"representative": "Ana Example"}
    )
    world.call("compliance.open_case", ivr, world.id("kyc", 1), "nominee")
    world.call("compliance.open_clearance", world.offering, world.id("clr", 1), ivr)
    world.call("compliance.file_document", ivr, "doc_holders", "holder_statement", digest("s"), None, None)
    return ivr


def look_through(world: World, *, is_required: bool) -> None:
    """Say whether the offer looks through nominees."""
    world.call("compliance.set_look_through", world.offering, is_required, "the issuer counts holders")


def held(world: World, ivr: str, **units: int) -> None:
    """State the clients of a nominee and their units."""
    rows = [{"client": client, "units": each} for client, each in units.items()]
    world.call("compliance.state_holders", world.offering, ivr, "doc_holders", json.dumps(rows))


def test_a_nominee_states_who_is_behind_each_unit_where_the_offer_looks_through(shared: Connect) -> None:
    world = offer(shared, "nom", "506(c)", 1)
    ivr = nominee(world)
    assert UNSTATED not in lacks(world, 1)
    commit(world, 1, 20, ivr)
    look_through(world, is_required=True)
    assert UNSTATED in lacks(world, 1)
    held(world, ivr, cli_ana=15, cli_ben=4)
    assert UNSTATED in lacks(world, 1)
    held(world, ivr, cli_ana=15, cli_ben=15)
    assert UNSTATED not in lacks(world, 1)
    commit(world, 2, 10, ivr)
    with pytest.raises(psycopg.Error) as refused:
        commit(world, 3, 10, ivr)
    assert refused.value.diag.constraint_name == UNSTATED
    look_through(world, is_required=False)
    commit(world, 3, 10, ivr)


def test_the_clients_of_a_nominee_are_screened(shared: Connect) -> None:
    world = offer(shared, "cli", "506(c)", 1)
    ivr = nominee(world)
    world.call("compliance.record_screening", ivr, "scr_nominee", "list-1", None)
    assert "sanctions_are_screened" not in lacks(world, 1)
    held(world, ivr, cli_cleo=10)
    assert "sanctions_are_screened" in lacks(world, 1)
    world.call("compliance.record_screening", "cli_cleo", "scr_cleo", "list-1", "sdn-7")
    assert "sanctions_are_clear" in lacks(world, 1)


def test_an_individual_states_nobody(shared: Connect) -> None:
    world = offer(shared, "one", "506(c)", 1)
    look_through(world, is_required=True)
    assert UNSTATED not in clear(world, 1)
    commit(world, 1, 20, world.id("ivr", 1))


def test_506b_has_thirty_five_places_for_the_non_accredited(shared: Connect) -> None:
    world = offer(shared, "b", "506(b)", PLACES + 2)
    for n in world.numbers:
        capable(world, n)
    found = [clear(world, n) for n in world.numbers]
    assert found[:PLACES] == [[]] * PLACES
    assert found[PLACES:] == [["non_accredited_place_is_left"]] * 2
    ivr = world.id("ivr", PLACES + 1)
    world.call("compliance.record_accreditation", ivr, "acr_b", "income", digest("a"), "infinity")
    assert lacks(world, PLACES + 1) == []
    world.call("compliance.revoke_identity", world.id("ivr", 1), "forged")
    world.call("compliance.compute_again", world.id("ivr", PLACES + 2))
    assert lacks(world, PLACES + 2) == []


def test_reg_s_is_for_investors_outside_the_united_states(shared: Connect) -> None:
    world = offer(shared, "s", "reg_s", 3)
    assert clear(world, 1) == ["investor_is_outside_the_united_states"]
    assert clear(world, 2, "PR") == ["investor_is_outside_the_united_states"]
    assert clear(world, 3, "DE") == []


def test_eu_crowdfunding_records_a_category(shared: Connect) -> None:
    world = offer(shared, "eu", "eu_crowdfunding", 1)
    assert clear(world, 1, "DE") == ["investor_category_is_recorded"]
    record = ["eu_crowdfunding", "sophisticated", digest("answers")]
    world.call("compliance.record_category", world.id("ivr", 1), *record, "2020-01-01")
    assert lacks(world, 1) == ["investor_category_is_recorded"]
    world.call("compliance.record_category", world.id("ivr", 1), *record, "2999-01-01")
    assert lacks(world, 1) == []


def commit(world: World, number: int, units: int, investor: str) -> None:
    world.call("engine.open_investment", world.offering, world.id("inv", number), investor, units)


def test_a_crowdfunding_limit_counts_over_all_offers(shared: Connect) -> None:
    """The limit is 2,500 dollars, a unit 500: five units in two offers, not one more in either."""
    one, two = offer(shared, "cf", "reg_cf", 1), offer(shared, "cg", "reg_cf", 1)
    ivr = profile(one, 1)
    with pytest.raises(psycopg.Error, match="stated neither income nor net worth"):
        commit(one, 1, 1, ivr)
    stated = {"currency": "USD", "income_minor": 40_000_00, "net_worth_minor": 20_000_00}
    one.call("compliance.state_finances", ivr, "fin_cf", stated)
    commit(one, 1, 3, ivr)
    commit(two, 1, 2, ivr)
    with pytest.raises(psycopg.Error, match="limit is 250000, used 250000, remaining 0"):
        commit(two, 2, 1, ivr)
    two.call("engine.withdraw", two.offering, two.id("inv", 1))
    commit(one, 3, 2, ivr)
    row = (
        one.login("compliance")
        .execute(
            "select used_minor, limit_minor, judged_by ->> 'us.regcf.limit.floor'"
            " from compliance.commitment where investment_id = 'inv_cf3'"
        )
        .fetchone()
    )
    assert row == (3 * PRICE, 250_000, "2")


def test_two_offers_are_not_filled_at_the_same_second(shared: Connect) -> None:
    worlds = [offer(shared, label, "reg_cf", 1) for label in ("ra", "rb")]
    ivr = profile(worlds[0], 1)
    stated = {"currency": "USD", "income_minor": 40_000_00, "net_worth_minor": 20_000_00}
    worlds[0].call("compliance.state_finances", ivr, "fin_race", stated)
    connections = [shared("engine"), shared("engine")]
    refused: list[str] = []

    def act(world: World, connection: psycopg.Connection) -> None:
        try:
            connection.execute(
                "select engine.open_investment('usr_1', 'req_1', %s, %s, %s, 3)",
                [world.offering, world.id("inv", 1), ivr],
            )
        except psycopg.Error as fault:
            refused.append(fault.diag.constraint_name or "")

    threads = [threading.Thread(target=act, args=pair) for pair in zip(worlds, connections, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["commitment_is_within_the_limit"]


def test_reg_a_tier_2_is_a_tenth_per_offering(shared: Connect) -> None:
    world = offer(shared, "a2", "reg_a_tier_2", 1)
    ivr = profile(world, 1)
    stated = {"currency": "USD", "income_minor": 5_000_00, "net_worth_minor": 15_000_00}
    world.call("compliance.state_finances", ivr, "fin_a2", stated)
    with pytest.raises(psycopg.Error, match="the limit is 150000"):
        commit(world, 1, 4, ivr)
    commit(world, 1, 3, ivr)


def test_the_high_minimum_counts_in_the_offer_in_which_it_is_met(shared: Connect) -> None:
    """A person who buys for 200,000 dollars is accredited by it; one who buys for a unit less is not."""
    world = offer(shared, "hm", "506(c)", 2)
    units = 20_000_000 // PRICE
    for n, bought in ((1, units), (2, units - 1)):
        ivr = profile(world, n)
        commit(world, n, bought, ivr)
        world.call("compliance.open_clearance", world.offering, world.id("clr", n), ivr)
        world.call(
            "compliance.record_accreditation", ivr, world.id("acr", n), "high_minimum_506c", digest("s"), None
        )
    assert lacks(world, 1) == []
    assert lacks(world, 2) == ["accreditation_is_verified"]
    officer = world.login("compliance")
    queue = "select investor_id, lacks from compliance.case_queue where investor_id = any (%s)"
    both = [[world.id("ivr", 1), world.id("ivr", 2)]]
    assert officer.execute(queue.encode(), both).fetchall() == [(both[0][1], ["accreditation_is_verified"])]
    kept = officer.execute(
        "select judged_by ->> 'us.506c.high_minimum.person' from compliance.commitment"
        " where offering_id = 'ofr_hm'"
    )
    assert kept.fetchall() == [("1",), ("1",)]
    world.call(
        "compliance.record_contrary_knowledge", world.id("ivr", 1), "knw_hm", "a loan paid for the purchase"
    )
    assert lacks(world, 1) == ["accreditation_is_verified"]


def test_a_statement_serves_for_whoever_was_verified_within_five_years(shared: Connect) -> None:
    """17 CFR 230.506(c)(2)(ii)(E): counted from the verification, whatever statements came since."""
    world = offer(shared, "av", "506(c)", 1)
    ivr = profile(world, 1)
    world.call("compliance.open_clearance", world.offering, world.id("clr", 1), ivr)
    first = (
        "compliance.record_accreditation",
        ivr,
        world.id("acr", 1),
        "third_party_letter",
        digest("s"),
        None,
    )
    again = (
        "compliance.record_accreditation",
        ivr,
        world.id("acr", 1),
        "already_verified",
        digest("t"),
        None,
    )
    with pytest.raises(psycopg.Error) as caught:
        world.call(*again)
    assert caught.value.diag.constraint_name == "status_was_verified_before"
    world.call(*first)
    officer = world.login("compliance")
    question = (
        "select version, verified_at, valid_until from compliance.accreditation where investor_id = 'ivr_av1'"
    )
    for statement in ("t", "u"):
        version, verified, _ = officer.execute(question.encode()).fetchall()[0]
        over = "lapsed for the trial"
        world.call("compliance.move_accreditation", ivr, "expired", over, version, actor="officer.one")
        assert lacks(world, 1) == ["accreditation_is_verified"]
        world.call(*again[:4], digest(statement), None)
        assert lacks(world, 1) == []
        ((_, kept, until),) = officer.execute(question.encode()).fetchall()
        assert kept == verified
        assert until == kept.replace(year=kept.year + 5)
    world.call("compliance.record_contrary_knowledge", ivr, "knw_av", "a bankruptcy")
    version = officer.execute(question.encode()).fetchall()[0][0]
    world.call("compliance.move_accreditation", ivr, "expired", "known now", version, actor="officer.one")
    with pytest.raises(psycopg.Error) as caught:
        world.call(*again[:4], digest("v"), None)
    assert caught.value.diag.constraint_name == "nothing_is_known_against_the_status"


def test_one_identity_serves_two_offers_and_each_judges_by_its_own_rules(shared: Connect) -> None:
    first, second = offer(shared, "twin", "506(c)", 1), offer(shared, "other", "reg_s", 1)
    ivr = profile(first, 1, "DE")
    for world in (first, second):
        world.call("compliance.open_clearance", world.offering, world.id("clr", 1), ivr)
    assert (lacks(first, 1), lacks(second, 1)) == (["accreditation_is_verified"], [])
    first.call("compliance.record_accreditation", ivr, "acr_twin", "third_party_letter", digest("s"), None)
    assert (lacks(first, 1), lacks(second, 1)) == ([], [])
    lapses = first.login("compliance").execute(
        "select exemption, valid_until < clock_timestamp() + interval '4 months' from compliance.clearance"
        " where investor_id = %s order by exemption",
        [ivr],
    )
    assert lapses.fetchall() == [("506(c)", True), ("reg_s", False)]
    snapshots = "select count(*) from compliance.identity_snapshot where investor_id = %s"
    assert first.login("compliance").execute(snapshots, [ivr]).fetchall() == [(1,)]
    first.call("compliance.revoke_identity", ivr, "the passport was forged")
    assert (lacks(first, 1), lacks(second, 1)) == (["identity_is_verified"], ["identity_is_verified"])


def test_the_countries_of_an_offer_hold_from_commitment_to_issuance(shared: Connect) -> None:
    world = offer(shared, "co", "506(c)", 3)
    for n, country in ((1, "US"), (2, "CA")):
        ivr = profile(world, n, country)
        commit(world, n, 3, ivr)
        world.call("compliance.open_clearance", world.offering, world.id("clr", n), ivr)
        world.call(
            "compliance.record_accreditation",
            ivr,
            world.id("acr", n),
            "third_party_letter",
            digest("s"),
            None,
        )
        assert lacks(world, n) == []
    decide = ("compliance.set_country_rule", world.offering)
    world.call(*decide, "restrict", ["CA", "IR"], "no licence there")
    assert (lacks(world, 1), lacks(world, 2)) == ([], ["country_is_permitted"])
    cleared = world.login("owner").execute(
        "select investor_is_cleared from engine.position where offering_id = 'ofr_co' order by investment_id"
    )
    assert cleared.fetchall() == [(True,), (False,)]
    third = profile(world, 3, "IR")
    with pytest.raises(psycopg.Error) as caught:
        commit(world, 3, 3, third)
    assert caught.value.diag.constraint_name == "country_is_permitted"
    world.call(*decide, "allow", ["CA"], "a licence came")
    assert (lacks(world, 1), lacks(world, 2)) == (["country_is_permitted"], [])
    moved = DETAIL | {"country": "GB"}
    world.call("portal.request_change", world.id("ivr", 2), "chg_co", moved, "moved", digest("p"))
    under = world.login("compliance").execute("select compliance.programme_in_force()").fetchall()[0][0]
    decided = ("portal.decide_change", world.id("ivr", 2), "chg_co", "true", "seen", 1, under)
    world.call(*decided, actor="officer.two")
    world.call("compliance.verify_again", world.id("ivr", 2), ["address"])
    assert "country_is_permitted" in lacks(world, 2)


def test_a_hit_on_an_owner_stops_issuance_in_the_same_transaction(shared: Connect) -> None:
    flight = World(shared, "flight", 2).build("prepared")
    ivr = flight.id("ivr", 1)
    flight.call("compliance.declare_owner", ivr, "own_flight", 3000, "false", "true")
    stopped = (
        flight.login("owner")
        .execute(
            "select issuance, issuance_is_stopped, clearance_lacks from engine.position"
            " where offering_id = 'ofr_flight' order by investment_id"
        )
        .fetchall()
    )
    assert stopped == [
        ("instructed", True, ["beneficial_owners_are_verified", "sanctions_are_screened"]),
        ("instructed", False, []),
    ]
    flight.call("compliance.record_screening", flight.id("ivr", 2), "scr_flight", "list-1", "sdn-9")
    row = (
        flight.login("owner")
        .execute("select issuance_is_stopped from engine.position where investment_id = 'inv_flight2'")
        .fetchone()
    )
    assert row == (True,)
