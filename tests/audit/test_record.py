"""Any record at any past moment: changed ten times through the API, all eleven versions are made again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from bookrunner.api import api
from bookrunner.app.records import look
from bookrunner.audit import verify_history
from bookrunner.audit.record import History, Version, history_of, look_at
from bookrunner.books import portal
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.db import Database, Endpoint, Within, load
from tests.api.conftest import Api, problem
from tests.attack.world import Connect, World
from tests.pages.officers import Work
from tests.pages.world import World as PageWorld
from tests.serving import serving

HOOKS = "/v1/webhooks/endpoints"
TIMES = 10
DETAIL = {
    "legal_name": "Quentin Quillfeather",
    "country": "US",
    "address": "17 Lantern Lane, Springfield",
    "tax_id": "987654321",
    "birth_date": "1971-02-03",
    "email": "quentin@example.test",
}


@pytest.fixture
def calls(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API over an offer."""
    world = World(connect).build("allocated")
    with serving(api(database)) as url:
        yield Api(url, endpoint, world)


def history(database: Database, record: str) -> History:
    """Make a record again under the login of the auditors."""
    with database.transaction("audit") as transaction:
        return history_of(Within(transaction, load("bookrunner.audit.record")), record)


def asked(calls: Api, record: str, **said: object) -> dict[str, Any]:
    """Return a record as an auditor reads it over the API."""
    query = "&".join(f"{name}={value}" for name, value in said.items())
    answer = calls.get(f"/v1/records/{record}?{query}", "audit")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_record_that_was_changed_ten_times_yields_eleven_versions(calls: Api) -> None:
    body = {"url": "https://hooks.example.org/in", "kinds": ["investment.confirmed"]}
    made = calls.post(HOOKS, body, name="ada").json()
    path = f"{HOOKS}/{made['id']}"
    seen = [calls.get(path).json()]
    actors = ["key:ada"]
    for number in range(TIMES):
        act, said = ("enablements", None) if number % 2 else ("disablements", {"because": f"move {number}"})
        who = ("ada", "ben", "cleo")[number % 3]
        answer = calls.post(f"{path}/{act}", said, name=who, seen=f'"{seen[-1]["version"]}"')
        assert answer.status_code == 200, answer.text
        seen.append(calls.get(path).json())
        actors.append(f"key:{who}")
    now = asked(calls, made["id"])
    told = now["versions"]
    assert (now["version"], len(told), now["machine"]) == (TIMES + 1, TIMES + 1, "webhook_endpoint")
    assert [each["actor"] for each in told] == actors
    assert [each["recorded_at"] for each in told] == sorted(each["recorded_at"] for each in told)
    assert len({each["request"] for each in told}) == TIMES + 1
    for number, was in enumerate(seen, start=1):
        then = asked(calls, made["id"], version=number)
        at = asked(calls, made["id"], at=told[number - 1]["recorded_at"])
        assert then["fields"] == at["fields"]
        assert then["fields"]["status"] == was["status"]
        assert then["fields"].get("disabled_because") == was.get("disabled_because")
        assert (then["version"], str(at["version"])) == (number, was["version"])
    assert told[1]["changed"]["status"] == {"before": "enabled", "after": "disabled"}
    assert "url" in now["withheld"]
    assert "hooks.example.org" not in str(now)


def test_a_profile_that_was_changed_ten_times_shows_each_version_on_record(
    calls: Api, database: Database, connect: Connect
) -> None:
    body = {"account": "acc_1", "kind": "individual", "detail": DETAIL}
    investor = calls.post("/v1/investors", body, keeper="portal").json()["id"]
    emails = [DETAIL["email"]]
    for number in range(TIMES):
        emails.append(f"q{number}@example.test")
        seen = f'"{calls.get(f"/v1/investors/{investor}", "portal").json()["version"]}"'
        changed = {"detail": DETAIL | {"email": emails[-1]}}
        answer = calls.post(f"/v1/investors/{investor}/versions", changed, keeper="portal", seen=seen)
        assert answer.status_code == 200, answer.text
    versions = history(database, investor).versions
    versions = [each for each in versions if "detail_version" in each.changed]
    assert [each.fields["detail_version"] for each in versions] == list(range(1, TIMES + 2))
    assert len({each.fields["detail_digest"] for each in versions}) == TIMES + 1
    for each, email in zip(versions, emails, strict=True):
        looked = look(database, investor, each.recorded_at, actor="usr_aud", purpose="examination 7")
        assert looked.personal is not None
        assert looked.personal["email"] == email
        assert looked.personal["tax_id"] == DETAIL["tax_id"]
    views = (
        connect("owner").execute("select distinct viewed_by, purpose from portal.personal_view").fetchall()
    )
    assert views == [("usr_aud", "examination 7")]
    assert str(DETAIL["legal_name"]) not in str(asked(calls, investor))
    portal.keeper(database).erase_personal(
        actor="usr_x", investor=investor, because="the person asked for it"
    )
    erased = look(database, investor, versions[3].recorded_at, actor="usr_aud", purpose="examination 7")
    assert (erased.version.version, erased.personal) == (versions[3].version, {})


def test_words_outside_of_events_are_kept_before_others_take_their_place(
    calls: Api, database: Database
) -> None:
    investment = "inv_one1"
    world = calls.world
    world.call("engine.confirm", "ofr_one", investment)
    for asked_for, decided in (("first wish", "first answer"), ("second wish", "second answer")):
        world.call("engine.request_cancellation", "ofr_one", investment, asked_for, actor="ivr_one1")
        world.call("engine.decide_cancellation", "ofr_one", investment, "false", decided, actor="usr_mia")
    plain = history(database, investment)
    assert "because" in plain.withheld
    assert "first wish" not in str(plain)
    looked = look_at(database, investment, actor="usr_aud", purpose="a complaint")
    said = [looked.words_at(each.version)["because"].said for each in looked.versions[-5:]]
    assert said == [None, "first wish", "first answer", "second wish", "second answer"]


def test_what_an_erasure_took_is_told_as_erased(connect: Connect) -> None:
    owner = connect("owner")
    owner.execute(
        "create table audit.sample"
        " (id text, scope text, status text, version bigint, chain_head bytea, said text)"
    )
    owner.execute("call audit.tell('audit.sample', 'id', 'scope', '{said}')")
    owner.execute("call audit.keep_words('audit.sample', 'erased', 'said')")
    owner.execute("insert into audit.sample values ('x', 's', 'new', 1, '', null)")
    for words in ("private words", ""):
        owner.execute("update audit.sample set version = version + 1, said = %s", [words])
    rows = owner.execute("select version, said, is_erased from audit.replaced order by 1").fetchall()
    assert rows == [(1, None, False), (2, None, True)]


def test_every_record_is_made_again_as_its_row_stands(application: Any, connect: Connect) -> None:  # noqa: ANN401
    PageWorld(application).build()
    Work(application.database).all()
    admin = connect("admin")
    tables = admin.execute(
        "select machine, target::text, id_column, scope_column, withheld from audit.kept_table"
    ).fetchall()
    computed = dict(
        admin.execute(
            "select attrelid::regclass::text, array_agg(attname::text) from pg_attribute"
            " where attgenerated <> '' group by 1"
        ).fetchall()
    )
    compared = 0
    for _, target, id_column, scope_column, withheld in tables:
        names = sql.Identifier(*target.split("."))
        for (row,) in admin.execute(sql.SQL("select to_jsonb(r) from {} r").format(names)).fetchall():
            found = history(application.database, f"{row[scope_column]}/{row[id_column]}")
            left_out = {"version", "chain_head", *withheld, *computed.get(target, ())}
            stands = {n: v for n, v in row.items() if n not in left_out and v is not None}
            made = {n: v for n, v in found.versions[-1].fields.items() if v is not None}
            assert made.keys() == stands.keys(), target
            assert {n: v for n, v in made.items() if not _is_moment(v)} == {
                n: v for n, v in stands.items() if not _is_moment(made[n])
            }, target
            assert row["version"] == len(found.versions)
            compared += 1
    assert compared > 80
    assert len({machine for machine, *_ in tables}) > 90
    assert verify_history(application.database).ok


def _is_moment(value: object) -> bool:
    """Whether a text is a moment, which rows write with another zone than events."""
    try:
        return isinstance(value, str) and "T" in value and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def test_a_late_fact_is_told_from_what_was_known(database: Database, connect: Connect) -> None:
    world = World(connect).build("allocated")
    engine = world.login("engine")
    with engine.transaction():
        engine.execute("select audit.because(null, clock_timestamp() - interval '3 days')")
        engine.execute("select engine.open_offer('usr_1', 'req_1', 'ofr_late', %s)", [Jsonb(_terms(engine))])
    found = history(database, "ofr_late")
    first = found.versions[0]
    assert (first.recorded_at - first.occurred_at).days >= 2
    between = first.occurred_at + (first.recorded_at - first.occurred_at) / 2
    assert found.at(between) is None
    assert [each.version for each in found.late(between)][:1] == [1]
    assert found.late(found.versions[-1].recorded_at) == []


def _terms(engine: psycopg.Connection) -> dict[str, Any]:
    row = engine.execute("select to_jsonb(o) from engine.offer o limit 1").fetchone()
    assert row is not None
    names = ["issuer_id", "name", "exemption", "currency", "unit_price_minor", "units_total", "minimum_units"]
    return {name: row[0][name] for name in names}


def test_what_cannot_be_made_again_is_refused(calls: Api, database: Database) -> None:
    with pytest.raises(UnknownRecord, match="record_exists"):
        history(database, "ofr_none")
    assert problem(calls.get("/v1/records/ofr_none", "audit"))["code"] == "record_exists"
    early = calls.get("/v1/records/ofr_one?at=2001-01-01T00:00:00Z", "audit")
    assert (early.status_code, early.json()["code"]) == (404, "record_exists")
    beyond = calls.get("/v1/records/ofr_one?version=999", "audit")
    assert (beyond.status_code, beyond.json()["code"]) == (404, "version_exists")
    with pytest.raises(Refused, match="view_says_its_purpose"):
        look_at(database, "ofr_one", actor="usr_aud", purpose=" ")


ATTACKS = [
    ("audit", "insert into audit.replaced values ('s', 'x', 1, 'n', 'null', false)", "42501"),
    ("owner", "insert into audit.replaced values ('s', 'x', 1, 'n', 'null', false)", "BR003"),
    ("audit", "insert into audit.record_view values ('s', 'v', 'viewed', 'r', 'u', 'p', 1, '')", "42501"),
    ("engine", "select audit.look_at_record('u', 'r', 'ofr_one', 'ofr_one', 'v', 'p')", "42501"),
    ("audit", "select audit.look_at_record('', 'r', 'ofr_one', 'ofr_one', 'v', 'p')", "BR001"),
    ("owner", "select audit.look_at_record('u', 'r', 'ofr_one', 'ofr_one', 'v', 'p')", "BR002"),
    ("owner", "truncate audit.replaced", "BR003"),
    ("owner", "delete from audit.record_view", "ok"),
]


@pytest.mark.parametrize(("login", "attack", "code"), ATTACKS)
def test_looks_and_words_stand(connect: Connect, login: str, attack: str, code: str) -> None:
    World(connect).build("allocated")
    if code == "ok":
        connect("audit").execute("select audit.look_at_record('u', 'r', 'ofr_one', 'ofr_one', 'v', 'p')")
        code = "BR003"
    with pytest.raises(psycopg.Error) as caught:
        connect(login).execute(attack.encode())
    assert caught.value.sqlstate == code


def test_no_secret_is_handed_out(application: Any, connect: Connect) -> None:  # noqa: ANN401
    PageWorld(application).build()
    rows = connect("owner").execute("select key_id, wrapped from portal.data_key").fetchall()
    assert rows
    for key, wrapped in rows:
        looked = look_at(application.database, key, actor="usr_aud", purpose="examination")
        assert (looked.machine, list(looked.withheld), list(looked.words)) == ("data_key", ["wrapped"], [])
        assert wrapped.hex() not in str(looked)


def test_versions_are_counted_from_one(database: Database, connect: Connect) -> None:
    World(connect).build("allocated")
    found = history(database, "ofr_one")
    assert isinstance(found.numbered(1), Version)
    for number in (0, len(found.versions) + 1):
        with pytest.raises(UnknownRecord, match="version_exists"):
            found.numbered(number)
