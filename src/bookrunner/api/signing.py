"""What signs packets behind the API, how a signer was known, and a signature that was made before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

from bookrunner.api.caller import Write
from bookrunner.api.shapes import Intent
from bookrunner.books.subscription import Consents, SigningEvidence
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord

if TYPE_CHECKING:
    from bookrunner.adapters.signing import SigningProvider
    from bookrunner.books.subscription import Made, PacketDesk

_MADE_BEFORE = frozenset(
    {"agreement_is_open_for_signature", "agreement_waits_for_the_issuer", "each_signer_signs_once"}
)
Open = Callable[[], "PacketDesk"]
Port = Callable[[str], "SigningProvider"]


def _nobody(name: str) -> SigningProvider:
    raise UnknownRecord("signing_provider_is_known", f"{name} is not set up")


@dataclass(frozen=True, slots=True)
class Signing:
    """What signs packets in this process: its ceremony, its samples, its e-sign providers by their names."""

    desk: Open
    consents: Consents
    signer: Port = _nobody


def made_once(make: Callable[[], Made], party: str | None) -> tuple[dict[str, object], bytes | None]:
    """Return proof and bytes of a signature, or no bytes where it was made before.

    The call may be a repetition then: the statement that writes returns its answer, or refuses for the same
    reason.
    """
    try:
        made = make()
    except Refused as refused:
        if refused.rule not in _MADE_BEFORE:
            raise
        return {"party": party or "investor"}, None
    return made.proof, made.signed.content


def known_as(write: Write, body: Intent, request: Request) -> SigningEvidence:
    """Return how the signer was known: as the caller says who asked it to sign, else by the call itself."""
    if body.evidence is not None:
        said = body.evidence
        return SigningEvidence(said.method, said.address, said.agent, said.session, said.authenticated_at)
    address = "not recorded" if request.client is None else request.client.host
    session = f"key:{write.caller.key_sha256.hex()[:16]}"
    return SigningEvidence(
        "API key", address, request.headers.get("user-agent", "not recorded"), session, clock.now()
    )
