"""Packets through the book: order of gates, signatures, review, voiding, and nothing half-written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from bookrunner.core.errors import GateClosed, Refused
from bookrunner.core.ids import new_id
from bookrunner.pages.investment import facts
from bookrunner.pages.offers.facts import console
from bookrunner.sandbox.entering.papers import EVIDENCE, INTENT, Papers, detail
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.stories.conftest import Refusal
from tests.subscription.conftest import Tell, agreement

OFFICER = "issuer.iris"
PDFSIG = shutil.which("pdfsig") or "pdfsig"


def papers(story: Story) -> Papers:
    assert story.papers is not None
    return story.papers


def rule(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.rule


def state(story: Story) -> str:
    row = story.desk.packets.packet(offering=story.offering, agreement=agreement(story))
    return str(row["status"])


def revoke(world: World, story: Story) -> None:
    """Let compliance revoke the first investor's identity."""
    with psycopg.connect(world.endpoint.dsn("compliance")) as connection:
        connection.execute(
            "select compliance.revoke_identity('officer.omar', 'req_revoke', %s, 'the document was forged')",
            [story.people[0].investor],
        )


def chained(world: World, name: str) -> list[str]:
    """Return the hashes of files that the events of an agreement carry, in order."""
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        rows = connection.execute(
            "select canonical::jsonb -> 'payload' from audit.event where subject = %s order by version",
            [name],
        ).fetchall()
    keys = ("document_sha256", "signed_sha256", "executed_sha256")
    return [payload[key].removeprefix("\\x") for (payload,) in rows for key in keys if key in payload]


def test_a_packet_from_application_to_executed_file(world: World, tell: Tell, tmp_path: Path) -> None:
    story, signing = tell("sent"), world.application.signing
    where = story.offering, agreement(story)
    assert state(story) == "sent"
    signing.sign(*where, actor=story.people[0].investor, intent=INTENT, evidence=EVIDENCE)
    assert (
        rule(lambda: signing.countersign(*where, officer=OFFICER, evidence=EVIDENCE))
        == "packet_is_in_good_order"
    )
    papers(story).release([where[1]])
    made = signing.countersign(*where, officer=OFFICER, evidence=EVIDENCE)
    assert state(story) == "countersigned"
    row = story.desk.packets.packet(offering=where[0], agreement=where[1])
    assert bytes(row["executed_sha256"]).hex() == made.sha256
    stored = world.application.archive.fetch(bytes(row["executed_sha256"]), actor="auditor.ann")
    assert stored.content == made.content
    assert not signing.verify(*where, actor="auditor.ann").failures
    hashes = [bytes(row[name]).hex() for name in ("document_sha256", "signed_sha256", "executed_sha256")]
    assert chained(world, where[1]) == hashes
    file = tmp_path / "executed.pdf"
    file.write_bytes(stored.content)
    seen = subprocess.run([PDFSIG, "-nocert", str(file)], capture_output=True, text=True, check=False)
    assert seen.stdout.count("Signature is Valid") == 2


def test_the_payment_carries_the_reference_on_the_paper(world: World, tell: Tell) -> None:
    story, app = tell("signed"), world.application
    row = story.desk.packets.packet(offering=story.offering, agreement=agreement(story))
    data = json.loads(app.archive.fetch(bytes(row["data_sha256"]), actor="ann").content)
    person = story.people[0]
    assert (data["investment"]["units"], data["investor"]["legal_name"]) == (
        person.units,
        person.detail["legal_name"],
    )
    app.desk.engine.confirm(actor=person.investor, offering=story.offering, investment=person.investment)
    story.countersign_all()
    (attempt,) = app.desk.treasury.attempts(offering=story.offering)
    assert attempt["reference"] == data["reference"]


def test_nobody_signs_before_clearance(world: World, tell: Tell) -> None:
    story = tell("sent")
    where = story.offering, agreement(story)
    revoke(world, story)
    with pytest.raises(GateClosed):
        world.application.signing.sign(
            *where, actor=story.people[0].investor, intent=INTENT, evidence=EVIDENCE
        )
    assert state(story) == "sent"


def test_a_withdrawn_clearance_stops_the_countersignature(world: World, tell: Tell) -> None:
    story = tell("released")
    where, signing = (story.offering, agreement(story)), world.application.signing
    made = signing.executed(*where, officer=OFFICER, evidence=EVIDENCE)
    revoke(world, story)
    assert rule(lambda: signing.countersign(*where, officer=OFFICER, evidence=EVIDENCE)) == "gate_is_open"
    (waiting,) = signing.preview(story.offering, officer=OFFICER)
    assert [each["condition"] for each in waiting["missing"]] == ["investor_is_cleared"]
    # A file that was made before the clearance went is of no use either.
    with pytest.raises(GateClosed):
        story.desk.packets.countersign_packet(
            actor=OFFICER,
            offering=where[0],
            agreement=where[1],
            proof=made.proof,
            content=made.signed.content,
        )
    assert state(story) == "investor_signed"


def test_two_officers_at_once_execute_one_document(world: World, tell: Tell) -> None:
    story, signing = tell("released"), world.application.signing
    where, ready = (story.offering, agreement(story)), Barrier(2)

    def act(officer: str) -> str:
        made = signing.executed(*where, officer=officer, evidence=EVIDENCE)
        ready.wait(60)
        try:
            story.desk.packets.countersign_packet(
                actor=officer,
                offering=where[0],
                agreement=where[1],
                proof=made.proof,
                content=made.signed.content,
            )
        except Refused as refused:
            return refused.rule
        return made.signed.sha256

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(act, ["issuer.iris", "issuer.ivan"]))
    assert "agreement_waits_for_the_issuer" in answers
    row = story.desk.packets.packet(offering=where[0], agreement=where[1])
    assert bytes(row["executed_sha256"]).hex() in answers
    assert not signing.verify(*where, actor="auditor.ann").failures


def test_an_officer_needs_authority_and_is_not_the_reviewer(world: World, tell: Tell) -> None:
    story, signing = tell("released"), world.application.signing
    where = story.offering, agreement(story)
    assert (
        rule(lambda: signing.countersign(*where, officer="desk.rosa", evidence=EVIDENCE))
        == "reviewer_does_not_countersign"
    )
    assert (
        rule(lambda: signing.countersign(*where, officer="nobody", evidence=EVIDENCE))
        == "signatory_has_recorded_authority"
    )
    papers(story).revoke("issuer.ivan")
    assert (
        rule(lambda: signing.countersign(*where, officer="issuer.ivan", evidence=EVIDENCE))
        == "signatory_has_recorded_authority"
    )
    made = signing.executed(*where, officer=OFFICER, evidence=EVIDENCE)
    theft = {"offering": where[0], "agreement": where[1], "proof": made.proof, "content": made.signed.content}
    assert (
        rule(lambda: story.desk.packets.countersign_packet(actor="issuer.ivan", **theft))
        == "officer_signs_in_its_own_name"
    )
    assert state(story) == "investor_signed"


def test_a_batch_says_what_it_would_do_and_does_only_that(world: World, tell: Tell) -> None:
    story, signing = tell("released"), world.application.signing
    second = story.people[1:2]
    papers(story).apply(second, story.desk.subscription.requirements(offering=story.offering))
    world.application.process.drain()
    papers(story).sign(second)
    preview = signing.preview(story.offering, officer=OFFICER)
    ready = {row["agreement_id"] for row in preview if row["hindrance"] is None}
    assert ready == {agreement(story)}
    assert {row["hindrance"] for row in preview} == {None, "packet_is_in_good_order"}
    outcomes = signing.countersign_many(
        story.offering, [row["agreement_id"] for row in preview], officer=OFFICER, evidence=EVIDENCE
    )
    assert {each.agreement for each in outcomes if each.refused is None} == ready
    assert {each.refused for each in outcomes} == {None, "packet_is_in_good_order"}


def test_a_deficiency_voids_and_must_be_answered(world: World, tell: Tell) -> None:
    story, person = tell("signed"), None
    person = story.people[0]
    first = agreement(story)
    assert (
        rule(lambda: papers(story).give_back(first, page=99, field="tax", words="The name differs."))
        == "deficiency_names_a_page_of_the_packet"
    )
    papers(story).give_back(first, page=4, field="tax", words="The classification is not the one on file.")
    assert story.desk.packets.packet(offering=story.offering, agreement=first)["status"] == "voided"
    assert rule(lambda: papers(story).submit([person])) == "application_is_complete"
    papers(story).answer(person, "The classification was corrected.")
    papers(story).submit([person])
    world.application.process.drain()
    assert agreement(story) != first
    assert state(story) == "sent"


def test_a_particular_stated_anew_voids_what_was_signed(world: World, tell: Tell) -> None:
    story = tell("released")
    first, person = agreement(story), story.people[0]
    papers(story).state([person], ["ownership"])
    row = story.desk.packets.packet(offering=story.offering, agreement=first)
    assert (row["status"], row["void_because"]) == ("voided", "ownership was stated anew")
    papers(story).submit([person])
    world.application.process.drain()
    assert agreement(story) != first


def test_a_changed_name_voids_and_asks_again(world: World, tell: Tell) -> None:
    story = tell("released")
    first, person, app = agreement(story), story.people[0], world.application
    renamed = person.detail | {"legal_name": f"{person.detail['legal_name']} Renamed"}
    story.change(person, renamed, "the register says so")
    app.process.drain()
    assert story.desk.packets.packet(offering=story.offering, agreement=first)["status"] == "voided"
    story.identity_messages([person])
    app.process.drain()
    # The tax form still stands in the old name: nothing is made of it.
    assert not story.desk.engine.agreements_in_force(offering=story.offering, investments=[person.investment])
    papers(story).state([replace(person, detail=renamed)], ["tax_form"])
    papers(story).answer(person, "The form is stated in the new name.")
    papers(story).submit([person])
    app.process.drain()
    assert agreement(story) != first


def test_consent_comes_first_and_its_withdrawal_ends_signing(world: World, tell: Tell) -> None:
    story = tell("cleared")
    item = {"id": new_id("ack"), "kind": "material", "code": "memorandum", "version": 1}
    where = {"offering": story.offering, "investment": story.people[0].investment}
    acknowledge = story.desk.subscription.acknowledge
    assert rule(lambda: acknowledge(actor="x", **where, items=[item])) == "records_consent_comes_first"
    sent = tell("sent")
    papers(sent).withdraw_consent(sent.people[0])
    sign = world.application.signing.sign
    assert (
        rule(lambda: sign(sent.offering, agreement(sent), actor="x", intent=INTENT, evidence=EVIDENCE))
        == "application_is_complete"
    )


BAD = {
    "a control character": ("tax_form", "name", "Ada\u0007 Elm", "text_has_only_printable_letters"),
    "a bidi override": ("tax_form", "name", "Ada \u202eElm", "text_has_only_printable_letters"),
    "an emoji": ("authority", "capacity", "Manager \U0001f600", "every_letter_has_a_glyph"),
    "a name of 400 letters": ("authority", "capacity", "A" * 400, "text_fits_its_field"),
    "a missing key": ("tax_form", "classification", None, "required_fields_are_present"),
    "a representative who does not sign": (
        "authority",
        "name",
        "Somebody Else",
        "representative_of_the_profile_signs",
    ),
    "another name on the tax form": ("tax_form", "name", "Somebody Else", "tax_form_is_in_the_legal_name"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_leaves_nothing_of_a_packet(
    world: World, cleared: Story, refused: Refusal, case: str
) -> None:
    kind, field, value, broken = BAD[case]
    person = cleared.people[0]
    good = detail(person, kind)
    wrong = {key: text for key, text in {**good, field: value}.items() if text is not None}
    if kind == "authority":
        wrong = good | {"signers": [good["signers"][0] | {field: value}]}
    where = {"offering": cleared.offering, "investment": person.investment}
    said = cleared.desk.packets.state_particular
    said(actor="x", **where, particular=new_id("prt"), kind=kind, detail=wrong)
    papers(cleared).submit([person])
    with refused(broken):
        world.application.open_agreement(cleared.offering, person.investment)
    world.application.process.drain()
    assert not cleared.desk.engine.agreements_in_force(
        offering=cleared.offering, investments=[person.investment]
    )
    (found,) = cleared.desk.packets.open_deficiencies(**where)
    assert (found["reason"], found["field"], found["page"]) == ("not_rendered", broken, None)
    shown = facts(world.application.database, person.investment)["to_do"]
    assert shown == [{"title": f"Correct: {broken.replace('_', ' ')}", "about": found["words"]}]
    listed = console(world.application.database, cleared.offering, "", 1)["deficiencies"]
    assert [(row["investment_id"], row["field"]) for row in listed] == [(person.investment, broken)]
    said(actor="x", **where, particular=new_id("prt"), kind=kind, detail=good)
    assert rule(lambda: papers(cleared).submit([person])) == "application_is_complete"
    papers(cleared).answer(person, "Corrected.")


@pytest.fixture(scope="module")
def cleared(world: World) -> Story:
    """Return a story whose first investor has acknowledged everything."""
    story = Story(world.application, investors=6, seed=99, packets=True)
    app = world.application
    story.publish(
        lambda: app.desk.engine.name_token(
            actor="agent.theo",
            offering=story.offering,
            chain_id=app.chain.chain_id(),
            token=b"\x11" * 20,
            treasury=b"\x22" * 20,
        )
    )
    story.enter()
    story.verify_identities()
    papers(story).apply(story.people[:1], app.desk.subscription.requirements(offering=story.offering))
    return story


@pytest.mark.parametrize("owners", [0, 60])
def test_owners_are_one_to_twenty(cleared: Story, refused: Refusal, owners: int) -> None:
    listed = [{"name": "Ada Elm", "relation": "beneficial owner", "basis_points": 1}] * owners
    with refused("ownership_lists_one_to_twenty_owners"):
        cleared.desk.packets.state_particular(
            actor="x",
            offering=cleared.offering,
            investment=cleared.people[0].investment,
            particular="prt_x",
            kind="ownership",
            detail={"owners": listed},
        )


@pytest.mark.parametrize("kind", ["material", "risk", "representation"])
def test_a_newer_version_of_an_item_voids_what_shows_the_older(world: World, tell: Tell, kind: str) -> None:
    code = {"material": "memorandum", "risk": "total_loss", "representation": "own_account"}[kind]
    for step in ("sent", "released"):
        story = tell(step)
        first, person = agreement(story), story.people[0]
        paper = story.desk.subscription.archive(actor="x", content=b"Version 2", media_type="text/plain")
        story.desk.subscription.require_item(
            actor="issuer.iris",
            offering=story.offering,
            kind=kind,
            code=code,
            version=2,
            document_sha256=paper,
            sentence="The second version.",
        )
        row = story.desk.packets.packet(offering=story.offering, agreement=first)
        assert (row["status"], row["void_because"]) == ("voided", f"{code} is required anew")
        with pytest.raises(Refused, match=f"item:{kind}"):
            papers(story).submit([person])
        item = {"id": new_id("ack"), "kind": kind, "code": code, "version": 2}
        story.desk.subscription.acknowledge(
            actor=person.investor, offering=story.offering, investment=person.investment, items=[item]
        )
        papers(story).submit([person])
        world.application.process.drain()
        row = story.desk.packets.packet(offering=story.offering, agreement=agreement(story))
        data = json.loads(world.application.archive.fetch(bytes(row["data_sha256"]), actor="ann").content)
        (shown,) = [each for each in data[f"{kind}s"] if each["code"] == code]
        assert shown["version"] == 2


def test_a_newer_version_leaves_what_is_executed(world: World, tell: Tell) -> None:
    story = tell("released")
    where = story.offering, agreement(story)
    world.application.signing.countersign(*where, officer=OFFICER, evidence=EVIDENCE)
    paper = story.desk.subscription.archive(actor="x", content=b"Version 2", media_type="text/plain")
    story.desk.subscription.require_item(
        actor="issuer.iris",
        offering=story.offering,
        kind="material",
        code="memorandum",
        version=2,
        document_sha256=paper,
        sentence="The second version.",
    )
    assert state(story) == "countersigned"
