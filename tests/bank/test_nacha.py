"""NACHA files: what they say, in which forms, and what they are refused for."""

from __future__ import annotations

import pytest

from bookrunner.adapters.bank import BankFile, EntryStatus, FindingRule, StatementRefused
from bookrunner.adapters.bank.nacha.reader import NachaReader
from tests.bank.samples import samples

SAMPLES = {name.removeprefix("nacha/"): raw for name, raw in samples().items() if name.startswith("nacha/")}
DEBIT = SAMPLES["ppd-debit.ach"]
RETURNS = SAMPLES["issues__testdata__issue702.ach"]
NOTICE = SAMPLES["cor-example.ach"]


def read(raw: bytes) -> BankFile:
    return NachaReader().read_file(raw)


def lines(raw: bytes) -> list[bytes]:
    return raw.splitlines()


def changed(raw: bytes, kind: bytes, place: int, text: bytes) -> bytes:
    """Write a text from a column, counted from 1, into each record of a kind."""
    return b"\n".join(
        line[: place - 1] + text + line[place - 1 + len(text) :] if line.startswith(kind) else line
        for line in lines(raw)
    )


def test_a_debit_has_its_payer_and_waits_for_the_statement() -> None:
    (statement,) = read(DEBIT).statements
    (entry,) = statement.entries
    assert (entry.amount_minor, entry.currency, entry.credit) == (100_000_000, "USD", False)
    assert entry.status is EntryStatus.PDNG
    assert (entry.debtor_name, entry.debtor_account) == ("Receiver Account Name", "231380104-12345678")
    assert (entry.creditor_name, entry.bank_code) == ("Name on Account", "PPD-27")
    assert entry.batch is not None
    assert (entry.batch.kind, entry.batch.place, entry.batch.size) == ("PPD", 1, 1)


def test_a_return_names_its_code_and_the_entry_that_it_undoes() -> None:
    entries = [entry for statement in read(RETURNS).statements for entry in statement.entries]
    assert [entry.return_reason for entry in entries] == ["R04", "R03", "R01"]
    assert [entry.original_reference for entry in entries] == ["101206100000001"] * 3
    # A payout that bounced comes back as a credit, a debit that bounced takes the money away again.
    assert [(entry.bank_code, entry.credit) for entry in entries] == [
        ("PPD-21", True),
        ("WEB-26", False),
        ("WEB-26", False),
    ]


def test_a_return_in_another_file_has_the_same_key() -> None:
    later = changed(changed(RETURNS, b"1", 24, b"200402"), b"5", 88, b"0000099")
    later = changed(later, b"8", 88, b"0000099")
    keys = [[e.dedupe_key for s in read(raw).statements for e in s.entries] for raw in (RETURNS, later)]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


def test_an_entry_in_another_file_is_another_entry() -> None:
    later = changed(DEBIT, b"1", 24, b"250102")
    keys = [read(raw).statements[0].entries[0].dedupe_key for raw in (DEBIT, later)]
    assert keys[0] != keys[1]


def test_a_contested_return_says_what_holds_now() -> None:
    (statement,) = read(SAMPLES["examples__testdata__contested-return.ach"]).statements
    assert [entry.return_reason for entry in statement.entries] == ["R71"]


def test_a_notice_of_change_is_no_entry() -> None:
    file = read(NOTICE)
    assert file.statements[0].entries == ()
    (notice,) = file.changes
    assert (notice.code, notice.account, notice.routing) == ("C01", "1918171614", None)
    assert notice.original_trace == "121042880000001"
    assert "1918171614" not in repr(notice)


@pytest.mark.parametrize(
    ("code", "data", "expected"),
    [
        (b"C02", b"231380104", ("231380104", None, None, None)),
        (b"C03", b"231380104   12345678", ("231380104", "12345678", None, None)),
        (b"C05", b"32", (None, None, "32", None)),
        (b"C06", b"12345678            32", (None, "12345678", "32", None)),
        (b"C07", b"23138010412345678         32", ("231380104", "12345678", "32", None)),
        (b"C09", b"ID-77", (None, None, None, "ID-77")),
    ],
)
def test_each_change_code_has_its_fields(
    code: bytes, data: bytes, expected: tuple[str | None, str | None, str | None, str | None]
) -> None:
    (notice,) = read(changed(changed(NOTICE, b"7", 36, data.ljust(29)), b"7", 4, code)).changes
    found = (notice.routing, notice.account, notice.transaction_code, notice.identification)
    assert found == expected


def test_an_unknown_return_code_is_read_and_reported() -> None:
    for name, code in (("return-PPD-custom-reason-code.ach", "R97"), ("iat-invalidAddenda99.ach", "R96")):
        (statement,) = read(SAMPLES[name]).statements
        assert [entry.return_reason for entry in statement.entries] == [code]
        assert FindingRule.RETURN_CODE_IS_KNOWN in {finding.rule for finding in statement.findings}


def test_an_international_entry_has_its_long_account_and_its_receiver() -> None:
    (statement,) = read(SAMPLES["iat-addenda99.ach"]).statements
    (entry,) = statement.entries
    assert (entry.creditor_name, entry.creditor_account) == ("BEK Enterprises", "121042882-123456789")


@pytest.mark.parametrize(
    "form",
    [
        DEBIT.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        b"".join(line.ljust(94) for line in lines(DEBIT)),
        b"\n".join(line.rstrip() for line in lines(DEBIT)),
        b"\n".join(line + b"       " for line in lines(DEBIT)),
        b"\n".join(line for line in lines(DEBIT) if not line.startswith(b"99")),
        b"\xef\xbb\xbf" + DEBIT,
        DEBIT + b"\n\n\x1a",
    ],
    ids=["crlf", "one_line", "cut", "long", "unpadded", "bom", "end_mark"],
)
def test_real_forms_are_tolerated(form: bytes) -> None:
    assert read(form) == read(DEBIT)


def test_names_of_old_and_new_hosts_are_read() -> None:
    for encoding in ("utf-8", "latin-1"):
        name = "José Müller".encode(encoding)
        raw = b"\n".join(
            line[:54] + name + b" " * (22 - len("José Müller")) + line[76:] if line[:1] == b"6" else line
            for line in lines(DEBIT)
        )
        assert read(raw).statements[0].entries[0].debtor_name == "José Müller"


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "file_is_complete"),
        (b"\n".join(lines(DEBIT)[:3]), "file_is_complete"),
        (b"\n".join(lines(DEBIT)[:4]), "file_is_complete"),
        (b"\n".join(lines(DEBIT)[1:]), "file_is_complete"),
        (DEBIT + b"\n" + DEBIT, "file_is_complete"),
        (b"\n".join([*lines(DEBIT)[:2], *lines(DEBIT)[1:]]), "file_is_complete"),
        (b"\n".join([*lines(DEBIT)[:3], *lines(DEBIT)[4:]]), "file_is_complete"),
        (b"\n".join([*lines(DEBIT)[:2], b"705", *lines(DEBIT)[2:]]), "continuation_follows_record"),
        (changed(DEBIT, b"6", 30, b"0100000001"), "control_totals_match"),
        (changed(DEBIT, b"8", 21, b"000000000001"), "control_totals_match"),
        (changed(DEBIT, b"8", 33, b"000000000001"), "control_totals_match"),
        (changed(DEBIT, b"8", 5, b"999999"), "control_totals_match"),
        (changed(DEBIT, b"8", 11, b"0000000001"), "control_totals_match"),
        (changed(DEBIT, b"90", 2, b"999999"), "control_totals_match"),
        (changed(DEBIT, b"90", 14, b"99999998"), "control_totals_match"),
        (changed(DEBIT, b"90", 32, b"000000000001"), "control_totals_match"),
        (changed(DEBIT, b"6", 30, b"-100000000"), "amount_is_decimal"),
        (changed(DEBIT, b"6", 30, b"01000000.0"), "amount_is_decimal"),
        (changed(DEBIT, b"6", 2, b"99"), "direction_is_given"),
        (changed(DEBIT, b"6", 2, b"XX"), "direction_is_given"),
        (b"\n".join([*lines(DEBIT)[:2], b"4", *lines(DEBIT)[2:]]), "record_is_known"),
        (lines(DEBIT)[0] + b"x" * 20 + b"\n", "record_is_known"),
        (b"\0" + DEBIT, "encoding_is_supported"),
        (SAMPLES["adv.ach"], "batch_is_supported"),
    ],
)
def test_a_bad_file_is_refused_by_name(raw: bytes, rule: str) -> None:
    with pytest.raises(StatementRefused) as refusal:
        read(raw)
    assert refusal.value.rule == rule


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (changed(changed(DEBIT, b"8", 11, b"9" * 10), b"90", 22, b"9" * 10), "entry_hash_is_given"),
        (changed(DEBIT, b"6", 12, b"5"), "routing_number_is_valid"),
        (changed(DEBIT, b"6", 80, b"0" * 15), "entry_has_trace"),
        (changed(changed(DEBIT, b"5", 2, b"220"), b"8", 2, b"220"), "entry_fits_batch_class"),
    ],
)
def test_a_tolerable_fault_is_reported(raw: bytes, rule: str) -> None:
    (statement,) = read(raw).statements
    assert rule in {finding.rule.value for finding in statement.findings}
    assert [entry.amount_minor for entry in statement.entries] == [100_000_000]
