"""A raise whose wallets and deliveries are on paper, so that it needs a database and nothing else."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from bookrunner.app import Application
from bookrunner.db import Arguments
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.entering import officer
from bookrunner.sandbox.people import Person, ident
from bookrunner.sandbox.props import Progress, spread
from bookrunner.sandbox.story import Message, Story

CHAIN_ID = 1
AGENT = "agent.theo"


class Crowd(Story):
    """The story of a raise on an application whose chain nobody asks."""

    def __init__(self, app: Application, *, investors: int, seed: int = 1) -> None:
        super().__init__(app, investors=investors, seed=seed)
        # The story of the four in trouble is told elsewhere.
        self.wires.clear()
        self.sent: list[Message] = []
        # How likely the identity provider holds a message back, and what it holds, by investor.
        self.late_odds = 0.0
        self.late: dict[str, Message] = {}

    def deliver(self, messages: Sequence[Message]) -> list[bool]:
        """Hand signed messages to the application, and remember them."""
        kept = [(list(headers), body) for headers, body in messages]
        self.sent.extend(each for each in kept if each not in self.sent)
        return super().deliver(kept)

    def identity_messages(self, group: Sequence[Person]) -> list[bool]:
        """Send the message of each person whose seed does not hold it back; those come late, or never."""
        on_time = []
        for profile in self.desk.engine.profiles(investors=[person.investor for person in group]):
            investor, message = profile["investor_id"], self.identity_message(profile)
            if random.Random(f"{self.seed}/late/{investor}").random() < self.late_odds:
                self.late[investor] = message
            else:
                on_time.append(message)
        return self.deliver(on_time) if on_time else []

    def sign_and_confirm(self, progress: Progress = lambda *_: None) -> None:
        """Let everybody sign and confirm whose identity is known; the others come when their message does."""
        items = self.desk.subscription.requirements(offering=self.offering)
        ready = [person for person in self.people if person.investor not in self.late]
        spread(ready, "signing", progress, lambda group: self.sign_and_submit(group, items))

    def open(self) -> None:
        """Publish the offer, with a token that somebody else is said to have deployed."""
        token, treasury = (hashlib.sha256(f"{self.offering}/{name}".encode()).digest()[:20] for name in "tw")
        self.publish(
            lambda: self.desk.engine.name_token(
                actor="issuer.iris",
                offering=self.offering,
                chain_id=CHAIN_ID,
                token=token,
                treasury=treasury,
            )
        )

    def enter(self, progress: Progress = lambda *_: None) -> None:
        """Every investor opens a profile, an investment and the checks that compliance needs."""
        checks = officer(self.app, self.offering)
        checks.put_lists_in_force()

        def work(group: Sequence[Person]) -> None:
            with self.desk.portal.together() as portal:
                portal.open_profile.each(_profile(person) for person in group)
            with self.desk.engine.together() as engine:
                engine.open_investment.each(self.order(person) for person in group)
            checks.open(group)
            with self.desk.treasury.together() as treasury:
                treasury.approve_source.each(self._source(person) for person in group)

        # The first decision under a programme keeps it, and whoever decides meanwhile waits for its group.
        spread(self.people, "onboarding", progress, work, ahead=1)
        self.app.answer()

    def play_to_funds(self, progress: Progress = lambda *_: None) -> None:
        """Play until every investor's wire is matched and cleared."""
        self.open()
        self.enter(progress)
        self.verify_identities(progress)
        self.sign_and_confirm(progress)
        self.countersign_all(progress)
        self.fund()

    def link_wallets(self, progress: Progress = lambda *_: None) -> None:
        """Map a wallet of each investor, on the word of a claim that is not kept here."""

        def work(group: Sequence[Person]) -> None:
            where = [self._mapping(person) for person in group]
            with self.desk.registry.together() as within:
                within.open_mapping.each(
                    {
                        **each,
                        "investor": person.investor,
                        "chain_id": CHAIN_ID,
                        "address": address(person),
                        "claim_fact": "paper@1",
                        "proof_kind": "key",
                        "controller": "holder",
                        "custodian": None,
                    }
                    for each, person in zip(where, group, strict=True)
                )
                within.mark_screened.each({**each, "screening_fact": "paper@1"} for each in where)
                within.approve_wallet.each({**each, "actor": "issuer.iris"} for each in where)
                within.link_wallet.each({**each, "witness": None} for each in where)

        spread(self.people, "wallets", progress, work)

    def _mapping(self, person: Person) -> Arguments:
        mapping = ident("wmp", self.seed, f"{self.offering}/{person.investor}")
        return {"actor": AGENT, "offering": self.offering, "mapping": mapping}

    def order(self, person: Person) -> Arguments:
        """Return what opens the investment of a person."""
        return {
            "actor": person.investor,
            "offering": self.offering,
            "investment": person.investment,
            "investor": person.investor,
            "units": person.units,
        }

    def _source(self, person: Person) -> Arguments:
        source = ident("src", self.seed, person.investor)
        print_of = fingerprint(person.account)
        return {
            "actor": "fundadmin.fay",
            "investor": person.investor,
            "source": source,
            "fingerprint": print_of,
        }


def address(person: Person) -> bytes:
    """Return the 20 bytes that stand for an investor's wallet."""
    return hashlib.sha256(person.wallet_secret).digest()[-20:]


def _profile(person: Person) -> Arguments:
    return {
        "actor": person.investor,
        "investor": person.investor,
        "account": f"acc_{person.investor[4:]}",
        "kind": person.kind,
        "detail": person.detail,
    }
