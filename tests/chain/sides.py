"""One token on a real node beside its register, so that the same step can be taken on both and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bookrunner.adapters.chain import NodeRefused, abi, trex
from bookrunner.adapters.chain.control import (
    ChainRule,
    broken_rules,
    contracts_of,
    country_of,
    frozen_units,
    transfer,
)
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.engine.desk import Desk
from bookrunner.engine.issuance import Controls, Keys, Submitter
from tests.attack.world import DETAIL, Connect, World
from tests.chain.conftest import CHAIN_ID, SUPPLY, Suite

ASKER, SECOND = "agent.theo", "agent.tess"
CLOSED, COUNTRIES = "FR", {"US": 840, "DE": 276, "FR": 250}
ORDER = {"order_sha256": "ab" * 32, "order_reference": "court order 7"}
TREASURY = "treasury"
_MODULES = "artifacts/contracts/compliance/modular/modules"
# Runs as the registry's own login, to which the posting function of transfers is lent in this database.
_LENT = """
grant usage on schema registry, audit, engine, portal, compliance to registry;
grant execute on all functions in schema registry, audit, engine, portal, compliance to registry;
grant select on all tables in schema engine, portal, compliance to registry;
grant all on all tables in schema registry, audit to registry;
set local session authorization registry;
select audit.enter('agent.theo', 'req_' || gen_random_uuid())
"""
_ISSUE = """
with taker as (select h.holding_id from registry.holding h where h.investor_id = %(investor)s),
moved as (
    insert into registry.movement (offering_id, movement_id, kind, to_holding_id, to_address, units,
        reference, is_tacked)
    select %(offering)s, %(id)s, 'import', holding_id, %(address)s, %(units)s, 'delivery ' || %(id)s, true
    from taker),
lots as (
    insert into registry.lot (offering_id, lot_id, holding_id, movement_id, units, legend, acquired_on,
        period_from)
    select %(offering)s, 'lot_' || %(id)s, holding_id, %(id)s, %(units)s, 'Restricted', current_date,
        current_date
    from taker),
posted as (
    insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
    select %(offering)s, 'pst_' || %(id)s, holding_id, %(id)s, %(units)s from taker)
update registry.holding set units = units + %(units)s where investor_id = %(investor)s
"""


class Sides:
    """Five holders with several wallets each, on the chain and in the register of one offer."""

    def __init__(self, suite: Suite, artifacts: Path, books: tuple[Connect, Database], label: str) -> None:
        connect, database = books
        self.node, self.chain = suite.world.node, suite.world.chain
        self._suite, self._artifacts = suite, artifacts
        self.agent, self.treasury = self._key(label, "agent"), self._key(label, "treasury")
        self.holders = [f"ivr_{label}{n}" for n in range(1, 6)]
        self.wallets = {
            holder: [self._key(label, f"{holder} {n}") for n in range(6)] for holder in self.holders
        }
        self.place = dict.fromkeys(self.holders, 0)
        self._deploy(label)
        self.world = World(connect, label, 5)
        self.world.token = self.of.token
        self.world.build("profiled")
        self.offering = self.world.offering
        self.desk = Desk(database)
        keys = Keys(self.agent, self.treasury)
        self.submitter = Submitter(self.desk.registry, self.chain, keys, pause=self.node.pulse)
        self.controls = Controls(self.desk, self.chain, keys, self.submitter)
        for key, purpose in ((self.agent, "agent"), (self.treasury, "treasury")):
            self.desk.registry.open_key(
                actor="process", chain_id=CHAIN_ID, address=key.address, purpose=f"{purpose} {label}"
            )
        self._close_a_country()
        treasury = self.treasury.address
        self.as_agent(self.of.registry, trex.register_batch([(treasury, treasury, 840)]))
        self.as_agent(self.of.token, trex.mint(treasury, SUPPLY))
        self.as_agent(self.of.token, trex.unpause())
        for holder in self.holders:
            self.link(holder)
            self.as_agent(self.of.registry, self.registration(holder))

    def _key(self, label: str, name: str) -> LocalKey:
        key = LocalKey(hashlib.sha256(f"{label}/{name}".encode()).digest(), chain_id=CHAIN_ID)
        self.node.fund(key.address, 10**22)
        return key

    def _deploy(self, label: str) -> None:
        """Add a suite of its own, with a module that closes one country."""
        suite, world, owner = self._suite, self._suite.world, self._suite.deployer
        agents = (self.agent.address,)
        plan = trex.SuitePlan(f"ofr_{label}", owner.address, "Fund", "FUND", agents, agents)
        world.act(owner, suite.factory, trex.further_suite(suite.factory, 0, plan).data)
        (token,) = self.chain.read([trex.token_of(suite.factory, f"ofr_{label}")])
        self.of = contracts_of(self.chain, token)
        logic = self._create("CountryRestrictModule", b"")
        start = abi.encode(("address", "bytes"), (logic, abi.call_data("initialize()")))
        module = self._create("ModuleProxy", start)
        closed = abi.call_data("addCountryRestriction(uint16)", COUNTRIES[CLOSED])
        for call in (
            abi.call_data("addModule(address)", module),
            abi.call_data("callModuleFunction(bytes,address)", closed, module),
        ):
            assert world.act(owner, self.of.rules, call, 1_000_000).status == 1

    def _create(self, name: str, arguments: bytes) -> bytes:
        folder = self._artifacts / "@tokenysolutions/t-rex" / _MODULES / f"{name}.sol"
        code = bytes.fromhex(json.loads((folder / f"{name}.json").read_bytes())["bytecode"][2:])
        return self._created(code + arguments)

    def _created(self, code: bytes) -> bytes:
        world, owner = self._suite.world, self._suite.deployer
        nonce = sum(sender == owner.address for sender, _ in world.stored)
        (receipt,) = world.settle([world.sign(owner, None, code, 5_000_000)])
        assert receipt.status == 1
        return abi.created_address(owner.address, nonce)

    def identity_of(self, wallet: bytes) -> bytes:
        """Create an ONCHAINID that a wallet manages and return its address."""
        folder = self._artifacts / "@onchain-id/solidity/artifacts/contracts/Identity.sol/Identity.json"
        code = bytes.fromhex(json.loads(folder.read_bytes())["bytecode"][2:])
        is_library = False
        return self._created(code + abi.encode(("address", "bool"), (wallet, is_library)))

    def _close_a_country(self) -> None:
        said = {"kind": "country_closed", "starts_on": "2026-01-01", "countries": [CLOSED]}
        rule = [self.offering, "trl_closed"]
        self.world.call(
            "registry.propose_transfer_rule", *rule, {**said, "because": "law", "paper": "ab" * 32}
        )
        self.world.call("registry.decide_transfer_rule", *rule, "true", "", actor=SECOND)

    def wallet(self, holder: str) -> LocalKey:
        """Return the wallet that a holder uses now."""
        return self.treasury if holder == TREASURY else self.wallets[holder][self.place[holder]]

    def address(self, holder: str) -> bytes:
        """Return the address of the wallet that a holder uses now."""
        return self.wallet(holder).address

    def registration(self, holder: str) -> bytes:
        """Return the call that gives a holder's wallet its identity."""
        address = self.address(holder)
        return trex.register_batch([(address, address, COUNTRIES[self.country(holder)])])

    def accepts(self, to: bytes, data: bytes, sender: bytes) -> bool:
        """Ask the contracts whether they would take a call now."""
        try:
            self.chain.call(to, data, sender=sender)
        except NodeRefused:
            return False
        return True

    def as_agent(self, to: bytes, data: bytes) -> None:
        """Send a call of the agent through the stored transactions and wait until it is final."""
        order = {"offering": self.offering, "purpose": "identity", "intent": new_id("int"), "to": to}
        self.submitter.submit(self.agent, {**order, "data": data, "gas": 1_000_000})
        self.submitter.settle(self.offering, self.of.token)

    def as_holder(self, holder: str, to: bytes, data: bytes) -> None:
        """Send a call of a holder's own key."""
        assert self._suite.world.act(self.wallet(holder), to, data, 1_000_000).status == 1

    def link(self, holder: str) -> None:
        """Link the wallet that a holder uses now; the register may refuse."""
        mapping = self.claim(holder, self.address(holder))
        self.world.call("registry.link_wallet", self.offering, mapping, actor=SECOND)

    def claim(self, holder: str, address: bytes) -> str:
        """Take a wallet as far as the issuer's approval and return its mapping."""
        mapping = new_id("wmp")
        where = [self.offering, mapping]
        self.world.call("registry.open_mapping", *where, holder, CHAIN_ID, address, "wlc_x@1", "key")
        self.world.call("registry.mark_screened", *where, "scr_x@1")
        self.world.call("registry.approve_wallet", *where)
        return mapping

    def revoke(self, holder: str) -> None:
        """End the linked wallet of a holder; the register may refuse."""
        found = self._one(
            "select mapping_id from registry.wallet_mapping where investor_id = %s and status = 'linked'",
            holder,
        )
        self.world.call("registry.revoke_wallet", self.offering, found or "wmp_none")

    def control(self, kind: str, **terms: object) -> None:
        """Let two people order an action and carry it out on both sides; the register may refuse."""
        where = {"offering": self.offering, "action": new_id("cta")}
        asked = {"kind": kind, "because": "the order says so", **terms}
        self.desk.registry.ask_control(actor=ASKER, **where, asked=asked)
        self.desk.registry.decide_control(actor=SECOND, **where, is_approved=True, because="")
        assert self.controls.carry(self.offering) == 1, self.desk.registry.control_actions(
            offering=self.offering
        )

    def issue(self, holder: str, units: int) -> None:
        """Post units that came from the treasury wallet."""
        values = {"offering": self.offering, "investor": holder, "units": units, "id": new_id("mov")}
        with self._lent() as connection:
            connection.execute(
                b"select registry.holding_for(%s, %s, %s)", [self.offering, holder, new_id("hld")]
            )
            connection.execute(_ISSUE.encode(), values | {"address": self.address(holder)})
            connection.execute(
                b"update registry.control_book set issued_units = issued_units + %(units)s", values
            )

    def move(self, seller: str, buyer: str, units: int) -> None:
        """Post a transfer between two holders."""
        moved = {
            "kind": "transfer",
            "from_investor": seller,
            "to_investor": buyer,
            "from_address": self.address(seller).hex(),
            "to_address": self.address(buyer).hex(),
            "units": units,
            "reference": new_id("trq"),
        }
        with self._lent() as connection:
            values = [self.offering, new_id("mov"), json.dumps(moved)]
            connection.execute(b"select registry.post_movement(%s, %s, %s, null)", values)

    def change_country(self, holder: str, country: str) -> None:
        """Change what the register knows of a holder's residence."""
        self.world.call("portal.amend_profile", holder, DETAIL | {"country": country})

    def country(self, holder: str) -> str:
        """Return where the register sees a holder live."""
        found = self._one(
            "select country from portal.profile_detail where investor_id = %s"
            " order by detail_version desc limit 1",
            holder,
        )
        return str(found)

    def register_says(self, seller: str, buyer: str, units: int) -> set[str]:
        """Return the rules by which the register keeps units from moving, of those that a token can know."""
        line = {"seller": None if seller == TREASURY else seller, "buyer": buyer, "units": units}
        asked = b"select rule from registry.restraint_refusals(%s, %s)"
        found = self.world.login("registry").execute(asked, [self.offering, json.dumps([line])])
        rules = {str(row[0]) for row in found}
        closed = self._one(
            "select r.rule from registry.refusal_by_parties(%s, %s, %s) r where r.place = 73",
            self.offering,
            buyer,
            buyer,
        )
        # A wallet without an identity has no country on chain, so the token has one rule less to break.
        if closed and ChainRule.BUYER_WALLET_IS_LINKED.value not in rules:
            rules.add(ChainRule.TOKEN_RULES_LET_IT_PASS.value)
        return rules

    def chain_says(self, seller: str, buyer: str, units: int) -> set[str]:
        """Return the rules that the contracts name, after comparing them with what they do."""
        addresses = (self.address(seller), self.address(buyer))
        (rules,) = broken_rules(self.chain, self.of, [(*addresses, units)])
        may = self.accepts(self.of.token, transfer(addresses[1], units), addresses[0])
        assert may == (not rules), (seller, buyer, units, rules)
        return {rule.value for rule in rules}

    def register_stands(self) -> dict[str, tuple[object, ...]]:
        """Return of each holder: units, frozen units, whole freeze, identity, country while it has one."""
        rows = {}
        for holder in self.holders:
            found = self._row(
                "select coalesce((select units from registry.holding where investor_id = %(i)s), 0),"
                " registry.frozen_units(%(o)s, %(i)s), registry.is_account_frozen(%(o)s, %(i)s),"
                " registry.linked_address(%(o)s, %(i)s) is not null",
                {"i": holder, "o": self.offering},
            )
            rows[holder] = (*found, COUNTRIES[self.country(holder)] if found[3] else 0)
        return rows | {"paused": (self._one("select registry.is_paused(%s)", self.offering),)}

    def chain_stands(self) -> dict[str, tuple[object, ...]]:
        """Return the same of each holder's current wallet, as the contracts have it."""
        token, rows = self.of.token, {}
        for holder in self.holders:
            at = self.address(holder)
            units, part, country = self.chain.read(
                [trex.balance_of(token, at), frozen_units(token, at), country_of(self.of.registry, at)]
            )
            frozen, known = self.chain.read(
                [trex.is_frozen(token, at), trex.is_verified(self.of.registry, at)]
            )
            rows[holder] = (units, part, frozen, known, country)
        (is_paused,) = self.chain.read([trex.paused(token)])
        return rows | {"paused": (is_paused,)}

    def totals(self) -> tuple[int, int, int]:
        """Return what was issued by the control book, by the lots, and by the chain."""
        issued = self._one(
            "select issued_units from registry.control_book where offering_id = %s", self.offering
        )
        lots = self._one(
            "select coalesce(sum(left_units), 0)::bigint from registry.lot_standing where offering_id = %s",
            self.offering,
        )
        (left,) = self.chain.balances(self.of.token, [self.treasury.address])
        return int(issued), int(lots), SUPPLY - left

    def by_address(self) -> dict[bytes, int]:
        """Return the units that the register sees at each address."""
        rows = (
            self.world.login("owner")
            .execute(
                "select address, units from registry.address_units where offering_id = %s", [self.offering]
            )
            .fetchall()
        )
        return {bytes(address): int(units) for address, units in rows}

    def all_balances(self) -> dict[bytes, int]:
        """Return the units that the chain has at each wallet of a holder, those without any left out."""
        addresses = [key.address for keys in self.wallets.values() for key in keys]
        held = self.chain.balances(self.of.token, addresses)
        return {address: units for address, units in zip(addresses, held, strict=True) if units}

    @contextmanager
    def _lent(self) -> Iterator[psycopg.Connection]:
        """Lend a transaction under the registry's login, with the right to post by itself."""
        connection = self.world.login("admin")
        with connection.transaction():
            connection.execute(_LENT.encode())
            yield connection

    def _row(self, query: str, values: object) -> Sequence[Any]:
        found = self.world.login("owner").execute(query.encode(), values).fetchone()  # type: ignore[arg-type]
        assert found is not None
        return found

    def _one(self, query: str, *values: str) -> Any:  # noqa: ANN401 - one value
        found = self.world.login("owner").execute(query.encode(), list(values)).fetchone()
        return found and found[0]


def refused(act: Any, *arguments: object, **named: object) -> str:  # noqa: ANN401 - any verb
    """Run a verb and return the rule that it broke; empty when none."""
    try:
        act(*arguments, **named)
    except Refused as fault:
        return fault.rule
    except psycopg.Error as fault:
        if fault.diag.constraint_name is None:
            raise
        return fault.diag.constraint_name
    return ""
