# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: ownership."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Sent


class StatedOwner(Sent):
    """Somebody behind an entity, under an id of this statement alone."""

    id: str
    name: str
    controls: bool | None = None
    kind: Literal["person", "entity"] | None = None


class StatedShare(Sent):
    """A direct share in basis points; `owned` is the investor itself or somebody who is stated."""

    owned: str
    owner: str
    share_bp: int


class StatedOwnership(Sent):
    """Who is behind an entity, and the word of the account's person that it is complete and correct."""

    account: str
    certified: bool
    people: list[StatedOwner]
    shares: list[StatedShare]
