"""Delegates under the keepers' own logins: a scope, two moments, one principal, and nothing beside it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from bookrunner.core import clock
from tests.allocation.book import Book
from tests.attack.world import PRICE, Connect, World, proof
from tests.life.test_cancellation import deadline

DELEGATE, OTHER = "dlg_one", "dlg_two"
NAME = b"select portal.name_delegate(%s, 'req_1', %s, %s, %s)"
ACCEPT = b"select portal.answer_delegation(%s, 'req_1', %s, true)"
END = b"select portal.end_delegation(%s, 'req_1', %s)"
OPEN = b"select engine.open_investment(%s, 'req_1', %s, %s, %s, 1)"


def act_for(investor: str, delegate: str = DELEGATE) -> str:
    """Return the actor of what a delegate does for an investor."""
    return f"delegate:{delegate}:{investor}"


def terms(scope: str = "act", delegate: str = DELEGATE, *, days: float = 30, after: float = 0) -> str:
    """Return what an investor says when it names a delegate."""
    begins = clock.now() + timedelta(days=after)
    said = {"delegate": delegate, "scope": scope, "until": (begins + timedelta(days=days)).isoformat()}
    return json.dumps(said | ({"from": begins.isoformat()} if after else {}))


def refused(login: psycopg.Connection, call: bytes, *arguments: object) -> str | None:
    """Return the rule by which the database refuses a call."""
    with pytest.raises(psycopg.Error) as caught:
        login.execute(call, arguments)
    return caught.value.diag.constraint_name


@pytest.fixture
def world(connect: Connect) -> World:
    return World(connect, "one", 2).build("cleared")


def delegated(connect: Connect, investor: str, scope: str = "act", delegation: str = "dgn_1") -> None:
    """Let an investor name the delegate, and let the delegate accept."""
    portal = connect("portal")
    portal.execute(NAME, [investor, investor, delegation, terms(scope)])
    portal.execute(ACCEPT, [DELEGATE, delegation])


def test_an_act_of_a_delegate_names_both(world: World, connect: Connect) -> None:
    investor = world.id("ivr", 1)
    delegated(connect, investor, "prepare")
    connect("engine").execute(OPEN, [act_for(investor), world.offering, "inv_d", investor])
    owner = connect("owner")
    (told,) = owner.execute(
        b"select canonical::json ->> 'actor' from audit.event where subject = 'inv_d' and version = 1"
    ).fetchone() or ("",)
    assert told == f"delegate:{DELEGATE}:{investor}"
    people = "select audit.person_of(actor) from audit.event where subject = 'inv_d'"
    assert owner.execute(people.encode()).fetchall() == [(DELEGATE,)]


def test_what_no_row_names_is_the_principals_alone(world: World, connect: Connect) -> None:
    """Whatever its scope: every kind of event, save those that a row lends."""
    investor, owner = world.id("ivr", 1), connect("owner")
    delegated(connect, investor)
    kinds = owner.execute(
        b"select distinct t.machine || '.' || t.trigger, a.kind is not null from engine.transition t"
        b" left join portal.delegated_act a on a.kind = t.machine || '.' || t.trigger"
    ).fetchall()
    kept = sorted(kind for kind, is_lent in kinds if not is_lent)
    assert {"agreement.signed", "investment.confirmed", "wallet_mapping.claimed"} <= set(kept)
    wall, told = (
        b"select engine.require_delegation(%s, %s, '', %s, %s)",
        json.dumps({"investor_id": investor}),
    )
    for kind in kept:
        rule = refused(owner, wall, act_for(investor), kind, investor, told)
        assert rule == "delegate_stays_within_its_scope", kind
    owner.execute(wall, [act_for(investor), "investment.opened", investor, told])


def test_a_delegate_signs_and_confirms_nothing(world: World, connect: Connect) -> None:
    investor, agreement = world.id("ivr", 1), world.id("agr", 1)
    delegated(connect, investor)
    world.acknowledged()
    sent = [world.offering, agreement, world.id("inv", 1), 1, PRICE, world.document]
    world.call("subscription.send_agreement", *sent)
    signing = [world.offering, agreement, proof(world.document)]
    with pytest.raises(psycopg.Error) as caught:
        world.call("subscription.sign", *signing, actor=act_for(investor))
    assert caught.value.diag.constraint_name == "delegate_stays_within_its_scope"
    # The same call of the principal goes through: nothing else was in the way.
    world.call("subscription.sign", *signing, actor=investor)


def test_nobody_acts_for_whoever_is_erased(world: World, connect: Connect) -> None:
    mine, engine, portal = world.id("ivr", 1), connect("engine"), connect("portal")
    delegated(connect, mine)
    opening = [act_for(mine), world.offering, "inv_d", mine]
    with engine.transaction(force_rollback=True):
        engine.execute(OPEN, opening)
    admin = connect("admin")
    admin.execute(b"alter table portal.data_key disable trigger user")
    admin.execute(
        b"insert into portal.data_key (investor_id, key_id, status, destroyed_because, version, chain_head)"
        b" values (%s, 'key_gone', 'destroyed', 'asked for', 1, sha256('x')) on conflict (investor_id)"
        b" do update set status = 'destroyed', wrapped = null, destroyed_because = 'asked for'",
        [mine],
    )
    assert portal.execute(b"select portal.is_erased(%s)", [mine]).fetchone() == (True,)
    assert refused(engine, OPEN, *opening) == "delegate_stays_within_its_scope"


def test_a_delegate_cancels_in_the_free_period_and_decides_nothing(connect: Connect) -> None:
    world = Book(connect).build("confirmed")
    deadline(world, 49)
    mine, engine = world.id("ivr", 1), connect("engine")
    delegated(connect, mine)
    on = [world.offering, world.id("inv", 1)]
    decide = b"select engine.decide_cancellation(%s, 'req_1', %s, %s, true)"
    assert refused(engine, decide, act_for(mine), *on) == "delegate_stays_within_its_scope"
    engine.execute(b"select engine.request_cancellation(%s, 'req_1', %s, %s)", [act_for(mine), *on])
    status = b"select status from engine.investment where investment_id = %s"
    assert connect("owner").execute(status, on[1:]).fetchone() == ("cancelled_by_manager",)


@pytest.mark.parametrize(("scope", "may_open"), [("see", False), ("prepare", True), ("act", True)])
def test_a_scope_reaches_as_far_as_its_rows(
    world: World, connect: Connect, scope: str, *, may_open: bool
) -> None:
    investor, engine = world.id("ivr", 1), connect("engine")
    delegated(connect, investor, scope)
    opening = [act_for(investor), world.offering, "inv_d", investor]
    if may_open:
        engine.execute(OPEN, opening)
    else:
        assert refused(engine, OPEN, *opening) == "delegate_stays_within_its_scope"
        engine.execute(OPEN, [investor, *opening[1:]])
    withdraw = b"select engine.withdraw(%s, 'req_1', %s, 'inv_d')"
    if scope == "act":
        engine.execute(withdraw, opening[:2])
    else:
        assert refused(engine, withdraw, *opening[:2]) == "delegate_stays_within_its_scope"
    said = b"select portal.choose_currency(%s, 'req_1', %s, %s, 'USD')"
    if scope == "see":
        portal = connect("portal")
        assert refused(portal, said, *opening[:3]) == "delegate_stays_within_its_scope"


def test_a_delegate_acts_for_its_principal_alone(world: World, connect: Connect) -> None:
    mine, foreign = world.id("ivr", 1), world.id("ivr", 2)
    delegated(connect, mine)
    engine = connect("engine")
    rule = "delegate_acts_for_its_principal_alone"
    assert refused(engine, OPEN, act_for(mine), world.offering, "inv_d", foreign) == rule
    engine.execute(OPEN, [foreign, world.offering, "inv_f", foreign])
    withdraw = b"select engine.withdraw(%s, 'req_1', %s, 'inv_f')"
    assert refused(engine, withdraw, act_for(mine), world.offering) == rule
    assert refused(engine, withdraw, act_for(foreign), world.offering) == "delegate_stays_within_its_scope"
    for actor in (DELEGATE, f"key:{DELEGATE}", f"key:{DELEGATE}~laptop"):
        told = refused(engine, OPEN, actor, world.offering, "inv_d", mine)
        assert told == "delegate_says_for_whom_it_acts", actor
    # Whoever is no delegate takes nobody's place either.
    for actor in (
        f"delegate:officer.ada:{mine}",
        f"delegate::{mine}",
        "delegate:",
        f"delegate:{OTHER}:{mine}",
    ):
        told = refused(engine, OPEN, actor, world.offering, "inv_d", mine)
        assert told == "delegate_stays_within_its_scope", actor


def test_a_delegation_is_named_by_its_principal_and_accepted_by_its_delegate(
    world: World, connect: Connect
) -> None:
    mine, foreign, portal = world.id("ivr", 1), world.id("ivr", 2), connect("portal")
    for actor in (foreign, "usr_staff", DELEGATE, act_for(mine), f"key:{foreign}"):
        told = refused(portal, NAME, actor, mine, "dgn_1", terms())
        assert told in {"principal_names_its_own_delegate", "delegate_stays_within_its_scope"}, actor
    for said, rule in (
        (terms("sign"), "delegation_has_a_known_scope"),
        (terms(delegate="officer.ada"), "delegate_has_an_account_of_its_own"),
        (terms(delegate=foreign), "delegate_has_an_account_of_its_own"),
        (terms(days=800), "delegation_ends_within_two_years"),
        (terms(days=-1), "delegation_ends_in_days_to_come"),
    ):
        assert refused(portal, NAME, mine, mine, "dgn_1", said) == rule
    portal.execute(NAME, [mine, mine, "dgn_1", terms()])
    assert refused(portal, NAME, mine, mine, "dgn_2", terms("see")) == "one_delegation_of_two_at_a_time"
    waits = "delegation_waits_for_its_delegate"
    for actor in (mine, OTHER, "usr_staff"):
        assert refused(portal, ACCEPT, actor, "dgn_1") == waits, actor
    engine, out = connect("engine"), "delegate_stays_within_its_scope"
    assert refused(engine, OPEN, act_for(mine), world.offering, "inv_d", mine) == out
    portal.execute(ACCEPT, [DELEGATE, "dgn_1"])
    assert refused(portal, ACCEPT, DELEGATE, "dgn_1") == waits
    for table in ("portal.delegation", "portal.delegated_act"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            portal.execute(f"update {table} set scope = 'act'".encode())  # noqa: S608 - two names of ours
    owner = connect("owner")
    assert refused(owner, b"update portal.delegation set scope = 'see'") == "delegation_terms_are_locked"


@pytest.mark.parametrize("by", ["principal", "delegate", "staff"])
def test_a_delegation_that_is_ended_carries_nothing_from_then_on(
    world: World, connect: Connect, by: str
) -> None:
    mine, portal, engine = world.id("ivr", 1), connect("portal"), connect("engine")
    delegated(connect, mine)
    for stranger in (world.id("ivr", 2), OTHER, act_for(mine)):
        assert refused(portal, END, stranger, "dgn_1") == "delegation_stands"
    actor = {"principal": mine, "delegate": DELEGATE, "staff": "usr_portal"}[by]
    portal.execute(END, [actor, "dgn_1"])
    out = "delegate_stays_within_its_scope"
    assert refused(engine, OPEN, act_for(mine), world.offering, "inv_d", mine) == out
    assert refused(portal, END, actor, "dgn_1") == "delegation_stands"
    delegated(connect, mine, "prepare", "dgn_2")
    engine.execute(OPEN, [act_for(mine), world.offering, "inv_d", mine])


def test_a_delegation_counts_between_its_moments(world: World, connect: Connect) -> None:
    mine, portal, engine = world.id("ivr", 1), connect("portal"), connect("engine")
    portal.execute(NAME, [mine, mine, "dgn_1", terms(after=5)])
    portal.execute(ACCEPT, [DELEGATE, "dgn_1"])
    opening = [act_for(mine), world.offering, "inv_d", mine]
    assert refused(engine, OPEN, *opening) == "delegate_stays_within_its_scope"
    admin = connect("admin")
    admin.execute(b"alter table portal.delegation disable trigger user")
    admin.execute(b"update portal.delegation set valid_from = now() - interval '9 days', valid_until = now()")
    assert refused(engine, OPEN, *opening) == "delegate_stays_within_its_scope"
    admin.execute(b"update portal.delegation set valid_until = now() + interval '1 day'")
    engine.execute(OPEN, opening)


def test_whoever_ends_a_delegation_waits_for_the_act_and_nothing_follows_it(
    world: World, connect: Connect
) -> None:
    mine, portal, engine = world.id("ivr", 1), connect("portal"), connect("engine")
    delegated(connect, mine)
    waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%end_delegation%'"
    with ThreadPoolExecutor(1) as beside:
        with engine.transaction():
            engine.execute(OPEN, [act_for(mine), world.offering, "inv_d", mine])
            ended = beside.submit(portal.execute, END, [mine, "dgn_1"])
            with connect("admin") as seeing:
                while not seeing.execute(waiting).fetchall() and not ended.done():
                    pass
            assert not ended.done()
        ended.result()
    withdraw = b"select engine.withdraw(%s, 'req_1', %s, 'inv_d')"
    told = refused(engine, withdraw, act_for(mine), world.offering)
    assert told == "delegate_stays_within_its_scope"


def test_a_delegate_has_no_key_and_no_other_keeper(world: World, connect: Connect) -> None:  # noqa: ARG001
    access, owner = connect("access"), connect("owner")
    propose = b"select api.propose_account('usr_one', 'req_1', 'acc_1', 'dlg_three', %s, null)"
    rule = "account_of_a_delegate_serves_the_portal"
    assert refused(access, propose, "compliance") == rule
    key = (
        b"insert into api.key (name, key_sha256, keeper, issued_by, expires_at)"
        b" values (%s, sha256('k'), 'portal', 'usr_one', now() + interval '1 day')"
    )
    for name in ("dlg_one", "dlg_one~laptop"):
        assert refused(owner, key, name) in {"delegate_has_no_key", "key_of_an_account_is_of_its_keeper"}


@pytest.mark.parametrize("shut", ["principal", "delegate"])
def test_whoever_is_locked_is_acted_for_by_nobody_and_acts_for_nobody(
    world: World, connect: Connect, shut: str
) -> None:
    mine, access, engine = world.id("ivr", 1), connect("access"), connect("engine")
    delegated(connect, mine)
    name = {"principal": mine, "delegate": DELEGATE}[shut]
    password = json.dumps({"kind": "password", "secret": b"$argon2id$x".hex()})
    for call, arguments in (
        (b"select api.propose_account('usr_one', 'req_1', 'acc_l', %s, 'portal', null)", [name]),
        (b"select api.invite('usr_two', 'req_2', 'acc_l', sha256('i'))", []),
        (b"select api.accept('req_3', sha256('i'), 'crd_l', %s)", [password]),
    ):
        access.execute(call, arguments)
    opening = [act_for(mine), world.offering, "inv_d", mine]
    with engine.transaction(force_rollback=True):
        engine.execute(OPEN, opening)
    access.execute(b"select api.move_account('usr_two', 'req_4', 'acc_l', 'locked', 'lost')")
    assert refused(engine, OPEN, *opening) == "delegate_stays_within_its_scope"


def test_a_delegate_has_statements_made_of_its_principals_holdings_alone(connect: Connect) -> None:
    world, owner = World(connect, "one", 2).build("registered"), connect("owner")
    delegated(connect, world.id("ivr", 1), "see")
    wall = b"select engine.require_delegation(%s, 'holder_statement.issued', %s, 'hst_1', %s)"
    asked = [act_for(world.id("ivr", 1)), world.offering]
    for holding in ("hld_one2", "hld_none", None):
        told = json.dumps({"holding_id": holding})
        assert refused(owner, wall, *asked, told) == "delegate_acts_for_its_principal_alone", holding
    owner.execute(wall, [*asked, json.dumps({"holding_id": "hld_one1"})])
