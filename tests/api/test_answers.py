"""Every class of answer, with the name of the rule behind it."""

from __future__ import annotations

import hashlib
import json
import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bookrunner.api import revoke
from bookrunner.audit import advance_feed
from bookrunner.core.credentials import make_key
from bookrunner.db import Database
from bookrunner.engine import Desk, Process
from tests.api.conftest import Api, problem
from tests.patience import PATIENT

CONFIRM = "/v1/investments/inv_one1/confirm"


def test_an_investor_is_told_and_knows_until_when_it_may_cancel(calls: Api, database: Database) -> None:
    path = "/v1/investments/inv_one1"
    none = calls.get(f"{path}/cancellation", "portal").json()
    assert (none["rule"], none["ends_at"], none["is_open"]) == (None, None, False)
    admin = calls.world.login("admin")
    for table, change in (
        ("engine.offer", "exemption = 'reg_cf'"),
        ("engine.terms", "closes_at = now() + interval '3 days', pays_by = now() + interval '3 days'"),
        ("engine.investment", "status = 'confirmed'"),
    ):
        admin.execute(f"alter table {table} disable trigger user".encode())
        admin.execute(f"update {table} set {change}".encode())  # noqa: S608
        admin.execute(f"alter table {table} enable trigger user".encode())
    right = calls.get(f"{path}/cancellation", "portal").json()
    assert (right["rule"], right["is_open"], right["is_last_word"]) == ("us.regcf.cancel_until", True, True)
    assert calls.get(f"{path}/notices", "portal").json() == {"notices": []}
    asked = calls.post(f"{path}/cancellation_requests")
    assert asked.json()["status"] == "cancelled_by_manager"
    Process(Desk(database)).drain()
    (notice,) = calls.get(f"{path}/notices").json()["notices"]
    told = (notice["code"], notice["citation"], notice["status"])
    assert told == ("cancelled", "17 CFR 227.304", "written")
    assert calls.get(f"{path}/cancellation").json()["is_open"] is False
    for part in ("notices", "cancellation"):
        assert calls.get(f"{path}/{part}", "treasury").status_code == 403
    assert calls.get("/v1/investments/inv_none/cancellation").status_code == 404


def test_an_offer_is_opened_and_moved_from_the_version_that_was_seen(calls: Api) -> None:
    body = {
        "issuer": "iss_one",
        "name": "Second offer",
        "exemption": "506(c)",
        "unit_price": {"amount": "1000.50", "currency": "USD"},
        "units_total": "5000",
        "minimum_units": "1",
    }
    opened = calls.post("/v1/offers", body)
    assert opened.status_code == 201
    path = f"/v1/offers/{opened.json()['id']}"
    found = calls.get(path)
    assert found.json()["unit_price"] == {"amount": "1000.50", "currency": "USD"}
    assert (found.json()["units_total"], found.json()["status"]) == ("5000", "draft")
    moved = calls.post(f"{path}/moves", {"to": "legal_review"}, seen=found.headers["etag"])
    assert (moved.status_code, moved.json()["status"]) == (200, "legal_review")
    late = calls.post(f"{path}/moves", {"to": "legal_accepted"}, seen=found.headers["etag"])
    assert late.status_code == 412
    assert problem(late)["code"] == "version_is_the_one_that_was_seen"
    skipped = calls.post(f"{path}/moves", {"to": "published"}, seen=moved.headers["etag"])
    assert (skipped.status_code, problem(skipped)["code"]) == (409, "transition_is_listed_for_the_keeper")


@pytest.mark.parametrize(("isin", "status"), [("US0378331005", 201), ("US0378331006", 409)])
def test_an_offer_names_its_security_by_an_isin_that_adds_up(calls: Api, isin: str, status: int) -> None:
    body = {
        "issuer": "iss_one",
        "name": "Named offer",
        "exemption": "506(c)",
        "unit_price": {"amount": "1.00", "currency": "USD"},
        "units_total": "5",
        "minimum_units": "1",
        "isin": isin,
    }
    answer = calls.post("/v1/offers", body)
    assert answer.status_code == status
    if status == 201:
        assert calls.get(f"/v1/offers/{answer.json()['id']}").json()["isin"] == isin
    else:
        assert problem(answer)["code"] == "isin_has_its_check_digit"


def test_an_investment_is_opened(calls: Api) -> None:
    body = {"offer": "ofr_one", "investor": "ivr_one1", "units": "7"}
    opened = calls.post("/v1/investments", body)
    assert opened.status_code == 201
    found = calls.get(f"/v1/investments/{opened.json()['id']}")
    assert found.json()["amount"] == {"amount": "3500.00", "currency": "USD"}
    assert found.headers["etag"] == opened.headers["etag"]


def test_who_shows_no_key_in_force_is_not_authenticated(calls: Api) -> None:
    for credential, rule in (
        ("", "credential_is_given"),
        ("Basic abc", "credential_is_given"),
        ("Bearer nonsense", "credential_is_in_force"),
        (f"Bearer {make_key('engine')}", "credential_is_in_force"),
    ):
        headers = {"Authorization": credential} if credential else {}
        for answer in (
            httpx.get(calls.url + "/v1/offers", headers=headers, timeout=PATIENT),
            httpx.post(calls.url + CONFIRM, headers=headers | {"Idempotency-Key": "one"}, timeout=PATIENT),
        ):
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert problem(answer)["code"] == rule


def test_a_revoked_key_and_an_expired_key_are_refused(calls: Api) -> None:
    assert calls.get("/v1/offers").status_code == 200
    revoke(calls.endpoint, "engine-one", actor="usr_admin")
    assert calls.get("/v1/offers").status_code == 401
    assert calls.post(CONFIRM).status_code == 401
    old = make_key("engine")
    calls.world.login("owner").execute(
        "insert into api.key (name, key_sha256, keeper, issued_by, issued_at, expires_at) values ('old', "
        "%s, 'engine', 'usr_admin', now() - interval '2 days', now() - interval '1 second')",
        [hashlib.sha256(old.encode()).digest()],
    )
    calls.keys["engine-one"] = old
    assert calls.post(CONFIRM).status_code == 401
    assert calls.events("inv_one1") == ["investment.opened"]


def test_a_key_cannot_claim_another_keeper(calls: Api) -> None:
    forged = calls.key("portal").replace("_portal_", "_engine_")
    answer = httpx.get(
        calls.url + "/v1/offers", headers={"Authorization": f"Bearer {forged}"}, timeout=PATIENT
    )
    assert answer.status_code == 401


def test_another_keeper_may_read_and_may_not_decide(calls: Api) -> None:
    assert calls.get("/v1/investments/inv_one1", "portal").status_code == 200
    refused = calls.post(CONFIRM, keeper="portal")
    assert refused.status_code == 403
    assert problem(refused)["detail"] == "engine decides this"
    assert calls.events("inv_one1") == ["investment.opened"]
    unread = calls.get("/v1/offers/ofr_one/receipts", "portal")
    assert (unread.status_code, problem(unread)["code"]) == (403, "key_serves_this_keeper")


def test_what_is_unknown_is_not_found(calls: Api) -> None:
    for path, rule in (
        ("/v1/offers/ofr_none", "offer_exists"),
        ("/v1/offers/ofr_none/breaks", "offer_exists"),
        ("/v1/offers/ofr_none/closings", "offer_exists"),
        ("/v1/investments/inv_none", "investment_exists"),
        ("/v1/nothing", "path_exists"),
        ("/nothing", "path_exists"),
    ):
        answer = calls.get(path)
        assert (answer.status_code, problem(answer)["code"]) == (404, rule)
    answer = calls.post("/v1/investments/inv_none/confirm")
    assert (answer.status_code, problem(answer)["code"]) == (404, "investment_exists")


def test_a_closed_gate_names_what_is_missing_from_whom_and_since_when(calls: Api) -> None:
    calls.world.revoke(1)
    refused = calls.post(CONFIRM, request="early")
    assert refused.status_code == 409
    said = problem(refused)
    assert said["code"] == "gate_is_closed"
    gate = json.loads(refused.text)["gate"]
    assert gate["act"] == "confirm"
    (missing,) = gate["missing"]
    assert (missing["condition"], missing["keeper"]) == ("investor_is_cleared", "compliance")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", missing["since"])
    kept = (
        calls.world.login("owner")
        .execute("select scope, subject, act, rule, actor, request_id, missing from audit.refusal")
        .fetchall()
    )
    assert [row[:6] for row in kept] == [
        ("ofr_one", "inv_one1", "confirm", "gate_is_closed", "key:engine-one", "early")
    ]
    assert kept[0][6][0]["condition"] == "investor_is_cleared"


def test_a_refused_request_leaves_its_key_free(calls: Api) -> None:
    assert (
        calls.post("/v1/investments/inv_one1/confirm_legally", seen='"1.1"', request="k").status_code == 412
    )
    assert calls.post(CONFIRM, request="k").status_code == 200


def test_a_write_without_a_usable_key_is_refused(calls: Api) -> None:
    for key in (None, "", "has blank", "x" * 129):
        headers = {"Authorization": f"Bearer {calls.key('engine')}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = httpx.post(calls.url + CONFIRM, headers=headers, timeout=PATIENT)
        assert (answer.status_code, problem(answer)["code"]) == (400, "write_carries_an_idempotency_key")


def test_a_header_that_comes_twice_is_refused(calls: Api) -> None:
    headers = [
        ("Authorization", f"Bearer {calls.key('engine')}"),
        ("Idempotency-Key", "a"),
        ("Idempotency-Key", "b"),
    ]
    answer = httpx.post(calls.url + CONFIRM, headers=headers, timeout=PATIENT)
    assert (answer.status_code, problem(answer)["code"]) == (400, "header_comes_once")


def test_a_version_is_one_strong_etag(calls: Api) -> None:
    for seen in ("*", "1.1", 'W/"1.1"', '"1.1", "1.2"'):
        answer = calls.post(CONFIRM, seen=seen)
        assert (answer.status_code, problem(answer)["code"]) == (400, "if_match_is_one_strong_etag")


def test_a_decision_on_another_version_is_refused(calls: Api) -> None:
    seen = calls.get("/v1/investments/inv_one1").headers["etag"]
    calls.world.revoke(1)
    answer = calls.post(CONFIRM, seen=seen)
    assert (answer.status_code, problem(answer)["code"]) == (412, "version_is_the_one_that_was_seen")


def test_a_decision_names_its_version(calls: Api) -> None:
    for path, body in (
        ("/v1/investments/inv_one1/confirm_legally", None),
        ("/v1/investments/inv_one1/cancellation_decisions", {"granted": True}),
        ("/v1/offers/ofr_one/closings", {"members": "ready"}),
        ("/v1/offers/ofr_one/moves", {"to": "legally_closed"}),
    ):
        answer = calls.post(path, body)
        assert (answer.status_code, problem(answer)["code"]) == (428, "decision_names_its_version")


def test_a_misshapen_body_is_refused_without_repeating_it(calls: Api) -> None:
    for body, pointer in (
        ({"offer": "ofr_one", "investor": "ivr_one1", "units": 7}, "/body/units"),
        ({"offer": "ofr_one", "investor": "ivr_one1", "units": "0"}, "/body/units"),
        ({"offer": "ofr_one", "investor": "ivr_one1", "units": "7", "actor": "usr_x"}, "/body/actor"),
        ({"offer": "inv_one", "investor": "ivr_one1", "units": "7"}, "/body/offer"),
        ({"offer": "ofr_one", "investor": "ivr_one1"}, "/body/units"),
    ):
        answer = calls.post("/v1/investments", body)
        assert answer.status_code == 422
        errors = json.loads(answer.text)["errors"]
        assert problem(answer)["code"] == "request_has_the_agreed_shape"
        assert [one["pointer"] for one in errors] == [pointer]
        assert "usr_x" not in answer.text


def test_an_act_takes_no_words(calls: Api) -> None:
    assert calls.post(CONFIRM, {"actor": "usr_x"}).status_code == 422
    assert calls.post(CONFIRM, {}).status_code == 200


def test_a_price_is_exact_and_positive(calls: Api) -> None:
    terms = {
        "issuer": "iss_one",
        "name": "x",
        "exemption": "506(b)",
        "units_total": "5",
        "minimum_units": "1",
    }
    for amount, code in (
        ("10.005", "amount_fits_currency"),
        ("1e3", "amount_is_decimal"),
        ("1,000", "amount_is_decimal"),
        ("-1", "offer_unit_price_minor_check"),
    ):
        answer = calls.post("/v1/offers", terms | {"unit_price": {"amount": amount, "currency": "USD"}})
        assert problem(answer)["code"] == code
    assert len(calls.get("/v1/offers").json()["offers"]) == 1


def test_a_list_continues_with_its_cursor(calls: Api) -> None:
    first = calls.get("/v1/investments?offer=ofr_one&limit=2").json()
    rest = calls.get(f"/v1/investments?offer=ofr_one&limit=2&cursor={first['next']}").json()
    ids = [one["id"] for one in first["investments"] + rest["investments"]]
    assert ids == ["inv_one1", "inv_one2", "inv_one3"]
    assert rest["next"] is None
    broken = calls.get("/v1/investments?offer=ofr_one&cursor=%25")
    assert (broken.status_code, problem(broken)["code"]) == (422, "cursor_is_one_of_ours")


def test_an_investment_says_its_stage_and_what_it_misses(calls: Api) -> None:
    found = calls.get("/v1/investments/inv_one1").json()
    assert found["stage"] == "subscription"
    assert [one["condition"] for one in found["missing"]] == [
        "funds_are_received",
        "funds_are_cleared",
        "wallet_is_linked",
    ]
    assert {one["keeper"] for one in found["missing"]} == {"treasury", "registry"}


def test_a_cancellation_is_requested_and_denied(calls: Api) -> None:
    calls.post(CONFIRM)
    path = "/v1/investments/inv_one1"
    asked = calls.post(f"{path}/cancellation_requests")
    assert asked.json()["status"] == "cancellation_requested"
    decision = {"granted": False, "because": "the set is frozen tomorrow"}
    decide = f"{path}/cancellation_decisions"
    alone = calls.post(decide, decision, seen=asked.headers["etag"])
    assert problem(alone)["code"] == "cancellation_needs_two_people"
    denied = calls.post(decide, decision, seen=asked.headers["etag"], name="engine-two")
    assert denied.json()["status"] == "confirmed"
    ended = calls.post(f"{path}/cancellations", {"because": "asked by mail"}, seen=denied.headers["etag"])
    assert ended.json()["status"] == "cancelled_by_manager"


def test_another_key_reviews_an_offer_and_ends_it(calls: Api) -> None:
    body = {
        "issuer": "iss_one",
        "name": "Another",
        "exemption": "506(c)",
        "unit_price": {"amount": "100.00", "currency": "USD"},
        "units_total": "100",
        "minimum_units": "1",
        "security_type": "debt",
        "instrument": {"rate_bps": 700, "matures_on": "2031-06-30"},
    }
    made = calls.post("/v1/offers", body).json()
    path = f"/v1/offers/{made['id']}"
    sent = calls.post(f"{path}/moves", {"to": "legal_review"}, seen=f'"{made["version"]}"')
    verdict = {"accepted": False, "because": "the risk page is missing"}
    alone = calls.post(f"{path}/reviews", verdict, seen=sent.headers["etag"])
    assert problem(alone)["code"] == "terms_are_reviewed_by_another_person"
    declined = calls.post(f"{path}/reviews", verdict, seen=sent.headers["etag"], name="engine-two")
    assert declined.json()["status"] == "legal_declined"
    published = calls.get("/v1/offers/ofr_one").headers["etag"]
    halt = {"ended_as": "halted", "because": "an order of the regulator"}
    ended = calls.post("/v1/offers/ofr_one/failures", halt, seen=published)
    assert ended.json()["status"] == "closed_unsuccessfully"


def test_two_keys_allocate(calls: Api) -> None:
    body = {"offer": "ofr_one", "investor": "ivr_one1", "units": "1"}
    investment = calls.post("/v1/investments", body).json()["id"]
    path = f"/v1/investments/{investment}/allocations"
    proposed = calls.post(path, {"units": "1"}, keeper="subscription")
    assert proposed.status_code == 201
    approve = f"{path}/{proposed.json()['id']}/approve"
    own = calls.post(approve, keeper="subscription", seen='"1"')
    assert own.status_code == 409
    other = calls.post(approve, keeper="subscription", name="subscription-two", seen='"1"')
    assert problem(other)["code"] == "allocation_equals_the_executed_units"


def test_a_closing_freezes_exactly_what_the_dry_run_showed(calls: Api) -> None:
    for step in ("confirmed", "instructed", "received", "funded", "linked"):
        getattr(calls.world, step)()
    path = "/v1/offers/ofr_one/closings"
    shown = calls.post(f"{path}/dry_run")
    assert (shown.json()["ready"], len(shown.json()["candidates"])) == (3, 3)
    calls.world.revoke(1)
    late = calls.post(path, {"members": "ready"}, seen=shown.headers["etag"])
    assert late.status_code == 412
    shown = calls.post(f"{path}/dry_run")
    assert shown.json()["ready"] == 2
    refused = calls.post(path, {"members": "all"}, seen=shown.headers["etag"])
    assert refused.status_code == 409
    assert json.loads(refused.text)["gate"]["missing"][0]["investment"] == "inv_one1"
    frozen = calls.post(path, {"members": "ready"}, seen=shown.headers["etag"], request="close")
    assert (frozen.status_code, frozen.json()["members"]) == (201, 2)
    again = calls.post(path, {"members": "ready"}, seen=shown.headers["etag"], request="close")
    assert (again.status_code, again.content) == (201, frozen.content)
    (listed,) = calls.get(path).json()["closings"]
    assert (listed["id"], listed["status"]) == (frozen.json()["id"], "frozen")


def test_the_feed_has_every_event_in_order_without_a_gap(calls: Api, database: Database) -> None:
    calls.post(CONFIRM)
    waiting = httpx.get(calls.url + "/readyz", timeout=PATIENT).json()["events_waiting"]
    moved = advance_feed(database)
    assert waiting == moved > 10
    seen, after = [], 0
    while page := calls.get(f"/v1/events?after={after}&limit=7", "audit").json()["events"]:
        seen += page
        after = page[-1]["seq"]
    assert [one["seq"] for one in seen] == list(range(1, moved + 1))
    assert "investment.confirmed" in {one["kind"] for one in seen}
    assert calls.get(f"/v1/events?after={after}").json() == {"events": [], "next": after}


def test_health_needs_no_key(calls: Api) -> None:
    assert httpx.get(calls.url + "/livez", timeout=PATIENT).json() == {"status": "alive"}
    assert httpx.get(calls.url + "/version", timeout=PATIENT).json()["version"]


def test_no_login_issues_a_key_or_reads_one(calls: Api) -> None:
    for login in ("engine", "portal", "audit"):
        for statement in ("select * from api.key", "insert into api.key default values"):
            with pytest.raises(Exception, match="permission denied"):
                calls.world.login(login).execute(statement.encode())


NUL_BODIES = {
    "/v1/offers/ofr_one/amendments": {"sentence": "a\0b", "is_material": False, "document_sha256": "0" * 64},
    "/v1/offers": {
        "issuer": "iss_one",
        "name": "a\0b",
        "exemption": "506(c)",
        "unit_price": {"amount": "1.00", "currency": "USD"},
        "units_total": "5",
        "minimum_units": "1",
    },
    "/v1/investments/inv_one1/particulars": {"kind": "tax_form", "detail": {"form": "W-9", "name": "a\0b"}},
    "/v1/investments/inv_one1/deficiency_answers": {"deficiency": "dfc_1", "answer": "a\0b"},
}


@pytest.mark.parametrize("path", NUL_BODIES)
def test_a_text_with_a_nul_is_refused_and_not_cut_off(calls: Api, path: str) -> None:
    keeper = "subscription" if "inv_" in path else "engine"
    answer = calls.post(path, NUL_BODIES[path], keeper=keeper)
    assert (answer.status_code, problem(answer)["code"]) == (422, "text_can_be_kept")


@pytest.mark.parametrize(
    "path", ["/v1/offers/%00", "/v1/offers?after=%00", "/v1/events?after=%00", "/v1/documents/%00", "/v1/%00"]
)
def test_a_nul_in_an_address_is_no_fault_of_ours(calls: Api, path: str) -> None:
    assert calls.get(path).status_code in {404, 422}


def test_an_operator_reads_what_it_watches_with_a_key_of_the_auditors(calls: Api) -> None:
    calls.post("/v1/investments/inv_one1/confirm")
    answer = calls.get("/metrics", "audit")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {
        sample.name: {
            tuple(sorted(s.labels.items())): s.value for s in family.samples if s.name == sample.name
        }
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    stood = calls.world.login("owner").execute(
        "select status, count(*) from engine.investment group by status"
    )
    assert found["bookrunner_investments"] == {(("status", status),): count for status, count in stood}
    denied = calls.world.login("owner").execute("select count(*) from audit.refusal").fetchone()
    assert sum(found.get("bookrunner_gates_denied_total", {}).values()) >= (denied or (0,))[0]
    assert set(found) >= {
        "bookrunner_events_waiting",
        "bookrunner_events_unsealed",
        "bookrunner_oldest_break_days",
    }
    assert problem(calls.get("/metrics", "engine"))["code"] == "key_serves_this_keeper"
