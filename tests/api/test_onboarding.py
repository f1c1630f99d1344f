"""An investor is onboarded by calls alone: profile, case, papers, decisions, clearance; what is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from bookrunner.adapters.screening import EntryKind
from bookrunner.adapters.vault import Vault
from bookrunner.api import api
from bookrunner.audit import advance_feed, verify_history
from bookrunner.books import compliance
from bookrunner.core.credentials import read_key
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import Connect, World, digest
from tests.compliance.screened import LISTED, Book, whole
from tests.pages.officers import blank_paper
from tests.serving import serving

ANA, BEN = "officer.ana", "officer.ben"
DETAIL = {
    "legal_name": "Quentin Quillfeather",
    "country": "US",
    "address": "17 Lantern Lane, Springfield",
    "tax_id": "987654321",
    "birth_date": "1971-02-03",
    "email": "quentin@example.test",
}
SECRETS = ("Quillfeather", "Lantern", "987654321", "1971-02-03", "quentin@")
ELEMENTS = ["address", "birth_date", "identification_number", "name"]
BECAUSE = "passport and bill were seen"


@pytest.fixture
def desk(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API over a published offer, with one sanctions list in force."""
    world = World(connect)
    world.published()
    Book(database).take(whole())
    with serving(api(database)) as url:
        yield Api(url, endpoint, world)


def opened(calls: Api, kind: str = "individual", **changed: object) -> str:
    """Open a profile and its case, and return the investor."""
    body = {"account": "acc_1", "kind": kind, "detail": DETAIL | changed}
    answer = calls.post("/v1/investors", body, keeper="portal")
    assert answer.status_code == 201, answer.text
    investor: str = answer.json()["id"]
    case = calls.post(f"/v1/investors/{investor}/case", {}, keeper="compliance", name=ANA)
    assert (case.status_code, case.json()["status"]) == (201, "pending")
    return investor


def case_of(calls: Api, investor: str) -> dict[str, Any]:
    """Return the case of an investor as an officer reads it."""
    found: dict[str, Any] = calls.get(f"/v1/investors/{investor}/case", "compliance").json()
    return found


def put(calls: Api, investor: str, part: str, body: object, **said: str) -> httpx.Response:
    """Write to the case of an investor as an officer."""
    given = {"keeper": "compliance", "name": ANA} | said
    return calls.post(f"/v1/investors/{investor}/{part}", body, **given)


def kept(calls: Api, investor: str) -> str:
    """Keep a paper of an investor and return its digest."""
    answer = put(calls, investor, "files", {"content": base64.b64encode(blank_paper()).decode()})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sha256"])


def in_review(calls: Api, database: Database, investor: str) -> None:
    """Let an identity provider leave the case to an officer."""
    (found,) = Book(database).desk.engine.profiles(investors=[investor])
    seen = bytes(found["detail_digest"])
    calls.world.call("compliance.record_identity", investor, "in_review", digest("report"), seen, None)


def verify(calls: Api, investor: str, **changed: object) -> httpx.Response:
    """Verify an identity from its passport on the version seen, with what is changed."""
    case = case_of(calls, investor)
    body = {
        "programme": case["programme"],
        "because": BECAUSE,
        "decision": "verified",
        "elements": ELEMENTS,
        "documents": [one["id"] for one in case["papers"]],
        "profile_sha256": case["profile_sha256"],
    }
    return put(calls, investor, "case/decisions", body | changed, seen=f'"{case["version"]}"')


def test_a_person_is_onboarded_and_cleared_by_calls_alone(desk: Api, database: Database) -> None:
    investor = opened(desk)
    cleared = desk.post(
        "/v1/offers/ofr_one/clearances", {"investor": investor}, keeper="compliance", name=ANA
    )
    lacks = cleared.json()["lacks"]
    assert {"identity_is_verified", "sanctions_are_screened", "accreditation_is_verified"} <= {*lacks}
    sha256 = kept(desk, investor)
    filed = put(desk, investor, "papers", {"code": "passport", "sha256": sha256})
    assert (filed.status_code, filed.json()["status"]) == (201, "on_file")
    in_review(desk, database, investor)
    assert verify(desk, investor).json()["status"] == "approved"
    assert case_of(desk, investor)["is_as_verified"]

    assert put(desk, investor, "accreditation", None).json()["status"] == "pending"
    case = case_of(desk, investor)
    told = {"programme": case["programme"], "because": "the reports were read", "decision": "approved"}
    asked = {"method": "net_worth", "valid_until": "2036-01-01T00:00:00Z"}
    seen = f'"{case["accreditation"]["version"]}"'
    early = put(desk, investor, "accreditation/decisions", told | asked, seen=seen)
    assert problem(early)["code"] == "accreditation_evidence_is_complete"
    wanting = put(desk, investor, "accreditation/decisions", told | {"decision": "info_required"}, seen=seen)
    assert wanting.json()["status"] == "info_required"
    needed = str(problem(early)["detail"]).partition("not on file: ")[2].split(", ")
    for kind in needed:
        added = put(desk, investor, "accreditation/evidence", {"kind": kind, "sha256": sha256})
        assert added.status_code == 201, added.text
    again = put(
        desk,
        investor,
        "accreditation/decisions",
        told | {"decision": "pending"},
        seen=wanting.headers["etag"],
    )
    approved = put(desk, investor, "accreditation/decisions", told | asked, seen=again.headers["etag"])
    assert approved.json()["status"] == "approved", approved.text
    advance_feed(database)
    Book(database).screening.drain()
    (clearance,) = case_of(desk, investor)["clearances"]
    assert (clearance["status"], clearance["lacks"]) == ("clear", [])
    assert verify_history(database).faults == ()


def test_what_a_profile_says_is_in_no_answer_and_no_event_and_is_seen_by_a_look(
    desk: Api, connect: Connect
) -> None:
    investor = opened(desk)
    shown = desk.get(f"/v1/investors/{investor}", "portal")
    assert shown.json()["given"] == sorted(DETAIL)
    everything = connect("owner").execute(
        "select coalesce(string_agg(e.canonical, ' '), '') from audit.event e"
        " union all select coalesce(string_agg(r.answer::text, ' '), '') from audit.request r"
    )
    told = shown.text + desk.get(f"/v1/investors/{investor}/case", "compliance").text
    told += "".join(text for (text,) in everything)
    assert [secret for secret in SECRETS if secret in told] == []
    clear = connect("owner").execute("select row_to_json(d)::text from portal.profile_detail d").fetchall()
    assert "987654321" not in str(clear)
    path = f"/v1/investors/{investor}/looks"
    assert problem(desk.post(path, {"purpose": " "}, keeper="compliance"))["status"] == 422
    for keeper in ("portal", "compliance"):
        look = desk.post(path, {"purpose": "to answer a letter"}, keeper=keeper)
        assert look.json()["fields"] == DETAIL
    for keeper in ("engine", "treasury"):
        assert desk.get(f"/v1/investors/{investor}", keeper).status_code == 403
        assert desk.post(path, {"purpose": "curiosity"}, keeper=keeper).status_code == 403
    views = connect("owner").execute("select viewed_by, purpose from portal.personal_view order by viewed_by")
    said = "to answer a letter"
    assert views.fetchall() == [("key:compliance-one", said), ("key:portal-one", said)]


@pytest.mark.parametrize(
    "refused",
    [
        ("tax_id_is_nine_digits", "individual", {"tax_id": "000123456"}),
        ("country_is_known", "individual", {"country": "ZZ"}),
        ("entity_names_its_representative", "entity", {}),
        ("legal_name_is_printable", "individual", {"legal_name": "  "}),
        ("request_has_the_agreed_shape", "individual", {"shoe_size": "43"}),
        ("request_has_the_agreed_shape", "ghost", {}),
    ],
)
def test_a_profile_is_refused_as_in_the_book(
    desk: Api, connect: Connect, refused: tuple[str, str, dict[str, object]]
) -> None:
    rule, kind, changed = refused
    status = 422 if rule == "request_has_the_agreed_shape" else 409
    body = {"account": "acc_1", "kind": kind, "detail": DETAIL | changed}
    answer = desk.post("/v1/investors", body, keeper="portal")
    assert answer.status_code == status, answer.text
    found = problem(answer)["code"]
    assert found == rule or (rule == "legal_name_is_printable" and "name" in str(found))
    assert [secret for secret in SECRETS if secret in answer.text] == []
    left = connect("owner").execute("select count(*) from portal.profile").fetchone()
    keys = connect("owner").execute("select count(*) from portal.data_key").fetchone()
    assert (left, keys) == ((0,), (0,))


def test_the_same_key_opens_one_profile_and_another_body_none(desk: Api) -> None:
    body = {"account": "acc_1", "kind": "individual", "detail": DETAIL}
    first, again = (desk.post("/v1/investors", body, keeper="portal", request="one") for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = {**body, "account": "acc_2"}
    refused = desk.post("/v1/investors", other, keeper="portal", request="one")
    assert problem(refused)["code"] == "request_key_has_one_body"


def test_a_decision_names_version_programme_elements_papers_and_profile(
    desk: Api, database: Database
) -> None:
    investor = opened(desk)
    sha256 = kept(desk, investor)
    put(desk, investor, "papers", {"code": "passport", "sha256": sha256})
    in_review(desk, database, investor)
    case = case_of(desk, investor)
    body = {"programme": case["programme"], "because": BECAUSE, "decision": "declined"}
    assert put(desk, investor, "case/decisions", body).status_code == 428
    stale = put(desk, investor, "case/decisions", body, seen='"1"')
    assert (stale.status_code, problem(stale)["code"]) == (412, "decision_is_on_the_version_seen")
    assert put(desk, investor, "case/decisions", body, seen='"1.2"').status_code == 412
    other = verify(desk, investor, programme="prg_" + "0" * 26)
    assert problem(other)["code"] == "decision_is_under_the_programme_in_force"
    assert problem(verify(desk, investor, elements=["name"]))["code"] == "every_identity_element_is_verified"
    stranger = verify(desk, investor, documents=["doc_stranger"])
    assert problem(stranger)["code"] == "verifying_documents_are_on_file"
    assert case_of(desk, investor)["version"] == case["version"]
    # What was written for a decision that was refused is kept nowhere.
    files = desk.world.login("owner").execute("select encode(sha256, 'hex') from compliance.sealed_file")
    assert files.fetchall() == [(sha256,)]
    assert verify(desk, investor, decision="declined").json()["status"] == "declined"
    reviewed = put(desk, investor, "papers", {"code": "passport", "sha256": "00" * 32})
    assert problem(reviewed)["code"] == "named_file_is_kept"
    torn = put(desk, investor, "files", {"content": base64.b64encode(b"%PDF-1.7 torn").decode()})
    assert problem(torn)["code"] == "upload_starts_and_ends_as_pdf"


def test_a_paper_is_asked_for_again_with_a_reason(desk: Api) -> None:
    investor = opened(desk)
    put(desk, investor, "papers", {"code": "passport", "sha256": kept(desk, investor)})
    case = case_of(desk, investor)
    (on_file,) = case["papers"]
    body = {"programme": case["programme"], "because": "the picture is unreadable"}
    path, seen = f"papers/{on_file['id']}/rejections", f'"{on_file["version"]}"'
    assert put(desk, investor, path, body, seen=seen).json()["status"] == "rejected"
    assert put(desk, investor, path, body, seen=seen).status_code == 412


def test_a_match_is_confirmed_by_two_officers(desk: Api, database: Database) -> None:
    investor = opened(desk, legal_name=LISTED)
    advance_feed(database)
    Book(database).screening.drain()
    case = case_of(desk, investor)
    hit = next(one for one in case["hits"] if one["subject"] == investor)
    path = f"/v1/screenings/{investor}/hits/{hit['id']}/decisions"
    body = {"programme": case["programme"], "because": "name and birth date agree", "decision": "confirmed"}
    proposed = desk.post(path, body, keeper="compliance", name=ANA, seen=f'"{hit["version"]}"')
    assert proposed.json()["status"] == "proposed"
    seen = proposed.headers["etag"]
    agreed = body | {"decision": "agreed"}
    alone = desk.post(path, agreed, keeper="compliance", name=ANA, seen=seen)
    assert (alone.status_code, problem(alone)["code"]) == (409, "weighty_hit_needs_two_people")
    second = desk.post(path, agreed, keeper="compliance", name=BEN, seen=seen)
    assert second.json()["status"] == "confirmed"


def test_a_verified_profile_changes_by_request_and_another_person(desk: Api, database: Database) -> None:
    investor = opened(desk)
    path = f"/v1/investors/{investor}"
    first = desk.get(path, "portal").headers["etag"]
    moved = desk.post(
        f"{path}/versions",
        {"detail": DETAIL | {"address": "18 Lantern Lane"}},
        keeper="portal",
        seen=first,
    )
    assert moved.json()["detail_version"] == 2
    late = desk.post(f"{path}/versions", {"detail": DETAIL}, keeper="portal", seen=first)
    assert (late.status_code, problem(late)["code"]) == (412, "version_is_the_one_that_was_seen")
    put(desk, investor, "papers", {"code": "passport", "sha256": kept(desk, investor)})
    in_review(desk, database, investor)
    assert verify(desk, investor).status_code == 200
    seen = desk.get(path, "portal").headers["etag"]
    locked = desk.post(f"{path}/versions", {"detail": DETAIL}, keeper="portal", seen=seen)
    assert (locked.status_code, problem(locked)["code"]) == (409, "verified_fields_are_locked")
    asked = desk.post(
        f"{path}/changes",
        {"detail": DETAIL, "because": "moved back", "evidence_sha256": "ab" * 32},
        keeper="portal",
        seen=seen,
    )
    change = f"{path}/changes/{asked.json()['id']}"
    look = desk.post(f"{change}/looks", {"purpose": "to decide"}, keeper="compliance")
    assert [field["name"] for field in look.json()["fields"]] == ["address"]
    told = {"programme": case_of(desk, investor)["programme"], "because": "seen", "approved": True}
    decided = desk.post(
        f"{change}/decisions", told, keeper="compliance", name=ANA, seen=asked.headers["etag"]
    )
    assert decided.json()["status"] == "applied", decided.text


def test_a_digest_of_a_request_tells_nothing_of_its_body(
    desk: Api, database: Database, connect: Connect
) -> None:
    body = {"account": "acc_1", "kind": "individual", "detail": DETAIL}
    answer = desk.post("/v1/investors", body, keeper="portal", request="open-1")
    said = b"\n".join((b"POST", b"/v1/investors", b"", answer.request.content))
    question = b"select body_sha256 from audit.request where request_id = 'open-1'"
    assert connect("owner").execute(question).fetchall() == [
        (Vault.of(desk.endpoint.secrets).blind("request", said),)
    ]
    elsewhere = api(database)
    elsewhere.state.digest = partial(Vault(b"another master key of an installation").blind, "request")
    with serving(elsewhere) as url:
        other = Api(url, desk.endpoint, desk.world, desk.keys)
        again = other.post("/v1/investors", body, keeper="portal", request="open-1")
    assert problem(again)["code"] == "request_key_has_one_body"
    assert connect("owner").execute(b"select count(*) from portal.profile").fetchone() == (1,)


def test_a_person_without_a_name_and_a_day_of_no_calendar_leave_nothing(desk: Api) -> None:
    investor = opened(desk)
    party = {"name": "123", "role": "representative", "account": "acc_ana"}
    path = f"/v1/investors/{investor}/parties"
    answer = desk.post(path, party, keeper="compliance", name=ANA)
    assert problem(answer)["code"] == "name_has_letters"
    assert case_of(desk, investor)["parties"] == []
    paper = {"code": "passport", "sha256": "0" * 64, "issued_on": "2026-02-31"}
    refused = desk.post(f"/v1/investors/{investor}/papers", paper, keeper="compliance", name=ANA)
    assert refused.status_code == 422
    assert case_of(desk, investor)["papers"] == []


def test_an_entity_waits_for_papers_people_and_owners(
    desk: Api, database: Database, connect: Connect
) -> None:
    investor = opened(desk, "entity", legal_name="Harbor LLC", representative="Ana Quillfeather")
    required = {(one["what"], one["code"]) for one in case_of(desk, investor)["required"]}
    assert required == {("document", "formation"), ("party", "representative")}
    sha256 = kept(desk, investor)
    party = {"name": "Ana Quillfeather", "role": "representative", "account": "acc_ana"}
    bare = put(desk, investor, "parties", party)
    assert problem(bare)["code"] == "representative_has_recorded_authority"
    named = put(desk, investor, "parties", party | {"scope": ["certify"], "document_sha256": sha256})
    assert named.status_code == 201, named.text
    case = case_of(desk, investor)
    (found,) = case["parties"]
    told = {"programme": case["programme"], "because": "passport seen"}
    seen = f'"{found["version"]}"'
    done = put(desk, investor, f"parties/{found['id']}/verifications", told, seen=seen)
    assert done.json()["status"] == "verified"
    people = [{"id": "ana", "name": "Ana Quillfeather", "controls": True}]
    stated = {"account": "acc_ana", "people": people, "certified": True}
    shares = [{"owned": investor, "owner": "ana", "share_bp": 10_000}]
    certified = desk.post(f"/v1/investors/{investor}/ownership", stated | {"shares": shares}, keeper="portal")
    assert certified.status_code == 201, certified.text
    part = f"ownership/{certified.json()['id']}/acceptances"
    taken, again = (
        put(desk, investor, part, {"because": "read with the register"}, request="take-1") for _ in "12"
    )
    assert taken.json() == again.json()
    (owner,) = case_of(desk, investor)["owners"]
    assert {owner["id"]} == {*taken.json()["owners"].values()}
    rename(database, owner["id"])
    assert put(desk, investor, part, {"because": "read with the register"}, request="take-1").is_success
    names = b"select count(*) from compliance.particulars where subject_id = %s"
    assert connect("owner").execute(names, [owner["id"]]).fetchone() == (2,)
    verified = put(desk, investor, f"owners/{owner['id']}/verifications", told, seen=f'"{owner["version"]}"')
    assert verified.json()["status"] == "verified", verified.text
    assert owner["id"] in case_of(desk, investor)["unscreened"]


def rename(database: Database, person: str) -> None:
    """Let somebody be screened by another name from now on."""
    safe = Vault.of(database.endpoint.secrets)
    with compliance.keeper(database).together() as within:
        renamed = compliance.Particulars(EntryKind.PERSON, ("Ana Marchbanks",))
        compliance.record_particulars(within, safe, [(person, renamed)], actor=ANA)


def test_a_repeated_call_names_nobody_anew(desk: Api, database: Database, connect: Connect) -> None:
    investor = opened(desk)
    party = {"name": "Ana Quillfeather", "role": "representative", "account": "acc_ana"}
    party |= {"scope": ["certify"], "document_sha256": kept(desk, investor)}
    first = put(desk, investor, "parties", party, request="party-1")
    named = first.json()["id"]
    rename(database, named)
    question = b"select digest from compliance.particulars order by particulars_no"
    before = connect("owner").execute(question).fetchall()
    assert put(desk, investor, "parties", party, request="party-1").json() == first.json()
    assert connect("owner").execute(question).fetchall() == before
    assert len(before) == 2


def test_nobody_is_on_record_without_a_name(desk: Api, connect: Connect) -> None:
    investor = opened(desk)
    connect("owner").execute(
        b"alter table compliance.particulars add constraint nobody_is_named check (false) not valid"
    )
    party = {"name": "Ana Quillfeather", "role": "representative", "account": "acc_ana"}
    party |= {"scope": ["certify"], "document_sha256": kept(desk, investor)}
    refused = put(desk, investor, "parties", party, request="party-1")
    assert problem(refused)["code"] == "nobody_is_named"
    assert case_of(desk, investor)["parties"] == []
    connect("owner").execute(b"alter table compliance.particulars drop constraint nobody_is_named")
    again = put(desk, investor, "parties", party, request="party-1")
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)


AMEND = (
    """select api.amend_profile(%(key)s, 'late', '\\x00', %(investor)s, %(version)s, '{"legal_name": "Q"}')"""
)
CHANGE = """select api.request_profile_change(%(key)s, 'late', '\\x00', %(investor)s, %(version)s, 'chg_x',
    '{"legal_name": "Q"}', 'moved', null)"""
ERASE = "select portal.erase_personal('officer.ana', 'r', %(investor)s, 'asked for')"


@pytest.mark.parametrize("late", [AMEND, CHANGE])
def test_what_was_sealed_before_an_erasure_is_not_kept_after_it(
    desk: Api, connect: Connect, late: str
) -> None:
    investor = opened(desk)
    version = desk.get(f"/v1/investors/{investor}", "portal").headers["etag"].strip('"')
    said = {"key": read_key(desk.key("portal"))[1], "investor": investor, "version": version}
    with ThreadPoolExecutor(1) as pool:
        with connect("portal").transaction() as erasing:
            erasing.connection.execute(ERASE, said)
            asked = pool.submit(connect("portal").execute, late, said)
            while not connect("admin").execute(b"select from pg_locks where not granted").fetchall():
                wait([asked], timeout=0.02)
                assert not asked.done(), "what comes late does not wait for the erasure"
        with pytest.raises(psycopg.Error) as refused:
            asked.result(30)
    assert refused.value.diag.constraint_name == "personal_data_is_not_erased"
    left = b"select count(*) from portal.profile_detail where erased_at is null"
    assert connect("owner").execute(left).fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "select api.open_profile('\\x00', 'r', '\\x00', 'ivr_x', 'a', 'individual', '{}', 'dek', '\\x00')",
        "select api.decide_profile_change('usr_1', 'r', '\\x00', 'ivr_x', 'chg_x', '1', 'p', true, 'b')",
        "update compliance.kyc_case set status = 'approved'",
        "insert into portal.profile_change select * from portal.profile_change",
    ],
)
@pytest.mark.parametrize("login", ["compliance", "engine"])
def test_no_other_login_opens_profiles_or_types_a_clearance_in(
    connect: Connect, login: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(login).execute(statement.encode())
