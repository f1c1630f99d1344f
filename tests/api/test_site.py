"""The API and the pages in one application, and the commands that issue keys."""

from __future__ import annotations

import httpx
import pytest

from bookrunner.api import api, issue, listed, revoke
from bookrunner.app import Application
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from bookrunner.pages import web
from tests.api.conftest import problem
from tests.pages.world import OFFERING
from tests.patience import PATIENT
from tests.serving import serving


@pytest.mark.usefixtures("built")
def test_the_pages_stand_beside_the_api(endpoint: Endpoint, application: Application) -> None:
    key = issue(endpoint, "beside", "engine", actor="usr_admin")
    with serving(api(application.database, beside=web(application))) as url:
        page = httpx.get(f"{url}/offers/{OFFERING}", timeout=PATIENT)
        assert page.headers["content-type"].startswith("text/html")
        assert "content-security-policy" in page.headers
        called = httpx.get(
            f"{url}/v1/offers/{OFFERING}", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENT
        )
        assert called.json()["id"] == OFFERING
        # A program sends no Origin, which the pages ask of a write and the API does not.
        for path, status in ((f"/offers/{OFFERING}/close", 403), ("/v1/offers", 401)):
            assert httpx.post(url + path, timeout=PATIENT).status_code == status
        assert problem(httpx.get(f"{url}/v1/none", timeout=PATIENT))["code"] == "path_exists"
        assert (
            httpx.get(f"{url}/offers/ofr_none", timeout=PATIENT)
            .headers["content-type"]
            .startswith("text/html")
        )


def test_a_key_is_issued_once_listed_without_its_secret_and_revoked(endpoint: Endpoint) -> None:
    key = issue(endpoint, "portal-backend", "portal", days=7, actor="usr_admin")
    (row,) = listed(endpoint)
    assert (row["name"], row["keeper"], row["issued_by"]) == ("portal-backend", "portal", "usr_admin")
    assert (row["expires_at"] - row["issued_at"]).days == 7
    assert row["revoked_at"] is None
    assert key not in str(row)
    revoke(endpoint, "portal-backend", actor="usr_admin")
    assert listed(endpoint)[0]["revoked_at"] is not None


@pytest.mark.parametrize(
    ("name", "keeper", "days", "rule"),
    [
        ("taken", "engine", 1, "key_pkey"),
        ("Not plain", "engine", 1, "key_name_is_plain"),
        ("other", "workflow", 1, "key_serves_one_keeper"),
        ("other", "engine", 0, "key_expires_after_it_is_issued"),
    ],
)
def test_a_key_that_breaks_a_rule_is_not_issued(
    endpoint: Endpoint, *, name: str, keeper: str, days: int, rule: str
) -> None:
    issue(endpoint, "taken", "engine", actor="usr_admin")
    with pytest.raises(Refused) as refused:
        issue(endpoint, name, keeper, days=days, actor="usr_admin")
    assert refused.value.rule == rule
    assert [row["name"] for row in listed(endpoint)] == ["taken"]
