"""The compliance officer of the seeded raise: lists, cases, papers, owners, accreditation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from bookrunner.adapters.screening import EntryKind, recognise
from bookrunner.adapters.vault import Vault
from bookrunner.books.compliance import Particulars, record_particulars, take_list
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Keeper, Row, Within
from bookrunner.sandbox.people import Person, name_of
from bookrunner.sandbox.props import evidence, list_files

OFFICER = "officer.olga"
LIST_DAY = date(2024, 9, 1)
_WITH_OWNERS = frozenset({"entity", "trust"})


class Checks:
    """The checks of one offering, recorded by one officer against the sandbox's lists."""

    def __init__(self, compliance: Keeper, offering: str) -> None:
        self._compliance = compliance
        self._offering = offering
        self._safe = Vault.of(compliance.database.endpoint.secrets)

    def put_lists_in_force(self) -> None:
        """Put each list of the sandbox in force, unless one of its source stands already."""
        known = {row["source"] for row in self._compliance.lists_in_force()}
        for published in recognise(list_files(), published_on=LIST_DAY):
            if published.source not in known:
                take_list(self._compliance, published, published.read(), actor=OFFICER)

    def open(self, group: Sequence[Person]) -> None:
        """Open case and clearance of each investor and record every check but identity and screening."""
        investors = [person.investor for person in group]
        with self._compliance.together() as within:
            within.open_case.each({**_of(p.investor), "case": new_id("kyc"), "kind": p.kind} for p in group)
            known = self._declare_owners(within, [p.investor for p in group if p.kind in _WITH_OWNERS])
            missing = within.open_requirements(investors=investors)
            known += _add_parties(within, _each(missing, "party"))
            _file_papers(within, _each(missing, "document"))
            self._name(within, known)
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
        """Verify the owner of each (investor, owner) and say who it is, so that it can be screened."""
        with self._compliance.together() as within:
            self._name(within, [owner for _, owner in owners])
            _verify_owners(within, owners)

    def _name(self, within: Within, subjects: Sequence[str]) -> None:
        given = [(one, Particulars(EntryKind.PERSON, (name_of(one),), countries=("US",))) for one in subjects]
        record_particulars(within, self._safe, given, actor=OFFICER)

    def _declare_owners(self, within: Within, investors: Sequence[str]) -> list[str]:
        owners = [(investor, new_id("own")) for investor in investors]
        within.declare_owner.each(
            {**_of(investor), "owner": owner, "share_bp": 6000, "controls": True, "is_identified": True}
            for investor, owner in owners
        )
        _verify_owners(within, owners)
        return [owner for _, owner in owners]


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


def _decide(within: Within) -> None:
    """Say that what follows in this transaction is decided under the programme in force."""
    within.decide_under(actor=OFFICER, programme=within.programme_in_force())


def _verify_owners(within: Within, owners: Sequence[tuple[str, str]]) -> None:
    _decide(within)
    within.verify_owner.each(
        {**_of(investor), "owner": owner, "evidence_sha256": evidence(owner), "seen": 1}
        for investor, owner in owners
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
    _decide(within)
    within.verify_party.each(
        {**_of(investor), "party": party, "evidence_sha256": evidence(party), "seen": 1}
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
