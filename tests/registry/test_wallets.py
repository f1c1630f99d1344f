"""Proof of control of a wallet over the API, and changes of a wallet step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.chain.wallets import checksum, recover
from bookrunner.api import api
from bookrunner.books import portal, registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from bookrunner.engine import Desk, Process
from bookrunner.engine.intake import prove_again
from tests.api.conftest import Api, problem
from tests.attack.world import CHAIN, Connect, World
from tests.serving import serving

DOMAIN = "portal.example.test"
KEY = LocalKey(b"\x11" * 32, chain_id=CHAIN)
OTHER = LocalKey(b"\x12" * 32, chain_id=CHAIN)


@dataclass
class Wallets:
    """The API and what investors ask of it."""

    calls: Api
    challenges: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, n: int = 1, address: str = "", **said: str) -> dict[str, Any]:
        """Ask for a challenge of an investor's wallet."""
        world = self.calls.world
        body = {"investor": world.id("ivr", n), "address": address or checksum(KEY.address), "domain": DOMAIN}
        answer = self.calls.post(
            f"/v1/offers/{world.offering}/wallet-challenges", body, keeper="portal", **said
        )
        found: dict[str, Any] = answer.json()
        return found

    def claim(self, challenge: str, signature: bytes, n: int = 1, offer: str = "") -> Any:  # noqa: ANN401
        """Claim with a signature; return the answer."""
        body = {
            "investor": self.calls.world.id("ivr", n),
            "challenge": challenge,
            "signature": "0x" + signature.hex(),
        }
        where = offer or self.calls.world.offering
        return self.calls.post(f"/v1/offers/{where}/wallets", body, keeper="portal")


@pytest.fixture
def wallets(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Wallets]:
    world = World(connect).build("profiled")
    with serving(api(database)) as url:
        yield Wallets(Api(url, endpoint, world))


def test_a_wallet_is_claimed_by_the_signature_of_its_challenge(wallets: Wallets, database: Database) -> None:
    asked = wallets.ask()
    lines = asked["message"].splitlines()
    assert lines[:2] == [f"{DOMAIN} wants you to sign in with your Ethereum account:", checksum(KEY.address)]
    assert lines[3] == "I claim this wallet for ivr_one1 in ofr_one."
    assert f"Chain ID: {CHAIN}" in lines
    answer = wallets.claim(asked["id"], KEY.sign_text(asked["message"]))
    assert (answer.status_code, answer.json()["proof"]) == (201, "key")
    again = wallets.claim(asked["id"], KEY.sign_text(asked["message"]))
    assert problem(again)["code"] == "one_proof_serves_once"
    stored = portal.keeper(database).wallet_proof(offering="ofr_one", claim=answer.json()["id"])
    assert recover(stored["message"], bytes(stored["signature"])) == KEY.address
    mapping, silent = {"proof_kind": "key", "address": stored["address"]}, EvmChain("http://127.0.0.1:9")
    assert prove_again(silent, mapping, stored) is None
    forged = {**stored, "message": stored["message"].replace("ivr_one1", "ivr_one2")}
    for other in (forged, None):
        with pytest.raises(Refused, match="wallet_proof_is_valid"):
            prove_again(silent, mapping, other)
    with pytest.raises(Refused, match="wallet_proof_is_valid"):
        prove_again(silent, {**mapping, "address": b"\x07" * 20}, stored)


def test_a_challenge_is_repeated_under_its_key_and_fresh_otherwise(wallets: Wallets) -> None:
    first, again = wallets.ask(request="ask-1"), wallets.ask(request="ask-1")
    assert first == again
    assert wallets.ask()["message"] != first["message"]


def test_a_foreign_signature_is_refused_by_its_name(wallets: Wallets, connect: Connect) -> None:
    asked = wallets.ask()
    text = asked["message"]
    foreign = {
        "wallet_proof_is_valid": (OTHER.sign_text(text), 1, ""),
        "challenge_names_investor_and_offer": (KEY.sign_text(text), 2, ""),
        "challenge_exists": (KEY.sign_text(text), 1, "ofr_two"),
        "wallet_signature_is_65_bytes": (b"\x01", 1, ""),
    }
    World(connect, "two").build("published")
    for rule, (signature, n, offer) in foreign.items():
        assert problem(wallets.claim(asked["id"], signature, n, offer))["code"] == rule
    changed = text.replace("ofr_one", "ofr_two")
    assert problem(wallets.claim(asked["id"], KEY.sign_text(changed)))["code"] == "wallet_proof_is_valid"
    assert wallets.claim(asked["id"], KEY.sign_text(text)).status_code == 201


def test_an_expired_challenge_is_refused(wallets: Wallets) -> None:
    world = wallets.calls.world
    old = {"issued_at": "2026-03-02T09:00:00Z", "expires_at": "2026-03-02T09:10:00Z"}
    asked = world.asked("wch_old", "ivr_one1", KEY.address, **old)
    world.call("portal.issue_challenge", world.offering, "wch_old", "ivr_one1", asked)
    answer = wallets.claim("wch_old", KEY.sign_text(str(asked["message"])))
    assert problem(answer)["code"] == "challenge_has_not_expired"


def test_a_mistyped_or_reserved_address_is_not_asked(wallets: Wallets) -> None:
    written = checksum(KEY.address)
    place = next(i for i, sign in enumerate(written) if i > 1 and sign.isalpha())
    bad = {
        written[:place] + written[place].swapcase() + written[place + 1 :]: "wallet_checksum_is_valid",
        "0x" + "02" * 20: "wallet_is_not_reserved",
    }
    for text, rule in bad.items():
        assert wallets.ask(address=text)["code"] == rule


def test_only_the_portal_claims_and_only_the_agent_looks(wallets: Wallets, database: Database) -> None:
    calls, path = wallets.calls, f"/v1/offers/{wallets.calls.world.offering}/wallets"
    assert problem(calls.get(path, "portal"))["code"] == "key_serves_this_keeper"
    asked = wallets.ask()
    assert wallets.claim(asked["id"], KEY.sign_text(asked["message"])).status_code == 201
    Process(Desk(database)).drain()
    of_one = {"address": checksum(KEY.address), "investor": "ivr_one1"}
    for name, value in of_one.items():
        (found,) = calls.get(f"{path}?{name}={value}", "registry").json()["wallets"]
        assert found["investor_id"] == "ivr_one1", name
    assert calls.get(f"{path}?investor=ivr_one2", "registry").json()["wallets"] == []
    asked = wallets.ask()
    body = {"investor": "ivr_one1", "challenge": asked["id"], "signature": "0x01"}
    assert problem(calls.post(path, body, keeper="registry"))["code"] == "key_serves_this_keeper"


def test_a_changed_wallet_takes_effect_at_its_last_step(database: Database, connect: Connect) -> None:
    world = World(connect).build("linked")
    keeper, where = registry.keeper(database), {"offering": "ofr_one"}
    world.claim_wallet("wcl_new", "ivr_one1", KEY.address)
    Process(Desk(database)).drain()

    def standing() -> list[tuple[str, bool, str | None]]:
        rows = keeper.wallet_history(**where, investor="ivr_one1", address=None)
        return [(row["status"], row["is_effective"], row["missing_step"]) for row in rows]

    old = ("linked", True, None)
    assert standing() == [old, ("claimed", False, "screening")]
    new = keeper.wallet_history(**where, investor=None, address=KEY.address)[0]
    assert new["effective_address"] == world.address(1)
    on = where | {"mapping": new["mapping_id"]}
    with pytest.raises(Refused, match="transition_is_listed"):
        keeper.approve_wallet(actor="issuer.iris", **on)
    keeper.mark_screened(actor="process", **on, screening_fact="scr_new@1")
    assert standing() == [old, ("screened", False, "issuer_consent")]
    with pytest.raises(Refused, match="holder_does_not_approve"):
        keeper.approve_wallet(actor="ivr_one1", **on)
    keeper.approve_wallet(actor="issuer.iris", **on)
    assert standing() == [old, ("issuer_approved", False, "agent_link")]
    with pytest.raises(Refused, match="wallet_is_linked_by_another"):
        keeper.link_wallet(actor="issuer.iris", **on, witness=None)
    keeper.link_wallet(actor="agent.theo", **on, witness=None)
    assert standing() == [("superseded", False, None), old]
    first = keeper.wallet_history(**where, investor=None, address=world.address(1))[0]
    assert (first["superseded_by"], first["ended_by"]) == (new["mapping_id"], "agent.theo")
    assert first["linked_at"] <= first["ended_at"]
    with pytest.raises(Refused, match="transition_is_listed"):
        keeper.link_wallet(actor="agent.theo", **where, mapping=first["mapping_id"], witness=None)


def test_a_wallet_ends_without_a_successor(database: Database, connect: Connect) -> None:
    World(connect).build("linked")
    keeper = registry.keeper(database)
    keeper.revoke_wallet(actor="agent.theo", offering="ofr_one", mapping="wmp_one1")
    (row,) = keeper.wallet_history(offering="ofr_one", investor="ivr_one1", address=None)
    assert (row["status"], row["ended_by"], row["is_effective"]) == ("revoked", "agent.theo", False)
