"""A tool proposes, a person of the keeper confirms, and the call is then that person's, once."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import pytest
from psycopg.types.json import Jsonb

from bookrunner.api import issue
from tests.api.conftest import Api, problem
from tests.api.test_tools import history
from tests.attack.test_issuers import PROFILE

PATH = "/v1/proposals"
TOOL = {"keeper": "engine", "name": "tool-planner"}
CONFIRM: Mapping[str, object] = {
    "operation": "confirm_investment",
    "path": {"investment": "inv_one1"},
    "sentence": "Everything that confirming waits for is there.",
}


def proposed(calls: Api, call: Mapping[str, object] = CONFIRM) -> str:
    """Let the tool propose; return the path of its proposal."""
    answer = calls.post(PATH, call, **TOOL)
    assert (answer.status_code, answer.json()["status"]) == (201, "open"), answer.text
    return f"{PATH}/{answer.json()['id']}"


def test_a_proposal_has_no_effect_before_somebody_confirms_it(calls: Api) -> None:
    before = calls.events("inv_one1")
    path = proposed(calls)
    shown = calls.get(path)
    assert (shown.json()["status"], shown.json()["proposed_by"]) == ("open", "key:tool-planner")
    assert shown.json()["call"] == {"path": {"investment": "inv_one1"}, "body": None, "if_match": None}
    assert calls.get(PATH).json()["proposals"] == [shown.json()]
    assert calls.get(PATH, "treasury").json()["proposals"] == []
    assert calls.events("inv_one1") == before
    made = calls.post(f"{path}/confirmations", seen=shown.headers["etag"])
    assert (made.status_code, made.json()["answered"], made.json()["answer"]["status"]) == (
        200,
        200,
        "confirmed",
    )
    (actor, request) = (
        calls.world.login("owner")
        .execute("select actor, request_id from audit.event where kind = 'investment.confirmed'")
        .fetchone()
    )
    assert (actor, f"{PATH}/{request}") == ("key:engine-one", path)


@pytest.mark.parametrize(
    ("keeper", "operation", "path", "body"),
    [
        ("treasury", "propose_release", {}, {"closing": "cls_one", "account": "DE89370400440532013000"}),
        ("treasury", "decide_release", {"release": "rel_one"}, {"decision": "declined"}),
        ("treasury", "answer_break", {"break_id": "brk_one"}, {"kind": "explained", "answer": "of Mr. X"}),
        ("registry", "accept_break", {"break_id": "brk_one"}, {"because": "of Mr. X"}),
    ],
)
def test_no_account_and_no_words_of_an_answer_are_proposed(
    calls: Api, keeper: str, operation: str, *, path: Mapping[str, str], body: Mapping[str, str]
) -> None:
    """A proposal is kept for good, and the second person names the payee without one that is filled in."""
    call = {"operation": operation, "path": {"offer": "ofr_one"} | path, "body": body, "sentence": "Do it."}
    refused = calls.post(PATH, call, keeper=keeper, name=f"tool-{keeper}")
    assert problem(refused)["code"] == "operation_may_be_proposed"
    assert calls.get(PATH, keeper).json()["proposals"] == []


def test_a_confirmed_call_is_made_once_however_often_it_is_confirmed(calls: Api) -> None:
    path = proposed(calls)
    first = calls.post(f"{path}/confirmations", seen='"1"', request="same")
    again = calls.post(f"{path}/confirmations", seen='"1"', request="same")
    later = calls.post(f"{path}/confirmations", seen='"2"')
    assert first.json() == again.json() == later.json()
    assert calls.events("inv_one1").count("investment.confirmed") == 1
    rival = calls.post(f"{path}/confirmations", seen='"2"', name="engine-two")
    assert problem(rival)["code"] == "proposal_is_decided_once"


def test_another_call_under_the_id_of_a_proposal_is_refused(calls: Api) -> None:
    path = proposed(calls)
    for name in ("engine-one", "engine-two"):
        other = calls.post(
            "/v1/investments/inv_one2/confirm", seen='"1.1"', request=path.rpartition("/")[2], name=name
        )
        assert (other.status_code, problem(other)["code"]) == (422, "idempotency_key_is_no_proposals")
    assert calls.get(path).json()["is_made"] is False
    assert calls.post(f"{path}/confirmations", seen='"1"').json()["answered"] == 200
    assert calls.get(path).json()["is_made"] is True


def test_a_refused_call_says_why_and_may_be_made_again(calls: Api) -> None:
    calls.world.revoke(1)
    path = proposed(calls)
    refused = calls.post(f"{path}/confirmations", seen='"1"', request="once")
    assert (refused.status_code, problem(refused)["code"]) == (409, "gate_is_closed")
    assert calls.get(path).json()["status"] == "confirmed"
    assert "investment.confirmed" not in calls.events("inv_one1")
    again = calls.post(f"{path}/confirmations", seen='"1"', request="once")
    assert problem(again)["code"] == "gate_is_closed"
    # After its time even the repetition of a confirmation makes no call.
    owner = calls.world.login("owner")
    owner.execute("alter table api.proposal disable trigger user")
    days = "proposed_at = now() - interval '2 days', expires_at = now() - interval '1 day'"
    owner.execute(f"update api.proposal set {days}")  # type: ignore[arg-type]  # noqa: S608
    owner.execute("alter table api.proposal enable trigger user")
    owner.commit()
    late = calls.post(f"{path}/confirmations", seen='"1"', request="once")
    assert problem(late)["code"] == "proposal_is_in_its_time"


@pytest.mark.parametrize(
    ("keeper", "call", "rule"),
    [
        ("treasury", {"operation": "open_offer"}, "operation_may_be_proposed"),
        (
            "compliance",
            {"operation": "accept_statement", "path": {"investment": "inv_one1"}},
            "operation_may_be_proposed",
        ),
        ("engine", {"operation": "open_offer", "body": {"name": "x" * 70_000}}, "proposed_call_is_short"),
    ],
    ids=["of another keeper", "who somebody is", "a long one"],
)
def test_a_call_that_nobody_could_confirm_is_not_kept(
    calls: Api, keeper: str, call: dict[str, object], rule: str
) -> None:
    answer = calls.post(PATH, {"sentence": "so", **call}, keeper=keeper, name=f"tool-{keeper}")
    assert problem(answer)["code"] == rule
    assert calls.get(PATH, keeper).json()["proposals"] == []


def test_what_is_declined_or_late_is_never_made(calls: Api) -> None:
    path = proposed(calls)
    declined = calls.post(f"{path}/refusals", {"because": "not yet"}, seen='"1"')
    assert (declined.status_code, declined.json()["status"]) == (200, "declined")
    assert problem(calls.post(f"{path}/confirmations", seen='"1"'))["code"] == (
        "version_is_the_one_that_was_seen"
    )
    assert problem(calls.post(f"{path}/confirmations", seen='"2"'))["code"] == "proposal_is_decided_once"
    owner = calls.world.login("owner")
    owner.execute(
        "insert into api.proposal"
        " (proposal_id, keeper, operation, call, sentence, proposed_by, proposed_at, expires_at)"
        " select 'pps_late', keeper, operation, call, sentence, proposed_by, now() - interval '2 days',"
        " now() - interval '1 day' from api.proposal"
    )
    owner.commit()
    assert calls.get(f"{PATH}/pps_late").json()["status"] == "expired"
    late = calls.post(f"{PATH}/pps_late/confirmations", seen='"1"')
    assert problem(late)["code"] == "proposal_is_in_its_time"
    assert "investment.confirmed" not in calls.events("inv_one1")


def test_a_tool_confirms_nothing_and_writes_nothing(calls: Api) -> None:
    path = proposed(calls)
    other = {"keeper": "engine", "name": "tool-other"}
    ((events, refusals, decided, investments),) = history(calls)
    for tool in (TOOL, other):
        refused = calls.post(f"{path}/confirmations", seen='"1"', **tool)
        assert problem(refused)["code"] == "a_tool_decides_nothing"
        direct = calls.post("/v1/investments/inv_one1/confirm", **tool)
        assert problem(direct)["code"] == "a_tool_changes_no_record"
    # Each refused call is on record, and nothing else came of it.
    assert history(calls) == [(events, int(str(refusals)) + 4, decided, investments)]
    assert calls.get(path).json()["status"] == "open"


def test_the_key_of_an_issuer_proposes_nothing_and_reads_no_proposal(calls: Api) -> None:
    engine = calls.world.login("engine")
    engine.execute("select engine.name_issuer('usr_operator', 'req_name', 'iss_one', %s)", [Jsonb(PROFILE)])
    engine.commit()
    calls.keys["issuer-one"] = issue(
        calls.endpoint, "issuer-one", "issuer", actor="usr_admin", issuer="iss_one"
    )
    path = proposed(calls)
    assert calls.post(PATH, CONFIRM, keeper="issuer").status_code == 403
    assert calls.get(path, "issuer").status_code == 403
    assert calls.post(f"{path}/confirmations", seen='"1"', keeper="issuer").status_code == 403


@pytest.mark.parametrize("keeper", ["engine", "portal", "treasury"])
def test_no_login_acts_for_a_tool_even_with_raw_sql(calls: Api, keeper: str) -> None:
    statements = {
        "engine": "select engine.confirm('key:tool-x', 'req_1', 'ofr_one', 'inv_one1')",
        "portal": "insert into api.decided_proposal values ('pps_one', true, '', 'key:a', 'key:b')",
        "treasury": "insert into api.proposal values ('pps_one')",
    }
    with pytest.raises(psycopg.Error) as refused:
        calls.world.login(keeper).execute(statements[keeper])
    told = refused.value.diag.constraint_name or refused.value.sqlstate
    assert told == ("a_tool_changes_no_record" if keeper == "engine" else "42501")


@pytest.mark.parametrize(
    ("decided_by", "is_confirmed", "because", "rule"),
    [
        ("key:tool-planner", True, "", "a_tool_decides_nothing"),
        ("usr_first", True, "", "proposal_is_decided_by_another"),
        ("key:usr_first", True, "", "proposal_is_decided_by_another"),
        ("key:another", False, "", "declined_proposal_says_why"),
    ],
)
def test_the_tables_refuse_even_their_owner(
    calls: Api, decided_by: str, *, is_confirmed: bool, because: str, rule: str
) -> None:
    owner = calls.world.login("owner")
    owner.execute(
        "insert into api.proposal (proposal_id, keeper, operation, call, sentence, proposed_by, expires_at)"
        " values ('pps_one', 'engine', 'confirm_investment', '{}', 'why', 'usr_first',"
        " now() + interval '1 day')"
    )
    with pytest.raises(psycopg.Error) as refused:
        owner.execute(
            "insert into api.decided_proposal (proposal_id, is_confirmed, because, proposed_by, decided_by)"
            " values ('pps_one', %s, %s, 'usr_first', %s)",
            [is_confirmed, because, decided_by],
        )
    assert refused.value.diag.constraint_name == rule


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"operation": "get_offer"}, "operation_may_be_proposed"),
        ({"operation": "confirm_proposal", "path": {"proposal": "pps_one"}}, "operation_may_be_proposed"),
        ({"operation": "certify_ownership", "path": {"investor": "ivr_one1"}}, "operation_may_be_proposed"),
        ({"operation": "no_such_thing"}, "operation_may_be_proposed"),
        ({"path": {}}, "proposed_call_fills_its_path"),
        ({"path": {"investment": "../offers"}}, "request_has_the_agreed_shape"),
        ({"path": {"investment": "inv_one1", "other": "x"}}, "proposed_call_fills_its_path"),
        ({"hours": 745}, "request_has_the_agreed_shape"),
        ({"sentence": " "}, "request_has_the_agreed_shape"),
    ],
)
def test_a_call_that_could_not_be_made_is_not_proposed(
    calls: Api, change: Mapping[str, object], rule: str
) -> None:
    refused = calls.post(PATH, {**CONFIRM, **change}, **TOOL)
    assert (refused.status_code, problem(refused)["code"]) == (422, rule)


@pytest.mark.parametrize("part", [".", "..", ".x"])
def test_a_part_of_a_path_is_no_way_to_another_path(calls: Api, part: str) -> None:
    said = {**CONFIRM, "path": {"investment": part}}
    assert calls.post(PATH, said, **TOOL).status_code == 422
