"""The settlement webhook under attack: the right answer each time, never a fault, one effect."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bookrunner.adapters.identity.webhook import sign
from bookrunner.app import Application
from bookrunner.core import clock
from bookrunner.core.log import configure
from tests.capital.conftest import SECRETS, Capitals
from tests.capital.test_escrow import reviewed

UNLISTED = "transition_is_listed_for_the_keeper"


def in_escrow(capital: Capitals, *, paid: bool = True) -> str:
    """Return an allocation in escrow, whose money has come and is final."""
    allocation = reviewed(capital)
    assert capital.escrow(allocation).status_code == 201
    if paid:
        for step in ("instructed", "received", "funded"):
            getattr(capital.world, step)()
    return allocation


def status(capital: Capitals) -> str:
    """Return where the one allocation stands."""
    return str(capital.one("select status from engine.allocation")[0])


def test_every_attack_has_its_answer_and_no_effect(capital: Capitals) -> None:
    allocation = in_escrow(capital)
    body, now = capital.notice(allocation), clock.now()
    good = dict(sign("msg_1", body, now=now, secrets=[SECRETS["key-1"]]))
    six = timedelta(minutes=6)

    def signed(raw: bytes) -> dict[str, str]:
        return dict(sign("msg_9", raw, now=clock.now(), secrets=[SECRETS["key-1"]]))

    def without(name: str) -> dict[str, str]:
        return {key: value for key, value in good.items() if key != name}

    two_mb = b'{"x": "' + b"x" * 2**21 + b'"}'
    shapes = (b"\xff\xfe\x00", b"", b"[]", b"null", b"{" * 5000, b'{"offering": 1}', body[:-2])
    table = [
        ("a wrong secret", body, dict(sign("msg_1", body, now=now, secrets=[b"\x03" * 32])), 401),
        ("an old timestamp", body, dict(sign("msg_1", body, now=now - six, secrets=[SECRETS["key-1"]])), 401),
        ("a future one", body, dict(sign("msg_1", body, now=now + six, secrets=[SECRETS["key-1"]])), 401),
        ("another body under it", capital.notice(allocation, amount_minor=1), good, 401),
        ("another id under it", body, good | {"webhook-id": "msg_2"}, 401),
        ("another time under it", body, good | {"webhook-timestamp": str(int(now.timestamp()) + 1)}, 401),
        *((f"no {name}", body, without(name), 401) for name in good),
        ("a broken timestamp", body, good | {"webhook-timestamp": "1e9"}, 422),
        ("a signature without its scheme", body, good | {"webhook-signature": "abc"}, 422),
        ("an id of another form", body, good | {"webhook-id": "msg.1"}, 422),
        ("2 MB", two_mb, signed(two_mb), 422),
        *((f"shape {raw[:12]!r}", raw, signed(raw), 422) for raw in shapes),
        (
            "a member twice",
            body[:-1] + b', "currency": "USD"}',
            signed(body[:-1] + b', "currency": "USD"}'),
            422,
        ),
    ]
    for name, raw, headers, expected in table:
        answer = capital.deliver(raw, headers)
        assert answer.status_code == expected, (name, answer.status_code, answer.text)
        assert answer.json()["code"], name
        assert status(capital) == "escrow_initiated", name
    assert capital.one("select count(*) from audit.inbox where provider = 'settlements'") == (0,)
    assert capital.deliver(body, good).json() == {"result": "settled"}


def test_a_settlement_funds_once_and_is_on_record(capital: Capitals, application: Application) -> None:
    allocation = in_escrow(capital)
    body = capital.notice(allocation)
    assert capital.settle(body).json() == {"result": "settled"}
    assert capital.settle(body).json() == {"result": "known"}
    assert capital.settle(body, now=clock.now() - timedelta(seconds=200)).json() == {"result": "known"}
    again = capital.settle(body, "msg_2")
    assert (again.status_code, again.json()["code"]) == (409, UNLISTED)
    other = capital.settle(capital.notice(allocation, amount_minor=20_000_000))
    assert (other.status_code, other.json()["code"]) == (422, "message_id_has_one_body")
    assert capital.one("select rule, status from treasury.alarm where source = 'settlements'") == (
        "message_id_has_one_body",
        "raised",
    )
    assert capital.events(allocation)[-1] == "allocation.funded"
    row = capital.one(
        "select keeper, actor, request_id, canonical from audit.event"
        " where subject = %s and kind = 'allocation.funded'",
        allocation,
    )
    assert row[:3] == ("treasury", "provider:settlements", "msg_1")
    assert '"settlement_key_id":"key-1"' in row[3]
    (kept,) = capital.one("select settlement_signature_sha256 from engine.allocation")
    assert kept.hex() in row[3]
    assert SECRETS["key-1"].hex() not in row[3]
    application.process.drain()
    assert capital.one("select status from treasury.escrow_initiation") == ("settled",)
    for act in (
        lambda: capital.move(allocation, "cancelled", because="x"),
        lambda: capital.move(allocation, "under_internal_review"),
        lambda: capital.escrow(allocation),
    ):
        assert act().json()["code"] == UNLISTED


def test_the_log_names_key_and_digest_and_no_secret(
    capital: Capitals, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(as_json=True)
    allocation = in_escrow(capital)
    body = capital.notice(allocation)
    headers = dict(sign("msg_1", body, now=clock.now(), secrets=[SECRETS["key-2"]]))
    assert capital.deliver(body, headers).json() == {"result": "settled"}
    said = capsys.readouterr().err
    (line,) = [line for line in said.splitlines() if "a settlement is confirmed" in line]
    digest = hashlib.sha256(headers["webhook-signature"].encode()).hexdigest()
    assert '"key_id": "key-2"' in line
    assert digest in line
    assert headers["webhook-signature"] not in said
    configure(as_json=False)


@pytest.mark.parametrize("names", [("key-1",), ("key-2",), ("key-1", "key-2"), ("key-2", "key-1")])
def test_either_secret_serves_while_one_replaces_the_other(capital: Capitals, names: tuple[str, ...]) -> None:
    allocation = in_escrow(capital)
    secrets = tuple(SECRETS[name] for name in names)
    assert capital.settle(capital.notice(allocation), secrets=secrets).json() == {"result": "settled"}


def test_one_wrong_signature_beside_the_right_one_is_passed_over(capital: Capitals) -> None:
    allocation = in_escrow(capital)
    secrets = (b"\x03" * 32, SECRETS["key-2"])
    assert capital.settle(capital.notice(allocation), secrets=secrets).json() == {"result": "settled"}


def test_what_comes_too_early_has_its_effect_when_it_comes_again(capital: Capitals) -> None:
    allocation = str(capital.ask().json()["allocation"])
    body = capital.notice(allocation)
    for act in (
        lambda: None,
        lambda: capital.move(allocation, "under_internal_review"),
    ):
        act()
        early = capital.settle(body)
        assert (early.status_code, early.json()["code"]) == (409, UNLISTED)
    assert capital.escrow(allocation).status_code == 201
    unpaid = capital.settle(body)
    assert (unpaid.status_code, unpaid.json()["code"]) == (409, "funded_allocation_has_its_money")
    for step in ("instructed", "received", "funded"):
        getattr(capital.world, step)()
    assert capital.settle(body).json() == {"result": "settled"}


def test_at_once_it_settles_once(capital: Capitals) -> None:
    body = capital.notice(in_escrow(capital))
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: capital.settle(body).json()["result"], range(6)))
    assert sorted(answers) == ["known"] * 5 + ["settled"]
    (allocation,) = capital.one("select allocation_id from engine.allocation")
    assert capital.events(allocation).count("allocation.funded") == 1


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"allocation": "iac_unknown"}, "settled_allocation_is_known"),
        ({"offering": "ofr_unknown"}, "settled_allocation_is_known"),
        ({"amount_minor": 9_999_999}, "settlement_fits_its_allocation"),
        ({"currency": "EUR"}, "settlement_fits_its_allocation"),
    ],
)
def test_a_settlement_of_something_else_raises_an_alarm(
    capital: Capitals, changed: dict[str, object], rule: str
) -> None:
    body = capital.notice(in_escrow(capital), **changed)
    for _ in range(2):
        answer = capital.settle(body)
        assert (answer.status_code, answer.json()["code"]) == (409, rule)
    assert capital.one("select count(*), min(rule) from treasury.alarm") == (1, rule)
    assert status(capital) == "escrow_initiated"


def test_a_settlement_of_tomorrow_is_refused(capital: Capitals) -> None:
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    answer = capital.settle(capital.notice(in_escrow(capital), settled_at=tomorrow))
    assert (answer.status_code, answer.json()["code"]) == (409, "settlement_has_happened")


def test_without_a_secret_nothing_is_heard(unset: Capitals) -> None:
    answer = unset.settle(unset.notice("iac_1"))
    assert (answer.status_code, answer.json()["code"]) == (503, "settlement_secret_is_configured")
