"""The officer asks an identity provider again from the case file."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.api import issue
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Outside, Settings, inquiry_providers
from bookrunner.core import clock
from bookrunner.db import Endpoint
from bookrunner.sandbox.entering.provider import conclude, configure
from tests.identity.inquiries import running
from tests.pages.conftest import Site
from tests.pages.officers import PERSON
from tests.pages.test_access import visitor

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
CASE = f"/compliance/cases/{PERSON}"


@pytest.fixture
def application(endpoint: Endpoint, tmp_path: Path) -> Iterator[Application]:
    """Return the application with a provider that can be asked, and one at whose address nobody is."""
    configure(tmp_path / "provider", secret=SECRET, credential="ours")
    with running(tmp_path / "provider") as url, EvmChain("http://127.0.0.1:1") as chain:
        settings = Settings.model_validate(
            {
                "identity_secrets": {"standard": {"one": SECRET}},
                "identity_inquiries": {
                    "standard": {"url": url, "credential": "ours"},
                    "persona": {"url": "http://127.0.0.1:1", "credential": "ours"},
                },
            }
        )
        keys = open_keys(tmp_path / "keys", 31337, embedded=True)
        opened = Application(
            endpoint, chain, keys, pause=lambda: None, outside=Outside(inquiries=inquiry_providers(settings))
        )
        yield opened
        opened.close()


def test_the_officer_asks_again(site: Site, endpoint: Endpoint, tmp_path: Path) -> None:
    ((profile),) = site.world.application.desk.engine.profiles(investors=[PERSON])
    subject = f"{PERSON}-{bytes(profile['detail_digest']).hex()}"
    event = {
        "event_id": "evt_1",
        "kind": "identity.completed",
        "subject": subject,
        "outcome": "declined",
        "evidence_sha256": "ab" * 32,
        "occurred_at": clock.now().isoformat(),
    }
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        page = client.get(CASE).text
        assert "Ask standard again" in page
        unknown = client.post(f"{CASE}/ask", data={"provider": "standard"})
        assert unknown.status_code == 404
        conclude(tmp_path / "provider", {subject: event})
        for _ in range(2):
            asked = client.post(f"{CASE}/ask", data={"provider": "standard"})
            assert (asked.status_code, asked.headers["location"]) == (303, f"{CASE}#identity")
        page = client.get(CASE).text
        assert page.count("standard: declined") == 1
        assert "asked by officer.ana" in page
        silent = client.post(f"{CASE}/ask", data={"provider": "persona"})
        assert silent.status_code == 409
        assert "Refused: identity provider answers" in silent.text
        assert client.post(f"{CASE}/ask", data={"provider": "nobody"}).status_code == 404


def test_somebody_else_asks_nobody(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as client:
        assert client.post(f"{CASE}/ask", data={"provider": "standard"}).status_code == 403
