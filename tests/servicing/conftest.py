"""One database for the attacks of a module."""

from tests.attack.conftest import shared

__all__ = ["shared"]
