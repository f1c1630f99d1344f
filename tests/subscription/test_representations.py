"""What an investor represents against what compliance has on record: a contradiction waits for its keeper."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from bookrunner.api import api, issue
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.pages.investment import facts
from bookrunner.sandbox.entering.papers import EVIDENCE, INTENT, detail
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.serving import serving
from tests.subscription.conftest import Tell, agreement
from tests.subscription.test_api import Calls
from tests.subscription.test_packets import papers, rule, state

OFFICER = "issuer.iris"
RULE = "statements_agree_with_the_compliance_record"
REFUSED = ("accredited_investor", "accreditation_is_refused")
W8 = {
    "form": "W-8BEN-E",
    "country": "SE",
    "foreign_number_ends": "77",
    "treaty": "Sweden",
    "status": "Passive NFFE",
}


def tell_compliance(world: World, verb: str, *said: object) -> None:
    """Call a verb of the compliance book under its own login."""
    with psycopg.connect(world.endpoint.dsn("compliance")) as connection:
        places = ", ".join(["%s"] * len(said))
        connection.execute(f"select compliance.{verb}('officer.omar', 'req_x', {places})".encode(), said)


def learn(world: World, story: Story) -> None:
    """Let compliance learn what speaks against the accreditation of the first investor."""
    investor = story.people[0].investor
    tell_compliance(world, "record_contrary_knowledge", investor, new_id("ckn"), "a court record says so")


def found(story: Story) -> list[tuple[str, str]]:
    with psycopg.connect(story.app.endpoint.dsn("compliance")) as connection:
        rows = connection.execute(
            "select code, fact from subscription.read_contradictions(%s)", [story.people[0].investment]
        ).fetchall()
    return [(code, fact) for code, fact in rows]


def test_an_honest_investor_is_not_contradicted(tell: Tell) -> None:
    assert found(tell("released")) == []


def test_a_contradiction_keeps_the_agreement_from_being_made(world: World, tell: Tell) -> None:
    story = tell("cleared")
    person = story.people[0]
    learn(world, story)
    with pytest.raises(Refused, match="contradiction:accredited_investor"):
        papers(story).apply([person], story.desk.subscription.requirements(offering=story.offering))
    shown = facts(world.application.database, person.investment)["to_do"][0]
    assert shown["title"] == "Correct: accredited investor"


def test_what_compliance_learns_later_stops_each_next_step(world: World, tell: Tell) -> None:
    signing, sent, signed, released = (
        world.application.signing,
        tell("sent"),
        tell("signed"),
        tell("released"),
    )
    for story in (sent, signed, released):
        learn(world, story)
    sign = lambda: signing.sign(  # noqa: E731
        sent.offering, agreement(sent), actor="x", intent=INTENT, evidence=EVIDENCE
    )
    assert rule(sign) == "application_is_complete"
    assert rule(lambda: papers(signed).release([agreement(signed)])) == RULE
    act = lambda: signing.countersign(  # noqa: E731
        released.offering, agreement(released), officer=OFFICER, evidence=EVIDENCE
    )
    assert rule(act) == RULE
    (waiting,) = signing.preview(released.offering, officer=OFFICER)
    assert waiting["hindrance"] == RULE
    assert [state(story) for story in (sent, signed, released)] == [
        "sent",
        "investor_signed",
        "investor_signed",
    ]


def test_the_database_refuses_the_execution_whatever_the_desk_does(world: World, tell: Tell) -> None:
    story, signing = tell("released"), world.application.signing
    where = {"offering": story.offering, "agreement": agreement(story)}
    made = signing.executed(*where.values(), officer=OFFICER, evidence=EVIDENCE)
    learn(world, story)
    packets = story.desk.packets
    act = lambda: packets.countersign_packet(  # noqa: E731
        actor=OFFICER, **where, proof=made.proof, content=made.signed.content
    )
    assert rule(act) == RULE


@pytest.mark.parametrize(
    ("stated", "against"),
    [
        (W8, [("W-8BEN-E", "residence_is_in_the_united_states")]),
        (
            W8 | {"form": "W-8BEN"},
            [("W-8BEN", "investor_is_no_natural_person"), ("W-8BEN", "residence_is_in_the_united_states")],
        ),
    ],
)
def test_a_tax_form_of_another_kind_or_country_is_contradicted(
    tell: Tell, stated: dict[str, str], against: list[tuple[str, str]]
) -> None:
    story = tell("cleared")
    person = story.people[0]
    story.desk.packets.state_particular(
        actor=person.investor,
        offering=story.offering,
        investment=person.investment,
        particular=new_id("prt"),
        kind="tax_form",
        detail={**stated, "name": person.detail["legal_name"]},
    )
    assert found(story) == against


def test_other_facts_contradict_other_sentences(world: World, tell: Tell) -> None:
    story = tell("cleared")
    person = story.people[0]
    where = {"offering": story.offering, "actor": "desk.sam"}
    paper = story.desk.subscription.archive(actor="x", content=b"Terms", media_type="text/plain")
    codes = ("not_politically_exposed", "not_us_person", "us_resident", "sophisticated_purchaser")
    for code in codes:
        story.desk.subscription.require_item(
            **where, kind="representation", code=code, version=1, document_sha256=paper, sentence=code
        )
        item = {"id": new_id("ack"), "kind": "representation", "code": code, "version": 1}
        story.desk.subscription.acknowledge(**where, investment=person.investment, items=[item])
    assert found(story) == [("not_us_person", "residence_is_in_the_united_states")]
    tell_compliance(world, "rate_investor", person.investor, '{"exposure": "political"}')
    assert found(story)[0] == ("not_politically_exposed", "political_exposure_is_known")


def test_owners_are_as_many_as_were_verified(tell: Tell) -> None:
    story = tell("cleared", 30)
    person = next(each for each in story.people if each.kind == "joint")
    said = detail(person, "authority")
    where = {"offering": story.offering, "investment": person.investment, "actor": person.investor}
    for count in (2, 1):
        detail_ = {"signers": said["signers"][:count], "required": 1}
        story.desk.packets.state_particular(
            **where, particular=new_id("prt"), kind="authority", detail=detail_
        )
        with psycopg.connect(story.app.endpoint.dsn("compliance")) as connection:
            rows = connection.execute(
                "select fact from subscription.read_contradictions(%s)", [person.investment]
            ).fetchall()
        assert rows == ([] if count == 2 else [("joint_holders_are_2",)])


@pytest.fixture(scope="module")
def calls(world: World) -> Iterator[Calls]:
    with serving(api(world.application.database)) as url:
        calls = Calls(world, url)
        calls.keys["officer-omar"] = issue(world.endpoint, "officer-omar", "compliance", actor="usr_admin")
        yield calls


def test_compliance_accepts_with_a_reason_and_takes_it_back(world: World, tell: Tell, calls: Calls) -> None:
    story = tell("signed")
    learn(world, story)
    base = f"/v1/investments/{story.people[0].investment}"
    for name in ("portal-backend", "officer-omar"):
        (seen,) = calls.get(f"{base}/contradictions", name).json()["contradictions"]
        assert (seen["code"], seen["fact"]) == REFUSED
    assert calls.get(f"{base}/contradictions", "engine").json()["code"] == "key_serves_this_keeper"
    under = {"programme": calls.get(f"{base}/contradictions", "officer-omar").json()["programme"]}
    body = dict(zip(("statement", "fact"), REFUSED, strict=True)) | {"because": "the letter is newer"} | under
    late = calls.post(f"{base}/acceptances", body | {"programme": f"prg_{'0' * 26}"}, "officer-omar")
    assert (late.status_code, late.json()["code"]) == (412, "decision_is_under_the_programme_in_force")
    own = calls.post(f"{base}/acceptances", body)
    assert (own.status_code, own.json()["code"]) == (403, "key_serves_this_keeper")
    absent = calls.post(f"{base}/acceptances", body | {"fact": "residence_is_abroad"}, "officer-omar")
    assert (absent.status_code, absent.json()["code"]) == (409, "accepted_fact_is_on_record")
    done = calls.post(f"{base}/acceptances", body, "officer-omar")
    assert (done.status_code, done.json()["status"]) == (201, "accepted")
    again = calls.post(f"{base}/acceptances", body, "officer-omar")
    assert again.json()["code"] == "one_acceptance_of_a_contradiction_stands"
    assert found(story) == []
    papers(story).release([agreement(story)])
    back = f"{base}/acceptances/{done.json()['id']}/withdrawals"
    ended = calls.post(
        back, {"because": "the letter was forged"} | under, "officer-omar", done.headers["etag"]
    )
    assert ended.json()["status"] == "withdrawn"
    assert found(story) == [REFUSED]
    act = lambda: world.application.signing.countersign(  # noqa: E731
        story.offering, agreement(story), officer=OFFICER, evidence=EVIDENCE
    )
    assert rule(act) == RULE
