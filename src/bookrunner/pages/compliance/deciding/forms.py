"""What an officer may choose on each kind of work, and the forms that say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, File, Form, UploadFile

from bookrunner.books import compliance

# What may be chosen in a state: the choice, what it says, and what follows.
Choice = tuple[str, str, str]

IDENTITY_PAPERS = ("passport", "driving_licence", "identity_card", "proof_of_address", "register_extract")
"""What an identity may be verified from, beside the papers that a kind of investor needs anyway."""

_AGAIN = ("sent_back", "Send back", "It waits for a first decision again.")
_VERIFIED = ("verified", "Verified", "Who this is stands; the screening is a check of its own.")
_IDENTITY = (
    ("verified", "Verified", "The profile as it stands now is locked as verified."),
    ("declined", "Declined", "The clearance stays closed; only an officer takes it up again."),
)
CHOICES: Mapping[tuple[str, str], Sequence[Choice]] = {
    ("discrepancy", "open"): (
        ("resolved", "Resolved", "The difference is explained and no longer stands in the way."),
        ("upheld", "Upheld", "It stays in the way of the clearance until it is resolved."),
    ),
    ("discrepancy", "upheld"): (("resolved", "Resolved", "The difference is explained after all."),),
    ("identity", "in_review"): _IDENTITY,
    ("identity", "pending"): _IDENTITY,
    ("owner", "unidentified"): (_VERIFIED,),
    ("owner", "identified"): (_VERIFIED,),
    ("accreditation", "pending"): (
        (
            "approved",
            "Approved",
            "Counts until its end, or for as long as the method allows if that is less.",
        ),
        ("info_required", "More evidence", "The investor is asked for what is missing."),
        ("declined", "Declined", "The investor may submit again."),
    ),
    ("accreditation", "info_required"): (("pending", "Take up again", "The review goes on."),),
    ("change", "requested"): (
        (
            "approved",
            "Approved",
            "A new version of the profile stands, and what it touches is checked again.",
        ),
        ("declined", "Declined", "The profile stays as it was verified."),
    ),
    ("diligence", "open"): (("completed", "Completed", "The findings wait for a second officer."),),
    ("diligence", "completed"): (
        ("approved", "Approved", "The diligence no longer stands in the way."),
        ("sent_back", "Send back", "The first officer looks again."),
    ),
    ("hit", "open"): (
        ("no_match", "No match", "The pair does not come back until either side changes."),
        ("confirmed", "Confirmed", "A second officer agrees; then everything in flight stops."),
        ("escalated", "Escalated", "Somebody else decides."),
    ),
    ("hit", "escalated"): (
        ("no_match", "No match", "The pair does not come back until either side changes."),
        ("confirmed", "Confirmed", "A second officer agrees; then everything in flight stops."),
    ),
    ("hit", "proposed"): (("agreed", "Agree", "The first decision counts from now on."), _AGAIN),
    ("hit", "confirmed"): (
        ("release", "Propose to end the block", "By a licence or a delisting; a second officer agrees."),
    ),
    ("notice", "due"): (("sent", "Told", "The investor knows what lapses, and when."),),
    ("review", "due"): (
        ("completed", "Completed", "The whole file was looked at; the next review is counted from now."),
    ),
    ("report", "due"): (("filed", "Filed", "The proof is kept for as long as the rule says."),),
    ("hit", "release_proposed"): (
        ("agreed", "Agree", "The block ends from now on."),
        ("sent_back", "Refuse", "The block goes on."),
    ),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What an officer verified of an identity: elements, from what, the digest of the profile seen."""

    sources: str = ""
    elements: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as the form sent it: versions seen of record and programme, choice, reason, papers."""

    seen: int = 0
    programme: str = ""
    choice: str = ""
    reason: str = ""
    method: str = ""
    valid_until: str = ""
    paper: bytes = b""
    checked: Checked = field(default_factory=Checked)


_Line = Annotated[str, Form(max_length=4000)]
_Paper = Annotated[UploadFile | None, File()]


def checked(
    *,
    sources: _Line = "",
    elements: Annotated[tuple[str, ...], Form()] = (),
    documents: Annotated[tuple[str, ...], Form()] = (),
    digest: _Line = "",
) -> Checked:
    """Read from the form what was verified of an identity."""
    return Checked(sources, elements, documents, digest)


def sophistication_of(
    *,
    offering: _Line,
    basis: _Line = "",
    representative: _Line = "",
    until: _Line = "",
    reason: _Line = "",
    programme: _Line = "",
) -> Mapping[str, str]:
    """Read from the form what is stated of a purchaser's knowledge and experience."""
    return {
        "offering": offering,
        "basis": basis,
        "representative": representative,
        "until": until,
        "reason": reason,
        "programme": programme,
    }


CATEGORIES = (
    ("eu_crowdfunding:sophisticated", "sophisticated, Regulation (EU) 2020/1503"),
    ("eu_crowdfunding:non_sophisticated", "non-sophisticated, Regulation (EU) 2020/1503"),
    ("mifid_ii:retail", "retail client, Directive 2014/65/EU"),
    ("mifid_ii:professional", "professional client, Directive 2014/65/EU"),
    ("mifid_ii:eligible_counterparty", "eligible counterparty, Directive 2014/65/EU"),
)
"""What an investor may be under the rules of the European Union, as the form sends it and as it says it."""


def category_of(*, category: _Line = "", until: _Line = "", programme: _Line = "") -> Mapping[str, str]:
    """Read from the form which category an investor has, until when."""
    regime, _, name = category.partition(":")
    return {"regime": regime, "category": name, "until": until, "programme": programme}


@dataclass(frozen=True, slots=True)
class Seen:
    """What an officer saw when deciding: the version of the record, and the programme."""

    version: int = 0
    programme: str = ""


def seen_of(seen: Annotated[int, Form(ge=0, le=2**31 - 1)] = 0, programme: _Line = "") -> Seen:
    """Read from the form what was seen."""
    return Seen(seen, programme)


def paper_of(paper: _Paper = None) -> bytes:
    """Read a file from the form: no more than may be kept, and one byte."""
    return b"" if paper is None else paper.file.read(compliance.MOST_BYTES + 1)


def decision(
    *,
    seen: Annotated[int, Form(ge=0, le=2**31 - 1)],
    programme: _Line = "",
    choice: _Line = "",
    reason: _Line = "",
    method: _Line = "",
    valid_until: _Line = "",
    paper: Annotated[bytes, Depends(paper_of)],
    of_identity: Annotated[Checked, Depends(checked)],
) -> Decision:
    """Read a decision from the form."""
    return Decision(seen, programme, choice, reason, method, valid_until, paper, of_identity)
