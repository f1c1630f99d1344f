"""What was done on an item of the programme, recorded with the paper that shows it."""

from __future__ import annotations

from collections.abc import Mapping

from bookrunner.adapters.vault import Vault
from bookrunner.books.compliance.privacy import checked_paper, keep_files
from bookrunner.db import Keeper, load


def record_with_paper(
    compliance: Keeper,
    on: tuple[str, int],
    done: Mapping[str, str | None],
    paper: bytes,
    *,
    actor: str,
) -> None:
    """Record what was done on an item, ``on`` its id and the version seen, and keep its paper sealed.

    ``paper`` is a PDF, or empty for none. Refuses what `keep_paper` and the book's ``record_item`` refuse;
    then no paper is kept.
    """
    item, seen = on
    content = checked_paper(paper) if paper else b""
    safe = Vault.of(compliance.database.endpoint.secrets)
    with compliance.together() as within:
        digests = keep_files(within, safe, [(item, content)] if content else [], actor=actor)
        given = {**done, "sha256": digests[0].hex() if digests else None}
        within.using(load(__package__)).record_item(actor=actor, item=item, done=given, seen=seen)
