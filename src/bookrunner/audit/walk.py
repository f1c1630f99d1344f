"""The checks on a history, in the order in which it is told; the same for a file and for the live tables."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import rfc8785

from bookrunner.audit.errors import HistoryRule
from bookrunner.audit.merkle import FIRST_ROOT, Leaf, Tree, chained_root, root_of_proof

MOST_FAULTS = 1000

_LONGEST_NAME = 120
_DEEPEST = 100
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_HIGH = re.compile("[\ud800-\U0010ffff]")
_LONGEST_NUMBER = 17
_LARGEST_NUMBER = 2**53 - 1
_TEXTS = ("actor", "keeper", "kind", "occurred_at", "recorded_at", "request_id", "scope", "subject")
_MEMBERS = frozenset({*_TEXTS, "caused_by", "payload", "version"})

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule. ``event`` is ``subject@version`` where the fault lies in an event, else empty.

    The detail never quotes the text of an event.
    """

    rule: str
    event: str
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it is told: its text, its hashes (32 bytes), and what stands beside them."""

    canonical: str
    prev_hash: bytes
    hash: bytes
    columns: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Sealed:
    """One seal as it is told; ``merkle_root`` is None when all of its leaves follow."""

    seal_no: int
    first_seq: int
    last_seq: int
    leaf_count: int
    sealed_at: str
    prev_root: bytes
    root: bytes
    merkle_root: bytes | None = None


class Walk:
    """Takes a history record by record and collects its faults.

    It remembers one 32-byte digest per event, to find the sealed heads again.
    """

    def __init__(self) -> None:
        self.events = self.seals = 0
        self.faults: list[Fault] = []
        self.unlisted = 0
        self.scope: str | None = None
        self.roots: set[bytes] = set()
        self._place = -1
        self._chain: tuple[str, str] | None = None
        self._version = 0
        self._hash = b""
        self._gap = False
        self._known: set[bytes] = set()
        self._seal: Sealed | None = None
        self._tree = Tree()

    def fault(self, rule: HistoryRule, detail: str, event: str = "") -> None:
        """Note a broken rule."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(rule.value, event, detail))
        else:
            self.unlisted += 1

    def lose(self) -> None:
        """Skip a record that could not be read; the next event is not blamed for the gap."""
        self._gap = True

    def event(self, told: Told) -> None:
        """Check one event against its own text and against the event before it."""
        self.events += 1
        body = _body(told.canonical)
        covered = hashlib.sha256(told.prev_hash + told.canonical.encode()).digest() == told.hash
        # Only a text that its hash covers is believed about its own name.
        source = body if body is not None and covered else told.columns
        scope, subject, version = str(source["scope"]), str(source["subject"]), int(str(source["version"]))
        name, kind = event_name(subject, version), shown(str(source["kind"]))
        if body is None:
            self.fault(HistoryRule.TEXT_IS_CANONICAL, f"{kind}: the text is not in canonical form", name)
        if not covered:
            self.fault(HistoryRule.HASH_COVERS_TEXT, f"{kind}: the hash is not that of the text", name)
        if body is not None:
            differ = sorted(key for key, value in told.columns.items() if body[key] != value)
            if differ:
                self.fault(HistoryRule.COLUMNS_EQUAL_TEXT, f"{kind}: {', '.join(differ)} differ", name)
        if self.scope is not None and scope != self.scope:
            self.fault(HistoryRule.EVENT_IS_IN_SCOPE, f"{kind}: it belongs to {shown(scope)}", name)
        self._follow(Leaf(scope, subject, version, told.hash), told.prev_hash, kind)

    def seal(self, told: Sealed) -> None:
        """Check that a seal follows the one before it; its leaves come next."""
        self._end_seal()
        self.seals += 1
        before = self._seal
        number, seq, root = (before.seal_no, before.last_seq, before.root) if before else (0, 0, FIRST_ROOT)
        if (told.seal_no, told.first_seq) != (number + 1, seq + 1) or told.last_seq < told.first_seq:
            self.fault(HistoryRule.SEALS_ARE_GAP_FREE, f"seal {told.seal_no} comes after seal {number}")
        if told.prev_root != root:
            self.fault(HistoryRule.SEAL_NAMES_THE_ONE_BEFORE, f"seal {told.seal_no}: another previous root")
        self._seal, self._tree, self._place = told, Tree(), -1
        self.roots.add(told.root)

    def leaf(self, leaf: Leaf, position: int = 0, proof: list[bytes] | None = None) -> None:
        """Check that a sealed head is the hash of an event that was told, and that it belongs to its seal."""
        name = event_name(leaf.subject, leaf.version)
        if self._seal is None:
            self.fault(HistoryRule.LINES_STAND_IN_ORDER, "a leaf comes before any seal", name)
            return
        digest = leaf.digest()
        where = f"seal {self._seal.seal_no}"
        if digest not in self._known:
            self.fault(HistoryRule.SEALED_HEAD_IS_PRESENT, f"{where}: the sealed event is not here", name)
        self._tree.add(digest)
        partial, size = self._seal.merkle_root, self._seal.leaf_count
        if partial is not None and self._place not in {-1, position - 1}:
            self.fault(HistoryRule.LEAVES_OF_A_SCOPE_ADJOIN, f"{where}: one is left out before it", name)
        self._place = position
        if partial is not None and root_of_proof(digest, position, size, proof or []) != partial:
            self.fault(HistoryRule.SEAL_COVERS_ITS_LEAVES, f"{where}: the proof leads elsewhere", name)

    def end(self) -> tuple[Fault, ...]:
        """Finish the last seal and return all faults."""
        self._end_seal()
        if self.unlisted:
            rest = Fault(HistoryRule.FAULTS_ARE_ALL_LISTED.value, "", f"{self.unlisted} more faults")
            return (*self.faults, rest)
        return tuple(self.faults)

    def _follow(self, event: Leaf, prev_hash: bytes, kind: str) -> None:
        name = event_name(event.subject, event.version)
        chain = (event.scope, event.subject)
        continues = chain == self._chain
        expected = self._version + 1 if continues else 1
        if self._chain is not None and chain < self._chain:
            self.fault(HistoryRule.CHAINS_STAND_IN_ORDER, f"{kind}: its chain comes too late", name)
        if self._gap:
            self._gap = False
        elif event.version != expected:
            self.fault(HistoryRule.VERSIONS_ARE_GAP_FREE, f"{kind}: version {expected} is due here", name)
        elif continues and prev_hash != self._hash:
            self.fault(HistoryRule.CHAIN_IS_UNBROKEN, f"{kind}: it follows another hash", name)
        elif not continues and prev_hash != genesis(event.subject):
            self.fault(HistoryRule.CHAIN_STARTS_AT_ITS_GENESIS, f"{kind}: it follows another hash", name)
        self._chain, self._version, self._hash = chain, event.version, event.head
        self._known.add(event.digest())

    def _end_seal(self) -> None:
        seal = self._seal
        if seal is None:
            return
        complete = seal.merkle_root is not None or self._tree.size == seal.leaf_count
        merkle = self._tree.root() if seal.merkle_root is None else seal.merkle_root
        numbers = (seal.seal_no, seal.first_seq, seal.last_seq, seal.leaf_count)
        if not complete or chained_root(seal.prev_root, merkle, numbers, seal.sealed_at) != seal.root:
            self.fault(HistoryRule.SEAL_COVERS_ITS_LEAVES, f"seal {seal.seal_no}: the root does not follow")


def genesis(subject: str) -> bytes:
    """Return the hash that the first event of a subject follows."""
    return hashlib.sha256(b"bookrunner/genesis/1/" + subject.encode()).digest()


def event_name(subject: str, version: int) -> str:
    """Return ``subject@version``, fit for a terminal."""
    return f"{shown(subject)}@{version}"


def shown(text: str) -> str:
    """Return a name as it is when it can be printed, else escaped; never longer than 120 characters."""
    return (text if text.isprintable() else ascii(text))[:_LONGEST_NAME]


def _body(canonical: str) -> dict[str, object] | None:
    """Return what the text says, None unless it is the RFC 8785 form of an event."""
    try:
        if is_nested_too_deep(canonical):
            return None
        body = json.loads(canonical, parse_float=_refuse, parse_int=_whole)
        # Below the surrogates, names sort the same by code points and by UTF-16 units: the compiled encoder
        # gives the same form in less time.
        again = _encode(body) if _HIGH.search(canonical) is None else rfc8785.dumps(body).decode()
    except (ValueError, RecursionError):
        return None
    if again != canonical:
        return None
    if not isinstance(body, dict) or body.keys() != _MEMBERS:
        return None
    version = body["version"]
    whole = isinstance(version, int) and not isinstance(version, bool) and version > 0
    texts = all(isinstance(body[name], str) for name in _TEXTS)
    rest = isinstance(body["payload"], dict) and isinstance(body["caused_by"], str | None)
    return body if whole and texts and rest else None


def is_nested_too_deep(text: str) -> bool:
    """Say whether JSON would nest deeper than any record does: a parser in C may fall over it, not raise."""
    if text.count("[") + text.count("{") < _DEEPEST:
        return False
    depth = 0
    for token in _NESTING.findall(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token, 0)
        if depth > _DEEPEST:
            return True
    return False


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER or abs(int(digits)) > _LARGEST_NUMBER:
        return _refuse(digits)
    return int(digits)


def _refuse(digits: str) -> int:
    raise ValueError(f"{len(digits)} characters are no whole number within 2^53")
