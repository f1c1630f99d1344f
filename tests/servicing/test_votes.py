"""Votes weigh by the register at the record date; one ballot a holder, changeable until the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.attack.world import Connect
from tests.servicing.votes import cast, cast_for, delegate, finish, held, propose, result, start
from tests.treasury.escrow import refused

# What holders of 1, 2 and 3 units say, quorum, fraction; whether the quorum is met and it is carried.
COUNTS = [
    (("for", "for", "for"), 10_000, (1, 2), (True, True)),
    (("against", "against", "for"), 5000, (1, 2), (True, False)),
    (("abstain", "against", "for"), 5000, (1, 2), (True, True)),
    ((None, None, "for"), 5000, (1, 2), (True, True)),
    ((None, None, "for"), 5001, (1, 2), (False, False)),
    ((None, "against", "for"), 0, (2, 3), (True, False)),
    (("against", "for", "for"), 0, (2, 3), (True, True)),
    (("against", "for", "for"), 0, (5, 6), (True, False)),
    (("abstain", "abstain", "abstain"), 5000, (1, 2), (True, False)),
    ((None, None, None), 0, (1, 2), (False, False)),
]


@pytest.mark.parametrize(("said", "quorum", "needed", "counted"), COUNTS)
def test_a_result_is_the_count_of_units(
    connect: Connect,
    *,
    said: tuple[str | None, ...],
    quorum: int,
    needed: tuple[int, int],
    counted: tuple[bool, bool],
) -> None:
    book = held(connect)
    start(book, quorum_bps=quorum, needed_over=needed[0], needed_of=needed[1])
    for n, choice in enumerate(said, 1):
        if choice is not None:
            cast(book, n, choice)
    assert finish(book) == 1
    told = result(book)
    units = {choice: sum(n for n, each in enumerate(said, 1) if each == choice) for choice in said if choice}
    assert {choice: told[choice] for choice in units} == units
    assert (told["units"], told["holders"], told["ballots"]) == (6, 3, sum(s is not None for s in said))
    assert (told["quorum_is_met"], told["is_carried"]) == counted
    assert finish(book) == 0


def test_a_ballot_is_changed_until_the_end_and_not_after(connect: Connect) -> None:
    book = held(connect)
    start(book)
    cast(book, 3, "for")
    cast(book, 3, "against")
    assert book.ask("select investor_id, choice, version from engine.ballot") == [("ivr_one3", "against", 2)]
    with refused("ballot_is_for_against_or_abstains"):
        cast(book, 2, "maybe")
    finish(book)
    for n in (1, 3):
        with refused("ballot_is_cast_in_time"):
            cast(book, n, "for")
    assert result(book)["against"] == 3


def test_a_ballot_after_the_end_is_late_before_anybody_closed(connect: Connect) -> None:
    book = held(connect)
    start(book)
    book.backdate("engine.vote", "closes_at = clock_timestamp()")
    with refused("ballot_is_cast_in_time"):
        cast(book, 1, "for")


def test_who_held_nothing_on_the_record_date_has_no_ballot(connect: Connect) -> None:
    book = held(connect)
    start(book)
    with refused("ballot_has_a_position"):
        book.call("engine.cast_ballot", book.offering, "vot_one", "ivr_none", "for", actor="ivr_none")
    with refused("vote_exists"):
        cast(book, 1, "for", "vot_none")


def test_weights_are_those_of_the_record_date(connect: Connect) -> None:
    book = held(connect)
    # Whose units were posted after the record date does not vote with them.
    book.backdate(
        "registry.posting",
        "posted_at = clock_timestamp() where holding_id = (select holding_id from registry.holding"
        " where investor_id = 'ivr_one2')",
    )
    start(book)
    assert book.ask("select investor_id, units from engine.vote_weight order by 1") == [
        ("ivr_one1", 1),
        ("ivr_one3", 3),
    ]


def test_the_register_is_read_as_often_for_any_number_of_holders(connect: Connect) -> None:
    reads = []
    for label, holders in (("few", 1), ("many", 3)):
        book = held(connect, label)
        if holders == 1:
            book.backdate(
                "registry.posting",
                "posted_at = clock_timestamp() where holding_id in (select holding_id from registry.holding"
                " where offering_id = 'ofr_few' and investor_id <> 'ivr_few1')",
            )
        propose(book)
        admin = book.login("admin")
        (name,) = admin.execute("select current_database()").fetchone() or ("",)
        admin.execute(f"alter database {name} set track_functions = 'pl'")
        with connect("engine") as engine, engine.transaction():
            engine.execute(
                "select engine.open_vote('issuer.ivan', 'req_open', %s, 'vot_one', 1)", [book.offering]
            )
            counted = engine.execute(
                "select calls from pg_stat_xact_user_functions where funcname = 'units_as_of'"
            )
            reads += counted.fetchall()
        weighed = "select count(*) from engine.vote_weight where offering_id = %s"
        assert book.ask(weighed, book.offering) == [(holders,)]
    assert reads[0] == reads[1]


def test_a_vote_takes_two_people_and_a_day_that_has_ended(connect: Connect) -> None:
    book = held(connect)
    with refused("decision_is_made_by_a_person"):
        book.call("engine.propose_vote", book.offering, "vot_x", {}, b"\0" * 32, actor="process")
    with refused("vote_ends_ahead"):
        propose(book, closes_at=(datetime.now(UTC) - timedelta(days=1)).isoformat())
    for rule, changed in (
        ("quorum_is_a_share", {"quorum_bps": 10_001}),
        ("needed_part_is_a_fraction", {"needed_over": 2, "needed_of": 2}),
        ("vote_is_on_a_resolution", {"resolution": " "}),
    ):
        with refused(rule):
            propose(book, **changed)
    propose(book, "vot_today", record_on=str(datetime.now(UTC).date()))
    with refused("record_date_has_ended"):
        book.call("engine.open_vote", book.offering, "vot_today", 1, actor="issuer.ivan")
    propose(book, "vot_early", record_on="2020-01-01")
    with refused("vote_weighs_by_the_register"):
        book.call("engine.open_vote", book.offering, "vot_early", 1, actor="issuer.ivan")
    propose(book)
    with refused("ballot_is_cast_in_time"):
        book.call("engine.cast_ballot", book.offering, "vot_one", "ivr_one1", "for", actor="ivr_one1")
    with refused("vote_needs_two_people"):
        book.call("engine.open_vote", book.offering, "vot_one", 1, actor="issuer.iris")
    with refused("decision_is_on_the_version_seen"):
        book.call("engine.open_vote", book.offering, "vot_one", 2, actor="issuer.ivan")
    with refused("cancelled_vote_says_why"):
        book.call("engine.cancel_vote", book.offering, "vot_one", " ", 1, actor="issuer.ivan")
    book.call("engine.cancel_vote", book.offering, "vot_one", "withdrawn", 1, actor="issuer.ivan")
    with refused("transition_is_listed_for_the_keeper"):
        book.call("engine.open_vote", book.offering, "vot_one", 2, actor="issuer.ivan")


def test_a_delegate_casts_the_ballot_of_its_holder(connect: Connect) -> None:
    book = held(connect)
    start(book)
    with refused("delegate_has_a_proxy"):
        cast_for(book, 3, "for", "ivr_one1")
    delegate(book, 3, "ivr_one1")
    cast_for(book, 3, "for", "ivr_one1")
    # Its own ballot is another one, and one proxy is for one holder.
    cast(book, 1, "against")
    with refused("delegate_has_a_proxy"):
        cast_for(book, 2, "for", "ivr_one1")
    assert book.ask("select investor_id, choice, delegate_id from engine.ballot order by 1") == [
        ("ivr_one1", "against", None),
        ("ivr_one3", "for", "ivr_one1"),
    ]
    finish(book)
    assert (result(book)["for"], result(book)["against"]) == (3, 1)


def test_a_holder_who_votes_itself_ends_its_proxy(connect: Connect) -> None:
    book = held(connect)
    start(book)
    delegate(book, 3, "ivr_one1")
    cast_for(book, 3, "for", "ivr_one1")
    cast(book, 3, "abstain")
    with refused("delegate_has_a_proxy"):
        cast_for(book, 3, "for", "ivr_one1")
    assert book.ask("select choice, delegate_id from engine.ballot") == [("abstain", None)]
    delegate(book, 3, "ivr_one2")
    delegate(book, 3, None)
    with refused("delegate_has_a_proxy"):
        cast_for(book, 3, "for", "ivr_one2")
    for to in ("ivr_one3", "usr_agent"):
        with refused("delegate_is_another_investor"):
            delegate(book, 3, to)
    with refused("proxy_is_of_a_position"):
        said = ["vot_one", "prx_none", "ivr_none", "ivr_one1"]
        book.call("engine.give_proxy", book.offering, *said, actor="ivr_none")
