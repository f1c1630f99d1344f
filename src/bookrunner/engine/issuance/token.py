"""The token of an offer: contracts deployed, treasury registered, units minted, from bytes stored once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bookrunner.adapters.chain import (
    Chain,
    DeployStep,
    SuitePlan,
    deployment,
    further_suite,
    identity_registry,
    keccak,
    mint,
    register_batch,
    token_of,
    unpause,
)
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance.checks import TokenCheck
from bookrunner.engine.issuance.submission import Keys, Submitter

# The treasury wallet is the issuer's own, and offers are made under the rules of the United States.
ISSUER_COUNTRY = "US"

_NO_CODE = keccak(b"")


class _Call(NamedTuple):
    """One transaction to be stored: a purpose of the offer, and which of that purpose it is."""

    purpose: str
    to: bytes | None
    data: bytes
    gas: int
    number: int = 0


def deploy_token(desk: Desk, signing: tuple[Chain, Keys, Submitter], plan: tuple[Path, str, int]) -> bytes:
    """Deploy the contracts of a legally accepted offer, mint its units to its treasury wallet.

    Returns the token's address. ``plan`` holds the folder of contract artifacts, the offer's id and its whole
    units. May be repeated after any crash: what was stored before is sent again and nothing is signed twice.
    A further offer gets its suite from the factory of the first. Refuses ``deployer_is_fresh`` when the
    agent's key was used on this chain without us, and ``stored_deployment_went_through`` when the chain
    refused or lost a part of it.
    """
    chain, keys, _ = signing
    artifacts, offering, units = plan
    named = desk.offer(offering)["token_address"]
    if named is not None:
        return bytes(named)
    chain_id = chain.chain_id()
    for signer, purpose in ((keys.agent, "agent"), (keys.treasury, "treasury")):
        desk.registry.open_key(actor=PROCESS, chain_id=chain_id, address=signer.address, purpose=purpose)
    agent = keys.agent.address
    suite = SuitePlan(offering, agent, "Offered units", "UNIT", (agent,), (agent,))
    steps = deployment(artifacts, agent, 0, suite)
    factory = next(step.creates or b"" for step in steps if step.name == "factory")
    deploying = _Deploying(desk, signing, offering)
    if not deploying.is_stored("deploy"):
        if chain.code_hash(factory) != _NO_CODE:
            steps = [further_suite(factory, chain.nonce(agent), suite)]
        elif chain.nonce(agent) != 0:
            raise Refused("deployer_is_fresh", "the agent's key has sent transactions on this chain")
        deploying.store([_deployed(step, number) for number, step in enumerate(steps)])
    deploying.settle()
    (token,) = chain.read([token_of(factory, offering)])
    (registry,) = chain.read([identity_registry(token)])
    treasury = keys.treasury.address
    country = country_number(ISSUER_COUNTRY)
    for call in (
        _Call("identity", registry, register_batch([(treasury, treasury, country)]), 500_000),
        _Call("mint", token, mint(treasury, units), 500_000),
        _Call("unpause", token, unpause(), 100_000),
    ):
        if not deploying.is_stored(call.purpose):
            deploying.store([call])
        deploying.settle()
    TokenCheck(desk.registry, chain, keys, (offering, token)).look()
    desk.engine.name_token(
        actor=PROCESS, offering=offering, chain_id=chain_id, token=token, treasury=treasury
    )
    return token


class _Deploying:
    """What is stored of one offer's deployment; an intent is named after what it does."""

    def __init__(self, desk: Desk, signing: tuple[Chain, Keys, Submitter], offering: str) -> None:
        self._desk = desk
        self._chain, self._keys, self._submitter = signing
        self._offering = offering

    def is_stored(self, purpose: str) -> bool:
        return any(row["purpose"] == purpose for row in self._intents())

    def store(self, calls: Sequence[_Call]) -> None:
        """Sign and store all of them in one transaction; refuses ``intent_is_signed_once``."""
        terms = self._submitter.terms()
        with self._desk.registry.together() as within:
            for call in calls:
                order = {
                    "offering": self._offering,
                    "purpose": call.purpose,
                    "intent": f"int_{self._offering[4:]}_{call.purpose}_{call.number}",
                    "to": call.to,
                    "data": call.data,
                    "gas": call.gas,
                    "terms": terms,
                }
                self._submitter.store(within, self._keys.agent, order, [])

    def settle(self) -> None:
        """Send what is stored until it is final; refuses ``stored_deployment_went_through``."""
        self._submitter.send_unfinished(self._offering)
        self._submitter.settle(self._offering, None)
        for row in self._intents():
            if not row["is_final"]:
                raise Refused("stored_deployment_went_through", f"{row['intent_id']} did not")

    def _intents(self) -> Sequence[Row]:
        found: Sequence[Row] = self._desk.registry.deployment_intents(offering=self._offering)
        return found


def _deployed(step: DeployStep, number: int) -> _Call:
    return _Call("deploy", step.to, step.data, step.gas, number)
