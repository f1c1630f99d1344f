"""The press and the approved packet template, shared by the tests of documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bookrunner.adapters.documents import Template, Typesetter, load_template


@pytest.fixture(scope="session")
def press() -> Iterator[Typesetter]:
    with Typesetter() as typesetter:
        yield typesetter


@pytest.fixture(scope="session")
def packet() -> Template:
    return load_template("subscription_packet", "1.1.0")
