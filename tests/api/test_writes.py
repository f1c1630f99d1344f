"""What a write answers, once, again, at the same time and after a crash."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from tests.api.conftest import Api, problem

CONFIRM = "/v1/investments/inv_one1/confirm"


def test_a_confirmation_answers_its_state_and_version(calls: Api) -> None:
    seen = calls.get("/v1/investments/inv_one1").headers["etag"]
    answer = calls.post(CONFIRM, seen=seen)
    assert answer.status_code == 200
    assert answer.json()["status"] == "confirmed"
    now = calls.get("/v1/investments/inv_one1")
    assert answer.headers["etag"] == now.headers["etag"] != seen
    assert now.json()["status"] == "confirmed"
    assert calls.events("inv_one1") == ["investment.opened", "investment.confirmed"]


@pytest.mark.parametrize("act", ["confirm", "confirm_legally", "withdraw", "cancellation_requests"])
@pytest.mark.parametrize("fault", ["none", "version", "key", "keeper", "record", "gate"])
def test_an_act_reads_the_same_with_no_body_and_with_an_empty_one(calls: Api, act: str, fault: str) -> None:
    """A request without a body goes a shorter way through the server; what it says must not differ."""
    record = "inv_none" if fault == "record" else "inv_one1"
    said = {
        "none": {},
        "version": {"seen": '"9.9"'},
        "key": {"request": "not a key"},
        "keeper": {"keeper": "treasury"},
        "record": {},
        "gate": {"seen": '"1.1"'},
    }[fault]
    path = f"/v1/investments/{record}/{act}"
    short, long = calls.post(path, None, **said), calls.post(path, {}, **said)
    assert short.status_code in {200, 400, 403, 404, 409, 412, 428}
    if short.status_code == 200:
        # The act was done once; the same path again shows that it cannot be done twice.
        assert long.status_code == 409
        return
    assert short.status_code == long.status_code
    ours = {name: value for name, value in problem(short).items() if name != "request_id"}
    assert ours == {name: value for name, value in problem(long).items() if name != "request_id"}
    assert short.headers["content-type"] == long.headers["content-type"]


def test_the_actor_is_the_key_and_the_request_is_the_idempotency_key(calls: Api) -> None:
    calls.post(CONFIRM, request="order-66")
    row = (
        calls.world.login("owner")
        .execute("select actor, keeper, request_id from audit.event where kind = 'investment.confirmed'")
        .fetchone()
    )
    assert row == ("key:engine-one", "engine", "order-66")


def test_a_repetition_returns_the_stored_answer_and_does_nothing(calls: Api) -> None:
    first = calls.post(CONFIRM, request="same")
    again = calls.post(CONFIRM, request="same")
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert calls.events("inv_one1").count("investment.confirmed") == 1


@pytest.mark.parametrize("other", ["/v1/investments/inv_one2/confirm", "/v1/investments/inv_one1/withdraw"])
def test_a_key_stands_for_one_request(calls: Api, other: str) -> None:
    calls.post(CONFIRM, request="same")
    refused = calls.post(other, request="same")
    assert refused.status_code == 422
    assert problem(refused)["code"] == "request_key_has_one_body"
    assert calls.events("inv_one2") == ["investment.opened"]


def test_two_callers_may_choose_the_same_key(calls: Api) -> None:
    calls.post(CONFIRM, request="same")
    answer = calls.post("/v1/investments/inv_one2/confirm", request="same", name="engine-two")
    assert answer.status_code == 200


def test_a_request_that_still_runs_is_not_run_twice(calls: Api) -> None:
    # Another session holds the position, so that the first request waits in the middle of its transaction.
    holder = calls.world.login("owner")
    with ThreadPoolExecutor(1) as aside:
        with holder.transaction():
            holder.execute("select 1 from engine.position where investment_id = 'inv_one1' for update")
            first = aside.submit(calls.post, CONFIRM, request="slow")
            _wait_for_a_blocked_session(calls)
            second = calls.post(CONFIRM, request="slow")
        assert first.result().status_code == 200
    assert second.status_code == 409
    assert problem(second)["code"] == "request_has_come_to_its_end"
    assert second.headers["retry-after"] == "1"
    assert calls.post(CONFIRM, request="slow").headers["idempotent-replayed"] == "true"


def test_many_repetitions_at_once_have_one_effect(calls: Api) -> None:
    calls.key("engine")
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: calls.post(CONFIRM, request="crowd"), range(24)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    done = [answer for answer in answers if answer.status_code == 200]
    assert len({answer.content for answer in done}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in done) == 1
    assert calls.events("inv_one1").count("investment.confirmed") == 1


def test_a_crash_between_effect_and_answer_leaves_neither(calls: Api) -> None:
    """The session is killed between effect and answer: nothing is left, and the retry does it once."""
    owner = calls.world.login("owner")
    # The answer waits here for as long as somebody else holds the lock that this test alone knows.
    owner.execute(
        "create function audit.wait_here() returns trigger language plpgsql as "
        "$$ begin perform pg_advisory_xact_lock(42); return new; end $$"
    )
    owner.execute(
        "create trigger wait_here before insert on audit.request for each row "
        "execute function audit.wait_here()"
    )
    with ThreadPoolExecutor(1) as aside, owner.transaction():
        owner.execute("select pg_advisory_xact_lock(42)")
        first = aside.submit(calls.post, CONFIRM, request="crash")
        blocked = _wait_for_a_blocked_session(calls)
        calls.world.login("admin").execute("select pg_terminate_backend(%s)", [blocked])
        lost = first.result()
    assert lost.status_code == 503
    assert problem(lost)["code"] == "server_can_answer"
    assert calls.events("inv_one1") == ["investment.opened"]
    again = calls.post(CONFIRM, request="crash")
    assert again.status_code == 200
    assert "idempotent-replayed" not in again.headers
    assert calls.events("inv_one1") == ["investment.opened", "investment.confirmed"]


def test_an_answer_that_was_lost_on_the_way_is_had_again(calls: Api) -> None:
    """The caller hangs up while its request waits: effect and answer commit, and a retry gets the answer."""
    holder = calls.world.login("owner")
    host, _, port = calls.url.removeprefix("http://").partition(":")
    with holder.transaction():
        holder.execute("select 1 from engine.position where investment_id = 'inv_one1' for update")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(
                f"POST {CONFIRM} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {calls.key('engine')}\r\n"
                "Idempotency-Key: lost\r\nContent-Length: 0\r\n\r\n".encode()
            )
            _wait_for_a_blocked_session(calls)
    again = _until_it_has_ended(calls, "lost")
    assert again.json()["status"] == "confirmed"
    assert again.headers["idempotent-replayed"] == "true"
    assert calls.events("inv_one1").count("investment.confirmed") == 1


def test_a_stored_answer_is_history(calls: Api) -> None:
    calls.post(CONFIRM)
    with pytest.raises(psycopg.Error) as refused:
        calls.world.login("owner").execute("delete from audit.request")
    assert refused.value.diag.constraint_name == "history_is_append_only"


def _until_it_has_ended(calls: Api, request: str) -> httpx.Response:
    """Repeat a request until it is no longer refused as running."""
    deadline = time.monotonic() + 10
    while (answer := calls.post(CONFIRM, request=request)).status_code == 409 and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def _wait_for_a_blocked_session(calls: Api) -> int:
    """Return the process id of an engine session that waits for a lock."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        row = (
            calls.world.login("admin")
            .execute(
                "select pid from pg_stat_activity where usename = 'engine' and datname = current_database() "
                "and wait_event_type = 'Lock'"
            )
            .fetchone()
        )
        if row is not None:
            return int(row[0])
        time.sleep(0.01)
    raise AssertionError("nothing waits")
