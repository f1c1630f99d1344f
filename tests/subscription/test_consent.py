"""Consent to electronic records: the printed code is asked back, and without consent records go on paper."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import psycopg
import pytest
from pypdf import PdfReader

from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import load
from bookrunner.sandbox.entering.papers import EVIDENCE, INTENT
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED, rolled_back
from tests.subscription.conftest import Tell, agreement, withdraw
from tests.subscription.test_api import printed_code
from tests.subscription.test_packets import papers, rule

OFFICER = "issuer.iris"


def place(story: Story, number: int = 0) -> tuple[str, str]:
    return story.offering, story.people[number].investment


def history(world: World, scope: str) -> str:
    """Return every event of an offer as it is kept."""
    with world.application.database.transaction("subscription") as transaction:
        return "\n".join(load("tests.subscription").events(transaction, scope=scope))


def test_the_code_is_read_in_the_file_and_consent_follows(world: World, tell: Tell) -> None:
    story, consents = tell("cleared"), world.application.consents
    where = place(story)
    sample = consents.issue(*where, actor="x")
    content = consents.open(*where, sample)
    assert content == consents.open(*where, sample)
    code = printed_code(content)
    give = lambda: consents.give(*where, sample, actor="x")  # noqa: E731
    assert rule(give) == "consent_follows_an_opened_sample"
    consents.confirm(*where, sample, code=f" {code[:4].lower()}-{code[4:]} ", actor="x")
    consents.confirm(*where, sample, code=code, actor="x")
    give()
    assert rule(give) == "each_sample_serves_one_consent"
    said = consents.statement(*where, sample)
    assert "records@harbor.example" in said
    assert code not in said
    assert code not in history(world, story.offering)


def test_codes_differ_by_investor_and_sample(world: World, tell: Tell) -> None:
    story, consents = tell("cleared"), world.application.consents
    first, second = (consents.issue(*place(story), actor="x") for _ in range(2))
    other = consents.issue(*place(story, 1), actor="x")
    codes = [consents.code(sample) for sample in (first, second, other)]
    assert len(set(codes)) == 3
    assert consents.waiting(*place(story)) == second
    late = lambda: consents.confirm(*place(story), first, code=codes[0], actor="x")  # noqa: E731
    assert rule(late) == "sample_waits_for_its_code"
    foreign = lambda: consents.confirm(*place(story), second, code=codes[2], actor="x")  # noqa: E731
    assert rule(foreign) == "code_is_the_printed_one"
    stolen = lambda: consents.confirm(*place(story), other, code=codes[2], actor="x")  # noqa: E731
    assert rule(stolen) == "consent_sample_exists"


def test_wrong_codes_are_counted_and_never_told(
    world: World, tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    story, consents = tell("cleared"), world.application.consents
    where = place(story)
    sample = consents.issue(*where, actor="x")
    said = []
    with caplog.at_level(logging.DEBUG):
        for _ in range(5):
            with pytest.raises(Refused) as refused:
                consents.confirm(*where, sample, code="WRNGCDE2", actor="x")
            said.append(str(refused.value.detail))
            assert refused.value.rule == "code_is_the_printed_one"
        right = lambda: consents.confirm(*where, sample, code=consents.code(sample), actor="x")  # noqa: E731
        assert rule(right) == "sample_waits_for_its_code"
    assert said == ["4 tries left", "3 tries left", "2 tries left", "1 try left", "ask for a new sample"]
    told = caplog.text + history(world, story.offering) + "".join(said)
    assert "consent_sample.code_missed" in told
    assert "WRNGCDE2" not in told
    assert consents.code(sample) not in told


def test_samples_are_few(world: World, tell: Tell) -> None:
    story, consents = tell("cleared"), world.application.consents
    for _ in range(20):
        consents.issue(*place(story), actor="x")
    assert rule(lambda: consents.issue(*place(story), actor="x")) == "consent_samples_are_few"


def test_a_withdrawal_stops_delivery_and_offers_paper(world: World, tell: Tell) -> None:
    story, app = tell("released"), world.application
    where, name, person = place(story), agreement(story), story.people[0]
    packet: Mapping[str, bytes] = app.desk.packets.packet(offering=story.offering, agreement=name)
    digest = bytes(packet["signed_sha256"])
    link = lambda: app.archive.link(digest, person.investor, ttl=timedelta(minutes=5), actor="desk.sam")  # noqa: E731
    made = link()
    asked = dict(part.split("=") for part in made.partition("?")[2].split("&"))
    follow = lambda: app.archive.follow(  # noqa: E731
        digest.hex(), reader=asked["reader"], until=int(asked["until"]), token=asked["token"]
    )
    assert follow().content.startswith(b"%PDF")
    papers(story).withdraw_consent(person)
    assert rule(link) == "electronic_delivery_has_consent"
    assert rule(follow) == "electronic_delivery_has_consent"
    app.archive.link(digest, "key:auditor", ttl=timedelta(minutes=5), actor="desk.sam")
    app.signing.countersign(story.offering, name, officer=OFFICER, evidence=EVIDENCE)
    due = [row for row in app.consents.papers(story.offering) if row["investment_id"] == where[1]]
    executed = app.desk.packets.packet(offering=story.offering, agreement=name)["executed_sha256"]
    assert {row["sha256"] for row in due} == {digest.hex(), bytes(executed).hex()}
    assert {row["status"] for row in due} == {"due"}
    send = lambda how: app.consents.sent(story.offering, due[0]["delivery_id"], how, actor="desk.sam")  # noqa: E731
    assert rule(lambda: send(" ")) == "sent_paper_says_by_whom_and_how"
    send("registered letter 7")
    assert "registered letter 7" not in history(world, story.offering)
    assert "paper_delivery.sent" in history(world, story.offering)
    assert rule(lambda: send("again")) == "transition_is_listed_for_the_keeper"


def test_a_consent_of_an_ended_investment_does_not_serve_another(world: World, tell: Tell) -> None:
    story, app = tell("cleared"), world.application
    person = story.people[-1]
    papers(story).consent([person])
    with psycopg.connect(world.endpoint.dsn("subscription")) as connection:
        (digest,) = connection.execute(
            "select document_sha256 from subscription.requirement where offering_id = %s and kind = %s",
            [story.offering, "material"],
        ).fetchone() or (b"",)
    link = lambda: app.archive.link(digest, person.investor, ttl=timedelta(minutes=5), actor="desk.sam")  # noqa: E731
    link()
    own = {"actor": person.investor, "offering": story.offering}
    withdraw(world, story, person)
    link()
    app.desk.engine.open_investment(
        **own, investor=person.investor, investment=new_id("inv"), units=person.units
    )
    assert rule(link) == "electronic_delivery_has_consent"


def test_what_the_consent_was_given_to_is_kept_as_long_as_the_agreement(world: World, tell: Tell) -> None:
    story, consents = tell("cleared"), world.application.consents
    sample = consents.issue(*place(story), actor="x")
    consents.confirm(*place(story), sample, code=consents.code(sample), actor="x")
    consents.give(*place(story), sample, actor="x")
    statement = sha256(consents.statement(*place(story), sample).encode()).digest()
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        kept = connection.execute(
            "select class from subscription.retention where sha256 = %s order by class", [statement]
        ).fetchall()
    assert kept == [("executed_agreement",), ("working_paper",)]


def test_the_paper_of_an_offer_does_not_hide_that_of_another(world: World, tell: Tell) -> None:
    first, second = tell("sent"), tell("sent")
    with psycopg.connect(world.endpoint.admin_dsn()) as connection, rolled_back(connection):
        connection.execute(NAMED.encode())
        connection.execute(EVERY_RIGHT.format("subscription").encode())
        for number in range(200):
            connection.execute(
                "select subscription.deliver_on_paper(%s, %s, subscription.keep_bytes(%s, 'text/plain'))",
                [*place(first), f"paper {number} of {first.offering}".encode()],
            )
        connection.execute("select subscription.withdraw_consent('x', 'req_x', %s, %s)", list(place(second)))
        queries = load("bookrunner.books.subscription.consent")
        (due,) = queries.paper_deliveries(connection, offering=second.offering)
    assert due["investment_id"] == place(second)[1]


def test_after_a_withdrawal_nothing_is_signed_and_a_new_sample_is_asked_for(world: World, tell: Tell) -> None:
    story, app = tell("sent"), world.application
    where, name, person = place(story), agreement(story), story.people[0]
    made = app.signing.certified(story.offering, name, intent=INTENT, evidence=EVIDENCE)
    papers(story).withdraw_consent(person)
    act = lambda: app.desk.packets.sign_packet(  # noqa: E731
        actor="x", offering=story.offering, agreement=name, proof=made.proof, content=made.signed.content
    )
    assert rule(act) == "application_is_complete"
    papers(story).consent([person])
    assert (
        rule(lambda: app.consents.confirm(*where, "csm_none", code="x", actor="x")) == "consent_sample_exists"
    )


def test_a_sample_shows_the_statement_that_is_kept_of_it(world: World, tell: Tell) -> None:
    story, consents = tell("cleared"), world.application.consents
    where = place(story)
    sample = consents.issue(*where, actor="x")
    shown, said = consents.open(*where, sample), consents.statement(*where, sample)
    story.desk.packets.name_packet_form(
        actor="counsel.carl",
        offering=story.offering,
        template="subscription_packet/1.1.0",
        issuer={
            "name": "Harbor Street GP LLC",
            "jurisdiction": "the State of Delaware",
            "security": "Class A limited partnership units",
            "contact": "another@harbor.example",
            "paper_fee": "25 USD",
        },
    )
    assert consents.open(*where, sample) == shown
    assert consents.statement(*where, sample) == said
    fresh = consents.issue(*where, actor="x")
    assert "25 USD" in consents.statement(*where, fresh)
    assert "25 USD" in words(consents.open(*where, fresh))
    assert "25 USD" not in words(shown)


def words(content: bytes) -> str:
    """Return the text of a sample as a reader finds it."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())
