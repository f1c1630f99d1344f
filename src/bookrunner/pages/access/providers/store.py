"""OpenID providers that people sign in with: named by one person, granted by another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bookrunner.adapters.identity import Configurations, Registration, Vouched
from bookrunner.adapters.vault import Vault
from bookrunner.core.errors import NotAuthenticated, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Database, Row, load

_LOGIN = "access"
_SEALED_AS = "secret of a client"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider in force: its id, its name in addresses, what people call it, and what we are there."""

    provider_id: str
    name: str
    title: str
    own: Registration


class Providers:
    """The providers of an installation; each call is one transaction of the login that keeps accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load(__package__)
        self._told = Configurations()

    def propose(self, name: str, title: str, own: Registration, *, actor: str) -> str:
        """Name a provider and return its id; another person grants it.

        The secret is sealed for the provider. Refuses ``provider_name_is_plain``, ``provider_has_a_title``
        and ``provider_name_is_one_providers``.
        """
        provider, safe = new_id("prv"), Vault.of(self._database.endpoint.secrets)
        wrapped = safe.new_key(provider)
        said = {
            "name": name,
            "title": title,
            "token_issuer": own.issuer,
            "client_id": own.client_id,
            "secret": safe.seal(wrapped, provider, _SEALED_AS, own.secret.encode()).hex(),
            "wrapped": wrapped.hex(),
            "strong_acr": sorted(own.strong_acr),
            "strong_amr": sorted(own.strong_amr),
        }
        self._act("propose_provider", actor=actor, provider=provider, said=json.dumps(said))
        return provider

    def grant(self, provider: str, *, actor: str) -> Row:
        """Put the provider of an id in force and return what was granted.

        By its id, since another proposal may have taken the place of the one that was looked at under the
        same name. Refuses ``provider_needs_two_people`` and ``provider_is_proposed``.
        """
        self._act("grant_provider", actor=actor, provider=provider)
        return next(row for row in self.listed() if row["provider_id"] == provider)

    def end(self, provider: str, because: str, *, actor: str) -> None:
        """End the provider of an id, what was linked of it and its sessions.

        By its id, since another provider may have taken the name. Refuses ``provider_is_on_record`` and
        ``ended_provider_says_why``.
        """
        self._act("end_provider", actor=actor, provider=provider, because=because)

    def listed(self) -> Sequence[Row]:
        """Return every provider: name, state, issuer, what counts as two factors, how many have linked it."""
        with self._database.transaction(_LOGIN) as transaction:
            found: Sequence[Row] = self._queries.providers(transaction)
        return found

    def in_force(self, name: str) -> Provider:
        """Return the provider of a name; raises NotAuthenticated ``provider_is_in_force``."""
        with self._database.transaction(_LOGIN) as transaction:
            row: Row | None = self._queries.provider_named(transaction, name=name)
        if row is None or row["status"] != "in_force":
            raise NotAuthenticated("provider_is_in_force", "nobody signs in with this provider")
        safe = Vault.of(self._database.endpoint.secrets)
        secret = safe.open(bytes(row["wrapped"]), row["provider_id"], _SEALED_AS, bytes(row["secret"]))
        strong = frozenset(row["strong_acr"]), frozenset(row["strong_amr"])
        own = Registration(row["token_issuer"], row["client_id"], secret.decode(), *strong, told=self._told)
        return Provider(row["provider_id"], row["name"], row["title"], own)

    def subject_of(self, provider: Provider, vouched: Vouched) -> bytes:
        """Return the keyed digest of who somebody is at a provider: of issuer and subject together."""
        return self._blind(provider, vouched.subject)

    def _blind(self, provider: Provider, subject: str) -> bytes:
        safe = Vault.of(self._database.endpoint.secrets)
        return safe.blind("sign-in subject", json.dumps([provider.own.issuer, subject]))

    def session_of(self, provider: Provider, session: str | None) -> bytes | None:
        """Return the keyed digest of a session at a provider, or None of none."""
        if session is None:
            return None
        safe = Vault.of(self._database.endpoint.secrets)
        return safe.blind("session at a provider", json.dumps([provider.own.issuer, session]))

    def hear_logout(self, provider: Provider, token: str) -> int:
        """End what a provider opened for whom it has signed out; return how many sessions ended.

        Refuses ``logout_token_holds``, ``logout_is_heard_once`` and ``token_issuer_answers``.
        """
        told = provider.own.heard(token)
        safe = Vault.of(self._database.endpoint.secrets)
        subject = None if told.subject is None else self._blind(provider, told.subject)
        with self._database.transaction(_LOGIN) as transaction:
            ended: int = self._queries.hear_logout(
                transaction,
                request=new_id("req"),
                provider=provider.provider_id,
                token=safe.blind("logout of a provider", json.dumps([provider.own.issuer, told.token_id])),
                subject=subject,
                elsewhere=self.session_of(provider, told.session),
            )
        tell("a provider signed somebody out", subject=provider.provider_id, rows=ended)
        return ended

    def linked(self, provider: Provider, subject: bytes) -> Row:
        """Return the account that was linked; raises NotAuthenticated ``subject_is_linked``."""
        with self._database.transaction(_LOGIN) as transaction:
            found: Row | None = self._queries.linked(
                transaction, provider=provider.provider_id, subject=subject
            )
        if found is None:
            raise NotAuthenticated(
                "subject_is_linked",
                f"no account here is linked to yours at {provider.title}; sign in another way and link it",
            )
        return found

    def _act(self, verb: str, **arguments: object) -> None:
        try:
            with self._database.transaction(_LOGIN) as transaction:
                getattr(self._queries, verb)(transaction, request=new_id("req"), **arguments)
        except Refused as refused:
            warn("an act on a provider is refused", act=verb, rule=refused.rule)
            raise
        tell("an act on a provider is done", act=verb, subject=str(arguments["provider"]))
