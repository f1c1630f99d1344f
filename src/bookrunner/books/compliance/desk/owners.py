"""Owners as a signer certified them, taken into the record with the names that they are screened by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bookrunner.adapters.screening import EntryKind
from bookrunner.adapters.vault import Vault
from bookrunner.books.compliance.screening import Particulars, record_particulars
from bookrunner.db import Keeper, load

_KINDS = {"person": EntryKind.PERSON, "entity": EntryKind.ENTITY}


def take_owners(
    compliance: Keeper,
    stated: tuple[str, str],
    people: Sequence[Mapping[str, str]],
    *,
    actor: str,
    because: str,
) -> Mapping[str, str]:
    """Take the statement (investor, id) into the record and let everybody wait for a screening by name.

    ``people`` are those of the statement with id, name and kind. Returns the id that each got. Refuses
    ``ownership_statement_is_in_force``, ``ownership_statement_is_taken_once``,
    ``owners_stated_before_are_ended``, and names that `core.identity.name` refuses; then nothing is taken.
    """
    investor, statement = stated
    safe = Vault.of(compliance.database.endpoint.secrets)
    with compliance.together() as within:
        ids: Mapping[str, str] = within.using(load(__package__)).take_ownership(
            actor=actor, investor=investor, statement=statement, because=because
        )
        given = [(ids[one["id"]], Particulars(_KINDS[one["kind"]], (one["name"],))) for one in people]
        record_particulars(within, safe, given, actor=actor)
    return ids
