"""Real lists as published, a smaller version of one, and investors with profiles who are screened by them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bookrunner.adapters.screening import recognise
from bookrunner.books.compliance import Update, take_list
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import Screening

DATA = Path(__file__).parents[1] / "data" / "ofac"
NAME = "CONS_ENHANCED.XML"
LISTED = "Ismail Abdul Salah Haniya"
ENTRY = "ofac:9639"
OTHER = "Khalil Musa Rabai"
OTHER_ENTRY = "ofac:9644"
_ENTITY = re.compile(rb"<entity id=\"(\d+)\".*?</entity>\s*", re.DOTALL)
_AS_OF = re.compile(rb"<dataAsOf>\d{4}-\d{2}-\d{2}")


def whole() -> bytes:
    """Return OFAC's consolidated list of January 2025, 443 entries."""
    with zipfile.ZipFile(BytesIO((DATA / "CONS_ENHANCED_2025-01.zip").read_bytes())) as archive:
        return archive.read(archive.namelist()[0])


def without(raw: bytes, *numbers: int, day: str = "2024-12-01") -> bytes:
    """Return the list as it would have been published on a day without some entries."""
    gone = {str(number).encode() for number in numbers}
    kept = _ENTITY.sub(lambda found: b"" if found[1] in gone else found[0], raw)
    return _AS_OF.sub(b"<dataAsOf>" + day.encode(), kept, count=1)


class Book:
    """A compliance book with profiles, its screening, and what the tests read of it."""

    def __init__(self, database: Database) -> None:
        self.desk = Desk(database)
        self.screening = Screening(self.desk)

    def take(self, raw: bytes, name: str = NAME, because: str | None = None) -> Update:
        """Put a file in force as the list that it is."""
        (published,) = recognise({name: raw}, published_on=date(2024, 9, 1))
        return take_list(
            self.desk.compliance, published, published.read(), actor="officer.one", because=because
        )

    def profile(self, investor: str, name: str, **more: str) -> None:
        """Open a profile in the portal."""
        kind = more.pop("kind", "individual")
        detail = {
            "legal_name": name,
            "country": "US",
            "address": "1 Example Street",
            "tax_id": "900000001",
            "email": "one@example.org",
        }
        self.desk.portal.open_profile(
            actor=investor, investor=investor, account=f"acc_{investor}", kind=kind, detail=detail | more
        )

    def rows(self, query: str, **arguments: object) -> Sequence[Any]:
        """Return the rows of a query of the tests, read by the administrator."""
        dsn = self.desk.database.endpoint.admin_dsn()
        with psycopg.connect(dsn, autocommit=True) as connection:
            return connection.execute(query.encode(), arguments or None).fetchall()

    def hits(self) -> Sequence[tuple[str, str, str, int]]:
        """Return subject, entry, state and score of each case."""
        return self.rows("select subject_id, entry_id, status, score_bp from compliance.hit order by 1, 2")

    def screenings(self, subject: str) -> list[tuple[str, str, str]]:
        """Return source, state and reason of the screenings of a subject, the first one first."""
        return list(
            self.rows(
                "select source, status, made_for from compliance.screening where subject_id = %(subject)s"
                " order by screened_at",
                subject=subject,
            )
        )

    def waiting(self) -> list[str]:
        """Return who waits."""
        return [
            row[0]
            for row in self.rows(
                "select subject_id from compliance.rescreening where done_at is null order by 1"
            )
        ]

    def dismiss(self, subject: str) -> None:
        """Let an officer find that the one open case of a subject is no match."""
        hit, version = self._open(subject)
        self._decide(hit, subject, "officer.one", "decide_hit", "no_match", "another birth date", version)

    def confirm(self, subject: str) -> None:
        """Let two officers confirm the one open case of a subject."""
        hit, version = self._open(subject)
        self._decide(hit, subject, "officer.one", "decide_hit", "confirmed", "the same passport", version)
        agreed = True
        self._decide(hit, subject, "officer.two", "second_hit", agreed, "the same passport", version + 1)

    def _open(self, subject: str) -> tuple[str, int]:
        ((hit, version),) = self.rows(
            "select hit_id, version from compliance.hit where subject_id = %(subject)s and status = 'open'",
            subject=subject,
        )
        return hit, version

    def _decide(self, hit: str, subject: str, actor: str, verb: str, *said: object) -> None:
        dsn = self.desk.database.endpoint.dsn("compliance")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                sql.SQL(
                    "select compliance.decide_under(%s, %s, compliance.programme_in_force()),"
                    " compliance.{}(%s, %s, %s, %s, %s, %s, %s)"
                ).format(sql.Identifier(verb)),
                [actor, new_id("req"), actor, new_id("req"), subject, hit, *said],
            )
