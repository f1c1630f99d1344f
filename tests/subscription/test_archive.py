"""The archive: written once, hash checked at each read, holds beat erasure, links end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from pypdf import PdfWriter

from bookrunner.books.subscription import Archive
from bookrunner.core import clock
from bookrunner.core.errors import BookrunnerError, NotAllowed, Refused
from bookrunner.db import load
from bookrunner.engine import Desk
from bookrunner.sandbox.entering.papers import EVIDENCE
from bookrunner.sandbox.world import World
from tests.attack.test_illegal_statements import rolled_back
from tests.subscription.conftest import Tell, agreement

QUERIES = load("tests.subscription")
TEXT = b"A paper that was never an agreement."


def rule(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.rule


def kept(world: World, content: bytes) -> tuple[Archive, bytes]:
    """Return the archive and the digest of a new document in it."""
    desk: Desk = world.application.desk
    digest = desk.subscription.archive(actor="desk.sam", content=content, media_type="text/plain")
    return world.application.archive, bytes(digest)


def aged(world: World, digest: bytes) -> None:
    """Let the retention of a document have ended long ago."""
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        QUERIES.unlock(connection)
        QUERIES.past(connection, sha256=digest)
        QUERIES.lock(connection)


def test_a_changed_byte_is_found_at_the_next_read(world: World) -> None:
    archive, digest = kept(world, b"%PDF-1.7 to be damaged")
    assert archive.fetch(digest, actor="ann").content == b"%PDF-1.7 to be damaged"
    with psycopg.connect(world.endpoint.admin_dsn()) as connection, rolled_back(connection):
        QUERIES.unguard(connection)
        QUERIES.damage(connection, sha256=digest)
        with pytest.raises(psycopg.Error) as caught:
            list(QUERIES.read(connection, sha256=digest))
    assert caught.value.diag.constraint_name == "archived_bytes_have_their_hash"


def test_a_legal_hold_beats_erasure(world: World) -> None:
    archive, digest = kept(world, TEXT)
    erase = lambda: archive.erase(digest, "asked for", actor="dpo.dan")  # noqa: E731
    assert rule(erase) == "erased_document_has_a_class_of_retention"
    assert rule(lambda: archive.classify(digest, "some", actor="dpo.dan")) == "class_of_retention_is_known"
    archive.classify(digest, "working_paper", actor="dpo.dan")
    assert rule(erase) == "retention_has_ended"
    aged(world, digest)
    hold = archive.hold("a subpoena", actor="counsel.carl", sha256=digest)
    assert rule(erase) == "no_legal_hold_stands"
    lift = lambda who: archive.lift(hold, "it was withdrawn", actor=who)  # noqa: E731
    assert rule(lambda: lift("counsel.carl")) == "legal_hold_is_lifted_by_another_person"
    lift("counsel.cora")
    erase()
    assert rule(lambda: archive.fetch(digest, actor="ann")) == "document_is_not_erased"


def test_a_hold_on_an_investor_keeps_its_papers_and_its_data(world: World, tell: Tell) -> None:
    story = tell("signed")
    archive, investor = world.application.archive, story.people[0].investor
    row = story.desk.packets.packet(offering=story.offering, agreement=agreement(story))
    archive.hold("litigation", actor="counsel.carl", investor=investor)
    for name in ("document_sha256", "data_sha256", "signed_sha256"):
        erase = lambda d=bytes(row[name]): archive.erase(d, "asked for", actor="dpo.dan")  # noqa: E731
        assert rule(erase) == "no_legal_hold_stands"
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        because = connection.execute("select engine.kept_because(%s)", [investor]).fetchone()
    assert because is not None
    assert "a legal hold stands" in because[0]


def test_evidence_is_erased_when_nothing_keeps_it(world: World, tell: Tell) -> None:
    story, app = tell("released"), world.application
    name = agreement(story)
    app.signing.countersign(story.offering, name, officer="issuer.iris", evidence=EVIDENCE)
    erase = lambda: app.archive.erase_evidence(story.offering, name, "asked for", actor="dpo.dan")  # noqa: E731
    assert rule(erase) == "certificate_comes_before_erasure"
    app.answer()
    assert rule(erase) == "retention_has_ended"
    row = story.desk.packets.packet(offering=story.offering, agreement=name)
    files = [bytes(row["signed_sha256"]), bytes(row["executed_sha256"])]
    files.append(bytes(story.desk.packets.certificate(offering=story.offering, agreement=name)["sha256"]))
    for digest in files:
        assert rule(erase) == "retention_has_ended"
        aged(world, digest)
    hold = app.archive.hold("litigation", actor="counsel.carl", investor=story.people[0].investor)
    assert rule(erase) == "no_legal_hold_stands"
    app.archive.lift(hold, "it is over", actor="counsel.cora")
    blank = lambda: app.archive.erase_evidence(story.offering, name, " ", actor="dpo.dan")  # noqa: E731
    assert rule(blank) == "erased_evidence_says_why"
    erase()
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        left = connection.execute(
            "select distinct status, method, wrapped, sealed, erased_because "
            "from subscription.signing_evidence where agreement_id = %s",
            [name],
        ).fetchall()
        events = connection.execute(
            "select kind from audit.event where subject like %s and kind = 'signing_evidence.erased'",
            [f"sev_{name[4:]}_%"],
        ).fetchall()
    assert left == [("erased", EVIDENCE.method, None, None, "asked for")]
    assert len(events) == 2
    assert rule(erase) == "kept_evidence_exists"
    assert rule(lambda: app.certificates.evidence(story.offering, name)) == "signing_evidence_is_not_erased"
    assert not app.signing.verify(story.offering, name, actor="ann").failures


def test_what_is_filed_again_is_kept_anew(world: World) -> None:
    archive, digest = kept(world, b"A paper that comes twice.")
    archive.classify(digest, "working_paper", actor="desk.sam")
    aged(world, digest)
    archive.classify(digest, "working_paper", actor="desk.sam")
    assert rule(lambda: archive.erase(digest, "x", actor="dpo.dan")) == "retention_has_ended"


def test_what_was_erased_is_not_filed_again(world: World) -> None:
    archive, digest = kept(world, b"A paper that goes.")
    archive.classify(digest, "working_paper", actor="desk.sam")
    aged(world, digest)
    archive.erase(digest, "its time is over", actor="dpo.dan")
    assert rule(lambda: kept(world, b"A paper that goes.")) == "erased_document_is_not_filed_again"


def test_a_hold_on_an_investor_keeps_its_uploads(world: World, tell: Tell) -> None:
    archive, person = world.application.archive, tell("cleared").people[0]
    blank = BytesIO()
    with PdfWriter() as writer:
        writer.add_blank_page(72, 72)
        writer.write(blank)
    upload = lambda who: archive.take(  # noqa: E731
        BytesIO(blank.getvalue()), "working_paper", investor=who, actor="desk.sam"
    )
    assert rule(lambda: upload("ivr_nobody")) == "investor_exists"
    digest = upload(person.investor)
    aged(world, digest)
    archive.hold("litigation", actor="counsel.carl", investor=person.investor)
    assert rule(lambda: archive.erase(digest, "x", actor="dpo.dan")) == "no_legal_hold_stands"


def test_what_is_not_there_is_not_lifted_erased_or_revoked(world: World, tell: Tell) -> None:
    archive, story = world.application.archive, tell("cleared")
    packets = story.desk.packets
    assert rule(lambda: archive.lift("lgh_none", "x", actor="ann")) == "legal_hold_exists"
    assert rule(lambda: archive.erase(b"\x01" * 32, "x", actor="ann")) == "document_exists"
    revoke = {"actor": "carl", "offering": story.offering, "signatory": "nobody"}
    assert rule(lambda: packets.revoke_signatory(**revoke)) == "signatory_exists"
    assert rule(lambda: packets.retire_template(actor="carl", template="a/1.0.0")) == "template_exists"


def test_a_link_serves_its_reader_until_it_is_over(world: World) -> None:
    archive, digest = kept(world, b"A paper with a link.")
    path = archive.link(digest, "ivr_ann", ttl=timedelta(minutes=5), actor="desk.sam")
    found = re.fullmatch(
        r"/v1/documents/([0-9a-f]{64})\?reader=ivr_ann&until=(\d+)&token=([0-9a-f]{64})", path
    )
    assert found is not None
    until, token = int(found[2]), found[3]
    follow = archive.follow
    assert follow(digest.hex(), reader="ivr_ann", until=until, token=token).content == b"A paper with a link."
    other = kept(world, b"Another paper.")[1].hex()
    for changed in (
        lambda: follow(digest.hex(), reader="ivr_bob", until=until, token=token),
        lambda: follow(digest.hex(), reader="ivr_ann", until=until + 1, token=token),
        lambda: follow(other, reader="ivr_ann", until=until, token=token),
        lambda: follow(digest.hex(), reader="ivr_ann", until=until, token="0" * 64),
        lambda: follow(digest.hex(), reader="ivr_ann", until=until, token="é"),
        lambda: follow("../secrets", reader="ivr_ann", until=until, token=token),
    ):
        with pytest.raises(NotAllowed) as caught:
            changed()
        assert caught.value.rule == "document_link_is_ours"
    later = Archive(world.application.desk.packets, read_clock=lambda: clock.now() + timedelta(minutes=6))
    with pytest.raises(NotAllowed) as caught:
        later.follow(digest.hex(), reader="ivr_ann", until=until, token=token)
    assert caught.value.rule == "document_link_is_not_over"
    for ttl in (timedelta(0), timedelta(days=8)):
        link = lambda t=ttl: archive.link(digest, "ivr_ann", ttl=t, actor="desk.sam")  # noqa: E731
        assert rule(link) == "document_link_ends_within_a_week"


def test_links_and_fetches_are_on_record(world: World) -> None:
    archive, digest = kept(world, b"A paper that is read twice.")
    path = archive.link(digest, "key:auditor", ttl=timedelta(minutes=5), actor="desk.sam")
    said = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    for _ in range(2):
        archive.follow(digest.hex(), reader=said["reader"], until=int(said["until"]), token=said["token"])
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        (row,) = QUERIES.links(connection, sha256=digest)
    assert dict(row) == {"reader": "key:auditor", "made_by": "desk.sam", "count": 2}


@pytest.mark.parametrize(
    "reader", ["process", "operator:console", "provider:x", "ann", "key:", "ivr_", "ivr_a b"]
)
def test_a_link_is_for_a_reader_who_can_be_named(world: World, reader: str) -> None:
    archive, digest = kept(world, b"A paper for nobody.")
    link = lambda: archive.link(digest, reader, ttl=timedelta(minutes=5), actor="desk.sam")  # noqa: E731
    assert rule(link) == "document_link_names_its_reader"


def test_nobody_but_the_book_reads_the_archive(world: World) -> None:
    for login in ("portal", "engine", "treasury", "registry", "compliance"):
        with psycopg.connect(world.endpoint.dsn(login)) as connection, pytest.raises(psycopg.Error):
            connection.execute("select content from subscription.document limit 1")


def test_an_unknown_document_is_not_there(world: World) -> None:
    with pytest.raises(BookrunnerError):
        world.application.archive.fetch(b"\x00" * 32, actor="ann")


def breaks(world: World, offering: str) -> list[tuple[str, str]]:
    found = world.application.desk.engine.breaks(offering=offering)
    return [(row["subject_id"], row["owner"]) for row in found if row["comparison"] == "archive"]


@contextmanager
def damaged(world: World, digest: bytes) -> Iterator[None]:
    """Change one byte of an archived file as the owner of the server can, and put it back after the block."""
    with psycopg.connect(world.endpoint.admin_dsn(), autocommit=True) as connection:
        QUERIES.unguard(connection)
        content = QUERIES.content(connection, sha256=digest)
        try:
            QUERIES.damage(connection, sha256=digest)
            yield
        finally:
            QUERIES.restore(connection, sha256=digest, content=content)
            QUERIES.guard(connection)


@pytest.mark.parametrize("is_read", [True, False])
def test_damage_is_a_break_until_it_is_repaired(world: World, tell: Tell, *, is_read: bool) -> None:
    story, app = tell("signed"), world.application
    row = story.desk.packets.packet(offering=story.offering, agreement=agreement(story))
    digest = bytes(row["signed_sha256"])
    while app.archive.check():
        pass
    with damaged(world, digest):
        if is_read:
            assert rule(lambda: app.archive.fetch(digest, actor="ann")) == "archived_bytes_have_their_hash"
            app.check_archive()
        else:
            app.tend(look_seconds=0)
            while app.archive.check():
                pass
            app.tend(look_seconds=0)
        assert breaks(world, story.offering) == [(digest.hex(), "subscription")]
        app.reconcile(story.offering, actor="auditor.ann")
        assert breaks(world, story.offering) == [(digest.hex(), "subscription")]
    while app.archive.check():
        pass
    app.check_archive()
    assert breaks(world, story.offering) == []


def test_the_check_goes_through_the_archive_in_parts(world: World) -> None:
    archive = Archive(world.application.desk.packets)
    parts = 1
    while archive.check(7):
        parts += 1
    with psycopg.connect(world.endpoint.admin_dsn()) as connection:
        row = connection.execute(
            "select count(*) from subscription.document_fact where not is_erased"
        ).fetchone()
    assert row is not None
    assert parts == -(-row[0] // 7) + 1
