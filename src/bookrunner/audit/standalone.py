"""Checks an exported history with Python alone: no other package, no network, no database.

    python3 verify_history.py history.jsonl [root]

Run it where you trust the machine, after reading it: it is written to be read from top to bottom. It
prints one line for each broken rule, then what it has read, and ends with 0 when the history is intact, else
with 1. With ``root``, the 64 hexadecimal digits that were published (on chain, say), a seal must have it.

The file has one JSON record a line, in the canonical form of RFC 8785:

    header      the format, and the scope (offering) when the export has one alone
    event       sorted by scope, subject, version: the text, its hash, the hash before it
    seal        numbered from 1: the root before it, its own root, how many leaves
    leaf        below its seal: the newest hash of each chain that the seal covers
    manifest    the counts, and the SHA-256 of every byte above it

    hash of an event    SHA-256(hash before it + text); the first follows SHA-256(GENESIS + subject)
    leaf                SHA-256(00 + head + version as 8 bytes + length of scope as 4 bytes + scope + subject)
    node                SHA-256(01 + left + right), as in RFC 6962
    root of a seal      SHA-256(02 + root of the seal before it + Merkle root + its number, first_seq,
                        last_seq and leaf_count as 8 bytes each + sealed_at); the first follows
                        SHA-256(GENESIS + "seal")

What no file can show: that it ends with the newest seal (give the ``root`` for that), and which events came
after it. The export of one scope may lack the first or the last chains of a seal.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

FORMAT = "bookrunner/history/1"
GENESIS = b"bookrunner/genesis/1/"
LONGEST_LINE = 16 * 1024 * 1024
DEEPEST = 100
LARGEST = 2**53 - 1
MOST_FAULTS = 1000

TEXT, COUNT, ORDINAL, HASH, PROOF, SCOPE = "text", "count", "ordinal", "hash", "proof", "scope"
NAMES = {"kind": TEXT, "scope": TEXT, "subject": TEXT, "version": ORDINAL}
SEAL = {"type": TEXT, "seal_no": ORDINAL, "first_seq": ORDINAL, "last_seq": ORDINAL, "leaf_count": ORDINAL}
SEAL |= {"sealed_at": TEXT, "prev_root": HASH, "root": HASH}
LEAF = {"type": TEXT, "scope": TEXT, "subject": TEXT, "version": ORDINAL, "head": HASH}
RECORDS = {
    "header": [{"type": TEXT, "format": TEXT, "scope": SCOPE}],
    "event": [{"type": TEXT, "canonical": TEXT, **NAMES, "hash": HASH, "prev_hash": HASH}],
    "seal": [SEAL, SEAL | {"merkle_root": HASH}],
    "leaf": [LEAF, LEAF | {"position": COUNT, "proof": PROOF}],
    "manifest": [{"type": TEXT, "events": COUNT, "seals": COUNT, "sha256": HASH}],
}
COMES_AFTER = {"event": {"", "event"}, "seal": {"", "event", "seal", "leaf"}, "leaf": {"seal", "leaf"}}
EVENT_TEXTS = {"actor", "keeper", "kind", "occurred_at", "recorded_at", "request_id", "scope", "subject"}
EVENT_MEMBERS = EVENT_TEXTS | {"caused_by", "payload", "version"}
NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
HIGH = re.compile("[\ud800-\U0010ffff]")
ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
# Where a line that cannot be read still shows which event it was.
STILL_NAMED = (
    re.compile(r'\\"subject\\":\\"([^"\\\x00-\x1f\ufffd]+)\\",\\"version\\":([0-9]{1,18})\}"'),
    re.compile(r'"subject":"([^"\\\x00-\x1f\ufffd]+)","type":"event","version":([0-9]{1,18})\}\n?$'),
)


def sha(*parts: bytes) -> bytes:
    """Return the SHA-256 of the parts, one behind the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(value: object) -> str:
    """Return the RFC 8785 text of a JSON value whose numbers are whole and within 2^53."""
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(each) for each in value) + "]"
    if isinstance(value, dict):
        # Keys stand in the order of their UTF-16 code units.
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    raise TypeError("no JSON value with whole numbers")


def read_canonical(text: str) -> object:
    """Return what a text says; raises ValueError unless it is the canonical form of that."""
    refuse_nesting(text)
    value = json.loads(text, parse_int=whole, parse_float=whole, parse_constant=whole)
    # Below the surrogates the encoder of the library writes the same form in less time.
    if (ENCODE(value) if HIGH.search(text) is None else canonical(value)) != text:
        raise ValueError("not the canonical form")
    return value


def whole(digits: str) -> int:
    """Return a whole number within 2^53; raises ValueError for any other."""
    if len(digits) > len(f"-{LARGEST}") or abs(int(digits)) > LARGEST:
        raise ValueError("no whole number within 2^53")
    return int(digits)


def refuse_nesting(text: str) -> None:
    """Raise ValueError where a text nests deeper than any record: a parser may fall over it."""
    if text.count("[") + text.count("{") < DEEPEST:
        return
    depth = 0
    for token in NESTING.findall(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token, 0)
        if depth > DEEPEST:
            raise ValueError("nested too deep")


def fits(value: object, kind: str) -> bool:
    """Say whether a member of a record is what it must be."""
    if kind == TEXT:
        return isinstance(value, str)
    if kind == SCOPE:
        return value is None or isinstance(value, str)
    if kind == HASH:
        return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
    if kind == PROOF:
        return isinstance(value, list) and all(fits(each, HASH) for each in value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
    return is_count and (kind == COUNT or value != 0)


def read_record(line: bytes) -> dict[str, object] | None:
    """Return the record of a line, None unless the line is exactly how a known record is written."""
    try:
        record = read_canonical(line.decode().removesuffix("\n"))
    except (ValueError, RecursionError):
        return None
    if not line.endswith(b"\n") or not isinstance(record, dict):
        return None
    for members in RECORDS.get(str(record.get("type")), []):
        if members.keys() == record.keys() and all(
            fits(record[name], kind) for name, kind in members.items()
        ):
            return record
    return None


def read_event(text: str) -> dict[str, object] | None:
    """Return what the text of an event says, None unless it is the canonical form of an event."""
    try:
        body = read_canonical(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.keys() != EVENT_MEMBERS:
        return None
    right = all(isinstance(body[name], str) for name in EVENT_TEXTS)
    right = right and (body["caused_by"] is None or isinstance(body["caused_by"], str))
    return body if right and isinstance(body["payload"], dict) and fits(body["version"], ORDINAL) else None


def leaf_hash(scope: str, subject: str, version: int, head: bytes) -> bytes:
    """Return the leaf of a chain that ends with this version and this hash."""
    name = scope.encode()
    return sha(b"\0", head, version.to_bytes(8, "big"), len(name).to_bytes(4, "big"), name, subject.encode())


def merkle_root(leaves: list[bytes]) -> bytes:
    """Return the root over leaves: the left half is the largest power of two below their number."""
    if not leaves:
        return sha()
    level = leaves
    while len(level) > 1:
        paired = [sha(b"\1", level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def root_of_proof(leaf: bytes, position: int, count: int, proof: list[bytes]) -> bytes | None:
    """Return the root that a leaf and its siblings lead to, None when they are too few or too many."""
    if position >= count:
        return None
    place, last, steps = position, count - 1, list(proof)
    while last > 0:
        is_right = place % 2 == 1
        if is_right or place < last:
            if not steps:
                return None
            sibling = steps.pop(0)
            leaf = sha(b"\1", sibling, leaf) if is_right else sha(b"\1", leaf, sibling)
        place, last = place // 2, last // 2
    return None if steps else leaf


def shown(text: object) -> str:
    """Return a name fit for a terminal."""
    plain = str(text)
    return (plain if plain.isprintable() else ascii(plain))[:120]


class Check:
    """Reads a history from its first line to its last; keeps the rule, event and detail of each fault."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str, str]] = []
        self.unlisted = self.events = self.seals = 0
        self.roots: set[str] = set()
        self.scope: str | None = None
        self.stage = ""
        # The chain that is being read: its scope and subject, its newest version and hash.
        self.chain: tuple[str, str] | None = None
        self.version, self.head, self.is_torn = 0, b"", False
        # The leaf hash of every event that was read, to find the sealed ones again.
        self.known: set[bytes] = set()
        self.seal: dict[str, object] | None = None
        self.leaves: list[bytes] = []
        self.place = -1

    def fault(self, rule: str, detail: str, event: str = "") -> None:
        """Keep a fault; beyond a thousand they are counted."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append((rule, event, detail))
        else:
            self.unlisted += 1

    def read(self, path: Path, root: str = "") -> None:
        """Check a whole file; a seal must have the root, when one is given."""
        digest, number = hashlib.sha256(), 0
        with path.open("rb") as file:
            lines = iter(lambda: file.readline(LONGEST_LINE), b"")
            # The last line is held back: the manifest covers all before it.
            held = next(lines, b"")
            for number, following in enumerate(lines, 1):
                self.line(held, number)
                digest.update(held)
                held = following
        self.manifest(held, number, digest.hexdigest())
        if root and root not in self.roots:
            self.fault("root_is_published", "no seal has the root that was given")
        self.end_seal()
        if self.unlisted:
            self.faults.append(("faults_are_all_listed", "", f"{self.unlisted} more faults"))

    def line(self, line: bytes, number: int) -> None:
        """Check one line that is not the last."""
        record = read_record(line)
        if number == 1:
            if record is None or record["type"] != "header" or record["format"] != FORMAT:
                self.fault("header_is_known", f"the first line is no header of {FORMAT}")
            elif isinstance(record["scope"], str):
                self.scope = record["scope"]
            return
        if record is None:
            self.unreadable(line, number)
            return
        kind = str(record["type"])
        if self.stage in COMES_AFTER.get(kind, set()):
            self.stage = kind
        else:
            self.fault("lines_stand_in_order", f"line {number}: {kind} is not due here")
        if kind == "event":
            self.event(record)
        elif kind == "seal":
            self.begin_seal(record, number)
        elif kind == "leaf":
            self.leaf(record)

    def unreadable(self, line: bytes, number: int) -> None:
        """Name the events that a damaged line still shows; the next event is not blamed for the gap."""
        self.is_torn = True
        text = line.decode("utf-8", "replace")
        found = [f"{shown(m[1])}@{int(m[2])}" for pattern in STILL_NAMED for m in pattern.finditer(text)]
        for event in dict.fromkeys(found) or [""]:
            self.fault("line_is_well_formed", f"line {number} cannot be read", event)

    def event(self, record: dict[str, object]) -> None:
        """Check an event against its text, its hash, and the event before it."""
        self.events += 1
        text, before = str(record["canonical"]), bytes.fromhex(str(record["prev_hash"]))
        head = bytes.fromhex(str(record["hash"]))
        body = read_event(text)
        is_covered = sha(before, text.encode()) == head
        # A text is believed about its own name only when its hash covers it.
        told = body if body is not None and is_covered else record
        scope, subject, version = str(told["scope"]), str(told["subject"]), int(str(told["version"]))
        name = f"{shown(subject)}@{version}"
        if body is None:
            self.fault("text_is_canonical", "the text is not in canonical form", name)
        if not is_covered:
            self.fault("hash_covers_text", "the hash is not that of the text", name)
        if body is not None and any(body[each] != record[each] for each in NAMES):
            self.fault("columns_equal_text", "what stands beside the text says otherwise", name)
        if self.scope is not None and scope != self.scope:
            self.fault("event_is_in_scope", f"it belongs to {shown(scope)}", name)
        self.follow((scope, subject), version, name, (before, head))
        self.known.add(leaf_hash(scope, subject, version, head))

    def follow(self, chain: tuple[str, str], version: int, name: str, hashes: tuple[bytes, bytes]) -> None:
        """Check that an event is the next one of its chain."""
        is_same = chain == self.chain
        due = self.version + 1 if is_same else 1
        if self.chain is not None and chain < self.chain:
            self.fault("chains_stand_in_order", "its chain comes too late", name)
        if self.is_torn:
            self.is_torn = False
        elif version != due:
            self.fault("versions_are_gap_free", f"version {due} is due here", name)
        elif is_same and hashes[0] != self.head:
            self.fault("chain_is_unbroken", "it follows another hash", name)
        elif not is_same and hashes[0] != sha(GENESIS, chain[1].encode()):
            self.fault("chain_starts_at_its_genesis", "it follows another hash", name)
        self.chain, self.version, self.head = chain, version, hashes[1]

    def begin_seal(self, seal: dict[str, object], number: int) -> None:
        """Check that a seal follows the one before it; its leaves come next."""
        if ("merkle_root" in seal) != (self.scope is not None):
            self.fault("seal_covers_its_leaves", f"line {number}: not as the scope asks")
        self.end_seal()
        self.seals += 1
        before = self.seal or {"seal_no": 0, "last_seq": 0, "root": sha(GENESIS, b"seal").hex()}
        place = (int(str(before["seal_no"])) + 1, int(str(before["last_seq"])) + 1)
        if (seal["seal_no"], seal["first_seq"]) != place or int(str(seal["last_seq"])) < place[1]:
            self.fault("seals_are_gap_free", f"seal {seal['seal_no']} comes after seal {before['seal_no']}")
        if seal["prev_root"] != before["root"]:
            self.fault("seal_names_the_one_before", f"seal {seal['seal_no']}: another previous root")
        self.seal, self.leaves, self.place = seal, [], -1
        self.roots.add(str(seal["root"]))

    def leaf(self, record: dict[str, object]) -> None:
        """Check that a sealed hash is that of an event which was read, and that it belongs to its seal."""
        scope, subject, version = str(record["scope"]), str(record["subject"]), int(str(record["version"]))
        name = f"{shown(subject)}@{version}"
        if self.seal is None:
            self.fault("lines_stand_in_order", "a leaf comes before any seal", name)
            return
        leaf = leaf_hash(scope, subject, version, bytes.fromhex(str(record["head"])))
        where = f"seal {self.seal['seal_no']}"
        if leaf not in self.known:
            self.fault("sealed_head_is_present", f"{where}: the sealed event is not here", name)
        self.leaves.append(leaf)
        if "merkle_root" not in self.seal:
            return
        steps, position = record.get("proof", []), int(str(record.get("position", 0)))
        if self.place not in {-1, position - 1}:
            self.fault("leaves_of_a_scope_adjoin", f"{where}: one is left out before it", name)
        self.place = position
        proof = [bytes.fromhex(step) for step in steps] if isinstance(steps, list) else []
        root = root_of_proof(leaf, position, int(str(self.seal["leaf_count"])), proof)
        if root is None or root.hex() != self.seal["merkle_root"]:
            self.fault("seal_covers_its_leaves", f"{where}: the proof leads elsewhere", name)

    def end_seal(self) -> None:
        """Check the root of the seal whose leaves have been read."""
        seal = self.seal
        if seal is None:
            return
        is_whole = "merkle_root" in seal or len(self.leaves) == seal["leaf_count"]
        merkle = bytes.fromhex(str(seal.get("merkle_root", merkle_root(self.leaves).hex())))
        numbers = [int(str(seal[name])) for name in ("seal_no", "first_seq", "last_seq", "leaf_count")]
        fixed = b"".join(number.to_bytes(8, "big") for number in numbers) + str(seal["sealed_at"]).encode()
        root = sha(b"\2", bytes.fromhex(str(seal["prev_root"])), merkle, fixed)
        if not is_whole or root.hex() != seal["root"]:
            self.fault("seal_covers_its_leaves", f"seal {seal['seal_no']}: the root does not follow")

    def manifest(self, line: bytes, lines_before: int, digest: str) -> None:
        """Check the last line against all that came before it."""
        record = read_record(line)
        if record is None or record["type"] != "manifest" or not lines_before:
            self.unreadable(line, lines_before + 1)
            self.fault("lines_stand_in_order", "the last line is no manifest")
            return
        if (record["events"], record["seals"]) != (self.events, self.seals):
            self.fault("manifest_counts_all", f"{self.events} events and {self.seals} seals are here")
        if record["sha256"] != digest:
            self.fault("manifest_covers_all", "the bytes before the manifest are others")


def main(arguments: list[str]) -> int:
    """Check the file that the arguments name; return 0 when it stands, 1 when not, 2 for wrong arguments."""
    if len(arguments) not in {1, 2} or not Path(arguments[0]).is_file():
        sys.stderr.write("python3 verify_history.py history.jsonl [root]\n")
        return 2
    root = "".join(arguments[1:]).lower().removeprefix("0x")
    if root and not fits(root, HASH):
        sys.stderr.write("a root is 64 hexadecimal digits\n")
        return 2
    check = Check()
    check.read(Path(arguments[0]), root)
    for rule, event, detail in check.faults:
        sys.stdout.write(" ".join(filter(None, (rule, event))) + f": {detail}\n")
    sys.stdout.write(f"{check.events} events, {check.seals} seals, {len(check.faults)} faults\n")
    return 1 if check.faults else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
