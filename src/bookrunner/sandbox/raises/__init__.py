"""Raises without a chain: many, from seeds, with what goes wrong in them."""
