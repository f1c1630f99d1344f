"""Entries of one file have many shapes; each is read by its own."""

from __future__ import annotations

from collections.abc import Iterable

from bookrunner.adapters.bank import Entry
from bookrunner.adapters.bank.camt import CamtReader

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def _read(details: Iterable[str]) -> tuple[Entry, ...]:
    """Return the entries of a statement, one for each text of transaction details."""
    entries = "".join(
        f'<Ntry><Amt Ccy="USD">{n}.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>2026-03-02</Dt></BookgDt><AcctSvcrRef>B{n}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls>{detail}</TxDtls></NtryDtls></Ntry>"
        for n, detail in enumerate(details, start=1)
    )
    text = (
        f'<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt><Stmt><Id>s</Id>'
        f"<Acct><Id><Othr><Id>900</Id></Othr></Id><Ccy>USD</Ccy></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
    return CamtReader().read(text.encode()).entries


def test_equal_tags_in_another_nesting_are_another_shape() -> None:
    inside = "<RltdPties><Dbtr><Nm>A</Nm></Dbtr><Cdtr><Nm>B</Nm></Cdtr></RltdPties>"
    beside = "<RltdPties><Dbtr><Nm>C</Nm></Dbtr><Cdtr/><Nm>D</Nm></RltdPties>"
    found = [(entry.debtor_name, entry.creditor_name) for entry in _read([inside, beside, inside])]
    assert found == [("A", "B"), ("C", None), ("A", "B")]


def test_the_first_of_repeated_elements_is_looked_into_and_every_line_is_joined() -> None:
    parties = "<RltdPties><Dbtr/></RltdPties><RltdPties><Dbtr><Nm>not this</Nm></Dbtr></RltdPties>"
    lines = "<RmtInf><Ustrd> one  two </Ustrd><Ustrd/></RmtInf><RmtInf><Ustrd>three</Ustrd></RmtInf>"
    (entry,) = _read([parties + lines])
    assert (entry.debtor_name, entry.remittance_text) == (None, "one two three")


def test_more_shapes_than_are_kept_read_alike() -> None:
    details = [f"<RmtInf>{'<Ustrd>x</Ustrd>' * n}</RmtInf>" for n in [*range(1, 300), 1, 2, 3]]
    found = [len((entry.remittance_text or "").split()) for entry in _read(details)]
    assert found == [*range(1, 300), 1, 2, 3]
