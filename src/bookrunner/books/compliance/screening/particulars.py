"""What a person or entity is screened by: sealed on the way in, opened for a claimed screening alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from bookrunner.adapters.screening import BirthDate, EntryKind, Identifier, Subject
from bookrunner.adapters.vault import Vault
from bookrunner.core import identity
from bookrunner.core.countries import known_country
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

CONTEXT: Final = "compliance.particulars"
_PEOPLE: Final = frozenset({"individual", "joint", "retirement"})
_BETWEEN_TWO: Final = (" and ", " & ", " AND ", " And ")


@dataclass(frozen=True, slots=True)
class Particulars:
    """Every name of a person or entity, and what else is known; the first name is the legal one."""

    kind: EntryKind
    names: tuple[str, ...]
    birth_date: date | None = None
    countries: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()

    def text(self) -> bytes:
        """Return the one text for this content."""
        content = {
            "names": list(self.names),
            "birth_date": None if self.birth_date is None else self.birth_date.isoformat(),
            "countries": sorted(self.countries),
            "identifiers": sorted([i.kind, i.value, i.country] for i in self.identifiers),
        }
        return json.dumps(content, sort_keys=True).encode()

    @classmethod
    def read(cls, kind: str, text: bytes) -> Particulars:
        """Read what `text` returned."""
        said = json.loads(text)
        born = said["birth_date"]
        return cls(
            EntryKind(kind),
            tuple(said["names"]),
            None if born is None else date.fromisoformat(born),
            tuple(said["countries"]),
            tuple(Identifier(*one) for one in said["identifiers"]),
        )


def record_particulars(
    within: Within, safe: Vault, given: Iterable[tuple[str, Particulars]], *, actor: str
) -> list[bool]:
    """Seal and record what subjects are screened by; true for each that is new or changed.

    A new or changed subject waits for its screening at once. Refuses ``particulars_have_a_name``,
    ``screened_kind_is_known``, ``personal_data_is_not_erased`` and what `core.identity.name` and
    ``country_is_known`` refuse.
    """
    rows = [(subject, _checked(particulars)) for subject, particulars in given]
    keys = within.obtain_key.each(
        {"actor": actor, "investor": subject, "key": new_id("dek"), "wrapped": safe.new_key(subject)}
        for subject, _ in rows
    )
    fresh: list[bool] = within.record_particulars.each(
        {
            "actor": actor,
            "subject": subject,
            "kind": particulars.kind.value,
            "digest": safe.blind(CONTEXT, particulars.text().decode()),
            "sealed": safe.seal(bytes(key), subject, CONTEXT, particulars.text()),
        }
        for (subject, particulars), key in zip(rows, keys, strict=True)
    )
    return fresh


def _checked(given: Particulars) -> Particulars:
    if not given.names:
        raise Refused("particulars_have_a_name", "nobody is screened without a name")
    return Particulars(
        given.kind,
        tuple(dict.fromkeys(identity.name(name) for name in given.names)),
        given.birth_date,
        tuple(known_country(country) for country in given.countries),
        given.identifiers,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A claimed subject as it is screened, its digest, and the profile version with a sealed birth date."""

    subject: Subject
    digest: bytes
    sealed_birth: int | None


def opened(safe: Vault, row: Row) -> Known:
    """Return what a claimed subject is screened by, from its profile and its particulars together.

    The digest changes with every fact that can move a score, and with no other.
    """
    own = None
    if row["sealed"] is not None and row["wrapped"] is not None:
        text = safe.open(bytes(row["wrapped"]), row["subject_id"], CONTEXT, bytes(row["sealed"]))
        own = Particulars.read(row["kind"], text)
    names = (*_profile_names(row), *(own.names if own else ()))
    if not names:
        raise Refused("particulars_have_a_name", f"{row['subject_id']} has no name that can be opened")
    kind = own.kind if own and row["profile_kind"] is None else _kind(row["profile_kind"])
    born = own.birth_date if own else None
    countries = tuple(sorted({*(own.countries if own else ()), *filter(None, (row["country"],))}))
    blind = row["birth_date_blind"] if born is None else None
    subject = Subject(
        kind,
        tuple(dict.fromkeys(names)),
        None if born is None else BirthDate(born, born),
        countries,
        own.identifiers if own else (),
    )
    digest = safe.blind("screened subject", _content(subject, None if blind is None else bytes(blind)))
    return Known(subject, digest, None if blind is None else int(row["detail_version"]))


def _kind(profile_kind: str | None) -> EntryKind:
    return EntryKind.PERSON if profile_kind in _PEOPLE else EntryKind.ENTITY


def _profile_names(row: Mapping[str, object]) -> tuple[str, ...]:
    """Return the legal name; of joint holders under one name each part is a name too."""
    name = row["legal_name"]
    if not isinstance(name, str):
        return ()
    if row["profile_kind"] == "joint":
        for word in _BETWEEN_TWO:
            if word in name:
                return (name, *(part for part in name.split(word) if part.strip()))
    return (name,)


def _content(subject: Subject, birth_date_blind: bytes | None) -> str:
    return json.dumps(
        {
            "kind": subject.kind,
            "names": sorted(subject.names),
            "born": str(subject.birth_date.earliest) if subject.birth_date else None,
            "born_blind": None if birth_date_blind is None else birth_date_blind.hex(),
            "countries": list(subject.countries),
            "identifiers": sorted([i.kind, i.value, i.country] for i in subject.identifiers),
        },
        sort_keys=True,
    )
