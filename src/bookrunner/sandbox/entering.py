"""How investors enter the sandbox's raise: profile, investment, wallet, and the checks compliance opens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bookrunner.adapters.chain import Challenge, new_nonce, recover
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.screening.wallets import ListedWallets
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Within
from bookrunner.engine import Desk
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.people import Person, ident
from bookrunner.sandbox.props import Progress, evidence, listed_addresses, spread

OFFICER = "officer.olga"
LIST_DAY = date(2024, 9, 1)
_WITH_OWNERS = frozenset({"entity", "trust"})


@dataclass(frozen=True, slots=True)
class Entering:
    """Where investors enter: the offer, the seed of what is made up, and the chain of their wallets."""

    offering: str
    seed: int
    chain_id: int


def enter(desk: Desk, place: Entering, people: Sequence[Person], progress: Progress) -> None:
    """Let every investor in, in groups: each keeper records a group in one transaction of its own."""
    listed = ListedWallets.load({"ETH": listed_addresses()}, published_on=LIST_DAY)
    spread(people, "onboarding", progress, lambda group: _enter(desk, place, group, listed))


def _enter(desk: Desk, place: Entering, group: Sequence[Person], listed: ListedWallets) -> None:
    keys = [LocalKey(person.wallet_secret, chain_id=place.chain_id) for person in group]
    claims = [claim_of(person, key, place) for person, key in zip(group, keys, strict=True)]
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


def claim_of(person: Person, key: LocalKey, place: Entering) -> Arguments:
    """Return the claim of a wallet, proved by its own key."""
    now = clock.now()
    challenge = Challenge(
        domain="sandbox.example.test",
        address=key.address,
        statement=f"I claim this wallet for {person.investor} in {place.offering}.",
        uri="https://sandbox.example.test/wallets",
        chain_id=place.chain_id,
        nonce=new_nonce(),
        issued_at=now,
        expires_at=now + timedelta(minutes=10),
    ).text()
    signature = key.sign_text(challenge)
    if recover(challenge, signature) != key.address:
        raise Refused("wallet_proof_is_valid", "another key signed the challenge")
    return {
        "actor": person.investor,
        "offering": place.offering,
        "claim": new_id("wcl"),
        "investor": person.investor,
        "chain_id": place.chain_id,
        "address": key.address,
        "challenge_sha256": hashlib.sha256(challenge.encode()).digest(),
        "signature": signature,
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
