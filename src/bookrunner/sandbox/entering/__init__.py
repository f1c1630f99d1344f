"""How investors enter the sandbox's raise: profile, investment, wallet, and the checks compliance opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bookrunner.adapters.chain import checksum
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.app import Application
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Row
from bookrunner.engine import Desk
from bookrunner.engine.intake import challenge_facts, fingerprint, wallet_challenge, wallet_proof
from bookrunner.sandbox.entering.checks import Checks
from bookrunner.sandbox.people import Person, ident
from bookrunner.sandbox.props import Progress, spread

DOMAIN = "sandbox.example.test"


@dataclass(frozen=True, slots=True)
class Entering:
    """Where investors enter: the offer, and the seed of what is made up."""

    offering: str
    seed: int


def enter(app: Application, place: Entering, people: Sequence[Person], progress: Progress) -> None:
    """Let every investor in, in groups: each keeper records a group in one transaction of its own."""
    checks = officer(app, place.offering)
    checks.put_lists_in_force()
    # The first decision under a programme keeps the programme, and whoever decides meanwhile waits for its
    # transaction: that of a whole group outlasts the time that a lock is waited for.
    spread(people, "onboarding", progress, lambda group: _enter(app, place, group, checks), ahead=1)
    app.answer()


def officer(app: Application, offering: str) -> Checks:
    """Return the officer's steps for an offering."""
    return Checks(app.desk.compliance, offering)


def _enter(app: Application, place: Entering, group: Sequence[Person], checks: Checks) -> None:
    desk, chain_id = app.desk, app.chain.chain_id()
    keys = [LocalKey(person.wallet_secret, chain_id=chain_id) for person in group]
    offer = app.desk.offer(place.offering)
    claims = [claim_of(offer, person.investor, key) for person, key in zip(group, keys, strict=True)]
    with desk.portal.together() as portal:
        portal.open_profile.each(_profile(person) for person in group)
    with desk.engine.together() as engine:
        engine.open_investment.each(_investment(person, place) for person in group)
    claim_wallets(desk, claims)
    checks.open(group)
    with desk.treasury.together() as treasury:
        treasury.approve_source.each(_source(person, place) for person in group)


def claim_of(offer: Row, investor: str, key: LocalKey) -> tuple[Arguments, Arguments]:
    """Return what a wallet was asked and the claim of it, proved by its own key."""
    asked = wallet_challenge(offer, investor, checksum(key.address), domain=DOMAIN, ours=())
    facts = challenge_facts((offer["offering_id"], investor), asked)
    kept = {"address": asked.address, "message": asked.text(), "expires_at": asked.expires_at}
    claim = {
        "actor": investor,
        "offering": offer["offering_id"],
        "claim": new_id("wcl"),
        "investor": investor,
        "challenge": facts["challenge"],
        "controller": "holder",
        "custodian": None,
        **wallet_proof(kept, key.sign_text(asked.text())),
    }
    return facts, claim


def claim_wallets(desk: Desk, claims: Sequence[tuple[Arguments, Arguments]]) -> None:
    """Let the portal keep what wallets were asked, then their claims, in one transaction."""
    with desk.portal.together() as portal:
        portal.issue_challenge.each(asked for asked, _ in claims)
        portal.claim_wallet.each(claim for _, claim in claims)


def _profile(person: Person) -> Arguments:
    return {
        "actor": person.investor,
        "investor": person.investor,
        "account": f"acc_{person.investor[4:]}",
        "kind": person.kind,
        "detail": person.detail,
    }


def _investment(person: Person, place: Entering) -> Arguments:
    return {
        "actor": person.investor,
        "offering": place.offering,
        "investment": person.investment,
        "investor": person.investor,
        "units": person.units,
    }


def _source(person: Person, place: Entering) -> Arguments:
    return {
        "actor": "fundadmin.fay",
        "investor": person.investor,
        "source": ident("src", place.seed, person.investor),
        "fingerprint": fingerprint(person.account),
    }
