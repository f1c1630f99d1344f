"""What of a statement is posted, whatever files bring it, and in whatever order."""

from __future__ import annotations

import itertools

import pytest

from bookrunner.adapters.bank import Postable, Statement, postable
from bookrunner.adapters.bank.camt import CamtReader
from bookrunner.core.errors import Refused

UETR = "255ae394-9965-4438-ac86-f406feada396"
ACCOUNT = "<Acct><Id><Othr><Id>1234567</Id></Othr></Id><Ccy>USD</Ccy></Acct>"
OUTER = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def entry(reference: str = "", details: str = "", *, status: str = "BOOK", amount: str = "10.00") -> str:
    return (
        f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-03-02</Dt></BookgDt>{reference and f'<AcctSvcrRef>{reference}</AcctSvcrRef>'}"
        f"{details and f'<NtryDtls>{details}</NtryDtls>'}</Ntry>"
    )


def told(*, uetr: bool = False, amount: str = "", text: str = "") -> str:
    parts = (
        f"<Refs>{f'<UETR>{UETR}</UETR>' if uetr else ''}</Refs>",
        f'<Amt Ccy="USD">{amount}</Amt>' if amount else "",
        f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>" if text else "",
    )
    return f"<TxDtls>{''.join(parts)}</TxDtls>"


def statement(kind: str, *entries: str, balances: tuple[str, str] | None = None) -> Statement:
    outer, inner = OUTER[kind]
    told_balances = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
        for code, amount in zip(("OPBD", "CLBD"), balances or (), strict=False)
    )
    raw = (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.04"><{outer}><{inner}><Id>S</Id>'
        f"{ACCOUNT}{told_balances}{''.join(entries)}</{inner}></{outer}></Document>"
    )
    return CamtReader().read(raw.encode())


def posted(*statements: Statement) -> list[Postable]:
    known: set[str] = set()
    results = []
    for each in statements:
        result = postable(each, known, "USD")
        known |= result.keys
        results.append(result)
    return results


@pytest.mark.parametrize("order", list(itertools.permutations(("052", "053", "054"))))
@pytest.mark.parametrize(
    "line",
    [entry("B1"), entry("B1", told(uetr=True)), entry("", told(uetr=True)), entry("", told(text="RF74"))],
    ids=["reference", "both", "uetr", "text"],
)
def test_one_credit_in_three_messages_posts_once(order: tuple[str, ...], line: str) -> None:
    results = posted(*(statement(kind, line) for kind in order))
    assert [len(result.new) for result in results] == [1, 0, 0]
    assert [len(result.known) for result in results] == [0, 1, 1]


def test_a_report_without_the_uetr_is_joined_by_the_reference_and_the_other_way() -> None:
    both, reference, uetr = entry("B1", told(uetr=True)), entry("B1"), entry("", told(uetr=True))
    for first, *later in ((both, reference, uetr), (both, uetr, reference)):
        results = posted(statement("052", first), *(statement("053", line) for line in later))
        assert [len(result.new) for result in results] == [1, 0, 0]


def test_two_equal_deposits_of_a_day_post_twice_and_the_file_again_not() -> None:
    twice = statement("053", entry(), entry())
    assert [len(result.new) for result in posted(twice, twice)] == [2, 0]
    assert [len(result.new) for result in posted(statement("052", entry()), twice)] == [1, 1]


def test_equal_amounts_under_two_references_post_twice() -> None:
    results = posted(statement("053", entry("B1"), entry("B2")), statement("054", entry("B2"), entry("B1")))
    assert [len(result.new) for result in results] == [2, 0]


@pytest.mark.parametrize("batch_first", [True, False])
def test_a_batch_and_its_parts_do_not_both_post(batch_first: bool) -> None:
    whole = statement("053", entry("B1"))
    parts = statement("054", entry("B1", told(amount="4.00") + told(amount="6.00")))
    results = posted(*((whole, parts) if batch_first else (parts, whole)))
    assert [len(result.new) for result in results] == ([1, 0] if batch_first else [2, 0])


def test_pending_lines_wait_and_post_when_booked() -> None:
    waiting = statement("052", entry("B1", status="PDNG"), entry("B2", status="INFO"))
    (before, after) = posted(waiting, statement("053", entry("B1")))
    assert (len(before.new), len(before.expected), before.keys) == (0, 2, frozenset())
    assert len(after.new) == 1


def test_another_currency_and_no_money_are_held() -> None:
    odd = entry("B1").replace("USD", "EUR")
    (result,) = posted(statement("053", odd, entry("B2", amount="0.00"), entry("B3")))
    assert ([e.entry_ref for e in result.held], len(result.new)) == (["B1", "B2"], 1)


def test_one_reference_twice_in_a_file_is_for_a_person() -> None:
    (result,) = posted(statement("053", entry("B1"), entry("B1")))
    assert (len(result.new), len(result.held)) == (1, 1)


def test_balances_that_do_not_add_up_refuse_the_statement() -> None:
    good = statement("053", entry("B1"), balances=("5.00", "15.00"))
    assert len(postable(good, set(), "USD").new) == 1
    bad = statement("053", entry("B1"), balances=("5.00", "15.01"))
    with pytest.raises(Refused, match="balances_add_up"):
        postable(bad, set(), "USD")


def test_a_statement_in_another_currency_is_refused() -> None:
    with pytest.raises(Refused, match="statement_is_in_account_currency"):
        postable(statement("053", entry("B1")), set(), "EUR")
