"""Every schema file has a place in the order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bookrunner
from bookrunner.db.layout import SCHEMA_FILES, sources

NOT_SCHEMA = {"queries.sql", "roles.sql", "workflow_grants.sql"}


def schema_files() -> Iterator[tuple[str, str]]:
    """Yield package and name of each SQL file of ours that makes a part of the database."""
    root = Path(bookrunner.__file__).parent
    for path in root.rglob("*.sql"):
        home = path.parent.relative_to(root.parent)
        if path.name in NOT_SCHEMA or {"migrations", "queries", "node_modules"} & set(home.parts):
            continue
        yield ".".join(home.parts), path.name


def test_no_schema_file_is_forgotten() -> None:
    assert sorted(schema_files()) == sorted(SCHEMA_FILES)


def test_names_sort_in_the_order_of_application() -> None:
    names = [source.name for source in sources()]
    assert names == sorted(names)
