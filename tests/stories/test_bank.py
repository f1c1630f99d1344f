"""Bad bank files on a raise: refused as a whole and by name; the right file then goes in."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from fastapi.testclient import TestClient

from bookrunner.core import clock
from bookrunner.core.money import grouped
from bookrunner.pages import web
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.story import ESCROW_ACCOUNT, Story
from bookrunner.sandbox.world import World
from tests.stories.conftest import Refusal, picture, publish

pytestmark = pytest.mark.chain

FAY = "fundadmin.fay"
UNKNOWN = "RF18539007547034"
Change = Callable[[bytes], bytes]

_sequences = count(100)


@pytest.fixture(scope="module")
def due(world: World) -> Story:
    """Play a raise up to the funding instructions: every investor owes."""
    story = publish(world, seed=3)
    story.enter(lambda *_: None)
    story.verify_identities()
    story.sign_and_confirm()
    story.countersign_all()
    return story


def wire(amount: int, reference: str | None = None, account: str = "021000021-555") -> Payment:
    return Payment(
        amount_minor=amount,
        reference=reference,
        debtor_name="Somebody",
        debtor_account=account,
        value_on=clock.today(),
    )


def statement(*payments: Payment, currency: str = "USD") -> bytes:
    return write_statement(StatementHead(ESCROW_ACCOUNT, currency, next(_sequences), clock.today()), payments)


def swap(old: bytes, new: bytes) -> Change:
    return lambda raw: raw.replace(old, new)


def without_closing_balance(raw: bytes) -> bytes:
    start = raw.rindex(b"<Bal>")
    return raw[:start] + raw[raw.index(b"</Bal>", start) + len(b"</Bal>") :]


BAD: dict[str, tuple[Change, str]] = {
    "empty": (lambda _: b"", "format_is_known"),
    "no XML": (lambda _: b"date;amount\n2026-01-01;5", "format_is_known"),
    "cut off": (lambda raw: raw[:-40], "statement_is_xml"),
    "entities": (swap(b"<Document", b"<!DOCTYPE a><Document"), "statement_has_no_doctype"),
    "another message": (swap(b"camt.053.001.08", b"pain.001.001.09"), "message_is_supported"),
    "an amount in words": (swap(b">70.01<", b">7e1<"), "amount_is_decimal"),
    "half a cent": (swap(b">70.01<", b">70.005<"), "amount_fits_currency"),
    "too much money": (swap(b">70.01<", b">99999999999999999999.00<"), "amount_fits_storage"),
    "no such currency": (swap(b'"USD"', b'"XQX"'), "currency_is_known"),
    "no closing balance": (without_closing_balance, "statement_has_its_balances"),
    "an entry is missing": (swap(b">140.02<", b">150.02<"), "balances_add_up"),
    "one entry twice": (swap(b"2</AcctSvcrRef>", b"1</AcctSvcrRef>"), "each_bank_entry_posts_once"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file(world: World, due: Story, refused: Refusal, name: str) -> None:
    change, rule = BAD[name]
    good = statement(wire(7001), wire(7001))
    bad = change(good)
    assert bad != good
    app, waiting = world.application, len(due.desk.treasury.unmatched(offering=due.offering))
    with refused(rule):
        app.import_statement(due.offering, bad, actor=FAY)
    assert app.import_statement(due.offering, good, actor=FAY) == 2
    assert len(due.desk.treasury.unmatched(offering=due.offering)) == waiting + 2
    with refused("statement_is_imported_once"):
        app.import_statement(due.offering, good, actor=FAY)


def test_a_statement_of_an_offer_or_currency_that_is_not_ours(
    world: World, due: Story, refused: Refusal
) -> None:
    app, euros = world.application, statement(wire(500), currency="EUR")
    with refused("statement_is_in_the_offers_currency"):
        app.import_statement(due.offering, euros, actor=FAY)
    dollars = statement(wire(500))
    with refused("offer_exists"):
        app.import_statement("ofr_none", dollars, actor=FAY)
    with refused("write_names_actor_and_request"):
        app.import_statement(due.offering, dollars, actor="")
    assert app.import_statement(due.offering, dollars, actor=FAY) == 1


def test_an_entry_in_another_currency_stands_by_itself(world: World, due: Story) -> None:
    app, offering = world.application, due.offering
    raw = statement(wire(800), wire(900))
    foreign = raw.replace(b'<Amt Ccy="USD">9.00<', b'<Amt Ccy="EUR">9.00<')
    balanced = foreign.replace(b'<Amt Ccy="USD">17.00<', b'<Amt Ccy="USD">8.00<')
    before = picture(world)
    assert app.import_statement(offering, balanced, actor=FAY) == 2
    after = picture(world)
    assert after["treasury.journal"][0] == before["treasury.journal"][0] + 2
    assert after["treasury.entry"][0] == before["treasury.entry"][0] + 4
    stopped = {r["amount_minor"]: r["exception"] for r in due.desk.treasury.unmatched(offering=offering)}
    assert (stopped[800], stopped[900]) == ("no_reference", "no_reference")


def test_an_entry_without_money_is_no_receipt(world: World, due: Story) -> None:
    raw = statement(wire(600), wire(1))
    zero = raw.replace(b">0.01<", b">0.00<").replace(b">6.01<", b">6.00<")
    assert world.application.import_statement(due.offering, zero, actor=FAY) == 1


def test_a_wire_with_an_unknown_reference_waits_in_suspense(
    world: World, due: Story, refused: Refusal
) -> None:
    app, offering, payer = world.application, due.offering, due.people[1]
    (attempt,) = [
        a for a in due.desk.treasury.attempts(offering=offering) if a["investment_id"] == payer.investment
    ]
    arrived = statement(wire(attempt["due_minor"], UNKNOWN, payer.account))
    assert app.import_statement(offering, arrived, actor=FAY) == 1
    (receipt,) = [
        r for r in due.desk.treasury.unmatched(offering=offering) if r["exception"] == "unknown_reference"
    ]
    assert receipt["amount_minor"] == attempt["due_minor"]
    by_hand = {"offering": offering, "proposal": "prp_hand"}
    proposed = by_hand | {
        "act": "match",
        "receipt": receipt["receipt_id"],
        "because": "seen",
        "seen": receipt["version"],
    }
    with refused("decided_record_exists"):
        due.desk.treasury.propose_act(
            actor=FAY, **proposed | {"receipt": "rcp_none"}, investment=payer.investment
        )
    due.desk.treasury.propose_act(actor=FAY, **proposed, investment=payer.investment)
    decided = by_hand | {"is_approved": True, "because": "", "seen": 1}
    with refused("proposal_needs_two_people"):
        due.desk.treasury.decide_act(actor=FAY, **decided)
    breaks = app.reconcile(offering, actor="reconciliation")
    assert ("payments", receipt["receipt_id"], "unknown_reference") in {
        (b["comparison"], b["subject_id"], b["kind"]) for b in breaks
    }
    with TestClient(web(app, operator="operator:console"), base_url="http://127.0.0.1") as client:
        page = client.get(f"/offers/{offering}").text
    assert f'data-name="One record">{grouped(attempt["due_minor"], "USD")}<' in page
    due.desk.treasury.decide_act(actor="fundadmin.finn", **decided)
    assert due.desk.engine.stage(investment=payer.investment)["received_minor"] == attempt["due_minor"]
