"""The file desk: orders as files in a folder, which a person uploads to the bank's site."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from bookrunner.adapters.payments import OrderStatus, StandingOrder
from bookrunner.core.errors import Refused


class FileDesk:
    """A :class:`PaymentRail` without a line to the bank: a written file counts as handed over.

    Whether the bank has carried an order out, only its statement says.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def submit(self, order: str, content: bytes) -> StandingOrder:
        """Write and sync the bytes under the id of the order; refuses ``order_id_has_one_content``."""
        path = self._path(order)
        if path.exists():
            if path.read_bytes() != content:
                raise Refused("order_id_has_one_content", f"the desk has other bytes under {order}")
            return _standing(content)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        # The name is as durable as the bytes only when the folder is synced too.
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return _standing(content)

    def status(self, order: str) -> StandingOrder | None:
        """Return the order that a file stands for, None when there is no file of it."""
        path = self._path(order)
        return _standing(path.read_bytes()) if path.exists() else None

    def _path(self, order: str) -> Path:
        return self._folder / f"{order}.order"


def _standing(content: bytes) -> StandingOrder:
    return StandingOrder(f"file:{hashlib.sha256(content).hexdigest()[:32]}", OrderStatus.ACCEPTED)
