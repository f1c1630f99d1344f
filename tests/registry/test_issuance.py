"""Members who are instructed by the transaction that signs for them, against raw calls and closed gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from tests.attack.test_race import LATE, Race
from tests.attack.world import CHAIN, Connect, World, digest

SENDER = b"\x07" * 20
STANDING = "select status from registry.issuance_instruction order by investment_id"
FOREIGN = b"\x0c" * 20
# Signed for on a closed gate, and the position does not hold it.
UNHELD = """
select count(*) from registry.issuance_instruction i
join engine.position p using (offering_id, investment_id) join engine.gate g on g.act = 'issue'
where i.status = 'submitted' and g.mask & ~engine.holds(p) <> 0 and not p.holding_is_held
"""


class Signing:
    """The steps of one signature, each as the registry's login calls it."""

    def __init__(self, world: World, first: int = 0) -> None:
        self.world = world
        self._signed = first

    def open_lines(self, numbers: Sequence[int], **changed: object) -> dict[str, Any]:
        """Ask for the lines of some investors."""
        members = [
            member | {"address": self.world.address(n).hex()} | changed
            for n, member in zip(numbers, self.world.members(numbers), strict=True)
        ]
        opened: dict[str, Any] = self.world.call(
            "registry.open_lines", self.world.offering, self.world.closing, members
        )
        return opened

    def record(self, lines: Sequence[dict[str, Any]]) -> None:
        """Sign for lines and instruct them."""
        self._signed += 1
        self.world.call("registry.open_key", CHAIN, SENDER, f"deliver {self.world.label}")
        with self.world.login("registry").transaction():
            transaction = {
                "id": f"txn_{self._signed}",
                "intent": f"int_{self._signed}",
                "purpose": "deliver",
                "chain_id": CHAIN,
                "sender": SENDER.hex(),
                "nonce": self.world.call("registry.take_nonce", CHAIN, SENDER),
                "max_fee": 2_000_000_000,
                "priority_fee": 1_000_000_000,
                "hash": digest(f"transaction {self._signed}").hex(),
                "raw": "00",
            }
            of = (self.world.offering, self.world.closing)
            self.world.call("registry.record_issuance", *of, transaction, list(lines))

    def line(self, n: int, **changed: object) -> dict[str, Any]:
        """Return the line of one investor as nobody has judged it."""
        address = self.world.address(n).hex()
        return {**self.world.members([n])[0], "address": address, "units": n} | changed

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Return what the owner sees."""
        return self.world.login("owner").execute(question.encode()).fetchall()

    def refusal(self, lines: Sequence[dict[str, Any]]) -> str | None:
        """Return the rule that keeps lines from being recorded."""
        with pytest.raises(psycopg.Error) as fault:
            self.record(lines)
        return fault.value.diag.constraint_name


class SigningRace(Race):
    """Signatures and revocations of the same investors, almost at once."""

    def _instruct(self, world: World, n: int) -> None:
        signing = Signing(world, first=n)
        with world.login("registry").transaction():
            if lines := signing.open_lines([n])["lines"]:
                signing.record(lines)


@pytest.fixture
def signing(connect: Connect) -> Signing:
    return Signing(World(connect, "one", 3).build("frozen"))


def test_members_are_instructed_and_signed_for_at_once(signing: Signing) -> None:
    opened = signing.open_lines([1, 2, 3])
    assert opened["refused"] == {}
    assert [line["units"] for line in opened["lines"]] == [1, 2, 3]
    signing.record(opened["lines"])
    assert signing.rows(STANDING) == [("submitted",)] * 3
    assert signing.rows("select distinct issuance from engine.position") == [("submitted",)]
    told = signing.rows(
        "select kind, count(*) from audit.event where kind like 'issuance_instruction%' group by 1"
    )
    assert told == [("issuance_instruction.submitted", 3)]


def test_who_is_issued_already_has_no_second_line(signing: Signing) -> None:
    signing.record(signing.open_lines([1])["lines"])
    assert [line["units"] for line in signing.open_lines([1, 2])["lines"]] == [2]
    again = signing.line(1, instruction="ins_other")
    assert signing.refusal([again]) == "one_instruction_per_investment"
    assert signing.rows(STANDING) == [("submitted",)]


def test_a_closed_gate_has_no_line_and_the_others_go_on(signing: Signing) -> None:
    signing.world.revoke(2)
    opened = signing.open_lines([1, 2, 3])
    assert [line["units"] for line in opened["lines"]] == [1, 3]
    (missing,) = opened["refused"][signing.world.id("inv", 2)]
    assert missing["condition"] == "investor_is_cleared"
    signing.record(opened["lines"])
    assert signing.rows(STANDING) == [("submitted",)] * 2


def test_another_wallet_than_the_linked_one_has_no_line(signing: Signing) -> None:
    assert signing.open_lines([1], address=FOREIGN.hex()) == {"lines": [], "refused": {}}


def test_lines_that_nobody_judged_meet_the_wall(signing: Signing) -> None:
    signing.world.revoke(2)
    assert signing.refusal([signing.line(2)]) == "gate_is_closed"
    assert signing.refusal([signing.line(1, units=2)]) == "instruction_is_inside_a_frozen_set"
    assert signing.refusal([signing.line(1, address=FOREIGN.hex())]) == "instruction_names_a_linked_wallet"
    assert signing.rows(STANDING) == []
    assert signing.rows("select count(*) from registry.chain_transaction") == [(0,)]


def test_nothing_is_signed_while_the_token_is_not_as_recorded(signing: Signing) -> None:
    where = signing.world.offering
    signing.world.call("registry.compare_token", where, "stp_1", {"decimals": 0})
    signing.world.call("registry.compare_token", where, "stp_1", {"decimals": 6})
    with pytest.raises(psycopg.Error) as fault:
        signing.open_lines([1])
    assert fault.value.diag.constraint_name == "deliveries_are_not_stopped"
    assert signing.refusal([signing.line(1)]) == "deliveries_are_not_stopped"


def test_nobody_is_signed_for_on_a_revoked_clearance(connect: Connect) -> None:
    race = SigningRace(connect, seed=4)
    race.run(60)
    assert race.count(UNHELD) == 0
    assert race.count(LATE.replace("prepared", "submitted")) == 0
    assert race.refused == {}
    signed = race.count("select count(*) from registry.issuance_instruction where status = 'submitted'")
    assert 0 < signed < 60


@pytest.mark.parametrize(
    "lines",
    [
        "[]",
        "[{}]",
        '[{"units": 3, "address": "00ff", "investment": "inv_ä\\"\\\\ \\u0001", "instruction": null}]',
        '[{"b": 9007199254740991, "a": -1, "B": true}, {"deep": {"z": [1, 2], "a": 1.0}}]',
    ],
)
def test_lines_are_spelled_as_any_canonical_text_is(connect: Connect, lines: str) -> None:
    asked = "select registry.spelled_lines(l), audit.canonical(l) from (values (%s::jsonb)) v (l)"
    spelled, canonical = connect("owner").execute(asked, [lines]).fetchone() or ("", None)
    assert spelled == canonical


def test_a_number_that_has_no_one_spelling_is_no_line(connect: Connect) -> None:
    with pytest.raises(psycopg.Error) as fault:
        connect("owner").execute("""select registry.spelled_lines('[{"units": 1.5}]')""")
    assert fault.value.diag.constraint_name == "numbers_are_whole_and_exact"
