"""Personal numbers at rest, locked fields, changes by two people, erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from bookrunner.adapters.vault import Vault
from bookrunner.audit import verify_history
from bookrunner.books import compliance, portal
from bookrunner.books.compliance import keep_file, view_file
from bookrunner.books.portal import reveal, reveal_change, reveal_profile
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from bookrunner.engine import Desk, Process
from tests.attack import world as attack_world
from tests.attack.world import World, digest

Connect = Callable[[str], psycopg.Connection]

TAX_ID = "912345678"
DETAIL = {
    "legal_name": "Ada Example",
    "country": "US",
    "address": "1 Example Street",
    "tax_id": TAX_ID,
    "birth_date": "1980-02-29",
    "email": "ada@example.test",
}


@pytest.fixture
def keeper(database: Database) -> Keeper:
    """Return the portal with one open profile."""
    made = portal.keeper(database)
    made.open_profile(actor="ivr_1", investor="ivr_1", account="acc_1", kind="individual", detail=DETAIL)
    return made


@pytest.fixture
def shared_world(connect: Connect) -> World:
    """Return an offering whose investors have signed."""
    return World(connect, "spell", 1).build("signed")


def value(connection: psycopg.Connection, question: str) -> Any:  # noqa: ANN401 - any answer
    row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def verify(database: Database, connect: Connect) -> Keeper:
    """Let an officer verify the profile as it stands."""
    officer = compliance.keeper(database)
    officer.open_case(actor="officer.one", investor="ivr_1", case="kyc_1", kind="individual")
    officer.hear_identity(
        discrepancy="dsc_1",
        actor="officer.one",
        investor="ivr_1",
        outcome="approved",
        evidence_sha256=digest("e"),
        verified_digest=value(connect("owner"), "select detail_digest from portal.profile"),
        valid_until=None,
    )
    return officer


def test_no_table_no_event_and_no_error_holds_a_number_in_plain(
    keeper: Keeper, connect: Connect, database: Database
) -> None:
    owner = connect("owner")
    for (table,) in owner.execute(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind = 'r' and n.nspname in ('portal', 'audit', 'compliance', 'engine')"
    ).fetchall():
        dump = value(owner, f"select coalesce(string_agg(t::text, ' '), '') from {table} t")  # noqa: S608
        assert TAX_ID not in dump, table
        assert "1980-02-29" not in dump, table
        assert TAX_ID.encode().hex() not in dump, table
    with pytest.raises(Refused) as caught:
        keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=DETAIL | {"tax_id": "12345678"})
    assert caught.value.rule == "tax_id_is_nine_digits"
    assert "12345678" not in str(caught.value)
    with pytest.raises(Refused, match="personal_numbers_are_sealed"), database.transaction("portal") as raw:
        raw.execute("select portal.amend_profile('u', 'r', 'ivr_1', '{\"tax_id\": \"912345678\"}')")


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"tax_id": "000123456"}, "tax_id_is_nine_digits"),
        ({"tax_id": None}, "tax_id_is_nine_digits"),
        ({"birth_date": "1980-02-30"}, "birth_date_is_a_day"),
        ({"birth_date": "yesterday"}, "birth_date_is_a_day"),
        ({"birth_date": "2999-01-01"}, "birth_date_is_possible"),
        ({"birth_date": "1700-01-01"}, "birth_date_is_possible"),
        ({"legal_name": "Ada\u202e Example"}, "name_has_no_hidden_characters"),
        ({"legal_name": "12"}, "name_has_letters"),
        ({"representative": " "}, "name_has_letters"),
        ({"country": "us"}, "country_is_known"),
    ],
)
def test_what_a_form_cannot_mean_is_refused_before_it_is_sealed(
    keeper: Keeper, connect: Connect, said: dict[str, str], rule: str
) -> None:
    with pytest.raises(Refused) as caught:
        keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=DETAIL | said)
    assert caught.value.rule == rule
    assert value(connect("owner"), "select count(*)::int from portal.profile_detail") == 1


def test_a_name_is_kept_in_one_form(keeper: Keeper, connect: Connect) -> None:
    typed = DETAIL | {"legal_name": "  Ade\u0301  Example "}
    keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=typed)
    kept = "select legal_name from portal.profile_detail order by detail_version desc limit 1"
    assert value(connect("owner"), kept) == "Ad\u00e9 Example"


def test_profiles_of_a_batch_are_sealed_each_under_its_own_key(keeper: Keeper, connect: Connect) -> None:
    people = [
        {"actor": f"ivr_{n}", "investor": f"ivr_{n}", "account": f"acc_{n}", "kind": "individual"}
        | {"detail": DETAIL | {"tax_id": f"91234567{n}"}}
        for n in range(2, 7)
    ]
    with keeper.together() as within:
        within.in_order([within.open_profile.step(**people[0]), within.open_profile.step(**people[1])])
    assert list(keeper.open_profile.each(people[2:], at_once=2)) == ["", "", ""]
    for person in people:
        opened = reveal(keeper, person["investor"], 1, actor="officer.one", purpose="tax form")
        assert opened["tax_id"] == person["detail"]["tax_id"]
    assert value(connect("owner"), "select count(distinct wrapped)::int from portal.data_key") == 6


def test_one_impossible_profile_undoes_its_batch_with_its_keys(keeper: Keeper, connect: Connect) -> None:
    people = [
        {"actor": "u", "investor": f"ivr_{n}", "account": f"acc_{n}", "kind": "individual"}
        | {"detail": DETAIL | {"tax_id": tax_id}}
        for n, tax_id in ((2, TAX_ID), (3, "1"))
    ]
    with pytest.raises(Refused, match="tax_id_is_nine_digits"):
        list(keeper.open_profile.each(people))
    assert value(connect("owner"), "select array_agg(investor_id) from portal.data_key") == ["ivr_1"]


def test_equal_tax_ids_are_found_without_opening_them(keeper: Keeper, connect: Connect) -> None:
    other = DETAIL | {"birth_date": "1990-01-01"}
    keeper.open_profile(actor="ivr_2", investor="ivr_2", account="acc_2", kind="individual", detail=other)
    question = "select count(distinct {})::int from portal.profile_detail"
    assert value(connect("owner"), question.format("tax_id_blind")) == 1
    assert value(connect("owner"), question.format("sealed")) == 2


def test_a_view_opens_the_numbers_and_is_an_event(keeper: Keeper, connect: Connect) -> None:
    assert reveal(keeper, "ivr_1", 1, actor="officer.one", purpose="tax form") == {
        "tax_id": TAX_ID,
        "birth_date": "1980-02-29",
    }
    seen = connect("owner").execute("select actor from audit.event where kind = 'personal_view.viewed'")
    assert seen.fetchall() == [("officer.one",)]
    with pytest.raises(Refused, match="view_says_its_purpose"):
        reveal(keeper, "ivr_1", 1, actor="officer.one", purpose=" ")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("portal").execute("select wrapped from portal.data_key")


def test_verified_fields_change_by_two_people_and_run_their_checks_again(
    keeper: Keeper, database: Database, connect: Connect
) -> None:
    verify(database, connect)
    keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=DETAIL | {"email": "new@example.test"})
    owner = connect("owner")
    owner.execute("select 1")
    verified = value(owner, "select detail_digest from portal.profile")
    compliance.keeper(database).hear_identity(
        discrepancy="dsc_1",
        actor="officer.one",
        investor="ivr_1",
        outcome="approved",
        evidence_sha256=digest("e"),
        verified_digest=verified,
        valid_until=None,
    )
    renamed = DETAIL | {"legal_name": "Ada Exemple"}
    for changed in ({"legal_name": "Ada Exemple"}, {"address": "2 Other Street"}, {"tax_id": "912345679"}):
        with pytest.raises(Refused, match="verified_fields_are_locked"):
            keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=DETAIL | changed)
    asked = {"investor": "ivr_1", "change": "chg_1"}
    keeper.request_change(
        actor="ivr_1", **asked, detail=renamed, because="as in the passport", evidence_sha256=digest("p")
    )
    under = compliance.keeper(database).programme_in_force()
    answer = {"is_approved": True, "because": "seen", "programme": under}
    with pytest.raises(Refused, match="change_needs_two_people"):
        keeper.decide_change(actor="ivr_1", **asked, **answer, seen=1)
    with pytest.raises(Refused, match="decision_is_on_the_version_seen"):
        keeper.decide_change(actor="officer.two", **asked, **answer, seen=2)
    with pytest.raises(Refused, match="decision_is_under_the_programme_in_force"):
        keeper.decide_change(actor="officer.two", **asked, **answer | {"programme": "prg_before"}, seen=1)
    keeper.decide_change(actor="officer.two", **asked, **answer, seen=1)
    decided = owner.execute("select item_id, decided_by from compliance.decision").fetchall()
    assert decided == [("chg_1", "officer.two")]
    Process(Desk(database)).drain()
    assert value(owner, "select status from compliance.kyc_case") == "in_review"
    assert value(owner, "select touched from portal.profile_change") == ["legal_name"]
    names = owner.execute("select legal_name from portal.profile_detail order by detail_version").fetchall()
    assert names == [("Ada Example",), ("Ada Example",), ("Ada Exemple",)]


def test_two_spellings_in_agreement_and_identity_are_named(shared_world: World) -> None:
    world, ivr = shared_world, shared_world.id("ivr", 1)
    officer = world.login("compliance")
    assert officer.execute("select * from portal.spelling_difference").fetchall() == []
    renamed = attack_world.DETAIL | {"legal_name": "Example-Person"}
    world.call("portal.request_change", ivr, "chg_s", renamed, "as in the passport", digest("p"))
    under = value(officer, "select compliance.programme_in_force()")
    world.call("portal.decide_change", ivr, "chg_s", "true", "seen", 1, under, actor="officer.two")
    row = (
        world.login("portal")
        .execute("select detail_digest from portal.profile where investor_id = %s", [ivr])
        .fetchone()
    )
    assert row is not None
    world.call("compliance.record_identity", ivr, "approved", digest("e"), row[0], None)
    found = officer.execute(
        "select verified_name, agreed_name, kind from portal.spelling_difference"
    ).fetchall()
    assert found == [("Example-Person", "Example Person", "punctuation")]


def test_erasure_waits_for_retention_then_leaves_nothing_to_open(
    keeper: Keeper, database: Database, connect: Connect
) -> None:
    erase = "select portal.erase_personal('officer.one', 'req_1', '{}', 'asked for by the person')"
    keeper.open_profile(actor="ivr_2", investor="ivr_2", account="a", kind="individual", detail=DETAIL)
    verify(database, connect)
    with (
        pytest.raises(Refused, match="retention_allows_erasure: a rule keeps the record"),
        database.transaction("portal") as raw,
    ):
        raw.execute(erase.format("ivr_1").encode())
    with database.transaction("portal") as raw:
        raw.execute(erase.format("ivr_2").encode())
    with pytest.raises(Refused, match="personal_data_is_not_erased"):
        reveal(keeper, "ivr_2", 1, actor="officer.one", purpose="tax form")
    with pytest.raises(Refused, match="personal_data_is_not_erased"):
        keeper.amend_profile(actor="ivr_2", investor="ivr_2", detail=DETAIL)


def test_a_file_is_sealed_and_each_view_of_it_is_an_event(database: Database, connect: Connect) -> None:
    officer, content = compliance.keeper(database), b"%PDF-1.7 the passport of Ada Example"
    digest_of = keep_file(officer, "ivr_9", content, actor="officer.one")
    assert keep_file(officer, "ivr_9", content, actor="officer.one") == digest_of
    owner = connect("owner")
    assert value(owner, "select count(*) from compliance.sealed_file") == 1
    assert content not in value(owner, "select sealed from compliance.sealed_file")
    seen = {"actor": "officer.two", "purpose": "a question of the examiner"}
    assert view_file(officer, "ivr_9", digest_of, **seen) == content
    assert value(owner, "select actor from audit.event where kind = 'file_view.viewed'") == "officer.two"
    with pytest.raises(Refused, match="viewed_file_exists"):
        view_file(officer, "ivr_9", digest("other"), **seen)
    with pytest.raises(Refused, match="kept_file_has_content"):
        keep_file(officer, "ivr_9", b"", actor="officer.one")
    with pytest.raises(Refused, match="kept_file_fits_the_limit"):
        keep_file(officer, "ivr_9", bytes(27_000_000), actor="officer.one")
    with database.transaction("compliance") as raw:
        raw.execute("select compliance.erase_files('officer.one', 'req_1', 'ivr_9', 'asked for')")
    with pytest.raises(Refused, match="personal_data_is_not_erased"):
        view_file(officer, "ivr_9", digest_of, **seen)
    assert verify_history(database).ok


class TestVault:
    """The vault by itself."""

    vault = Vault(b"m" * 32)

    def test_it_opens_what_it_sealed(self) -> None:
        key = self.vault.new_key("ivr_1")
        sealed = self.vault.seal(key, "ivr_1", "here", b"text")
        assert self.vault.open(key, "ivr_1", "here", sealed) == b"text"
        assert sealed != self.vault.seal(key, "ivr_1", "here", b"text")
        assert b"m" * 8 not in repr(self.vault).encode()

    @pytest.mark.parametrize(
        "attack",
        ["another context", "another owner", "another key", "a changed bit", "cut short", "another master"],
    )
    def test_it_refuses(self, attack: str) -> None:
        key, other = self.vault.new_key("ivr_1"), self.vault.new_key("ivr_1")
        sealed = self.vault.seal(key, "ivr_1", "here", b"text")
        vault = Vault(b"n" * 32) if attack == "another master" else self.vault
        if attack == "a changed bit":
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        with pytest.raises(Refused, match="sealed_text_opens_in_its_context"):
            vault.open(
                other if attack == "another key" else key,
                "ivr_2" if attack == "another owner" else "ivr_1",
                "there" if attack == "another context" else "here",
                sealed[:5] if attack == "cut short" else sealed,
            )

    def test_a_short_master_key_is_refused(self) -> None:
        with pytest.raises(Refused, match="master_key_is_long_enough"):
            Vault(b"short")

    def test_a_blind_index_belongs_to_its_field_and_master(self) -> None:
        mine = self.vault.blind("tax_id", "1")
        assert mine == self.vault.blind("tax_id", "1")
        assert mine not in {
            self.vault.blind("tax_id", "2"),
            self.vault.blind("birth_date", "1"),
            Vault(b"n" * 32).blind("tax_id", "1"),
        }


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"tax_id_kind": "ssn", "tax_id": "000-12-3456"}, "tax_id_is_ssn"),
        ({"tax_id_kind": "itin", "tax_id": "123-45-6788"}, "tax_id_is_itin"),
        ({"tax_id_kind": "ein", "tax_id": "07-1234567"}, "tax_id_is_ein"),
        ({"tax_id_kind": "passport"}, "tax_id_kind_is_known"),
        ({"tax_id_kind": "ssn", "tax_id": None}, "tax_id_is_ssn"),
        ({"lei": "5493001KJTIIGC8Y1R13"}, "lei_has_its_check_digits"),
    ],
)
def test_a_number_that_nobody_issued_is_refused(keeper: Keeper, said: dict[str, str], rule: str) -> None:
    with pytest.raises(Refused) as caught:
        keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=DETAIL | said)
    assert caught.value.rule == rule


def test_a_number_is_kept_in_one_form_and_an_lei_is_locked_once_verified(
    keeper: Keeper, connect: Connect, database: Database
) -> None:
    said = {"tax_id_kind": "ein", "tax_id": "91-1144442", "lei": "5493001KJTIIGC8Y1R12"}
    keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=DETAIL | said)
    assert reveal(keeper, "ivr_1", 2, actor="officer.one", purpose="a form")["tax_id"] == "911144442"
    verify(database, connect)
    other = DETAIL | said | {"lei": "INR2EJN1ERAN0W5ZP974"}
    with pytest.raises(Refused) as caught:
        keeper.amend_profile(actor="ivr_1", investor="ivr_1", detail=other)
    assert caught.value.rule == "verified_fields_are_locked"
    assert "locked as verified: lei" in str(caught.value)


def test_both_sides_of_a_change_are_seen_by_a_view_that_is_an_event(keeper: Keeper, connect: Connect) -> None:
    keeper.request_change(
        actor="ivr_1",
        investor="ivr_1",
        change="chg_1",
        detail=DETAIL | {"legal_name": "Ada Exemple", "birth_date": "1981-02-28"},
        because="as in the passport",
        evidence_sha256=digest("p"),
    )
    owner = connect("owner")
    assert value(owner, "select fields from portal.change_fact") == ["legal_name", "birth_date"]
    seen = reveal_change(keeper, "ivr_1", "chg_1", actor="officer.one", purpose="to decide")
    assert seen == [
        ("legal_name", "Ada Example", "Ada Exemple"),
        ("birth_date", "1980-02-29", "1981-02-28"),
    ]
    shown = reveal_profile(keeper, "ivr_1", 1, actor="officer.two", purpose="to compare")
    assert shown == DETAIL
    views = "select actor from audit.event where kind = 'personal_view.viewed' order by recorded_at"
    assert owner.execute(views.encode()).fetchall() == [("officer.one",), ("officer.two",)]
    with pytest.raises(Refused, match="view_says_its_purpose"):
        reveal_change(keeper, "ivr_1", "chg_1", actor="officer.one", purpose=" ")
    with pytest.raises(Refused, match="viewed_version_exists"):
        reveal_profile(keeper, "ivr_1", 9, actor="officer.one", purpose="to compare")
