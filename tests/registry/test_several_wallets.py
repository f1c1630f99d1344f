"""Several wallets of one holder: each approved singly, the position their sum, the lots the holder's."""

from __future__ import annotations

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.test_transfer_machines import observe
from tests.registry.transferring import AGENT, SECOND, Transferring

OWN = ("transfer_instruction",)
LOTS = (
    "select lot_id, left_units, legend, acquired_on, period_from from registry.lot_standing order by lot_id"
)


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


@pytest.fixture
def keeper(database: Database) -> Keeper:
    return registry.keeper(database)


def approved(world: World, name: str, holder: str, kind: str = "key") -> tuple[dict[str, str], bytes]:
    """Take a further wallet as far as the issuer's consent; return where it is, and its address."""
    mapping, address = f"wmp_{name}", digest(f"further {name}")[:20]
    on = [world.offering, mapping]
    world.call("registry.open_mapping", *on, holder, CHAIN, address, f"wlc_{name}@1", kind)
    world.call("registry.mark_screened", *on, f"scr_{name}@1")
    world.call("registry.approve_wallet", *on, actor="issuer.iris")
    return {"offering": world.offering, "mapping": mapping}, address


def joined(
    desk: Transferring, keeper: Keeper, name: str = "two", holder: str = ""
) -> tuple[dict[str, str], bytes]:
    """Let a further wallet of a holder be effective beside the linked one."""
    on, address = approved(desk.world, name, holder or desk.seller)
    keeper.join_wallet(actor=AGENT, **on, witness=None)
    return on, address


def own(desk: Transferring, to: bytes, units: int = 2, source: bytes | None = None) -> str:
    """Ask for a move between wallets of the seller, and let it be screened."""
    named = {"from": source.hex()} if source else {}
    changed = {"kind": "own", "price_minor": None, "currency": None, "to": to.hex(), "papers": OWN} | named
    return desk.screened(desk.seller, units, **changed)


def moved(desk: Transferring, to: bytes, units: int = 2, source: bytes | None = None) -> None:
    """Take such a move into the register."""
    transfer = own(desk, to, units, source)
    desk.approve(transfer)
    assert desk.final(transfer, desk.signed(transfer)) == 1


def places(desk: Transferring, holder: int = 3) -> dict[bytes, int]:
    found = desk.world.login("owner").execute(
        "select address, units from registry.places_of(%s, %s, 'infinity')",
        [desk.offering, f"hld_one{holder}"],
    )
    return {bytes(address): units for address, units in found.fetchall()}


def test_a_further_wallet_is_effective_after_the_same_steps(desk: Transferring, keeper: Keeper) -> None:
    on, address = approved(desk.world, "two", desk.seller)
    with pytest.raises(Refused, match="wallet_is_linked_by_another_person"):
        keeper.join_wallet(actor="issuer.iris", **on, witness=None)
    keeper.join_wallet(actor=AGENT, **on, witness=None)
    rows = keeper.wallet_history(offering=desk.offering, investor=desk.seller, address=None)
    assert [(row["status"], row["is_effective"]) for row in rows] == [("linked", True), ("joined", True)]
    (found,) = keeper.wallet_history(offering=desk.offering, investor=None, address=address)
    assert (found["investor_id"], found["linked_by"]) == (desk.seller, AGENT)
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_holder_per_live_wallet"):
        desk.world.call(
            "registry.open_mapping", desk.offering, "wmp_theft", "ivr_one1", CHAIN, address, "wlc_t@1", "key"
        )


def test_a_further_wallet_skips_no_step(desk: Transferring, keeper: Keeper) -> None:
    world, where = desk.world, {"offering": desk.offering, "mapping": "wmp_raw"}
    world.call("registry.open_mapping", *where.values(), desk.seller, CHAIN, b"\x0c" * 20, "wlc_raw@1", "key")
    for step in (lambda: None, lambda: keeper.mark_screened(actor="p", **where, screening_fact="scr_r@1")):
        step()
        with pytest.raises(Refused, match="transition_is_listed"):
            keeper.join_wallet(actor=AGENT, **where, witness=None)
    contract, _ = approved(world, "contract", desk.seller, "contract")
    with pytest.raises(Refused, match="contract_wallet_is_asked_again_when_linked"):
        keeper.join_wallet(actor=AGENT, **contract, witness=None)
    keeper.revoke_wallet(actor=AGENT, offering=desk.offering, mapping="wmp_one2")
    alone, _ = approved(world, "alone", "ivr_one2")
    with pytest.raises(Refused, match="further_wallet_stands_beside_a_linked_one"):
        keeper.join_wallet(actor=AGENT, **alone, witness=None)


def test_units_move_between_own_wallets_and_stay_with_their_holder(
    desk: Transferring, keeper: Keeper
) -> None:
    _, second = joined(desk, keeper)
    first = desk.world.address(3)
    lots, units = desk.world.login("owner").execute(LOTS.encode()).fetchall(), desk.units()
    moved(desk, second)
    assert places(desk) == {first: 1, second: 2}
    assert desk.units() == units
    assert desk.world.login("owner").execute(LOTS.encode()).fetchall() == lots
    moved(desk, first, 1, second)
    assert places(desk) == {first: 2, second: 1}
    balance = keeper.balance(offering=desk.offering)
    assert (balance["issued_units"], balance["register_units"], balance["posted_units"]) == (6, 6, 6)
    chain = [(desk.world.address(1), 1), (desk.world.address(2), 2), (first, 2), (second, 1)]
    lines = {address.hex(): held for address, held in chain}
    shown = {"lines": lines, "delivered": 6}
    seen = desk.world.call("reconciliation.run", desk.offering, "run_1", shown)
    # The wallets of this world were linked without a claim.
    found = {each["kind"] for each in seen if each["comparison"] in {"holdings", "transfers", "wallets"}}
    assert found == {"linked_is_not_claimed"}


def test_a_claimed_wallet_beside_the_linked_one_is_no_break(desk: Transferring, keeper: Keeper) -> None:
    desk.world.claim_wallet("wlc_two", desk.seller, digest("further two")[:20])

    def of_wallets(run: str) -> list[str]:
        seen = desk.world.call("reconciliation.run", desk.offering, run, None)
        return [each["subject_id"] for each in seen if each["kind"] == "claimed_is_not_linked"]

    before = of_wallets("run_1")
    joined(desk, keeper)
    assert (before, of_wallets("run_2")) == (["inv_one3"], [])


def test_sending_to_a_wallet_that_is_not_approved_is_refused(desk: Transferring, keeper: Keeper) -> None:
    taker = desk.taker()
    _, strange = approved(desk.world, "taker2", taker)
    asked = desk.screened(taker, 1, to=strange.hex())
    with pytest.raises(Refused, match="taker_wallet_is_effective"):
        desk.approve(asked)
    with pytest.raises(Refused, match="taker_wallet_is_effective"):
        desk.approve(own(desk, b"\x0d" * 20))
    with pytest.raises(Refused, match="giver_wallet_is_effective"):
        desk.approve(own(desk, desk.world.address(3), 1, b"\x0e" * 20))
    with pytest.raises(Refused, match="own_transfer_changes_the_wallet"):
        desk.approve(own(desk, desk.world.address(3)))
    keeper.join_wallet(actor=AGENT, offering=desk.offering, mapping="wmp_taker2", witness=None)
    desk.approve(asked)
    assert desk.final(asked, desk.signed(asked)) == 1
    assert desk.units()[taker] == 1


def test_a_wallet_gives_what_stands_in_it_and_no_frozen_unit(desk: Transferring, keeper: Keeper) -> None:
    _, second = joined(desk, keeper)
    moved(desk, second)
    taker = desk.taker()
    with pytest.raises(Refused, match="wallet_holds_the_units"):
        desk.approve(desk.screened(taker, 2))
    assert desk.failing(taker, 2) == ["wallet_holds_the_units"]
    from_second = {"from": second.hex()}
    first = desk.screened(taker, 2, **from_second)
    other = own(desk, desk.world.address(3), 1, second)
    desk.approve(other)
    with pytest.raises(Refused, match="wallet_holds_the_units"):
        desk.approve(first)
    on = {"offering": desk.offering, "transfer": other}
    keeper_of = desk.keeper
    keeper_of.end_transfer(actor=AGENT, **on, status="withdrawn", reasons=[])
    asked = {"kind": "freeze_units", "investor": desk.seller, "units": 1, "because": "an order"}
    desk.world.call("registry.ask_control", desk.offering, "cta_1", asked)
    desk.world.call("registry.decide_control", desk.offering, "cta_1", "true", "", actor="usr_second")
    with pytest.raises(Refused, match="wallet_holds_the_units"):
        desk.approve(first)


def test_a_move_between_own_wallets_names_nobody_else(desk: Transferring) -> None:
    changed = {"kind": "own", "price_minor": None, "currency": None, "to": "0c" * 20}
    with pytest.raises(Refused, match="own_transfer_stays_with_its_holder"):
        desk.asked(desk.taker(), **changed)
    with pytest.raises(Refused, match="transfer_goes_to_another_holder"):
        desk.asked(desk.seller)


def test_what_the_chain_shows_between_own_wallets_needs_its_approval_too(
    desk: Transferring, keeper: Keeper
) -> None:
    _, second = joined(desk, keeper)
    assert observe(desk, "unasked", desk.world.address(3), second) == "unauthorised"
    call, on = desk.world.call, [desk.offering, "obs_unasked"]
    call("registry.explain_observed", *on, "post", digest("paper"), "the holder moved it", actor=AGENT)
    call("registry.resolve_observed", *on, "true", actor=SECOND)
    assert places(desk)[second] == 1
    assert desk.units()[desk.seller] == 3
    transfer = desk.screened(
        desk.seller,
        1,
        kind="own",
        price_minor=None,
        currency=None,
        to=second.hex(),
        route="holder",
        papers=OWN,
    )
    desk.approve(transfer)
    assert observe(desk, "asked", desk.world.address(3), second) == "matched"
    assert places(desk)[second] == 2


def test_units_are_delivered_to_the_chosen_wallet(connect: Connect, database: Database) -> None:
    world, keeper = World(connect).build("linked"), registry.keeper(database)
    on, second = approved(world, "two", "ivr_one3")
    with pytest.raises(Refused, match="chosen_wallet_is_effective"):
        keeper.choose_wallet(actor=AGENT, **on)
    keeper.join_wallet(actor=AGENT, **on, witness=None)
    keeper.choose_wallet(actor=SECOND, **on)
    rows = keeper.wallet_history(offering=world.offering, investor="ivr_one3", address=None)
    assert [row["status"] for row in rows] == ["joined", "linked"]
    world.frozen()
    world.prepared()
    address = "select address from registry.issuance_instruction where investor_id = 'ivr_one3'"
    found = world.login("owner").execute(address.encode()).fetchone()
    assert found is not None
    assert bytes(found[0]) == second
    with pytest.raises(Refused, match="wallet_changes_between_deliveries"):
        keeper.choose_wallet(actor=SECOND, offering=world.offering, mapping="wmp_one3")


def test_a_further_wallet_is_given_up_empty(desk: Transferring, keeper: Keeper) -> None:
    on, second = joined(desk, keeper)
    moved(desk, second)
    with pytest.raises(Refused, match="further_wallet_is_given_up_empty"):
        keeper.revoke_wallet(actor=AGENT, **on)
    moved(desk, desk.world.address(3), 2, second)
    keeper.revoke_wallet(actor=AGENT, **on)
    (row,) = keeper.wallet_history(offering=desk.offering, investor=None, address=second)
    assert (row["status"], row["is_effective"]) == ("revoked", False)


def test_no_wallet_joins_a_frozen_account(desk: Transferring, keeper: Keeper) -> None:
    on, _ = approved(desk.world, "two", desk.seller)
    asked = {"kind": "freeze_account", "investor": desk.seller, "because": "an order"}
    desk.world.call("registry.ask_control", desk.offering, "cta_1", asked)
    desk.world.call("registry.decide_control", desk.offering, "cta_1", "true", "", actor="usr_second")
    with pytest.raises(Refused, match="restrained_account_keeps_its_address"):
        keeper.join_wallet(actor=AGENT, **on, witness=None)


def test_an_order_takes_units_from_one_wallet_that_holds_them(desk: Transferring, keeper: Keeper) -> None:
    _, second = joined(desk, keeper)
    moved(desk, second)
    asked = {"kind": "force_transfer", "investor": desk.seller, "receiver": "ivr_one1", "because": "an order"}
    asked |= {"order_sha256": digest("order").hex(), "order_reference": "order 7"}
    with pytest.raises(psycopg.Error, match="cannot be carried out") as refused:
        desk.world.call("registry.ask_control", desk.offering, "cta_1", asked | {"units": 3})
    assert refused.value.diag.constraint_name == "one_wallet_holds_the_units_to_move"
    desk.world.call("registry.ask_control", desk.offering, "cta_2", asked | {"units": 2})
    desk.world.call("registry.decide_control", desk.offering, "cta_2", "true", "", actor="usr_second")
    plan = keeper.control_plan(offering=desk.offering, action="cta_2")
    assert (bytes(plan["address"]), len(plan["addresses"])) == (second, 2)
