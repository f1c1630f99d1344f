"""Bank files, releases, wallets and breaks over the API: by whom, once, and on the version that was seen."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import CHAIN, Connect, digest
from tests.bank.test_comma import HEAD, LINES
from tests.serving import serving
from tests.treasury.escrow import Escrow

PATH = "/v1/offers/ofr_one"
FILES, RELEASES = f"{PATH}/bank_statements", f"{PATH}/releases"
FILE = (HEAD + LINES).encode()
ISSUER = "DE89 3704 0044 0532 0130 00"
Desks = Callable[[str], Api]


@pytest.fixture
def desks(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Desks]:
    """Return a function that serves the API over a world that has come so far."""
    with ExitStack() as opened:

        def served(until: str) -> Api:
            world = Escrow(connect)
            world.build(until)
            app = api(database)
            app.state.bank_files = AnyFormatReader()
            return Api(opened.enter_context(serving(app)), endpoint, world)

        yield served


def post(calls: Api, content: bytes, **said: str) -> httpx.Response:
    body = {"content": base64.b64encode(content).decode()}
    return calls.post(FILES, body, **({"keeper": "treasury", "name": "fund.flo"} | said))


def test_a_bank_file_is_posted_whole_and_once(desks: Desks) -> None:
    calls = desks("published")
    first, again = (post(calls, FILE, request="file-1") for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json()), first.text
    assert again.headers["idempotent-replayed"] == "true"
    told = first.json()
    seen = calls.get(f"{FILES}/{told['id']}", "treasury").json()
    assert (seen["status"], seen["entries"], seen["receipts"]) == ("imported", 2, {"unmatched": 2})
    assert (seen["file_sha256"], seen["closing"]) == (
        told["file_sha256"],
        {"amount": "1350.00", "currency": "USD"},
    )
    listed = calls.get(FILES, "treasury").json()
    assert [each["id"] for each in listed["bank_statements"]] == [told["id"]]
    named = calls.get(f"{PATH}/receipts?bank_statement={told['id']}", "treasury").json()["receipts"]
    assert {each["statement"] for each in named} == {told["id"]}
    assert len(named) == 2
    assert calls.get(f"{PATH}/receipts?bank_statement=stm_other", "treasury").json()["receipts"] == []
    refused = post(calls, FILE)
    assert problem(refused)["code"] == "statement_is_imported_once"


def test_a_bank_file_that_does_not_add_up_leaves_nothing(desks: Desks) -> None:
    calls = desks("published")
    damaged = FILE.replace(b"1350.00", b"1350.01")
    for content in (damaged, b"nothing that a bank writes"):
        assert post(calls, content, request="file-1").status_code in {409, 422}
    assert calls.get(FILES, "treasury").json() == {"bank_statements": [], "next": None}
    # The key of a refused file is free, for nothing of it was kept.
    assert post(calls, FILE, request="file-1").status_code == 201
    assert problem(post(calls, FILE, keeper="engine", name="engine-two"))["code"] == "key_serves_this_keeper"
    unknown = calls.get(f"{FILES}/stm_none", "treasury")
    assert problem(unknown)["code"] == "statement_exists"


def propose(calls: Api, **said: object) -> httpx.Response:
    body = {"closing": calls.world.closing, "account": ISSUER} | said
    return calls.post(RELEASES, body, keeper="treasury", name="fund.flo")


def decide(
    calls: Api, release: str, body: object, *, name: str = "fund.gus", seen: str = '"1"'
) -> httpx.Response:
    path = f"{RELEASES}/{release}/decisions"
    return calls.post(path, body, keeper="treasury", name=name, seen=seen)


def test_escrow_is_released_by_two_people_who_name_payee_and_amount(desks: Desks) -> None:
    calls = desks("registered")
    first = propose(calls)
    assert first.status_code == 201, first.text
    release = first.json()["id"]
    one = calls.get(f"{RELEASES}/{release}", "treasury")
    assert (one.headers["etag"], one.json()["status"]) == ('"1"', "proposed")
    word = {"decision": "approved", "account": "de89370400440532013000", "amount": one.json()["amount"]}
    for changed, rule in (
        ({"account": None}, "approved_release_names_payee_and_amount"),
        ({"account": "DE02120300000000202051"}, "both_people_confirm_payee_and_amount"),
        ({"amount": {"amount": "1.00", "currency": "USD"}}, "both_people_confirm_payee_and_amount"),
        ({"net": {"amount": "1.00", "currency": "USD"}}, "both_people_confirm_payee_and_amount"),
    ):
        assert problem(decide(calls, release, word | changed))["code"] == rule
    assert decide(calls, release, word, seen='"7"').status_code == 412
    assert problem(decide(calls, release, word, name="fund.flo"))["code"] == "release_needs_two_people"
    done = decide(calls, release, word)
    assert (done.status_code, done.json()["status"]) == (200, "sent"), done.text
    shown = calls.get(RELEASES, "treasury").json()["releases"]
    assert [(each["id"], each["approved_by"]) for each in shown] == [(release, "key:fund.gus")]
    assert problem(propose(calls))["code"] == "holding_stands_before_escrow_is_released"
    assert problem(decide(calls, "rel_none", word))["code"] == "release_exists"
    calls.world.check_ledger()  # type: ignore[attr-defined]


def test_a_release_is_declined_and_shows_what_is_deducted(desks: Desks) -> None:
    calls = desks("registered")
    fee = {"kind": "platform_fee", "payee": "platform", "account": "FEE1"}
    release = propose(calls, deductions=[fee | {"amount": {"amount": "7.00", "currency": "USD"}}]).json()[
        "id"
    ]
    shown = calls.get(f"{RELEASES}/{release}", "treasury").json()
    assert shown["deducted"] == {"amount": "7.00", "currency": "USD"}
    line = fee | {"amount": {"amount": "7.00", "currency": "USD"}}
    assert shown["deductions"] == [{key: line[key] for key in ("kind", "payee", "amount")}]
    word = {"decision": "approved", "account": ISSUER, "amount": shown["amount"], "net": shown["net"]}
    for named in (
        [],
        [line, line],
        [line | {"kind": "commission"}],
        [line | {"payee": "thief"}],
        [line | {"account": "THIEF1"}],
        [line | {"amount": {"amount": "6.00", "currency": "USD"}}],
    ):
        refused = decide(calls, release, word | {"deductions": named})
        assert problem(refused)["code"] == "both_people_confirm_payee_and_amount", named
    word["deductions"] = [line | {"account": "fee 1"}]
    assert problem(decide(calls, release, word))["code"] == "deductions_are_the_fees_shown"
    assert decide(calls, release, {"decision": "declined"}).json()["status"] == "declined"


@pytest.mark.parametrize(
    ("currency", "scale"), [("EUR", "7.00"), ("JPY", "700")], ids=["same decimals", "none"]
)
def test_a_release_is_named_in_the_currency_of_the_offer(desks: Desks, currency: str, scale: str) -> None:
    """Minor units of another currency are other money, also where their number is the same."""
    calls, rule = desks("registered"), "release_is_in_the_offers_currency"
    fee = {"kind": "platform_fee", "payee": "platform", "account": "FEE1"}
    foreign, own = {"amount": scale, "currency": currency}, {"amount": "7.00", "currency": "USD"}
    assert problem(propose(calls, deductions=[fee | {"amount": foreign}]))["code"] == rule
    assert calls.get(RELEASES, "treasury").json()["releases"] == []
    release = propose(calls, deductions=[fee | {"amount": own}]).json()["id"]
    shown = calls.get(f"{RELEASES}/{release}", "treasury").json()

    def renamed(money: dict[str, str]) -> dict[str, str]:
        whole = money["amount"].replace(".", "") if currency == "JPY" else money["amount"]
        return {"amount": whole, "currency": currency}

    word = {"decision": "approved", "account": ISSUER, "because": "agreed with the issuer"}
    word |= {"amount": shown["amount"], "net": shown["net"], "deductions": [fee | {"amount": own}]}
    for changed in (
        {"amount": renamed(shown["amount"])},
        {"net": renamed(shown["net"])},
        {"deductions": [fee | {"amount": foreign}]},
    ):
        assert problem(decide(calls, release, word | changed))["code"] == rule, changed
    done = decide(calls, release, word)
    assert (done.status_code, done.json()["status"]) == (200, "sent"), done.text


def test_a_claimed_wallet_is_approved_and_linked_by_two_people(desks: Desks) -> None:
    calls, key = desks("published"), LocalKey(b"\x11" * 32, chain_id=CHAIN)
    world, wallet = calls.world, f"{PATH}/wallets/wmp_new"
    world.claim_wallet("wlc_new", "ivr_one1", key.address, key.sign_text)
    world.call(
        "registry.open_mapping", "ofr_one", "wmp_new", "ivr_one1", CHAIN, key.address, "wlc_new@1", "key"
    )

    def version() -> str:
        (row,) = calls.get(f"{PATH}/wallets?investor=ivr_one1", "registry").json()["wallets"]
        return f'"{row["version"]}"'

    def step(what: str, body: object = None, name: str = "agent.tess", seen: str = "") -> httpx.Response:
        seen = seen or version()
        return calls.post(f"{wallet}/{what}", body, keeper="registry", name=name, seen=seen)

    assert step("approvals").status_code == 409, "nobody has screened it"
    world.call("registry.mark_screened", "ofr_one", "wmp_new", "scr_new@1")
    assert step("approvals", seen='"1"').status_code == 412
    assert step("approvals").json()["status"] == "issuer_approved"
    assert problem(step("links", {}))["code"] == "wallet_is_linked_by_another_person"
    done = step("links", {}, "agent.theo")
    assert (done.status_code, done.json()["status"]) == (200, "linked"), done.text
    assert step("refusals", {"because": "late"}).status_code == 409
    unknown = calls.post(f"{PATH}/wallets/wmp_none/links", {}, keeper="registry", seen='"1"')
    assert problem(unknown)["code"] == "wallet_exists"


def test_a_wallet_whose_proof_is_anothers_is_not_linked(desks: Desks) -> None:
    calls, key = desks("published"), LocalKey(b"\x11" * 32, chain_id=CHAIN)
    world, wallet = calls.world, f"{PATH}/wallets/wmp_new"
    world.claim_wallet("wlc_new", "ivr_one1", key.address)
    world.call(
        "registry.open_mapping", "ofr_one", "wmp_new", "ivr_one1", CHAIN, key.address, "wlc_new@1", "key"
    )
    world.call("registry.mark_screened", "ofr_one", "wmp_new", "scr_new@1")
    approved = calls.post(f"{wallet}/approvals", None, keeper="registry", name="agent.tess", seen='"2"')
    assert approved.status_code == 200, approved.text
    refused = calls.post(f"{wallet}/links", {}, keeper="registry", name="agent.theo", seen='"3"')
    assert refused.status_code == 409
    turned = calls.post(
        f"{wallet}/refusals", {"because": "no proof"}, keeper="registry", name="agent.theo", seen='"3"'
    )
    assert turned.json()["status"] == "rejected"


@pytest.fixture
def broken(desks: Desks) -> Api:
    """Serve an offer with a receipt that names nobody, after a run of the comparisons."""
    calls = desks("instructed")
    world = calls.world
    world.pay("first", world.entry(1, reference=None))  # type: ignore[attr-defined]
    world.call("reconciliation.run", "ofr_one", "run_one", None)
    return calls


def test_people_of_its_owner_answer_a_break(broken: Api) -> None:
    (found,) = [
        each
        for each in broken.get(f"{PATH}/breaks", "treasury").json()["breaks"]
        if each["subject"] == "rcp_one1"
    ]
    assert (found["owner"], found["status"], found["assigned_to"]) == ("treasury", "open", None)
    path = f"{PATH}/breaks/{found['id']}"

    def act(what: str, body: object, name: str = "fund.flo", seen: int = 1, **said: str) -> httpx.Response:
        by = {"keeper": "treasury", "name": name, "seen": f'"{seen}"'} | said
        return broken.post(f"{path}/{what}", body, **by)

    foreign = broken.post(f"{path}/assignments", {}, keeper="registry", seen='"1"')
    assert problem(foreign)["code"] == "break_is_answered_by_its_owner"
    assert act("assignments", {}, seen=7).status_code == 412
    said = {"kind": "explained", "answer": "the bank cut the reference off"}
    assert act("answers", said).status_code == 409, "nobody has taken it on"
    first, again = (act("assignments", {}, request="take-1") for _ in range(2))
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    assert (first.json()["status"], first.json()["assigned_to"]) == ("assigned", "fund.flo")
    assert act("answers", said, seen=2).json()["status"] == "explained"
    for keeper, words in (("treasury", said["answer"]), ("audit", said["answer"]), ("registry", None)):
        shown = broken.get(f"{PATH}/breaks", keeper).json()["breaks"]
        assert {each["answer"] for each in shown if each["id"] == found["id"]} == {words}, keeper
    because = {"because": "a letter of the bank says so"}
    assert problem(act("acceptances", because, seen=3))["code"] == "acceptance_needs_two_people"
    done = act("acceptances", because, "fund.gus", seen=3)
    assert (done.status_code, done.json()["status"]) == (200, "verified"), done.text
    missing = broken.post(f"{PATH}/breaks/brk_none/assignments", {}, keeper="treasury", seen='"1"')
    assert problem(missing)["code"] == "break_exists"


def test_a_break_is_taken_on_by_whoever_is_signed_in(broken: Api) -> None:
    """An account acts under its plain name, a key under its own; without a name either takes it on itself."""
    login = broken.world.login("reconciliation")
    act = (
        b"select answer from api.act_on_break(%s, 'take', %s, 'ofr_one', %s, %s, 'treasury', 'assign', null)"
    )
    found = broken.get(f"{PATH}/breaks", "treasury").json()["breaks"]
    (own,) = [each["id"] for each in found if each["subject"] == "rcp_one1"]
    for version, actor in enumerate(("fund.flo", "key:fund.gus~laptop"), 1):
        answer = login.execute(act, [actor, digest("take"), own, str(version)]).fetchone()
        assert answer is not None
        assert json.loads(answer[0])["assigned_to"] == actor.removeprefix("key:").partition("~")[0]


def test_no_login_of_a_keeper_acts_on_a_break_itself(broken: Api) -> None:
    for login in ("treasury", "portal", "engine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            broken.world.login(login).execute(
                b"select api.act_on_break('key:a', 'r', %s, 'ofr_one', 'brk_1', '1', 'engine', 'assign', '')",
                [digest("body")],
            )
