"""What a bank file is refused for, and what is only reported."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from bookrunner.adapters.bank import EntryStatus, FindingRule, Statement, StatementRefused
from bookrunner.adapters.bank.camt import CamtReader

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.{}"
ACCOUNT = "<Acct><Id><Othr><Id>1234567</Id></Othr></Id><Ccy>USD</Ccy></Acct>"


def ntry(amount: str = "10.00", status: str = "BOOK", body: str = "") -> str:
    return (
        f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>'
        f"<BookgDt><Dt>2026-03-02</Dt></BookgDt>{body}</Ntry>"
    )


def details(*parts: str) -> str:
    return "<NtryDtls>" + "".join(f"<TxDtls>{part}</TxDtls>" for part in parts) + "</NtryDtls>"


def message(*body: str, version: str = "053.001.08", account: str = ACCOUNT) -> bytes:
    outer, inner = {
        "053": ("BkToCstmrStmt", "Stmt"),
        "052": ("BkToCstmrAcctRpt", "Rpt"),
        "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    }[version[:3]]
    return (
        f'<Document xmlns="{NAMESPACE.format(version)}"><{outer}><{inner}><Id>S1</Id>{account}'
        f"{''.join(body)}</{inner}></{outer}></Document>"
    ).encode()


def read(raw: bytes) -> Statement:
    return CamtReader().read(raw)


def rules(statement: Statement) -> list[FindingRule]:
    return [f.rule for f in statement.findings if f.rule is not FindingRule.BALANCES_ARE_GIVEN]


DOCTYPE = b'<?xml version="1.0"?>\n<!DOCTYPE Document [<!ENTITY a "b">]>\n'
GOOD = message(ntry())
OTHER_UNIT = message(ntry().replace("USD", "XXQ"))
NO_WAY = message(ntry().replace("CRDT", "BOTH"))
NO_DAY = message(ntry().replace("03-02", "02-30"))


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "statement_is_xml"),
        (b"no xml", "statement_is_xml"),
        (GOOD[:-30], "statement_is_xml"),
        (GOOD[: len(GOOD) // 2], "statement_is_xml"),
        (GOOD + b"<again/>", "statement_is_xml"),
        (message("<x>" * 300 + "</x>" * 300), "statement_is_xml"),
        (message(ntry(body="<AddtlNtryInf>&unknown;</AddtlNtryInf>")), "statement_is_xml"),
        (
            message(ntry(body="<AddtlNtryInf>\xff</AddtlNtryInf>")).replace(b"\xc3\xbf", b"\xff"),
            "statement_is_xml",
        ),
        (DOCTYPE + GOOD, "statement_has_no_doctype"),
        ((DOCTYPE + GOOD).decode().encode("utf-16"), "encoding_is_supported"),
        (b'<?xml version="1.0" encoding="UTF-7"?>' + GOOD, "encoding_is_supported"),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="EUC-JP"?>' + GOOD, "encoding_is_supported"),
        ('<?xml version="1.0" encoding="IBM037"?>'.encode("cp037"), "statement_is_xml"),
        (b"<Document/>", "message_is_supported"),
        (b"<other/>", "message_is_supported"),
        (GOOD.replace(b"001.08", b"001.99"), "message_is_supported"),
        (message(account=""), "statement_has_account"),
        (message(ntry(), account=""), "statement_has_account"),
        (message(account="<Acct><Id/></Acct>"), "statement_has_account"),
        (message(account=ACCOUNT.replace("<Ccy>USD</Ccy>", "")), "statement_has_currency"),
        (message(ntry("1000.001")), "amount_fits_currency"),
        (message(ntry("99999999999999999999")), "amount_fits_storage"),
        *(
            (message(ntry(a)), "amount_is_decimal")
            for a in ("1e3", "NaN", "\uff11\uff10\uff10", "-5", "+5", " 5", "", "1,5")
        ),
        (message(ntry(body=details('<Amt Ccy="USD">1e3</Amt>'))), "amount_is_decimal"),
        (message(ntry().replace('<Amt Ccy="USD">10.00</Amt>', "")), "amount_is_decimal"),
        (OTHER_UNIT, "currency_is_known"),
        (message(ntry().replace(' Ccy="USD"', "")), "currency_is_known"),
        (NO_WAY, "direction_is_given"),
        (message(ntry().replace("<CdtDbtInd>CRDT</CdtDbtInd>", "")), "direction_is_given"),
        (NO_DAY, "date_is_iso"),
        (message(ntry().replace("2026-03-02", "02.03.2026")), "date_is_iso"),
        (message(ntry(body="<x>" + "a" * 3_000_000 + "</x>")), "file_fits_limit"),
        (message("<x/>" * 500_000), "file_fits_limit"),
    ],
)
def test_a_bad_file_is_refused_by_name(raw: bytes, rule: str) -> None:
    with pytest.raises(StatementRefused) as refusal:
        read(raw)
    assert refusal.value.rule == rule


def test_too_many_megabytes_are_refused_at_once() -> None:
    raw = bytes(256 * 1024 * 1024 + 1)
    started = time.monotonic()
    with pytest.raises(StatementRefused, match="file_fits_limit"):
        read(raw)
    assert time.monotonic() - started < 0.5


def test_a_refusal_names_the_line_and_quotes_nothing() -> None:
    raw = message("\n", ntry(), "\n", ntry("12.345"))
    with pytest.raises(StatementRefused) as refusal:
        read(raw)
    assert refusal.value.line == 3
    assert "12.345" not in str(refusal.value)


def test_only_booked_entries_count() -> None:
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy='USD'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
        for kind, amount in (("OPBD", "5.00"), ("CLBD", "15.00"))
    )
    body = details("<Refs/>")
    statuses = ("BOOK", "PDNG", "INFO", "FUTR", "ELSE")
    statement = read(message(balances, *(ntry(status=s, body=body) for s in statuses)))
    read_as = [entry.status for entry in statement.entries]
    pending, told = EntryStatus.PDNG, EntryStatus.INFO
    assert read_as == [EntryStatus.BOOK, pending, told, pending, told]
    assert rules(statement) == [FindingRule.STATUS_IS_KNOWN]


def test_equal_deposits_of_a_day_are_two_and_the_file_again_is_none() -> None:
    raw = message(ntry(), ntry(), ntry("10.01"))
    first, again = read(raw), read(raw)
    keys = [entry.dedupe_key for entry in first.entries]
    assert len(set(keys)) == 3
    assert keys == [entry.dedupe_key for entry in again.entries]
    assert first.entries[0].line_sha256 == first.entries[1].line_sha256


@pytest.mark.parametrize(
    "body",
    [
        "<AcctSvcrRef>B1</AcctSvcrRef>",
        details("<Refs><UETR>255ae394-9965-4438-ac86-f406feada396</UETR></Refs>"),
        details("<RmtInf><Ustrd>RF74 0000 0000 0001</Ustrd></RmtInf>"),
        details('<Amt Ccy="USD">4.00</Amt>', '<Amt Ccy="USD">6.00</Amt>'),
    ],
)
def test_report_notification_and_statement_agree_on_the_key(body: str) -> None:
    entry = ntry(body=body)
    keys = {
        tuple(e.dedupe_key for e in read(message(entry, version=version)).entries)
        for version in ("052.001.08", "053.001.08", "054.001.08", "053.001.04", "053.001.02")
    }
    assert len(keys) == 1


def test_equal_parts_of_a_batch_have_keys_of_their_own() -> None:
    half = '<Amt Ccy="USD">5.00</Amt>'
    statement = read(message(ntry(body="<AcctSvcrRef>B1</AcctSvcrRef>" + details(half, half))))
    assert len({entry.dedupe_key for entry in statement.entries}) == 2
    assert rules(statement) == []


def test_a_batch_that_does_not_sum_stays_whole() -> None:
    statement = read(message(ntry(body=details('<Amt Ccy="USD">5.00</Amt>', '<Amt Ccy="USD">4.00</Amt>'))))
    assert [entry.amount_minor for entry in statement.entries] == [1000]
    assert rules(statement) == [FindingRule.DETAILS_SUM_TO_ENTRY]


def test_a_repeated_bank_reference_is_reported() -> None:
    entry = ntry(body="<AcctSvcrRef>B1</AcctSvcrRef>" + details("<Refs/>"))
    assert rules(read(message(entry, entry))) == [FindingRule.DEDUPE_KEY_IS_UNIQUE]


def test_a_return_and_its_payment_have_different_keys() -> None:
    paid = ntry(body=details("<Refs><UETR>255ae394-9965-4438-ac86-f406feada396</UETR></Refs>"))
    back = paid.replace("CRDT", "DBIT").replace("</Refs>", "</Refs><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")
    statement = read(message(paid, back))
    assert len({entry.dedupe_key for entry in statement.entries}) == 2
    assert [entry.return_reason for entry in statement.entries] == [None, "AC04"]


def test_encodings_of_old_bank_systems_are_read() -> None:
    text = message(ntry(body="<AddtlNtryInf>Zürich</AddtlNtryInf>" + details("<Refs/>"))).decode()
    for name in ("UTF-8", "iso-8859-1", "ISO-8859-15", "windows-1252"):
        raw = f'<?xml version="1.0" encoding="{name}"?>{text}'.encode(name)
        assert read(raw).entries[0].remittance_text == "Zürich"
    assert read(b"\xef\xbb\xbf" + GOOD).entries


def test_swiss_namespace_is_read() -> None:
    swiss = b"http://www.six-interbank-clearing.com/de/camt.053.001.04.ch.02.xsd"
    raw = GOOD.replace(NAMESPACE.format("053.001.08").encode(), swiss)
    assert len(read(raw).entries) == 1


def test_memory_grows_with_the_entries_kept_only() -> None:
    raw = message(*(ntry(body=f"<AcctSvcrRef>{i}</AcctSvcrRef>" + "<x/>" * 50) for i in range(5000)))
    tracemalloc.start()
    statement = read(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(statement.entries) == 5000
    assert peak < 16 * 1024 * 1024
