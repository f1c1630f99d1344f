"""Whatever is changed in an export is found, and named where it lies in an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import rfc8785

from bookrunner.audit import HistoryRule, verify_export
from bookrunner.audit.export import line
from bookrunner.core.errors import NotFound
from tests.audit.histories import resigned, write

Lines = list[bytes]

CHAINS = [("ofr_1", "inv_1", 3), ("ofr_1", "inv_2", 12), ("ofr_2", "ofr_2", 2)]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return write(tmp_path / "history.jsonl", CHAINS)


def test_an_intact_export_stands(history: Path) -> None:
    verdict = verify_export(history)
    assert verdict.ok, verdict.faults
    assert (verdict.events, verdict.seals, verdict.faults) == (17, 2, ())


@pytest.mark.parametrize("flip", [0x01, 0x02, 0x04, 0x20, 0x80, 0xFF])
def test_every_changed_byte_is_found_and_its_event_named(tmp_path: Path, flip: int) -> None:
    path = write(tmp_path / "history.jsonl", [("ofr_1", "inv_1", 1), ("ofr_1", "inv_2", 2)])
    intact = path.read_bytes()
    damaged = bytearray(intact)
    missed = []
    position = 0
    for raw in intact.splitlines(keepends=True):
        record = json.loads(raw)
        name = f"{record['subject']}@{record['version']}" if record["type"] == "event" else ""
        for at in range(position, position + len(raw)):
            damaged[at] ^= flip
            path.write_bytes(damaged)
            verdict = verify_export(path)
            if verdict.ok or (name and name not in {fault.event for fault in verdict.faults}):
                missed.append((at, bytes(damaged[max(0, at - 10) : at + 10]), verdict.faults))
            damaged[at] ^= flip
        position += len(raw)
    assert missed == []


@pytest.mark.parametrize("byte", [b"\n", b"}", b'"', b"\\", b"0", b"\x00", b" "])
def test_every_byte_set_to_an_awkward_one_is_found(tmp_path: Path, byte: bytes) -> None:
    path = write(tmp_path / "history.jsonl", [("ofr_1", "inv_1", 2)], seals=1)
    intact = path.read_bytes()
    missed = []
    position = 0
    for raw in intact.splitlines(keepends=True):
        record = json.loads(raw)
        name = f"{record['subject']}@{record['version']}" if record["type"] == "event" else ""
        for at in range(position, position + len(raw)):
            if intact[at : at + 1] != byte:
                path.write_bytes(intact[:at] + byte + intact[at + 1 :])
                verdict = verify_export(path)
                if verdict.ok or (name and name not in {fault.event for fault in verdict.faults}):
                    missed.append((at, verdict.faults))
        position += len(raw)
    assert missed == []


def test_every_truncation_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "history.jsonl", [("ofr_1", "inv_1", 2)], seals=1)
    intact = path.read_bytes()
    for length in range(len(intact)):
        path.write_bytes(intact[:length])
        assert not verify_export(path).ok, length


def test_every_removed_doubled_or_swapped_line_is_found(history: Path) -> None:
    lines = history.read_bytes().splitlines(keepends=True)
    for at in range(len(lines)):
        changes = [lines[:at] + lines[at + 1 :], lines[: at + 1] + lines[at:]]
        if at:
            changes.append([*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]])
        for changed in changes:
            history.write_bytes(b"".join(changed))
            assert not verify_export(history).ok, at


def test_the_same_is_found_when_the_manifest_was_made_to_fit(history: Path) -> None:
    lines = history.read_bytes().splitlines(keepends=True)[:-1]
    for at in range(len(lines)):
        changes = [lines[:at] + lines[at + 1 :], lines[: at + 1] + lines[at:]]
        if at:
            changes.append([*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]])
        for changed in changes:
            history.write_bytes(resigned(changed))
            assert not verify_export(history).ok, at


def _of(record: dict[str, object], **changes: object) -> bytes:
    return rfc8785.dumps({**record, **changes}) + b"\n"  # type: ignore[arg-type]


def _with(lines: Lines, kind: str, nth: int, /, **changes: object) -> Lines:
    places = [at for at, raw in enumerate(lines) if json.loads(raw)["type"] == kind]
    at = places[nth]
    return [*lines[:at], _of(json.loads(lines[at]), **changes), *lines[at + 1 :]]


def _without_chain(lines: Lines) -> Lines:
    return [
        raw for raw in lines if json.loads(raw)["type"] != "event" or json.loads(raw)["subject"] != "inv_2"
    ]


def _without_chain_and_leaves(lines: Lines) -> Lines:
    return [raw for raw in lines if json.loads(raw).get("subject") != "inv_2"]


def _rewritten_text(lines: Lines) -> Lines:
    text = json.loads(lines[2])["canonical"].replace('"units_total":1002', '"units_total":9002')
    return _with(lines, "event", 1, canonical=text)


def _spaced_text(lines: Lines) -> Lines:
    return _with(lines, "event", 1, canonical=json.loads(lines[2])["canonical"] + " ")


FORGERIES: list[tuple[HistoryRule, str, Callable[[Lines], Lines]]] = [
    (HistoryRule.HEADER_IS_KNOWN, "", lambda x: [_of(json.loads(x[0]), format="other"), *x[1:]]),
    (HistoryRule.EVENT_IS_IN_SCOPE, "ofr_2@1", lambda x: [_of(json.loads(x[0]), scope="ofr_1"), *x[1:]]),
    (HistoryRule.LINE_IS_WELL_FORMED, "inv_1@1", lambda x: _with(x, "event", 0, hash="ab")),
    (HistoryRule.LINES_STAND_IN_ORDER, "", lambda x: [*x, x[1]]),
    (HistoryRule.TEXT_IS_CANONICAL, "inv_1@2", _spaced_text),
    (HistoryRule.HASH_COVERS_TEXT, "inv_1@2", _rewritten_text),
    (HistoryRule.COLUMNS_EQUAL_TEXT, "inv_1@1", lambda x: _with(x, "event", 0, kind="offer.close")),
    (HistoryRule.VERSIONS_ARE_GAP_FREE, "inv_1@3", lambda x: x[:2] + x[3:]),
    (HistoryRule.VERSIONS_ARE_GAP_FREE, "inv_1@2", lambda x: x[:3] + x[2:]),
    (HistoryRule.CHAINS_STAND_IN_ORDER, "inv_1@1", lambda x: [x[0], *x[4:16], *x[1:4], *x[16:]]),
    (HistoryRule.CHAIN_STARTS_AT_ITS_GENESIS, "inv_1@1", lambda x: _with(x, "event", 0, prev_hash="0" * 64)),
    (HistoryRule.CHAIN_IS_UNBROKEN, "inv_1@2", lambda x: _with(x, "event", 1, prev_hash="0" * 64)),
    (HistoryRule.SEALED_HEAD_IS_PRESENT, "inv_2@12", _without_chain),
    (HistoryRule.SEAL_COVERS_ITS_LEAVES, "", _without_chain_and_leaves),
    (HistoryRule.SEAL_COVERS_ITS_LEAVES, "", lambda x: _with(x, "seal", 0, root="1" * 64)),
    (HistoryRule.SEAL_NAMES_THE_ONE_BEFORE, "", lambda x: _with(x, "seal", 1, prev_root="1" * 64)),
    (HistoryRule.SEALS_ARE_GAP_FREE, "", lambda x: _with(x, "seal", 1, seal_no=3)),
    (HistoryRule.SEALS_ARE_GAP_FREE, "", lambda x: _with(x, "seal", 1, first_seq=12)),
]


@pytest.mark.parametrize(
    ("rule", "event", "forge"), FORGERIES, ids=lambda value: getattr(value, "value", None)
)
def test_a_forgery_with_a_fitting_manifest(
    history: Path, rule: HistoryRule, event: str, forge: Callable[[Lines], Lines]
) -> None:
    lines = history.read_bytes().splitlines(keepends=True)[:-1]
    history.write_bytes(resigned(forge(lines)))
    verdict = verify_export(history)
    assert (rule.value, event) in {(fault.rule, fault.event) for fault in verdict.faults}


def test_the_manifest_is_held_to_what_it_says(history: Path) -> None:
    *lines, manifest = history.read_bytes().splitlines(keepends=True)
    for changes, rule in (
        ({"events": 18}, HistoryRule.MANIFEST_COUNTS_ALL),
        ({"seals": 1}, HistoryRule.MANIFEST_COUNTS_ALL),
        ({"sha256": "0" * 64}, HistoryRule.MANIFEST_COVERS_ALL),
    ):
        history.write_bytes(b"".join(lines) + _of(json.loads(manifest), **changes))
        assert [fault.rule for fault in verify_export(history).faults] == [rule.value]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"null\n",
        b"[" * 100_000 + b"\n",
        b'{"type":"event"}\n' * 3,
        b'{"type":["event"]}\n{"type":{}}\n',
        b"\xff\xfe\n" * 3,
        b'{"a":' + b"9" * 5000 + b"}\n",
        b'{"events":0,"seals":0,"sha256":"' + b"0" * 64 + b'","type":"manifest"}\n',
    ],
)
def test_rubbish_is_a_verdict_and_no_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(content)
    assert not verify_export(path).ok


@pytest.mark.parametrize(
    "value", ["0.5", "1e3", "1.0", "-0", "9007199254740992", "9" * 40, "NaN", "Infinity"]
)
def test_a_number_that_is_not_whole_and_exact_is_no_event(history: Path, value: str) -> None:
    lines = history.read_bytes().splitlines(keepends=True)[:-1]
    text = json.loads(lines[1])["canonical"].replace('"units_total":1001', f'"units_total":{value}')
    history.write_bytes(resigned(_with(lines, "event", 0, canonical=text)))
    faults = {(fault.rule, fault.event) for fault in verify_export(history).faults}
    assert (HistoryRule.TEXT_IS_CANONICAL.value, "inv_1@1") in faults


def test_lines_are_written_in_the_canonical_form() -> None:
    texts = [chr(number) for number in range(0x20, 0x250)] + ["\u2028", "\ufffd", "\U0001f3db"]
    record = {f"a{number}": text for number, text in enumerate([*texts, *map(chr, range(0x20))])}
    record |= {text: text for text in texts[:95]}
    assert line(record) == rfc8785.dumps(record) + b"\n"  # type: ignore[arg-type]


def test_faults_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"x\n" * 5000)
    faults = verify_export(path).faults
    assert len(faults) == 1001
    assert faults[-1].rule == HistoryRule.FAULTS_ARE_ALL_LISTED


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        verify_export(tmp_path / "none.jsonl")


def test_a_long_history_is_checked_event_by_event(tmp_path: Path) -> None:
    path = write(tmp_path / "history.jsonl", [("ofr_1", f"inv_{number:05}", 10) for number in range(2_000)])
    verdict = verify_export(path)
    assert (verdict.ok, verdict.events) == (True, 20_000)
