"""Units in a wallet that nobody registered are frozen by two people who name the break that shows them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import CHAIN, Connect, World
from tests.registry.test_transfer_machines import observe
from tests.registry.transferring import AGENT, SECOND, Transferring

BLOCKED = "select count(*) from pg_locks where not granted"
STRANGE = b"\x99" * 20


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


@pytest.fixture
def keeper(desk: Transferring, database: Database) -> Keeper:
    assert observe(desk, "strange", desk.world.address(3), STRANGE) == "unmapped"
    return registry.keeper(database)


def ask(keeper: Keeper, action: str, kind: str, observed: str | None = "obs_strange", **said: object) -> None:
    asked = {"kind": kind, "because": "the register does not know it"} | said
    asked |= {"observed": observed} if observed else {}
    keeper.ask_control(actor=AGENT, offering="ofr_one", action=action, asked=asked)


def approve(keeper: Keeper, action: str) -> None:
    keeper.decide_control(actor=SECOND, offering="ofr_one", action=action, is_approved=True, because="")


def test_a_break_is_frozen_and_thawed_by_two_people(keeper: Keeper) -> None:
    ask(keeper, "cta_1", "freeze_unknown")
    with pytest.raises(Refused, match="control_action_needs_two_people"):
        keeper.decide_control(
            actor=f"key:{AGENT}", offering="ofr_one", action="cta_1", is_approved=True, because=""
        )
    approve(keeper, "cta_1")
    plan = keeper.control_plan(offering="ofr_one", action="cta_1")
    assert [bytes(each) for each in plan["addresses"]] == [STRANGE]
    with pytest.raises(Refused, match="unknown_wallet_is_free"):
        ask(keeper, "cta_2", "freeze_unknown")
    ask(keeper, "cta_3", "thaw_unknown")
    with pytest.raises(Refused, match="one_freeze_runs_per_unknown_wallet"):
        approve(keeper, "cta_3")


def test_the_order_names_a_break_that_shows_an_unknown_wallet(desk: Transferring, keeper: Keeper) -> None:
    with pytest.raises(Refused, match="freeze_of_an_unknown_wallet_names_its_break"):
        ask(keeper, "cta_1", "freeze_account", investor=desk.seller)
    with pytest.raises(Refused, match="control_action_names_its_account"):
        ask(keeper, "cta_1", "freeze_unknown", investor=desk.seller)
    assert observe(desk, "known", desk.world.address(3), desk.world.address(2)) == "unauthorised"
    for observed in ("obs_known", "obs_nothing", None):
        with pytest.raises(Refused, match="break_shows_an_unknown_wallet"):
            ask(keeper, "cta_1", "freeze_unknown", observed)
    with pytest.raises(Refused, match="unknown_wallet_is_frozen"):
        ask(keeper, "cta_1", "thaw_unknown")


def approve_late(desk: Transferring) -> list[str]:
    """Let the issuer approve the strange wallet as one of the seller's, and return its keys."""
    on, call = [desk.offering, "wmp_late"], desk.world.call
    call("registry.open_mapping", *on, desk.seller, CHAIN, STRANGE, "wlc_late@1", "key")
    call("registry.mark_screened", *on, "scr_late@1")
    call("registry.approve_wallet", *on)
    return on


def test_a_frozen_unknown_wallet_is_nobodys_to_link(desk: Transferring, keeper: Keeper) -> None:
    ask(keeper, "cta_1", "freeze_unknown")
    approve(keeper, "cta_1")
    on, call = approve_late(desk), desk.world.call
    for verb in ("join_wallet", "link_wallet"):
        with pytest.raises(psycopg.Error) as refused:
            call(f"registry.{verb}", *on, actor="usr_agent")
        assert refused.value.diag.constraint_name == "unknown_wallet_is_thawed_first"


LINK = "select registry.join_wallet('usr_agent', 'req_race', %s, %s)"
FREEZE = "select registry.decide_control('usr_second', 'req_race', 'ofr_one', 'cta_1', true, '')"


@pytest.mark.parametrize(
    ("is_freeze_first", "rule"),
    [(True, "unknown_wallet_is_thawed_first"), (False, "break_shows_an_unknown_wallet")],
)
def test_a_wallet_is_frozen_or_becomes_effective_whichever_comes_first(
    desk: Transferring, keeper: Keeper, connect: Connect, *, is_freeze_first: bool, rule: str
) -> None:
    ask(keeper, "cta_1", "freeze_unknown")
    steps: list[tuple[str, list[str]]] = [(FREEZE, []), (LINK, approve_late(desk))]
    (first, given), (second, asked) = steps if is_freeze_first else reversed(steps)
    one, other = connect("registry"), connect("registry")
    with ThreadPoolExecutor(1) as pool:
        with one.transaction():
            one.execute(first, given)
            waiting = pool.submit(other.execute, second, asked)
            while not connect("admin").execute(BLOCKED).fetchone() > (0,):  # type: ignore[operator]
                wait([waiting], timeout=0.02)
                assert not waiting.done(), "the second does not wait for the first"
        with pytest.raises(psycopg.Error) as refused:
            waiting.result(30)
    assert refused.value.diag.constraint_name == rule
