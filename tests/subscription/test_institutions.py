"""Institutional allocations go strictly in order, within limits, for cleared entities, also in raw SQL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from bookrunner.api import api, issue
from bookrunner.core.errors import Refused
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED, rolled_back
from tests.serving import serving
from tests.subscription.conftest import Tell
from tests.subscription.test_api import Calls
from tests.subscription.test_representations import tell_compliance

UNLISTED = "transition_is_listed_for_the_keeper"
STATES = ("pending", "under_internal_review", "escrow_initiated", "funded", "cancelled")
DUE = f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%dT17:00:00Z}"
ROW = """
insert into engine.allocation (offering_id, allocation_id, tranche, entity_id, status, amount_minor,
    currency, requested_by)
values (%(offer)s, %(id)s, 'a', %(entity)s, 'pending', %(amount)s, %(currency)s, 'x')
"""

# Only time itself may make it late, so its guards are off while two days pass.
TWO_DAYS_LATER = b"""
alter table engine.allocation disable trigger all;
update engine.allocation set requested_at = requested_at - interval '2 days',
    settlement_due_at = settlement_due_at - interval '2 days';
alter table engine.allocation enable trigger all;
alter table treasury.escrow_initiation disable trigger all;
update treasury.escrow_initiation set settlement_due_at = settlement_due_at - interval '2 days';
alter table treasury.escrow_initiation enable trigger all
"""


@pytest.fixture(scope="module")
def calls(world: World) -> Iterator[Calls]:
    with serving(api(world.application.database)) as url:
        calls = Calls(world, url)
        for name in ("desk", "reviewer"):
            calls.keys[name] = issue(world.endpoint, f"institution-{name}", "engine", actor="usr_admin")
        yield calls


class Institution:
    """The entity with the largest order of a story, as it asks for an allocation of what it has ordered."""

    def __init__(self, calls: Calls, story: Story) -> None:
        self.calls = calls
        self.story = story
        entities = [each for each in story.people if each.kind == "entity"]
        self.person = max(entities, key=lambda each: each.units)
        self.path = f"/v1/offers/{story.offering}/institutional_allocations"

    def ask(self, amount: str, tranche: str = "senior", entity: str | None = None) -> httpx.Response:
        body = {
            "entity": entity or self.person.investor,
            "tranche": tranche,
            "amount": {"amount": amount, "currency": "USD"},
        }
        return self.calls.post(self.path, body, "desk")

    def move(self, to: str, by: str = "reviewer", **said: str) -> tuple[int, str]:
        """Move the last request on the version that it has now; return the status code and state or rule."""
        last = self.listed()[-1]
        answer = self.calls.post(
            f"{self.path}/{last['id']}/moves", {"status": to, **said}, by, f'"{last["version"]}"'
        )
        return answer.status_code, answer.json().get("status" if answer.is_success else "code")

    def escrow(self, investment: str, due: str = DUE) -> str:
        """Open the escrow of the last request; return its state, or the rule that refused."""
        said = ["officer.eve", "req_e", self.story.offering, self.listed()[-1]["id"], investment, due]
        with psycopg.connect(self.story.app.endpoint.dsn("engine")) as connection:
            try:
                connection.execute("select engine.initiate_escrow(%s, %s, %s, %s, %s, %s)", said)
            except psycopg.Error as refused:
                return refused.diag.constraint_name or ""
        return self.listed()[-1]["status"]

    def settle(self, name: str = "msg_1") -> str:
        """Let a verified settlement of the last request come; return what became of it, or the rule."""
        last = self.listed()[-1]
        told = {"offering": self.story.offering, "allocation": last["id"], "currency": "USD"}
        told |= {
            "amount": int(last["amount"]["amount"].replace(".", "")),
            "settled_at": "2026-03-02T09:00:00Z",
        }
        body = json.dumps(told).encode()
        try:
            return str(
                self.story.desk.treasury.confirm_settlement(
                    actor="provider:settlements",
                    request=name,
                    message=f"{self.story.offering}.{name}",
                    key_id="key-1",
                    signature_sha256=hashlib.sha256(body).digest(),
                    body=body,
                    notice=told,
                )
            )
        except Refused as refused:
            return refused.rule

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.calls.get(self.path, "desk").json()["institutional_allocations"]
        return found

    @property
    def ordered(self) -> str:
        """The amount of the entity's investment."""
        with psycopg.connect(self.story.app.endpoint.admin_dsn()) as connection:
            row = connection.execute(
                "select amount_minor from engine.investment where investment_id = %s",
                [self.person.investment],
            ).fetchone()
        assert row is not None
        return f"{row[0] // 100}.{row[0] % 100:02}"


def opened(story: Story, one: Institution) -> list[str]:
    """Let the process answer; return where the escrow of the last request stands."""
    story.app.process.drain()
    with psycopg.connect(story.app.endpoint.admin_dsn()) as connection:
        found = connection.execute(
            "select status from treasury.escrow_initiation"
            " where (allocation_id, settlement_due_at) = (%s, %s)",
            [one.listed()[-1]["id"], DUE],
        ).fetchall()
    return [status for (status,) in found]


def test_each_step_comes_from_the_one_before(tell: Tell, calls: Calls) -> None:
    story = tell("cleared", 2, 3_000)
    one = Institution(calls, story)
    assert one.ask(one.ordered).json()["status"] == "pending"
    assert one.escrow(one.person.investment) == UNLISTED
    assert one.settle() == UNLISTED
    assert one.move("under_internal_review", "desk") == (409, "requester_does_not_review")
    assert one.move("under_internal_review") == (200, "under_internal_review")
    assert one.move("under_internal_review") == (409, UNLISTED)
    assert one.escrow(one.person.investment) == "escrow_is_for_an_investment_of_the_entity"
    story.sign_and_confirm()
    (stranger, *_) = (each for each in story.people if each is not one.person)
    assert one.escrow(stranger.investment) == "escrow_is_for_an_investment_of_the_entity"
    assert one.escrow(one.person.investment, "2020-01-01") == "settlement_is_due_in_the_future"
    assert one.escrow(one.person.investment) == "escrow_initiated"
    assert opened(story, one) == ["initiated"]
    assert one.move("cancelled", because="too late") == (409, UNLISTED)
    assert one.settle() == "funded_allocation_has_its_money"
    story.countersign_all()
    story.wires = {}
    story.fund()
    assert one.settle() == "settled"
    assert opened(story, one) == ["settled"]
    assert one.settle() == "known"
    assert one.settle("msg_2") == UNLISTED
    for after in ("cancelled", "under_internal_review"):
        assert one.move(after, because="x") == (409, UNLISTED)
    assert one.escrow(one.person.investment) == UNLISTED
    assert one.listed()[-1]["investment"] == one.person.investment
    with psycopg.connect(story.app.endpoint.admin_dsn()) as connection:
        kinds = connection.execute(
            "select kind from audit.event where subject = %s order by version", [one.listed()[-1]["id"]]
        ).fetchall()
    assert [kind for (kind,) in kinds] == [
        f"allocation.{step}" for step in ("requested", "review_opened", "escrow_initiated", "funded")
    ]


def test_a_cancellation_names_actor_and_reason_and_is_final(tell: Tell, calls: Calls) -> None:
    one = Institution(calls, tell("cleared", 2))
    for steps in ((), ("under_internal_review",)):
        assert one.ask("100000.00").status_code == 201
        twin = one.ask("200000.00")
        assert (twin.status_code, twin.json()["code"]) == (409, "one_pending_request_per_entity_and_tranche")
        for step in steps:
            one.move(step)
        assert one.move("cancelled") == (409, "cancelled_allocation_names_actor_and_reason")
        assert one.move("cancelled", because=" ") == (409, "cancelled_allocation_names_actor_and_reason")
        assert one.move("cancelled", because="the mandate ended") == (200, "cancelled")
        assert one.listed()[-1]["cancelled_by"] == "key:institution-reviewer"
        assert one.move("under_internal_review") == (409, UNLISTED)


def test_limits_hold_and_strangers_ask_for_nothing(world: World, tell: Tell, calls: Calls) -> None:
    story = tell("cleared", 12)
    one = Institution(calls, story)
    for amount, broken in (
        ("99999.99", "allocation_is_at_least_100_000"),
        ("50000000.01", "allocation_is_at_most_50_000_000"),
    ):
        assert one.ask(amount).json()["code"] == broken
    person = next(each for each in story.people if each.kind == "individual")
    for entity in ("ivr_" + "0" * 26, person.investor):
        assert one.ask("100000.00", entity=entity).json()["code"] == "allocation_is_for_a_known_institution"
    assert one.ask("100000.00").status_code == 201
    assert one.ask("50000000.00", "junior").status_code == 201
    tell_compliance(world, "revoke_identity", one.person.investor, "the document was forged")
    assert one.ask("100000.00", "third").json()["code"] == "allocation_is_for_a_cleared_entity"
    assert one.move("under_internal_review") == (409, "allocation_is_for_a_cleared_entity")
    assert one.move("cancelled", because="the clearance is gone") == (200, "cancelled")
    assert calls.get(one.path).json()["code"] == "key_serves_this_keeper"


RAW: dict[str, tuple[str, dict[str, object]]] = {
    "too little": ("allocation_is_at_least_100_000", {"amount": 9_999_999}),
    "too much": ("allocation_is_at_most_50_000_000", {"amount": 5_000_000_001}),
    "another currency": ("allocation_is_in_us_dollars", {"currency": "EUR"}),
    "nobody that is known": ("allocation_is_for_a_known_institution", {"entity": "ivr_unknown"}),
    "a second pending one": ("one_pending_request_per_entity_and_tranche", {"id": "iac_twin"}),
}


def test_raw_statements_are_refused_even_with_every_right(world: World, tell: Tell) -> None:
    story = tell("cleared", 2)
    good = {
        "offer": story.offering,
        "id": "iac_1",
        "entity": story.people[0].investor,
        "amount": 10_000_000,
        "currency": "USD",
    }
    with psycopg.connect(world.endpoint.admin_dsn()) as connection, rolled_back(connection):
        connection.execute(NAMED.encode())
        connection.execute(EVERY_RIGHT.format("engine").encode())

        def refused(statement: str, said: dict[str, object]) -> str | None:
            with pytest.raises(psycopg.Error) as caught, connection.transaction():
                connection.execute(statement.encode(), said)
            return caught.value.diag.constraint_name

        for name, (broken, change) in RAW.items():
            if "id" in change:
                connection.execute(ROW, good)
            assert refused(ROW, good | change) == broken, name
        edit = "update engine.allocation set amount_minor = amount_minor + 1 where allocation_id = 'iac_1'"
        assert refused(edit, {}) in {"allocation_terms_are_locked", UNLISTED}
        for state in STATES[2:4]:
            jump = "update engine.allocation set status = %(to)s where allocation_id = 'iac_1'"
            assert refused(jump, {"to": state}) == UNLISTED
        born = ROW.replace("'pending'", "'funded'")
        assert refused(born, good | {"id": "iac_2"}) == UNLISTED
        assert refused("delete from engine.allocation", {}) == "records_are_never_deleted"


def test_a_settlement_that_is_overdue_is_a_break_with_an_owner(tell: Tell, calls: Calls) -> None:
    story = tell("cleared", 2, 3_000)
    one = Institution(calls, story)
    story.sign_and_confirm()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert one.ask(one.ordered).status_code == 201
    assert one.move("under_internal_review") == (200, "under_internal_review")
    assert one.escrow(one.person.investment, tomorrow) == "escrow_initiated"
    story.app.process.drain()
    name = one.listed()[-1]["id"]

    def breaks() -> list[tuple[str, str]]:
        found = story.app.reconcile(story.offering, actor="reconciliation")
        return [(row["kind"], row["owner"]) for row in found if row["subject_id"] == name]

    assert breaks() == []
    with psycopg.connect(story.app.endpoint.admin_dsn(), autocommit=True) as admin:
        admin.execute(TWO_DAYS_LATER)
    assert ("settlement_is_overdue", "treasury") in breaks()
    assert one.listed()[-1]["is_overdue"]
    story.countersign_all()
    story.wires = {}
    story.fund()
    assert one.settle() == "settled"
    story.app.process.drain()
    assert breaks() == []


def test_no_right_opens_escrow_without_its_allocation(world: World, tell: Tell) -> None:
    story = tell("cleared", 2)
    with psycopg.connect(world.endpoint.admin_dsn()) as connection, rolled_back(connection):
        connection.execute(NAMED.encode())
        connection.execute(EVERY_RIGHT.format("treasury").encode())
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(
                "insert into treasury.escrow_initiation (offering_id, initiation_id, allocation_id,"
                " investment_id, status, amount_minor, currency, settlement_due_at)"
                " values (%s, 'ein_1', 'iac_1', 'inv_1', 'initiated', 1, 'USD', %s)",
                [story.offering, DUE],
            )
    assert caught.value.diag.constraint_name == "initiation_follows_its_allocation"
