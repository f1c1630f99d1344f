"""What is checked before anything is signed: the chain at a start, token and keys before each delivery."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from bookrunner.adapters.chain import (
    Chain,
    NodeRefused,
    Read,
    compliance_contract,
    compliance_implementation,
    decimals,
    identity_registry,
    implementation_authority,
    is_agent,
    registry_implementation,
    token_implementation,
)
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Keeper
from bookrunner.engine.issuance.submission import ACTOR, Keys


def check_chain(registry: Keeper, chain: Chain, chain_id: int) -> None:
    """Refuse to start on another chain, or behind a node that lacks final blocks which we have seen.

    Refuses what `Chain.check` refuses; raises ChainAnswerInvalid where the network knows no final block.
    """
    seen = registry.highest_final(chain_id=chain_id, incarnation=chain.genesis())
    chain.check(chain_id, finalized_seen=int(seen))


class TokenCheck:
    """Compares an offer's token and our keys with the record; code is read once for each address."""

    def __init__(self, registry: Keeper, chain: Chain, keys: Keys, target: tuple[str, bytes]) -> None:
        self._registry = registry
        self._chain = chain
        self._keys = keys
        self._offering, self._token = target
        self._hashes: dict[bytes, bytes] = {}

    def look(self) -> None:
        """Refuse ``token_is_as_recorded`` when something changed; a first look makes the record.

        A change stops the deliveries of the offer until two people acknowledge it (`start_again`).
        """
        changed = self._registry.compare_token(
            actor=ACTOR, offering=self._offering, stop=new_id("stp"), found=json.dumps(self._found())
        )
        if changed:
            warn("deliveries are stopped", offering=self._offering, rule="token_is_as_recorded")
            raise Refused("token_is_as_recorded", f"{self._offering}: {', '.join(changed)}")

    def _found(self) -> dict[str, object]:
        token, agent = self._token, self._keys.agent.address
        identities, rules = self._chain.read([identity_registry(token), compliance_contract(token)])
        roles = self._chain.read([is_agent(token, agent), is_agent(identities, agent)])
        chain_id = self._chain.chain_id()
        codes = self._codes(
            {
                token: token_implementation,
                identities: registry_implementation,
                rules: compliance_implementation,
            }
        )
        return {
            "chain_id": chain_id,
            "token_code": codes[token],
            "identity_registry": identities.hex(),
            "identity_registry_code": codes[identities],
            "compliance": rules.hex(),
            "compliance_code": codes[rules],
            "agent_of_the_token": roles[0],
            "agent_of_the_registry": roles[1],
            "decimals": self._chain.read([decimals(token)])[0],
            "foreign_nonces": self._foreign_nonces(chain_id),
        }

    def _foreign_nonces(self, chain_id: int) -> dict[str, int]:
        """Return what the chain counts for each key of ours that has sent more than we signed."""
        # The chain is asked first: what we sign meanwhile is counted by the books alone.
        counted = {
            key.address: self._chain.nonce(key.address) for key in (self._keys.agent, self._keys.treasury)
        }
        rows = self._registry.next_nonces(chain_id=chain_id)
        ours = {bytes(row["address"]): row["next_nonce"] for row in rows}
        return {at.hex(): n for at, n in sorted(counted.items()) if n > ours.get(at, 0)}

    def _codes(self, contracts: Mapping[bytes, Callable[[bytes], Read[bytes]]]) -> dict[bytes, str]:
        """Return for each contract the hash of the code that runs behind it.

        Two proxies of one factory have the same code, and an upgrade leaves it unchanged: their
        implementation authority is followed. A contract without one runs its own.
        """
        try:
            authorities = self._chain.read([implementation_authority(contract) for contract in contracts])
            asked = zip(contracts.values(), authorities, strict=True)
            behind = self._chain.read([implementation(at) for implementation, at in asked])
        except NodeRefused:
            if len(contracts) > 1:
                one_by_one = [self._codes({contract: asks}) for contract, asks in contracts.items()]
                return {contract: code for found in one_by_one for contract, code in found.items()}
            behind = list(contracts)
        return {contract: self._code(runs) for contract, runs in zip(contracts, behind, strict=True)}

    def _code(self, contract: bytes) -> str:
        if contract not in self._hashes:
            self._hashes[contract] = self._chain.code_hash(contract)
        return self._hashes[contract].hex()
