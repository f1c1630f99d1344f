"""A recovery passes no wall that stands before a link, when it is asked for and when it is decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.test_transfer_machines import observe
from tests.registry.test_unknown_wallets import STRANGE, approve, ask
from tests.registry.transferring import AGENT, SECOND, Transferring

ORDER = {"mapping": "wmp_late", "order_sha256": digest("order").hex(), "order_reference": "order 7"}
AT_BANK = {"offering": "ofr_one", "custodian": "cst_bank"}
AGREED = {"name": "Example Custody", "agreement_sha256": digest("custody").hex(), "agreed_on": "2026-03-01"}


class Recovering(NamedTuple):
    """An approved wallet of a custodian, at an address that a break shows too."""

    desk: Transferring
    keeper: Keeper
    holders: Keeper

    def ask(self, action: str) -> None:
        ask(self.keeper, action, "recover_wallet", None, investor=self.desk.seller, **ORDER)

    def freeze(self) -> None:
        ask(self.keeper, "cta_frozen", "freeze_unknown")
        approve(self.keeper, "cta_frozen")

    def end_agreement(self) -> None:
        self.holders.end_custodian(actor=AGENT, **AT_BANK, because="its licence was withdrawn")

    def list_address(self) -> None:
        subject = f"wallet:{STRANGE.hex()}"
        self.desk.world.call("compliance.record_screening", subject, "scr_listed", "list-1", "entry_1")


@pytest.fixture
def recovering(connect: Connect, database: Database) -> Recovering:
    desk = Transferring(World(connect).build("registered"), database)
    assert observe(desk, "strange", desk.world.address(3), STRANGE) == "unmapped"
    holders = registry.holders_of(database)
    holders.propose_custodian(actor=AGENT, **AT_BANK, said=AGREED)
    holders.decide_custodian(actor=SECOND, **AT_BANK, is_approved=True, because="")
    on, call = [desk.offering, "wmp_late"], desk.world.call
    wallet = [CHAIN, STRANGE, "wlc_late@1", "key", "custodian", "cst_bank"]
    call("registry.open_mapping", *on, desk.seller, *wallet)
    call("registry.mark_screened", *on, "scr_late@1")
    call("registry.approve_wallet", *on)
    return Recovering(desk, registry.keeper(database), holders)


@pytest.mark.parametrize(
    ("raise_wall", "rule"),
    [
        (Recovering.freeze, "unknown_wallet_is_thawed_first"),
        (Recovering.end_agreement, "custodian_has_an_agreement_in_force"),
        (Recovering.list_address, "linked_wallet_is_on_no_list"),
    ],
)
def test_a_recovery_passes_no_wall(
    recovering: Recovering, raise_wall: Callable[[Recovering], None], rule: str
) -> None:
    recovering.ask("cta_before")
    raise_wall(recovering)
    with pytest.raises(Refused, match=rule):
        approve(recovering.keeper, "cta_before")
    with pytest.raises(Refused, match=rule):
        recovering.ask("cta_after")
