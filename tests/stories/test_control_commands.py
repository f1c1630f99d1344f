"""The commands of control actions, on the installation that runs and its real token."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookrunner.adapters.chain import is_frozen, paused
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.stories.test_allocation_commands import told
from tests.stories.test_command_line import Run, here, refusal, run

__all__ = ["here", "run"]

pytestmark = pytest.mark.chain

THEO, TESS = ("--actor", "agent.theo"), ("--actor", "agent.tess")
WHY = ("--because", "the court says so")


def _propose(here: Run, offer: str, kind: str, *more: str) -> str:
    (line,) = told(here("control", "propose", offer, kind, *more, *WHY, *THEO))
    assert line.endswith("waits for a second person")
    return line.split()[0]


def _approve(here: Run, offer: str, action: str) -> str:
    (line,) = told(here("control", "approve", offer, action, *TESS))
    return line


def test_a_security_is_paused_and_resumed_by_two_people(here: Run, world: World, raised: Story) -> None:
    offer, chain = raised.offering, world.application.chain
    token = bytes(raised.desk.offer(offer)["token_address"])
    pause = _propose(here, offer, "pause")
    same = here("control", "approve", offer, pause, *THEO)
    assert "control_action_needs_two_people" in refusal(same)
    assert _approve(here, offer, pause) == f"{pause}: executed"
    assert chain.read([paused(token)]) == [True]
    first, second = (person.investor for person in raised.people[:2])
    lines = told(here("control", "check", offer, first, second, "1"))
    assert "register: security_is_not_paused" in lines
    assert "security_to_pause_is_open" in refusal(here("control", "propose", offer, "pause", *WHY, *THEO))
    assert _approve(here, offer, _propose(here, offer, "resume")).endswith("executed")
    assert chain.read([paused(token)]) == [False]
    table = "\n".join(told(here("control", "list", offer)))
    assert "resume" in table
    assert "1 of 1 final" in table


def test_an_account_is_frozen_on_chain_and_thawed(here: Run, world: World, raised: Story) -> None:
    offer, holder = raised.offering, raised.people[0].investor
    wallet = raised.desk.registry.linked_address(offering=offer, investor=holder)
    token = bytes(raised.desk.offer(offer)["token_address"])
    action = _propose(here, offer, "freeze_account", "--holder", holder)
    assert _approve(here, offer, action).endswith("executed")
    flags = world.application.chain.read([is_frozen(token, bytes(wallet))]) if wallet else [True]
    assert flags == [True]
    thaw = _propose(here, offer, "thaw_account", "--holder", holder)
    declined = ("control", "decline", offer, thaw, "--because", "not yet", *TESS)
    assert told(here(*declined)) == [f"{thaw}: declined"]
    again = _propose(here, offer, "thaw_account", "--holder", holder)
    assert _approve(here, offer, again).endswith("executed")


def test_a_forced_transfer_needs_its_order(here: Run, raised: Story, tmp_path: Path) -> None:
    offer = raised.offering
    first, second = (person.investor for person in raised.people[:2])
    ask = ("control", "propose", offer, "force_transfer", "--holder", first, "--receiver", second)
    missing = ("--order", str(tmp_path / "none.pdf"), "--reference", "order 7")
    assert "there is no file" in refusal(here(*ask, "--units", "1", *missing, *WHY, *THEO))
    order = tmp_path / "order.pdf"
    order.write_bytes(b"the order")
    kept = ("--order", str(order), "--reference", "order 7")
    assert "units_to_move_are_held" in refusal(here(*ask, "--units", "999999", *kept, *WHY, *THEO))
    assert "control_action_exists" in refusal(here("control", "retry", offer, "cta_none"))
