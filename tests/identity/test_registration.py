"""How this installation is registered at a sign-in provider."""

from __future__ import annotations

import pytest

from bookrunner.adapters.identity import Registration
from bookrunner.core.errors import BookrunnerError, ConfigurationError

CLIENT, SECRET = "bookrunner", "a secret of the tests"


def test_a_registration_is_at_a_safe_address_and_shows_no_secret() -> None:
    for issuer in ("http://192.0.2.1", "ftp://example.org", "https://user@example.org", ""):
        with pytest.raises(BookrunnerError):
            Registration(issuer, CLIENT, SECRET, frozenset(), frozenset())
    with pytest.raises(ConfigurationError):
        Registration("https://example.org", CLIENT, "", frozenset(), frozenset())
    assert SECRET not in repr(Registration("https://example.org", CLIENT, SECRET, frozenset(), frozenset()))
