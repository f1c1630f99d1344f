"""Personal numbers are sealed before they reach the database, and opened only by a view that is an event."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date

from bookrunner.adapters.vault import Vault
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper, Prepare, Within

CONTEXT = "portal.profile_detail"
_MASTER = "personal-data"
_SEALED = ("tax_id", "birth_date")
_WITH_DETAIL = frozenset({"open_profile", "amend_profile", "request_change"})
_TAX_ID = re.compile(r"(?!000)[0-9]{9}", re.ASCII)
_EARLIEST = date(1890, 1, 1)


def vault(database: Database) -> Vault:
    """Return the vault whose master key stands with the secrets of this installation."""
    return Vault(database.endpoint.secrets.obtain(_MASTER).encode())


def front_door(database: Database) -> Prepare:
    """Return what seals the details of a profile on their way to a verb.

    Refuses ``tax_id_is_nine_digits``, ``birth_date_is_a_day_of_a_life`` and ``personal_data_is_not_erased``.
    """

    def prepare(within: Within, verb: str, arguments: dict[str, object]) -> dict[str, object]:
        detail = arguments.get("detail")
        if verb not in _WITH_DETAIL or not isinstance(detail, Mapping):
            return arguments
        safe = vault(database)
        investor = str(arguments["investor"])
        wrapped = within.run(
            "obtain_key",
            {
                "actor": arguments["actor"],
                "request": arguments["request"],
                "investor": investor,
                "key": new_id("dek"),
                "wrapped": safe.new_key(investor),
            },
        )
        if not isinstance(wrapped, bytes):
            raise TypeError("a wrapped key is bytes")
        return arguments | {"detail": sealed_detail(safe, (investor, wrapped), detail)}

    return prepare


def sealed_detail(safe: Vault, key: tuple[str, bytes], detail: Mapping[str, object]) -> dict[str, object]:
    """Return the detail with its personal numbers as one sealed text and a blind index of each.

    ``key`` is the investor and the wrapped key of the investor.
    """
    investor, wrapped = key
    numbers = {name: str(detail[name]) for name in _SEALED if detail.get(name) is not None}
    _check(numbers)
    plain = {name: value for name, value in detail.items() if name not in _SEALED}
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
    opened = vault(portal.database).open(bytes(row["wrapped"]), investor, CONTEXT, bytes(row["sealed"]))
    return {str(name): str(value) for name, value in json.loads(opened).items()}


def _check(numbers: Mapping[str, str]) -> None:
    if not _TAX_ID.fullmatch(numbers.get("tax_id", "")):
        raise Refused("tax_id_is_nine_digits", "a tax id has nine digits and does not begin with 000")
    if "birth_date" in numbers and not _is_of_a_life(numbers["birth_date"]):
        raise Refused("birth_date_is_a_day_of_a_life", "a birth date is a past day, written YYYY-MM-DD")


def _is_of_a_life(text: str) -> bool:
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return False
    return _EARLIEST <= born <= clock.today()
