"""The verifier that needs nothing but Python finds what the other one finds, whatever is done to a file."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rfc8785

from bookrunner.audit import export, standalone, verify_export, write_verifier
from bookrunner.audit.walk import genesis
from tests.audit.histories import chain, resigned, scoped, write

CHAINS = [("ofr_1", "inv_1", 3), ("ofr_1", "inv_2", 9), ("ofr_1", "inv_ü", 1), ("ofr_2", "ofr_2", 2)]
SEED = int(os.environ.get("BOOKRUNNER_TEST_SEED", "1"))
Lines = list[bytes]
Mutation = Callable[[Lines, random.Random], None]


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the written program alone: isolated, without site packages, in a folder of its own."""
    command = [sys.executable, "-I", "-S", "verify_history.py", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_verifier(tmp_path)
    write(tmp_path / "history.jsonl", CHAINS)
    return tmp_path


def test_it_runs_alone_and_says_what_it_read(folder: Path) -> None:
    ran = run("history.jsonl", cwd=folder)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "15 events, 2 seals, 0 faults\n", "")


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(standalone.__file__).read_bytes())
    named = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert named
    assert named <= sys.stdlib_module_names


def test_it_names_the_rule_and_the_event(folder: Path) -> None:
    path = folder / "history.jsonl"
    path.write_bytes(path.read_bytes().replace(b"1005", b"1006", 1))
    ran = run("history.jsonl", cwd=folder)
    assert ran.returncode == 1
    assert "hash_covers_text inv_2@5: the hash is not that of the text" in ran.stdout


def test_a_root_that_was_published_is_looked_for(folder: Path) -> None:
    records = [json.loads(raw) for raw in (folder / "history.jsonl").read_bytes().splitlines()]
    roots = [record["root"] for record in records if record["type"] == "seal"]
    assert [run("history.jsonl", root, cwd=folder).returncode for root in roots] == [0, 0]
    assert run("history.jsonl", f"0x{roots[0].upper()}", cwd=folder).returncode == 0
    other = run("history.jsonl", "0" * 64, cwd=folder)
    assert (other.returncode, "root_is_published" in other.stdout) == (1, True)


@pytest.mark.parametrize(
    "arguments", [[], ["none.jsonl"], ["history.jsonl", "a", "b"], ["history.jsonl", "12"]]
)
def test_wrong_arguments_are_no_verdict(folder: Path, arguments: list[str]) -> None:
    assert run(*arguments, cwd=folder).returncode == 2


def test_a_canonical_text_is_that_of_the_reference() -> None:
    values = [{"\ue000": 1, "\U0001f600": [True, None, "ü\n\x7f\u2028"]}, {}, [], "\x00\x1f\\", -(2**53) + 1]
    for value in values:
        written = rfc8785.dumps(value).decode()
        assert standalone.canonical(value) == written
        assert standalone.read_canonical(written) == value


def _flip(lines: Lines, chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    raw = bytearray(lines[at])
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    lines[at] = bytes(raw)


def _drop(lines: Lines, chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    del lines[at : at + chance.choice((1, 1, 1, 2, 5))]


def _double(lines: Lines, chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))


def _move(lines: Lines, chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines)), lines.pop(chance.randrange(len(lines))))


def _retell(lines: Lines, chance: random.Random) -> None:
    """Change a member of a record, and write it again as it is written."""
    at = chance.randrange(len(lines))
    record = json.loads(lines[at])
    name = chance.choice(sorted(record.keys() - {"type"}))
    value = record[name]
    record[name] = value + 1 if isinstance(value, int) else f"{value}x"
    lines[at] = export.line(record)


def _rehash(lines: Lines, chance: random.Random) -> None:
    """Change what an event says, hash it anew, and often every later one of its chain."""
    told = [at for at, raw in enumerate(lines) if json.loads(raw)["type"] == "event"]
    first, previous = chance.choice(told), None
    reaches = chance.choice((1, 2, 99))
    start = json.loads(lines[first])
    for at in told:
        record = json.loads(lines[at])
        if at < first or record["subject"] != start["subject"] or not reaches:
            continue
        body = json.loads(record["canonical"])
        body["payload"] |= {"status": "forged"} if at == first else {}
        record["canonical"] = rfc8785.dumps(body).decode()
        record["prev_hash"] = previous or record["prev_hash"]
        text = bytes.fromhex(record["prev_hash"]) + record["canonical"].encode()
        record["hash"] = previous = hashlib.sha256(text).hexdigest()
        lines[at], reaches = export.line(record), reaches - 1


def _restart(lines: Lines, chance: random.Random) -> None:
    """Put a chain that was never sealed in the place of an event."""
    at = chance.randrange(1, len(lines))
    row = next(chain("ofr_9", f"inv_{chance.randrange(99)}", 1))
    told = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    assert told["prev_hash"] == genesis(str(row["subject"])).hex()
    lines[at] = export.line({"type": "event", **told})


MUTATIONS: tuple[Mutation, ...] = (_flip, _drop, _double, _move, _retell, _rehash, _restart)


def mutated(intact: bytes, chance: random.Random) -> Iterator[tuple[bytes, str]]:
    """Yield changed files without end, each with its kind; half of them have a manifest that fits."""
    while True:
        lines = intact.splitlines(keepends=True)
        mutation = chance.choice(MUTATIONS)
        if fits := chance.random() < 0.5:
            del lines[-1]
        mutation(lines, chance)
        try:
            raw = resigned(lines) if fits else b"".join(lines)
        except (ValueError, KeyError, TypeError):
            # What is no record any more cannot be counted.
            raw = b"".join(lines)
        if raw != intact:
            yield raw, f"{mutation.__name__}{' resigned' if fits else ''}"


def newest_root(raw: bytes) -> str:
    """Return the root of the last seal."""
    records = [json.loads(line) for line in raw.splitlines()]
    return str([record["root"] for record in records if record["type"] == "seal"][-1])


def compare(folder: Path, many: int) -> None:
    """Let both verifiers read so many changed files, with the root that was published.

    Both refuse each, for the same rules and events. The export of one scope may leave chains out at its
    edges, so there only the two are compared.
    """
    chance = random.Random(SEED)
    path = folder / "mutated.jsonl"
    whole = write(folder / "whole.jsonl", CHAINS).read_bytes()
    part = scoped(folder / "part.jsonl", CHAINS, "ofr_1").read_bytes()
    missed = []
    for intact in (whole, part):
        changed, root = mutated(intact, chance), newest_root(intact)
        for _ in range(many // 2):
            raw, kind = next(changed)
            path.write_bytes(raw)
            check = standalone.Check()
            check.read(path, root)
            ours = [(fault.rule, fault.event) for fault in verify_export(path, bytes.fromhex(root)).faults]
            alone = [(rule, event) for rule, event, _ in check.faults]
            is_named = any(event for _, event in ours) or not kind.startswith("_rehash")
            if ours != alone or not is_named or (intact is whole and not ours):
                missed.append((kind, ours, alone, raw))
    assert missed == []


def test_both_verifiers_find_the_same_in_every_changed_file(tmp_path: Path) -> None:
    compare(tmp_path, 3_000)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_no_one_of_a_hundred_thousand_changes_is_missed(tmp_path: Path) -> None:
    compare(tmp_path, 100_000)
