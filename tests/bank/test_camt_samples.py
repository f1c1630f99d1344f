"""Every published sample is read or refused by name, quickly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bookrunner.adapters.bank import FindingRule, Statement, StatementRefused
from bookrunner.adapters.bank.camt import CamtReader

DATA = Path(__file__).parents[1] / "data" / "bank"
SAMPLES = sorted([*DATA.glob("genkgo/*.xml"), *DATA.glob("moov/*.xml")])
REFUSED = {"camt052.v1.xml": "message_is_supported", "camt053.v2.wrong.xml": "file_has_statement"}


def read(name: str) -> Statement:
    return CamtReader().read((DATA / name).read_bytes())


def rules(statement: Statement) -> set[FindingRule]:
    return {finding.rule for finding in statement.findings}


def test_the_samples_are_there() -> None:
    assert len(SAMPLES) == 45


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name[:40])
def test_a_sample_is_read_or_refused(path: Path) -> None:
    started = time.monotonic()
    expected = REFUSED.get(path.name)
    text = path.read_text(encoding="utf-8")
    if expected is None and not any(f"BkToCstmr{kind}" in text for kind in ("Stmt", "Acct", "Dbt")):
        expected = "message_is_supported"
    if expected is None:
        statements = CamtReader().read_all(path.read_bytes())
        assert all(statement.account and statement.currency for statement in statements)
    else:
        with pytest.raises(StatementRefused, match=f"^{expected}:"):
            CamtReader().read_all(path.read_bytes())
    assert time.monotonic() - started < 2


def test_version_08_gives_the_uetr() -> None:
    statement = read("genkgo/camt054.v8-with-UETR.xml")
    (entry,) = statement.entries
    assert entry.uetr == "255ae394-9965-4438-ac86-f406feada396"
    assert entry.dedupe_key.startswith("uetr:")
    assert (entry.amount_minor, entry.currency, entry.credit) == (20_000_000, "SEK", False)
    assert not statement.findings


def test_padded_decimals_are_exact() -> None:
    statement = read("genkgo/camt053.v2.five.decimals.xml")
    assert (statement.opening_minor, statement.closing_minor) == (1815, 2705)
    assert [entry.amount_minor for entry in statement.entries] == [885]
    assert rules(statement) == {FindingRule.BALANCES_ADD_UP}


def test_a_batch_becomes_its_transactions() -> None:
    statement = read("moov/FI_camt_053_sample.xml.xml")
    amounts = [entry.amount_minor for entry in statement.entries]
    assert [200_002, 100_001, 123_002] in [amounts[i : i + 3] for i in range(len(amounts))]
    assert rules(statement) == {FindingRule.ENTRY_HAS_DETAILS}
    assert len({entry.dedupe_key for entry in statement.entries}) == len(amounts)


def test_a_detail_that_contradicts_its_entry_is_reported() -> None:
    statement = read("moov/camt.053_P_CH2909000000250094239_1110092698_0_2020112503071366.xml")
    assert rules(statement) == {FindingRule.DETAILS_SUM_TO_ENTRY, FindingRule.BALANCES_ADD_UP}
    assert [entry.credit for entry in statement.entries] == [True, False, True, True, True]
    # Two entries carry one bank reference and stay two, because their amounts differ.
    assert len({entry.dedupe_key for entry in statement.entries}) == 5


def test_one_statement_is_asked_for_and_two_are_there() -> None:
    with pytest.raises(StatementRefused, match="file_has_one_statement"):
        read("genkgo/camt053.v2.multi.statement.xml")
