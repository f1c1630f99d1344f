# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: investments."""

from __future__ import annotations

from bookrunner.client.generated.shapes.shared import Condition
from bookrunner.client.records import Exact, Record, Sent


class CancellationRight(Record):
    """Until when an investor may cancel without anybody's consent; `rule` is null where there is none."""

    ends_at: str | None
    investment: str
    is_last_word: bool
    is_open: bool
    rule: str | None
    status: str


class Decision(Sent):
    """What is decided on a requested cancellation."""

    granted: bool
    because: str | None = None


class Issuance(Record):
    """Where the issuance of an investment stands."""

    is_held: bool
    is_stopped: bool
    state: str


class Investment(Record):
    """An investment: its stages, what it misses, from whom, since when."""

    amount: Exact
    cleared: Exact
    closing: str | None
    id: str
    investor: str
    issuance: Issuance
    missing: list[Condition]
    offer: str
    received: Exact
    stage: str | None
    stages: dict[str, bool]
    status: str
    units: str
    version: str


class Investments(Record):
    """Investments by id; `next` is the cursor that continues, null at the end."""

    investments: list[Investment]
    next: str | None


class InvestorNotice(Record):
    """What was told to an investor about an offer, by which law, and when its mail went out."""

    citation: str
    code: str
    id: str
    is_required: bool
    sent_at: str | None
    sentence: str
    status: str
    written_at: str


class InvestorNotices(Record):
    """Notices, the newest first."""

    notices: list[InvestorNotice]


class NewAllocation(Sent):
    """The units that the issuer would allocate to one investment."""

    units: str


class NewInvestment(Sent):
    """One investor's commitment to one offer."""

    investor: str
    offer: str
    units: str


class Reason(Sent):
    """Why a person does what nobody asked for."""

    because: str
