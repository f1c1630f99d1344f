"""Programs that an OpenID provider vouches for: bound by two people, limited by scopes, attacked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from bookrunner.adapters.identity.tokens import TokenIssuer
from bookrunner.api import Scope, Subject, api, approve_client, issue, propose_client, revoke
from bookrunner.app.capital import Around, Capital
from bookrunner.core.credentials import digest, digest_of_token
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from bookrunner.engine import Desk
from tests.api.conftest import Api, as_told, problem
from tests.attack.world import Connect, World
from tests.capital.servers import Issuer, issuing
from tests.patience import PATIENT
from tests.serving import serving

UNITS = "/v1/offers/ofr_one/units"
MOVES = "/v1/offers/ofr_one/moves"


@dataclass
class Trusting(Api):
    """A running API that trusts an OpenID provider, with a client of the engine bound to ``reporting-7``."""

    issuer: Issuer | None = None

    def token(self, **changed: object) -> str:
        """Return a token of the bound subject that may read."""
        assert self.issuer is not None
        header = changed.pop("header", None)
        said = {"sub": "reporting-7", "scope": "openid bookrunner:read"} | changed
        return self.issuer.token(header=header, **said)  # type: ignore[arg-type]

    def under(self, token: str, path: str = UNITS) -> httpx.Response:
        """Read under a token."""
        return as_told(
            httpx.get(self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENT)
        )

    def bind(self, name: str, subject: str, keeper: str = "engine", scope: Scope | None = None) -> None:
        """Bind a client by two people."""
        assert self.issuer is not None
        bound = Subject(self.issuer.url, subject)
        propose_client(self.endpoint, name, keeper, bound, actor="usr_one", scope=scope or Scope())
        approve_client(self.endpoint, name, actor="usr_two")


@pytest.fixture
def trusting(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Trusting]:
    """Serve the API with an OpenID provider that it trusts."""
    world = World(connect).build("allocated")
    with issuing() as issuer:
        tokens = TokenIssuer(issuer.url, "bookrunner", look_again_seconds=0)
        with serving(api(database, capital=Capital(Desk(database), Around(tokens=tokens)))) as url:
            found = Trusting(url, endpoint, world, issuer=issuer)
            found.bind("reports", "reporting-7")
            yield found


def test_a_client_reads_and_acts_under_its_own_name(trusting: Trusting) -> None:
    assert trusting.under(trusting.token()).status_code == 200
    refused = trusting.under(trusting.token(scope="openid"))
    assert (refused.status_code, problem(refused)["code"]) == (403, "token_has_the_scope")
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    seen = trusting.get("/v1/offers/ofr_one").headers["etag"]
    said = {"Idempotency-Key": "move-1", "If-Match": seen}
    for scope, status in (
        ("bookrunner:read", 403),
        ("bookrunner:closings", 403),
        ("bookrunner:move_offer", 200),
    ):
        said["Authorization"] = f"Bearer {trusting.token(scope=scope)}"
        answer = as_told(
            httpx.post(trusting.url + MOVES, json={"to": "legally_closed"}, headers=said, timeout=PATIENT)
        )
        assert answer.status_code == status, answer.text
    actor = trusting.world.login("owner").execute(
        "select actor from audit.event where subject = 'ofr_one' order by version desc limit 1"
    )
    assert actor.fetchone() == ("client:reports",)


def test_a_client_is_no_more_than_its_keeper_and_its_scope(trusting: Trusting) -> None:
    trusting.bind("watch", "watch-1", "audit", Scope(actions=["offers"]))
    every = "bookrunner:read bookrunner:act"
    assert trusting.under(trusting.token(sub="watch-1", scope=every), "/v1/offers").status_code == 200
    for path, rule in (("/v1/events", "key_has_this_action"), (f"{UNITS}", "key_has_this_action")):
        answer = trusting.under(trusting.token(sub="watch-1", scope=every), path)
        assert problem(answer)["code"] == rule
    answer = httpx.post(
        trusting.url + MOVES,
        json={"to": "legally_closed"},
        headers={
            "Authorization": f"Bearer {trusting.token(sub='watch-1', scope=every)}",
            "Idempotency-Key": "m",
            "If-Match": '"1"',
        },
        timeout=PATIENT,
    )
    assert problem(answer)["detail"] == "engine decides this"
    assert problem(trusting.under(trusting.token(sub="stranger")))["code"] == "token_names_a_client"


def test_a_client_ends_with_its_key_at_once(trusting: Trusting) -> None:
    token = trusting.token()
    assert trusting.under(token).status_code == 200
    revoke(trusting.endpoint, "reports", actor="usr_admin")
    for again in (token, trusting.token()):
        assert problem(trusting.under(again))["code"] == "credential_is_in_force"


def _unsigned(trusting: Trusting) -> str:
    head, body, _ = trusting.token().split(".")
    plain = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt", "kid": "key-1"}).encode())
    return f"{plain.decode().rstrip('=')}.{body}.{head[:4]}"


def _shared_secret(trusting: Trusting) -> str:
    assert trusting.issuer is not None
    public = trusting.issuer.keys["key-1"].as_pem(private=False)
    now = int(time.time())
    claims = {
        "iss": trusting.issuer.url,
        "aud": "bookrunner",
        "sub": "reporting-7",
        "iat": now,
        "exp": now + 60,
    }
    head = {"alg": "HS256", "kid": "key-1", "typ": "at+jwt"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims)]
    proof = hmac.new(public, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(proof).rstrip(b"=")]).decode()


def _other_key(header: dict[str, object]) -> Callable[[Trusting], str]:
    def made(trusting: Trusting) -> str:
        assert trusting.issuer is not None
        theirs = ECKey.generate_key("P-256", {"kid": "key-1"})
        now = int(time.time())
        claims = {"iss": trusting.issuer.url, "aud": "bookrunner", "sub": "reporting-7", "iat": now}
        claims |= {"exp": now + 60, "scope": "bookrunner:read"}
        said = {"alg": "ES256", "kid": "key-1", "typ": "at+jwt"} | header
        said = {name: trusting.issuer.url if value is None else value for name, value in said.items()}
        if said.get("jwk"):
            said["jwk"] = theirs.as_dict(private=False)
        return jwt.encode(said, claims, theirs)

    return made


ATTACKS: dict[str, Callable[[Trusting], str]] = {
    "no algorithm": _unsigned,
    "public key as shared secret": _shared_secret,
    "another key": _other_key({}),
    "keys at an address of the header": _other_key({"jku": None}),
    "a certificate at an address of the header": _other_key({"x5u": None}),
    "a key in the header": _other_key({"jwk": "theirs"}),
    "another audience": lambda api: api.token(aud="elsewhere"),
    "no audience": lambda api: api.token(aud=None),
    "another issuer": lambda api: api.token(iss="https://evil.example"),
    "an identity token": lambda api: api.token(header={"typ": "JWT"}),
    "no kind": lambda api: api.token(header={"typ": ""}),
    "past its end": lambda api: api.token(iat=int(time.time()) - 900, exp=int(time.time()) - 300),
    "before its begin": lambda api: api.token(nbf=int(time.time()) + 900),
    "without an end": lambda api: api.token(exp=None),
    "for years": lambda api: api.token(exp=int(time.time()) + 10**8),
    "unknown key": lambda api: api.token(header={"kid": "key-9"}),
    "no key id": lambda api: api.token(header={"kid": ""}),
    "huge": lambda api: api.token(more="x" * 9000),
    "no subject": lambda api: api.token(sub=None),
    "no token": lambda _: "a.b.c",
    "no text": lambda _: "a.b.é".encode().decode("latin-1"),
    "changed": lambda api: api.token()[:-4] + "AAAA",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_that_is_not_ours_is_refused(attack: str, trusting: Trusting) -> None:
    token = ATTACKS[attack](trusting)
    headers = [(b"authorization", b"Bearer " + token.encode("latin-1"))]
    answer = as_told(httpx.get(trusting.url + UNITS, headers=headers, timeout=PATIENT))
    assert (answer.status_code, problem(answer)["code"]) == (401, "credential_is_in_force")
    assert token not in answer.text
    kept = trusting.world.login("owner").execute("select count(*) from api.token")
    assert kept.fetchone() == (0,)


def test_a_rotated_key_counts_and_the_withdrawn_one_no_longer(trusting: Trusting) -> None:
    assert trusting.issuer is not None
    before = trusting.token(jti="later")
    trusting.issuer.rotate("key-2")
    assert trusting.under(trusting.token()).status_code == 200
    assert trusting.under(before).status_code == 401


def test_a_silent_provider_stops_tokens_and_no_keys(trusting: Trusting) -> None:
    assert trusting.issuer is not None
    trusting.issuer.fails = True
    assert trusting.under(trusting.token()).status_code == 503
    assert trusting.get(UNITS).status_code == 200


def test_the_api_says_whose_tokens_it_takes(trusting: Trusting, database: Database) -> None:
    assert trusting.issuer is not None
    refused = httpx.get(trusting.url + UNITS, timeout=PATIENT)
    at = f"{trusting.url}/.well-known/oauth-protected-resource"
    assert refused.headers["www-authenticate"] == f'Bearer resource_metadata="{at}"'
    told = as_told(httpx.get(at, timeout=PATIENT)).json()
    assert (told["resource"], told["authorization_servers"]) == (trusting.url, [trusting.issuer.url])
    with serving(api(database)) as url:
        assert (
            as_told(httpx.get(f"{url}/.well-known/oauth-protected-resource", timeout=PATIENT)).status_code
            == 404
        )
        assert httpx.get(url + UNITS, timeout=PATIENT).headers["www-authenticate"] == "Bearer"


def test_a_client_is_bound_by_two_people(endpoint: Endpoint) -> None:
    bound = Subject("https://id.example", "s-1")
    propose_client(endpoint, "reports", "engine", bound, actor="key:usr_one")
    for actor, rule in (("usr_one", "client_needs_two_people"), ("key:usr_one", "client_needs_two_people")):
        with pytest.raises(Refused) as refused:
            approve_client(endpoint, "reports", actor=actor)
        assert refused.value.rule == rule
    approve_client(endpoint, "reports", actor="usr_two")
    for name, subject, rule in (
        ("other", bound, "subject_is_one_client"),
        ("ivr_one", Subject("https://id.example", "s-2"), "client_is_no_investor"),
    ):
        with pytest.raises(Refused) as refused:
            propose_client(endpoint, name, "portal", subject, actor="usr_one")
        assert refused.value.rule == rule
    # What was refused left no key behind.
    issue(endpoint, "other", "portal", actor="usr_one")


@pytest.mark.parametrize("login", ["portal", "engine", "audit"])
def test_a_login_takes_no_token_for_a_client_of_another(
    endpoint: Endpoint, connect: Connect, login: str
) -> None:
    keeper = "treasury"
    propose_client(endpoint, "pays", keeper, Subject("https://id.example", "s-1"), actor="usr_one")
    accepted = (
        "select api.accept_token(%s, 'https://id.example', 's-1', '{act}',"
        " clock_timestamp() + interval '1 hour')"
    )
    with pytest.raises(psycopg.Error) as refused:
        connect(keeper).execute(accepted, [digest("t")])
    assert refused.value.diag.constraint_name == "token_names_a_client"
    approve_client(endpoint, "pays", actor="usr_two")
    with pytest.raises(psycopg.Error) as refused:
        connect(login).execute(accepted, [digest("t")])
    assert refused.value.diag.constraint_name == "token_names_a_client"
    # What stands for a key is never taken for a token, whoever says so.
    for key_shaped in (digest("t"), b"\x00" + digest("t"), b""):
        with pytest.raises(psycopg.Error) as refused:
            connect(keeper).execute(accepted, [key_shaped])
        assert refused.value.diag.constraint_name == "token_is_no_key"
    token = digest_of_token("a.b.c")
    connect(keeper).execute(accepted, [token])
    assert connect(keeper).execute("select api.caller(%s)", [token]).fetchone() == ("client:pays",)
    with pytest.raises(psycopg.Error) as refused:
        connect(login).execute("select api.caller(%s)", [token])
    assert refused.value.diag.constraint_name == "credential_is_in_force"
    for table in (b"api.token", b"api.client", b"api.client_approval"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(keeper).execute(b"table " + table)
