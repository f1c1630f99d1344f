"""What the pages answer, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.pages.conftest import Site
from tests.pages.world import OFFERING, STAGES
from tests.patience import PATIENT

Connect = Callable[[str], psycopg.Connection]
END = (
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'engine' "
    "and datname = current_database() and (wait_event_type = 'Lock' or not %s)"
)
CLOSE = f"/offers/{OFFERING}/close"


def test_vendored_files_are_the_locked_ones() -> None:
    folder = files("bookrunner.pages") / "static"
    locked = json.loads((folder / "vendored.json").read_text(encoding="utf-8"))
    for entry in locked:
        content = (folder / entry["file"]).read_bytes()
        assert len(content) == entry["bytes"]
        assert base64.b64encode(hashlib.sha384(content).digest()).decode() == entry["sha384"]
    ours = {"bookrunner.css", "passkeys.js", "vendored.json"}
    assert {entry["file"] for entry in locked} == {file.name for file in folder.iterdir()} - ours


def test_each_count_names_how_many_are_missing(site: Site) -> None:
    page = httpx.get(f"{site.url}/offers/{OFFERING}", timeout=PATIENT).text
    found = re.findall(r"keeper=(\w+)#waiting\">(\d+) missing", page)
    assert found == [
        ("compliance", "1"),
        ("subscription", "2"),
        ("treasury", "3"),
        ("registry", str(len(STAGES))),
    ]


def test_a_count_opens_exactly_its_investments(site: Site) -> None:
    page = httpx.get(f"{site.url}/offers/{OFFERING}?keeper=treasury", timeout=PATIENT).text
    assert re.findall(r'<tr id="row-(inv_\d+)">', page) == ["inv_0004", "inv_0005", "inv_0006"]


def test_buckets_sum_to_the_total(site: Site) -> None:
    page = httpx.get(f"{site.url}/offers/{OFFERING}", timeout=PATIENT).text
    amounts = dict(
        re.findall(r'row">([\w ]+)</th><td class="number">(?:<strong>)?<span class="money">([\d.,]+)', page)
    )
    minor = {name: int(re.sub(r"\D", "", amount)) for name, amount in amounts.items()}
    parts = ("committed", "instructed", "matched", "cleared", "released")
    assert sum(minor[name] for name in parts) == minor["Total subscribed"] == 6 * 100_000
    assert (minor["matched"], minor["cleared"]) == (100_000, 300_000)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    ],
)
def test_a_write_from_elsewhere_is_refused(site: Site, connect: Connect, headers: dict[str, str]) -> None:
    answer = httpx.post(site.url + CLOSE, data={"set": "ready"}, headers=headers, timeout=PATIENT)
    assert answer.status_code == 403
    assert "write_comes_from_our_own_page" in answer.text
    assert site.world.engine.open_closings() == []
    refusals = connect("owner").execute("select count(*) from audit.refusal").fetchone()
    assert refusals == (0,)


@pytest.mark.parametrize("form", [{}, {"set": ""}, {"set": "everybody"}])
def test_a_closing_without_a_known_set_is_not_asked_for(
    site: Site, connect: Connect, form: dict[str, str]
) -> None:
    answer = httpx.post(site.url + CLOSE, data=form, headers={"Origin": site.url}, timeout=PATIENT)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "everybody" not in answer.text
    assert connect("owner").execute("select count(*) from audit.refusal").fetchone() == (0,)
    assert site.world.engine.open_closings() == []


def test_a_refused_closing_names_every_condition(site: Site) -> None:
    answer = httpx.post(site.url + CLOSE, data={"set": "all"}, headers={"Origin": site.url}, timeout=PATIENT)
    assert answer.status_code == 409
    refusal = answer.text.partition('id="refusal"')[2].partition("</section>")[0]
    for condition in (
        "wallet is linked",
        "funds are cleared",
        "agreement is countersigned",
        "investor is cleared",
    ):
        assert condition in refusal
    assert "Nothing was changed" in refusal


def test_an_unchanged_fragment_answers_304_without_a_policy(site: Site) -> None:
    path = f"{site.url}/offers/{OFFERING}/now"
    first = httpx.get(path, timeout=PATIENT)
    assert "<html" not in first.text
    again = httpx.get(path, headers={"If-None-Match": first.headers["etag"]}, timeout=PATIENT)
    assert (again.status_code, again.content) == (304, b"")
    assert "content-security-policy" not in again.headers


def test_a_changed_fragment_is_another_one_before_the_feed_has_its_number(site: Site) -> None:
    path = f"{site.url}/offers/{OFFERING}/now"
    first = httpx.get(path, timeout=PATIENT)
    site.world.link_wallet(f"{site.world.stages.index('wallet') + 1:04}")
    again = httpx.get(path, headers={"If-None-Match": first.headers["etag"]}, timeout=PATIENT)
    assert again.status_code == 200
    assert again.headers["etag"] != first.headers["etag"]


def test_each_page_has_its_own_nonce_and_no_inline_style(site: Site) -> None:
    first, second = (httpx.get(f"{site.url}/offers/{OFFERING}", timeout=PATIENT) for _ in range(2))
    policies = [page.headers["content-security-policy"] for page in (first, second)]
    nonces = [policy.partition("'nonce-")[2].partition("'")[0] for policy in policies]
    assert len(set(nonces)) == 2
    assert "style=" not in first.text
    for tag in re.findall(r"<[^>]+\shx-[^>]+>", first.text):
        assert f'hx-nonce="{nonces[0]}"' in tag


def test_the_investors_page_shows_no_personal_data(site: Site) -> None:
    page = httpx.get(f"{site.url}/investments/inv_0003", timeout=PATIENT).text
    assert "Investor 0003" not in page
    assert "@example.org" not in page
    assert "screening" not in page
    assert "not registered yet" in page


@pytest.mark.parametrize(
    "path",
    ["/offers/ofr_none", "/offers/ofr_none?dry_run=1", "/investments/inv_none", "/static/0/none.js"],
)
def test_an_unknown_thing_is_not_found(site: Site, path: str) -> None:
    assert httpx.get(site.url + path, timeout=PATIENT).status_code == 404


@pytest.mark.parametrize("cause", ["contention", "session"])
def test_a_database_that_cannot_answer_is_said_on_a_page(site: Site, connect: Connect, cause: str) -> None:
    admin, holder = connect("admin"), connect("owner")
    if cause == "contention":
        place = sql.Identifier(site.world.database.endpoint.database)
        admin.execute(sql.SQL("alter role engine in database {} set lock_timeout = '200ms'").format(place))
        # The pool's connections start again with the setting.
        admin.execute(END, [False])
        while httpx.get(f"{site.url}/offers/{OFFERING}", timeout=PATIENT).status_code != 200:
            time.sleep(0.02)
    with ThreadPoolExecutor(1) as aside, holder.transaction():
        holder.execute("lock table engine.offer in access exclusive mode")
        asked = aside.submit(httpx.get, f"{site.url}/offers/{OFFERING}", timeout=20)
        while cause == "session" and not asked.done() and not admin.execute(END, [True]).fetchall():
            time.sleep(0.02)
        answer = asked.result()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"].startswith("text/html")
    assert "nothing was changed" in answer.text
    assert "Error" not in answer.text
