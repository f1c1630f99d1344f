"""The authority matrix at the door: each call is looked up in it, and a refusal names who could."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, TypeVar

from fastapi import Request

from bookrunner.api.access.limits import Limits
from bookrunner.core.credentials import digest_of_token
from bookrunner.core.errors import NotAllowed, NotAuthenticated
from bookrunner.core.ids import new_id
from bookrunner.db import Endpoint, Row, load
from bookrunner.db.catalog import session

if TYPE_CHECKING:
    from bookrunner.adapters.identity import Claims, TokenVerifier
    from bookrunner.api.caller import Caller
    from bookrunner.api.gateway import Gateway

STANDS_SECONDS: Final = 60.0
"""For so long a process remembers what a key may call; that the key is in force is asked with each call."""
REMEMBERED: Final = 4096
SCOPE: Final = "bookrunner:"
"""What a scope of a token begins with; an operation, an area, ``read`` or ``act`` follows."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Admission:
    """What one key may call; no offers and no networks mean that it is not limited to any."""

    operations: frozenset[str]
    offers: frozenset[str] | None
    networks: tuple[IPv4Network | IPv6Network, ...] | None
    until: float


class Door:
    """Admits each call by the matrix and the scope of its key."""

    def __init__(self, gateway: Gateway) -> None:
        self.limits = Limits()
        self._gateway = gateway
        self._queries = load(__package__)
        self._known: OrderedDict[bytes, Admission] = OrderedDict()
        self.tokens: TokenVerifier | None = None
        self._vouched: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    async def keeper_of(self, request: Request, token: str) -> tuple[str, bytes]:
        """Return the keeper that the client of a token calls for, and the digest that stands for the token.

        A token is verified and bound to its client once a minute; each statement of a call asks whether it is
        in force. Raises NotAuthenticated, NotReady, TooManyCalls and NotAllowed ``token_names_a_client``.
        """
        if self.tokens is None:
            raise NotAuthenticated("credential_is_in_force", "no OpenID provider is set up for tokens")
        if not token.isascii():
            raise NotAuthenticated("credential_is_in_force", "it is no signed token")
        token_digest = digest_of_token(token)
        keeper, until = self._vouched.get(token_digest, ("", 0.0))
        if until <= time.monotonic():
            self.limits.meet_address(request.scope)
            claims = await self.tokens.vouch(token)
            keeper = await self._gateway.run(partial(self._accepted, claims, token_digest))
            _remember(self._vouched, token_digest, (keeper, time.monotonic() + STANDS_SECONDS))
        return keeper, token_digest

    def _accepted(self, claims: Claims, token_digest: bytes) -> str:
        named = {"issuer": claims.issuer, "subject": claims.subject}
        with self._gateway.database.transaction("engine") as transaction:
            keeper: str | None = self._queries.client_keeper(transaction, **named)
        if keeper is None:
            raise NotAllowed("token_names_a_client", "two people bind a subject to a client first")
        actions = [scope.removeprefix(SCOPE) for scope in claims.scopes if scope.startswith(SCOPE)]
        with self._gateway.database.transaction(keeper) as transaction:
            self._queries.accept_token(
                transaction, token=token_digest, actions=actions, ends=claims.ends_at, **named
            )
        return keeper

    async def admit(self, request: Request, caller: Caller, operation: str) -> None:
        """Let a call through.

        Raises TooManyCalls, NotAuthenticated, and NotAllowed ``key_serves_this_keeper``,
        ``key_of_an_investor_reaches_its_own_alone``, ``key_has_this_action``, ``key_reveals_this_tier``,
        ``key_reaches_this_offer`` or ``key_calls_from_its_networks``; each refusal is kept.
        """
        known = self._known.get(caller.key_sha256)
        if known is None or known.until <= time.monotonic():
            # Until the database knows the key, it is nobody's.
            self.limits.meet_address(request.scope)
            known = await self._asked(caller)
        self.limits.meet_key(request, caller.key_sha256)
        if operation not in known.operations:
            await self._refuse(request, caller, operation)
        if known.networks is not None and not _is_from(request, known.networks):
            await self._refuse(request, caller, operation, "key_calls_from_its_networks")
        if known.offers is not None and not await self._reaches(request, caller, known.offers):
            await self._refuse(request, caller, operation, "key_reaches_this_offer")

    async def _asked(self, caller: Caller) -> Admission:
        row = await self._gateway.run(partial(self._row, caller))
        offers, networks = row["offers"], row["networks"]
        known = Admission(
            frozenset(row["operations"]),
            None if offers is None else frozenset(offers),
            None if networks is None else tuple(map(ip_network, networks)),
            time.monotonic() + STANDS_SECONDS,
        )
        _remember(self._known, caller.key_sha256, known)
        return known

    def _row(self, caller: Caller) -> Row:
        with self._gateway.database.transaction(caller.keeper) as transaction:
            row: Row = self._queries.admit(transaction, key=caller.key_sha256)
        return row

    async def _refuse(
        self, request: Request, caller: Caller, operation: str, rule: str | None = None
    ) -> None:
        asked = request.headers.get("idempotency-key", "")[:128] or new_id("req")

        def kept() -> Row:
            with self._gateway.database.transaction(caller.keeper) as transaction:
                row: Row = self._queries.refuse_call(
                    transaction, key=caller.key_sha256, operation=operation, request=asked, rule=rule
                )
            return row

        row = await self._gateway.run(kept)
        raise NotAllowed(row["rule"], row["detail"])

    async def _reaches(self, request: Request, caller: Caller, offers: frozenset[str]) -> bool:
        """Whether a call names offers of the scope alone, by themselves or by a record of theirs.

        Only what the operation reads names one: anything else would open it without narrowing it.
        """
        declared = getattr(request.scope.get("route"), "dependant", None)
        asked = {each.alias for each in declared.query_params} if declared is not None else set()
        named = set(request.query_params.getlist("offer")) if "offer" in asked else set()
        if "offer" in request.path_params:
            named.add(request.path_params["offer"])
        # A body that is read refuses a field that it does not know.
        body = _read(await request.body()) if declared is not None and declared.body_params else {}
        if "offer" in body:
            named.add(body["offer"] if isinstance(body["offer"], str) else "")
        records = {name: request.path_params.get(name) for name in ("investment", "agreement")}
        if any(records.values()):
            named.add(await self._gateway.run(partial(self._offer_of, caller, records)))
        return bool(named) and named <= offers

    def _offer_of(self, caller: Caller, records: dict[str, str | None]) -> str:
        with self._gateway.database.transaction(caller.keeper) as transaction:
            return self._queries.offer_of(transaction, **records) or ""


def authority(endpoint: Endpoint) -> Sequence[Row]:
    """Return the matrix: each operation with its roles, what it reveals, its verbs and its four eyes."""
    with session(endpoint.owner_dsn()) as connection:
        found: Sequence[Row] = load(__package__).authority(connection)
    return found


def _remember(known: OrderedDict[bytes, T], of: bytes, what: T) -> None:
    known[of] = what
    known.move_to_end(of)
    while len(known) > REMEMBERED:
        known.popitem(last=False)


def _is_from(request: Request, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether the peer of a call is in a network; a name in place of an address is in none."""
    try:
        peer = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(peer in network for network in networks)


def _read(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
