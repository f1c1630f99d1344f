"""Payment files: valid by their schemas, equal for equal input, and what our own readers read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bookrunner.adapters.bank import Entry, FileFormat
from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.bank.iso20022.schemas import schema
from bookrunner.adapters.bank.nacha.records import check_digit
from bookrunner.adapters.bank.payouts import (
    Account,
    AchAccount,
    AchClass,
    AchEntry,
    AchFile,
    AchReturn,
    PaymentFile,
    Payout,
    WireReturn,
    write_ach,
    write_pacs004,
    write_pain001,
)
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money, currency
from bookrunner.core.reference import make_reference

NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
DAY = date(2026, 3, 3)
OURS = Account("Example Escrow LLC", "900100200", "021000021")
THEIRS = Account("Ada Example", "DE89370400440532013000", "COBADEFFXXX")
HEAD = PaymentFile(file_id="PAY-1", written_at=NOW, pay_on=DAY, debtor=OURS)
USD = currency("USD")
REFERENCE = make_reference("123456789012")

routings = st.integers(10_000_000, 99_999_999).map(lambda n: f"{n}{check_digit(str(n))}")
numbers = st.from_regex(r"[0-9]{4,17}", fullmatch=True)
accounts = st.builds(
    Account,
    name=st.sampled_from(["Ada Example", "Müller & Söhne <GmbH>", "株式会社"]),
    number=numbers | st.just("DE89370400440532013000"),
    bank=routings | st.just("COBADEFF"),
)
remittances = st.none() | st.just(REFERENCE) | st.just("Refund of <offer> & more")
payouts = st.builds(
    Payout,
    payment_id=st.uuids().map(lambda u: f"rfd_{u.hex[:20]}"),
    amount=st.integers(1, 10**13).map(lambda n: Money(n, USD)),
    creditor=accounts,
    reference=remittances,
    text=st.none() | st.just("Thank you"),
)


def entries(raw: bytes, expected: FileFormat) -> list[Entry]:
    file = AnyFormatReader().read_file(raw)
    assert file.format is expected
    assert all(statement.findings == () for statement in file.statements)
    return [entry for statement in file.statements for entry in statement.entries]


@settings(max_examples=40, deadline=None)
@given(st.lists(payouts, min_size=1, max_size=6, unique_by=lambda p: p.payment_id))
def test_an_order_is_valid_and_read_back(orders: list[Payout]) -> None:
    raw = write_pain001(HEAD, orders)
    assert raw == write_pain001(HEAD, orders)
    total = Money(sum(order.amount.minor for order in orders), USD).format()
    assert raw.count(f"<CtrlSum>{total}</CtrlSum>".encode()) == 2
    found = entries(raw, FileFormat.PAYMENT)
    for order, entry in zip(orders, found, strict=True):
        assert (entry.amount_minor, entry.currency, entry.credit) == (order.amount.minor, "USD", False)
        assert entry.end_to_end_id == order.payment_id
        assert (entry.creditor_name, entry.creditor_account) == (order.creditor.name, order.creditor.number)
        assert (entry.debtor_account, entry.value_on) == (OURS.number, DAY)
        assert set(entry.references) == ({REFERENCE} if order.reference == REFERENCE else set())
    assert len({entry.uetr for entry in found}) == len(orders)


def wire_return() -> WireReturn:
    return WireReturn(
        return_id="RTN-1",
        written_at=NOW,
        settle_on=DAY,
        amount=Money(90_000, USD),
        reason="AC04",
        returner=OURS,
        sender=Account("Ada Example", "5647772655", "011000015"),
        original_message_id="20260302B1QDRCQR000001",
        original_end_to_end_id="E2E-1",
        original_uetr="8a562c67-ca16-48ba-b074-65581be6f011",
        original_minor=100_000,
        note="account closed",
    )


def test_a_wire_goes_back_to_its_sender() -> None:
    raw = write_pacs004(wire_return())
    assert raw == write_pacs004(wire_return())
    checked = schema("pacs.004.001.10")
    assert checked is not None
    checked.assertValid(etree.fromstring(raw))
    (entry,) = entries(raw, FileFormat.PAYMENT)
    assert (entry.amount_minor, entry.return_reason) == (90_000, "AC04")
    assert entry.original_reference == "8a562c67-ca16-48ba-b074-65581be6f011"
    assert (entry.debtor_account, entry.creditor_account) == ("900100200", "5647772655")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"amount": Money(100_001, USD)}, "return_is_within_payment"),
        ({"amount": Money(0, USD)}, "payout_is_positive"),
        ({"written_at": NOW.replace(tzinfo=None)}, "file_time_has_zone"),
        ({"return_id": ""}, "payment_id_is_usable"),
        ({"reason": "TOO-LONG"}, "message_fits_schema"),
        ({"original_uetr": "no"}, "message_fits_schema"),
    ],
)
def test_a_bad_wire_return_is_refused(change: dict[str, object], rule: str) -> None:
    with pytest.raises(Refused) as refusal:
        write_pacs004(replace(wire_return(), **change))
    assert refusal.value.rule == rule


ONE = Payout(payment_id="rfd_1", amount=Money(1, USD), creditor=THEIRS)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: write_pain001(HEAD, []), "file_has_payouts"),
        (lambda: write_pain001(HEAD, [ONE, ONE]), "payment_id_is_unique"),
        (
            lambda: write_pain001(
                HEAD, [ONE, replace(ONE, payment_id="b", amount=Money(1, currency("EUR")))]
            ),
            "currencies_are_equal",
        ),
        (lambda: replace(ONE, amount=Money(0, USD)), "payout_is_positive"),
        (lambda: replace(ONE, amount=Money(-1, USD)), "payout_is_positive"),
        (lambda: replace(ONE, payment_id="x" * 36), "payment_id_is_usable"),
        (lambda: replace(ONE, payment_id="a b"), "payment_id_is_usable"),
        (lambda: replace(ONE, text="a\x00b"), "remittance_is_printable"),
        (lambda: replace(ONE, reference="x" * 141), "remittance_is_printable"),
        (lambda: replace(HEAD, written_at=NOW.replace(tzinfo=None)), "file_time_has_zone"),
        (lambda: Account("", "1", "021000021"), "holder_is_named"),
        (lambda: Account("A\nB", "1", "021000021"), "holder_is_named"),
        (lambda: Account("A", "1 2", "021000021"), "account_number_is_usable"),
        (lambda: Account("A", "1", "021000022"), "bank_is_named"),
    ],
)
def test_a_bad_order_is_refused(make: object, rule: str) -> None:
    assert callable(make)
    with pytest.raises(Refused) as refusal:
        make()
    assert refusal.value.rule == rule


def test_an_account_number_stays_out_of_logs() -> None:
    assert "DE8937" not in repr(ONE)
    assert "900100200" not in repr(HEAD)


ACH = AchFile(
    destination="021000021",
    destination_name="Example Bank",
    origin="011000015",
    origin_name="Example Escrow LLC",
    company_name="Example Escrow LLC",
    company_id="1234567890",
    description="REFUND",
    written_at=NOW,
    effective_on=DAY,
)
backs = st.builds(
    AchReturn,
    code=st.sampled_from(["R01", "R03", "R10", "R29"]),
    original_trace=st.from_regex(r"[0-9]{14}[1-9]", fullmatch=True),
    received_by=routings,
    note=st.sampled_from(["", "Closed"]),
)
moves = st.builds(
    AchEntry,
    routing=routings,
    account=numbers,
    amount_minor=st.integers(1, 10**10 - 1),
    credit=st.booleans(),
    name=st.sampled_from(["Ada Example", "José Müller", "A very long name of a very long company"]),
    identification=st.uuids().map(lambda u: u.hex[:15]),
    kind=st.sampled_from(AchAccount),
    entry_class=st.sampled_from(AchClass),
    returned=st.none() | backs,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(moves, min_size=1, max_size=12, unique_by=lambda m: m.identification))
def test_an_ach_file_is_blocked_balanced_and_read_back(orders: list[AchEntry]) -> None:
    raw = write_ach(ACH, orders)
    assert raw == write_ach(ACH, orders)
    lines = raw.decode("ascii").splitlines()
    assert {len(line) for line in lines} == {94}
    assert len(lines) % 10 == 0
    found = {entry.end_to_end_id: entry for entry in entries(raw, FileFormat.NACHA)}
    assert len(found) == len(orders)
    for order in orders:
        entry = found[order.identification]
        assert (entry.amount_minor, entry.credit) == (order.amount_minor, order.credit)
        account = entry.creditor_account if order.credit else entry.debtor_account
        assert account == f"{order.routing}-{order.account}"
        back = order.returned
        assert entry.return_reason == (back.code if back else None)
        assert entry.original_reference == (back.original_trace if back else None)
        assert entry.value_on == DAY


MOVE = AchEntry(
    routing="021000021", account="123", amount_minor=1, credit=True, name="Ada", identification="rfd1"
)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: write_ach(ACH, []), "file_has_payouts"),
        (lambda: write_ach(ACH, [MOVE, MOVE]), "payment_id_is_unique"),
        (
            lambda: write_ach(replace(ACH, same_day=True), [replace(MOVE, amount_minor=100_000_001)]),
            "entry_fits_same_day",
        ),
        (lambda: replace(MOVE, amount_minor=0), "payout_is_positive"),
        (lambda: replace(MOVE, amount_minor=10**10), "payout_is_positive"),
        (lambda: replace(MOVE, routing="021000022"), "routing_number_is_valid"),
        (lambda: replace(MOVE, account="1" * 18), "account_number_is_usable"),
        (lambda: replace(MOVE, identification="x" * 16), "payment_id_is_usable"),
        (lambda: replace(MOVE, name="株式会社"), "name_is_latin"),
        (lambda: replace(ACH, company_id="12345678901"), "company_id_is_usable"),
        (lambda: replace(ACH, modifier="a"), "file_modifier_is_one_character"),
        (lambda: replace(ACH, first_trace=0), "trace_has_fifteen_digits"),
        (
            lambda: AchReturn(code="R96", original_trace="1" * 15, received_by="021000021"),
            "return_code_is_known",
        ),
        (
            lambda: AchReturn(code="R01", original_trace="1" * 14, received_by="021000021"),
            "trace_has_fifteen_digits",
        ),
    ],
)
def test_a_bad_ach_order_is_refused(make: object, rule: str) -> None:
    assert callable(make)
    with pytest.raises(Refused) as refusal:
        make()
    assert refusal.value.rule == rule
