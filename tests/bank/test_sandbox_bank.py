"""The sandbox's bank writes what the ISO schema allows and what the reader reads back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bookrunner.adapters.bank.camt import CamtReader
from bookrunner.core.errors import Refused
from bookrunner.core.reference import make_reference
from bookrunner.sandbox.bank import Payment, StatementHead, closing_minor, write_statement

XSD = Path(__file__).parents[1] / "data" / "bank" / "xsd" / "camt.053.001.08.xsd"
SCHEMA = etree.XMLSchema(etree.parse(XSD))
DAY = date(2026, 3, 2)

payments = st.builds(
    Payment,
    amount_minor=st.integers(1, 10**15),
    reference=st.none() | st.integers(0, 10**12 - 1).map(lambda n: make_reference(f"{n:012d}")),
    debtor_name=st.sampled_from(["Ada Example", "Müller & Söhne <GmbH>", "株式会社"]),
    debtor_account=st.sampled_from(["DE89370400440532013000", "021000021-123456789"]),
    value_on=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    credit=st.booleans(),
    structured=st.booleans(),
    return_reason=st.sampled_from([None, "AC04"]),
)
heads = st.builds(
    StatementHead,
    account=st.sampled_from(["DE89370400440532013000", "900100200"]),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    sequence=st.integers(1, 999_999),
    booked_on=st.just(DAY),
    opening_minor=st.integers(-(10**12), 10**12),
)


@settings(max_examples=60, deadline=None)
@given(heads, st.lists(payments, max_size=6))
def test_a_statement_is_valid_balanced_and_read_back(head: StatementHead, moves: list[Payment]) -> None:
    raw = write_statement(head, moves)
    assert raw == write_statement(head, moves)
    SCHEMA.assertValid(etree.fromstring(raw))
    statement = CamtReader().read(raw)
    assert statement.findings == ()
    assert statement.closing_minor == closing_minor(head, moves)
    assert (statement.account, statement.currency) == (head.account, head.currency)
    assert len({entry.dedupe_key for entry in statement.entries}) == len(moves)
    for move, entry in zip(moves, statement.entries, strict=True):
        told = entry.remittance_structured if move.structured else entry.remittance_text
        assert (entry.amount_minor, entry.credit, told) == (move.amount_minor, move.credit, move.reference)
        assert (entry.debtor_name, entry.debtor_account) == (move.debtor_name, move.debtor_account)
        assert (entry.value_on, entry.return_reason) == (move.value_on, move.return_reason)


def test_a_payment_of_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="payment_is_positive"):
        write_statement(StatementHead("1", "USD", 1, DAY), [Payment(0, None, "A", "B", DAY)])
