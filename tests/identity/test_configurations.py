"""What OpenID providers say of themselves: asked rarely, by one at a time, and at addresses that are fit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import ECKey

from bookrunner.adapters.identity.published import (
    FAILED_SECONDS,
    STANDS_SECONDS,
    Configurations,
    address_in,
    signing_keys,
)
from bookrunner.core.errors import NotReady
from tests.pages.provider import Provider, providing


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_configuration_stands_for_minutes() -> None:
    clock = Clock()
    with providing() as provider:
        told = Configurations(clock)
        first = told.of(provider.url)
        provider.about = {"token_endpoint": f"{provider.url}/moved"}
        clock.now += STANDS_SECONDS - 1
        assert (told.of(provider.url), provider.looked_at) == (first, 1)
        clock.now += 1
        assert told.of(provider.url)["token_endpoint"] == f"{provider.url}/moved"
        assert provider.looked_at == 2


def test_a_provider_that_failed_is_not_asked_again_at_once() -> None:
    clock = Clock()
    with providing() as provider:
        told, provider.fails = Configurations(clock), True
        with pytest.raises(NotReady):
            told.of(provider.url)
        provider.fails = False
        with pytest.raises(NotReady):
            told.of(provider.url)
        assert provider.looked_at == 1
        clock.now += FAILED_SECONDS
        assert told.of(provider.url)["issuer"] == provider.url


class Slow(Provider):
    """A provider that says what it is when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def configuration(self) -> dict[str, object]:
        """Return what it says of itself, late."""
        self.is_asked.set()
        self.may_answer.wait()
        return super().configuration()


def test_one_asks_and_the_others_do_not_wait_for_long() -> None:
    with providing(Slow()) as provider, ThreadPoolExecutor(1) as beside:
        assert isinstance(provider, Slow)
        told = Configurations(Clock())
        asked = beside.submit(told.of, provider.url)
        provider.is_asked.wait()
        # It cannot come true before the provider answers, which it does not while this waits.
        with pytest.raises(NotReady):
            told.of(provider.url)
        provider.may_answer.set()
        asked.exception()
        assert provider.looked_at == 1


def test_the_loopback_is_for_an_issuer_on_it() -> None:
    for own in ("http://127.0.0.1:8080/token", "https://localhost/token", "https://127.0.0.2/token"):
        with pytest.raises(NotReady):
            address_in({"issuer": "https://login.example.com", "token_endpoint": own}, "token_endpoint")
    about = {"issuer": "http://127.0.0.1:1", "token_endpoint": "http://127.0.0.1:2/token"}
    assert address_in(about, "token_endpoint") == "http://127.0.0.1:2/token"


def test_one_key_alone_needs_no_id() -> None:
    nameless = ECKey.generate_key("P-256", {"use": "sig"}).as_dict(private=False)
    nameless.pop("kid", None)
    named = ECKey.generate_key("P-256", {"kid": "a", "use": "sig"}).as_dict(private=False)
    assert len(signing_keys([dict(nameless)]).keys) == 1
    assert [key.kid for key in signing_keys([dict(nameless), named]).keys] == ["a"]
    assert signing_keys([dict(nameless), dict(nameless)]).keys == []
