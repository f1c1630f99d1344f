"""Templates by two people, and uploads that are nothing but paper."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import BinaryIO, cast

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from bookrunner.adapters.documents import Typesetter, load_template, render_packet
from bookrunner.sandbox.entering.papers import TEMPLATE
from bookrunner.sandbox.story import PRICE_MINOR, Story
from bookrunner.sandbox.world import World
from tests.documents import samples
from tests.documents.test_uploads import Endless
from tests.stories.conftest import Refusal
from tests.subscription.conftest import Tell
from tests.subscription.test_packets import papers, rule

FILES = b"\x01" * 32
NAME = "side_letter/1.0.0"


@pytest.fixture(scope="module")
def paper() -> bytes:
    with Typesetter() as press:
        return render_packet(
            load_template("subscription_packet", "1.1.0"), samples.individual(), press
        ).content


def test_a_template_is_approved_by_another_person_who_saw_these_files(world: World, refused: Refusal) -> None:
    packets = world.application.desk.packets
    packets.draft_template(actor="cora", template=NAME, sha256=FILES, engine="0.15.0")
    with refused("template_approver_is_not_its_author"):
        packets.approve_template(actor="cora", template=NAME, sha256=FILES)
    with refused("approved_template_is_the_seen_one"):
        packets.approve_template(actor="carl", template=NAME, sha256=b"\x02" * 32)
    packets.approve_template(actor="carl", template=NAME, sha256=FILES)
    with refused("event_pkey"):
        packets.draft_template(actor="cora", template=NAME, sha256=b"\x02" * 32, engine="0.15.0")
    packets.retire_template(actor="carl", template=NAME)
    with refused("transition_is_listed_for_the_keeper"):
        packets.approve_template(actor="carl", template=NAME, sha256=FILES)


def test_an_offer_names_an_approved_template_and_takes_packets(
    world: World, tell: Tell, refused: Refusal
) -> None:
    story, desk = tell("cleared"), world.application.desk
    issuer = {"name": "Issuer", "jurisdiction": "Delaware", "security": "Units"}
    issuer |= {"contact": "records@issuer.example", "paper_fee": "nothing"}
    name = desk.packets.name_packet_form
    with refused("template_is_approved"):
        name(actor="x", offering=story.offering, template="unknown/1.0.0", issuer=issuer)
    canonical = Story(world.application, investors=6, seed=77)
    canonical.publish(
        lambda: desk.engine.name_token(
            actor="x", offering=canonical.offering, chain_id=1, token=b"\x01" * 20, treasury=b"\x02" * 20
        )
    )
    with refused("offer_takes_packets"):
        name(actor="x", offering=canonical.offering, template=TEMPLATE, issuer=issuer)


def test_the_form_of_an_offer_is_known(world: World, refused: Refusal) -> None:
    terms = {"issuer_id": "iss_x", "name": "X", "exemption": "506(c)", "currency": "USD"}
    numbers = {"unit_price_minor": 1, "units_total": 1, "minimum_units": 1, "agreement_form": "oral"}
    with refused("agreement_form_is_known"):
        world.application.desk.engine.open_offer(actor="x", offering="ofr_oral", terms=terms | numbers)


def script(paper: bytes) -> bytes:
    writer, out = PdfWriter(clone_from=PdfReader(io.BytesIO(paper))), io.BytesIO()
    kind, text = NameObject("/JavaScript"), TextStringObject("app.alert(1)")
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject("/S"): kind, NameObject("/JS"): text}
    )
    writer.write(out)
    return out.getvalue()


def polyglot(paper: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x", "y")
    return paper + out.getvalue() + b"\n%%EOF"


UPLOADS: dict[str, tuple[Callable[[bytes], object], str]] = {
    "a script": (lambda paper: io.BytesIO(script(paper)), "upload_has_no_active_content"),
    "also an archive": (lambda paper: io.BytesIO(polyglot(paper)), "upload_is_of_one_format"),
    "200 megabytes": (lambda _: Endless(), "upload_fits_the_limit"),
    "no paper": (lambda _: io.BytesIO(b"MZ"), "upload_starts_and_ends_as_pdf"),
}


@pytest.mark.parametrize("case", UPLOADS)
def test_a_bad_upload_leaves_nothing(world: World, refused: Refusal, paper: bytes, case: str) -> None:
    source, broken = UPLOADS[case]
    with refused(broken):
        world.application.archive.take(
            cast("BinaryIO", source(paper)), "offering_material", investor=None, actor="desk.sam"
        )


def test_an_upload_is_kept_with_its_class(world: World, refused: Refusal, paper: bytes) -> None:
    archive = world.application.archive
    with refused("class_of_retention_is_known"):
        archive.take(io.BytesIO(paper), "forever", investor=None, actor="desk.sam")
    digest = archive.take(io.BytesIO(paper), "offering_material", investor=None, actor="desk.sam")
    assert archive.fetch(digest, actor="ann").content == paper
    assert rule(lambda: archive.erase(digest, "x", actor="ann")) == "retention_has_ended"


def test_a_retired_template_sends_nothing(world: World, tell: Tell) -> None:
    """The approval is looked at when a packet is sent, not when the offer named its template."""
    story, desk = tell("cleared"), world.application.desk
    person = story.people[:1]
    papers(story).apply(person, desk.subscription.requirements(offering=story.offering))
    assert desk.packets.packet_form(offering=story.offering)["template_id"] == TEMPLATE
    row = dict(desk.packets.template(template=TEMPLATE))
    assert row["status"] == "approved"

    def send() -> None:
        with desk.packets.together() as within:
            within.retire_template(actor="carl", template=TEMPLATE)
            within.send_packet(
                actor="process",
                offering=story.offering,
                agreement="agr_x",
                investment=person[0].investment,
                packet=_packet(world, story),
                content=b"%PDF-1.7",
                data=b"{}",
            )

    assert rule(send) == "template_is_approved"


def _packet(world: World, story: Story) -> dict[str, object]:
    person = story.people[0]
    (profile,) = world.application.desk.engine.profiles(investors=[person.investor])
    template = world.application.desk.packets.template(template=TEMPLATE)
    return {
        "template": TEMPLATE,
        "template_sha256": bytes(template["sha256"]).hex(),
        "engine_version": template["engine_version"],
        "pages": 1,
        "boxes": {},
        "reference": "RF00000000000000",
        "units": person.units,
        "amount_minor": person.units * PRICE_MINOR,
        "offer_version": 1,
        "profile_version": 1,
        "profile_sha256": bytes(profile["detail_digest"]).hex(),
    }
