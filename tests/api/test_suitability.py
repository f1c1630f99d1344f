"""What stands before the amount over the API: questions in versions, a retail client's knowledge, limits."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bookrunner.api import api
from bookrunner.audit import verify_history
from bookrunner.books import portal
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import DETAIL, Connect, World, digest
from tests.serving import serving

INVESTOR = "ivr_asked"
OFFER = "/v1/offers/ofr_one"
QUESTIONS = [
    {"id": "bought_before", "sentence": "Have you bought such units before?", "choices": ["yes", "no"]},
    {
        "id": "how_often",
        "sentence": "How often in three years?",
        "choices": ["once", "often"],
        "if_question": "bought_before",
        "if_answers": ["yes"],
        "knowing": ["often"],
    },
    {
        "id": "may_lose",
        "sentence": "How much of it may you lose?",
        "choices": ["none", "half", "all"],
        "knowing": ["all"],
    },
    {"id": "remarks", "sentence": "Anything else?", "is_required": False},
]


@pytest.fixture
def asked(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API over a published offer that asks its questions, and an investor with a profile."""
    world = World(connect)
    world.published()
    portal.keeper(database).open_profile(
        actor="usr_1",
        investor=INVESTOR,
        account="acc_1",
        kind="individual",
        detail=DETAIL
        | {
            "legal_name": "Ada Example",
            "address": "1 Example Street",
            "tax_id": "912345678",
            "email": "a@example.test",
        },
    )
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        publish(calls)
        yield calls


def publish(calls: Api, **changed: object) -> httpx.Response:
    """Publish the questions as the next version."""
    body = {"questions": QUESTIONS, "because": "first offer to retail clients", **changed}
    answer = calls.post(f"{OFFER}/questionnaires", body, keeper="compliance")
    assert answer.status_code == 201, answer.text
    return answer


def answer(calls: Api, answers: dict[str, str], version: str = "1", **said: object) -> httpx.Response:
    """Answer for the investor."""
    body = {"investor": INVESTOR, "account": "acc_1", "questionnaire": version, "answers": answers, **said}
    return calls.post(f"{OFFER}/suitability", body, keeper="portal")


def commit(calls: Api) -> httpx.Response:
    """Open an investment, which is the step that the answers stand before."""
    return calls.post("/v1/investments", {"offer": "ofr_one", "investor": INVESTOR, "units": "1"})


def test_the_questions_are_shown_with_what_they_are_asked_after(asked: Api) -> None:
    for keeper in ("portal", "compliance"):
        shown = asked.get(f"{OFFER}/questionnaire", keeper=keeper).json()
        assert (shown["version"], [q["id"] for q in shown["questions"]]) == (
            "1",
            ["bought_before", "how_often", "may_lose", "remarks"],
        )
        assert shown["questions"][1]["if_answers"] == ["yes"]
    assert asked.get(f"{OFFER}/questionnaire", keeper="treasury").status_code == 403
    assert asked.get("/v1/offers/ofr_none/questionnaire", keeper="portal").status_code == 404
    foreign = asked.post(f"{OFFER}/questionnaires", {"questions": QUESTIONS, "because": "x"}, keeper="portal")
    assert foreign.status_code == 403


def test_a_commitment_waits_for_the_answers_by_name(asked: Api) -> None:
    early = problem(commit(asked))
    assert early["code"] == "required_question_is_answered"
    assert "bought_before, may_lose" in str(early["detail"])
    assert answer(asked, {"bought_before": "no", "may_lose": "half"}).status_code == 201
    assert commit(asked).status_code in {200, 201}


@pytest.mark.parametrize(
    ("answers", "rule", "names"),
    [
        ({"bought_before": "no", "may_lose": "half", "how_often": "once"}, "skipped_question", "how_often"),
        ({"bought_before": "yes", "may_lose": "half"}, "required_question", "how_often"),
        ({"bought_before": "no"}, "required_question", "may_lose"),
        ({"bought_before": "no", "may_lose": "a bit"}, "answer_is_one_of", "may_lose"),
        ({"bought_before": "no", "may_lose": "half", "shoe_size": "9"}, "skipped_question", "shoe_size"),
    ],
)
def test_wrong_answers_are_refused_by_name(
    asked: Api, answers: dict[str, str], rule: str, names: str
) -> None:
    found = problem(answer(asked, answers))
    assert str(found["code"]).startswith(rule)
    assert str(found["detail"]).endswith(f": {names}")


def test_a_new_version_asks_again(asked: Api) -> None:
    given = {"bought_before": "no", "may_lose": "half"}
    assert answer(asked, given).status_code == 201
    assert publish(asked).json()["version"] == "2"
    assert problem(commit(asked))["code"] == "required_question_is_answered"
    stale = answer(asked, given)
    assert (stale.status_code, problem(stale)["code"]) == (412, "answers_are_to_the_questionnaire_in_force")
    assert answer(asked, given, "2").status_code == 201
    assert commit(asked).status_code in {200, 201}


def test_a_retail_client_without_knowledge_is_warned_first(asked: Api) -> None:
    publish(asked, knowledge_from=2)
    little = {"bought_before": "yes", "how_often": "once", "may_lose": "all"}
    assert answer(asked, little, "2").json()["appropriateness"] == "warning_is_due"
    assert problem(commit(asked))["code"] == "retail_client_is_warned"
    warned = answer(asked, little, "2", warning_confirmed=True)
    assert warned.json()["appropriateness"] == "warned"
    assert commit(asked).status_code in {200, 201}
    enough = answer(asked, little | {"how_often": "often"}, "2")
    assert enough.json()["appropriateness"] == "appropriate"


def test_two_versions_at_once_are_two_versions(asked: Api, connect: Connect) -> None:
    first, second = connect("compliance"), connect("compliance")
    publishes = b"select compliance.publish_questionnaire('officer.ana', 'r', 'ofr_one', %s, 'again')"
    content = [json.dumps({"questions": [QUESTIONS[2]]})]
    later = threading.Thread(target=second.execute, args=(publishes, content))
    with first.transaction():
        first.execute(publishes, content)
        later.start()
        later.join(0.5)
        assert later.is_alive()
    later.join()
    assert asked.get(f"{OFFER}/questionnaire", keeper="portal").json()["version"] == "3"


@pytest.mark.parametrize(
    "question",
    [
        {"is_required": False},
        {"if_question": "remarks", "if_answers": ["yes"]},
    ],
)
def test_who_answers_nothing_has_no_knowledge(asked: Api, question: dict[str, object]) -> None:
    """Questions that nobody has to answer leave the check of knowledge where it is."""
    optional = QUESTIONS[3] | {"choices": ["yes", "no"]}
    publish(asked, knowledge_from=1, questions=[optional, QUESTIONS[2] | question])
    assert problem(commit(asked))["code"] == "retail_client_is_warned"
    assert answer(asked, {}, "2", warning_confirmed=True).json()["appropriateness"] == "warned"
    assert commit(asked).status_code == 201


@pytest.mark.parametrize(
    ("category", "status"), [("professional", "not_needed"), ("retail", "warning_is_due")]
)
def test_the_category_of_the_client_drives_the_check(asked: Api, category: str, status: str) -> None:
    publish(asked, knowledge_from=2)
    asked.world.call("compliance.record_category", INVESTOR, "mifid_ii", category, digest("paper"), None)
    given = answer(asked, {"bought_before": "no", "may_lose": "none"}, "2")
    assert given.json()["appropriateness"] == status


def test_answers_stay_out_of_events_and_of_other_logins(asked: Api, database: Database) -> None:
    given = answer(asked, {"bought_before": "no", "may_lose": "half", "remarks": "my uncle Xaverius"})
    events: list[Any] = (
        asked.world.login("owner")
        .execute("select canonical from audit.event where subject = %s", [given.json()["id"]])
        .fetchall()
    )
    assert [set(json.loads(text)["payload"]) & {"answers"} for (text,) in events] == [set()]
    assert "Xaverius" not in str(events)
    for login in ("compliance", "treasury", "engine"):
        with pytest.raises(Refused), database.transaction(login) as transaction:
            transaction.execute(b"select answers from portal.suitability")
    assert verify_history(database).faults == ()
    keeper = portal.keeper(database)
    seen = {"offering": "ofr_one", "investor": INVESTOR, "view": "pvw_1"}
    with pytest.raises(Refused, match="view_says_its_purpose"):
        keeper.view_suitability(actor="officer.ana", **seen, purpose=" ")
    shown = keeper.view_suitability(actor="officer.ana", **seen, purpose="review")
    assert shown["remarks"] == "my uncle Xaverius"


@pytest.fixture
def crowd(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API over a crowdfunding offer at ten dollars a unit, and an investor with a profile."""
    world = World(connect)
    world.exemption = "reg_cf"
    world.published()
    detail = DETAIL | {"legal_name": "Ada Example", "address": "1 Example Street", "tax_id": "912345678"}
    given = {"account": "acc_1", "kind": "individual", "detail": detail | {"email": "a@example.test"}}
    portal.keeper(database).open_profile(actor="usr_1", investor=INVESTOR, **given)
    with serving(api(database)) as url:
        yield Api(url, endpoint, world)


def test_the_amount_step_shows_limit_used_and_remaining(crowd: Api) -> None:
    address = f"{OFFER}/limit?investor={INVESTOR}"
    silent = problem(crowd.get(address, keeper="portal"))
    assert silent["code"] == "investor_states_income_and_net_worth"
    stated = {"currency": "USD", "income_minor": 6_000_000, "net_worth_minor": 1_000_000}
    for number, outside in enumerate((250_001, 250_000)):
        bought = json.dumps(stated | {"outside_bought_minor": outside})
        crowd.world.call("compliance.state_finances", INVESTOR, f"fin_{number}", bought)
        shown = crowd.get(address, keeper="portal").json()
        told = [shown[name]["amount"] for name in ("limit", "used", "remaining")]
        if number == 0:
            assert told == ["3000.00", "2500.01", "499.99"]
            assert problem(commit(crowd))["code"] == "commitment_is_within_the_limit"
    assert told == ["3000.00", "2500.00", "500.00"]
    assert commit(crowd).status_code == 201
    after = crowd.get(address, keeper="portal").json()
    assert (after["used"]["amount"], after["remaining"]["amount"]) == ("3000.00", "0.00")
    assert problem(commit(crowd))["code"] == "commitment_is_within_the_limit"
    for keeper in ("treasury", "engine"):
        assert crowd.get(address, keeper=keeper).status_code == 403


def test_another_account_answers_by_a_verified_authority_alone(asked: Api) -> None:
    given = {"bought_before": "no", "may_lose": "half"}
    refused = problem(answer(asked, given, account="acc_other"))
    assert refused["code"] == "account_may_act_for_the_investor"
    assert "acc_other has no verified authority to answer" in str(refused["detail"])
    asked.world.call("compliance.open_case", INVESTOR, "kyc_asked", "individual")
    authority = {"account": "acc_other", "scope": ["answer"], "document_sha256": "00"}
    asked.world.call("compliance.record_party", INVESTOR, "pty_1", "representative", json.dumps(authority))
    assert answer(asked, given, account="acc_other").status_code == 409
    asked.world.call("compliance.verify_party", INVESTOR, "pty_1", digest("mandate"), 1)
    assert answer(asked, given, account="acc_other").status_code == 201


def test_answers_go_with_the_key_of_the_investor(asked: Api, database: Database) -> None:
    assert answer(asked, {"bought_before": "no", "may_lose": "half"}).status_code == 201
    portal.keeper(database).erase_personal(actor="officer.ana", investor=INVESTOR, because="asked for")
    rows = asked.world.login("owner").execute("select status, answers from portal.suitability").fetchall()
    assert rows == [("erased", {})]
    late = answer(asked, {"bought_before": "no", "may_lose": "half", "remarks": "my uncle Xaverius"})
    assert problem(late)["code"] == "personal_data_is_not_erased"
    rows = asked.world.login("owner").execute("select status, answers from portal.suitability").fetchall()
    assert rows == [("erased", {})]
    assert verify_history(database).faults == ()
