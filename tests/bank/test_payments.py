"""Payment messages of ISO 20022: transfers, returns and statuses."""

from __future__ import annotations

import pytest
from lxml import etree

from bookrunner.adapters.bank import BankFile, Entry, EntryStatus, FindingRule, StatementRefused
from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.bank.iso20022.payments import PaymentReader
from bookrunner.adapters.bank.iso20022.schemas import messages, schema
from tests.bank.samples import samples

SAMPLES = {name.partition("/")[2]: raw for name, raw in samples().items()}
WIRE = SAMPLES["CustomerCreditTransfer_Variation3_pacs.008.xml"]
RETURN = SAMPLES["PaymentReturn_Scenario4_Step2_pacs.004.xml"]
STATUS = SAMPLES["CustomerCreditTransfer_Scenario2_Step2_pacs.002.xml"]
UETR = "8a562c67-ca16-48ba-b074-65581be6f011"


def read(raw: bytes) -> BankFile:
    return PaymentReader().read_file(raw)


def only(raw: bytes) -> Entry:
    (statement,) = read(raw).statements
    (entry,) = statement.entries
    return entry


def test_a_wire_is_expected_on_the_creditors_account() -> None:
    (statement,) = read(WIRE).statements
    assert (statement.account, statement.statement_id) == ("567876543", "20250310B1QDRCQR000008")
    assert statement.findings == ()
    entry = only(WIRE)
    assert (entry.amount_minor, entry.currency, entry.credit) == (51_000_074, "USD", True)
    assert (entry.status, entry.booked_on) == (EntryStatus.PDNG, None)
    assert (entry.debtor_name, entry.debtor_account) == ("Corporation A", "5647772655")
    assert (entry.debtor_agent, entry.uetr) == ("011104238", UETR)
    assert str(entry.value_on) == "2025-03-10"


def test_a_return_is_no_investors_money() -> None:
    entry = only(RETURN)
    assert (entry.return_reason, entry.original_reference) == ("AC04", UETR)
    assert (entry.amount_minor, entry.credit) == (223_457_888, True)
    assert (entry.debtor_name, entry.creditor_name) == ("Corporation B", "Corporation C")


def test_a_status_names_the_payment_and_the_reason() -> None:
    (status,) = read(STATUS).statuses
    assert (status.code, status.reason, status.uetr) == ("RJCT", "E433", UETR)
    assert status.original_message_id == "20250310B1QDRCQR000002"


def test_an_answer_to_our_order_names_each_rejection() -> None:
    statuses = read(SAMPLES["pain002-epo_p_0_0_0_2018032614401842.xml"]).statuses
    assert [(status.code, status.reason) for status in statuses] == [("RJCT", "AM10")]


def test_an_order_is_grouped_by_debtor() -> None:
    raw = SAMPLES["gistfile1.xml"]
    (statement, *_) = read(raw).statements
    assert all(not e.credit and e.batch for s in read(raw).statements for e in s.entries)
    assert statement.entries[0].debtor_account == statement.account


def test_declared_counts_are_compared_and_never_believed() -> None:
    raw = WIRE.replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<")
    (statement,) = read(raw).statements
    assert [finding.rule for finding in statement.findings] == [FindingRule.CONTROL_COUNTS_MATCH]


def test_a_version_without_schema_is_reported() -> None:
    raw = RETURN.replace(b"pacs.004.001.10", b"pacs.004.001.09")
    (statement,) = read(raw).statements
    assert [finding.rule for finding in statement.findings] == [FindingRule.SCHEMA_IS_KNOWN]


DOCTYPE = b'<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">'


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (DOCTYPE + WIRE.replace(b"Corporation A<", b"&b;<"), "statement_has_no_doctype"),
        (EXTERNAL + WIRE, "statement_has_no_doctype"),
        (WIRE[:-40], "statement_is_xml"),
        (WIRE[: len(WIRE) // 2], "statement_is_xml"),
        (WIRE + WIRE, "statement_is_xml"),
        (WIRE.replace(b"<NbOfTxs>1<", b"<NbOfTxs>2147483648000000<"), "count_is_plausible"),
        (WIRE.replace(b"</PmtId>", b"</PmtId><Unknown/>"), "message_fits_schema"),
        (WIRE.replace(b"510000.74", b"-510000.74"), "amount_is_decimal"),
        (WIRE.replace(b"510000.74", b"5e5"), "amount_is_decimal"),
        (WIRE.replace(b"510000.74", b"510000.741"), "amount_fits_currency"),
        (WIRE.replace(b'"USD"', b'"XXQ"'), "currency_is_known"),
        (WIRE.replace(b"2025-03-10<", b"2025-02-30<"), "date_is_iso"),
        (WIRE.replace(b"CdtTrfTxInf", b"Other"), "message_fits_schema"),
        (WIRE.replace(b"pacs.008.001.08", b"pacs.009.001.08"), "message_is_supported"),
        (b"<Document/>", "message_is_supported"),
        (STATUS.replace(b"TxSts", b"Other"), "file_has_statement"),
        (WIRE.replace(b"Corporation A<", b"A" * 3_000_000 + b"<"), "file_fits_limit"),
        (b'<?xml version="1.0" encoding="UTF-7"?>' + WIRE, "encoding_is_supported"),
    ],
)
def test_a_bad_message_is_refused_by_name(raw: bytes, rule: str) -> None:
    with pytest.raises(StatementRefused) as refusal:
        read(raw)
    assert refusal.value.rule == rule


def test_a_statement_that_breaks_its_schema_is_refused() -> None:
    raw = SAMPLES["camt053.v2.minimal.ultimate.xml"]
    assert AnyFormatReader().read(raw).entries
    broken = raw.replace(b"<Stmt>", b"<Stmt><Unknown/>", 1)
    with pytest.raises(StatementRefused, match="message_fits_schema"):
        AnyFormatReader().read(broken)


def test_another_name_before_the_document_does_not_avoid_the_schema() -> None:
    decoy = b'<!-- xmlns="urn:iso:std:iso:20022:tech:xsd:abcd.001.001.01" -->'
    for name in ("camt053.v2.minimal.ultimate.xml", "CustomerCreditTransfer_Variation3_pacs.008.xml"):
        raw = SAMPLES[name]
        start = raw.index(b"<Document")
        with pytest.raises(StatementRefused, match="message_fits_schema"):
            AnyFormatReader().read_file(decoy + raw[start:])


def test_every_schema_compiles() -> None:
    names = messages()
    assert len(names) == 14
    assert all(isinstance(schema(name), etree.XMLSchema) for name in names)
    assert schema("pacs.009.001.08") is None
