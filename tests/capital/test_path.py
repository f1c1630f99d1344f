"""From the request of an institution to its units in the register: the same five books, the same gates."""

from __future__ import annotations

import psycopg
import pytest

from bookrunner.app import Application
from tests.capital.conftest import Capitals
from tests.capital.servers import completion, verdict
from tests.capital.test_settlement import in_escrow

PATH = [
    "allocation.requested",
    "allocation.review_opened",
    "allocation.escrow_initiated",
    "allocation.funded",
]


def funded(capital: Capitals) -> str:
    """Return an allocation that the settlement has funded."""
    allocation = in_escrow(capital)
    assert capital.settle(capital.notice(allocation)).json() == {"result": "settled"}
    return allocation


def test_a_funded_allocation_goes_to_the_register_as_any_investment(
    capital: Capitals, application: Application
) -> None:
    world, allocation = capital.world, funded(capital)
    application.process.drain()
    assert capital.events(allocation) == PATH
    assert capital.one("select status, allocation_id from treasury.escrow_initiation") == (
        "settled",
        allocation,
    )
    # Funded is no token: nothing is held before the gates of issuance have passed.
    assert capital.one("select count(*) from registry.holding") == (0,)
    for step in ("linked", "frozen", "prepared", "submitted", "registered"):
        getattr(world, step)()
    held = capital.one("select status, units from registry.holding where investor_id = %s", world.entity)
    assert held == ("registered", 200)


def test_a_funded_allocation_passes_no_gate_that_is_closed(
    capital: Capitals, application: Application
) -> None:
    world = capital.world
    funded(capital)
    world.linked()
    world.call("compliance.revoke_identity", world.entity, "the document was forged")
    with pytest.raises(psycopg.Error) as caught:
        world.frozen()
    assert caught.value.sqlstate == "BR409"
    assert "investor_is_cleared" in (caught.value.diag.message_detail or "")
    assert capital.one("select status from engine.allocation") == ("funded",)
    assert application


def test_the_whole_path_with_a_review_by_compliance(capital: Capitals, application: Application) -> None:
    capital.scorer.answer = lambda _: (200, completion(verdict(55)))
    # Money may come before the request; what waits is every act of ours.
    for step in ("instructed", "received", "funded"):
        getattr(capital.world, step)()
    intake = capital.ask().json()
    assert (intake["status"], intake["rules_met"]) == ("in_review", ["score.low"])
    (version,) = capital.one("select version from engine.intake")
    said = ["officer.omar", "req_1", capital.world.offering, intake["id"], True, "known to us", version]
    capital.world.login("compliance").execute("select engine.decide_intake(%s, %s, %s, %s, %s, %s, %s)", said)
    application.process.drain()
    application.process.drain()
    (allocation,) = capital.one("select allocation_id from engine.allocation")
    assert capital.move(allocation, "under_internal_review").status_code == 200
    assert capital.escrow(allocation).status_code == 201
    assert capital.settle(capital.notice(allocation)).json() == {"result": "settled"}
    assert capital.events(allocation) == PATH
    assert capital.events(intake["id"]) == ["intake.asked", "intake.sent_to_review", "intake.approved"]
