"""Who holds the key of a wallet; wallets whose key the platform holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bookrunner.adapters.chain import checksum, parse_address
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.chain.remote import RemoteKey
from bookrunner.app.settings import SigningService
from bookrunner.core.errors import ConfigurationError, Refused
from bookrunner.engine.issuance import Keys

if TYPE_CHECKING:
    from bookrunner.app import Application

_PAYER: Final = "payer."


class Held(NamedTuple):
    """Who controls the key of a wallet: ``holder``, ``platform``, or ``custodian`` with its id."""

    controller: str
    custodian: str | None = None


BY_THE_HOLDER: Final = Held("holder")
_BY_THE_PLATFORM: Final = Held("platform")


def embed_wallet(
    application: Application, keys: tuple[Path, bool], on: tuple[str, str], *, domain: str
) -> str:
    """Make a wallet whose key the platform holds, claim it for (offering, investor), return the claim's id.

    ``keys`` is the folder of the agent's keys and whether the chain is the embedded one. An investor has one
    such key.
    Refuses ``local_key_serves_the_embedded_chain_only`` and what `Application.claim_wallet` refuses.
    """
    offering, investor = on
    folder, embedded = keys
    chain_id = application.chain.chain_id()
    key = LocalKey.open(folder, f"holder-{investor}", chain_id=chain_id, embedded=embedded)
    challenge, text = application.wallet_challenge(offering, investor, checksum(key.address), domain=domain)
    signature = key.sign_text(text)
    return application.claim_wallet(offering, investor, challenge, signature, held=_BY_THE_PLATFORM)


def export_wallet(investor: str) -> bytes:
    """Refuse to give out the key of an embedded wallet, because nobody proves again who asks.

    Refuses ``wallet_key_leaves_after_step_up``, always.
    """
    raise Refused("wallet_key_leaves_after_step_up", f"whoever asks for {investor} is not proved again")


def open_keys(folder: Path, chain_id: int, *, embedded: bool) -> Keys:
    """Open the key files of agent and treasury, and of an offer's payer, each made at its first use."""

    def opened(name: str) -> LocalKey:
        return LocalKey.open(folder, name, chain_id=chain_id, embedded=embedded)

    return Keys(opened("agent"), opened("treasury"), lambda offering: opened(f"{_PAYER}{offering}"))


def remote_keys(signers: Mapping[str, SigningService], chain_id: int) -> Keys:
    """Return the keys of signing services.

    Raises ConfigurationError unless both the agent's and the treasury's are named, each with its own address,
    and beside them nothing but ``payer.OFFER``.
    """
    if not {"agent", "treasury"} <= set(signers) or not all(
        name in {"agent", "treasury"} or name.startswith(_PAYER) for name in signers
    ):
        raise ConfigurationError("BOOKRUNNER_SIGNERS names an agent and a treasury")
    keys = {
        name: RemoteKey(at.url.get_secret_value(), parse_address(at.address), chain_id=chain_id)
        for name, at in signers.items()
    }
    if len({key.address for key in keys.values()}) != len(keys):
        raise ConfigurationError("BOOKRUNNER_SIGNERS names one address twice")
    return Keys(keys["agent"], keys["treasury"], lambda offering: keys.get(f"{_PAYER}{offering}"))
