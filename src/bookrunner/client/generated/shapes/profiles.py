# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: profiles."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Record, Sent


class ChangeDecision(Sent):
    """Whether a requested change of a profile becomes its next version."""

    approved: bool
    because: str
    programme: str


class ChangedField(Record):
    """One field of a requested change, before and after."""

    after: str
    before: str
    name: str


class ChangeSeen(Record):
    """What a requested change would change; that somebody looked is on record."""

    fields: list[ChangedField]
    id: str
    investor: str


class Delegation(Record):
    """Who acts for an investor, in which scope and between which moments."""

    begins_at: str
    delegate: str
    ends_at: str
    id: str
    scope: str
    status: str
    version: str


class DelegationActed(Record):
    """A delegation after an act."""

    delegate: str
    id: str
    investor: str
    status: str
    version: str


class Delegations(Record):
    """Delegations of an investor, those that stand first."""

    delegations: list[Delegation]


class Detail(Sent):
    """Who an investor says it is: `tax_id` and `birth_date` are sealed and come back by a look alone."""

    address: str
    country: str
    email: str
    legal_name: str
    tax_id: str
    birth_date: str | None = None
    lei: str | None = None
    representative: str | None = None
    tax_id_kind: Literal["ssn", "itin", "ein"] | None = None


class Look(Sent):
    """Which version of a profile is looked at, the one in force unless another is named, and for what."""

    purpose: str
    detail_version: int | None = None


class NewChange(Sent):
    """The next version of a verified profile, why, and the SHA-256 of what shows it."""

    because: str
    detail: Detail
    evidence_sha256: str


class NewDelegate(Sent):
    """Who is named, by the name of its account; what it may do, and between which moments."""

    delegate: str
    ends_at: AwareDatetime
    scope: Literal["see", "prepare", "act"]
    begins_at: AwareDatetime | None = None


class NewDetail(Sent):
    """The next version of a profile that nobody has verified yet."""

    detail: Detail


class NewProfile(Sent):
    """A new investor: the account that speaks for it, what it is, and who it says it is.

    An entity, trust or nominee names its representative.
    """

    account: str
    detail: Detail
    kind: Literal["individual", "joint", "entity", "trust", "retirement", "nominee"]


class Profile(Record):
    """A profile by what is no secret: what it is, how it stands, where it is at home, which fields it
    has.
    """

    account: str
    country: str | None
    detail_sha256: str
    detail_version: int
    given: list[str]
    id: str
    kind: str
    status: str
    version: str


class ProfileActed(Record):
    """A profile after an act; of what it says, only the digest."""

    detail_sha256: str
    detail_version: int
    id: str
    status: str
    version: str


class ProfileSeen(Record):
    """The fields of one version of a profile; that somebody looked is on record."""

    detail_version: int
    fields: dict[str, str]
    investor: str


class Purpose(Sent):
    """What something is looked at for; it is kept with who looked."""

    purpose: str
