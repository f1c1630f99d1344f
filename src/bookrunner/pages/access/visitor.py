"""Who is signed in, on the request that is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Request

_FOR: Final = "delegate:"
_DELEGATE: Final = "dlg_"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person at the pages: the actor, its keeper, when the session began and ends, how it was shown.

    ``language`` and ``zone`` are what its account has chosen to read in, if it has.
    """

    actor: str
    keeper: str
    ends_at: datetime
    opened_at: datetime
    has_two_factors: bool
    language: str | None = None
    zone: str | None = None

    @property
    def name(self) -> str:
        """The name under which somebody reads and acts: its own, or of the investor whose delegate it is."""
        if self.actor.startswith(_FOR):
            return self.actor.rpartition(":")[2]
        return self.person

    @property
    def person(self) -> str:
        """The name of the person: of the account, or of the key without what marks it as one."""
        if self.actor.startswith(_FOR):
            return self.actor.split(":")[1]
        return self.actor.removeprefix("key:").partition("~")[0]

    @property
    def is_account(self) -> bool:
        """Whether an account is signed in and no key."""
        return not self.actor.startswith("key:")

    @property
    def is_investor(self) -> bool:
        """Whether the name is the id of an investor, who reaches what is its own alone."""
        return self.name.startswith("ivr_")

    @property
    def is_delegate(self) -> bool:
        """Whether the person acts for others, and reaches what an investor lets it."""
        return self.person.startswith(_DELEGATE)

    @property
    def is_staff(self) -> bool:
        """Whether the person works for a keeper or an issuer."""
        return not self.is_investor and not self.is_delegate


def actor_for(delegate: str, investor: str) -> str:
    """Return the actor of what a delegate does for an investor; `audit.person_of` is the delegate."""
    return f"{_FOR}{delegate}:{investor}"


def signed_in(request: Request) -> SignedIn | None:
    """Return who is signed in, or None."""
    found: SignedIn | None = getattr(request.state, "visitor", None)
    return found


def sees_everybody(request: Request, operator: str | None) -> bool:
    """Whether a page may show what is of all investors.

    Staff may see it, and in a sandbox with an ``operator`` whoever is not signed in.
    """
    visitor = signed_in(request)
    return operator is not None if visitor is None else visitor.is_staff
