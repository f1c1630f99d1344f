"""Closings asked for at the wrong time or with the wrong ids, up to the last holding of the raise."""

from __future__ import annotations

import pytest

from bookrunner.core.errors import GateClosed
from bookrunner.sandbox.story import ISSUER_PAYEE, Story
from bookrunner.sandbox.world import World
from tests.stories.conftest import Refusal

pytestmark = pytest.mark.chain

OTTO = "operator.otto"
# Books are compared before a set is frozen.
COMPARED = ("reconciliation.run",)
COMPARED_AND_REFUSED = ("audit.refusal", "reconciliation.run")


def test_a_close_while_somebody_misses_something(world: World, raised: Story, refused: Refusal) -> None:
    # What differs is known, so that the run before the close finds nothing new.
    world.application.reconcile(raised.offering, actor=OTTO)
    with refused("gate_is_closed", but=COMPARED_AND_REFUSED):
        world.application.close_offer(raised.offering, actor=OTTO, ready=False)
    with pytest.raises(GateClosed) as gate:
        world.application.close_offer(raised.offering, actor=OTTO, ready=False)
    assert all(missing.keeper and missing.since for missing in gate.value.missing)


def test_a_closing_that_does_not_exist(
    world: World, raised: Story, published: Story, refused: Refusal
) -> None:
    app, treasury = world.application, raised.desk.treasury
    with refused("closing_exists"):
        app.run_closing(raised.offering, "cls_none")
    with refused("closing_exists"):
        treasury.propose_release(
            actor="fundadmin.fay",
            offering=raised.offering,
            release="rel_none",
            closing="cls_none",
            payee_fingerprint=ISSUER_PAYEE,
        )
    with refused("release_exists"):
        treasury.approve_release(
            actor="fundadmin.finn",
            offering=raised.offering,
            release="rel_none",
            payee_fingerprint=ISSUER_PAYEE,
            amount_minor=1,
        )
    closing = app.close_offer(raised.offering, actor=OTTO, ready=True)
    with refused("closing_exists"):
        app.run_closing(published.offering, closing)


def test_a_second_close_while_one_runs(world: World, raised: Story, refused: Refusal) -> None:
    app, offering = world.application, raised.offering
    (frozen,) = raised.desk.engine.closings(offering=offering)
    app.reconcile(offering, actor=OTTO)
    for ready in (True, False):
        with refused("one_closing_runs_per_offer", but=COMPARED):
            app.close_offer(offering, actor=OTTO, ready=ready)
    with refused("holding_stands_before_escrow_is_released"):
        raised.release(frozen["closing_id"])
    assert app.run_closing(offering, frozen["closing_id"]) > 0
    app.reconcile(offering, actor=OTTO)
    with refused("one_closing_runs_per_offer", but=COMPARED):
        app.close_offer(offering, actor=OTTO, ready=True)
    raised.release(frozen["closing_id"])
    app.reconcile(offering, actor=OTTO)
    with refused("closing_has_open_investments", but=COMPARED):
        app.close_offer(offering, actor=OTTO, ready=True)


def test_a_close_after_everybody_is_issued(world: World, raised: Story, refused: Refusal) -> None:
    app, offering = world.application, raised.offering
    raised.repair()
    last = app.close_offer(offering, actor=OTTO, ready=False)
    assert app.run_closing(offering, last) > 0
    raised.release(last)
    assert app.totals(offering)["holdings"] == len(raised.people)
    app.reconcile(offering, actor=OTTO)
    for ready in (True, False):
        with refused("closing_has_open_investments", but=COMPARED):
            app.close_offer(offering, actor=OTTO, ready=ready)
    with refused("holding_stands_before_escrow_is_released"):
        raised.release(last)
    assert app.run_closing(offering, last) == 0
