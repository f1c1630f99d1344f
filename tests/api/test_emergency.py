"""Break-glass: two people, a reason and an end; it ends keys and gives nothing else."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from bookrunner.api import Emergencies, issue, listed
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, as_told, problem
from tests.attack.world import Connect
from tests.patience import PATIENT

UNITS = "/v1/offers/ofr_one/units"


def refused(act: object) -> str:
    """Return the rule that refuses an act."""
    with pytest.raises(Refused) as fault:
        act()  # type: ignore[operator]
    return fault.value.rule


def test_two_people_end_the_keys_of_one_keeper_and_everybody_sees_it(calls: Api, database: Database) -> None:
    desk = Emergencies(database)
    emergency = desk.ask("portal", "a key of the portal leaked", 30, actor="key:usr_one")
    assert as_told(httpx.get(f"{calls.url}/readyz", timeout=PATIENT)).json()["emergencies"] == 0
    assert calls.get(UNITS, "portal").status_code == 200
    for actor in ("usr_one", "key:usr_one"):
        assert refused(lambda actor=actor: desk.grant(emergency, actor=actor)) == "emergency_needs_two_people"
    assert refused(lambda: desk.end_keys(emergency, actor="usr_two")) == "emergency_is_in_force"
    desk.grant(emergency, actor="usr_two")
    assert as_told(httpx.get(f"{calls.url}/readyz", timeout=PATIENT)).json()["emergencies"] == 1
    assert "bookrunner_emergencies_open 1.0" in calls.get("/metrics", "audit").text
    assert refused(lambda: desk.end_keys(emergency, actor="usr_three")) == "emergency_is_used_by_its_two"
    assert desk.end_keys(emergency, actor="usr_one") == 1
    assert problem(calls.get(UNITS, "portal"))["code"] == "credential_is_in_force"
    assert calls.get(UNITS).status_code == 200
    assert desk.end_keys(emergency, actor="usr_one") == 0
    desk.end(emergency, actor="usr_two")
    assert refused(lambda: desk.end_keys(emergency, actor="usr_one")) == "emergency_is_in_force"
    assert as_told(httpx.get(f"{calls.url}/readyz", timeout=PATIENT)).json()["emergencies"] == 0
    told = [f"emergency.{each}" for each in ("asked", "granted", "keys_ended", "keys_ended", "ended")]
    assert calls.events(emergency) == told
    kept = calls.world.login("owner").execute(
        "select count(*) from audit.event where canonical like '%%leaked%%'"
    )
    assert kept.fetchone() == (0,)


@pytest.mark.parametrize(
    ("keeper", "reason", "minutes", "rule"),
    [
        ("portal", " ", 30, "emergency_has_a_reason"),
        ("owner", "because", 30, "emergency_is_about_a_keeper"),
        ("portal", "because", 241, "emergency_lasts_four_hours_at_most"),
        ("portal", "because", 0, "emergency_lasts_four_hours_at_most"),
    ],
)
def test_an_emergency_has_a_keeper_a_reason_and_a_short_end(
    database: Database, *, keeper: str, reason: str, minutes: int, rule: str
) -> None:
    assert refused(lambda: Emergencies(database).ask(keeper, reason, minutes, actor="usr_one")) == rule


def test_an_emergency_that_has_run_out_gives_nothing(endpoint: Endpoint, connect: Connect) -> None:
    issue(endpoint, "portal-one", "portal", actor="usr_admin")
    engine = connect("engine")
    engine.execute("select engine.ask_emergency('usr_one', 'req_1', 'emg_1', 'portal', 'because', 1)")
    engine.execute("select engine.grant_emergency('usr_two', 'req_2', 'emg_1')")
    owner = connect("owner")
    owner.execute("alter table engine.emergency disable trigger zz_guard")
    owner.execute("update engine.emergency set asked_at = asked_at - interval '1 hour', ends_at = asked_at")
    owner.execute("alter table engine.emergency enable always trigger zz_guard")
    with pytest.raises(psycopg.Error) as fault:
        engine.execute("select engine.end_keys('usr_one', 'req_3', 'emg_1')")
    assert fault.value.diag.constraint_name == "emergency_is_in_force"
    assert engine.execute("select count(*) from engine.standing_emergency").fetchone() == (0,)
    assert listed(endpoint)[0]["revoked_at"] is None


@pytest.mark.parametrize(
    "statement",
    [
        "select engine.end_keys('usr_one', 'req_1', 'emg_1')",
        "select engine.grant_emergency('usr_two', 'req_2', 'emg_1')",
        "insert into api.revoked_key (name, revoked_by) values ('portal-one', 'usr_thief')",
        "insert into api.key (name) values ('mine')",
        "update engine.emergency set ends_at = ends_at + interval '1 year'",
    ],
)
def test_an_emergency_widens_no_login(endpoint: Endpoint, connect: Connect, statement: str) -> None:
    issue(endpoint, "portal-one", "portal", actor="usr_admin")
    engine = connect("engine")
    engine.execute("select engine.ask_emergency('usr_one', 'req_1', 'emg_1', 'portal', 'because', 60)")
    engine.execute("select engine.grant_emergency('usr_two', 'req_2', 'emg_1')")
    logins = ["portal", "compliance", "treasury", "registry", "audit"]
    if not statement.startswith("select"):
        logins.append("engine")
    for login in logins:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(login).execute(statement)
