"""Break-glass: two people give the engine's desk the right to end a keeper's keys for a short time."""

from __future__ import annotations

from bookrunner.core.ids import new_id
from bookrunner.db import Database, load


class Emergencies:
    """The emergencies of an installation. Each act names its actor; nothing here writes a keeper's fact."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load(__package__)

    def ask(self, keeper: str, reason: str, minutes: int, *, actor: str) -> str:
        """Ask for the right to end the keys of a keeper, for so many minutes from now; return its id.

        Refuses ``emergency_is_about_a_keeper``, ``emergency_has_a_reason`` and
        ``emergency_lasts_four_hours_at_most``.
        """
        emergency = new_id("emg")
        with self._database.transaction("engine") as transaction:
            self._queries.ask_emergency(
                transaction,
                actor=actor,
                request=new_id("req"),
                emergency=emergency,
                keeper=keeper,
                reason=reason,
                minutes=minutes,
            )
        return emergency

    def grant(self, emergency: str, *, actor: str) -> None:
        """Grant it as another person.

        Refuses ``emergency_exists``, ``emergency_is_in_force`` and ``emergency_needs_two_people``.
        """
        with self._database.transaction("engine") as transaction:
            self._queries.grant_emergency(
                transaction, actor=actor, request=new_id("req"), emergency=emergency
            )

    def end(self, emergency: str, *, actor: str) -> None:
        """End it before its time; refuses ``emergency_exists`` and ``emergency_is_in_force``."""
        with self._database.transaction("engine") as transaction:
            self._queries.end_emergency(transaction, actor=actor, request=new_id("req"), emergency=emergency)

    def end_keys(self, emergency: str, *, actor: str) -> int:
        """End every key of its keeper, with their sessions and tokens; return how many.

        Refuses ``emergency_exists`` and ``emergency_is_in_force``.
        """
        with self._database.transaction("engine") as transaction:
            ended: int = self._queries.end_keys(
                transaction, actor=actor, request=new_id("req"), emergency=emergency
            )
        return ended
