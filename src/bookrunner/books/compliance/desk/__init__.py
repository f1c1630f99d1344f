"""What officers keep beside the cases of investors: suspicions under seal, the sanctions programme."""

from bookrunner.books.compliance.desk.examined import record_with_paper
from bookrunner.books.compliance.desk.owners import take_owners
from bookrunner.db import Database, Keeper

__all__ = ["office", "record_with_paper", "take_owners"]


def office(database: Database) -> Keeper:
    """Return the verbs of the desk, under the login of compliance; each read of it is recorded."""
    return Keeper(database, "compliance", __name__)
