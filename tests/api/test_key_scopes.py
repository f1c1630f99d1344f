"""A key calls what its scope leaves: actions, offers, tiers of personal data, networks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import httpx
import psycopg
import pytest

from bookrunner.api import Scope, issue, listed, revoke
from bookrunner.core.credentials import digest
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from tests.api.conftest import Api, as_told, problem
from tests.attack.world import Connect, World
from tests.patience import PATIENT

READS = "/v1/offers/ofr_one/units"


def scoped(calls: Api, scope: Scope, keeper: str = "engine") -> dict[str, str]:
    """Return the header of a new key with a scope."""
    name = f"scoped-{len(listed(calls.endpoint))}"
    key = issue(calls.endpoint, name, keeper, actor="usr_admin", scope=scope)
    return {"Authorization": f"Bearer {key}"}


def code(answer: httpx.Response) -> str:
    """Return the broken rule of an answer, or its status."""
    as_told(answer)
    return str(problem(answer)["code"]) if answer.is_error else str(answer.status_code)


TABLE: list[tuple[Scope, str, str]] = [
    (Scope(actions=["get_units"]), READS, "200"),
    (Scope(actions=["allocation"]), READS, "200"),
    (Scope(actions=["read"]), READS, "200"),
    (Scope(actions=["act"]), READS, "key_has_this_action"),
    (Scope(actions=["offers", "get_investment"]), READS, "key_has_this_action"),
    (Scope(offers=["ofr_one"]), READS, "200"),
    (Scope(offers=["ofr_one"]), "/v1/investments?offer=ofr_one", "200"),
    (Scope(offers=["ofr_one"]), "/v1/investments/inv_one1", "200"),
    (Scope(offers=["ofr_one"]), "/v1/agreements/agr_one1", "200"),
    (Scope(offers=["ofr_one"]), "/v1/offers/ofr_two/units", "key_reaches_this_offer"),
    (Scope(offers=["ofr_one"]), "/v1/investments/inv_two1", "key_reaches_this_offer"),
    (Scope(offers=["ofr_one"]), "/v1/investments/inv_none", "key_reaches_this_offer"),
    (Scope(offers=["ofr_one"]), "/v1/agreements/agr_two1", "key_reaches_this_offer"),
    (Scope(offers=["ofr_one"]), "/v1/investments?offer=ofr_two", "key_reaches_this_offer"),
    (
        Scope(offers=["ofr_one"]),
        "/v1/investments?offer=ofr_one&offer=ofr_two",
        "key_reaches_this_offer",
    ),
    (Scope(offers=["ofr_one"]), "/v1/offers", "key_reaches_this_offer"),
    (Scope(offers=["ofr_one"]), "/v1/events", "key_reaches_this_offer"),
    *(
        (Scope(offers=["ofr_one"]), f"{path}?offer=ofr_one", "key_reaches_this_offer")
        for path in (
            "/v1/offers",
            "/v1/events",
            "/v1/events/stream",
            "/v1/webhooks/endpoints",
            "/v1/proposals",
        )
    ),
    (Scope(reveals="nothing"), READS, "200"),
    (Scope(reveals="nothing"), "/v1/investments/inv_one1", "key_reveals_this_tier"),
    (Scope(reveals="dealings"), "/v1/investments/inv_one1", "200"),
    (Scope(reveals="dealings"), "/v1/investments/inv_one1/deficiencies", "key_reveals_this_tier"),
    (Scope(networks=["127.0.0.0/8"]), READS, "200"),
    (Scope(networks=["10.0.0.0/8", "2001:db8::/32"]), READS, "key_calls_from_its_networks"),
]


def test_a_key_reads_what_its_scope_leaves(calls: Api, connect: Connect) -> None:
    World(connect, "two").build("allocated")
    faults = []
    for scope, path, expected in TABLE:
        answer = code(httpx.get(calls.url + path, headers=scoped(calls, scope), timeout=PATIENT))
        if answer != expected:
            faults.append(f"{scope} {path}: {answer} and not {expected}")
    assert faults == []


def test_an_act_outside_the_scope_changes_nothing_on_either_way(calls: Api, connect: Connect) -> None:
    """Acts without a body take the short way past the router; the door stands before both."""
    reader = scoped(calls, Scope(actions=["read"]))
    World(connect, "two").build("allocated")
    elsewhere = scoped(calls, Scope(offers=["ofr_two"]))
    seen = calls.get("/v1/investments/inv_one1").headers["etag"]
    before = calls.events("inv_one1")
    said = {"If-Match": seen, "Idempotency-Key": "act-1"}
    for headers, rule in ((reader, "key_has_this_action"), (elsewhere, "key_reaches_this_offer")):
        for body in (None, {}):
            path = f"{calls.url}/v1/investments/inv_one1/confirm"
            assert code(httpx.post(path, json=body, headers=headers | said, timeout=PATIENT)) == rule
    new = {"offer": "ofr_one", "investor": "ivr_one1", "units": "1"}
    answer = httpx.post(f"{calls.url}/v1/investments", json=new, headers=elsewhere | said, timeout=PATIENT)
    assert code(answer) == "key_reaches_this_offer"
    assert "ofr_two" in str(problem(answer)["detail"])
    assert calls.events("inv_one1") == before
    kept = calls.world.login("owner").execute("select rule from audit.refusal where scope = 'api'")
    assert len(kept.fetchall()) == 5


def test_a_key_that_was_used_says_when_and_a_revoked_one_is_refused_at_once(calls: Api) -> None:
    headers = scoped(calls, Scope())
    (row,) = listed(calls.endpoint)
    assert row["used_at"] is None
    assert code(httpx.get(calls.url + READS, headers=headers, timeout=PATIENT)) == "200"
    (row,) = listed(calls.endpoint)
    used = row["used_at"]
    assert used is not None
    for _ in range(3):
        httpx.get(calls.url + READS, headers=headers, timeout=PATIENT)
    assert listed(calls.endpoint)[0]["used_at"] == used
    revoke(calls.endpoint, row["name"], actor="usr_admin")
    assert code(httpx.get(calls.url + READS, headers=headers, timeout=PATIENT)) == "credential_is_in_force"


@pytest.mark.parametrize(
    ("scope", "rule"),
    [
        (Scope(actions=["fly"]), "key_names_known_actions"),
        (Scope(actions=[]), "key_names_an_action"),
        (Scope(offers=["ofr_none"]), "key_names_offers_on_record"),
        (Scope(offers=[]), "key_names_an_offer"),
        (Scope(reveals="all"), "key_reveals_a_known_tier"),
        (Scope(networks=["10.0.0.1/8"]), "network_is_written_plainly"),
        (Scope(networks=[]), "key_names_a_network"),
    ],
)
def test_a_scope_that_limits_by_accident_is_refused(endpoint: Endpoint, scope: Scope, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        issue(endpoint, "odd", "engine", actor="usr_admin", scope=scope)
    assert refused.value.rule == rule
    assert listed(endpoint) == []


@pytest.mark.parametrize(
    "attack",
    [
        "update api.key set actions = null",
        "update api.operation set roles = '{portal}'",
        "insert into api.operation select 'x', 'x', 'act', 'nothing', '{portal}'",
        "insert into api.key_use (key_name) values ('narrow')",
    ],
)
def test_no_login_widens_a_scope_or_the_matrix(endpoint: Endpoint, connect: Connect, attack: str) -> None:
    issue(endpoint, "narrow", "portal", actor="usr_admin", scope=Scope(actions=["read"]))
    for login in ("portal", "engine", "audit"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(login).execute(attack)
    if attack.startswith("update"):
        with pytest.raises(psycopg.Error) as refused:
            connect("owner").execute(attack)
        assert refused.value.diag.constraint_name == "history_is_append_only"


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("reader", Scope(actions=["read"])),
        ("one-offer", Scope(offers=["ofr_one"])),
        ("quiet", Scope(reveals="dealings")),
        ("at-home", Scope(networks=["127.0.0.0/8"])),
        ("tool-planner", Scope()),
    ],
)
def test_a_key_with_a_scope_opens_no_session_at_the_pages(
    calls: Api, connect: Connect, name: str, scope: Scope
) -> None:
    key = issue(calls.endpoint, name, "engine", actor="usr_admin", scope=scope)
    with pytest.raises(psycopg.Error) as refused:
        connect("engine").execute("select api.open_session(%s, sha256('x'))", [digest(key)])
    assert refused.value.diag.constraint_name == "key_with_a_scope_opens_no_session"


def test_a_name_serves_one_keeper(calls: Api) -> None:
    issue(calls.endpoint, "officer.bob", "compliance", actor="usr_admin")
    for name in ("officer.bob~lap", "officer.bob~x"):
        with pytest.raises(Refused) as refused:
            issue(calls.endpoint, name, "treasury", actor="usr_admin")
        assert refused.value.rule == "name_serves_one_keeper"


KEY = b"""insert into api.key (name, key_sha256, keeper, issued_by, expires_at)
    values ('officer.new', sha256('key'), 'treasury', 'usr_one', now() + interval '1 day')"""
ACCOUNT = b"""select api.propose_account('usr_one', 'req_1', 'acc_new', 'officer.new', 'compliance', null)"""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("owner", KEY), ("access", ACCOUNT)),
        (("access", ACCOUNT), ("owner", KEY)),
        (("owner", KEY.replace(b"treasury", b"registry")), ("owner", KEY.replace(b"new'", b"new~x'"))),
    ],
    ids=["key before account", "account before key", "two keys"],
)
def test_of_two_who_take_a_name_at_once_one_has_it(
    connect: Connect, first: tuple[str, bytes], second: tuple[str, bytes]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with connect(first[0]).transaction() as taking:
            taking.connection.execute(first[1])
            other = pool.submit(connect(second[0]).execute, second[1])
            while not connect("admin").execute(b"select from pg_locks where not granted").fetchall():
                wait([other], timeout=0.02)
                assert not other.done(), "the second does not wait for the first"
        with pytest.raises(psycopg.Error) as refused:
            other.result(30)
    assert refused.value.diag.constraint_name == "name_serves_one_keeper"


def test_no_person_has_the_name_of_a_tool(connect: Connect) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connect("access").execute(ACCOUNT.replace(b"officer.new", b"tool-ada"))
    assert refused.value.diag.constraint_name == "account_is_of_a_person"
