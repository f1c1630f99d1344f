"""Notices of e-sign providers, and looks at envelopes of which none has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from bookrunner.core.errors import NotFound, Unavailable
from bookrunner.core.log import tell, warn

if TYPE_CHECKING:
    from bookrunner.adapters.signing import SigningProvider
    from bookrunner.books.subscription import Heard, PacketDesk


def hear_signature(
    signing: PacketDesk,
    provider: tuple[str, SigningProvider],
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> Sequence[Heard]:
    """Keep one message and look at what it names; refuses what :meth:`PacketDesk.hear` refuses."""
    heard = signing.hear(provider, headers, body)
    for each in heard:
        _say(each)
    return heard


def look_at_envelopes(signing: PacketDesk, port: Callable[[str], SigningProvider]) -> None:
    """Look at each envelope whose packet waits, since a notice may never come; what is refused waits on.

    A provider that is not set up, is away or has lost an envelope does not keep the others.
    """
    for name, ref in signing.waiting():
        try:
            _say(signing.look_in_turn((name, port(name)), ref))
        except (NotFound, Unavailable):
            warn("an envelope cannot be looked at", subject=ref, source=name)


def _say(heard: Heard) -> None:
    if heard.refused is None:
        tell("an envelope was looked at", subject=heard.ref, kind=heard.state)
    else:
        warn("an envelope waits", subject=heard.ref, kind=heard.state, rule=heard.refused)
