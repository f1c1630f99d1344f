"""The composition root: settings, database, chain, keys, process and workflows, put together in one place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bookrunner.adapters import signing
from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.chain import MAX_LINES, Chain, total_supply
from bookrunner.adapters.identity.webhook import parse_identity_event, verify
from bookrunner.adapters.payments.dispatch import Dispatch, carrier_to
from bookrunner.adapters.payments.entries import line_writers
from bookrunner.adapters.payments.notices import active_secrets, parse_payment_notice
from bookrunner.adapters.payments.orders import AccountBook, write_refunds
from bookrunner.adapters.payments.rates import read_reference_rates
from bookrunner.adapters.payments.returns import read_original, write_return
from bookrunner.app.anchors import Anchors
from bookrunner.app.capital import Capital
from bookrunner.app.comparing import Comparing
from bookrunner.app.custody import BY_THE_HOLDER, Held, open_keys, remote_keys
from bookrunner.app.settings import NOTHING, Outside
from bookrunner.app.tending import Tending
from bookrunner.app.witness import seen_supply
from bookrunner.books import subscription
from bookrunner.books.subscription import Archive, Certificates, Consents, Room
from bookrunner.books.treasury import hand_over_waiting, send_refunds, send_return, store_orders
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Database, Endpoint
from bookrunner.engine import ClosingRun, Desk, Process, Submitter
from bookrunner.engine.closing import Progress
from bookrunner.engine.desk import PROCESS
from bookrunner.engine.intake import (
    Deposits,
    ListFolder,
    Screening,
    ask_identity,
    asked_again,
    challenge_facts,
    fingerprint,
    hear_payment,
    hear_signature,
    import_statement,
    record_identities,
    wallet_challenge,
    wallet_proof,
)
from bookrunner.engine.issuance import Controls, Keys, Transfers, deploy_token
from bookrunner.engine.life.servicing.actions import conversions, splits
from bookrunner.engine.life.servicing.buybacks import Buybacks
from bookrunner.engine.life.servicing.distributions import Distributions
from bookrunner.engine.life.servicing.distributions.coins import CoinPayments
from bookrunner.engine.life.servicing.reinvestment import Reinvestments
from bookrunner.engine.process import Errand, carrying, prepare

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Typesetter
    from bookrunner.adapters.signing import Ceremony, SigningProvider
    from bookrunner.books.subscription import Heard, PacketDesk

__all__ = ["LOCAL", "Application", "open_ceremony", "open_keys", "remote_keys"]

LOCAL = "local"


class Application:
    """One installation at work: the desk of keepers, the process that events drive, and the chain."""

    def __init__(
        self,
        endpoint: Endpoint,
        chain: Chain,
        keys: Keys,
        *,
        pause: Callable[[], None],
        lines: int = MAX_LINES,
        outside: Outside = NOTHING,
    ) -> None:
        self.endpoint = endpoint
        self._providers = outside.inquiries
        self.database = Database(endpoint)
        self.desk = Desk(self.database)
        self.bank_files = AnyFormatReader()
        self.rate_files = read_reference_rates
        self.room = Room(lambda press: open_ceremony(endpoint, press))
        self.process = Process(self.desk, self.room)
        self.screening = Screening(self.desk)
        self.archive = Archive(self.desk.packets)
        self.certificates = Certificates(self.desk.packets, self.room)
        self.consents = Consents(self.database, self.room)
        self.signers: dict[str, SigningProvider] = {}
        lists = outside.lists
        self.folder = None if lists is None else ListFolder(self.desk.compliance, lists, actor=PROCESS)
        self.chain, self.keys = chain, keys
        self.post = outside.post
        self.deposits = None if outside.deposits is None else Deposits(self.desk, chain, outside.deposits)
        self.submitter = Submitter(self.desk.registry, chain, keys, pause=pause)
        self.transfers = Transfers(self.desk, chain, keys, self.submitter)
        self.controls = Controls(self.desk, chain, keys, self.submitter)
        self.splits = splits.Splits(self.desk, chain, keys, self.submitter, look=seen_supply)
        self.conversions = conversions.Conversions(self.desk, chain, keys, self.submitter, look=seen_supply)
        self.buybacks = Buybacks(self.desk, chain, keys, self.submitter)
        self.reinvestments = Reinvestments(self.desk, chain, keys, self.submitter)
        self.payments = CoinPayments(self.desk, chain, keys, self.submitter)
        self.comparing = Comparing(self.desk, chain)
        self.distributions = Distributions(self.desk)
        key, to = outside.anchoring, outside.orders_to
        self.anchors = None if key is None else Anchors(self.database, chain, key, pause=pause)
        books = endpoint.secrets.folder / "accounts"
        self._tending = Tending(self, None if to is None else Dispatch(books, to, fingerprint))
        screen = self.screening.for_issuance
        self.capital = Capital(self.desk, outside.capital)
        self._closings = ClosingRun(self.desk, chain, keys, pause=pause, screen=screen, lines=lines)

    def close(self) -> None:
        """Give the connections back and end the press."""
        self.room.close()
        self.database.close()

    @property
    def press(self) -> Typesetter:
        """What sets statements of holders; its process starts with the first one."""
        return self.room.press

    @property
    def signing(self) -> PacketDesk:
        """What carries packets from the investor's signature to the executed file."""
        return subscription.PacketDesk(self.desk.packets, self.room)

    def close_offer(self, offering: str, *, actor: str, ready: bool) -> str:
        """Compare the books, then freeze a closing of everybody, or of those who are ready.

        Its workflow is enqueued with it. Refuses ``closing_set_has_no_blocking_break`` and what
        `Desk.freeze` refuses.
        """
        self.comparing.before_closing(offering, actor=actor)
        closing = self.desk.freeze(offering, actor=actor, ready_only=ready)
        tell("a closing is frozen", offering=offering, closing=closing)
        return closing

    def run_closing(self, offering: str, closing: str, progress: Progress = lambda *_: None) -> int:
        """Carry a frozen closing to the register; may be repeated after any crash."""
        with carrying(self.desk.engine, offering, closing):
            issued = self._closings.run(offering, closing, progress)
        tell("a closing is issued", offering=offering, closing=closing, issued=issued)
        return issued

    def open_closings(self) -> list[tuple[str, str]]:
        """Return (offering, closing) of every frozen closing, which a workflow still has to carry on."""
        return [(row["offering_id"], row["closing_id"]) for row in self.desk.engine.open_closings()]

    def tend(self, look_seconds: int | None = None) -> None:
        """Do one round: look outward and at the clock, answer every event, run errands, and seal.

        ``look_seconds`` stands for the periods of the work by the clock; 0 makes all of it due.
        """
        self._tending.tend(look_seconds)

    def after(self, name: str, kinds: frozenset[str], run: Callable[[], None]) -> None:
        """Run this from now on in the round in which an event of these kinds is heard of."""
        self._tending.errands.add(Errand(name, kinds, lambda _: run()))

    def check_archive(self) -> None:
        """Compare the next part of the archive with its hashes, and make a break of each damage."""
        self.archive.check()
        for row in self.desk.reconciliation.unbroken_damage():
            warn("the archive has other bytes than were archived", offering=row["offering_id"])
            self.comparing.without_chain(row["offering_id"], actor=PROCESS)

    def answer(self) -> None:
        """Answer every event, screen whoever waits, certify what is executed, until nothing waits."""
        self._tending.answer()

    def dry_run(self, offering: str) -> Sequence[dict[str, Any]]:
        """Say who would be in a closing now and what each one lacks; writes nothing."""
        self.desk.offer(offering)
        candidates: Sequence[dict[str, Any]] = self.desk.engine.candidates(offering=offering)
        return candidates

    def import_statement(self, offering: str, raw: bytes, *, actor: str) -> int:
        """Post a bank statement's credits and match them by the rules; return how many were new."""
        added = import_statement(self.desk, self.bank_files, offering, raw, actor=actor)
        tell("a statement is posted", offering=offering, sha256=hashlib.sha256(raw).hexdigest(), rows=added)
        return added

    def open_agreement(self, offering: str, investment: str) -> str:
        """Render and send a new agreement for an investment that has none in force; return its id."""
        terms = self.desk.engine.agreement_terms(scopes=[offering], subjects=[investment], versions=[0])
        row = next((each for each in terms if each["investment_id"] == investment), None)
        if row is None:
            raise UnknownRecord("investment_exists", f"there is no investment {investment} in {offering}")
        prepared = list(prepare(self.desk, self.room, [row]))
        if not prepared:
            raise Refused("application_is_submitted", f"{investment} asks for no agreement")
        ((_, agreement, send),) = prepared
        with self.desk.subscription.together() as within:
            within.in_order(send(within))
        return agreement

    def receive_identity(
        self, headers: Iterable[tuple[str, str]], body: bytes, secrets: Mapping[str, bytes]
    ) -> bool:
        """Verify and record one signed message of the identity provider; false when it came before."""
        (fresh,) = self.receive_identities([(headers, body)], secrets)
        return fresh

    def receive_identities(
        self, messages: Iterable[tuple[Iterable[tuple[str, str]], bytes]], secrets: Mapping[str, bytes]
    ) -> list[bool]:
        """Verify each signed message, then record all in one transaction; false where one came before."""
        verified = []
        for headers, body in messages:
            message = verify(headers, body, now=clock.now(), secrets=secrets)
            verified.append((message, parse_identity_event(body), body))
        fresh = record_identities(self.desk, verified)
        for (message, _, _), is_new in zip(verified, fresh, strict=True):
            said = "an identity message is kept" if is_new else "an identity message came again"
            tell(said, message_id=message.id)
        return fresh

    @property
    def identity_sources(self) -> tuple[str, ...]:
        """The identity providers that can be asked."""
        return tuple(sorted(self._providers))

    def ask_identity(self, provider: str, investor: str, *, actor: str) -> bool:
        """Ask an identity provider about an investor; refuses as `engine.intake.ask_identity` does."""
        if provider not in self._providers:
            raise UnknownRecord("identity_provider_is_known", "no such provider is set up to be asked")
        tell("an identity provider is asked", source=provider, subject=investor)
        return ask_identity(self.desk, *self._providers[provider], investor, actor=actor)

    def receive_payment(self, provider: str, headers: Iterable[tuple[str, str]], body: bytes) -> str:
        """Verify and keep one signed notice of a payment provider, under the secrets of its folder."""
        secrets = active_secrets(self.endpoint.secrets.folder / "payments", provider)
        message = verify(headers, body, now=clock.now(), secrets=secrets)
        return hear_payment(self.desk, provider, message, (parse_payment_notice(body), body))

    def receive_signature(
        self, provider: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Sequence[Heard]:
        """Verify and keep one signed message of an e-sign provider, and look at what it names.

        Refuses ``signing_provider_is_known`` and what :func:`hear_signature` refuses.
        """
        return hear_signature(self.signing, (provider, self.signer(provider)), headers, body)

    def signer(self, name: str) -> SigningProvider:
        """Return an e-sign provider by its name; ``local`` is this installation itself.

        Refuses ``signing_provider_is_known``.
        """
        if name == LOCAL and name not in self.signers:
            secrets = self.endpoint.secrets
            kept = secrets.folder / "envelopes"
            self.signers[name] = signing.LocalProvider(
                kept, self.room.ceremony, secrets.obtain("envelopes.local").encode()
            )
        if name not in self.signers:
            raise UnknownRecord("signing_provider_is_known", "no e-sign provider has that name")
        return self.signers[name]

    def send_refunds(self, offering: str, accounts: str, to: Path | str) -> int:
        """Hand the refunds that wait to the file desk in a folder, or to the bank at a URL.

        ``accounts`` are lines of ``name,number,bank``, the escrow account first. Returns how many orders were
        acknowledged; refuses ``account_book_is_readable`` and ``payee_account_is_known``.
        """
        book = AccountBook(accounts, fingerprint)
        write = write_refunds(book.debtor, book.holder, clock.today())
        with carrier_to(str(to)) as courier:
            sent = send_refunds(self.desk.treasury, offering, write, courier)
        tell("refunds are sent", offering=offering, rows=sent)
        return sent

    def pay_lines(self, offering: str, accounts: str, to: Path | str, sender: Path | None = None) -> int:
        """Order the owed lines of an offer's distributions and hand them over; return how many were taken.

        Whoever may not be paid now is held with its reason; what was stored and not taken goes first. Entries
        of the ACH need their ``sender``. Reads ``accounts`` and refuses as `send_refunds` does.
        """
        write, entries = line_writers(accounts, sender, fingerprint, clock.today())
        with carrier_to(str(to)) as courier:
            sent = len(hand_over_waiting(self.desk.treasury, offering, courier))
            rows = store_orders(self.database, offering, write, entries=entries)
            sent += len(hand_over_waiting(self.desk.treasury, offering, courier))
        tell("lines are ordered", offering=offering, rows=rows)
        return sent

    def send_return(self, on: tuple[str, str], accounts: str, original: str, to: Path | str) -> int:
        """Send one refund, (offering, id), as the return of its payment; return how many orders were taken.

        ``original`` says in JSON which payment it was and why it goes back. Refuses ``original_is_readable``,
        ``returned_refund_waits``, ``return_names_its_payment`` and as `send_refunds` does.
        """
        offering, refund = on
        write = write_return(AccountBook(accounts, fingerprint), read_original(original), clock.today())
        with carrier_to(str(to)) as courier:
            sent = send_return(self.desk.treasury, on, write, courier)
        tell("a payment is returned", offering=offering, subject=refund)
        return sent

    def wallet_challenge(self, offering: str, investor: str, written: str, *, domain: str) -> tuple[str, str]:
        """Keep what a wallet has to sign, for an address as a person wrote it; return id and text."""
        ours = (self.keys.agent.address, self.keys.treasury.address)
        asked = wallet_challenge(self.desk.offer(offering), investor, written, domain=domain, ours=ours)
        facts = challenge_facts((offering, investor), asked)
        self.desk.portal.issue_challenge(**facts)
        return str(facts["challenge"]), asked.text()

    def claim_wallet(
        self, offering: str, investor: str, challenge: str, signature: bytes, *, held: Held = BY_THE_HOLDER
    ) -> str:
        """Record a wallet that signed its challenge, as a key or as a contract; return the claim's id.

        ``held`` states who controls its key.
        Refuses ``challenge_exists``, ``challenge_names_investor_and_offer``, ``one_proof_serves_once`` and
        what `wallet_proof` refuses.
        """
        where = {"offering": offering, "challenge": challenge}
        asked = self.desk.portal.challenge(**where)
        if asked is None:
            raise UnknownRecord("challenge_exists", f"there is no challenge {challenge} in {offering}")
        proof = wallet_proof(asked, signature, self.chain)
        claim = new_id("wcl")
        self.desk.portal.claim_wallet(
            actor=investor, **where, claim=claim, investor=investor, **proof, **held._asdict()
        )
        return claim

    def link_wallet(self, offering: str, mapping: str, *, actor: str) -> None:
        """Make an approved wallet effective, after a look at the proof of its claim.

        A key's proof is computed again, a contract is asked again, for its owners change. Refuses
        ``wallet_proof_is_valid`` and what the register refuses.
        """
        witness = asked_again(self.desk, self.chain, offering, mapping)
        self.desk.registry.link_wallet(actor=actor, offering=offering, mapping=mapping, witness=witness)

    def join_wallet(self, offering: str, mapping: str, *, actor: str) -> None:
        """Make an approved wallet effective beside the linked one, after the same look at its proof."""
        witness = asked_again(self.desk, self.chain, offering, mapping)
        self.desk.registry.join_wallet(actor=actor, offering=offering, mapping=mapping, witness=witness)

    def compare_records(self, offering: str, *, actor: str) -> int:
        """Compare control book, register, postings, lots and chain; return how many pairs differ now."""
        seen = seen_supply(self.chain, self.desk.offer(offering))
        return int(self.desk.registry.compare_records(actor=actor, offering=offering, chain=seen))

    def watch_token(self, offering: str) -> int:
        """Read the final transfers of an offer's token on; return how many were none of ours."""
        return self._tending.watch_token(offering)

    def deploy_token(self, artifacts: Path, offering: str, units: int) -> bytes:
        """Deploy the token of a legally accepted offer and mint its units to the treasury wallet."""
        signing = (self.chain, self.keys, self.submitter)
        return deploy_token(self.desk, signing, (artifacts, offering, units))

    def reconcile(self, offering: str, *, actor: str) -> Sequence[dict[str, Any]]:
        """Compare the five books and the chain; return every break that nothing has verified."""
        return self.comparing.run(offering, actor=actor)

    def totals(self, offering: str) -> dict[str, int]:
        """Return the units in register, control book and display, and those the chain has delivered."""
        offer = self.desk.offer(offering)
        row = dict(self.desk.engine.totals(offering=offering))
        token = bytes(offer["token_address"])
        (supply,) = self.chain.read([total_supply(token)])
        (kept,) = self.chain.balances(token, [bytes(offer["treasury_address"])])
        return row | {"chain_units": supply - kept}


def open_ceremony(endpoint: Endpoint, press: Typesetter) -> Ceremony:
    """Return the ceremony whose authority keeps its keys with the secrets of this installation."""
    authority = signing.SandboxAuthority.open(endpoint.secrets.folder / "signing")
    return signing.Ceremony(authority, signing.SandboxTimeStamper(authority.time_stamps), press)
