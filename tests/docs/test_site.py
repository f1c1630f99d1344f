"""The documentation site is built without a warning, leads nowhere dead, and asks nobody else."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser

from scripts.build_site import build, llms, staged
from scripts.guarantees import guarantees_page, missing_tests
from tests.docs.test_docs import ROOT

LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "form": "action"}
LOOKED_AT = ("index.html", "api.html", "states.html", "reference/offers.html", "guarantees.html")


class Page(HTMLParser):
    """The ids of a page, what it links to and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what one element names."""
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found["id"]} if "id" in found else set()
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if found.get(LOADS.get(tag, ""), "") and found.get("rel") != "canonical":
            self.loads.append(found[LOADS[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once; a warning of its builder is an error."""
    target = tmp_path_factory.mktemp("docs") / "site"
    build(target)
    return target


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Serve the site on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_no_link_is_dead_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 60
    faults = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        faults += [f"{path.name} loads {one}" for one in page.loads if urlsplit(one).netloc]
        for link in page.links:
            if urlsplit(link).scheme:
                continue
            target, anchor = urldefrag(link)
            place = (path.parent / unquote(target)).resolve() if target else path
            place = place / "index.html" if place.is_dir() else place
            if not place.is_file():
                faults.append(f"{path.relative_to(site)} links to {link}")
            elif anchor and place in pages and unquote(anchor) not in pages[place].ids | {"__top"}:
                faults.append(f"{path.relative_to(site)} links to {link}, which has no such place")
    assert faults == []


def test_every_operation_has_its_place_in_the_reference(site: Path) -> None:
    told = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    for methods in told["paths"].values():
        for operation in methods.values():
            page = Page((site / f"reference/{operation['tags'][0]}.html").read_text(encoding="utf-8"))
            assert operation["operationId"] in page.ids


def test_a_program_that_reads_finds_every_page(site: Path) -> None:
    told = (site / "llms.txt").read_text(encoding="utf-8")
    assert told == llms(staged())
    links = re.findall(r"\]\(([^)]+)\)", told)
    for link in links:
        assert (site / link).is_file(), link
    listed = {link.partition("#")[0].removesuffix(".html").removesuffix(".md") for link in links}
    pages = {page.removesuffix(".md") for page in staged() if not page.startswith("decisions/")}
    assert sorted(pages - listed) == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_asks_nobody_else(browser: Browser, address: str, tmp_path: Path, width: int) -> None:
    asked: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    for name in LOOKED_AT:
        page.goto(f"{address}/{name}", wait_until="networkidle")
        assert page.locator("h1").count() == 1
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide"
        page.screenshot(path=tmp_path / f"{Path(name).stem}-{width}.png")
    page.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


def test_a_guarantee_that_names_no_test_is_an_error(tmp_path: Path) -> None:
    named = ["tests/none.py::test_a", "tests/docs/test_site.py::test_none"]
    assert list(missing_tests(ROOT, named)) == named
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/guarantees.toml").write_text(
        '[[promise]]\nname = "a"\nsays = "b"\ntests = ["tests/none.py::test_a"]\n', encoding="utf-8"
    )
    with pytest.raises(SystemExit, match="names what is no test"):
        guarantees_page(tmp_path, "")
