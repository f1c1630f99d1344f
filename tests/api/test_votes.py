"""Votes over the API: two people open one, holders and delegates cast under their own keys."""

from __future__ import annotations

from bookrunner.api import api, issue
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem, serving
from tests.attack.world import Connect, digest
from tests.servicing.books import named
from tests.servicing.votes import ENDS, RECORD_ON, finish, held

ASKED = {
    "resolution": "The fund may lend.",
    "document_sha256": digest("resolution").hex(),
    "record_on": str(RECORD_ON),
    "ends_at": ENDS.isoformat(),
    "quorum_bps": 5000,
    "needed_over": 1,
    "needed_of": 2,
}
PATH = "/v1/offers/ofr_one/votes"
ONE, TWO, THREE = (f"ivr_one{n}" for n in (1, 2, 3))


def test_a_vote_goes_its_way_over_the_api(connect: Connect, database: Database, endpoint: Endpoint) -> None:
    book = held(connect)
    with serving(api(database)) as url:
        calls = Api(url, endpoint, book)
        named(book)
        calls.keys["issuer-one"] = issue(
            endpoint, "staff.ivan", "issuer", actor="usr_admin", issuer="iss_one"
        )
        assert problem(calls.post(PATH, ASKED, keeper="registry"))["code"] == "key_serves_this_keeper"
        unknown = calls.post("/v1/offers/ofr_none/votes", ASKED)
        assert problem(unknown)["code"] == "offer_exists"
        half = calls.post(PATH, ASKED | {"needed_over": 2})
        assert problem(half)["code"] == "needed_part_is_a_fraction"
        proposed = calls.post(PATH, ASKED)
        assert (proposed.status_code, proposed.json()["status"]) == (201, "proposed")
        vote = f"{PATH}/{proposed.json()['id']}"
        opened = {"decision": "opened"}
        assert problem(calls.post(f"{vote}/decisions", opened, seen='"1"'))["code"] == "vote_needs_two_people"
        second = {"name": "engine-two", "seen": '"1"'}
        assert calls.post(f"{vote}/decisions", opened, name="engine-two", seen='"7"').status_code == 412
        assert calls.post(f"{vote}/decisions", opened, **second).json()["status"] == "open"
        _holders_cast(calls, vote)
        _everybody_reads(calls, vote)
        finish(book)
        done = calls.get(vote, "issuer").json()
        assert (done["status"], done["proposed_by"]) == ("closed", None)
        count = {"units": "6", "holders": 3, "ballots": 2, "voted": "5", "in_favour": "3", "against": "2"}
        carried = {"abstained": "0", "quorum_is_met": True, "is_carried": True}
        assert done["result"] == count | carried
        late = calls.post(
            f"{vote}/ballots", {"investor": THREE, "choice": "for"}, keeper="portal", name=THREE
        )
        assert problem(late)["code"] == "ballot_is_cast_in_time"
        assert calls.get(f"{PATH}/vot_none", "issuer").status_code == 404
        again = calls.post(PATH, ASKED).json()["id"]
        end = f"{PATH}/{again}/decisions"
        assert problem(calls.post(end, {"decision": "cancelled"}, seen='"1"'))["status"] in {400, 422}
        why = {"decision": "cancelled", "because": "asked too early"}
        assert calls.post(end, why, seen='"1"').json()["status"] == "cancelled"


def _holders_cast(calls: Api, vote: str) -> None:
    three = {"keeper": "portal", "name": THREE}
    first = calls.post(f"{vote}/ballots", {"investor": THREE, "choice": "against"}, **three, request="once")
    replay = calls.post(f"{vote}/ballots", {"investor": THREE, "choice": "against"}, **three, request="once")
    assert (first.json(), replay.headers["idempotent-replayed"]) == (replay.json(), "true")
    changed = calls.post(f"{vote}/ballots", {"investor": THREE, "choice": "for"}, **three).json()
    assert (changed["units"], changed["choice"], changed["version"]) == ("3", "for", "2")
    # Nobody casts for another, by naming it or by claiming its place.
    foreign = calls.post(f"{vote}/ballots", {"investor": TWO, "choice": "for"}, **three)
    assert problem(foreign)["code"] == "key_of_an_investor_reaches_its_own_alone"
    claimed = {"investor": THREE, "holder": TWO, "choice": "for"}
    assert problem(calls.post(f"{vote}/ballots", claimed, **three))["code"] == "delegate_has_a_proxy"
    given = calls.post(f"{vote}/proxies", {"investor": TWO, "delegate": ONE}, keeper="portal", name=TWO)
    assert (given.json()["delegate"], given.json()["version"]) == (ONE, "0")
    cast = {"investor": ONE, "holder": TWO, "choice": "against"}
    told = calls.post(f"{vote}/ballots", cast, keeper="portal", name=ONE).json()
    assert (told["holder"], told["cast_for_it_by"], told["units"]) == (TWO, ONE, "2")
    none = {"investor": "ivr_none", "delegate": ONE}
    assert problem(calls.post(f"{vote}/proxies", none, keeper="portal"))["code"] == "vote_exists"


def _everybody_reads(calls: Api, vote: str) -> None:
    tally = calls.get(f"{vote}/tally?limit=2", "registry").json()
    rest = calls.get(f"{vote}/tally?cursor={tally['next']}", "audit").json()
    cast = [
        (each["holder"], each["units"], each["choice"]) for each in tally["positions"] + rest["positions"]
    ]
    assert cast == [(ONE, "1", None), (TWO, "2", "against"), (THREE, "3", "for")]
    assert (tally["count"]["voted"], tally["count"]["is_carried"]) == ("5", True)
    assert problem(calls.get(f"{vote}/tally", "issuer"))["code"] == "key_serves_this_keeper"
    assert calls.get(vote, "issuer").json()["result"] is None
    listed = calls.get(PATH, "issuer").json()["votes"]
    assert [each["is_open"] for each in listed] == [True]
    own = calls.get(f"/v1/investors/{ONE}/votes", "portal").json()["votes"]
    assert [(each["holder"], each["delegate"]) for each in own] == [(ONE, None), (TWO, ONE)]
