"""Personal numbers are sealed before they reach the database, and opened only by a view that is an event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bookrunner.adapters.vault import Vault
from bookrunner.core import clock, identity
from bookrunner.core.countries import known_country
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Database, Keeper, Prepare, Within

CONTEXT = "portal.profile_detail"
_SEALED = ("tax_id", "birth_date")
_TAX_ID_KINDS: Mapping[str, Callable[[str], str]] = {
    "ein": identity.ein,
    "itin": identity.itin,
    "ssn": identity.ssn,
}
_SHOWN = ("legal_name", "country", "address", "email", "representative", "lei", *_SEALED)
_WITH_DETAIL = frozenset({"open_profile", "amend_profile", "request_change"})
_NAMES = frozenset({"legal_name", "representative"})
# Any issuer's number fits, and numbers that nobody can hold stay usable for invented people.
_TAX_ID = re.compile(r"(?!000)[0-9]{9}", re.ASCII)


def front_door(database: Database) -> Prepare:
    """Return what checks and seals the details of profiles on their way to a verb.

    Where the detail says ``tax_id_kind`` (ssn, itin or ein), the number must be one that can have been
    issued. Refuses ``tax_id_is_nine_digits``, ``tax_id_kind_is_known``, ``personal_data_is_not_erased`` and
    what `known_country` and the checks of `identity` refuse.
    """

    def prepare(within: Within, verb: str, rows: Sequence[Arguments]) -> Sequence[Arguments]:
        if verb not in _WITH_DETAIL:
            return rows
        safe = Vault.of(database.endpoint.secrets)
        asked = [
            {
                "actor": row["actor"],
                "request": row["request"],
                "investor": row["investor"],
                "key": new_id("dek"),
                "wrapped": safe.new_key(str(row["investor"])),
            }
            for row in rows
        ]
        keys = within.obtain_key.each(asked)
        return [_sealed_row(safe, key, row) for key, row in zip(keys, rows, strict=True)]

    return prepare


def _sealed_row(safe: Vault, wrapped: bytes, row: Arguments) -> Arguments:
    detail = row["detail"]
    if not isinstance(detail, Mapping):
        raise TypeError("the detail of a profile is a mapping")
    return row | {"detail": sealed_detail(safe, (str(row["investor"]), wrapped), detail)}


@dataclass(frozen=True, slots=True)
class Sealed:
    """The detail of a new investor as it is kept, with the id of its data key and that key, wrapped."""

    detail: dict[str, object]
    key: str
    wrapped: bytes


def sealed_anew(portal: Keeper, investor: str, detail: Mapping[str, object]) -> Sealed:
    """Return the detail of an investor who is not known yet, sealed under a new key that nobody has kept.

    Refuses what `front_door` refuses.
    """
    safe = Vault.of(portal.database.endpoint.secrets)
    wrapped = safe.new_key(investor)
    return Sealed(sealed_detail(safe, (investor, wrapped), detail), new_id("dek"), wrapped)


def sealed_for(
    portal: Keeper, investor: str, detail: Mapping[str, object], *, actor: str
) -> dict[str, object]:
    """Return the detail of a known investor, sealed under its key; refuses what `front_door` refuses."""
    safe = Vault.of(portal.database.endpoint.secrets)
    kept = portal.obtain_key(
        actor=actor, investor=investor, key=new_id("dek"), wrapped=safe.new_key(investor)
    )
    return sealed_detail(safe, (investor, bytes(kept)), detail)


def sealed_detail(safe: Vault, key: tuple[str, bytes], detail: Mapping[str, object]) -> dict[str, object]:
    """Return the detail with its personal numbers as one sealed text and a blind index of each.

    ``key`` is the investor and the wrapped key of the investor.
    """
    investor, wrapped = key
    checked = _checked(detail)
    numbers = {name: str(checked[name]) for name in _SEALED if name in checked}
    plain = {name: value for name, value in checked.items() if name not in _SEALED}
    text = json.dumps(numbers, sort_keys=True).encode()
    blinds = {f"{name}_blind": safe.blind(name, value).hex() for name, value in numbers.items()}
    return plain | blinds | {"sealed": safe.seal(wrapped, investor, CONTEXT, text).hex()}


def reveal(portal: Keeper, investor: str, detail_version: int, *, actor: str, purpose: str) -> dict[str, str]:
    """Return tax id and birth date of one version of a profile; the view is recorded first.

    Refuses ``view_says_its_purpose``, ``personal_data_is_not_erased``, ``sealed_text_opens_in_its_context``.
    """
    row = portal.view_personal(
        actor=actor, investor=investor, detail_version=detail_version, view=new_id("pvw"), purpose=purpose
    )
    if row is None:
        raise Refused("viewed_version_exists", f"{investor} has no version {detail_version}")
    opened = Vault.of(portal.database.endpoint.secrets).open(
        bytes(row["wrapped"]), investor, CONTEXT, bytes(row["sealed"])
    )
    return {str(name): str(value) for name, value in json.loads(opened).items()}


def reveal_profile(
    portal: Keeper, investor: str, detail_version: int, *, actor: str, purpose: str
) -> dict[str, str]:
    """Return every given field of one version of a profile; the view is recorded first.

    Refuses as `reveal` does.
    """
    row = portal.view_personal(
        actor=actor, investor=investor, detail_version=detail_version, view=new_id("pvw"), purpose=purpose
    )
    if row is None:
        raise Refused("viewed_version_exists", f"{investor} has no version {detail_version}")
    detail = {**row["plain"], "sealed": bytes(row["sealed"]).hex()}
    opened = _opened(Vault.of(portal.database.endpoint.secrets), (investor, bytes(row["wrapped"])), detail)
    return {name: str(opened[name]) for name in _SHOWN if opened.get(name)}


def reveal_change(
    portal: Keeper, investor: str, change: str, *, actor: str, purpose: str
) -> list[tuple[str, str, str]]:
    """Return (field, before, after) of each field that a request would change; the view is recorded first.

    Refuses as `reveal` does.
    """
    row = portal.view_change(
        actor=actor, investor=investor, change=change, view=new_id("pvw"), purpose=purpose
    )
    if row is None:
        raise Refused("viewed_version_exists", f"{investor} has no change {change}")
    safe, wrapped = Vault.of(portal.database.endpoint.secrets), bytes(row["wrapped"])
    before, after = (_opened(safe, (investor, wrapped), row[side]) for side in ("before", "after"))
    names = [name for name in _SHOWN if before.get(name) != after.get(name)]
    return [(name, str(before.get(name) or ""), str(after.get(name) or "")) for name in names]


def _opened(safe: Vault, key: tuple[str, bytes], detail: Mapping[str, object]) -> dict[str, object]:
    investor, wrapped = key
    numbers = json.loads(safe.open(wrapped, investor, CONTEXT, bytes.fromhex(str(detail["sealed"]))))
    return {**detail, **numbers}


def _checked(detail: Mapping[str, object]) -> dict[str, object]:
    """Return what a form says, each field in the one form in which it is kept; nothing stands for absent."""
    said = {name: value for name, value in detail.items() if value is not None}
    if "tax_id_kind" in said:
        said["tax_id"] = _issued(str(said.pop("tax_id_kind")), str(said.get("tax_id", "")))
    if not _TAX_ID.fullmatch(str(said.get("tax_id", ""))):
        raise Refused("tax_id_is_nine_digits", "a tax id has nine digits and does not begin with 000")
    if "birth_date" in said:
        said["birth_date"] = identity.birth_date(str(said["birth_date"]), today=clock.today()).isoformat()
    for field in _NAMES & said.keys():
        said[field] = identity.name(str(said[field]))
    if "country" in said:
        said["country"] = known_country(str(said["country"]))
    if "lei" in said:
        said["lei"] = identity.lei(str(said["lei"]))
    return said


def _issued(kind: str, tax_id: str) -> str:
    check = _TAX_ID_KINDS.get(kind)
    if check is None:
        raise Refused("tax_id_kind_is_known", f"one of {', '.join(_TAX_ID_KINDS)}")
    return check(tax_id)
