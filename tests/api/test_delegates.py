"""Delegates over the API: an investor's own key names and ends, and the delegate has no way in."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from bookrunner.core import clock
from tests.api.conftest import Api, problem
from tests.attack.world import Connect

OWN, PATH = "ivr_one1", "/v1/investors/ivr_one1/delegates"


@pytest.fixture
def delegate(connect: Connect) -> str:
    """Make the account of a delegate, which nobody has taken up yet."""
    access = connect("access")
    access.execute("select api.propose_account(%s, 'req_1', 'acc_d', 'dlg_one', 'portal', null)", [OWN])
    access.execute("select api.invite(%s, 'req_2', 'acc_d', sha256('invitation'))", [OWN])
    return "dlg_one"


def wish(delegate: str, scope: str = "act", days: int = 30) -> dict[str, object]:
    """Return who is named."""
    ends = clock.now() + timedelta(days=days)
    return {"delegate": delegate, "scope": scope, "ends_at": ends.isoformat().replace("+00:00", "Z")}


def test_an_investor_names_lists_and_ends(calls: Api, delegate: str, connect: Connect) -> None:
    named = calls.post(PATH, wish(delegate), keeper="portal", name=OWN, request="name-1")
    assert (named.status_code, named.json()["status"]) == (201, "named"), named.text
    again = calls.post(PATH, wish(delegate), keeper="portal", name=OWN, request="name-2")
    assert problem(again)["code"] == "one_delegation_of_two_at_a_time"
    (row,) = calls.get(PATH, "portal").json()["delegations"]
    assert (row["id"], row["delegate"], row["scope"]) == (named.json()["id"], delegate, "act")
    ended = calls.post(f"{PATH}/{row['id']}/end", keeper="portal", name=OWN)
    assert (ended.status_code, ended.json()["status"]) == (200, "ended")
    gone = calls.post(f"{PATH}/{row['id']}/end", keeper="portal", name=OWN)
    assert problem(gone)["code"] == "delegation_stands"
    actors = connect("owner").execute("select distinct actor from audit.event where kind like 'delegation.%'")
    assert actors.fetchall() == [(f"key:{OWN}",)]


def test_nobody_names_in_the_place_of_an_investor(calls: Api, delegate: str) -> None:
    staff = calls.post(PATH, wish(delegate), keeper="portal")
    assert (staff.status_code, problem(staff)["code"]) == (403, "key_serves_this_keeper")
    other = calls.post(PATH, wish(delegate), keeper="portal", name="ivr_one2")
    assert (other.status_code, problem(other)["code"]) == (403, "key_of_an_investor_reaches_its_own_alone")
    for name in ("ivr_one2", "dlg_nobody"):
        body = {**wish(delegate), "delegate": name}
        assert calls.post(PATH, body, keeper="portal", name=OWN).status_code in {404, 422}, name
    for keeper in ("compliance", "engine", "audit"):
        assert calls.get(PATH, keeper).status_code == 403


def test_a_delegation_of_another_investor_is_as_if_there_were_none(calls: Api, delegate: str) -> None:
    named = calls.post(PATH, wish(delegate), keeper="portal", name=OWN).json()["id"]
    path = f"/v1/investors/ivr_one2/delegates/{named}/end"
    foreign = calls.post(path, keeper="portal", name="ivr_one2")
    assert (foreign.status_code, problem(foreign)["code"]) == (404, "delegation_stands")
    assert calls.get("/v1/investors/ivr_one2/delegates", "portal").json() == {"delegations": []}


def test_a_key_is_issued_to_no_delegate(calls: Api, delegate: str) -> None:
    with pytest.raises(Exception, match="delegate_has_no_key") as caught:
        calls.key("portal", delegate)
    assert not isinstance(caught.value, psycopg.Error)
