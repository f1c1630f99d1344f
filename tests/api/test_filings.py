"""Filings over the API: the calendar, the pack, and what people do with it."""

from __future__ import annotations

from bookrunner.db import Database
from tests.api.conftest import Api, problem
from tests.attack.world import digest
from tests.servicing.books import look

PROOF = digest("acceptance").hex()


def test_a_filing_is_packed_prepared_and_recorded(calls: Api, database: Database) -> None:
    world = calls.world
    world.confirmed()
    profile = {"name": "Example Partners", "colour": "#0b4f6c", "escrow_bank": "Example Bank"}
    profile |= {"transfer_agent": "Example Agent", "administrator": "Example Admin"}
    world.call("engine.name_issuer", "iss_one", profile, None)
    look(database)
    listed = calls.get("/v1/filings?offer=ofr_one").json()["filings"]
    assert [each["form"] for each in listed] == ["state notice", "D"]
    path = f"/v1/filings/{listed[1]['id']}"
    pack = calls.get(path).json()
    amounts = {each["code"]: (each["value"], each["unit"]) for each in pack["items"]}
    assert amounts["amount_sold"] == ("3000.00", "USD")
    assert problem(calls.post(f"{path}/preparations", {}, seen='"1"'))["code"] == "prepared_pack_is_filled"
    said = {"item": "amount_sold", "value": "1", "source": "memory"}
    assert problem(calls.post(f"{path}/values", said))["code"] == "filled_item_is_open"
    for code in pack["unfilled"]:
        filled = calls.post(f"{path}/values", {"item": code, "value": "Example", "source": "charter"})
        assert (filled.status_code, filled.json()["status"]) == (200, "due")
    assert calls.post(f"{path}/preparations", {}).status_code == 428
    assert calls.post(f"{path}/preparations", {}, seen='"7"').status_code == 412
    assert calls.post(f"{path}/preparations", {}, seen='"1"').json()["status"] == "prepared"
    made = {"filed_on": listed[1]["fact_on"], "reference": "0001234567-26-000001", "proof_sha256": PROOF}
    late = made | {"filed_on": "2099-01-01"}
    assert (
        problem(calls.post(f"{path}/submissions", late, seen='"2"'))["code"]
        == "filing_is_recorded_after_it_was_made"
    )
    recorded = calls.post(f"{path}/submissions", made, seen='"2"')
    assert (recorded.json()["status"], recorded.headers["etag"]) == ("filed", '"3"')
    world.call("engine.cancel_investment", "ofr_one", "inv_one2", "as asked")
    filed = calls.get(path, keeper="audit").json()
    assert filed["proof_sha256"] == PROOF
    sold = next(each for each in filed["items"] if each["code"] == "amount_sold")
    assert (sold["value"], sold["differs"], sold["value_now"]) == ("3000.00", True, "2000.00")
    assert calls.get(path, keeper="treasury").status_code == 403


def test_a_stated_fact_opens_its_filing(calls: Api) -> None:
    path = "/v1/offers/ofr_one/filing_facts"
    fact = {"fact": "state_sale", "place": "US-CA", "happened_on": "2026-03-30", "because": "the first buyer"}
    stated = calls.post(path, fact | {"document_sha256": PROOF})
    assert stated.status_code == 201
    (owed,) = calls.get("/v1/filings").json()["filings"]
    assert (owed["state"], owed["due_on"], owed["is_missed"]) == ("US-CA", None, False)
    assert calls.get("/v1/filings?missed=true").json()["filings"] == []
    wrong = fact | {"document_sha256": PROOF, "place": ""}
    assert problem(calls.post(path, wrong))["code"] == "sale_names_its_state"
    for day in ("2026-02-30", "2026-13-01", "soon"):
        assert calls.post(path, fact | {"document_sha256": PROOF, "happened_on": day}).status_code == 422
    one = f"/v1/filings/{owed['id']}"
    ended = calls.post(f"{one}/ends", {"because": "no notice there"}, seen='"1"')
    assert ended.json()["status"] == "ending"
    alone = calls.post(f"{one}/ends/confirmations", seen='"2"')
    assert problem(alone)["code"] == "ended_filing_needs_two_people"
    second = calls.post(f"{one}/ends/confirmations", seen='"2"', name="engine-two")
    assert second.json()["status"] == "not_owed"
    assert calls.get(one).json()["ended_by"] == "key:engine-one"
    again = calls.post(f"{one}/reopenings", {"because": "the state asks for it"}, seen='"3"')
    assert (again.json()["status"], again.headers["etag"]) == ("due", '"4"')
    assert calls.get("/v1/filings/fil_none").status_code == 404
