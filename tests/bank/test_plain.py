"""BAI2 and MT940: what they say, and what they are refused for."""

from __future__ import annotations

from datetime import date

import pytest

from bookrunner.adapters.bank import Entry, EntryStatus, Statement, StatementRefused
from bookrunner.adapters.bank.plain.bai2 import Bai2Reader
from bookrunner.adapters.bank.plain.mt940 import Mt940Reader
from tests.bank.samples import samples

SAMPLES = samples()


def bai2(*records: str, head: str = "03,1234567,USD,010,5000,,,015,15000,,/", total: str = "30000") -> bytes:
    count = len(records) + head.count("\n") + 2
    return "\n".join(
        [
            "01,BANK,FUND,260302,0600,1,,,2/",
            "02,FUND,BANK,1,260302,,USD,2/",
            head,
            *records,
            f"49,{total},{count}/",
            f"98,{total},1,{count + 2}/",
            f"99,{total},1,{count + 4}/",
        ]
    ).encode()


def mt940(*lines: str, opening: str = "C260301USD50,00", closing: str = "C260302USD150,00") -> bytes:
    body = [":20:S1", ":25:021000021/1234567", ":28C:7/1", f":60F:{opening}", *lines, f":62F:{closing}", "-"]
    return "\r\n".join(body).encode()


def one_bai2(raw: bytes) -> Statement:
    (statement,) = Bai2Reader().read_file(raw).statements
    return statement


def one_mt940(raw: bytes) -> Statement:
    (statement,) = Mt940Reader().read_file(raw).statements
    return statement


def rules(statement: Statement) -> set[str]:
    return {finding.rule.value for finding in statement.findings}


def only(statement: Statement) -> Entry:
    (entry,) = statement.entries
    return entry


WIRE = "16,195,10000,0,BR1,CR1,WIRE RF74 0000 0000 0001/"
CREDIT = ":61:2603020302C100,NTRFREF1//BANK1\r\n:86:RF74 0000 0000 0001"


def test_a_bai2_account_is_a_balanced_statement() -> None:
    statement = one_bai2(bai2(WIRE))
    assert statement.findings == ()
    assert (statement.account, statement.currency) == ("1234567", "USD")
    assert (statement.opening_minor, statement.closing_minor) == (5000, 15000)
    entry = only(statement)
    assert (entry.amount_minor, entry.credit, entry.status) == (10000, True, EntryStatus.BOOK)
    assert (entry.entry_ref, entry.end_to_end_id, entry.booked_on) == ("BR1", "CR1", date(2026, 3, 2))
    assert entry.remittance_text == "WIRE RF74 0000 0000 0001"


@pytest.mark.parametrize(
    ("record", "text", "value_on"),
    [
        ("16,195,10000,V,260305,1200,BR1,CR1,PAY, AND/OR MORE/", "PAY, AND/OR MORE", date(2026, 3, 5)),
        ("16,195,10000,S,1,2,3,BR1,CR1,TEXT/", "TEXT", date(2026, 3, 2)),
        ("16,195,10000,D,2,0,4000,1,6000,BR1,CR1,TEXT/", "TEXT", date(2026, 3, 2)),
        ("16,195,10000,D,2,0,4000/\n88,1,6000,BR1,CR1,TEXT/", "TEXT", date(2026, 3, 2)),
        ("16,195,10000,D,2,0,4000,1,6000,BR1/\n88,CR1,TEXT/", "TEXT", date(2026, 3, 2)),
        ("16,195,10000,Z,BR1,CR1,ONE\n88,TWO, THREE\n88,FOUR/", "ONE TWO, THREE FOUR", date(2026, 3, 2)),
        ("16,195,10000,,BR1,CR1,/", None, date(2026, 3, 2)),
    ],
)
def test_the_funds_type_shifts_the_fields(record: str, text: str | None, value_on: date) -> None:
    entry = only(one_bai2(bai2(record, total="30000")))
    assert (entry.entry_ref, entry.end_to_end_id) == ("BR1", "CR1")
    assert (entry.remittance_text, entry.value_on) == (text, value_on)


def test_bai2_returns_and_reversals_are_marked() -> None:
    back = only(one_bai2(bai2('16,257,10000,,BR1,CR1,RETURN, Reason: "R02"/')))
    assert (back.return_reason, back.credit) == ("R02", True)
    taken = only(one_bai2(bai2("16,557,10000,,BR1,CR1,ITEM/")))
    assert (taken.return_reason, taken.credit) == ("BAI557", False)
    assert only(one_bai2(bai2("16,558,10000,,BR1,CR1,ITEM/"))).reversal


def test_a_real_report_names_its_returns() -> None:
    file = Bai2Reader().read_file(SAMPLES["bai2/sample4-continuations-newline-delimited.txt"])
    reasons = [e.return_reason for s in file.statements for e in s.entries if e.return_reason]
    assert reasons == ["BAI261", "R02", "BAI266", "R02", "BAI255"]


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (bai2(WIRE, total="30001"), "control_totals_match"),
        (bai2(WIRE).replace(b"99,30000,1,7", b"99,30000,1,2000000000"), "control_counts_match"),
        (bai2(WIRE).replace(b"98,30000,1,", b"98,30000,9,"), "control_counts_match"),
        (bai2("16,195,9999,,B,C,/", total="29999"), "balances_add_up"),
        (bai2("16,990,10000,,B,C,/"), "type_code_has_direction"),
        (bai2("16,195,0,,B,C,/", total="20000"), "amount_is_positive"),
        (bai2(WIRE, head="03,1234567,USD,040,20000,,/"), "balances_are_given"),
    ],
)
def test_a_tolerable_bai2_fault_is_reported(raw: bytes, rule: str) -> None:
    statement = one_bai2(raw)
    assert rule in rules(statement)
    assert len(statement.entries) == 1


def test_interim_bai2_data_wait() -> None:
    raw = bai2(WIRE).replace(b",USD,2/\n03", b",USD,1/\n03")
    assert only(one_bai2(raw)).status is EntryStatus.PDNG


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "file_is_complete"),
        (bai2(WIRE)[:-20], "file_is_complete"),
        (b"\n".join(bai2(WIRE).split(b"\n")[:4]), "file_is_complete"),
        (bai2(WIRE) + b"\n" + bai2(WIRE), "file_is_complete"),
        (bai2("03,2,USD,/"), "file_is_complete"),
        (b"88,100/\n" + bai2(WIRE), "continuation_follows_record"),
        (bai2(WIRE).replace(b"\n98", b"\n88,1/\n98"), "continuation_follows_record"),
        (bai2("17,195,1/"), "record_is_known"),
        (bai2("16,19X,1,,,,/"), "record_is_known"),
        (bai2("16,195,1,Q,,,/"), "record_is_known"),
        (bai2(WIRE, head="03,1234567,USD,ABC,1,,/"), "record_is_known"),
        (bai2(WIRE, head="03,,USD,010,1,,/"), "statement_has_account"),
        (bai2(WIRE, head="03,1234567,XXQ,010,1,,/"), "currency_is_known"),
        (bai2("16,195,-10000,,B,C,/"), "amount_is_decimal"),
        (bai2("16,195,100.00,,B,C,/"), "amount_is_decimal"),
        (bai2("16,195,\uff11\uff10,,B,C,/"), "amount_is_decimal"),
        (bai2("16,195,99999999999999999999,,B,C,/"), "amount_fits_storage"),
        (bai2("16,195,1,D,2000000000,B,C,/"), "count_is_plausible"),
        (bai2("16,195,1,V,260230,,B,C,/"), "date_is_iso"),
        (bai2(WIRE).replace(b",260302,,USD", b",261345,,USD"), "date_is_iso"),
        (bai2("16,195,1,,B,C," + "x" * 70_000), "file_fits_limit"),
        (bai2(WIRE).decode().encode("utf-16"), "encoding_is_supported"),
    ],
)
def test_a_bad_bai2_file_is_refused_by_name(raw: bytes, rule: str) -> None:
    with pytest.raises(StatementRefused) as refusal:
        Bai2Reader().read_file(raw)
    assert refusal.value.rule == rule


def test_an_mt940_is_a_balanced_statement() -> None:
    statement = one_mt940(mt940(CREDIT))
    assert statement.findings == ()
    assert (statement.account, statement.sequence) == ("021000021/1234567", 7)
    assert (statement.opening_minor, statement.closing_minor) == (5000, 15000)
    entry = only(statement)
    assert (entry.amount_minor, entry.credit, entry.entry_ref) == (10000, True, "BANK1")
    assert entry.remittance_text == "RF74 0000 0000 0001"


@pytest.mark.parametrize(
    ("line", "credit", "reversal"),
    [
        (":61:260302C100,NTRFNONREF", True, False),
        (":61:260302D100,NTRFNONREF", False, False),
        (":61:260302RC100,NTRFNONREF", False, True),
        (":61:260302RD100,NTRFNONREF", True, True),
        (":61:260302CN100,NTRFNONREF", True, False),
        (":61:260302C000000000100,00N102EREF", True, False),
    ],
)
def test_the_sign_of_a_movement(line: str, credit: bool, reversal: bool) -> None:
    entry = only(one_mt940(mt940(line)))
    assert (entry.amount_minor, entry.credit, entry.reversal) == (10000, credit, reversal)


@pytest.mark.parametrize(
    ("value", "booked", "day"),
    [
        ("251231", "0102", date(2026, 1, 2)),
        ("260102", "1231", date(2025, 12, 31)),
        ("240301", "0229", date(2024, 2, 29)),
        ("260302", "", date(2026, 3, 2)),
    ],
)
def test_the_booking_day_takes_its_year_from_the_value_date(value: str, booked: str, day: date) -> None:
    assert only(one_mt940(mt940(f":61:{value}{booked}C100,NTRFX"))).booked_on == day


def test_interim_reports_and_expected_movements_wait() -> None:
    (statement,) = Mt940Reader().read_file(SAMPLES["mt940/mBank__mt942.sta"]).statements
    assert {entry.status for entry in statement.entries} == {EntryStatus.PDNG}
    assert only(one_mt940(mt940(":61:260302EC100,NTRFX"))).status is EntryStatus.PDNG


def test_interim_report_and_statement_agree_on_the_keys() -> None:
    keys = [
        [e.dedupe_key for s in Mt940Reader().read_file(SAMPLES[name]).statements for e in s.entries]
        for name in ("mt940/mBank__mt942.sta", "mt940/mBank__mt940.sta")
    ]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (mt940(CREDIT, closing="C260302USD150,01"), "balances_add_up"),
        (mt940(CREDIT, CREDIT, closing="C260302USD250,"), "dedupe_key_is_unique"),
        (mt940(":61:260302C0,NTRFX", closing="C260302USD50,"), "amount_is_positive"),
        (mt940(CREDIT).replace(b":62F:", b":62M:"), "message_is_one_page"),
        (mt940(CREDIT).replace(b":62F:", b":64:"), "balances_are_given"),
    ],
)
def test_a_tolerable_mt940_fault_is_reported(raw: bytes, rule: str) -> None:
    assert rule in rules(one_mt940(raw))


def test_equal_movements_of_a_day_are_two() -> None:
    line = ":61:260302C50,NTRFNONREF\r\n:86:SAME"
    keys = [entry.dedupe_key for entry in one_mt940(mt940(line, line)).entries]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "file_has_statement"),
        (b":20:X", "statement_has_account"),
        (b":20:X\n:25:1", "statement_has_currency"),
        (b":25:1\n:60F:C260302USD1,", "record_is_known"),
        (b":20:X\n:25:1\n" + CREDIT.encode(), "statement_has_currency"),
        (mt940(CREDIT, opening="C260301XXQ50,00"), "currency_is_known"),
        (mt940(CREDIT, closing="C260302EUR150,00"), "statement_has_currency"),
        (mt940(CREDIT, opening="C260301USD-50,00"), "record_is_known"),
        (mt940(":61:260302C-100,NTRFX"), "record_is_known"),
        (mt940(":61:260302C100.00NTRFX"), "record_is_known"),
        (mt940(":61:260302X100,NTRFX"), "record_is_known"),
        (mt940(":61:260302C100,001NTRFX"), "amount_fits_currency"),
        (mt940(":61:260230C100,NTRFX"), "date_is_iso"),
        (mt940(":61:2603020230C100,NTRFX"), "date_is_iso"),
        (mt940(CREDIT, opening="C261301USD50,00"), "date_is_iso"),
        (mt940(CREDIT, *["x" * 60_000] * 2), "file_fits_limit"),
        (mt940(CREDIT, "x" * 70_000), "file_fits_limit"),
        (mt940(CREDIT).decode().encode("utf-16-le"), "encoding_is_supported"),
    ],
)
def test_a_bad_mt940_file_is_refused_by_name(raw: bytes, rule: str) -> None:
    with pytest.raises(StatementRefused) as refusal:
        Mt940Reader().read_file(raw)
    assert refusal.value.rule == rule


def test_a_network_envelope_is_passed_over() -> None:
    raw = b"{1:F01BANKUS33AXXX0000000000}{2:I940BANKUS33XXXXN}{4:\r\n" + mt940(CREDIT) + b"}"
    assert one_mt940(raw).entries == one_mt940(mt940(CREDIT)).entries
