"""The seeded raise: offer, investors, facts and gaps, all through the keepers' own verbs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from bookrunner.adapters.chain import Challenge, new_nonce, recover
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.identity.webhook import sign as sign_message
from bookrunner.adapters.screening.wallets import ListedWallets
from bookrunner.adapters.signing import signed, verify
from bookrunner.app import Application
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.checks import Checks
from bookrunner.sandbox.people import Person, ident, people
from bookrunner.sandbox.props import Progress, each, evidence, listed_addresses, signing_key

PRICE_MINOR = 10_000
MINIMUM_UNITS = 10
UNITS_PER_RAISE = 114_000
INVESTORS = 310
ESCROW_ACCOUNT = "021000021-900100200"
ISSUER_PAYEE = fingerprint("021000021-700700700")
LIST_DAY = date(2024, 9, 1)
_ITEMS = (
    ("material", "memorandum", "The offering memorandum, version 1."),
    ("risk", "illiquidity", "Units may not be sold for a long time, or at all."),
    ("risk", "total_loss", "The whole investment may be lost."),
    ("representation", "accredited", "I am an accredited investor."),
    ("representation", "own_account", "I buy for my own account."),
)


class Story:
    """One raise made from a seed on one application; each chapter is played through real verbs."""

    def __init__(self, app: Application, *, investors: int = INVESTORS, seed: int = 1) -> None:
        self.app = app
        self.desk = app.desk
        self.seed = seed
        self.offering = ident("ofr", seed, f"raise/{investors}")
        self.units = UNITS_PER_RAISE * investors // INVESTORS
        self.people: Sequence[Person] = people(investors, seed, self.units, MINIMUM_UNITS)
        self._secret = hashlib.sha256(f"{seed}/webhook".encode()).digest()
        self._issuer = signing_key(seed, "issuer")
        listed = ListedWallets.load({"ETH": listed_addresses()}, published_on=LIST_DAY)
        self._checks = Checks(self.desk, self.offering, listed)

    def exists(self) -> bool:
        """Say whether this raise was played on this database before."""
        return self.desk.engine.offer(offering=self.offering) is not None

    def play(self, artifacts: Callable[[], object], progress: Progress = lambda *_: None) -> None:
        """Play the raise up to the morning of the close, with its four investors in trouble."""
        self.publish(artifacts)
        self.enter(progress)
        self.verify_identities(progress)
        self.sign_and_confirm(progress)
        self.countersign_all(progress)
        self.fund()
        self.link_wallets(progress)
        self.break_four()

    def publish(self, deploy: Callable[[], object]) -> None:
        """Open the offer, have it reviewed, deploy its token, put its packet in force, publish it."""
        engine, offering = self.desk.engine, self.offering
        terms = {
            "issuer_id": ident("iss", self.seed, "issuer"),
            "name": "Harbor Street Credit Fund I",
            "exemption": "506(c)",
            "currency": "USD",
            "unit_price_minor": PRICE_MINOR,
            "units_total": self.units,
            "minimum_units": MINIMUM_UNITS,
        }
        engine.open_offer(actor="issuer.iris", offering=offering, terms=terms)
        for status in ("legal_review", "legal_accepted"):
            engine.move_offer(actor="counsel.carl", offering=offering, status=status)
        authority = hashlib.sha256(b"board resolution").digest()
        self.desk.registry.open_control_book(
            actor="agent.theo",
            offering=offering,
            control=ident("ctl", self.seed, offering),
            authorised_units=self.units,
            authority_sha256=authority,
        )
        deploy()
        for kind, code, sentence in _ITEMS:
            digest = self.desk.subscription.archive(
                actor="desk.sam", content=f"{code}\n{sentence}\n{offering}".encode(), media_type="text/plain"
            )
            self.desk.subscription.require_item(
                actor="desk.sam",
                offering=offering,
                kind=kind,
                code=code,
                version=1,
                document_sha256=digest,
                sentence=sentence,
            )
        engine.move_offer(actor="issuer.iris", offering=offering, status="published")

    def enter(self, progress: Progress) -> None:
        """Every investor opens a profile, an investment, a wallet and the checks that compliance needs."""
        self._checks.put_list_in_force()
        for person in each(self.people, "onboarding", progress):
            actor = person.investor
            self.desk.portal.open_profile(
                actor=actor,
                investor=person.investor,
                account=f"acc_{person.investor[4:]}",
                kind=person.kind,
                detail=person.detail,
            )
            self.desk.engine.open_investment(
                actor=actor,
                offering=self.offering,
                investment=person.investment,
                investor=person.investor,
                units=person.units,
            )
            self._claim_wallet(person)
            self._open_checks(person)
            self.desk.treasury.approve_source(
                actor="fundadmin.fay",
                investor=person.investor,
                source=ident("src", self.seed, person.investor),
                fingerprint=fingerprint(person.account),
            )

    def _claim_wallet(self, person: Person) -> None:
        key = LocalKey(person.wallet_secret, chain_id=self.app.chain.chain_id())
        now = clock.now()
        challenge = Challenge(
            domain="sandbox.example.test",
            address=key.address,
            statement=f"I claim this wallet for {person.investor} in {self.offering}.",
            uri="https://sandbox.example.test/wallets",
            chain_id=self.app.chain.chain_id(),
            nonce=new_nonce(),
            issued_at=now,
            expires_at=now + timedelta(minutes=10),
        ).text()
        signature = key.sign_text(challenge)
        if recover(challenge, signature) != key.address:
            raise Refused("wallet_proof_is_valid", "another key signed the challenge")
        self.desk.portal.claim_wallet(
            actor=person.investor,
            offering=self.offering,
            claim=new_id("wcl"),
            investor=person.investor,
            chain_id=self.app.chain.chain_id(),
            address=key.address,
            challenge_sha256=hashlib.sha256(challenge.encode()).digest(),
            signature=signature,
        )

    def _open_checks(self, person: Person) -> None:
        wallet = LocalKey(person.wallet_secret, chain_id=self.app.chain.chain_id()).address
        self._checks.open(person, wallet)

    def verify_identities(self, progress: Progress = lambda *_: None) -> None:
        """Bring in the identity provider's signed messages; those they clear are sent agreements."""
        for person in each(self.people, "identity", progress):
            self.identity_message(person)
        self.app.process.drain()

    def identity_message(self, person: Person) -> bool:
        """Send one signed message about the profile as it stands now."""
        profile = self.desk.engine.profile(investor=person.investor)
        digest = bytes(profile["detail_digest"]).hex()
        message = f"msg_{person.investor[4:]}_{profile['detail_version']}"
        event = {
            "event_id": message,
            "kind": "identity.completed",
            "subject": f"{person.investor}-{digest}",
            "outcome": "approved",
            "evidence_sha256": hashlib.sha256(message.encode()).hexdigest(),
            "occurred_at": clock.now().isoformat(),
        }
        body = json.dumps(event).encode()
        headers = sign_message(message, body, now=clock.now(), secrets=[self._secret])
        return self.app.receive_identity(headers, body, {"sandbox-1": self._secret})

    def sign_and_confirm(self, progress: Progress = lambda *_: None) -> None:
        """Every investor acknowledges each item, signs the agreement and submits the review step."""
        items = self.desk.subscription.requirements(offering=self.offering)
        for person in each(self.people, "signing", progress):
            said = [
                {"id": new_id("ack"), "kind": i["kind"], "code": i["code"], "version": i["item_version"]}
                for i in items
            ]
            self.desk.subscription.acknowledge(
                actor=person.investor, offering=self.offering, investment=person.investment, items=said
            )
            self.sign(person)
            self.desk.engine.confirm(
                actor=person.investor, offering=self.offering, investment=person.investment
            )

    def sign(self, person: Person) -> None:
        """Sign the agreement in force as the investor."""
        found = self.desk.engine.agreement_in_force(offering=self.offering, investment=person.investment)
        intent = "I agree to be bound by this subscription agreement."
        key = signing_key(self.seed, person.investor)
        proof = signed(key, bytes(found["document_sha256"]), capacity="investor", intent=intent)
        verify(proof)
        self.desk.subscription.sign(
            actor=person.investor, offering=self.offering, agreement=found["agreement_id"], proof=proof
        )

    def countersign(self, agreement: str) -> None:
        """Countersign one agreement as the issuer; refused while its gate is closed."""
        row = self.desk.subscription.investor_signature(offering=self.offering, agreement=agreement)
        digest = hashlib.sha256(bytes(row["document_sha256"]) + bytes(row["signature"])).digest()
        proof = signed(
            self._issuer, digest, capacity="issuer", intent="The issuer accepts this subscription."
        )
        verify(proof)
        self.desk.subscription.countersign(
            actor="issuer.iris", offering=self.offering, agreement=agreement, proof=proof
        )

    def countersign_all(self, progress: Progress = lambda *_: None) -> None:
        """Countersign, have a second person approve the units, let instructions go out."""
        waiting = self.desk.subscription.agreements_in(offering=self.offering, status="investor_signed")
        for row in each(waiting, "countersigning", progress):
            self.countersign(row["agreement_id"])
        self.app.process.drain()
        for row in each(
            self.desk.subscription.proposed_allocations(offering=self.offering), "allocation", progress
        ):
            self.desk.subscription.approve_allocation(
                actor="placement.pia", offering=self.offering, approval=row["approval_id"]
            )
        self.app.process.drain()

    def fund(self) -> None:
        """Import the bank's statement file, in which one wire carries no reference."""
        by_investment = {p.investment: p for p in self.people}
        day = clock.today()
        silent = self.people[1].investment
        payments = [
            Payment(
                amount_minor=row["due_minor"],
                reference=None if row["investment_id"] == silent else row["reference"],
                debtor_name=by_investment[row["investment_id"]].detail["legal_name"],
                debtor_account=by_investment[row["investment_id"]].account,
                value_on=day,
            )
            for row in self.desk.treasury.attempts(offering=self.offering)
        ]
        head = StatementHead(ESCROW_ACCOUNT, "USD", 1, day)
        self.app.import_statement(self.offering, write_statement(head, payments), actor="fundadmin.fay")
        self.desk.treasury.clear(actor="fundadmin.fay", offering=self.offering, receipts=None)

    def link_wallets(self, progress: Progress = lambda *_: None) -> None:
        """Approve each screened wallet as the issuer and link it as the transfer agent."""
        self.app.process.drain()
        waiting = self.desk.registry.claimed_mappings(offering=self.offering)
        for row in each(waiting, "wallets", progress):
            self.desk.registry.approve_wallet(
                actor="issuer.iris", offering=self.offering, mapping=row["mapping_id"]
            )
            self.desk.registry.link_wallet(
                actor="agent.theo", offering=self.offering, mapping=row["mapping_id"]
            )

    def break_four(self) -> None:
        """Correct two packets after funding, then let a review find three unidentified owners."""
        first, named = self.people[0], self.people[4]
        self._execute_again(first, "the ownership schedule was corrected")
        detail = named.detail | {"legal_name": f"{named.detail['legal_name']} Jr"}
        self._change(named, detail)
        self.app.process.drain()
        self.identity_message(named)
        self.app.process.drain()
        self.sign(named)
        for person in self.people[:3]:
            self._checks.find_owner(person.investor, ident("own", self.seed, person.investor))
        self.app.process.drain()

    def _change(self, person: Person, detail: dict[str, str]) -> None:
        change = {"investor": person.investor, "change": ident("chg", self.seed, person.investor)}
        because = "the name on the passport has a suffix"
        self.desk.portal.request_change(
            actor=person.investor, **change, detail=detail, because=because, evidence_sha256=evidence(because)
        )
        self.desk.portal.decide_change(
            actor="officer.omar", **change, is_approved=True, because="the passport was seen", seen=1
        )

    def _execute_again(self, person: Person, because: str) -> None:
        found = self.desk.engine.agreement_in_force(offering=self.offering, investment=person.investment)
        self.desk.subscription.void_agreement(
            actor="desk.sam", offering=self.offering, agreement=found["agreement_id"], because=because
        )
        self.app.open_agreement(self.offering, person.investment)
        self.sign(person)

    def repair(self) -> None:
        """Repair the four: owners verified, agreements countersigned, the silent wire matched."""
        for person in self.people[:3]:
            self._checks.verify_owner(person.investor, ident("own", self.seed, person.investor))
        for row in self.desk.subscription.agreements_in(offering=self.offering, status="investor_signed"):
            self.countersign(row["agreement_id"])
        (receipt,) = self.desk.treasury.unmatched(offering=self.offering)
        self.desk.treasury.match_by_hand(
            actor="fundadmin.finn",
            offering=self.offering,
            receipt=receipt["receipt_id"],
            investment=self.people[1].investment,
            proposed_by="fundadmin.fay",
        )
        self.desk.treasury.clear(actor="fundadmin.fay", offering=self.offering, receipts=None)
        self.app.process.drain()

    def release(self, closing: str) -> int:
        """Two fund administrators release the escrow of an issued closing; return its minor units."""
        release = new_id("rel")
        amount: int = self.desk.treasury.propose_release(
            actor="fundadmin.fay",
            offering=self.offering,
            release=release,
            closing=closing,
            payee_fingerprint=ISSUER_PAYEE,
        )
        self.desk.treasury.approve_release(
            actor="fundadmin.finn",
            offering=self.offering,
            release=release,
            payee_fingerprint=ISSUER_PAYEE,
            amount_minor=amount,
        )
        self.app.process.drain()
        return amount
