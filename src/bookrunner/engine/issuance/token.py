"""The token of an offer: contracts deployed, treasury registered, units minted, all from stored bytes."""

from __future__ import annotations

from pathlib import Path

from bookrunner.adapters.chain import (
    Chain,
    SuitePlan,
    deployment,
    identity_registry,
    mint,
    register_batch,
    token_of,
    unpause,
)
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance.submission import Keys, Submitter

# The treasury wallet is the issuer's own, and offers are made under the rules of the United States.
ISSUER_COUNTRY = "US"


def deploy_token(desk: Desk, signing: tuple[Chain, Keys, Submitter], plan: tuple[Path, str, int]) -> bytes:
    """Deploy the contracts of a legally accepted offer, mint its units to its treasury wallet.

    Returns the token's address. ``plan`` holds the folder of contract artifacts, the offer's id and its whole
    units. Refuses
    ``deployer_is_fresh`` when the agent's key has been used on this chain before.
    """
    chain, keys, submitter = signing
    artifacts, offering, units = plan
    agent, chain_id = keys.agent, chain.chain_id()
    for signer, purpose in ((agent, "agent"), (keys.treasury, "treasury")):
        desk.registry.open_key(actor=PROCESS, chain_id=chain_id, address=signer.address, purpose=purpose)
    agents = (agent.address,)
    suite = SuitePlan(offering, agent.address, "Offered units", "UNIT", agents, agents)
    steps = deployment(artifacts, agent.address, 0, suite)
    if chain.nonce(agent.address) != 0:
        raise Refused("deployer_is_fresh", "the agent's key has sent transactions on this chain")
    terms = submitter.terms()
    with desk.registry.together() as within:
        for step in steps:
            order = _order(offering, "deploy", step.to, step.data)
            submitter.store(within, agent, order | {"gas": step.gas, "terms": terms}, [])
    submitter.send_unfinished(offering)
    submitter.settle(offering, None)
    factory = next(step.creates for step in steps if step.name == "factory")
    if factory is None:
        raise Refused("deployment_makes_a_factory", offering)
    (token,) = chain.read([token_of(factory, offering)])
    (registry,) = chain.read([identity_registry(token)])
    treasury = keys.treasury.address
    calls = (
        (
            "identity",
            registry,
            register_batch([(treasury, treasury, country_number(ISSUER_COUNTRY))]),
            500_000,
        ),
        ("mint", token, mint(treasury, units), 500_000),
        ("unpause", token, unpause(), 100_000),
    )
    for purpose, to, data, gas in calls:
        submitter.submit(agent, _order(offering, purpose, to, data) | {"gas": gas})
        submitter.settle(offering, None)
    desk.engine.name_token(
        actor=PROCESS, offering=offering, chain_id=chain_id, token=token, treasury=treasury
    )
    return token


def _order(offering: str, purpose: str, to: bytes | None, data: bytes) -> dict[str, object]:
    return {"offering": offering, "purpose": purpose, "intent": new_id("int"), "to": to, "data": data}
