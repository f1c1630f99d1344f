"""No bytes make a reader fail with anything but its own refusal, or take long."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookrunner.adapters.bank import BankFile, BankFileReader, FileFormat, StatementRefused, StatementRule
from bookrunner.adapters.bank.files import READERS, AnyFormatReader, recognise
from tests.bank.samples import samples
from tests.bank.test_comma import AMERICAN, HEAD, LINES

BY_FORMAT: dict[FileFormat, list[bytes]] = {name: [] for name in FileFormat}
for sample in samples().values():
    try:
        BY_FORMAT[recognise(sample)].append(sample)
    except StatementRefused:
        continue
BY_FORMAT[FileFormat.CSV] += [(HEAD + LINES).encode(), AMERICAN.encode()]
PIECES = [
    b"",
    b"\n",
    b"\r\n",
    b",",
    b"/",
    b":",
    b"<",
    b">",
    b"&amp;",
    b"\xff",
    b"\0",
    b"-1",
    b"1e9",
    b"0000000000",
    b"9" * 40,
    b"R99",
    "\uff11".encode(),
    "\u0661".encode(),
    b":20:",
    b":61:260302C1,NTRFX",
    b"16,195,1,D,99999999999999999999,/",
    b"88,/",
    b"\n799R01",
    b"QQQ",
    b"<TxDtls/>",
    b"<Amt Ccy='USD'>1</Amt>",
]


@st.composite
def mutated(draw: st.DrawFn, kind: FileFormat) -> bytes:
    raw = draw(st.sampled_from(BY_FORMAT[kind]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 40)))
        raw = raw[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=12)) + raw[end:]
    return raw


def survives(reader: BankFileReader, raw: bytes) -> None:
    started = time.process_time()
    try:
        file = reader.read_file(raw)
    except StatementRefused as refusal:
        named = refusal.rule
    else:
        named = ""
        assert isinstance(file, BankFile)
        entries = [entry for statement in file.statements for entry in statement.entries]
        assert all(0 <= entry.amount_minor < 2**63 for entry in entries)
    assert named in {"", *StatementRule}
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", list(FileFormat))
def test_a_damaged_file_is_read_or_refused(kind: FileFormat) -> None:
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(mutated(kind))
    def check(raw: bytes) -> None:
        survives(READERS[kind], raw)
        survives(AnyFormatReader(), raw)

    check()


@pytest.mark.parametrize("kind", list(FileFormat))
def test_any_bytes_are_read_or_refused(kind: FileFormat) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
    def check(raw: bytes) -> None:
        survives(READERS[kind], raw)

    check()


@pytest.mark.parametrize("kind", list(FileFormat))
def test_a_file_over_the_limit_is_refused_at_once(kind: FileFormat) -> None:
    raw = bytes(256 * 1024 * 1024 + 1)
    started = time.process_time()
    with pytest.raises(StatementRefused, match="file_fits_limit"):
        READERS[kind].read_file(raw)
    assert time.process_time() - started < 0.5


def is_whole(kind: FileFormat, raw: bytes) -> bool:
    try:
        file = READERS[kind].read_file(raw)
    except StatementRefused:
        return False
    return any(statement.entries for statement in file.statements)


@pytest.mark.parametrize("kind", list(FileFormat))
def test_a_file_cut_anywhere_is_read_or_refused(kind: FileFormat) -> None:
    raw = min((raw for raw in BY_FORMAT[kind] if is_whole(kind, raw)), key=len)
    whole = len(raw.rstrip())
    for end in [*range(0, whole, 7), whole - 1]:
        survives(READERS[kind], raw[:end])
        if kind in {FileFormat.CAMT, FileFormat.PAYMENT}:
            with pytest.raises(StatementRefused):
                READERS[kind].read_file(raw[:end])


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (FileFormat.MT940, b":20:X\n" + b":86:" + b"{1:" * 20_000),
        (FileFormat.MT940, b":20:X\n:25:1\n" + b":60F:C260302USD1,\n" * 100_000),
        (FileFormat.BAI2, b"01,,,,,,,,/\n02,,,,260302,,,/\n03,1,,/\n16,195,1,,,,\n" + b"88,x\n" * 20_000),
        (FileFormat.BAI2, b"01,,,,,,,,/\n02,,,,260302,,,/\n03,1,,/\n16,195,1,D,1\n" + b"88,1\n" * 9_000),
        (FileFormat.NACHA, b"101 " + b"0" * 100_000),
        (FileFormat.CAMT, b"<a " + b"x='1' " * 50_000 + b"/>"),
        (FileFormat.PAYMENT, b"<a>" * 100_000),
    ],
)
def test_a_file_that_wants_much_time_gets_little(kind: FileFormat, raw: bytes) -> None:
    survives(READERS[kind], raw)
