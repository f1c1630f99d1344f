"""Changes of a registration: papers, a second person, a new version, and the first one as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import DETAIL, Connect, World, digest
from tests.registry.transferring import AGENT, SECOND, Transferring, papers

PAPERS = {
    "name": ("name_document", "signature_guarantee"),
    "address": ("address_instruction",),
    "death": ("death_certificate", "letters_of_administration"),
    "joint_tenancy": ("joint_instruction", "signature_guarantee"),
}


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


@pytest.fixture
def holders(desk: Transferring, database: Database) -> Keeper:
    assert desk.offering == "ofr_one"
    return registry.holders_of(database)


def proposed(holders: Keeper, kind: str, *given: str, **said: Any) -> str:  # noqa: ANN401 - any field
    """Propose a change of the third holding, with all its papers unless some are named."""
    told = {"kind": kind, "holding": "hld_one3", "because": "a letter of the holder"} | said
    return registry.propose_change(holders, ("ofr_one", AGENT), told, papers(*(given or PAPERS[kind])))


def decide(holders: Keeper, change: str, actor: str = SECOND, *, is_approved: bool = True) -> None:
    why = "" if is_approved else "a paper is not signed"
    holders.decide_registration(
        actor=actor, offering="ofr_one", change=change, is_approved=is_approved, because=why
    )


def registered(desk: Transferring, days_ago: int = 0) -> tuple[int, bytes, str, str | None]:
    """Return version, digest, form and other holder of the third holding at the end of a day."""
    asked = "select version_no, registration_digest, form, co_holder_id"
    asked += " from registry.registration_of('ofr_one', 'hld_one3', registry.end_of(%s))"
    day = clock.today() - timedelta(days=days_ago)
    row = desk.world.login("owner").execute(asked.encode(), [day]).fetchone()
    assert row is not None
    return row[0], bytes(row[1]), row[2], row[3]


def renamed(world: World, investor: str, name: str = "Another Name") -> None:
    """Let the verified profile of an investor get another name, by its own change."""
    change = f"chg_{name.split(maxsplit=1)[0].lower()}"
    detail = DETAIL | {"legal_name": name}
    world.call("portal.request_change", investor, change, detail, "married", digest("certificate"))
    found = world.login("compliance").execute(b"select compliance.programme_in_force()").fetchone()
    assert found is not None
    world.call("portal.decide_change", investor, change, "true", "seen", 1, found[0], actor="usr_second")


def test_a_name_is_a_new_version_and_the_first_one_stays(desk: Transferring, holders: Keeper) -> None:
    first = registered(desk)
    with pytest.raises(Refused, match="registration_change_changes_something"):
        proposed(holders, "name")
    renamed(desk.world, desk.seller)
    change = proposed(holders, "name")
    assert registered(desk) == first
    decide(holders, change)
    second = registered(desk)
    assert (second[0], second[1] != first[1]) == (1, True)
    assert registered(desk, days_ago=1) == first
    kept = b"select registration_digest from registry.holding where holding_id = 'hld_one3'"
    assert desk.world.login("owner").execute(kept).fetchall() == [(first[1],)]
    (row,) = holders.registration_changes(offering="ofr_one", most=9)
    assert (row["status"], row["proposed_by"], row["decided_by"]) == ("approved", AGENT, SECOND)
    items = b"select kind, status from registry.turnaround_item"
    assert desk.world.login("owner").execute(items).fetchall() == [("registration_change", "completed")]


@pytest.mark.parametrize("kind", sorted(PAPERS))
def test_no_change_is_made_without_all_its_papers(desk: Transferring, holders: Keeper, kind: str) -> None:
    taker = desk.taker()
    said = {"form": "joint_tenants", "co_holder": taker} if kind == "joint_tenancy" else {}
    renamed(desk.world, desk.seller)
    change = proposed(holders, kind, "some_paper", **said)
    (row,) = holders.registration_changes(offering="ofr_one", most=9)
    assert row["missing"] == sorted(PAPERS[kind])
    with pytest.raises(Refused, match="registration_papers_are_complete"):
        decide(holders, change)
    decide(holders, change, is_approved=False)
    assert registered(desk)[0] == 0


def test_a_second_person_who_is_not_the_holder_decides(desk: Transferring, holders: Keeper) -> None:
    renamed(desk.world, desk.seller)
    change = proposed(holders, "address")
    with pytest.raises(Refused, match="registration_change_needs_two_people"):
        decide(holders, change, f"key:{AGENT}")
    with pytest.raises(Refused, match="registration_is_changed_by_another_person"):
        decide(holders, change, f"key:{desk.seller}")
    with pytest.raises(Refused, match="one_registration_change_waits"):
        proposed(holders, "address")
    with pytest.raises(Refused, match="declined_registration_change_has_its_reason"):
        holders.decide_registration(
            actor=SECOND, offering="ofr_one", change=change, is_approved=False, because=" "
        )
    renamed(desk.world, desk.seller, "Third Name")
    with pytest.raises(Refused, match="registration_is_that_of_the_profile"):
        decide(holders, change)


def test_the_units_of_an_estate_go_by_inheritance_alone(desk: Transferring, holders: Keeper) -> None:
    taker = desk.taker()
    sale = desk.screened(taker)
    decide(holders, proposed(holders, "death"))
    assert registered(desk)[2] == "estate"
    with pytest.raises(Refused, match="estate_gives_by_inheritance"):
        desk.approve(sale)
    with pytest.raises(Refused, match="estate_keeps_its_registration"):
        proposed(holders, "joint_tenancy", form="joint_tenants", co_holder=taker)
    left = {"kind": "inheritance", "price_minor": None, "currency": None, "papers": PAPERS["death"]}
    desk.registered(taker, 3, **left)
    assert desk.units()[taker] == 3


def test_a_joint_tenant_is_another_cleared_investor(desk: Transferring, holders: Keeper) -> None:
    taker = desk.taker()
    bad = {
        "registration_form_follows_its_change": {"form": "friends", "co_holder": taker},
        "co_holder_is_another_investor": {"form": "joint_tenants", "co_holder": desk.seller},
        "co_holder_is_cleared": {"form": "joint_tenants", "co_holder": "ivr_nobody"},
    }
    for rule, said in bad.items():
        with pytest.raises(Refused, match=rule):
            proposed(holders, "joint_tenancy", **said)
    change = proposed(holders, "joint_tenancy", form="tenants_in_common", co_holder=taker)
    with pytest.raises(Refused, match="registration_is_changed_by_another_person"):
        decide(holders, change, taker)
    decide(holders, change)
    assert registered(desk)[2:] == ("tenants_in_common", taker)


def test_nobody_writes_a_version_past_its_change(desk: Transferring, holders: Keeper) -> None:
    renamed(desk.world, desk.seller)
    change = proposed(holders, "name")
    owner = desk.world.login("owner")
    version = "insert into registry.registration (offering_id, holding_id, version_no, change_id,"
    version += " registration_fact, registration_digest, form)"
    version += " values ('ofr_one', 'hld_one3', 1, %s, 'x@1', %s, 'sole')"
    lent = b"grant all on registry.registration, registry.registration_change to registry;"
    lent += b"grant usage on schema engine to registry;"
    lent += b"grant execute on all functions in schema audit, registry, engine to registry;"
    lent += b"set local session authorization registry; select audit.enter('agent.theo', 'req_x')"
    bad: dict[str, tuple[str, list[object]]] = {
        "registration_follows_its_change": (version, [change, digest("x")]),
        "registration_change_is_locked": ("update registry.registration_change set form = 'estate'", []),
    }
    for rule, (statement, values) in bad.items():
        with owner.transaction(force_rollback=True):
            owner.execute(lent)
            with pytest.raises(psycopg.Error) as refused:
                owner.execute(statement.encode(), values)
        assert refused.value.diag.constraint_name == rule
