"""A world whose investors are institutions, and allocations of theirs in any state."""

from __future__ import annotations

from datetime import timedelta

from bookrunner.core import clock
from tests.attack.world import PRICE, Connect, World

STATES = ("pending", "under_internal_review", "escrow_initiated", "funded", "cancelled")
UNITS = 200
DUE = f"{clock.now() + timedelta(days=300):%Y-%m-%dT17:00:00Z}"
PLACED = """
alter table engine.allocation disable trigger all;
insert into engine.allocation (offering_id, allocation_id, tranche, entity_id, status, amount_minor, currency,
    requested_by, reviewed_by, investment_id, settlement_due_at, settlement_message, settlement_key_id,
    settlement_signature_sha256, cancelled_by, cancelled_because, version, chain_head)
values ('{offering}', 'iac_{name}', '{name}', '{entity}', '{status}', {amount}, 'USD', 'usr_asker',
    {reviewed_by}, {investment}, {due}, {message}, {message}, {digest}, {by}, {by}, 1, '\\x00');
alter table engine.allocation enable trigger all;
alter table engine.allocation enable always trigger zz_guard;
alter table engine.allocation enable always trigger zzz_allocation_stands;
alter table engine.allocation enable always trigger aa_never_deleted;
alter table engine.allocation enable always trigger aa_never_truncated;
"""


class Institutions(World):
    """One offering whose investors are entities, each with an order of 100,000 USD and more."""

    def __init__(self, connect: Connect, label: str = "capital", investors: int = 2) -> None:
        super().__init__(connect, label, investors)
        self.numbers = range(UNITS, UNITS + investors)

    def profiled(self) -> None:
        super().profiled()
        self.login("admin").execute(
            b"alter table portal.profile disable trigger all;"
            b"update portal.profile set kind = 'entity'; alter table portal.profile enable trigger all;"
            b"alter table portal.profile enable always trigger zz_guard"
        )

    @property
    def entity(self) -> str:
        """The first institution."""
        return self.id("ivr", UNITS)

    @property
    def investment(self) -> str:
        """Its investment."""
        return self.id("inv", UNITS)

    def placed(self, status: str, name: str) -> str:
        """Return statements that put an allocation in a state, past every rule."""
        in_escrow = status in {"escrow_initiated", "funded"}
        return PLACED.format(
            offering=self.offering,
            name=name,
            entity=self.entity,
            status=status,
            amount=UNITS * PRICE,
            reviewed_by="null" if status in {"pending", "cancelled"} else "'usr_reviewer'",
            investment=f"'{self.investment}'" if in_escrow else "null",
            due=f"'{DUE}'" if in_escrow else "null",
            message="'msg_1'" if status == "funded" else "null",
            digest="sha256('x')" if status == "funded" else "null",
            by="'usr_asker'" if status == "cancelled" else "null",
        )
