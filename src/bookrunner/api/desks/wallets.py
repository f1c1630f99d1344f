"""Wallets: the portal asks for proof of control and claims; the transfer agent reads whose an address is."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from bookrunner.adapters.chain import Chain, parse_address
from bookrunner.api.caller import Called, Decided, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, InvestorId, Nothing, OfferId, Shape
from bookrunner.api.shapes.acts import ChallengeIssued, WalletClaimed
from bookrunner.api.shapes.decided import WalletMoved
from bookrunner.api.shapes.papers import Wallets
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.engine import Desk
from bookrunner.engine.intake import asked_again, challenge_facts, wallet_challenge, wallet_proof

_CREATED = 201
_MappingId = Annotated[str, StringConstraints(pattern="^[a-z]{3}_[0-9A-Za-z_]{1,64}$")]


class Asked(Shape):
    """Whose wallet, its address as the person wrote it, and the domain that the person sees."""

    investor: InvestorId
    address: Annotated[str, StringConstraints(max_length=100)]
    domain: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9.-]+(:[0-9]{1,5})?$", max_length=255)]


class Signed(Shape):
    """The signature of a challenge, in hex: 65 bytes of a key, or whatever a contract wallet accepts.

    ``controller`` states who holds the key; a custodian is named by its id in the register.
    """

    investor: InvestorId
    challenge: Annotated[str, StringConstraints(pattern="^wch_[0-9A-Za-z_]{1,64}$")]
    signature: Annotated[str, StringConstraints(pattern="^0x([0-9a-fA-F]{2}){1,4096}$")]
    controller: Literal["holder", "custodian"] = "holder"
    custodian: Annotated[str | None, StringConstraints(pattern="^cst_[0-9A-Za-z_]{1,64}$")] = None


class WalletRefusal(Shape):
    """Why a wallet is not taken."""

    because: Because


class WalletLink(Shape):
    """Whether a wallet becomes effective beside the linked one, in place of superseding it."""

    beside: bool = False


def routes(gateway: Gateway, chain: Chain | None) -> APIRouter:
    """Return the routes of an offer's wallets; without ``chain`` no contract wallet can be proved."""
    router = Router(prefix="/v1/offers/{offer}", tags=["wallets"])

    @router.post(
        "/wallet-challenges", operation_id="ask_wallet", response_model=ChallengeIssued, status_code=_CREATED
    )
    async def ask(write: Written, offer: OfferId, body: Asked) -> Response:
        """Return the text that the wallet has to sign within minutes; it serves one claim."""
        await gateway.admitted(write.caller, "portal")
        found = await gateway.read(write.caller, lambda of: of.offer(offering=offer))
        if found is None:
            raise UnknownRecord("offer_exists", f"there is no offer {offer}")
        if found["chain_id"] is None:
            raise Refused("offer_has_its_chain", "its token is not deployed yet")
        asked = wallet_challenge(found, body.investor, body.address, domain=body.domain, ours=())
        facts = challenge_facts((offer, body.investor), asked)
        answer = await gateway.write(
            write,
            "portal",
            "ask_wallet",
            offering=offer,
            challenge=str(facts["challenge"]),
            investor=body.investor,
            words=json.dumps(facts["asked"]),
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/wallets", operation_id="claim_wallet", response_model=WalletClaimed, status_code=_CREATED)
    async def claim(write: Written, offer: OfferId, body: Signed) -> Response:
        """Claim a wallet by the signature of its challenge."""
        await gateway.admitted(write.caller, "portal")
        named = {"offering": offer, "challenge": body.challenge}
        asked = await gateway.read(write.caller, lambda of: of.asked_of_wallet(**named))
        if asked is None:
            raise UnknownRecord("challenge_exists", f"there is no challenge {body.challenge} in {offer}")
        signature = bytes.fromhex(body.signature[2:])
        proof = await gateway.run(lambda: wallet_proof(asked, signature, chain))
        witness = proof["witness"]
        answer = await gateway.write(
            write,
            "portal",
            "claim_wallet",
            **named,
            claim=new_id("wcl"),
            investor=body.investor,
            signature=signature,
            proof_kind=str(proof["proof_kind"]),
            witness=None if witness is None else json.dumps(witness),
            held=json.dumps({"controller": body.controller, "custodian": body.custodian}),
        )
        answer.status_code = _CREATED
        return answer

    @router.get("/wallets", operation_id="list_wallets")
    async def listed(
        caller: Called, offer: OfferId, address: str | None = None, investor: str | None = None
    ) -> Wallets:
        """List the wallets of an offer, of one address or of one holder, with dates and states."""
        await gateway.admitted(caller, "registry")
        wanted = None if address is None else parse_address(address)
        rows = await gateway.read(
            caller, lambda of: list(of.wallet_claims(offering=offer, address=wanted, investor=investor))
        )
        return {"wallets": [dict(row) for row in rows]}

    _steps(router, gateway, chain)
    return router


def _steps(router: APIRouter, gateway: Gateway, chain: Chain | None) -> None:
    """Add what the transfer agent does with a claimed wallet, on the version that was seen."""
    desk = Desk(gateway.database)

    async def step(write: Write, offer: str, mapping: str, **said: str | None) -> Response:
        on = {"offering": offer, "mapping": mapping, "version": write.decided_on, "because": None}
        return await gateway.write(write, "registry", "move_wallet", **{**on, "witness": None, **said})

    @router.post("/wallets/{mapping}/approvals", operation_id="approve_wallet", response_model=WalletMoved)
    async def approved(
        write: Decided, offer: OfferId, mapping: _MappingId, _: Nothing | None = None
    ) -> Response:
        """Record the issuer's consent to a screened wallet; another person links it."""
        return await step(write, offer, mapping, act="approve")

    @router.post("/wallets/{mapping}/refusals", operation_id="reject_wallet", response_model=WalletMoved)
    async def rejected(write: Decided, offer: OfferId, mapping: _MappingId, body: WalletRefusal) -> Response:
        """Refuse a wallet before it is linked, with the reason."""
        return await step(write, offer, mapping, act="reject", because=body.because)

    @router.post("/wallets/{mapping}/links", operation_id="link_wallet", response_model=WalletMoved)
    async def linked(write: Decided, offer: OfferId, mapping: _MappingId, body: WalletLink) -> Response:
        """Make an approved wallet effective; its proof is computed again, and a contract is asked again."""
        await gateway.admitted(write.caller, "registry")
        witness = await gateway.run(lambda: asked_again(desk, chain, offer, mapping))
        said = None if witness is None else json.dumps(witness)
        return await step(write, offer, mapping, act="join" if body.beside else "link", witness=said)
