"""The one error root, and the refusals that every part may raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class BookrunnerError(Exception):
    """Something that Bookrunner can name went wrong."""


class ConfigurationError(BookrunnerError):
    """The set-up lacks something that the start needs."""


class NotFound(BookrunnerError):
    """The thing asked for does not exist."""


class Unavailable(BookrunnerError):
    """What the act needs is gone or taken at this moment; the same act may succeed later."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One condition that a gate found open.

    ``condition`` is its stable name, ``keeper`` the book that alone can confirm it,
    ``since`` the moment from which it has been missing.
    """

    condition: str
    keeper: str
    since: datetime
    investment_id: str = ""


class Refused(BookrunnerError):
    """A rule refused the act; nothing was changed.

    ``rule`` is the stable name of the broken rule.
    """

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail


class UnknownRecord(Refused, NotFound):
    """The act names a record that does not exist."""


class NotAuthenticated(Refused):
    """The credential is missing, unknown, expired or revoked."""


class NotAllowed(Refused):
    """The caller is known, and another authority decides this."""


class VersionChanged(Refused):
    """The record is no longer the one that the decision was made on."""


class Malformed(Refused):
    """What was sent is not what was agreed, or is under the key of something else."""


class HeaderMissing(Refused):
    """A write lacks the header that makes it repeatable, or sends one that cannot be read."""


class VersionNotNamed(Refused):
    """A decision does not say which version it was made on."""


class NotReady(Refused, Unavailable):
    """A part of the installation that the act needs is not set up, or gives no answer that can be used."""


class StillRunning(Refused):
    """The same request is being carried out; its answer can be had a little later."""


class TooManyCalls(Refused):
    """A caller has used up its calls; it may call again after ``seconds``."""

    def __init__(self, rule: str, seconds: int) -> None:
        super().__init__(rule, f"call again in {seconds} s")
        self.seconds = seconds


class GateClosed(Refused):
    """A gate is closed; ``missing`` names each condition in the order to fix them."""

    def __init__(self, act: str, missing: Sequence[Missing]) -> None:
        names = ", ".join(m.condition for m in missing[:12])
        super().__init__("gate_is_closed", f"{act} waits for {names}")
        self.act = act
        self.missing = tuple(missing)

    def lacking(self) -> list[dict[str, str]]:
        """Return the missing conditions as a kept refusal names them."""
        return [
            {"condition": m.condition, "keeper": m.keeper, "investment": m.investment_id}
            for m in self.missing
        ]
