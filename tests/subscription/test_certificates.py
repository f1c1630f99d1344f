"""The audit certificate follows each execution; how signers were known stays out of events and logs."""

from __future__ import annotations

import io
from typing import Any

import psycopg
import pytest
from pypdf import PdfReader

from bookrunner.books.subscription import SigningEvidence
from bookrunner.core.errors import Refused
from bookrunner.sandbox.entering.papers import EVIDENCE, INTENT, detail
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.subscription.conftest import Tell, agreement
from tests.subscription.test_packets import OFFICER, papers

OFFICE = SigningEvidence("security key", "198.51.100.9", "Office \U0001f600 Browser\u202e", "desk session/9")


def certificate(story: Story, name: str) -> Any:  # noqa: ANN401 - a row
    return story.desk.packets.certificate(offering=story.offering, agreement=name)


@pytest.fixture
def executed(world: World, tell: Tell) -> tuple[Story, str]:
    """Return a story and its executed packet, whose certificate is due."""
    story = tell("released")
    name = agreement(story)
    world.application.signing.countersign(story.offering, name, officer=OFFICER, evidence=OFFICE)
    return story, name


def test_a_certificate_is_made_once_and_archived(world: World, executed: tuple[Story, str]) -> None:
    (story, name), app = executed, world.application
    assert certificate(story, name)["status"] == "due"
    app.answer()
    row = certificate(story, name)
    assert row["status"] == "made"
    content = app.archive.fetch(bytes(row["sha256"]), actor="auditor.ann").content
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())
    packet = story.desk.packets.packet(offering=story.offering, agreement=name)
    for stated in (
        *(bytes(packet[key]).hex() for key in ("document_sha256", "signed_sha256", "executed_sha256")),
        *(EVIDENCE.method, EVIDENCE.address, EVIDENCE.agent, EVIDENCE.session, INTENT),
        *(OFFICE.method, OFFICE.address, "Office ? Browser?", "desk_session/9"),
        *(
            detail(story.people[0], "authority")["signers"][0]["name"],
            "agreement.countersigned",
            "packet_review.released",
        ),
    ):
        assert stated in text
    assert not app.certificates.make(story.offering, name)
    assert bytes(certificate(story, name)["sha256"]) == bytes(row["sha256"])
    with pytest.raises(Refused) as refused:
        app.archive.erase(bytes(row["sha256"]), "asked for", actor="dpo.dan")
    assert refused.value.rule == "retention_has_ended"


def test_a_certificate_that_is_refused_stays_due(world: World, executed: tuple[Story, str]) -> None:
    (story, name), app = executed, world.application
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        table = "subscription.signing_evidence"
        spoil = f"update {table} set sealed = sealed || '\\x00' where agreement_id = %s and party = 'issuer'"  # noqa: S608
        for state in ("disable trigger {}", "enable always trigger {}"):
            for trigger in ("evidence_stands", "zz_guard"):
                connection.execute(f"alter table {table} {state.format(trigger)}".encode())
            if state.startswith("disable"):
                connection.execute(spoil.encode(), [name])
    app.answer()
    assert certificate(story, name)["status"] == "due"
    with pytest.raises(Refused) as refused:
        app.certificates.make(story.offering, name)
    assert refused.value.rule == "sealed_text_opens_in_its_context"


def test_how_a_signer_was_known_is_sealed(world: World, executed: tuple[Story, str]) -> None:
    story, name = executed
    world.application.answer()
    personal = (EVIDENCE.address, EVIDENCE.agent, EVIDENCE.session, OFFICE.address)
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        events = connection.execute("select canonical from audit.event where scope = %s", [story.offering])
        texts = [text for (text,) in events]
        kept = connection.execute(
            "select sealed, wrapped, method from subscription.signing_evidence where agreement_id = %s",
            [name],
        ).fetchall()
    assert texts
    assert not [text for text in texts if any(each in text for each in personal)]
    assert {method for *_, method in kept} == {EVIDENCE.method, OFFICE.method}
    assert not [row for row in kept if any(each.encode() in bytes(row[0]) for each in personal)]


def test_a_signature_without_evidence_is_refused(world: World, tell: Tell) -> None:
    story = tell("sent")
    where = {"offering": story.offering, "agreement": agreement(story)}
    made = world.application.signing.certified(*where.values(), intent=INTENT, evidence=EVIDENCE)
    proof = {key: value for key, value in made.proof.items() if key != "evidence"}
    with pytest.raises(Refused) as refused:
        story.desk.packets.sign_packet(actor="x", **where, proof=proof, content=made.signed.content)
    assert refused.value.rule == "signature_has_its_evidence"
    papers(story).sign(story.people[:1])
