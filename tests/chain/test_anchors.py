"""Roots of seals on a real chain: exactly once, final before they count, back after a restart and a reorg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.app.anchors import Anchors, open_anchor_key, root_of
from bookrunner.audit import advance_feed, export_history, seal, verify_export, verify_history
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper, Row
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.attack.world import Connect
from tests.attack.world import World as Books

CHAIN_ID = 880_331


@pytest.fixture
def node(tools: toolchain.Tools) -> Iterator[Node]:
    """Run a node of its own, which tests may undo."""
    with Node.start(tools, chain_id=CHAIN_ID) as running:
        yield running


@pytest.fixture
def key(tmp_path: Path, node: Node) -> LocalKey:
    """Return the funded key of anchors."""
    made = open_anchor_key(tmp_path / "keys", CHAIN_ID, embedded=True)
    node.fund(made.address, 10**20)
    return made


@pytest.fixture
def rpc(node: Node) -> Iterator[Rpc]:
    """Return what asks the node as a test does."""
    asking = Rpc(node.url)
    yield asking
    asking.close()


@pytest.fixture
def chain(node: Node) -> Iterator[EvmChain]:
    with EvmChain(node.url) as opened:
        yield opened


@pytest.fixture
def anchors(database: Database, chain: EvmChain, key: LocalKey, *, node: Node, connect: Connect) -> Anchors:
    """Return what anchors the history of a small offer."""
    Books(connect).build("allocated")
    return Anchors(database, chain, key, pause=node.pulse)


def keeper(database: Database) -> Keeper:
    return Keeper(database, "audit", "bookrunner.audit.record")


def covering(database: Database, subject: str, version: int, scope: str | None = None) -> Row | None:
    """Return the seal and the anchor of an event."""
    rows = keeper(database).anchor_of(subject=subject, version=version, scope=scope)
    assert len(rows) < 2
    return rows[0] if rows else None


def kinds(database: Database) -> list[str]:
    with database.transaction("audit") as transaction:
        rows = transaction.execute(
            "select kind from audit.event where kind like 'anchoring.%' order by recorded_at, version"
        )
        return [kind for (kind,) in rows]


def test_a_seal_is_anchored_once_and_proved_by_the_data_of_its_transaction(
    anchors: Anchors, database: Database, rpc: Rpc, tmp_path: Path
) -> None:
    assert covering(database, "ofr_one", 1) is None
    made = anchors.anchor()
    assert made is not None
    found = covering(database, "ofr_one", 1)
    assert found is not None
    assert (found["seal_no"] <= made.seal_no, found["anchored_by"]) == (True, made.seal_no)
    (row,) = keeper(database).anchors()
    assert (row["seal_no"], bytes(row["transaction_hash"])) == (made.seal_no, made.transaction_hash)
    sent = rpc.call("eth_getTransactionByHash", "0x" + made.transaction_hash.hex())
    assert isinstance(sent, dict)
    root = root_of(bytes.fromhex(str(sent["input"])[2:]))
    assert root == bytes(row["root"])
    export = export_history(database, tmp_path / "history.jsonl")
    assert verify_export(export.path, root).ok
    assert not verify_export(export.path, b"\x01" * 32).ok
    assert kinds(database)[0] == "anchoring.signed"
    assert kinds(database)[-1] == "anchoring.finalized"
    assert verify_history(database).ok


def test_an_event_behind_the_last_anchor_has_none_yet(
    anchors: Anchors, database: Database, connect: Connect
) -> None:
    anchors.anchor()
    connect("engine").execute("select engine.move_offer('usr_z', 'req_z', 'ofr_one', 'legally_closed')")
    (version,) = connect("owner").execute(
        "select max(version) from audit.event where subject = 'ofr_one'"
    ).fetchone() or (0,)
    assert covering(database, "ofr_one", version) is None
    advance_feed(database)
    seal(database)
    found = covering(database, "ofr_one", version)
    assert found is not None
    assert found["seal_no"] is not None
    assert found["anchored_by"] is None


def test_what_was_signed_before_a_crash_is_sent_by_its_stored_bytes(
    anchors: Anchors, database: Database, chain: EvmChain, key: LocalKey
) -> None:
    advance_feed(database)
    seal(database)
    made = anchors.sign()
    assert made is not None
    assert chain.nonce(key.address) == 0
    assert anchors.sign() is None
    anchors.finish()
    assert chain.nonce(key.address) == 1
    (row,) = keeper(database).anchors()
    assert bytes(row["transaction_hash"]) == made.transaction_hash


def test_a_lost_block_is_a_fact_and_the_same_bytes_go_out_again(
    anchors: Anchors, database: Database, rpc: Rpc, *, node: Node, chain: EvmChain, key: LocalKey
) -> None:
    advance_feed(database)
    seal(database)
    anchors.sign()
    before = rpc.call("evm_snapshot")
    anchors.look()
    node.pulse()
    anchors.look()
    assert kinds(database)[-1] == "anchoring.mined"
    rpc.call("evm_revert", before)
    anchors.look()
    assert kinds(database)[-1] == "anchoring.lost"
    assert keeper(database).anchors() == []
    anchors.finish()
    assert kinds(database)[-1] == "anchoring.finalized"
    assert chain.nonce(key.address) == 1


def test_anchors_alone_need_no_anchor(anchors: Anchors, database: Database, connect: Connect) -> None:
    assert anchors.anchor() is not None
    assert anchors.anchor() is None
    assert anchors.anchor() is None
    connect("engine").execute("select engine.move_offer('usr_z', 'req_z', 'ofr_one', 'legally_closed')")
    assert anchors.anchor() is not None
    assert kinds(database).count("anchoring.signed") == 2


def test_one_that_no_block_takes_is_offered_again_with_higher_fees(
    anchors: Anchors, database: Database, rpc: Rpc, *, node: Node, chain: EvmChain, key: LocalKey
) -> None:
    advance_feed(database)
    seal(database)
    first = anchors.sign()
    assert first is not None
    (row,) = keeper(database).anchors_under_way(chain_id=CHAIN_ID)
    rpc.call("anvil_setNextBlockBaseFeePerGas", hex(row["max_fee_wei"] * 3))
    node.pulse()
    hasty = Anchors(database, chain, key, pause=node.pulse, patience_seconds=0)
    assert hasty.look() == 1
    (row,) = keeper(database).anchors_under_way(chain_id=CHAIN_ID)
    assert (row["attempts"], len(row["hashes"])) == (2, 2)
    anchors.finish()
    (held,) = keeper(database).anchors()
    assert bytes(held["transaction_hash"]) == bytes(row["hashes"][1]) != first.transaction_hash
    assert "anchoring.raised" in kinds(database)
    assert chain.nonce(key.address) == 1
    assert [bytes(one["raw"]) for one in keeper(database).all_anchors(chain_id=CHAIN_ID)] == [
        bytes(row["raw"])
    ]
    assert verify_history(database).ok


def test_a_root_goes_to_the_chain_when_its_day_has_come(
    anchors: Anchors, database: Database, connect: Connect, node: Node
) -> None:
    advance_feed(database)
    seal(database)
    assert anchors.keep_cadence() == 0, "a day has not passed since the first seal"
    connect("owner").execute(f"{CADENCE} '1 microsecond', 'At once.', 'usr_a', 'usr_b')")
    while anchors.keep_cadence():
        node.pulse()
    assert kinds(database).count("anchoring.signed") == 1
    (row,) = keeper(database).anchors()
    found = covering(database, "ofr_one", 1)
    assert found is not None
    assert found["anchored_by"] == row["seal_no"]
    advance_feed(database)
    seal(database)
    assert anchors.keep_cadence() == 0, "only the anchor itself happened since"


def test_an_event_is_found_in_the_scope_that_is_named(database: Database, connect: Connect) -> None:
    Books(connect).build("published")
    advance_feed(database)
    assert covering(database, "ofr_one", 1, "ofr_one") is not None
    assert covering(database, "ofr_one", 1, "ofr_two") is None


def test_an_anchor_behind_a_hundred_others_is_found(
    anchors: Anchors, database: Database, connect: Connect
) -> None:
    made = anchors.anchor()
    assert made is not None
    owner = connect("owner")
    owner.execute(
        "insert into audit.seal (seal_no, first_seq, last_seq, leaf_count, prev_root, root)"
        " select s.seal_no + n, s.last_seq + n, s.last_seq + n, 1, s.root, sha256(n::text::bytea)"
        " from audit.seal s, generate_series(1, 101) n where s.seal_no = %s",
        [made.seal_no],
    )
    owner.execute(
        "insert into audit.anchor (seal_no, chain_id, transaction_hash)"
        " select seal_no, 880331, root from audit.seal where seal_no > %s",
        [made.seal_no],
    )
    found = covering(database, "ofr_one", 1)
    assert found is not None
    assert (found["anchored_by"], bytes(found["transaction_hash"])) == (made.seal_no, made.transaction_hash)


def test_a_key_that_somebody_else_used_signs_no_more(
    anchors: Anchors, database: Database, rpc: Rpc, *, node: Node
) -> None:
    advance_feed(database)
    seal(database)
    assert anchors.sign() is not None
    (row,) = keeper(database).anchors_under_way(chain_id=CHAIN_ID)
    sender = "0x" + bytes(row["sender"]).hex()
    rpc.call("anvil_impersonateAccount", sender)
    rpc.call("eth_sendTransaction", {"from": sender, "to": sender, "value": "0x1"})
    for _ in range(4):
        node.pulse()
    with pytest.raises(Refused, match="anchor_key_signs_for_us_alone"):
        anchors.look()
    assert keeper(database).anchors() == []


def test_anchors_come_back_when_the_embedded_chain_starts_anew(
    anchors: Anchors, database: Database, tools: toolchain.Tools
) -> None:
    made = anchors.anchor()
    assert made is not None
    rows = keeper(database).all_anchors(chain_id=CHAIN_ID)
    with Node.start(tools, chain_id=CHAIN_ID) as fresh:
        fresh.replay([(bytes(row["sender"]), bytes(row["raw"])) for row in rows])
        with EvmChain(fresh.url) as chain:
            (receipt,) = chain.receipts([made.transaction_hash])
            assert receipt is not None
            assert receipt.status == 1


CADENCE = "insert into audit.anchor_cadence values (current_date,"
SIGN = "select audit.sign_anchor('u', 'r', 'anc_2', {seal}, 880331, {sender}"
ATTACKS = [
    (
        "audit",
        "insert into audit.anchor (seal_no, chain_id, transaction_hash) values (1, 1, '\\x00')",
        "42501",
    ),
    (
        "engine",
        "select audit.sign_anchor('u', 'r', 'anc_2', 1, 1, '\\x00', 0, '\\x00', '\\x00', '{{2,1}}')",
        "42501",
    ),
    (
        "audit",
        SIGN + ", 7, {hash}, '\\x00', '{{2,1}}')",
        "BR409",
    ),
    (
        "audit",
        SIGN + ", 1, {hash}, '\\x00', '{{2,1}}')",
        "23505",
    ),
    ("audit", "select audit.note_anchor('u', 'r', 'anc_none', 'final', null, 1, '\\x00', '\\x00')", "BR404"),
    ("audit", "select audit.note_anchor('u', 'r', {id}, 'signed', null, null, null, null)", "BR002"),
    ("audit", "select audit.note_anchor('u', 'r', {id}, 'mined', {hash}, 1, '\\x00', '\\x00')", "BR008"),
    ("audit", "select audit.raise_anchor('u', 'r', {id}, {hash}, '\\x00', '{{9,9}}')", "BR008"),
    (
        "audit",
        CADENCE + " '1 day', 'x', 'usr_a', 'usr_b')",
        "42501",
    ),
    (
        "owner",
        CADENCE + " '1 day', 'x', 'usr_a', 'key:usr_a')",
        "23514",
    ),
    (
        "owner",
        CADENCE + " '2 months', 'x', 'usr_a', 'usr_b')",
        "23514",
    ),
    ("owner", "truncate audit.anchor_attempt", "BR003"),
    ("owner", "update audit.anchoring set raw = '\\x00'", "BR004"),
    ("owner", "delete from audit.anchor", "BR003"),
]


@pytest.mark.parametrize(("login", "attack", "code"), ATTACKS)
def test_anchors_stand(anchors: Anchors, connect: Connect, *, login: str, attack: str, code: str) -> None:
    anchors.anchor()
    row = connect("owner").execute("select anchoring_id, seal_no, sender from audit.anchoring").fetchone()
    assert row is not None
    named = attack.format(
        id=f"'{row[0]}'", seal=row[1], sender=f"'\\x{row[2].hex()}'", hash="'\\x" + "11" * 32 + "'"
    )
    with pytest.raises(psycopg.Error) as caught:
        connect(login).execute(named.encode())
    assert caught.value.sqlstate == code


def test_only_an_anchor_has_a_root() -> None:
    for data in (b"", b"BKRN1", b"BKRN2" + b"\x00" * 32, b"\x00" * 32):
        with pytest.raises(Refused, match="anchor_has_its_format"):
            root_of(data)
