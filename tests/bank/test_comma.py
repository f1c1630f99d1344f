"""Comma-separated statements: a declared mapping, each bad line by its number, the same dedupe."""

from __future__ import annotations

import pytest

from bookrunner.adapters.bank import FileFormat, StatementRefused
from bookrunner.adapters.bank.files import AnyFormatReader

HEAD = """#bookrunner-csv,plain,1
#account,ESCROW1
#currency,USD
#statement,2026-03-30
#opening,2026-03-30,100.00
#closing,2026-03-30,1350.00
booked_on,value_on,amount,bank_reference,text,payer,payer_account
"""
LINES = """2026-03-30,2026-03-31,1000.00,B1,RF18 5390 0754 7034,"Person, Example",ACC1
2026-03-30,,500.00,,no reference,Example Person,ACC1
2026-03-30,,-250.00,B2,fee,Example Bank,BANK1
"""
AMERICAN = """#bookrunner-csv,debit_credit,1
#account,ESCROW1
#currency,USD
#statement,american
#opening,2026-03-30,0.00
#closing,2026-03-30,75.00
Date,Description,Debit,Credit,Bank Reference,Counterparty,Counterparty Account,Balance
03/30/2026,in,,100.00,X1,Example Person,ACC1,100.00
03/30/2026,out,25.00,,X2,Example Bank,,75.00
"""
REFUSED = [
    (HEAD.replace("plain,1", "plain,9") + LINES, "mapping_is_declared", 1),
    (HEAD.replace("#account,ESCROW1\n", "") + LINES, "statement_has_account", 1),
    (HEAD.replace("USD", "XYZ") + LINES, "currency_is_known", 1),
    (HEAD.replace("payer_account", "iban") + LINES, "mapping_is_declared", 7),
    (HEAD.replace("#statement", "#account,X\n#statement") + LINES, "record_is_known", 4),
    (HEAD.replace("30,100.00", "30") + LINES, "record_is_known", 1),
    (HEAD + "2026-03-30,,1.00,B1,text,payer\n", "record_is_known", 8),
    (HEAD + '2026-03-30,,1.00,B1,"text"x,payer,a\n', "record_is_known", 8),
    (HEAD + LINES + "2026-02-30,,1.00,,,,\n", "date_is_iso", 11),
    (HEAD + "2026-03-30,,1.005,,,,\n", "amount_fits_currency", 8),
    (HEAD + "2026-03-30,,$1.00,,,,\n", "amount_is_decimal", 8),
    (AMERICAN + "03/30/2026,both,1.00,1.00,,,,\n", "direction_is_given", 10),
    (AMERICAN + "03/30/2026,minus,-1.00,,,,,\n", "amount_is_decimal", 10),
]


def test_a_declared_statement_is_read() -> None:
    file = AnyFormatReader().read_file((HEAD + LINES).encode())
    statement = file.only_statement()
    assert (file.format, statement.account, statement.findings) == (FileFormat.CSV, "ESCROW1", ())
    assert (statement.opening_minor, statement.closing_minor) == (10_000, 135_000)
    first, second, fee = statement.entries
    assert (first.amount_minor, first.credit, first.debtor_name) == (100_000, True, "Person, Example")
    assert (first.value_on, first.references) != (first.booked_on, ())
    assert (second.value_on, second.entry_ref) == (second.booked_on, None)
    assert (fee.amount_minor, fee.credit, fee.debtor_account, fee.creditor_account) == (
        25_000,
        False,
        None,
        "BANK1",
    )


def test_another_mapping_reads_its_own_days_and_directions() -> None:
    statement = AnyFormatReader().read(AMERICAN.encode())
    assert [(e.amount_minor, e.credit, str(e.booked_on)) for e in statement.entries] == [
        (10_000, True, "2026-03-30"),
        (2_500, False, "2026-03-30"),
    ]
    assert statement.findings == ()


@pytest.mark.parametrize(("text", "rule", "line"), REFUSED)
def test_a_file_is_refused_by_rule_and_line(text: str, rule: str, line: int) -> None:
    with pytest.raises(StatementRefused) as caught:
        AnyFormatReader().read_file(text.encode())
    assert (caught.value.rule, caught.value.line) == (rule, line)


def test_every_bad_line_is_named() -> None:
    bad = "2026-03-30,,x,,,,\n2026-03-30,,1.00,,,,\n2026-13-30,,1.00,,,,\n"
    with pytest.raises(StatementRefused, match=r"line 8: .*; line 10: date_is_iso"):
        AnyFormatReader().read_file((HEAD + bad).encode())


def test_a_gap_between_the_balances_is_found() -> None:
    statement = AnyFormatReader().read((HEAD.replace("1350", "1349") + LINES).encode())
    assert [f.rule.value for f in statement.findings] == ["balances_add_up"]


def test_equal_lines_are_two_deposits_and_the_same_file_none() -> None:
    twice = HEAD + 2 * "2026-03-30,,500.00,,same,Example Person,ACC1\n"
    first, again = (AnyFormatReader().read(twice.encode()) for _ in range(2))
    assert len({entry.dedupe_key for entry in first.entries}) == 2
    assert [e.dedupe_key for e in first.entries] == [e.dedupe_key for e in again.entries]
