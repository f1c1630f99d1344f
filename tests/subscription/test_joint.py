"""A packet of a joint investor through the book: each owner signs, then the review, then the issuer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import httpx
import psycopg
import pytest

from bookrunner.api import Signing, api
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.pages.investment import facts
from bookrunner.sandbox.entering.papers import EVIDENCE, INTENT, detail
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.serving import serving
from tests.stories.conftest import Refusal
from tests.subscription.conftest import Tell, agreement, together
from tests.subscription.test_api import Calls
from tests.subscription.test_packets import papers, rule, state

OFFICER = "issuer.iris"
OWNERS = ["investor", "investor_2"]


@pytest.fixture
def sent(tell: Tell) -> Story:
    """Return a story whose first investor's packet waits for two signatures."""
    return tell("sent to two")


def sign(world: World, story: Story, field: str | None = None) -> None:
    world.application.signing.sign(
        story.offering,
        agreement(story),
        actor=story.people[0].investor,
        intent=INTENT,
        evidence=EVIDENCE,
        field=field,
    )


def row(story: Story) -> dict[str, object]:
    return dict(story.desk.packets.packet(offering=story.offering, agreement=agreement(story)))


def test_all_of_the_signers_then_the_issuer(world: World, sent: Story) -> None:
    signing, name = world.application.signing, agreement(sent)
    assert set(row(sent)["boxes"]) == {*OWNERS, "issuer"}
    assert rule(lambda: sign(world, sent)) == "signer_is_named"
    assert rule(lambda: sign(world, sent, "investor_3")) == "signer_is_a_party_of_the_packet"
    sign(world, sent, "investor_2")
    assert state(sent) == "sent"
    assert [
        step["about"] for step in facts(world.application.database, sent.people[0].investment)["to_do"]
    ] == ["1 of 2 have signed"]
    assert rule(lambda: papers(sent).release([name])) == "gate_is_closed"
    assert (
        rule(lambda: signing.executed(sent.offering, name, officer=OFFICER, evidence=EVIDENCE))
        == "agreement_waits_for_the_issuer"
    )
    assert rule(lambda: sign(world, sent, "investor_2")) == "each_signer_signs_once"
    sign(world, sent)
    assert state(sent) == "investor_signed"
    papers(sent).countersign([name])
    verdict = signing.verify(sent.offering, name, actor="auditor.ann")
    assert [found.field for found in verdict.signatures] == ["investor_2", "investor", "issuer"]
    world.application.answer()
    known = world.application.certificates.evidence(sent.offering, name)
    assert [(who["party"], who["name"]) for who in known["signers"][:2]] == [
        (f"{sent.people[0].investor}:2", "Second Signer 2"),
        (sent.people[0].investor, together(1, sent.people[0])[0]["name"]),
    ]
    assert known["hashes"]["investor_signed"] == bytes(row(sent)["signed_sha256"]).hex()  # type: ignore[call-overload]
    world.application.certificates.make_due()
    made = sent.desk.packets.certificate(offering=sent.offering, agreement=name)
    assert made["status"] == "made"


def test_each_signature_is_an_event(world: World, sent: Story) -> None:
    name = agreement(sent)
    for field in OWNERS:
        sign(world, sent, field)
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        kinds = connection.execute(
            "select kind from audit.event where subject = %s order by version", [name]
        ).fetchall()
    assert [kind for (kind,) in kinds] == [
        "agreement.rendered",
        "agreement.sent",
        "agreement.signed_in_part",
        "agreement.signed",
    ]


def test_two_signers_at_once_leave_no_signature_out(world: World, sent: Story) -> None:
    signing, ready = world.application.signing, Barrier(2)
    where = {"offering": sent.offering, "agreement": agreement(sent)}

    def act(field: str) -> str:
        made = signing.certified(*where.values(), intent=INTENT, evidence=EVIDENCE, field=field)
        ready.wait(60)
        try:
            sent.desk.packets.sign_packet(actor="x", **where, proof=made.proof, content=made.signed.content)
        except Refused as refused:
            return refused.rule
        return "signed"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(act, OWNERS))
    assert sorted(answers) == ["signed", "signed_file_continues_the_file_before_it"]
    sign(world, sent)
    assert state(sent) == "investor_signed"


def test_one_session_signs_an_agreement_once_however_often_it_posts(world: World, sent: Story) -> None:
    alone = replace(EVIDENCE, is_of_one=True)

    def act(field: str) -> str:
        try:
            world.application.signing.sign(
                sent.offering, agreement(sent), actor="x", intent=INTENT, evidence=alone, field=field
            )
        except Refused as refused:
            return refused.rule
        return "signed"

    # The pages look for a signature before they sign; both posts may have looked before either was stored.
    assert [act(field) for field in OWNERS] == ["signed", "each_signer_is_known_by_itself"]
    other = replace(alone, session="ses_other")
    world.application.signing.sign(
        sent.offering, agreement(sent), actor="x", intent=INTENT, evidence=other, field=OWNERS[1]
    )
    assert state(sent) == "investor_signed"


def test_a_signer_stated_anew_voids_what_the_first_has_signed(world: World, sent: Story) -> None:
    first, person = agreement(sent), sent.people[0]
    sign(world, sent, "investor")
    papers(sent).state([person], ["authority"])
    found = sent.desk.packets.packet(offering=sent.offering, agreement=first)
    assert (found["status"], found["void_because"]) == ("voided", "authority was stated anew")


Change = Callable[[list[dict[str, str]]], dict[str, object]]
AUTHORITIES: tuple[tuple[str, Change], ...] = (
    ("authority_lists_one_to_ten_signers", lambda _: {"signers": [], "required": 1}),
    ("authority_lists_one_to_ten_signers", lambda all_: {"signers": all_, "required": 1}),
    ("authority_lists_one_to_ten_signers", lambda all_: {"signers": all_[0], "required": 1}),
    (
        "authority_names_signer_capacity_and_source",
        lambda all_: {"signers": [all_[0], all_[1] | {"capacity": " "}], "required": 1},
    ),
    (
        "authority_has_the_signers_it_requires",
        lambda all_: {"signers": all_[:2], "required": 3},
    ),
    (
        "authority_has_the_signers_it_requires",
        lambda all_: {"signers": all_[:2], "required": 0},
    ),
    ("authority_has_the_signers_it_requires", lambda all_: {"signers": all_[:2]}),
)


def test_an_authority_names_its_signers(tell: Tell, refused: Refusal) -> None:
    story = tell("cleared")
    person = story.people[0]
    for broken, change in AUTHORITIES:
        with refused(broken):
            story.desk.packets.state_particular(
                actor="x",
                offering=story.offering,
                investment=person.investment,
                particular=new_id("prt"),
                kind="authority",
                detail=change(together(11, person)),
            )


def test_every_owner_of_a_joint_investor_signs(world: World, tell: Tell) -> None:
    story = tell("cleared", 30)
    joint = next(each for each in story.people if each.kind == "joint")
    papers(story).apply([joint], story.desk.subscription.requirements(offering=story.offering))
    world.application.process.drain()
    (found,) = story.desk.engine.agreements_in_force(offering=story.offering, investments=[joint.investment])
    name = found["agreement_id"]
    papers(story).sign([joint])
    papers(story).countersign([name])
    verdict = world.application.signing.verify(story.offering, name, actor="auditor.ann")
    assert [seen.field for seen in verdict.signatures] == [*OWNERS, "issuer"]
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        signers = connection.execute(
            "select name, signer from subscription.signed_file where agreement_id = %s order by ordinal",
            [name],
        ).fetchall()
    owners = [each["name"] for each in detail(joint, "ownership")["owners"]]
    assert signers[:2] == [(owners[0], joint.investor), (owners[1], f"{joint.investor}:2")]


def test_two_signers_over_the_api(world: World, sent: Story) -> None:
    app = world.application
    with serving(api(app.database, signing=Signing(lambda: app.signing, app.consents))) as url:
        calls = Calls(world, url)
        path = f"/v1/agreements/{agreement(sent)}"

        def act(**said: str) -> httpx.Response:
            seen = calls.get(path).headers["etag"]
            return calls.post(f"{path}/sign", {"intent": INTENT, **said}, seen=seen)

        assert act().json()["code"] == "signer_is_named"
        assert act(party="issuer").status_code == 422
        assert act(party="investor_2").json()["status"] == "sent"
        assert calls.get(path).json()["signatures"] == {
            "required": ["investor", "investor_2", "issuer"],
            "made": ["investor_2"],
        }
        assert act(party="investor_2").json()["code"] == "each_signer_signs_once"
        assert act().json()["status"] == "investor_signed"
