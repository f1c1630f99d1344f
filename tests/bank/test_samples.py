"""Every published sample gives what was written down for it, quickly."""

from __future__ import annotations

import csv
import io
import time

import pytest

from bookrunner.adapters.bank import BankFile, FileFormat, StatementRefused
from bookrunner.adapters.bank.files import AnyFormatReader, recognise
from tests.bank.samples import DATA, samples

SAMPLES = samples()
with (DATA / "outcomes.csv").open(encoding="utf-8", newline="") as table:
    OUTCOMES = {row["name"]: row for row in csv.DictReader(table)}


def test_every_sample_has_its_outcome() -> None:
    assert OUTCOMES.keys() == SAMPLES.keys()
    assert len(SAMPLES) == 248
    read = [row for row in OUTCOMES.values() if row["statements"]]
    # Nobody publishes a declared file; test_comma has its own.
    assert {row["outcome"] for row in read} == set(FileFormat) - {FileFormat.CSV}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_is_read_or_refused_by_name_within_a_second(name: str) -> None:
    expected, started = OUTCOMES[name], time.monotonic()
    try:
        file = AnyFormatReader().read_file(SAMPLES[name])
    except StatementRefused as refusal:
        found = {"outcome": refusal.rule} | dict.fromkeys(list(expected)[2:], "")
    else:
        found = counted(file)
    assert time.monotonic() - started < 1
    assert found | {"name": name} == expected


def counted(file: BankFile) -> dict[str, str]:
    entries = [entry for statement in file.statements for entry in statement.entries]
    assert all(type(entry.amount_minor) is int and entry.amount_minor >= 0 for entry in entries)
    assert all(entry.dedupe_key in entry.aliases and len(entry.line_sha256) == 64 for entry in entries)
    numbers = {
        "statements": len(file.statements),
        "entries": len(entries),
        "returns": sum(entry.return_reason is not None for entry in entries),
        "statuses": len(file.statuses),
        "changes": len(file.changes),
    }
    return {"outcome": file.format.value} | {name: str(number) for name, number in numbers.items()}


@pytest.mark.parametrize("name", [name for name, row in OUTCOMES.items() if row["statements"]])
def test_the_same_file_again_has_the_same_keys(name: str) -> None:
    first, again = (AnyFormatReader().read_file(SAMPLES[name]) for _ in range(2))
    assert first == again


def test_an_open_file_is_read_up_to_the_limit_only() -> None:
    name = "mt940/mBank__mt940.sta"
    reader = AnyFormatReader()
    assert reader.read_stream(io.BytesIO(SAMPLES[name])) == reader.read_file(SAMPLES[name])
    assert reader.read(SAMPLES[name]).entries
    with pytest.raises(StatementRefused, match="file_fits_limit"):
        reader.read_stream(io.BytesIO(bytes(256 * 1024 * 1024 + 1)))
    with pytest.raises(StatementRefused, match="file_has_one_statement"):
        reader.read(SAMPLES["mt940/jejik__knab.sta"])


@pytest.mark.parametrize("raw", [b"", b"{}", b"PK\x03\x04", b"%PDF-1.7", b"\xff\xfe<\0", b"99,", b":20:"])
def test_an_unknown_beginning_is_refused(raw: bytes) -> None:
    with pytest.raises(StatementRefused) as refusal:
        AnyFormatReader().read_file(raw)
    assert refusal.value.rule in {"format_is_known", "statement_has_account"}


def test_formats_are_told_apart_by_their_first_bytes() -> None:
    for name, expected in (
        ("genkgo/camt053.v4.xml", FileFormat.CAMT),
        ("fedwire20022/CustomerCreditTransfer_Variation3_pacs.008.xml", FileFormat.PAYMENT),
        ("bai2/sample1.txt", FileFormat.BAI2),
        ("mt940/jejik__ing.sta", FileFormat.MT940),
        ("nacha/ppd-debit.ach", FileFormat.NACHA),
    ):
        assert recognise(SAMPLES[name]) is expected
