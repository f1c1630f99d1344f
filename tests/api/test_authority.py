"""The authority matrix against what holds: every route under every key, every verb under every login."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest
from psycopg.types.json import Jsonb

from bookrunner.api import Signing, api, authority, issue, revoke
from bookrunner.app import Application
from bookrunner.app.trading import receive_trade
from bookrunner.core.credentials import KEEPERS, digest, make_key
from bookrunner.db import LOGINS, Endpoint
from tests.api.conftest import Api, description, problem
from tests.attack.test_issuers import PROFILE
from tests.attack.world import Connect, World
from tests.serving import serving

KNOWN = {"offer": "ofr_one", "investment": "inv_one1", "investor": "ivr_one1", "agreement": "agr_one1"}
KEYED = {*KEEPERS, "issuer", "investor"}
# What every login of a key may execute, and what some read, propose or send with; the rest stands in a row.
ENTRANCE = {"caller", "holder", "open_session", "session_of", "end_session", "admit", "refuse_call"}
READS = {
    "offer_of": set(KEEPERS),
    "accept_token": set(KEEPERS),
    "client_keeper": {"engine"},
    "candidates_version": {"engine"},
    "keep_refusal": {"engine"},
    "freeze_is_due": {"engine"},
    "languages_of": {"engine"},
    "is_shut": {"portal"},
    "commitment_limit": {"portal", "compliance"},
    "questionnaire": {"portal", "compliance", "subscription", "engine"},
    "propose": set(KEEPERS),
    "proposals": set(KEEPERS),
    "decide_proposal": set(KEEPERS),
    "fan_out_webhooks": {"engine"},
    "take_webhooks": {"engine"},
    "record_webhook": {"engine"},
    "end_webhooks": {"engine"},
    "purge_webhooks": {"engine"},
    "keys_in_force": {"engine"},
}
# Acts that no one login's verb carries out: links and looks are records, a proposal waits for any keeper.
WITHOUT_VERB = {
    "link_agreement_file",
    "look_at_profile",
    "look_at_profile_change",
    "propose",
    "decline_proposal",
    "confirm_proposal",
}
# Verbs of a book that a login beside its keeper's own may call.
LENT = {"engine.decide_intake": {"compliance"}}


@dataclass
class Table:
    """A running API with every part, its matrix, and a key of every kind."""

    url: str
    world: World
    rows: Mapping[str, Mapping[str, Any]]
    keys: dict[str, str]
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    sent: int = 0

    def call(self, operation: str, key: str | None) -> httpx.Response:
        """Call an operation with the example of its body, under a key."""
        method, path, told = OPERATIONS[operation]
        self.sent += 1
        headers = {"Idempotency-Key": f"table-{self.sent}", "If-Match": '"1"'}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        asked = [p for p in told.get("parameters", ()) if p["in"] == "query"]
        body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        if body is not None and told["tags"] == ["transfers"]:
            body = body | {side: KNOWN["investor"] for side in ("seller", "investor") if side in body}
        request = self.client.build_request(
            method,
            self.url + re.sub(r"{(\w+)}", lambda found: KNOWN.get(found[1], "xyz_one"), path),
            params={
                p["name"]: KNOWN.get(p["name"], "1") for p in asked if p.get("required") or p["name"] in KNOWN
            },
            json=body,
            headers=headers,
        )
        answer = self.client.send(request, stream=True)
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.close()
        else:
            answer.read()
        return answer

    def kept(self) -> list[tuple[int, ...]]:
        """Return how much the books have told and answered so far."""
        return (
            self.world.login("owner")
            .execute("select (select count(*) from audit.event), (select count(*) from audit.request)")
            .fetchall()
        )


OPERATIONS = {
    told["operationId"]: (method.upper(), path, told)
    for path, methods in description()["paths"].items()
    for method, told in methods.items()
}


@pytest.fixture
def table(application: Application, endpoint: Endpoint, connect: Connect) -> Iterator[Table]:
    """Serve the API with every part over an offer of ``iss_one``."""
    world = World(connect).build("allocated")
    for issuer in ("iss_one", "iss_two"):
        asked = [f"req_{issuer}", issuer, Jsonb(PROFILE | {"name": f"Issuer {issuer}"})]
        connect("engine").execute("select engine.name_issuer('usr_operator', %s, %s, %s)", asked)
    keys = {keeper: issue(endpoint, f"{keeper}-one", keeper, actor="usr_admin") for keeper in KEEPERS}
    keys["investor"] = issue(endpoint, "ivr_one1", "portal", actor="usr_admin")
    for issuer in ("iss_one", "iss_two"):
        keys[issuer] = issue(endpoint, f"staff.{issuer}", "issuer", actor="usr_admin", issuer=issuer)
    keys["issuer"] = keys.pop("iss_one")
    keys["revoked"] = issue(endpoint, "gone", "engine", actor="usr_admin")
    revoke(endpoint, "gone", actor="usr_admin")
    keys["expired"], keys["unknown"] = make_key("engine"), make_key("engine")
    connect("owner").execute(
        "insert into api.key (name, key_sha256, keeper, issued_by, issued_at, expires_at)"
        " values ('late', %s, 'engine', 'usr_admin', clock_timestamp() - interval '2 hours',"
        " clock_timestamp() - interval '1 hour')",
        [digest(keys["expired"])],
    )
    app = api(
        application.database,
        signing=Signing(lambda: application.signing, application.consents, application.signer),
        payments=application.receive_payment,
        signatures=application.receive_signature,
        trades=partial(receive_trade, application.database),
        chain=application.chain,
        capital=application.capital,
    )
    rows = {row["operation"]: row for row in authority(endpoint)}
    with serving(app) as url:
        found = Table(url, world, rows, keys)
        yield found
        found.client.close()


def test_the_matrix_has_a_row_for_each_operation(endpoint: Endpoint) -> None:
    rows = {row["operation"]: row for row in authority(endpoint)}
    lacking = sorted(OPERATIONS.keys() - rows.keys())
    assert lacking == [], f"api/access/authority/rows.sql lacks a row for {', '.join(lacking)}"
    needless = sorted(rows.keys() - OPERATIONS.keys())
    assert needless == [], f"api/access/authority/rows.sql has a row for no operation: {', '.join(needless)}"
    for operation, (method, _, told) in OPERATIONS.items():
        row = rows[operation]
        assert row["area"] == told["tags"][0], f"{operation} is in another area"
        assert bool(KEYED & set(row["roles"])) == ("security" in told), f"{operation}: who needs a key"
        assert row["kind"] == "act" or method == "GET" or "dry_run" in operation, operation
        if row["kind"] == "act" and operation not in WITHOUT_VERB and set(row["roles"]) & set(KEEPERS):
            assert row["verbs"], f"{operation} names no verb"


@pytest.mark.timeout(600)
def test_every_call_is_allowed_or_refused_as_the_matrix_says(table: Table) -> None:
    faults = []
    before = table.kept()
    for operation in OPERATIONS:
        row = table.rows.get(operation)
        roles = set(row["roles"]) if row else set()
        if not KEYED & roles:
            continue
        for role in sorted(KEYED - roles):
            answer = table.call(operation, table.keys[role])
            said = answer.json() if answer.status_code == 403 else {}
            if not any(able in said.get("detail", "") for able in roles):
                faults.append(f"{operation} for {role}: the row lacks it, and the API says {answer.text}")
        for key in (None, table.keys["revoked"], table.keys["expired"], table.keys["unknown"]):
            answer = table.call(operation, key)
            if answer.status_code != 401:
                faults.append(f"{operation} without a key in force: {answer.text}")
    assert table.kept() == before
    for operation in OPERATIONS:
        row = table.rows.get(operation)
        for role in sorted(KEYED & set(row["roles"]) if row else ()):
            answer = table.call(operation, table.keys[role])
            if answer.status_code in {401, 403} or answer.status_code == 500:
                faults.append(f"{operation} for {role}: the row has it, and the API says {answer.text}")
    assert faults == [], "\n".join(faults)


def test_an_issuer_meets_nothing_of_another(table: Table) -> None:
    assert table.call("get_offer", table.keys["issuer"]).json()["id"] == "ofr_one"
    assert table.call("get_offer", table.keys["iss_two"]).status_code == 404
    assert table.call("list_offers", table.keys["iss_two"]).json()["offers"] == []


def test_what_takes_no_key_asks_for_its_own_proof(table: Table) -> None:
    proofs = {
        "anyone": {200, 404},
        "link": {403, 404},
        "signature": {401, 404, 422, 503},
        "client": {401, 503},
    }
    faults = []
    for operation, row in table.rows.items():
        for role in sorted(set(row["roles"]) - KEYED):
            answer = table.call(operation, None)
            if answer.status_code not in proofs[role]:
                faults.append(f"{operation} for {role}: {answer.status_code} {answer.text}")
    assert faults == []


def test_each_login_executes_what_the_matrix_gives_it(endpoint: Endpoint, connect: Connect) -> None:
    given: dict[str, set[str]] = {name: set(logins) for name, logins in READS.items()}
    given |= {name: {*KEEPERS, "issuer"} for name in ENTRANCE}
    for row in authority(endpoint):
        for verb in row["verbs"]:
            assert given.setdefault(verb, {row["login"]}) == {row["login"]}, f"{verb} has two logins"
    held = connect("owner").execute(
        "select p.proname, array(select r.rolname from pg_roles r where r.rolname = any (%s)"
        " and has_function_privilege(r.oid, p.oid, 'execute')) from pg_proc p"
        " where p.pronamespace = 'api'::regnamespace",
        [list(LOGINS)],
    )
    holds = {name: set(logins) for name, logins in held}
    assert given.keys() <= holds.keys(), "the matrix names a verb that the database does not have"
    # The verbs of accounts belong to the login of sign-in, which no key serves.
    own = {name for name, logins in holds.items() if logins == {"access"}} - given.keys()
    assert len(own) > 20
    wrong = {
        name: sorted(logins)
        for name, logins in holds.items()
        if name not in own and logins != given.get(name, set())
    }
    assert wrong == {}, "grants.sql differs from the matrix"


def test_each_verb_of_a_book_is_its_keepers_alone(connect: Connect) -> None:
    held = connect("owner").execute(
        "select n.nspname, p.proname, array(select r.rolname from pg_roles r where r.rolname = any (%s)"
        " and has_function_privilege(r.oid, p.oid, 'execute')) from pg_proc p"
        " join pg_namespace n on n.oid = p.pronamespace"
        " where p.prosecdef and p.proargnames[1] = 'p_actor' and n.nspname = any (%s)",
        [list(LOGINS), [*(k for k in KEEPERS if k != "audit"), "reconciliation"]],
    )
    wrong = {
        f"{book}.{verb}": sorted(logins)
        for book, verb, logins in held
        if set(logins) != {book} | LENT.get(f"{book}.{verb}", set())
    }
    assert wrong == {}


def test_a_refused_call_is_kept_without_what_was_sent(calls: Api) -> None:
    body = {"to": "published", "because": "Ada Lovelace"}
    answer = calls.post("/v1/offers/ofr_one/moves", body, keeper="portal", seen='"1"', request="said-1")
    assert (answer.status_code, problem(answer)["code"]) == (403, "key_serves_this_keeper")
    assert problem(answer)["detail"] == "engine decides this"
    kept = calls.world.login("owner").execute(
        "select subject, act, rule, actor, request_id, missing from audit.refusal where scope = 'api'"
    )
    row = ("portal-one", "move_offer", "key_serves_this_keeper", "key:portal-one", "said-1", [])
    assert kept.fetchall() == [row]
