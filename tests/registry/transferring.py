"""An offering with registered holders of whom one gives and somebody new takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.db import Database, Keeper
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED
from tests.attack.world import CHAIN, DETAIL, World, digest

AGENT, SECOND, ASKER = "agent.theo", "agent.tess", "holder.clerk"
SALE_PAPERS = ("transfer_instruction", "purchase_agreement")
YEAR = timedelta(days=366)


def papers(*names: str) -> list[dict[str, str]]:
    """Return papers as a request takes them, each with a hash of its own."""
    return [{"paper": name, "sha256": digest(name).hex()} for name in names]


class Transferring:
    """The verbs of transfers over one offering: investor 3 gives, ``taker`` is new to the register."""

    def __init__(self, world: World, database: Database) -> None:
        self.world = world
        self.offering = world.offering
        self.keeper: Keeper = registry.transfers_of(database)
        self.seller = world.id("ivr", 3)

    def free_lots(self, by: timedelta = YEAR) -> None:
        """Let every lot be as old as ``by``, as an old register has them."""
        connection = self.world.login("admin")
        with connection.transaction():
            connection.execute(b"alter table registry.lot disable trigger aa_append_only")
            connection.execute(
                "update registry.lot set acquired_on = acquired_on - %s, period_from = period_from - %s"
                " where offering_id = %s",
                [by, by, self.offering],
            )
            connection.execute(b"alter table registry.lot enable always trigger aa_append_only")

    def age_lot(self, lot: str, days: int, acquired: int = 0) -> None:
        """Let the period of one lot have begun so many days ago, and its acquisition so many before."""
        connection = self.world.login("admin")
        with connection.transaction():
            connection.execute(b"alter table registry.lot disable trigger aa_append_only")
            connection.execute(
                "update registry.lot set acquired_on = current_date - %s, period_from = current_date - %s"
                " where offering_id = %s and lot_id = %s",
                [acquired, days, self.offering, lot],
            )
            connection.execute(b"alter table registry.lot enable always trigger aa_append_only")

    def exempt(self, exemption: str) -> None:
        """Let the offer have been made under another exemption."""
        connection = self.world.login("admin")
        with connection.transaction():
            connection.execute(b"alter table engine.offer disable trigger user")
            connection.execute(
                "update engine.offer set exemption = %s where offering_id = %s", [exemption, self.offering]
            )
            connection.execute(b"alter table engine.offer enable trigger user")

    def taker(self, name: str = "taker", country: str = "US", *, is_accredited: bool = True) -> str:
        """Enter somebody cleared for the offer, with a linked wallet and no units; return the id."""
        call, investor, world = self.world.call, f"ivr_{name}", self.world
        call("portal.open_profile", investor, f"acc_{name}", "individual", DETAIL | {"country": country})
        found = (
            world.login("portal")
            .execute("select detail_digest from portal.profile where investor_id = %s", [investor])
            .fetchone()
        )
        assert found is not None
        with world.login("compliance").transaction():
            call("compliance.open_clearance", self.offering, f"clr_{name}", investor)
            call("compliance.open_case", investor, f"kyc_{name}", "individual")
            call("compliance.record_identity", investor, "approved", digest("seen"), found[0], None)
            call("compliance.record_screening", investor, f"scr_{name}", "list-1", None)
            if is_accredited:
                proof = [digest("seen"), "infinity"]
                call("compliance.record_accreditation", investor, f"acr_{name}", "income", *proof)
        mapping = [self.offering, f"wmp_{name}"]
        address = digest(f"wallet {name}")[:20]
        call("registry.open_mapping", *mapping, investor, CHAIN, address, f"wlc_{name}@1", "key")
        call("registry.mark_screened", *mapping, f"scr_{name}@1")
        call("registry.approve_wallet", *mapping)
        call("registry.link_wallet", *mapping, actor="usr_agent")
        return investor

    def rule(self, kind: str, **measure: object) -> str:
        """Put a rule in force by two people."""
        rule = f"trl_{kind}_{len(self.keeper.transfer_rules(offering=self.offering))}"
        said = {"kind": kind, "starts_on": "2026-01-01", "because": "the bylaws", "paper": "0a" * 32}
        on = {"offering": self.offering, "rule": rule}
        self.keeper.propose_transfer_rule(actor=AGENT, **on, said=said | measure)
        self.keeper.decide_transfer_rule(actor=SECOND, **on, is_approved=True, because="")
        return rule

    def asked(self, buyer: str, units: int = 1, **changed: Any) -> str:  # noqa: ANN401 - any field
        """Ask for a sale with all its papers and return the request's id."""
        said = {"kind": "sale", "route": "agent", "seller": self.seller, "buyer": buyer, "units": units}
        said |= {"price_minor": 5_000, "currency": "USD"} | changed
        kinds = changed.get("papers", SALE_PAPERS)
        said.pop("papers", None)
        return registry.request_transfer(self.keeper, (self.offering, ASKER), said, papers(*kinds))

    def screened(self, buyer: str, units: int = 1, **changed: Any) -> str:  # noqa: ANN401 - any field
        """Ask, and let both sides be screened."""
        transfer = self.asked(buyer, units, **changed)
        self.keeper.mark_transfer_screened(actor="process", offering=self.offering, transfer=transfer)
        return transfer

    def approve(self, transfer: str, actor: str = AGENT, days: int = 3) -> None:
        """Approve a request for some days."""
        until = clock.now() + timedelta(days=days)
        self.keeper.approve_transfer(actor=actor, offering=self.offering, transfer=transfer, until=until)

    def approved(self, buyer: str, units: int = 1, **changed: Any) -> str:  # noqa: ANN401 - any field
        """Ask, screen and approve."""
        transfer = self.screened(buyer, units, **changed)
        self.approve(transfer)
        return transfer

    def signed(self, transfer: str) -> str:
        """Store the transaction of an approved request; return its id."""
        world, sender = self.world, b"\x08" * 20
        world.call("registry.open_key", CHAIN, sender, f"agent {world.label}")
        transaction = f"txn_{transfer[4:]}"
        with world.login("registry").transaction():
            line = world.call("registry.take_transfer", self.offering, transfer)
            nonce = world.call("registry.take_nonce", CHAIN, sender)
            stored = {
                "id": transaction,
                "intent": f"transfer {transfer}",
                "purpose": "transfer",
                "chain_id": CHAIN,
                "sender": sender.hex(),
                "nonce": nonce,
                "max_fee": 2_000_000_000,
                "priority_fee": 1_000_000_000,
                "hash": digest(transaction).hex(),
                "raw": "00",
            }
            world.call("registry.record_transaction", self.offering, stored, [line])
        return transaction

    def final(self, transfer: str, transaction: str) -> int:
        """Let the chain make a stored transaction final; return how many transfers were posted."""
        found = self.keeper.transfer(offering=self.offering, transfer=transfer)
        logs = [{"address": bytes(found["to_address"]).hex(), "units": found["units"], "ordinal": 0}]
        block = {"number": 9, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
        posted: int = self.world.call("registry.finalize", self.offering, transaction, block, logs)
        return posted

    def registered(self, buyer: str, units: int = 1, **changed: Any) -> str:  # noqa: ANN401 - any field
        """Take a request all the way into the register."""
        transfer = self.approved(buyer, units, **changed)
        assert self.final(transfer, self.signed(transfer)) == 1
        return transfer

    def failing(self, buyer: str, units: int = 1, seller: str = "") -> list[str]:
        """Return the rules that refuse a transfer now, in the order of precedence."""
        parties = (seller or self.seller, buyer)
        return [row["rule"] for row in registry.refusals(self.keeper, self.offering, parties, units)]

    def units(self) -> dict[str, int]:
        """Return what each holder has in the register."""
        rows = (
            self.world.login("registry")
            .execute(
                "select investor_id, units from registry.holding where offering_id = %s", [self.offering]
            )
            .fetchall()
        )
        return dict(rows)


def wall(world: World, statement: str, login: str = "registry") -> str | None:
    """Return the name that refuses a statement of a keeper's login with every right given by mistake."""
    admin = world.login("admin")
    with admin.transaction(force_rollback=True):
        admin.execute(EVERY_RIGHT.format(login).encode())
        admin.execute(NAMED.encode())
        with pytest.raises(psycopg.Error) as refused:
            admin.execute(statement.encode())
    return refused.value.diag.constraint_name
