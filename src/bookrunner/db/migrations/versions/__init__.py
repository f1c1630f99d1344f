"""One file for each migration, run in the order of their numbers."""
