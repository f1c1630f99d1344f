"""Where packets are set and signed: one press and one ceremony, opened with the first packet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

import rfc8785

# By module: the names in it stand for large libraries, which the first packet imports.
from bookrunner.adapters import documents

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Rendered, Snapshot, Template, Typesetter
    from bookrunner.adapters.signing import Ceremony


class Room:
    """Sets packets and holds the ceremony; what it needs is opened at the first use, by any thread.

    ``open_ceremony`` chooses the authority and the time-stamps.
    """

    def __init__(self, open_ceremony: Callable[[Typesetter], Ceremony]) -> None:
        self._open = open_ceremony
        self._templates: dict[str, Template] = {}
        self._stack = ExitStack()
        self._lock = RLock()

    def close(self) -> None:
        """End the press."""
        with self._lock:
            self._stack.close()

    @property
    def press(self) -> Typesetter:
        """Return the one press of this room."""
        with self._lock:
            return self._press

    @property
    def ceremony(self) -> Ceremony:
        """Return the one ceremony of this room."""
        with self._lock:
            return self._ceremony

    def render(self, template_id: str, data: Snapshot) -> tuple[Rendered, bytes]:
        """Return the rendered packet and its data in canonical form (RFC 8785).

        ``template_id`` is a name and a version such as ``subscription_packet/1.1.0``. Refuses what
        :func:`load_template` and :func:`render_packet` refuse.
        """
        template, press = self._opened(template_id)
        return documents.render_packet(template, data, press), rfc8785.dumps(dict(data))

    def sample(self, template_id: str, data: Snapshot) -> Rendered:
        """Return a rendered sample record; refuses what :func:`render_consent_sample` refuses."""
        template, press = self._opened(template_id)
        return documents.render_consent_sample(template, data, press)

    def statement(self, template_id: str, data: Snapshot) -> str:
        """Return the statement of a sample record, without its code."""
        return documents.consent_statement(self._template(template_id), data)

    def _opened(self, template_id: str) -> tuple[Template, Typesetter]:
        template = self._template(template_id)
        with self._lock:
            return template, self._press

    def _template(self, template_id: str) -> Template:
        with self._lock:
            if template_id not in self._templates:
                name, _, version = template_id.partition("/")
                self._templates[template_id] = documents.load_template(name, version)
            return self._templates[template_id]

    @cached_property
    def _press(self) -> Typesetter:
        return self._stack.enter_context(documents.Typesetter())

    @cached_property
    def _ceremony(self) -> Ceremony:
        return self._open(self._press)
