# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: wallets."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from bookrunner.client.records import Record, Sent


class Asked(Sent):
    """Whose wallet, its address as the person wrote it, and the domain that the person sees."""

    address: str
    domain: str
    investor: str


class ChallengeIssued(Record):
    """The text that a wallet has to sign, and until when."""

    expires_at: str
    id: str
    investor: str
    message: str
    offer: str
    status: str
    version: str


class Signed(Sent):
    """The signature of a challenge, in hex: 65 bytes of a key, or whatever a contract wallet accepts.

    `controller` states who holds the key; a custodian is named by its id in the register.
    """

    challenge: str
    investor: str
    signature: str
    controller: Literal["holder", "custodian"] | None = None
    custodian: str | None = None


class WalletClaimed(Record):
    """A claimed wallet, and how its control was proved."""

    challenge: str
    id: str
    investor: str
    offer: str
    proof: str
    status: str
    version: str


class WalletLink(Sent):
    """Whether a wallet becomes effective beside the linked one, in place of superseding it."""

    beside: bool | None = None


class WalletMoved(Record):
    """A wallet of the register after a step."""

    id: str
    investor: str
    offer: str
    status: str
    version: str


class WalletRefusal(Sent):
    """Why a wallet is not taken."""

    because: str


class Wallets(Record):
    """Wallets with the dates of their steps."""

    wallets: list[dict[str, JsonValue]]
