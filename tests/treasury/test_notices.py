"""Signed notices of payment providers: one effect each, in any order, and no money by their word alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import pytest

from bookrunner.adapters.identity.webhook import sign
from bookrunner.api import api
from bookrunner.app import Application
from bookrunner.core import clock
from tests.attack.world import Connect
from tests.patience import PATIENT
from tests.serving import serving
from tests.treasury.escrow import PRICE, Escrow, refused

OLD, NEW, STRANGER = b"o" * 32, b"n" * 32, b"s" * 32
Send = Callable[..., httpx.Response]


@pytest.fixture
def escrow(connect: Connect) -> Escrow:
    """Return a world whose three investments are instructed."""
    world = Escrow(connect)
    world.build("instructed")
    return world


@pytest.fixture
def keys(application: Application) -> Iterator[Path]:
    """Return the folder of the provider's keys, with one key in it."""
    folder = application.endpoint.secrets.folder / "payments" / "acmepay"
    folder.mkdir(parents=True, exist_ok=True)
    add(folder, "2026-01", OLD)
    yield folder
    for file in folder.iterdir():
        file.unlink()


@pytest.fixture
def send(application: Application, keys: Path) -> Iterator[Send]:
    """Serve the API, and return what sends a notice to it."""
    assert keys.is_dir()
    with serving(api(application.database, payments=application.receive_payment)) as url:

        def posted(body: bytes, message: str, **how: Any) -> httpx.Response:  # noqa: ANN401
            at = clock.now() - timedelta(seconds=how.get("age", 0))
            headers = sign(message, body, now=at, secrets=how.get("secrets", [OLD]))
            path = f"{url}/v1/webhooks/payments/{how.get('provider', 'acmepay')}"
            return httpx.post(
                path, content=how.get("sent", body), headers=[*headers, *how.get("more", [])], timeout=PATIENT
            )

        yield posted


def add(folder: Path, key: str, secret: bytes) -> None:
    (folder / key).write_text("whsec_" + base64.b64encode(secret).decode())


def notice(world: Escrow, n: int, status: str, /, **changed: object) -> bytes:
    reason = {"rail": "ach_debit", "code": "R01"} if status in {"returned", "failed"} else {}
    told = {
        "offering": world.offering,
        "payment": world.id("pay", n),
        "status": status,
        "amount_minor": n * PRICE,
        "currency": "USD",
        "happened_at": "2026-03-30T12:00:00+00:00",
    }
    return json.dumps(told | reason | changed).encode()


def alarms(world: Escrow) -> list[tuple[Any, ...]]:
    return world.ask("select rule, subject, status from treasury.alarm order by 1, 2")


def attempt(world: Escrow, n: int) -> str:
    question = "select status from treasury.payment_attempt where attempt_id = %s"
    return str(world.ask(question, world.id("pay", n))[0][0])


def test_a_notice_has_one_effect_and_its_key_is_kept(escrow: Escrow, send: Send) -> None:
    body = notice(escrow, 1, "pending")
    assert send(body, "msg_one").json() == {"result": "kept"}
    assert attempt(escrow, 1) == "in_progress"
    assert send(body, "msg_one", age=200).json() == {"result": "known"}
    kept = escrow.ask("select status, key_id, payment_id from treasury.payment_notice")
    assert kept == [("pending", "2026-01", "pay_one1")]
    assert escrow.ask("select provider, key_id from audit.inbox") == [("payments.acmepay", "2026-01")]
    events = escrow.ask("select kind, actor from audit.event where subject = 'acmepay:msg_one'")
    assert events == [("payment_notice.heard_pending", "provider:acmepay")]


def test_settled_by_notice_is_neither_received_nor_cleared(escrow: Escrow, send: Send) -> None:
    assert send(notice(escrow, 2, "settled"), "msg_paid").status_code == 200
    assert (attempt(escrow, 2), escrow.gates(2)) == ("in_progress", (False, False))
    assert escrow.ask("select count(*) from treasury.journal") == [(0,)]
    escrow.pay("day", escrow.entry(2, rail="ach_debit"))
    assert (attempt(escrow, 2), escrow.gates(2)) == ("received", (True, False))


def test_notices_end_alike_in_any_order(connect: Connect, send: Send) -> None:
    orders = list(permutations(("pending", "settled", "returned")))
    world = Escrow(connect, investors=len(orders))
    world.build("instructed")
    for n, order in enumerate(orders, start=1):
        for status in (*order, *order):
            send(notice(world, n, status), f"msg_{n}{status}")
        for status in order:
            send(notice(world, n, status), f"msg_{n}{status}-late")
    assert {attempt(world, n) for n in world.numbers} == {"failed"}
    assert alarms(world) == []
    world.check()


def test_an_id_with_another_body_raises_one_alarm(escrow: Escrow, send: Send) -> None:
    send(notice(escrow, 1, "pending"), "msg_one")
    for _ in range(2):
        answer = send(notice(escrow, 1, "failed"), "msg_one")
        assert (answer.status_code, answer.json()["code"]) == (422, "message_id_has_one_body")
    assert alarms(escrow) == [("message_id_has_one_body", "msg_one", "raised")]
    assert (
        escrow.ask("select act, rule, keeper from audit.refusal")
        == [("receive_message", "message_id_has_one_body", "treasury")] * 2
    )
    assert attempt(escrow, 1) == "in_progress"
    (alarm,) = escrow.ask("select alarm_id from treasury.open_alarm")
    with refused("answered_alarm_says_who_and_why"):
        escrow.call("treasury.answer_alarm", "acmepay", *alarm, "")
    with refused("alarm_exists"):
        escrow.call("treasury.answer_alarm", "acmepay", "alr_none", "Looked.")
    escrow.call("treasury.answer_alarm", "acmepay", *alarm, "The provider confirms the first.")
    assert escrow.ask("select * from treasury.open_alarm") == []


def test_a_payment_that_is_not_ours_is_kept_and_said(escrow: Escrow, send: Send) -> None:
    stray = notice(escrow, 1, "settled", payment="pay_none")
    assert send(stray, "msg_stray").json() == {"result": "unclaimed"}
    assert send(notice(escrow, 1, "pending", currency="EUR"), "msg_euro").json() == {"result": "kept"}
    assert send(notice(escrow, 2, "pending", amount_minor=2 * PRICE + 1), "msg_more").status_code == 200
    assert [rule for rule, _, _ in alarms(escrow)] == [
        "notice_fits_its_payment",
        "notice_fits_its_payment",
        "payment_is_known",
    ]
    assert escrow.ask("select count(*) from audit.inbox") == [(3,)]


def test_a_return_by_notice_stops_the_clearing_until_it_is_answered(escrow: Escrow, send: Send) -> None:
    escrow.pay("day", *(escrow.entry(n, rail="ach_credit") for n in (1, 2)))
    send(notice(escrow, 1, "returned"), "msg_back")
    assert escrow.receipt("rcp_one1") == "matched"
    assert escrow.call("treasury.clear_due", escrow.offering, "2026-04-30", 100) == 1
    with refused("cleared_money_is_not_recalled"):
        escrow.call("treasury.clear", escrow.offering, ["rcp_one1"])
    assert escrow.call("treasury.clear", escrow.offering, None) == 0
    (alarm,) = escrow.ask("select alarm_id from treasury.open_alarm where rule = 'received_money_stays'")
    escrow.call("treasury.answer_alarm", "acmepay", *alarm, "The bank says that it stays.")
    assert escrow.call("treasury.clear", escrow.offering, None) == 1
    escrow.check()


def test_a_failed_payment_may_be_tried_again(escrow: Escrow, send: Send) -> None:
    send(notice(escrow, 1, "failed"), "msg_failed")
    reason = "select failed_rail, failed_code from treasury.payment_attempt where attempt_id = 'pay_one1'"
    assert escrow.ask(reason) == [("ach_debit", "R01")]
    escrow.call("treasury.retry_payment", escrow.offering, "pay_again", "inv_one1", "RF00000000000099")
    send(notice(escrow, 1, "settled"), "msg_late")
    assert (attempt(escrow, 1), escrow.funding(1)) == ("failed", "initialized")


UNSIGNED: list[tuple[dict[str, Any], int, str]] = [
    ({"secrets": [STRANGER]}, 401, "signature_matches"),
    ({"age": 301}, 401, "timestamp_is_recent"),
    ({"age": -360}, 401, "timestamp_is_recent"),
    ({"sent": b"{}"}, 401, "signature_matches"),
    ({"sent": b"x" * (1024 * 1024 + 1)}, 422, "body_fits_limit"),
    ({"more": [("webhook-id", "msg_other")]}, 422, "headers_stand_once"),
    ({"provider": "nobody"}, 404, "provider_is_known"),
    ({"provider": "..%2facmepay"}, 404, "path_exists"),
]


def test_what_is_not_signed_as_agreed_leaves_nothing(escrow: Escrow, send: Send) -> None:
    for how, status, code in UNSIGNED:
        answer = send(notice(escrow, 1, "pending"), "msg_one", **how)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert escrow.ask("select count(*) from audit.inbox") == [(0,)]


MISSHAPEN: list[tuple[dict[str, object], str]] = [
    ({"amount_minor": 1.5}, "event_has_its_shape"),
    ({"amount_minor": 0}, "event_has_its_shape"),
    ({"amount_minor": 2**53 + 1}, "event_has_its_shape"),
    ({"status": "cleared"}, "event_has_its_shape"),
    ({"status": "failed"}, "event_has_its_shape"),
    ({"happened_at": "2026-03-30T12:00:00"}, "event_has_its_shape"),
    ({"happened_at": "9999-12-31T23:59:59+00:00"}, "payment_notice_has_happened"),
]


def test_a_notice_of_another_shape_is_refused(escrow: Escrow, send: Send) -> None:
    for changed, code in MISSHAPEN:
        answer = send(notice(escrow, 1, "pending", **changed), "msg_one")
        assert answer.json()["code"] == code
    twice = notice(escrow, 1, "pending").replace(b"{", b'{"status": "failed", ', 1)
    assert send(twice, "msg_two").json()["code"] == "event_keys_are_unique"
    assert escrow.ask("select count(*) from audit.inbox") == [(0,)]


def test_keys_rotate_without_a_pause(escrow: Escrow, send: Send, keys: Path) -> None:
    add(keys, "2026-02", NEW)
    for secrets, message in (([OLD], "msg_a"), ([OLD, NEW], "msg_b"), ([NEW], "msg_c")):
        assert send(notice(escrow, 1, "pending"), message, secrets=secrets).status_code == 200
    (keys / "2026-01").unlink()
    assert send(notice(escrow, 1, "pending"), "msg_d", secrets=[OLD]).status_code == 401
    found = escrow.ask("select message_id, key_id from audit.inbox order by 1")
    assert found == [("msg_a", "2026-01"), ("msg_b", "2026-01"), ("msg_c", "2026-02")]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("update treasury.payment_notice set status = 'settled'", "BR001"),
        ("delete from treasury.payment_notice", "BR003"),
        ("delete from treasury.alarm", "BR003"),
    ],
)
def test_notices_and_alarms_stand(escrow: Escrow, send: Send, statement: str, rule: str) -> None:
    send(notice(escrow, 1, "pending", currency="EUR"), "msg_one")
    with refused(rule):
        escrow.login("owner").execute(statement.encode())


def test_a_card_payment_is_received_and_not_cleared_while_it_may_be_disputed(escrow: Escrow) -> None:
    today = clock.now().date()
    days = {1: today, 2: today - timedelta(days=119), 3: today - timedelta(days=120)}
    escrow.pay("day", *(escrow.entry(n, rail="card", booked_on=str(day)) for n, day in days.items()))
    assert [escrow.gates(n) for n in days] == [(True, False)] * 3
    for n in (1, 2):
        with refused("cleared_card_payment_is_past_disputes"):
            escrow.call("treasury.clear", escrow.offering, [escrow.id("rcp", n)])
    assert escrow.call("treasury.clear", escrow.offering, None) == 1
    assert [escrow.gates(n) for n in days] == [(True, False), (True, False), (True, True)]
    escrow.check()


def test_a_chargeback_closes_the_gate_again(escrow: Escrow, send: Send) -> None:
    escrow.pay("day", escrow.entry(1, rail="card"))
    assert escrow.call("treasury.clear", escrow.offering, None) == 1
    assert escrow.gates(1) == (True, True)
    body = notice(escrow, 1, "returned", rail="card", code="fraud")
    assert send(body, "msg_back", secrets=[STRANGER]).status_code in {400, 401}
    assert escrow.gates(1) == (True, True)
    assert send(body, "msg_back").json() == {"result": "kept"}
    assert escrow.gates(1) == (True, False)
    assert alarms(escrow) == [("received_money_stays", "pay_one1", "raised")]
    escrow.call("treasury.record_return", escrow.offering, "rcp_one1", "fraud", "2026-04-20")
    assert (escrow.gates(1), escrow.funding(1)) == ((False, False), "returned")
    told = escrow.ask("select sentence from treasury.notification where told_to = 'investor'")
    assert "says that the payment was not authorized" in told[0][0]
    with refused("reason_allows_a_retry"):
        escrow.call("treasury.retry_payment", escrow.offering, "pay_again", "inv_one1", "RF99000000000001")
    escrow.check()
