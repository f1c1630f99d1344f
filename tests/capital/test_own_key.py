"""The key of an institution reaches what is its own, on every route and page, and nothing of anybody else."""

from __future__ import annotations

import re

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from starlette.routing import Route

from bookrunner.api import api, issue
from bookrunner.app import Application
from bookrunner.app.capital import Capital
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.pages import web
from tests.capital.conftest import Around, Capitals, set_up
from tests.patience import PATIENT
from tests.serving import serving

OWN = "/v1/ai-intake"
# These read no key: health is open, the others know a signature, a token or a link of their own.
KEYLESS = (
    "/v1/documents/",
    "/v1/health",
    "/v1/webhooks/",
    "/v1/escrow-initiation",
    "/v1/{path:path}",
    "/v1/openapi.json",
)
REFUSED = "key_of_an_investor_reaches_its_own_alone"
NAMES = {
    "investor": "ivr",
    "investment": "inv",
    "allocation": "iac",
    "approval": "alc",
    "case": "ccs",
    "entry": "wle",
    "amendment": "amd",
    "reconfirmation": "rcf",
    "agreement": "agr",
    "acceptance": "sac",
    "transfer": "xfr",
}


def paths(database: Database, servers: Around) -> list[tuple[str, str]]:
    """Return method and path of every route that takes a key and is not the institution's own."""
    app = api(database, capital=Capital(Desk(database), set_up(servers)))
    found = []
    for route in walked(app):
        if not route.path.startswith((OWN, *KEYLESS)) and route.path.startswith("/v1"):
            found += [(method, route.path) for method in sorted(route.methods)]
    return found


def walked(of: FastAPI) -> list[Route]:
    """Return the routes of an application that have methods."""
    return [route for route in of.routes if isinstance(route, Route) and route.methods]


def filled(capital: Capitals, path: str) -> str:
    """Return a path with the ids of another institution in its places."""
    known = {
        "offer": capital.world.offering,
        "investment": capital.world.id("inv", 201),
        "investor": capital.world.id("ivr", 201),
    }
    return re.sub(
        r"\{(\w+)\}", lambda place: known.get(place[1], f"{NAMES.get(place[1], place[1])}_one"), path
    )


def test_every_route_but_its_own_refuses_the_key_of_an_institution(
    capital: Capitals, database: Database, servers: Around
) -> None:
    key = capital.key(capital.world.entity, "portal")
    events = capital.one("select count(*) from audit.event")
    headers = {"Authorization": f"Bearer {key}", "If-Match": '"1"'}
    queries = {"offer": capital.world.offering, "investor": capital.world.id("ivr", 201)}
    queries |= {"seller": queries["investor"], "buyer": capital.world.entity, "units": "1"}
    queries |= {"contract": "0x" + "11" * 20}
    routes = paths(database, servers)
    assert len(routes) > 50
    told = {}
    for number, (method, path) in enumerate(routes):
        answer = httpx.request(
            method,
            capital.url + filled(capital, path),
            headers={**headers, "Idempotency-Key": f"own-{number}"},
            params=queries if method == "GET" else None,
            json={} if method != "GET" else None,
            timeout=PATIENT,
        )
        code = answer.json().get("code") if "json" in answer.headers["content-type"] else None
        told[method, path] = (answer.status_code, code)
    # A body of another shape is told before who asks; such a call reaches nothing.
    misshapen = {(422, "request_has_the_agreed_shape")}
    through = {
        route: one
        for route, one in told.items()
        if one not in {(403, REFUSED), *(misshapen if route[0] != "GET" else ())}
    }
    assert through == {}
    assert sum(one == (403, REFUSED) for one in told.values()) > 30
    assert capital.one("select count(*) from audit.event") == events


def test_writes_of_another_refuse_the_key_of_an_institution(capital: Capitals) -> None:
    key, other = capital.key(capital.world.entity, "portal"), capital.world.id("ivr", 201)
    address = "0x" + "ab" * 20
    person = {"id": "p1", "name": "Mallory Example", "controls": True}
    share = {"owned": other, "owner": "p1", "share_bp": 10000}
    for path, body in (
        (
            f"/v1/offers/{capital.world.offering}/wallet-challenges",
            {"investor": other, "address": address, "domain": "x.example"},
        ),
        (
            f"/v1/investors/{other}/ownership",
            {"account": "acc_1", "people": [person], "shares": [share], "certified": True},
        ),
    ):
        answer = capital.post(path, body, key)
        assert (answer.status_code, answer.json()["code"]) == (403, REFUSED), path
    mine = capital.ask()
    assert mine.status_code == 201


def test_every_call_of_the_database_asks_who_calls(capital: Capitals) -> None:
    """A call that took a key and did not ask would let the key of an institution through."""
    rows = capital.world.login("owner").execute(
        "select p.proname, pg_get_functiondef(p.oid) from pg_proc p"
        " where p.pronamespace = 'api'::regnamespace"
        " and 'p_key' = any (p.proargnames)"
    )
    silent = {name for name, source in rows if not re.search(r"api\.caller\((\w+\.)?p_key\)", source)}
    # These ask who is behind any key: the door, and the opening of a session.
    assert silent == {"open_session", "admit", "refuse_call"}


def test_the_key_of_an_institution_serves_the_portal_alone(capital: Capitals) -> None:
    with pytest.raises(psycopg.Error) as caught:
        capital.world.login("owner").execute(
            "insert into api.key (name, key_sha256, keeper, issued_by, expires_at)"
            " values ('ivr_x', sha256('x'), 'engine', 'usr_admin', now() + interval '1 day')"
        )
    assert caught.value.diag.constraint_name == "key_of_an_investor_serves_the_portal"


def test_the_pages_of_another_investor_refuse_it(
    capital: Capitals, application: Application, servers: Around
) -> None:
    application.capital = Capital(application.desk, set_up(servers))
    key = issue(capital.endpoint, capital.world.entity, "portal", actor="usr_admin")
    app = web(application)
    foreign = capital.world.id("inv", 201)
    with serving(app) as url, httpx.Client(base_url=url, headers={"Origin": url}, timeout=PATIENT) as client:
        assert client.post("/sign-in", data={"key": key}).status_code == 303
        named = [route for route in walked(app) if "{investment}" in route.path]
        assert len(named) > 10
        for route in named:
            path = re.sub(r"\{\w+\}", "x", route.path.replace("{investment}", foreign))
            for method in sorted(route.methods - {"HEAD"}):
                answer = client.request(method, path)
                assert answer.status_code == 403, (method, path)
                assert "investor acts for itself" in answer.text, (method, path)
        assert client.get(f"/investments/{capital.world.investment}").status_code == 200
        assert client.get(f"/offers/{capital.world.offering}/institution").status_code == 200
        for path in ("/compliance", f"/desk/{capital.world.offering}/institutions", "/treasury"):
            assert client.get(path).status_code in {403, 404}, path
