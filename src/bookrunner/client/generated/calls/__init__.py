# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls by resource."""
