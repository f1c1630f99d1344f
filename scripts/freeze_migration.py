"""Rewrites the SQL of the first migration from the current schema files; only before the first release."""

from bookrunner.db import freeze

if __name__ == "__main__":
    freeze()
