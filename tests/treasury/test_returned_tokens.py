"""Refunds of tokens on a real node: settled once, by a final transfer that is what is due to the unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.adapters.chain import checksum
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.api import issue
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Outside
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from bookrunner.engine.intake import Watched
from bookrunner.pages import web
from tests.attack.world import CHAIN
from tests.browsing import axe_is_content
from tests.pages.test_browser import keep
from tests.pages.test_desk_work import at_desk
from tests.patience import PATIENT
from tests.serving import serving
from tests.treasury import coin
from tests.treasury.escrow import PRICE, refused
from tests.treasury.test_deposits import CENT, RECEIVED_AFTER, Bench, bench, node

__all__ = ["bench", "node"]

pytestmark = pytest.mark.chain


def refunds(bench: Bench, *units: int) -> list[str]:
    """Let an investor pay these base units, fail the offer, and return the refunds that wait."""
    bench.link(1)
    for each in units:
        bench.pay(1, each)
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    bench.world.call("engine.move_offer", bench.world.offering, "closed_unsuccessfully")
    bench.world.call("treasury.refund_ended", bench.world.offering, None, 10)
    return [row[0] for row in bench.world.ask("select refund_id from treasury.refund order by refund_id")]


def custodian(bench: Bench) -> LocalKey:
    """Return the key of the first investor's deposit address, with coin to pay for its transactions."""
    ((place,),) = bench.world.ask(
        "select place from treasury.deposit_address where attempt_id = %s", bench.world.id("pay", 1)
    )
    key = bench.keys.key(place)
    assert key.address == bench.address(1)
    bench.node.fund(key.address, 10**20)
    return key


def finish(bench: Bench, sent: bytes) -> bytes:
    """Let the chain go on until a transaction is final."""
    (receipt,) = bench.chain.receipts([sent])
    assert receipt is not None
    while bench.chain.block_numbers().finalized < receipt.block_number:
        bench.mine(1)
    return sent


def confirm(bench: Bench, refund: str, sent: bytes) -> bool:
    return bench.worker().confirm_return(bench.world.offering, refund, sent, actor="usr_first")


def rule_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as fault:
        act()
    return fault.value.rule


def standing(bench: Bench) -> tuple[list[str], list[str], int, int]:
    """Return the states of refunds and receipts, the tokens in escrow and what is to go back."""
    world = bench.world
    return (
        [row[0] for row in world.ask("select status from treasury.refund order by refund_id")],
        [row[0] for row in world.ask("select status from treasury.receipt order by receipt_id")],
        bench.coins(),
        world.balance("liab:refund_payable"),
    )


def test_tokens_that_went_back_settle_their_refund_once(bench: Bench) -> None:
    (refund,) = refunds(bench, PRICE * CENT)
    key, wallet = custodian(bench), bench.wallets[1].address
    sent = bench.send(key, bench.token, coin.transfer(wallet, PRICE * CENT))
    (receipt,) = bench.chain.receipts([sent])
    assert receipt is not None
    if bench.chain.block_numbers().finalized < receipt.block_number:
        assert rule_of(lambda: confirm(bench, refund, sent)) == "returned_tokens_are_final"
    assert standing(bench) == (["created"], ["refunding"], PRICE, PRICE)
    assert rule_of(lambda: confirm(bench, refund, b"\x01" * 32)) == "returned_tokens_are_final"
    finish(bench, sent)
    assert confirm(bench, refund, sent) is True
    assert standing(bench) == (["settled"], ["refunded"], 0, 0)
    assert confirm(bench, refund, sent) is False
    assert bench.world.funding(1) == "sent_back_settled"
    events = bench.world.ask("select kind from audit.event where subject = %s order by version", refund)
    assert [kind for (kind,) in events] == ["refund.created", "refund.sent", "refund.settled"]
    bench.world.check()
    again = finish(bench, bench.send(bench.wallets[1], bench.token, coin.transfer(key.address, PRICE * CENT)))
    second = finish(bench, bench.send(key, bench.token, coin.transfer(wallet, PRICE * CENT)))
    for other in (again, second):
        assert rule_of(lambda sent=other: confirm(bench, refund, sent)) in {
            "tokens_go_back_to_their_source",
            "returned_tokens_are_of_a_refund_that_waits",
        }
    with refused("bounced_refund_was_sent"):
        bench.world.call("treasury.bounce_refund", bench.world.offering, refund, "AC04", "2026-03-31")


def test_another_transfer_settles_nothing(bench: Bench) -> None:
    (refund,) = refunds(bench, PRICE * CENT)
    key, wallet = custodian(bench), bench.wallets[1].address
    other = bench.deploy(6)
    bench.send(bench.wallets[1], other, coin.transfer(key.address, PRICE * CENT))
    attempts = [
        (key, bench.token, wallet, PRICE * CENT - 1),
        (key, bench.token, bench.wallets[9].address, 1),
        (key, other, wallet, PRICE * CENT),
        (bench.wallets[9], bench.token, wallet, PRICE * CENT),
    ]
    for sender, token, receiver, units in attempts:
        sent = finish(bench, bench.send(sender, token, coin.transfer(receiver, units)))
        assert rule_of(lambda sent=sent: confirm(bench, refund, sent)) == "tokens_go_back_to_their_source"
    assert standing(bench) == (["created"], ["refunding"], PRICE, PRICE)
    transfer = {"hash": "11" * 32, "ordinal": 0, "number": 1, "block": "22" * 32, "token": bench.token.hex()}
    ends = {"sender": key.address.hex(), "receiver": wallet.hex(), "units": PRICE * CENT}
    for changed in ({"units": 1}, {"sender": wallet.hex()}, {"receiver": "33" * 20}, {"token": "44" * 20}):
        with refused("tokens_go_back_to_their_source"):
            said = transfer | ends | changed
            bench.world.call("treasury.settle_coin_refund", bench.world.offering, refund, said)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bench.world.login("treasury").execute(
            b"insert into treasury.coin_return values ('a','b',1,'c',0,1,'d')"
        )


def test_one_transfer_settles_one_of_two_refunds(bench: Bench) -> None:
    first, second = refunds(bench, PRICE * CENT // 2, PRICE * CENT // 2)
    key, wallet = custodian(bench), bench.wallets[1].address
    sent = finish(bench, bench.send(key, bench.token, coin.transfer(wallet, PRICE * CENT // 2)))
    assert confirm(bench, first, sent) is True
    assert rule_of(lambda: confirm(bench, second, sent)) == "transfer_settles_one_refund"
    assert sorted(standing(bench)[0]) == ["created", "settled"]
    rest = finish(bench, bench.send(key, bench.token, coin.transfer(wallet, PRICE * CENT // 2)))
    assert confirm(bench, second, rest) is True
    assert standing(bench) == (["settled", "settled"], ["refunded", "refunded"], 0, 0)
    bench.world.check()


def test_nobody_is_told_to_pay_a_listed_wallet(bench: Bench, console: tuple[str, str]) -> None:
    (refund,) = refunds(bench, PRICE * CENT)
    question = "select treasury.may_be_sent_back(%s, %s)"
    on = [bench.world.offering, refund]
    assert bench.world.login("treasury").execute(question.encode(), on).fetchone() == (True,)
    bench.screen(bench.wallets[1].address, "entry-7")
    assert bench.world.login("treasury").execute(question.encode(), on).fetchone() == (False,)
    url, flo = console
    with httpx.Client(base_url=url, follow_redirects=True, timeout=PATIENT) as visitor:
        visitor.post("/sign-in", data={"key": flo}, headers={"Origin": url})
        page = visitor.get(f"/treasury/{bench.world.offering}/payouts").text
    assert "nothing is sent" in page
    assert checksum(bench.wallets[1].address) not in page
    # What was sent all the same is a fact, and an alarm.
    key, wallet = custodian(bench), bench.wallets[1].address
    sent = finish(bench, bench.send(key, bench.token, coin.transfer(wallet, PRICE * CENT)))
    assert confirm(bench, refund, sent) is True
    alarms = bench.world.ask("select source, rule, subject from treasury.open_alarm")
    assert alarms == [("chain", "payout_goes_to_nobody_blocked", refund)]


@pytest.fixture
def console(bench: Bench, endpoint: Endpoint, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve the pages over the node of the bench; return their address and an administrator's key."""
    watched = Outside(deposits=Watched(bench.keys.tree, CHAIN))
    keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)
    app = Application(endpoint, bench.chain, keys, pause=lambda: None, outside=watched)
    with serving(web(app)) as url:
        yield url, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")
    app.close()


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_an_administrator_confirms_what_the_chain_shows(
    bench: Bench, console: tuple[str, str], browser: Browser, axe: str
) -> None:
    url, flo = console
    (refund,) = refunds(bench, PRICE * CENT)
    key, wallet = custodian(bench), bench.wallets[1].address
    path = f"/treasury/{bench.world.offering}/payouts"
    with at_desk(browser, url, flo, path) as page:
        row = page.get_by_role("row", name=refund.removeprefix("rfd_"))
        for told in (
            f"Send {PRICE * CENT} base units",
            checksum(bench.token),
            checksum(key.address),
            checksum(wallet),
        ):
            expect(row).to_contain_text(told)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            axe_is_content(page, axe)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            keep(page, f"token-refund-{width}")
        sent = finish(bench, bench.send(key, bench.token, coin.transfer(wallet, PRICE * CENT)))
        for typed, told in (("0x12", "64 hexadecimal digits"), ("11" * 32, "no final block holds")):
            page.get_by_label("Transaction that sent them").fill(typed)
            page.get_by_role("button", name="Confirm by the chain").click()
            expect(page.get_by_role("alert")).to_contain_text(told)
        page.get_by_label("Transaction that sent them").fill(f"0x{sent.hex()}")
        page.get_by_role("button", name="Confirm by the chain").click()
        expect(row).to_contain_text("settled")
        expect(row).to_contain_text(f"0x{sent.hex()[:16]}")
