"""Erasure: refused with its reason while a rule keeps the record, then nothing personal is readable."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bookrunner.adapters.screening import EntryKind
from bookrunner.adapters.vault import Vault
from bookrunner.audit import advance_feed, export_history, seal, verify_history
from bookrunner.books.compliance import Particulars, keep_file, record_particulars
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.engine import Desk
from tests.attack.world import STATED, World, digest

Connect = Callable[[str], psycopg.Connection]

INVESTOR, OWNER = "ivr_erased", "own_erased"
DETAIL = {
    "legal_name": "Zephyrine Quillfeather",
    "country": "US",
    "address": "77 Nightingale Crescent",
    "tax_id": "912345678",
    "birth_date": "1980-02-29",
    "email": "zephyrine@quill.example",
    "representative": "Barnabas Oddlestone",
}
RENAMED = DETAIL | {"legal_name": "Zephyrine Marchbanks", "address": "9 Larkspur Alley"}
OWNER_NAME = "Thaddeus Wigglesworth"
PASSPORT = b"%PDF-1.7 the passport of Zephyrine Quillfeather"
PERSONAL = (
    *(str(value) for value in DETAIL.values() if value != "US"),
    *(RENAMED[field] for field in ("legal_name", "address")),
    OWNER_NAME,
    *("zephyrine", "quillfeather", "marchbanks", "wigglesworth", "oddlestone"),
)
SHORT = """
insert into compliance.rule (rule_id, rule_version, value, unit, jurisdiction, citation, certainty,
    effective_from, proposed_by, adopted_by, because) values
    ('us.cip.retention', 2, 0, 'years', 'us', 'a trial', 'house', current_date, 'one', 'two', 'a trial')
"""
TABLES = """
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
"""


EMPTIED = """
update portal.profile_detail set erased_at = clock_timestamp(), salt = null, legal_name = null,
    country = null, address = null, sealed = null, tax_id_blind = null, email = null, representative = null
"""


@dataclass
class File:
    """The file of one investor with everything that this product may know of somebody."""

    desk: Desk
    database: Database
    connect: Connect

    def run(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - any answer
        """Run a statement as the compliance keeper, under a stated programme."""
        with self.database.transaction("compliance") as transaction:
            transaction.execute(STATED.encode(), ["officer.one", "req_s"])
            return transaction.execute(statement.encode(), values).fetchone()

    def build(self) -> File:
        """Let the investor come in, change, be screened, found, cleared by a person and verified."""
        portal, book = self.desk.portal, self.desk.compliance
        who = {"actor": INVESTOR, "investor": INVESTOR}
        portal.open_profile(**who, account="acc_1", kind="nominee", detail=DETAIL)
        book.open_case(actor="officer.one", investor=INVESTOR, case="kyc_1", kind="nominee")
        portal.request_change(
            **who, change="chg_1", detail=RENAMED, because="married", evidence_sha256=digest("p")
        )
        portal.decide_change(
            actor="officer.two",
            investor=INVESTOR,
            change="chg_1",
            is_approved=True,
            because="seen",
            seen=1,
            programme=book.programme_in_force(),
        )
        keep_file(book, INVESTOR, PASSPORT, actor="officer.one")
        self._owner()
        self._hit(INVESTOR, RENAMED["legal_name"])
        self._hit(OWNER, OWNER_NAME)
        self._verify()
        return self

    def _owner(self) -> None:
        book = self.desk.compliance
        book.declare_owner(
            actor="officer.one",
            investor=INVESTOR,
            owner=OWNER,
            share_bp=6000,
            controls=True,
            is_identified=True,
        )
        safe = Vault.of(self.database.endpoint.secrets)
        with book.together() as within:
            given = [(OWNER, Particulars(EntryKind.PERSON, (OWNER_NAME,)))]
            record_particulars(within, safe, given, actor="officer.one")

    def _hit(self, subject: str, name: str) -> None:
        parts = {"asked_name": name, "words": [{"asked": name.partition(" ")[0].lower(), "listed": "x"}]}
        found = {
            "subject": subject,
            "screening": new_id("scr"),
            "source": "us.ofac.sdn",
            "list_version": "1",
            "matcher_version": "1",
            "threshold_bp": 8000,
            "candidates": [{"entry_id": "E1", "score_bp": 9000, "parts": parts}],
        }
        self.desk.compliance.record_results(actor="process", results=json.dumps([found]))

    def clear_hits(self) -> None:
        """Let one officer propose and another agree that nobody is on a list: a nominee is of high risk."""
        with self.database.transaction("compliance") as transaction:
            for actor, verb, said in (
                ("officer.one", "decide_hit", ("no_match",)),
                ("officer.two", "second_hit", (True,)),
            ):
                transaction.execute(STATED.encode(), [actor, "req_h"])
                hits = transaction.execute(
                    b"select subject_id, hit_id, version from compliance.hit"
                ).fetchall()
                for hit in hits:
                    subject, name, version = hit.values() if isinstance(hit, dict) else hit
                    transaction.execute(
                        f"select compliance.{verb}(%s, 'req_h', %s, %s, %s, 'born elsewhere', %s)".encode(),
                        [actor, subject, name, *said, version],
                    )

    def _verify(self) -> None:
        verified = self.one("select detail_digest from portal.profile")
        self.desk.compliance.hear_identity(
            discrepancy="dsc_1",
            actor="provider:x",
            investor=INVESTOR,
            outcome="approved",
            evidence_sha256=digest("e"),
            verified_digest=verified,
            valid_until=None,
        )

    def one(self, question: str) -> Any:  # noqa: ANN401 - any answer
        """Return the one value of a question."""
        row = self.connect("owner").execute(question.encode()).fetchone()
        assert row is not None
        return row[0]

    def erase(self, book: str, verb: str, subject: str = INVESTOR) -> None:
        """Erase in one book."""
        with self.database.transaction(book) as transaction:
            transaction.execute(
                f"select {book}.{verb}('officer.one', 'req_e', %s, 'asked for by the person')".encode(),
                [subject],
            )

    def readable(self, folder: Path) -> dict[str, list[str]]:
        """Return by place what personal text can be read in any table, or in an export."""
        owner = self.connect("admin")
        found: dict[str, list[str]] = {}
        for (table,) in owner.execute(TABLES.encode()).fetchall():
            rows = owner.execute(f"select t::text from {table} t".encode()).fetchall()  # noqa: S608
            _look(found, table, "\n".join(row[0] for row in rows))
        advance_feed(self.database)
        seal(self.database)
        target = folder / f"{len(list(folder.iterdir()))}.export"
        export_history(self.database, target)
        _look(found, "export", target.read_bytes().decode("utf-8", "replace"))
        return found


def _look(found: dict[str, list[str]], place: str, text: str) -> None:
    lowered = text.lower()
    for value in PERSONAL:
        if value.lower() in lowered or value.encode().hex() in lowered:
            found.setdefault(place, []).append(value)


@pytest.fixture
def file(database: Database, connect: Connect) -> File:
    desk = Desk(database)
    where = {"actor": "officer", "source": "us.ofac.sdn", "list_version": "1"}
    desk.compliance.import_list(
        **where,
        sha256=digest("list"),
        published_on="2026-03-01",
        entry_count=1,
        parser_version="reader.1",
        covers=["names", "wallets"],
    )
    desk.compliance.activate_list(**where, because=None)
    return File(desk, database, connect).build()


def test_erasure_is_refused_for_an_open_hit_and_for_a_period_in_the_same_words(file: File) -> None:
    """Who reads the refusal must not learn from it that a list has a name like this one."""
    words = r"retention_allows_erasure: a rule keeps the record$"
    for book, verb in (("portal", "erase_personal"), ("compliance", "erase_files")):
        with pytest.raises(Refused, match=words):
            file.erase(book, verb)
    with file.connect("owner") as owner:
        owner.execute(SHORT.encode())
    with pytest.raises(Refused, match=words):
        file.erase("portal", "erase_personal")
    file.clear_hits()
    file.erase("portal", "erase_personal")


def test_an_account_that_nobody_took_up_asks_for_no_passkey(file: File) -> None:
    """Whoever was invited and has not come yet has no passkey that could be asked."""
    access = file.connect("access")
    access.execute(b"select api.propose_account('usr_one', 'req_1', 'acc_i', %s, 'portal', null)", [INVESTOR])
    access.execute(b"select api.invite('usr_two', 'req_2', 'acc_i', sha256('i'))")
    with file.connect("owner") as owner:
        owner.execute(SHORT.encode())
    file.clear_hits()
    with file.database.transaction("portal") as transaction:
        transaction.execute(
            b"select portal.erase_personal(%s, 'req_e', %s, 'asked for')", [INVESTOR, INVESTOR]
        )
    assert file.one("select status from portal.data_key") == "destroyed"


def test_erasure_is_refused_within_a_period_without_any_hit(file: File) -> None:
    file.clear_hits()
    with pytest.raises(Refused, match=r"retention_allows_erasure: a rule keeps the record$"):
        file.erase("portal", "erase_personal")


def test_payments_and_papers_are_kept_by_their_books(connect: Connect) -> None:
    world = World(connect, "kept", 1).build("received")
    with pytest.raises(psycopg.Error, match="a payment is on record") as caught:
        world.call("portal.erase_personal", world.id("ivr", 1), "asked for")
    said = caught.value.diag.message_primary or ""
    assert said.split("; ")[:3] == [
        "a payment is on record",
        "a rule keeps the record",
        "an investment is not ended",
    ]
    assert said.endswith("papers of a subscription are on record")


def test_somebody_behind_an_investor_is_kept_as_long_as_the_investor(file: File) -> None:
    file.clear_hits()
    with pytest.raises(Refused, match="a rule keeps the record"):
        file.erase("compliance", "erase_files", OWNER)


def test_after_erasure_nothing_personal_is_readable_anywhere(file: File, tmp_path: Path) -> None:
    file.clear_hits()
    before = file.readable(tmp_path)
    assert set(before) == {"portal.profile_detail", "portal.change_detail", "compliance.score_part"}
    file.connect("owner").execute(SHORT.encode())
    file.erase("portal", "erase_personal")
    file.erase("compliance", "erase_files")
    assert file.readable(tmp_path) == {}
    assert verify_history(file.database).ok
    assert file.one("select count(*) from compliance.data_key where wrapped is not null") == 0
    assert file.one("select count(*) from portal.profile_detail where erased_at is null") == 0


def test_erasure_goes_on_where_a_crash_stopped_it(file: File, tmp_path: Path) -> None:
    asked = {"actor": "officer.one", "because": "asked for by the person"}
    with pytest.raises(Refused, match="a rule keeps the record"):
        file.desk.erase(INVESTOR, **asked)
    file.clear_hits()
    file.connect("owner").execute(SHORT.encode())
    with pytest.raises(Refused, match="erasure_has_its_reason"):
        file.desk.erase(INVESTOR, actor="officer.one", because=" ")
    file.erase("compliance", "erase_files")
    file.desk.erase(INVESTOR, **asked)
    assert file.readable(tmp_path) == {}
    with pytest.raises(Refused, match="erased_key_exists"):
        file.desk.erase(INVESTOR, **asked)


def test_what_is_erased_is_screened_no_more_and_never_comes_back(file: File) -> None:
    file.clear_hits()
    file.connect("owner").execute(SHORT.encode())
    file.erase("portal", "erase_personal")
    file.erase("compliance", "erase_files")
    for subject in (INVESTOR, OWNER):
        assert not file.one(f"select compliance.is_known('{subject}')")
    with pytest.raises(Refused, match="personal_data_is_not_erased"):
        keep_file(file.desk.compliance, OWNER, PASSPORT, actor="officer.one")
    with pytest.raises(Refused, match="erased_key_exists"):
        file.erase("compliance", "erase_files")


@pytest.mark.parametrize(
    "statement",
    [
        "update portal.profile_detail set legal_name = 'Somebody Else'",
        EMPTIED,
        "delete from portal.profile_detail",
        "truncate portal.profile_detail cascade",
        "update portal.change_detail set detail = '{}'",
        "delete from portal.change_detail",
        "update compliance.score_part set parts = '{}'",
        "delete from compliance.score_part",
        "truncate compliance.score_part",
    ],
)
def test_nothing_is_emptied_under_a_living_key(file: File, statement: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        file.connect("owner").execute(statement.encode())
    assert caught.value.diag.constraint_name == "history_is_append_only"


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("update portal.profile_detail set legal_name = 'Somebody'", "history_is_append_only"),
        ("update portal.profile_detail set erased_at = null", "history_is_append_only"),
        ("delete from portal.profile_detail", "history_is_append_only"),
    ],
)
def test_an_erased_version_stays_as_it_is(file: File, statement: str, rule: str) -> None:
    file.clear_hits()
    file.connect("owner").execute(SHORT.encode())
    file.erase("portal", "erase_personal")
    with pytest.raises(psycopg.Error) as caught:
        file.connect("owner").execute(statement.encode())
    assert caught.value.diag.constraint_name == rule


def test_a_version_is_erased_whole(file: File) -> None:
    file.clear_hits()
    owner = file.connect("owner")
    owner.execute(SHORT.encode())
    owner.execute("alter table portal.profile_detail disable trigger aa_append_only")
    with pytest.raises(psycopg.Error) as caught:
        owner.execute("update portal.profile_detail set erased_at = clock_timestamp(), legal_name = null")
    assert caught.value.diag.constraint_name == "erased_version_is_empty"
