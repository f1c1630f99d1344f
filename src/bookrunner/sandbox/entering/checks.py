"""The compliance officer of the seeded raise: list, cases, papers, owners, screenings, accreditation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bookrunner.adapters.screening.wallets import ListedWallets
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Keeper, Row, Within
from bookrunner.sandbox.people import Person
from bookrunner.sandbox.props import evidence

OFFICER = "officer.olga"
SOURCE = "us.ofac.wallets"
# A subject that is screened, with the wallet it is, if it is one.
Screened = tuple[str, bytes | None]
_WITH_OWNERS = frozenset({"entity", "trust"})


class Checks:
    """The checks of one offering, recorded by one officer against one list."""

    def __init__(self, compliance: Keeper, offering: str, listed: ListedWallets) -> None:
        self._compliance = compliance
        self._offering = offering
        self._listed = listed
        self._version = str(listed.version)

    def put_list_in_force(self) -> None:
        """Import and activate the list, unless it stands already."""
        where = {"actor": OFFICER, "source": SOURCE, "list_version": self._version}
        fresh = self._compliance.import_list(
            **where,
            sha256=bytes.fromhex(self._listed.version.sha256),
            published_on=self._listed.version.published_on,
            entry_count=len(self._listed),
            parser_version="wallets.1",
        )
        if fresh:
            self._compliance.activate_list(**where, because=None)

    def open(self, group: Sequence[Person], wallets: Sequence[bytes]) -> None:
        """Open case and clearance of each investor and record every check but its identity, all at once."""
        investors = [person.investor for person in group]
        with self._compliance.together() as within:
            within.open_case.each({**_of(p.investor), "case": new_id("kyc"), "kind": p.kind} for p in group)
            known = self._declare_owners(within, [p.investor for p in group if p.kind in _WITH_OWNERS])
            missing = within.open_requirements(investors=investors)
            known += _add_parties(within, _each(missing, "party"))
            _file_papers(within, _each(missing, "document"))
            people: list[Screened] = [(subject, None) for subject in (*known, *investors)]
            self._screen(within, people + [(f"wallet:{wallet.hex()}", wallet) for wallet in wallets])
            within.record_accreditation.each(_accreditation(investor) for investor in investors)
            # Last: each check that is recorded after it computes the clearance again.
            within.open_clearance.each(
                {**_of(investor), "offering": self._offering, "clearance": new_id("clr")}
                for investor in investors
            )

    def find_owners(self, owners: Sequence[tuple[str, str]]) -> None:
        """Let a review find unidentified owners of thirty per cent, one for each (investor, owner)."""
        with self._compliance.together() as within:
            within.declare_owner.each(
                {**_of(investor), "owner": owner, "share_bp": 3000, "controls": False, "is_identified": False}
                for investor, owner in owners
            )

    def verify_owners(self, owners: Sequence[tuple[str, str]]) -> None:
        """Verify and screen the owner of each (investor, owner)."""
        with self._compliance.together() as within:
            _verify_owners(within, owners)
            self._screen(within, [(owner, None) for _, owner in owners])

    def _declare_owners(self, within: Within, investors: Sequence[str]) -> list[str]:
        owners = [(investor, new_id("own")) for investor in investors]
        within.declare_owner.each(
            {**_of(investor), "owner": owner, "share_bp": 6000, "controls": True, "is_identified": True}
            for investor, owner in owners
        )
        _verify_owners(within, owners)
        return [owner for _, owner in owners]

    def _screen(self, within: Within, subjects: Sequence[Screened]) -> None:
        hits = {subject: self._listed.screen(wallet) for subject, wallet in subjects if wallet is not None}
        within.record_screening.each(
            {
                "actor": OFFICER,
                "subject": subject,
                "screening": new_id("scr"),
                "list_version": self._version,
                "matched": hit.matched.address if (hit := hits.get(subject)) and hit.matched else None,
            }
            for subject, _ in subjects
        )


def _of(investor: str) -> Arguments:
    return {"actor": OFFICER, "investor": investor}


def _each(missing: Iterable[Row], what: str) -> list[tuple[str, str]]:
    """Return (investor, code) as often as it is missing."""
    return [
        (row["investor_id"], row["code"])
        for row in missing
        if row["what"] == what
        for _ in range(row["missing"])
    ]


def _verify_owners(within: Within, owners: Sequence[tuple[str, str]]) -> None:
    within.verify_owner.each(
        {**_of(investor), "owner": owner, "evidence_sha256": evidence(owner)} for investor, owner in owners
    )


def _add_parties(within: Within, roles: Iterable[tuple[str, str]]) -> list[str]:
    parties = [(investor, role, new_id("pty")) for investor, role in roles]
    within.record_party.each(
        {
            **_of(investor),
            "party": party,
            "role": role,
            "authority": {"scope": ["sign"], "document_sha256": evidence(f"{investor}/{role}").hex()},
        }
        for investor, role, party in parties
    )
    within.verify_party.each(
        {**_of(investor), "party": party, "evidence_sha256": evidence(party)}
        for investor, _, party in parties
    )
    return [party for _, _, party in parties]


def _file_papers(within: Within, papers: Iterable[tuple[str, str]]) -> None:
    within.file_document.each(
        {
            **_of(investor),
            "document": new_id("doc"),
            "code": code,
            "sha256": evidence(f"{investor}/{code}"),
            "issued_on": None,
            "valid_until": None,
        }
        for investor, code in papers
    )


def _accreditation(investor: str) -> Arguments:
    return {
        **_of(investor),
        "accreditation": new_id("acr"),
        "method": "net_worth",
        "evidence_sha256": evidence(investor),
        "valid_until": clock.now() + timedelta(days=90),
    }
