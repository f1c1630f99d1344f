"""A cut of the units voids the packet that states the old ones and asks again; the money above goes back."""

from __future__ import annotations

import json

import psycopg
import pytest

from bookrunner.core.errors import Refused
from bookrunner.sandbox.entering.papers import EVIDENCE, INTENT
from bookrunner.sandbox.story import PRICE_MINOR, Story
from bookrunner.sandbox.world import World
from tests.subscription.conftest import Tell, agreement
from tests.subscription.test_packets import OFFICER, papers, state


def cut(story: Story, units: int) -> None:
    """Cut the first investor's order to this many units and let the process answer."""
    investment = story.people[0].investment
    with psycopg.connect(story.app.endpoint.dsn("engine")) as connection:
        connection.execute(
            "select engine.scale_back(%s, 'req_cut', %s, %s, %s, %s, 'issuer', 'less is needed')",
            [OFFICER, story.offering, f"alm_{investment[4:]}", investment, units],
        )
    story.app.process.drain()


def stated(story: Story, name: str) -> dict[str, object]:
    """Return the data that a packet shows."""
    row = story.desk.packets.packet(offering=story.offering, agreement=name)
    data: dict[str, object] = json.loads(
        story.app.archive.fetch(bytes(row["data_sha256"]), actor="ann").content
    )
    return data


def refunds(story: Story) -> list[int]:
    """Return the amounts that go back to the first investor."""
    with psycopg.connect(story.app.endpoint.admin_dsn()) as connection:
        rows = connection.execute(
            "select f.amount_minor from treasury.refund_fact f"
            " join treasury.receipt_fact r using (offering_id, receipt_id) where r.investment_id = %s",
            [story.people[0].investment],
        ).fetchall()
    return [amount for (amount,) in rows]


def test_a_cut_of_a_paid_packet_refunds_and_asks_again(world: World, tell: Tell) -> None:
    story, app = tell("signed"), world.application
    person, first = story.people[0], agreement(story)
    app.desk.engine.confirm(actor=person.investor, offering=story.offering, investment=person.investment)
    story.countersign_all()
    story.fund()
    kept = person.units - 3
    cut(story, kept)
    row = story.desk.packets.packet(offering=story.offering, agreement=first)
    assert (row["status"], row["void_because"]) == ("voided", "its units were cut")
    second = agreement(story)
    assert second != first
    data = stated(story, second)
    assert data["investment"] == {**data["investment"], "units": kept, "amount_minor": kept * PRICE_MINOR}
    assert data["reference"] == stated(story, first)["reference"]
    assert refunds(story) == [3 * PRICE_MINOR]
    papers(story).sign([person])
    papers(story).countersign([second])
    app.process.drain()
    assert state(story) == "countersigned"
    assert not app.signing.verify(story.offering, second, actor="auditor.ann").failures


def test_a_packet_signed_before_the_cut_is_never_countersigned(world: World, tell: Tell) -> None:
    story, signing = tell("released"), world.application.signing
    person, first = story.people[0], agreement(story)
    world.application.desk.engine.confirm(
        actor=person.investor, offering=story.offering, investment=person.investment
    )
    made = signing.executed(story.offering, first, officer=OFFICER, evidence=EVIDENCE)
    cut(story, person.units - 1)
    with pytest.raises(Refused) as refused:
        story.desk.packets.countersign_packet(
            actor=OFFICER,
            offering=story.offering,
            agreement=first,
            proof=made.proof,
            content=made.signed.content,
        )
    assert refused.value.rule == "agreement_waits_for_the_issuer"
    assert state(story) == "sent"
    signing.sign(story.offering, agreement(story), actor=person.investor, intent=INTENT, evidence=EVIDENCE)
    assert state(story) == "investor_signed"
