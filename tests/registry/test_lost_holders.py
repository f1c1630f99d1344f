"""Lost holders: mail that came back twice, two searches in their windows, the day a state takes the units."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import Connect, World, digest
from tests.registry.test_registration import AGENT, SECOND

ON = {"offering": "ofr_one", "lost": "lst_one"}
BACK = date(2025, 1, 10)
LOST = date(2025, 2, 20)


@pytest.fixture
def holders(connect: Connect, database: Database) -> Keeper:
    assert World(connect).build("registered").offering == "ofr_one"
    return registry.holders_of(database)


def returned(holders: Keeper, **changed: str) -> None:
    said = {"holding": "hld_one3", "region": "US-NY", "last_contact_on": "2024-06-01"}
    said |= {"returned_on": BACK.isoformat(), "sha256": digest("envelope").hex()}
    holders.return_mail(actor=AGENT, **ON, said=said | changed)


def lose(holders: Keeper, sent_again: date = date(2025, 2, 1), lost_on: date = LOST) -> None:
    holders.lose_holder(
        actor=AGENT, **ON, sent_again_on=sent_again, lost_on=lost_on, sha256=digest("second envelope")
    )


def search(holders: Keeper, task: str, on: date, evidence: bytes | None = digest("result")) -> None:
    holders.record_search(
        actor=AGENT,
        offering="ofr_one",
        task=task,
        database="Example Locator",
        searched_on=on,
        evidence_sha256=evidence,
    )


def standing(holders: Keeper) -> Mapping[str, object]:
    (row,) = holders.lost_holders(offering="ofr_one", most=9)
    found: Mapping[str, object] = row
    return found


def window(holders: Keeper) -> tuple[object, ...]:
    row = standing(holders)
    return row["search_no"], row["opens_on"], row["due_on"]


def test_mail_that_came_back_twice_opens_two_searches_in_turn(holders: Keeper) -> None:
    returned(holders)
    assert (standing(holders)["status"], standing(holders)["send_again_by"]) == (
        "returned",
        date(2025, 2, 10),
    )
    lose(holders)
    assert window(holders) == (1, date(2025, 5, 20), date(2026, 2, 20))
    with pytest.raises(Refused, match="search_is_made_after_its_window_opens"):
        search(holders, "sea_one.1", date(2025, 5, 19))
    search(holders, "sea_one.1", date(2025, 6, 1))
    assert window(holders) == (2, date(2025, 12, 1), date(2026, 6, 1))
    search(holders, "sea_one.2", date(2026, 1, 5))
    assert window(holders) == (None, None, None)
    with pytest.raises(Refused, match="transition_is_listed"):
        search(holders, "sea_one.2", date(2026, 1, 5))


def test_a_search_without_its_evidence_is_refused(holders: Keeper) -> None:
    returned(holders)
    lose(holders)
    for evidence in (None, b"\x01"):
        with pytest.raises(Refused, match="search_keeps_its_evidence"):
            search(holders, "sea_one.1", date(2025, 6, 1), evidence)
    with pytest.raises(Refused, match="search_task_exists"):
        search(holders, "sea_none.1", date(2025, 6, 1))
    assert window(holders)[0] == 1


def test_a_holder_is_lost_after_mail_was_sent_again_in_time(holders: Keeper) -> None:
    returned(holders)
    with pytest.raises(Refused, match="mail_is_sent_again_within_a_month"):
        lose(holders, sent_again=date(2025, 2, 11))
    with pytest.raises(Refused, match="lost_holder_was_written_to_twice"):
        lose(holders, lost_on=date(2025, 1, 31))
    with pytest.raises(Refused, match="day_of_a_record_has_come"):
        lose(holders, lost_on=clock.today() + timedelta(days=2))
    with pytest.raises(Refused, match="one_search_for_a_holder"):
        holders.return_mail(
            actor=AGENT,
            **ON | {"lost": "lst_two"},
            said={
                "holding": "hld_one3",
                "region": "US-NY",
                "last_contact_on": "2024-06-01",
                "returned_on": BACK.isoformat(),
                "sha256": "0a" * 32,
            },
        )


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"region": "New York"}, "lost_holder_names_its_state"),
        ({"sha256": "0a"}, "returned_mail_is_kept"),
        ({"last_contact_on": BACK.isoformat()}, "mail_came_back_after_the_last_contact"),
    ],
)
def test_returned_mail_is_recorded_whole(holders: Keeper, changed: dict[str, str], rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        returned(holders, **changed)


def test_a_found_holder_owes_no_search(holders: Keeper) -> None:
    returned(holders)
    lose(holders)
    with pytest.raises(Refused, match="found_holder_has_its_contact"):
        holders.find_holder(actor=AGENT, **ON, found_on=date(2025, 7, 1), sha256=None)
    holders.find_holder(actor=AGENT, **ON, found_on=date(2025, 7, 1), sha256=digest("a call"))
    assert (standing(holders)["status"], standing(holders)["task_id"]) == ("found", None)


def test_a_death_on_record_exempts_from_searches(holders: Keeper) -> None:
    said = {"kind": "death", "holding": "hld_one3", "because": "a letter"}
    proof = [
        {"paper": name, "sha256": "0a" * 32} for name in ("death_certificate", "letters_of_administration")
    ]
    change = registry.propose_change(holders, ("ofr_one", AGENT), said, proof)
    holders.decide_registration(actor=SECOND, offering="ofr_one", change=change, is_approved=True, because="")
    returned(holders)
    lose(holders)
    assert (standing(holders)["exempt_because"], standing(holders)["task_id"]) == ("deceased", None)


def test_the_dormancy_day_is_that_of_the_holders_state(holders: Keeper, connect: Connect) -> None:
    returned(holders)
    # What ships was not read in the law: the day is shown, and that nobody confirmed it.
    shown = ("dormant_on", "dormancy_certainty")
    assert [standing(holders)[name] for name in shown] == [date(2027, 6, 1), "unconfirmed"]
    for kind, months in (("distributions", 12), ("units", 48)):
        on = {"offering": "ofr_one", "rule": f"dor_{kind}"}
        said = {"region": "US-NY", "property": kind, "months": months, "starts_on": "2020-01-01"}
        holders.propose_dormancy(actor=AGENT, **on, said=said | {"source": "counsel's letter 4"})
        with pytest.raises(Refused, match="dormancy_rule_needs_two_people"):
            holders.decide_dormancy(actor=AGENT, **on, is_approved=True, because="")
        assert standing(holders)["dormant_on"] == date(2027, 6, 1)
        holders.decide_dormancy(actor=SECOND, **on, is_approved=True, because="")
    assert [standing(holders)[name] for name in shown] == [date(2028, 6, 1), "agreed"]
    registry_login = connect("registry")
    asked = "select months, certainty from registry.dormancy_of('ofr_one', %s, %s)"
    assert registry_login.execute(asked, ["US-NY", "distributions"]).fetchall() == [(12, "agreed")]
    assert registry_login.execute(asked, ["US-ND", "units"]).fetchall() == []
    bad = {"region": "US-CA", "months": 36, "starts_on": "2020-01-01", "source": " "}
    with pytest.raises(Refused, match="dormancy_names_its_source"):
        holders.propose_dormancy(actor=AGENT, offering="ofr_one", rule="dor_CA", said=bad)
    odd = bad | {"source": "so", "property": "land"}
    with pytest.raises(Refused, match="dormancy_is_of_a_kind_of_property"):
        holders.propose_dormancy(actor=AGENT, offering="ofr_one", rule="dor_CA", said=odd)


def test_work_about_lost_holders_is_one_list(holders: Keeper) -> None:
    def work() -> list[tuple[object, ...]]:
        rows = holders.holder_work(offering="ofr_one", most=9)
        return [(row["work"], row["subject"], row["due_on"], row["is_overdue"]) for row in rows]

    assert work() == []
    returned(holders)
    assert work() == [("send_mail_again", "lst_one", date(2025, 2, 10), True)]
    lose(holders)
    falls = ("units_fall_to_state", "lst_one", date(2027, 6, 1), False)
    assert work() == [("make_first_search", "sea_one.1", date(2026, 2, 20), True), falls]
    search(holders, "sea_one.1", date(2026, 1, 1))
    assert work() == [("make_second_search", "sea_one.2", date(2027, 1, 1), False), falls]
    holders.find_holder(actor=AGENT, **ON, found_on=date(2026, 2, 1), sha256=digest("a call"))
    assert work() == []
