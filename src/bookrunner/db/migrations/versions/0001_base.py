"""The first schema of every book."""

from __future__ import annotations

from alembic import op

from bookrunner.db.migrations import MigrationFailed, apply, frozen

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the frozen copies of the schema files."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise MigrationFailed("0001 needs a live connection")
    apply(driver, frozen(revision))


def downgrade() -> None:
    """Refuse: the facts of every book would be lost."""
    raise MigrationFailed("0001 cannot be undone: every recorded fact would be lost")
