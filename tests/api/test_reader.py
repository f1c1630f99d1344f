"""The description as a page: every operation and shape, no script, nothing from elsewhere, at any width."""

from __future__ import annotations

import re
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Request

from tests.api.conftest import Api, description
from tests.browsing import axe_is_content
from tests.pages.test_browser import keep
from tests.patience import PATIENT


def test_the_page_has_every_operation_and_every_link_leads_somewhere(calls: Api) -> None:
    answer = httpx.get(f"{calls.url}/docs", timeout=PATIENT)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    told = description()
    shown = set(re.findall(r'id="([^"]+)"', answer.text))
    served = httpx.get(f"{calls.url}/v1/openapi.json", timeout=PATIENT).json()
    named = {one["operationId"] for methods in served["paths"].values() for one in methods.values()}
    assert named <= shown
    assert served["components"]["schemas"].keys() <= shown
    assert len(named) > 0.8 * sum(map(len, told["paths"].values()))
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= shown
    assert len(re.findall(r'\bid="', answer.text)) == len(shown)


def test_the_page_loads_and_runs_nothing(calls: Api) -> None:
    answer = httpx.get(f"{calls.url}/docs", timeout=PATIENT)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<(?:script|link|img|iframe)|href=\"(?!#|/)|\bsrc=|<[^>]*\son\w+=", answer.text) == []


@pytest.mark.parametrize("shown", [(1280, "light"), (390, "dark")])
def test_the_page_is_readable(
    calls: Api, browser: Browser, axe: str, shown: tuple[int, Literal["light", "dark"]]
) -> None:
    width, scheme = shown
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    heard: list[ConsoleMessage] = []
    asked: list[Request] = []
    # Playwright takes no method of a list.
    page.on("console", lambda message: heard.append(message))  # noqa: PLW0108
    page.on("request", lambda sent: asked.append(sent))  # noqa: PLW0108
    page.goto(f"{calls.url}/docs#open_profile")
    page.locator("#open_profile summary").click()
    page.locator("#Profile summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe_is_content(page, axe)
    keep(page, f"docs-{scheme}-{width}")
    page.close()
    assert [message.text for message in heard] == []
    addresses = {sent.url.partition("#")[0] for sent in asked}
    assert addresses <= {f"{calls.url}/docs", f"{calls.url}/favicon.ico"}
