"""Who holds the key of a wallet; wallets whose key the platform holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bookrunner.adapters.chain import checksum
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.core.errors import Refused

if TYPE_CHECKING:
    from bookrunner.app import Application


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
