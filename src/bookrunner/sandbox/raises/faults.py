"""What goes wrong in a simulated raise: each fault uses a keeper's own door and says what must be found."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bookrunner.adapters.chain import Fees, Signer, Transaction, transfer_batch
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.core.errors import BookrunnerError, Refused
from bookrunner.core.reference import make_reference
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.bank import Payment
from bookrunner.sandbox.entering import claim_of, claim_wallets
from bookrunner.sandbox.people import Person, ident
from bookrunner.sandbox.props import Wires, silent
from bookrunner.sandbox.story import Story

CLEARED, FUNDS = ("investor_is_cleared",), ("funds_are_received", "funds_are_cleared")
SIGNED = ("agreement_is_signed", "agreement_is_countersigned")
NO_AGREEMENT = ("subscriptions", "amount_is_not_the_agreed_one")
_STORY_PEOPLE = 5
_PEOPLE_PER_CHAIN_FAULT = 2
_TRANSFER_GAS = 400_000
_CHAIN_FAULT_ODDS = 0.6
_BLOCKS_TO_FINAL = 6


class FaultUnnoticed(BookrunnerError):
    """The books took in what they should have turned away."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something the books name by themselves: a break of a comparison, or a condition a close waits for."""

    source: str
    name: str
    subject: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a raise goes wrong, and what must be found of it.

    ``wires`` changes the investor's payment; ``strikes`` acts on the morning of the close and raises
    FaultUnnoticed when the books themselves should have turned it away. ``gates`` are conditions, ``breaks``
    comparisons with their kind.
    """

    name: str
    gates: tuple[str, ...] = ()
    breaks: tuple[tuple[str, str], ...] = ()
    wires: Wires | None = None
    strikes: Callable[[Story, Person], None] | None = None

    def findings(self, person: Person) -> set[Finding]:
        """Return what the books must say of this investor."""
        missing = {Finding("gate", condition, person.investment) for condition in self.gates}
        return missing | {Finding(at, kind, person.investment) for at, kind in self.breaks}


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault and the investor whom it strikes."""

    fault: Fault
    person: Person


def _cents_over(wire: Payment) -> Sequence[Payment]:
    return [replace(wire, amount_minor=wire.amount_minor + 37)]


def _cents_short(wire: Payment) -> Sequence[Payment]:
    return [replace(wire, amount_minor=wire.amount_minor - 37)]


def _twice(wire: Payment) -> Sequence[Payment]:
    return [wire, wire]


def _of_a_stranger(wire: Payment) -> Sequence[Payment]:
    return [replace(wire, debtor_account=strange_account(wire.debtor_account))]


def _of_nobody(wire: Payment) -> Sequence[Payment]:
    digits = int.from_bytes(hashlib.sha256(str(wire.reference).encode()).digest()) % 10**12
    return [replace(wire, reference=make_reference(f"{digits:012d}"))]


def strange_account(account: str) -> str:
    """Return the account that nobody approved from which a stranger pays for an investor."""
    return f"{account}99"


def _statement_again(story: Story, _: Person) -> None:
    _must_refuse(
        "statement_is_imported_once",
        lambda: story.app.import_statement(story.offering, story.statement, actor="fundadmin.fay"),
    )


def _message_twice(story: Story, person: Person) -> None:
    (profile,) = story.desk.engine.profiles(investors=[person.investor])
    message = story.identity_message(profile, "_again")
    if story.deliver([message, message]) != [True, False] or story.deliver([message]) != [False]:
        raise FaultUnnoticed("a message that came before was recorded again")


def _message_rewritten(story: Story, person: Person) -> None:
    (profile,) = story.desk.engine.profiles(investors=[person.investor])
    _must_refuse("message_id_has_one_body", lambda: story.deliver([story.identity_message(profile)]))


def _message_late(story: Story, person: Person) -> None:
    (profile,) = story.desk.engine.profiles(investors=[person.investor])
    detail = person.detail | {"legal_name": f"{person.detail['legal_name']} Sr"}
    story.change(person, detail, "the son has the same name")
    story.deliver([story.identity_message(profile, "_late")])


def _owner_appears(story: Story, person: Person) -> None:
    story.desk.compliance.declare_owner(
        actor="officer.olga",
        investor=person.investor,
        owner=ident("own", story.seed, f"late/{person.investor}"),
        share_bp=2600,
        controls=False,
        is_identified=False,
    )


def _agreement_voided(story: Story, person: Person) -> None:
    (found,) = story.desk.engine.agreements_in_force(offering=story.offering, investments=[person.investment])
    story.desk.subscription.void_agreement(
        actor="desk.sam",
        offering=story.offering,
        agreement=found["agreement_id"],
        because="a page was missing",
    )


def _another_wallet(story: Story, person: Person) -> None:
    chain_id = story.app.chain.chain_id()
    secret = hashlib.sha256(person.wallet_secret + b"/another").digest()
    offer = story.desk.offer(story.offering)
    claim_wallets(story.desk, [claim_of(offer, person.investor, LocalKey(secret, chain_id=chain_id))])


def _must_refuse(rule: str, act: Callable[[], object]) -> None:
    try:
        act()
    except Refused as refused:
        if refused.rule == rule:
            return
        raise
    raise FaultUnnoticed(f"{rule} was not held")


CATALOGUE = (
    Fault("wire_without_reference", FUNDS, (("payments", "no_reference"),), wires=silent),
    Fault("wire_with_a_reference_of_nobody", FUNDS, (("payments", "unknown_reference"),), wires=_of_nobody),
    Fault("wire_of_a_stranger", FUNDS, (("payments", "source_is_not_approved"),), wires=_of_a_stranger),
    Fault("wire_some_cents_over", wires=_cents_over),
    Fault("wire_some_cents_short", FUNDS, wires=_cents_short),
    Fault("wire_twice", (), (("payments", "amount_exceeds_due"),), wires=_twice),
    Fault("statement_twice", strikes=_statement_again),
    Fault("message_twice", strikes=_message_twice),
    Fault("message_rewritten", strikes=_message_rewritten),
    Fault(
        "message_of_an_earlier_profile",
        CLEARED + SIGNED,
        (("identity", "claimed_is_not_verified"), NO_AGREEMENT),
        strikes=_message_late,
    ),
    Fault("cleared_then_reopened", CLEARED, strikes=_owner_appears),
    Fault("agreement_voided_after_approval", SIGNED, (NO_AGREEMENT,), strikes=_agreement_voided),
    Fault("another_wallet_claimed", (), (("wallets", "claimed_is_not_linked"),), strikes=_another_wallet),
)


def draw(story: Story) -> list[Injected]:
    """Choose faults and whom they strike by the story's seed; each strikes an investor of its own."""
    rng = random.Random(f"{story.seed}/faults")
    free = list(story.people[_STORY_PEOPLE:])
    rng.shuffle(free)
    room = max(0, min(len(CATALOGUE), len(free) - _PEOPLE_PER_CHAIN_FAULT))
    chosen = rng.sample(CATALOGUE, rng.randint(min(3, room), room))
    return [Injected(fault, person) for fault, person in zip(chosen, free, strict=False)]


def of_the_story(story: Story) -> set[Finding]:
    """Return what the story's own four in trouble must bring up on the morning of the close."""
    first, unpaid, third, _, named = (person.investment for person in story.people[:_STORY_PEOPLE])
    waits = {(p, condition) for p in (first, unpaid, third) for condition in CLEARED}
    waits |= {(p, "agreement_is_countersigned") for p in (first, named)}
    waits |= {(unpaid, condition) for condition in FUNDS}
    found = {Finding("gate", condition, investment) for investment, condition in waits}
    return found | {Finding("payments", "no_reference", unpaid)}


def observed(story: Story, missing: Sequence[Mapping[str, str]]) -> set[Finding]:
    """Return what the books say now: every open break, and the conditions a close waits for."""
    payers = {}
    for person in story.people:
        for account in (person.account, strange_account(person.account)):
            payers[fingerprint(account)] = person.investment
    receipts = {
        row["receipt_id"]: payers.get(row["source_fingerprint"], "")
        for row in story.desk.treasury.unmatched(offering=story.offering)
    }
    found = {Finding("gate", each["condition"], each["investment"]) for each in missing}
    for each in story.app.reconcile(story.offering, actor="reconciliation"):
        subject = receipts.get(each["subject_id"], each["subject_id"])
        found.add(Finding(each["comparison"], each["kind"], subject))
    return found


def strike_on_chain(
    story: Story, struck: Sequence[Injected], pulse: Callable[[], None]
) -> dict[str, set[Finding]]:
    """Move units past the register after the last closing, if the seed says so; return what must be found.

    A holder sends a unit to another; the treasury sends one that it still has. ``pulse`` makes a block.
    """
    chain, rng = story.app.chain, random.Random(f"{story.seed}/chain")
    hit = {each.person.number for each in struck}
    free = [p for p in story.people[_STORY_PEOPLE:] if p.number not in hit]
    found: dict[str, set[Finding]] = {}
    if len(free) >= _PEOPLE_PER_CHAIN_FAULT and rng.random() < _CHAIN_FAULT_ODDS:
        sender, receiver = (LocalKey(p.wallet_secret, chain_id=chain.chain_id()) for p in free[:2])
        _send_one_unit(story, sender, receiver.address)
        found["transfer_between_holders"] = {_differs(sender.address), _differs(receiver.address)}
    offer = story.desk.engine.offer(offering=story.offering)
    (kept,) = chain.balances(bytes(offer["token_address"]), [bytes(offer["treasury_address"])])
    if kept and rng.random() < _CHAIN_FAULT_ODDS:
        lucky = LocalKey(story.people[3].wallet_secret, chain_id=chain.chain_id()).address
        _send_one_unit(story, story.app.keys.treasury, lucky)
        book = ident("ctl", story.seed, story.offering)
        supply = Finding("holdings", "supply_is_not_the_control_book", book)
        found["transfer_from_the_treasury"] = {_differs(lucky), supply}
    for _ in range(_BLOCKS_TO_FINAL):
        pulse()
    return found


def _send_one_unit(story: Story, key: Signer, receiver: bytes) -> None:
    chain = story.app.chain
    token = bytes(story.desk.engine.offer(offering=story.offering)["token_address"])
    call = transfer_batch([(receiver, 1)])
    # A holder's wallet has no coin: the sandbox's chain has no base fee.
    free = Fees(0, 0)
    nonce = chain.nonce(key.address)
    signed = key.sign(Transaction(chain.chain_id(), nonce, token, call, _TRANSFER_GAS, free))
    chain.send([signed.raw])


def _differs(address: bytes) -> Finding:
    return Finding("holdings", "units_differ", address.hex())
