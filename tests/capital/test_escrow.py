"""Opening escrow under a token: issuer, audience, time, scope, algorithm, keys that rotate."""

from __future__ import annotations

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from bookrunner.adapters.identity.published import signing_keys
from bookrunner.adapters.identity.tokens import TokenIssuer
from bookrunner.api.resources.capital.escrow import SCOPE
from bookrunner.core.errors import ConfigurationError, NotAuthenticated, NotReady
from tests.capital.conftest import Capitals
from tests.capital.institution import DUE
from tests.capital.servers import Issuer

HOUR = 3600


def reviewed(capital: Capitals) -> str:
    """Return an allocation under internal review."""
    allocation: str = capital.ask().json()["allocation"]
    assert capital.move(allocation, "under_internal_review").status_code == 200
    return allocation


def refused(capital: Capitals, token: str) -> tuple[int, str]:
    """Return how a token is refused."""
    answer = capital.escrow("iac_1", token)
    return answer.status_code, answer.json()["code"]


IN_FORCE = (401, "credential_is_in_force")
CLAIMS: dict[str, tuple[dict[str, object], tuple[int, str]]] = {
    "another issuer": ({"iss": "http://127.0.0.1:1"}, IN_FORCE),
    "another audience": ({"aud": "other"}, IN_FORCE),
    "no audience": ({"aud": None}, IN_FORCE),
    "no issuer": ({"iss": None}, IN_FORCE),
    "no end": ({"exp": None}, IN_FORCE),
    "no beginning": ({"iat": None}, IN_FORCE),
    "over": ({"iat": int(time.time()) - HOUR, "exp": int(time.time()) - 120}, IN_FORCE),
    "not yet": ({"nbf": int(time.time()) + 24 * HOUR}, IN_FORCE),
    "for a year": ({"exp": int(time.time()) + 365 * 24 * HOUR}, IN_FORCE),
    "nobody": ({"sub": None}, IN_FORCE),
    "a strange subject": ({"sub": "a b\n"}, IN_FORCE),
    "a number as its end": ({"exp": "soon"}, IN_FORCE),
    "no scope": ({"scope": None}, (403, "token_has_the_scope")),
    "another scope": ({"scope": "openid escrow:initiates"}, (403, "token_has_the_scope")),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_what_a_token_claims_must_hold(capital: Capitals, case: str) -> None:
    claims, answer = CLAIMS[case]
    assert refused(capital, capital.issuer.token(**claims)) == answer


def test_only_the_issuers_key_and_algorithms_sign(capital: Capitals) -> None:
    issuer = capital.issuer
    good = issuer.token()
    head, body, signature = good.split(".")
    name, key = next(iter(issuer.keys.items()))
    shared = jwt.encode({"alg": "HS256", "kid": name}, {}, OctKey.generate_key(256)).split(".")[0]
    mixed = hmac.digest(key.as_pem(private=False), f"{shared}.{body}".encode(), "sha256")
    mixed_up = f"{shared}.{body}.{urlsafe_b64encode(mixed).decode().rstrip('=')}"
    claims = jwt.decode(good, key, algorithms=["ES256"]).claims
    foreign = ECKey.generate_key("P-256", {"kid": name})
    forged = [
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}.",
        "e30.e30.e30",
        "a.b.c",
        "x" * 9000,
        "..",
        capital.key("engine-desk", "engine"),
        jwt.encode({"alg": "ES256", "kid": name}, claims, foreign),
        mixed_up,
        jwt.encode({"alg": "ES256"}, claims, key),
    ]
    for token in forged:
        status, rule = refused(capital, token)
        assert (status, rule) in {IN_FORCE, (401, "credential_is_given")}, token


def test_keys_rotate(capital: Capitals) -> None:
    issuer = capital.issuer
    old, looked = issuer.token(), issuer.looked
    assert refused(capital, old)[0] == 404
    assert refused(capital, old)[0] == 404
    assert issuer.looked == looked + 2
    issuer.rotate("key-2")
    # An unknown key makes us look again, and not at every token.
    assert refused(capital, issuer.token()) == IN_FORCE
    assert issuer.looked == looked + 2
    ours = TokenIssuer(issuer.url, "bookrunner", look_again_seconds=0)
    assert asyncio.run(ours.verify(issuer.token(), SCOPE)).subject == "escrow-desk-7"
    issuer.rotate("key-3")
    assert asyncio.run(ours.verify(issuer.token(), SCOPE)).subject == "escrow-desk-7"
    with pytest.raises(NotAuthenticated):
        asyncio.run(ours.verify(old, SCOPE))
    issuer.rotate("key-1")


def test_a_key_that_was_withdrawn_lapses(issuer: Issuer) -> None:
    ours = TokenIssuer(issuer.url, "bookrunner", keys_stand_seconds=0.2)
    old = issuer.token()
    assert asyncio.run(ours.verify(old, SCOPE)).subject == "escrow-desk-7"
    issuer.rotate("key-9")
    assert asyncio.run(ours.verify(old, SCOPE)).subject == "escrow-desk-7"
    time.sleep(0.3)
    with pytest.raises(NotAuthenticated):
        asyncio.run(ours.verify(old, SCOPE))
    issuer.rotate("key-1")


def test_a_silent_issuer_is_told(capital: Capitals) -> None:
    capital.issuer.fails = True
    assert refused(capital, capital.issuer.token()) == (503, "token_issuer_answers")
    capital.issuer.fails, capital.issuer.says = False, "http://127.0.0.1:1"
    ours = TokenIssuer(capital.issuer.url, "bookrunner", look_again_seconds=0)
    with pytest.raises(NotReady, match="another issuer"):
        asyncio.run(ours.verify(capital.issuer.token(), SCOPE))
    capital.issuer.says = None
    assert asyncio.run(ours.verify(capital.issuer.token(), SCOPE)).subject == "escrow-desk-7"


def test_a_silent_issuer_is_not_asked_at_every_token(issuer: Issuer) -> None:
    ours, looked = TokenIssuer(issuer.url, "bookrunner"), issuer.looked
    issuer.fails = True
    for _ in range(4):
        with pytest.raises(NotReady):
            asyncio.run(ours.verify(issuer.token(), SCOPE))
    issuer.fails = False
    assert issuer.looked == looked + 1


STRANGE_KEYS = (
    {"kty": "EC", "crv": "BP-256", "x": "AA", "y": "AA", "kid": "b"},
    {"kty": "OKP", "crv": "X999", "x": "AA", "kid": "b"},
    {"kty": "RSA", "kid": "b"},
    {"kty": "RSA", "kid": "b", "n": 5, "e": "AQAB"},
    {"kty": "RSA", "kid": "b", "n": "\u00e9", "e": "AQAB"},
    {"kty": "EC", "crv": "P-256", "kid": "b", "x": "AA", "y": "AA"},
    {"kty": "OKP", "crv": "Ed25519", "kid": "b", "x": "AA"},
)


@pytest.mark.parametrize("strange", STRANGE_KEYS)
def test_a_key_that_cannot_be_read_leaves_the_others_in_force(strange: dict[str, object]) -> None:
    good = ECKey.generate_key("P-256", {"kid": "a", "use": "sig"}).as_dict(private=False)
    assert [key.kid for key in signing_keys([strange, good]).keys] == ["a"]


def test_without_an_issuer_nobody_opens_escrow(unset: Capitals) -> None:
    answer = unset.escrow("iac_1", "a.b.c")
    assert (answer.status_code, answer.json()["code"]) == (503, "token_issuer_is_configured")


@pytest.mark.parametrize("issuer", ["http://example.org", "https://user@example.org", "ftp://127.0.0.1", ""])
def test_an_unsafe_issuer_stops_the_start(issuer: str) -> None:
    with pytest.raises(ConfigurationError):
        TokenIssuer(issuer, "bookrunner")


def test_escrow_is_opened_once_from_review_alone(capital: Capitals) -> None:
    pending: str = capital.ask().json()["allocation"]
    early = capital.escrow(pending)
    assert (early.status_code, early.json()["code"]) == (409, "transition_is_listed_for_the_keeper")
    assert capital.move(pending, "under_internal_review").status_code == 200
    first, again = capital.escrow(pending, request="same"), capital.escrow(pending, request="same")
    assert first.status_code == again.status_code == 201, first.text
    assert first.json() == again.json()
    assert first.json()["status"] == "escrow_initiated"
    assert again.headers["Idempotent-Replayed"] == "true"
    other = capital.escrow(pending, request="same", settlement_due_at=DUE.replace("T17", "T18"))
    assert (other.status_code, other.json()["code"]) == (422, "request_key_has_one_body")
    twice = capital.escrow(pending)
    assert (twice.status_code, twice.json()["code"]) == (409, "transition_is_listed_for_the_keeper")
    (actor,) = capital.one(
        "select actor from audit.event where subject = %s and kind = 'allocation.escrow_initiated'", pending
    )
    assert actor == "oidc:escrow-desk-7"
    late = capital.move(pending, "cancelled", because="too late")
    assert (late.status_code, late.json()["code"]) == (409, "transition_is_listed_for_the_keeper")


def test_escrow_is_due_later_and_repeatable(capital: Capitals) -> None:
    allocation = reviewed(capital)
    past = capital.escrow(allocation, settlement_due_at="2020-01-01T00:00:00Z")
    assert (past.status_code, past.json()["code"]) == (409, "settlement_is_due_in_the_future")
    nameless = capital.escrow(allocation, request="a b")
    assert (nameless.status_code, nameless.json()["code"]) == (400, "write_carries_an_idempotency_key")
    other = capital.escrow(allocation, investment=capital.world.id("inv", 201))
    assert other.json()["code"] == "escrow_is_for_an_investment_of_the_entity"
