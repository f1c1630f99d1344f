"""Papers and evidence of an investor: sealed on the way in, opened by a view that is an event."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO

from bookrunner.adapters.documents import take_upload
from bookrunner.adapters.vault import Vault
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper, Within

MOST_BYTES = 25 * 1024 * 1024


def keep_file(compliance: Keeper, investor: str, content: bytes, *, actor: str) -> bytes:
    """Seal and keep a file of an investor; return its digest, by which papers and evidence name it.

    Refuses ``kept_file_has_content``, ``kept_file_fits_the_limit`` (25 MiB), ``personal_data_is_not_erased``.
    """
    safe = Vault.of(compliance.database.endpoint.secrets)
    with compliance.together() as within:
        (digest,) = keep_files(within, safe, [(investor, content)], actor=actor)
    return digest


def keep_files(within: Within, safe: Vault, files: Sequence[tuple[str, bytes]], *, actor: str) -> list[bytes]:
    """Seal and keep files of investors in a transaction that is open; return their digests in order.

    Refuses what `keep_file` refuses; one that is refused undoes all.
    """
    for _, content in files:
        _check_size(content)
    digests = [sha256(content).digest() for _, content in files]
    keys = within.obtain_key.each(
        {"actor": actor, "investor": investor, "key": new_id("dek"), "wrapped": safe.new_key(investor)}
        for investor, _ in files
    )
    within.keep_file.each(
        {
            "actor": actor,
            "investor": investor,
            "sha256": digest,
            "sealed": safe.seal(bytes(key), investor, digest.hex(), content),
        }
        for (investor, content), key, digest in zip(files, keys, digests, strict=True)
    )
    return digests


def keep_paper(compliance: Keeper, investor: str, content: bytes, *, actor: str) -> bytes:
    """Seal and keep an uploaded paper, which is a PDF and nothing else; return its digest.

    Refuses what `keep_file` refuses, and each ``upload_…`` rule of `adapters.documents`.
    """
    return keep_file(compliance, investor, checked_paper(content), actor=actor)


def sealed_file(compliance: Keeper, investor: str, content: bytes, *, actor: str) -> tuple[bytes, bytes]:
    """Return the digest of a file and its sealed text, for a write that keeps it.

    Refuses what `keep_file` refuses.
    """
    _check_size(content)
    safe, digest = Vault.of(compliance.database.endpoint.secrets), sha256(content).digest()
    key = compliance.obtain_key(
        actor=actor, investor=investor, key=new_id("dek"), wrapped=safe.new_key(investor)
    )
    return digest, safe.seal(bytes(key), investor, digest.hex(), content)


def sealed_paper(compliance: Keeper, investor: str, content: bytes, *, actor: str) -> tuple[bytes, bytes]:
    """Return the digest of an uploaded paper and its sealed text, for a write that keeps it.

    Refuses what `keep_paper` refuses.
    """
    return sealed_file(compliance, investor, checked_paper(content), actor=actor)


def checked_paper(content: bytes) -> bytes:
    """Return an uploaded paper as it is kept; refuses what is no PDF, as `keep_paper` does."""
    if not content:
        raise Refused("kept_file_has_content", "the file is empty")
    return take_upload(BytesIO(content), limit=MOST_BYTES)


def view_file(compliance: Keeper, investor: str, digest: bytes, *, actor: str, purpose: str) -> bytes:
    """Return the content of a kept file; the view is recorded first.

    Refuses ``view_says_its_purpose``, ``viewed_file_exists``, ``personal_data_is_not_erased`` and
    ``sealed_text_opens_in_its_context``.
    """
    row = compliance.view_file(
        actor=actor, investor=investor, sha256=digest, view=new_id("pvw"), purpose=purpose
    )
    if row is None:
        raise Refused("viewed_file_exists", f"{investor} has no such file")
    return Vault.of(compliance.database.endpoint.secrets).open(
        bytes(row["wrapped"]), investor, digest.hex(), bytes(row["sealed"])
    )


def _check_size(content: bytes) -> None:
    if not content:
        raise Refused("kept_file_has_content", "the file is empty")
    if len(content) > MOST_BYTES:
        raise Refused("kept_file_fits_the_limit", f"{len(content)} bytes")
