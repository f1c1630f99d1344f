"""What is kept of people and how they sign in; all of it under the one login that keeps accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bookrunner.adapters.vault import Vault
from bookrunner.core.addresses import network_of
from bookrunner.core.credentials import digest, make_token
from bookrunner.core.errors import NotAuthenticated, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import mark, tell, warn
from bookrunner.db import Database, Row, load
from bookrunner.pages.access.people import words

_LOGIN = "access"
_TOTP = "one-time codes"


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that was opened: its token and when it ends."""

    token: str
    ends_at: datetime


class People:
    """Accounts, credentials and sessions of people.

    Each call is one transaction; what a rule of the database refuses comes out as Refused by its name.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load(__package__)

    def ask(self, query: str, **arguments: object) -> Any:  # noqa: ANN401 - rows, a value or nothing
        """Run one of the queries beside this file and return what it returns."""
        with self._database.transaction(_LOGIN) as transaction:
            return getattr(self._queries, query)(transaction, **arguments)

    def choose_reading(self, session: bytes, language: str, zone: str | None) -> None:
        """Keep how the account behind a session reads, and of a key nothing; no zone leaves its own."""
        with self._database.transaction(_LOGIN) as transaction:
            self._queries.choose_reading(transaction, session=session, language=language, zone=zone)

    def act(self, verb: str, **arguments: object) -> Any:  # noqa: ANN401 - a value or nothing
        """Run a verb under a request of its own; that it was, or was refused, stands in the log."""
        about = {
            kind: each for kind in ("account", "credential") if isinstance(each := arguments.get(kind), str)
        }
        try:
            done = self.ask(verb, request=new_id("req"), **arguments)
        except Refused as refused:
            warn("an act on an account is refused", act=verb, rule=refused.rule, **about)
            raise
        tell("an act on an account is done", act=verb, **about)
        return done

    def propose(self, name: str, keeper: str, *, actor: str, issuer: str | None = None) -> str:
        """Name a person for an account and return its id; another person grants it with `invite`."""
        account = new_id("acc")
        self.act("propose_account", actor=actor, account=account, name=name, keeper=keeper, issuer=issuer)
        return account

    def listed(self) -> Sequence[Row]:
        """Return every account: name, keeper, status, who named and granted it, when it was used last."""
        found: Sequence[Row] = self.ask("accounts")
        return found

    def named(self, name: str) -> Row:
        """Return the account of a name; raises Refused ``account_exists``."""
        found: Row | None = self.ask("by_name", name=name)
        if found is None:
            raise Refused("account_exists", f"there is no account {name}")
        return found

    def invite(self, name: str, *, actor: str) -> str:
        """Grant an account and return its invitation, which is shown once and kept as a digest."""
        account = self.named(name)
        invitation = make_token(account["keeper"])
        self.act("invite", actor=actor, account=account["account_id"], invitation=digest(invitation))
        return invitation

    def move(self, name: str, status: str, because: str | None, *, actor: str) -> None:
        """Decline, lock, open again or deactivate the account of a name."""
        account = self.named(name)["account_id"]
        self.act("move_account", actor=actor, account=account, status=status, because=because)

    def enter(self, account: Row, how: str, before: bytes, elsewhere: bytes | None = None) -> Entered:
        """Open a session by a credential of the account; the one that the browser had is over.

        ``before`` is the digest of that one, ``elsewhere`` the keyed digest of the session at a provider.
        """
        token = make_token(account["keeper"])
        ends_at = self.ask(
            "sign_in",
            request=new_id("req"),
            account=account["account_id"],
            credential=account["credential_id"],
            id=new_id("ses"),
            session=digest(token),
            how=how,
            before=before,
            elsewhere=elsewhere,
        )
        seen = {"account": account["account_id"], "credential": account["credential_id"]}
        tell("a person signed in", means=how, session=mark(digest(token)), keeper=account["keeper"], **seen)
        return Entered(token, ends_at)

    def recovery_of(self, name: str, *, actor: str) -> str:
        """Return the secret with which the person of a name makes a new passkey; shown once."""
        account = self.named(name)
        recovery = make_token(account["keeper"])
        self.act("ask_recovery", actor=actor, account=account["account_id"], recovery=digest(recovery))
        return recovery

    def admit(self, name: str, *, actor: str) -> None:
        """Let the passkey of a recovery sign in after its time; raises Refused ``recovery_waits``."""
        waiting = self._waiting(self.named(name))
        if not waiting:
            raise Refused("recovery_waits", f"no recovery of {name} waits")
        self.act("admit_recovery", actor=actor, credential=waiting[0]["credential_id"])

    def warned(self, account: Row) -> str | None:
        """Return the page on which a person who comes in is told that a recovery waits, or None."""
        return "/security" if self._waiting(account) else None

    def _waiting(self, account: Row) -> Sequence[Row]:
        found: Sequence[Row] = self.ask("credentials", account=account["account_id"])
        return [each for each in found if each["status"] == "waiting"]

    def by_password(self, name: str, password: str, code: str, address: str) -> tuple[Row, str]:
        """Return the account that a name, a password and a code open, and how.

        Unknown names, wrong passwords and wrong codes have one answer: NotAuthenticated
        ``name_password_and_code_are_right``; after several ``sign_in_waits_after_failures``.
        """
        tries = self._tried(name, address)
        account = self.ask("by_name", name=name)
        held = {} if account is None else {each["kind"]: each for each in self._held(account)}
        kept = held.get("password")
        is_right = words.is_password(None if kept is None else bytes(kept["secret"]), password)
        how = self._second(account, held, code) if is_right and account is not None else None
        if how is None or account is None or account["status"] != "active":
            rule = "name_password_and_code_are_right"
            self._warn(account, rule, tries[1])
            raise NotAuthenticated(rule, "name, password or code is wrong")
        self.ask("forget_try", account=tries[0], address=tries[1])
        return {**account, "credential_id": held["password"]["credential_id"]}, how

    def check_present(self, account: Row, password: str, address: str) -> None:
        """Compare what is said to be the present password of a signed-in account; a guess counts as a try.

        Raises NotAuthenticated ``sign_in_waits_after_failures`` and Refused ``present_password_is_right``. An
        account without a password has none to say.
        """
        kept = next((each for each in self._held(account) if each["kind"] == "password"), None)
        if kept is None:
            return
        tries = self._tried(account["name"], address)
        if not words.is_password(bytes(kept["secret"]), password):
            self._warn(account, "present_password_is_right", tries[1])
            raise Refused(
                "present_password_is_right", "say the password that you have now beside the new one"
            )
        self.ask("forget_try", account=tries[0], address=tries[1])

    def sealed_codes(self, account: str, secret: str) -> dict[str, str]:
        """Return a secret of one-time codes as it is kept: sealed for its account."""
        safe = Vault.of(self._database.endpoint.secrets)
        wrapped = safe.new_key(account)
        sealed = safe.seal(wrapped, account, _TOTP, secret.encode())
        return {"kind": "totp", "secret": sealed.hex(), "wrapped": wrapped.hex()}

    def enroll(self, account: Row, kept: Mapping[str, object], codes: Sequence[str] = ()) -> None:
        """Keep a credential of an account that is signed in; its own person does."""
        self.act(
            "enroll",
            actor=account["name"],
            account=account["account_id"],
            session=account["session_id"],
            credential=new_id("crd"),
            kept=json.dumps(kept),
            codes=[words.code_digest(code) for code in codes],
        )

    def of(self, token: str | None) -> Row:
        """Return the account behind a session's token; raises NotAuthenticated ``person_is_signed_in``."""
        found: Row | None = self.ask("account_of_session", session=_digest(token))
        if found is None:
            raise NotAuthenticated("person_is_signed_in", "sign in with an account to see this page")
        return found

    def network(self, purpose: str, address: str) -> bytes:
        """Return the keyed digest of the network of an address, for one purpose."""
        safe = Vault.of(self._database.endpoint.secrets)
        return safe.blind(f"{purpose} address", network_of(address))

    def _tried(self, name: str, address: str) -> tuple[bytes, bytes]:
        """Count a try for a name and from an address, and return the digests that it is counted under."""
        safe = Vault.of(self._database.endpoint.secrets)
        tries = safe.blind("sign-in name", name), self.network("sign-in", address)
        try:
            self.ask("take_try", subjects=list(tries))
        except NotAuthenticated as waits:
            self._warn(self.ask("by_name", name=name), waits.rule, tries[1])
            raise
        return tries

    def _warn(self, account: Row | None, rule: str, network: bytes) -> None:
        """Write down a failed try: whose, if anybody's, and the keyed digest of where it came from."""
        seen = {} if account is None else {"account": account["account_id"]}
        warn("a sign-in is refused", means="password", rule=rule, network=mark(network), **seen)

    def _held(self, account: Row) -> Sequence[Row]:
        found: Sequence[Row] = self.ask("credentials", account=account["account_id"])
        return [each for each in found if each["status"] == "in_force"]

    def _second(self, account: Row, held: Mapping[str, Row], code: str) -> str | None:
        """Say how a right password and this code sign in, or None; a code counts once."""
        kept = held.get("totp")
        if kept is None:
            return "password"
        safe = Vault.of(self._database.endpoint.secrets)
        owner = account["account_id"]
        secret = safe.open(bytes(kept["wrapped"]), owner, _TOTP, bytes(kept["secret"])).decode()
        step = words.step_of(secret, code)
        try:
            if step is not None:
                self.ask("use_code", credential=kept["credential_id"], step=step)
                return "password_and_code"
            if self.ask("use_recovery_code", account=owner, code=words.code_digest(code)):
                return "password_and_recovery_code"
        except NotAuthenticated:
            raise
        except Refused:
            return None
        return None


def _digest(token: str | None) -> bytes:
    return sha256((token or "").encode()).digest()
