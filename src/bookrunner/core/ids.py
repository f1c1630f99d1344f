"""Prefixed, time-ordered, random identifiers such as ``inv_01KA…``."""

from __future__ import annotations

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


def encode(value: int) -> str:
    """Write a 128-bit number as 26 characters of Crockford's base 32, most significant first."""
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -5, -5))


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 26 characters: 48 bits of milliseconds, then 80 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{prefix}_{encode((milliseconds << 80) | int.from_bytes(os.urandom(10)))}"
