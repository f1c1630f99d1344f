"""The books go on while the chain is read, and nodes fall silent: what is a difference all the same."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from bookrunner.adapters.chain.control import transfer
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app.comparing import Comparing
from bookrunner.audit import advance_feed
from bookrunner.core.log import configure
from bookrunner.db import Database
from tests.chain.sides import TREASURY, Sides

pytestmark = pytest.mark.chain
OF_THE_CHAIN = {
    "registered_not_on_chain",
    "on_chain_not_registered",
    "units_differ",
    "supply_is_not_the_control_book",
}


class Busy:
    """The real chain, with something that happens once after its balances were read."""

    def __init__(self, chain: EvmChain, happens: Callable[[], object]) -> None:
        self._chain, self._happens = chain, [happens]

    def balances(self, *asked: Any) -> list[int]:  # noqa: ANN401 - what the chain is asked
        """Read the balances; then let it happen."""
        found = self._chain.balances(*asked)
        while self._happens:
            self._happens.pop()()
        return found

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - anything of the chain
        return getattr(self._chain, name)


@pytest.fixture
def held(sides: Callable[[str], Sides]) -> Sides:
    """Return both sides with 100 units at the first holder."""
    made = sides(f"cmp{secrets.token_hex(4)}")
    changed(made, "treasury_address = %s", made.treasury.address)
    deliver(made, 0, 100)
    return made


def changed(held: Sides, assignment: str, *values: object) -> None:
    """Change the offer past its verbs."""
    owner = held.world.login("owner")
    with owner.transaction():
        owner.execute("alter table engine.offer disable trigger user")
        owner.execute(f"update engine.offer set {assignment}".encode(), values)  # noqa: S608
        owner.execute("alter table engine.offer enable trigger user")


def lapse(held: Sides, time: str) -> None:
    """Let time pass for an offer: it was published and compared so much earlier."""
    changed(held, "published_at = published_at - %s::interval", time)
    owner = held.world.login("owner")
    with owner.transaction():
        owner.execute("alter table reconciliation.run disable trigger user")
        owner.execute(
            "update reconciliation.run set started_at = started_at - %s::interval where offering_id = %s",
            [time, held.offering],
        )
        for name in ("aa_append_only", "aa_append_only_truncate"):
            owner.execute(f"alter table reconciliation.run enable always trigger {name}".encode())


def deliver(held: Sides, place: int, units: int, *, is_posted: bool = True) -> None:
    """Send units from the treasury wallet to a holder, and post them."""
    holder = held.holders[place]
    held.as_holder(TREASURY, held.of.token, transfer(held.address(holder), units))
    if is_posted:
        held.issue(holder, units)


def units_apart(held: Sides) -> set[tuple[str, str]]:
    rows = held.desk.engine.breaks(offering=held.offering)
    return {(row["kind"], row["status"]) for row in rows if row["kind"] in OF_THE_CHAIN}


def runs(held: Sides) -> int:
    (count,) = held.world.login("owner").execute("select count(*) from reconciliation.run").fetchone() or (0,)
    return int(count)


@pytest.mark.parametrize("place", [0, 1], ids=["to a holder", "to a new holder"])
def test_a_posting_between_the_looks_is_no_difference(held: Sides, place: int) -> None:
    busy = Busy(held.chain, lambda: deliver(held, place, 40))
    Comparing(held.desk, busy).run(held.offering, actor="recon.rita")  # type: ignore[arg-type]
    assert units_apart(held) == set()


def test_a_difference_that_is_there_before_and_after_is_a_break(held: Sides) -> None:
    deliver(held, 0, 7, is_posted=False)
    busy = Busy(held.chain, lambda: deliver(held, 1, 40))
    Comparing(held.desk, busy).run(held.offering, actor="recon.rita")  # type: ignore[arg-type]
    assert units_apart(held) == {("units_differ", "open"), ("supply_is_not_the_control_book", "open")}
    held.issue(held.holders[0], 7)
    Comparing(held.desk, held.chain).run(held.offering, actor="recon.rita")
    assert units_apart(held) == set()


def test_a_break_that_stands_is_not_verified_by_a_moving_look(held: Sides) -> None:
    deliver(held, 0, 7, is_posted=False)
    Comparing(held.desk, held.chain).run(held.offering, actor="recon.rita")

    def moves() -> None:
        held.as_holder(held.holders[0], held.of.token, transfer(held.address(held.holders[1]), 20))

    Comparing(held.desk, Busy(held.chain, moves)).run(held.offering, actor="recon.rita")  # type: ignore[arg-type]
    assert ("units_differ", "open") in units_apart(held)


def test_units_that_moved_before_a_silent_node_wait_for_it(held: Sides, database: Database) -> None:
    followed = Comparing(held.desk, held.chain)
    advance_feed(database)
    while followed.follow():
        pass
    deliver(held, 0, 7, is_posted=False)
    held.issue(held.holders[0], 3)
    advance_feed(database)
    with EvmChain("http://127.0.0.1:1") as gone:
        silent = Comparing(held.desk, gone)
        while silent.follow():
            pass
        assert units_apart(held) == set()
        before = runs(held)
        silent.keep_cadence()
        assert (units_apart(held), runs(held)) == (set(), before), "what waits for a silent node is no run"
    assert followed.follow() == 0, "the events were followed"
    followed.keep_cadence()
    assert ("units_differ", "open") in units_apart(held)
    waits = held.world.login("owner").execute("select count(*) from reconciliation.unseen").fetchone()
    assert waits == (0,)


def test_an_offer_whose_node_is_silent_is_compared_without_it_once(
    held: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(held, "published_at = clock_timestamp() - interval '8 days'")
    configure(as_json=False)
    with EvmChain("http://127.0.0.1:1") as gone:
        assert [Comparing(held.desk, gone).keep_cadence() for _ in range(3)] == [1, 0, 0]
        told = capsys.readouterr().err
        assert told.count("books are compared without the chain") == 1
        assert held.offering in told
        lapse(held, "8 days")
        assert [Comparing(held.desk, gone).keep_cadence() for _ in range(3)] == [1, 0, 0]
        lapse(held, "8 days")
        assert [Comparing(held.desk, gone).keep_cadence() for _ in range(3)] == [1, 0, 0]
        capsys.readouterr()
    assert Comparing(held.desk, held.chain).keep_cadence() == 1
    assert "without the chain" not in capsys.readouterr().err
    structlog.reset_defaults()
