"""How long a test waits for an answer: no assertion is about speed, and a busy machine is slow."""

PATIENT = 60.0
"""Seconds; the client's own five are too few beside another test."""
