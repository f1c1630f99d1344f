"""Whoever comes in or changes is screened by the real matcher, and what it finds is a case with its parts."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.bank.timing.calendar import holidays
from bookrunner.adapters.screening import MATCHER_VERSION, OPERATING_POINT, EntryKind
from bookrunner.adapters.vault import Vault
from bookrunner.books.compliance import Particulars, record_particulars
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from bookrunner.engine import Desk, Process
from bookrunner.engine.intake import Screening
from tests.attack.world import World
from tests.compliance.screened import DATA, ENTRY, LISTED, OTHER, OTHER_ENTRY, Book, whole, without

Connect = Callable[[str], psycopg.Connection]
BORN_THEN, BORN_LATER = "1962-03-04", "1991-03-04"
ADDRESS = (DATA / "ETH.txt").read_text(encoding="ascii").split()[0].lower().removeprefix("0x")
SDN_NAME = "SDN_ENHANCED.XML"


@pytest.fixture
def book(database: Database) -> Book:
    """Return a book with OFAC's consolidated list in force."""
    made = Book(database)
    made.take(whole())
    return made


def parts_of(book: Book, subject: str) -> dict[str, object]:
    ((parts,),) = book.rows(
        "select compliance.parts_of(h) from compliance.hit h where subject_id = %(s)s", s=subject
    )
    return dict(parts)


def named(book: Book, subject: str, *names: str, kind: EntryKind = EntryKind.PERSON) -> bool:
    """Record what a subject is screened by, as an officer does."""
    with book.desk.compliance.together() as within:
        given = [(subject, Particulars(kind, names, birth_date=date(1962, 5, 1), countries=("PS",)))]
        (fresh,) = record_particulars(
            within, Vault.of(book.desk.database.endpoint.secrets), given, actor="officer.one"
        )
    return fresh


def test_a_listed_name_is_a_case_that_says_what_gave_its_score(book: Book) -> None:
    book.profile("ivr_1", LISTED)
    assert book.screening.drain() > 0
    ((subject, entry, status, score),) = book.hits()
    assert (subject, entry, status) == ("ivr_1", ENTRY, "open")
    parts = parts_of(book, "ivr_1")
    assert parts["asked_name"] == LISTED
    assert parts["listed_name"] == "HANIYA, Ismail Abdul Salah"
    assert parts["listed_kind"] == "person"
    facts = {one["fact"]: one["effect"] for one in parts["facts"]}  # type: ignore[attr-defined]
    assert facts == {"name": 10_000}
    assert score == 10_000
    assert {one["asked"] for one in parts["words"]} == {"ismail", "abdul", "salah", "haniya"}  # type: ignore[attr-defined]
    ((list_version, matcher, threshold, kind, digest),) = book.rows(
        "select list_version, matcher_version, threshold_bp, subject_kind, octet_length(subject_digest)"
        " from compliance.screening"
    )
    assert list_version.startswith("2025-01-10:")
    assert (matcher, threshold, kind, digest) == (MATCHER_VERSION, OPERATING_POINT.person, "person", 32)
    assert book.screening.drain() == 0


def test_names_stay_out_of_events(book: Book) -> None:
    book.profile("ivr_1", LISTED)
    named(book, "own_1", LISTED)
    book.screening.drain()
    told = "".join(row[0] for row in book.rows("select canonical from audit.event"))
    assert "HANIYA" not in told.upper()
    ((sealed,),) = book.rows("select sealed from compliance.particulars")
    assert b"Haniya" not in bytes(sealed)


@pytest.mark.parametrize(
    ("name", "born", "effect"),
    [(LISTED, BORN_THEN, 200), (LISTED, BORN_LATER, -1_200), ("Ada Alder", BORN_THEN, None)],
)
def test_a_birth_date_is_opened_where_it_could_decide(
    book: Book, name: str, born: str, effect: int | None
) -> None:
    book.profile("ivr_1", name, birth_date=born)
    book.screening.drain()
    purposes = book.rows("select viewed_by, purpose from portal.personal_view")
    assert purposes == [("process", "sanctions screening")] * (effect is not None)
    if effect is None:
        assert book.screenings("ivr_1") == [("us.ofac.consolidated", "clear", "onboarding")]
        return
    facts = {one["fact"]: one["effect"] for one in parts_of(book, "ivr_1")["facts"]}  # type: ignore[attr-defined]
    assert facts["birth_date"] == effect


def test_joint_holders_are_screened_under_each_name(book: Book) -> None:
    book.profile("ivr_1", f"Ada Alder and {LISTED}", kind="joint")
    book.screening.drain()
    assert [hit[1] for hit in book.hits()] == [ENTRY]
    assert parts_of(book, "ivr_1")["asked_name"] == LISTED


def test_a_cleared_pair_returns_when_a_side_changes(book: Book) -> None:
    book.profile("ivr_1", LISTED)
    book.screening.drain()
    book.dismiss("ivr_1")
    detail = {"legal_name": LISTED, "country": "US", "address": "2 Example Street", "tax_id": "900000001"}
    amend = {"actor": "ivr_1", "investor": "ivr_1"}
    book.desk.portal.amend_profile(**amend, detail=detail | {"email": "two@example.org"})
    book.screening.drain()
    assert [hit[2] for hit in book.hits()] == ["no_match"], "an address is no fact of the score"
    assert [one[1] for one in book.screenings("ivr_1")] == ["clear", "clear"]
    changed = detail | {"email": "two@example.org", "legal_name": f"{LISTED} Jr"}
    book.desk.portal.amend_profile(**amend, detail=changed)
    book.screening.drain()
    assert sorted(hit[2] for hit in book.hits()) == ["no_match", "open"]


def test_an_open_case_says_what_the_pair_scores_now(book: Book) -> None:
    named(book, "own_1", LISTED)
    book.screening.drain()
    ((before, version),) = book.rows("select score_bp, version from compliance.hit")
    with book.desk.compliance.together() as within:
        born_later = Particulars(EntryKind.PERSON, (LISTED,), birth_date=date(1991, 1, 1))
        record_particulars(
            within,
            Vault.of(book.desk.database.endpoint.secrets),
            [("own_1", born_later)],
            actor="officer.one",
        )
    book.screening.drain()
    ((after, now),) = book.rows("select score_bp, version from compliance.hit")
    assert (before, after) == (10_000, 8_800)
    assert now == version + 1


def test_an_owner_without_a_name_waits_until_somebody_says_who_it_is(book: Book) -> None:
    book.desk.compliance.open_case(actor="officer.one", investor="ivr_1", case="kyc_1", kind="entity")
    book.desk.compliance.declare_owner(
        actor="officer.one", investor="ivr_1", owner="own_1", share_bp=3000, controls=True, is_identified=True
    )
    book.screening.drain()
    assert book.waiting() == ["own_1"]
    assert named(book, "own_1", "Ada Alder", "Ismail Haniya")
    assert not named(book, "own_1", "Ada Alder", "Ismail Haniya")
    book.screening.drain()
    assert book.waiting() == []
    assert parts_of(book, "own_1")["asked_name"] == "Ismail Haniya"


def test_an_entity_is_screened_with_its_signer(book: Book) -> None:
    book.profile("ivr_1", "Alder Holdings LLC", kind="entity", representative=LISTED)
    book.screening.drain()
    assert [hit[:2] for hit in book.hits()] == [("signer:ivr_1", ENTRY)]
    assert book.rows("select subject_id, investor_id, role from compliance.concern") == [
        ("signer:ivr_1", "ivr_1", "signer")
    ]


def test_nobody_is_screened_without_a_name(book: Book) -> None:
    with pytest.raises(Refused) as refused:
        named(book, "own_1")
    assert refused.value.rule == "particulars_have_a_name"


def test_one_that_cannot_be_screened_holds_up_nobody(book: Book) -> None:
    """A name of letters that no matcher knows keeps waiting; the others are answered."""
    for subject in ("own_1", "own_2", "own_3"):
        named(book, subject, "Ada Alder")
    with psycopg.connect(book.desk.database.endpoint.admin_dsn(), autocommit=True) as connection:
        connection.execute("alter table compliance.data_key disable trigger all")
        connection.execute(
            "update compliance.data_key set status = 'destroyed', wrapped = null, destroyed_because = 'asked'"
            " where investor_id = 'own_2'"
        )
    book.screening.drain()
    assert book.waiting() == ["own_2"]


def test_a_list_that_is_too_old_clears_nobody(book: Book, connect: Connect) -> None:
    admin = connect("admin")
    admin.execute("alter table compliance.watchlist disable trigger all")
    admin.execute("update compliance.watchlist set checked_at = clock_timestamp() - interval '8 days'")
    book.profile("ivr_1", "Ada Alder")
    book.screening.drain()
    assert (book.waiting(), book.screenings("ivr_1")) == (["ivr_1"], [])


def test_particulars_are_opened_for_a_claimed_screening_alone(book: Book) -> None:
    named(book, "own_1", "Ada Alder")
    with pytest.raises(Refused) as refused:
        list(book.desk.compliance.claimed_subjects(actor="officer.one", subjects=["own_1"]))
    assert refused.value.rule == "opened_particulars_are_claimed"


def _killed(endpoint: Endpoint) -> None:
    database = Database(endpoint, max_size=2)
    Screening(Desk(database), before_recording=lambda _: os.kill(os.getpid(), signal.SIGKILL)).drain()


def test_a_worker_killed_between_scoring_and_recording_leaves_one_case(book: Book) -> None:
    book.profile("ivr_1", LISTED)
    worker = multiprocessing.get_context("spawn").Process(target=_killed, args=(book.desk.database.endpoint,))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL
    assert (book.hits(), book.waiting()) == ([], ["ivr_1"])
    assert book.screening.drain() > 0
    assert book.screening.drain() == 0
    assert [hit[:3] for hit in book.hits()] == [("ivr_1", ENTRY, "open")]
    assert len(book.screenings("ivr_1")) == 1
    taken = book.rows("select subject from audit.reaction where consumer = 'screening' order by 1")
    assert len(taken) == 2, "the profile, and the hit"


def test_a_claimed_wallet_on_the_list_is_rejected_with_its_entry(book: Book, connect: Connect) -> None:
    book.take((DATA / "ETH.txt").read_bytes(), "ETH.txt")
    world = World(connect, "wal", 2).build("opened")
    process = Process(book.desk)
    for number, address in ((1, ADDRESS), (2, "11" * 20)):
        world.claim_wallet(f"clm_{number}", f"ivr_wal{number}", bytes.fromhex(address))
    process.drain()
    while book.screening.drain():
        process.drain()
    mapped = book.rows("select status, refused_because from registry.wallet_mapping order by mapping_id")
    assert sorted(mapped) == [("rejected", f"listed as wallet:0x{ADDRESS}"), ("screened", None)]
    assert [hit[:3] for hit in book.hits()] == [(f"wallet:{ADDRESS}", f"wallet:0x{ADDRESS}", "open")]
    assert book.rows("select investor_id from compliance.concern order by 1") == [
        ("ivr_wal1",),
        ("ivr_wal2",),
    ]


def test_a_payer_is_screened_and_concerns_the_investor(database: Database, connect: Connect) -> None:
    world, book = World(connect, "pay", 2).build("instructed"), Book(database)
    book.take(whole(), SDN_NAME, because="the first list with its files")
    head, entries = world.statement("first", [world.entry(1, sender=LISTED), world.entry(2)])
    world.call("treasury.import_statement", world.offering, head, entries)
    world.call("treasury.match", world.offering)
    book.screening.drain()
    ((payer, entry, status, _),) = book.hits()
    assert payer.startswith("payer:")
    assert (entry, status) == (ENTRY, "open")
    assert book.rows(
        "select distinct investor_id from compliance.concern where role = 'payer' order by 1"
    ) == [
        ("ivr_pay1",),
        ("ivr_pay2",),
    ]
    lacks = book.rows(
        "select 'sanctions_are_clear' = any (lacks) from compliance.clearance order by investor_id"
    )
    assert lacks == [(True,), (False,)]


def test_the_shipped_thresholds_are_the_measured_ones(book: Book) -> None:
    ((person, other),) = book.rows("select person_bp, other_bp from compliance.policy_of(null)")
    assert (person, other) == (OPERATING_POINT.person, OPERATING_POINT.other)


def test_reports_count_the_days_of_the_federal_reserve(book: Book) -> None:
    days = book.rows(
        "select day from compliance.holiday where calendar = 'us_federal_business'"
        " and extract(isodow from day) < 6 order by day"
    )
    ours = [day for year in range(2020, 2061) for day in holidays(year)]
    assert [row[0] for row in days] == sorted(ours)


def test_lists_are_kept_apart(book: Book) -> None:
    """A second list is screened by itself: its scores do not depend on the first."""
    book.profile("ivr_1", OTHER)
    book.screening.drain()
    book.take((Path(__file__).parents[1] / "screening" / "data" / "un.xml").read_bytes(), "un.xml")
    assert book.waiting() == ["ivr_1"]
    book.screening.drain()
    assert [one[0] for one in book.screenings("ivr_1")] == ["us.ofac.consolidated", "un.consolidated"]
    assert [hit[1] for hit in book.hits()] == [OTHER_ENTRY]
    assert without(whole(), 9644) != whole()
