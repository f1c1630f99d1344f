"""How investors enter the sandbox's raise: profile, investment, wallet, and the checks compliance opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bookrunner.adapters.chain import checksum
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.screening.wallets import ListedWallets
from bookrunner.app import Application
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Row, Within
from bookrunner.engine.intake import fingerprint, wallet_challenge, wallet_claim
from bookrunner.sandbox.people import Person, ident
from bookrunner.sandbox.props import Progress, evidence, listed_addresses, spread

OFFICER = "officer.olga"
DOMAIN = "sandbox.example.test"
LIST_DAY = date(2024, 9, 1)
_WITH_OWNERS = frozenset({"entity", "trust"})


@dataclass(frozen=True, slots=True)
class Entering:
    """Where investors enter: the offer, and the seed of what is made up."""

    offering: str
    seed: int


def enter(app: Application, place: Entering, people: Sequence[Person], progress: Progress) -> None:
    """Let every investor in, in groups: each keeper records a group in one transaction of its own."""
    listed = ListedWallets.load({"ETH": listed_addresses()}, published_on=LIST_DAY)
    spread(people, "onboarding", progress, lambda group: _enter(app, place, group, listed))


def _enter(app: Application, place: Entering, group: Sequence[Person], listed: ListedWallets) -> None:
    desk, chain_id = app.desk, app.chain.chain_id()
    keys = [LocalKey(person.wallet_secret, chain_id=chain_id) for person in group]
    offer = app.desk.offer(place.offering)
    claims = [claim_of(offer, person.investor, key) for person, key in zip(group, keys, strict=True)]
    with desk.portal.together() as portal:
        portal.open_profile.each(_profile(person) for person in group)
    with desk.engine.together() as engine:
        engine.open_investment.each(_investment(person, place) for person in group)
    with desk.portal.together() as portal:
        portal.claim_wallet.each(claims)
    with desk.compliance.together() as compliance:
        _open_checks(compliance, place, group)
        compliance.record_screening.each(_screenings(group, keys, listed))
        compliance.record_accreditation.each(_accreditation(person) for person in group)
    with desk.treasury.together() as treasury:
        treasury.approve_source.each(_source(person, place) for person in group)


def claim_of(offer: Row, investor: str, key: LocalKey) -> Arguments:
    """Return the claim of a wallet, proved by its own key."""
    challenge = wallet_challenge(offer, investor, checksum(key.address), domain=DOMAIN, ours=())
    return wallet_claim((offer["offering_id"], investor), challenge, key.sign_text(challenge.text()))


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


def _open_checks(compliance: Within, place: Entering, group: Sequence[Person]) -> None:
    compliance.open_case.each(
        {"actor": OFFICER, "investor": person.investor, "case": new_id("kyc"), "kind": person.kind}
        for person in group
    )
    compliance.open_clearance.each(
        {
            "actor": OFFICER,
            "offering": place.offering,
            "clearance": new_id("clr"),
            "investor": person.investor,
            "needs_accreditation": True,
        }
        for person in group
    )
    owners = [
        {"actor": OFFICER, "investor": person.investor, "owner": new_id("own")}
        for person in group
        if person.kind in _WITH_OWNERS
    ]
    named = {"share_bp": 6000, "controls": True, "is_identified": True}
    compliance.declare_owner.each({**owner, **named} for owner in owners)
    compliance.verify_owner.each({**owner, "evidence_sha256": evidence(owner["owner"])} for owner in owners)


def _screenings(
    group: Sequence[Person], keys: Sequence[LocalKey], listed: ListedWallets
) -> Iterator[Arguments]:
    for person, key in zip(group, keys, strict=True):
        hit = listed.screen(key.address)
        found = {
            person.investor: None,
            f"wallet:{key.address.hex()}": hit.matched.address if hit.matched else None,
        }
        for subject, matched in found.items():
            yield {
                "actor": OFFICER,
                "subject": subject,
                "screening": new_id("scr"),
                "list_version": str(listed.version),
                "matched": matched,
            }


def _accreditation(person: Person) -> Arguments:
    return {
        "actor": OFFICER,
        "investor": person.investor,
        "accreditation": new_id("acr"),
        "method": "net_worth",
        "evidence_sha256": evidence(person.investor),
        "valid_until": clock.now() + timedelta(days=90),
    }


def _source(person: Person, place: Entering) -> Arguments:
    return {
        "actor": "fundadmin.fay",
        "investor": person.investor,
        "source": ident("src", place.seed, person.investor),
        "fingerprint": fingerprint(person.account),
    }
