"""Delegates under the keepers' own logins: a scope, two moments, one principal, and nothing beside it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from bookrunner.core import clock
from tests.attack.world import Connect, World

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
    """Whatever its scope: signing, wallets, the profile, personal data, agreements, and other delegates."""
    investor = world.id("ivr", 1)
    delegated(connect, investor)
    actor = act_for(investor)
    portal, subscription, access = connect("portal"), connect("subscription"), connect("access")
    engine, out = connect("engine"), "delegate_stays_within_its_scope"
    agreement, investment = world.id("agr", 1), world.id("inv", 1)
    proof = json.dumps({"capacity": "self", "intent": "x", "signed_sha256": "00" * 32})
    asked = json.dumps({"chain_id": 1, "address": "11" * 20, "nonce": "12345678", "message": ""})
    for login, call, arguments in (
        (portal, b"select portal.require_correction(%s, 'req_1', %s)", [actor, investor]),
        (
            portal,
            b"select * from portal.view_personal(%s, 'req_1', %s, 1, 'pvw_1', 'a look')",
            [actor, investor],
        ),
        (portal, b"select portal.erase_personal(%s, 'req_1', %s, 'asked for')", [actor, investor]),
        (
            subscription,
            b"select subscription.sign(%s, 'req_1', %s, %s, %s)",
            [actor, world.offering, agreement, proof],
        ),
        (
            subscription,
            b"select subscription.void_agreement(%s, 'req_1', %s, %s, 'x')",
            [actor, world.offering, agreement],
        ),
        (engine, b"select engine.confirm(%s, 'req_1', %s, %s)", [actor, world.offering, investment]),
        (access, b"select api.propose_account(%s, 'req_1', 'acc_1', 'dlg_three', 'portal', null)", [actor]),
    ):
        with pytest.raises(psycopg.Error) as caught:
            login.execute(call, arguments)
        # Some verbs refuse for a reason of their own before anything is written.
        assert caught.value.diag.constraint_name, call
        assert caught.value.sqlstate is not None, call
        assert caught.value.sqlstate.startswith("BR") or caught.value.sqlstate == "23514", call
    assert refused(portal, NAME, actor, investor, "dgn_2", terms(delegate=OTHER)) in {
        "principal_names_its_own_delegate",
        out,
    }
    challenge = b"select portal.issue_challenge(%s, 'req_1', %s, 'wch_1', %s, %s)"
    assert refused(portal, challenge, actor, world.offering, investor, asked) is not None
    moved = connect("owner").execute(b"select distinct kind from audit.event where actor like 'delegate:%'")
    assert moved.fetchall() == []


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
