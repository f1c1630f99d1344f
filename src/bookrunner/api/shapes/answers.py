"""What reads answer, field by field: money with its currency, units as texts of digits, moments in UTC."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict


class Amount(TypedDict):
    """Exact money: a decimal text, and an ISO 4217 code."""

    amount: str
    currency: str


class Offer(TypedDict):
    """An offer; ``token`` and ``treasury`` are addresses once its token is deployed."""

    id: str
    issuer: str
    name: str
    exemption: str
    unit_price: Amount
    units_total: str
    minimum_units: str
    isin: str | None
    agreement_form: str
    status: str
    chain_id: int | None
    token: str | None
    treasury: str | None
    version: str


class Offers(TypedDict):
    """Offers by id; ``next`` continues the list, null at its end."""

    offers: list[Offer]
    next: str | None


class Condition(TypedDict):
    """A condition that does not hold, whose it is, since when."""

    condition: str
    keeper: str
    since: str


class Issuance(TypedDict):
    """Where the issuance of an investment stands."""

    state: str
    is_stopped: bool
    is_held: bool


class Investment(TypedDict):
    """An investment: its stages, what it misses, from whom, since when."""

    id: str
    offer: str
    investor: str
    units: str
    amount: Amount
    status: str
    stage: str | None
    stages: dict[str, bool]
    missing: list[Condition]
    received: Amount
    cleared: Amount
    issuance: Issuance
    closing: str | None
    version: str


class Investments(TypedDict):
    """Investments by id; ``next`` is the cursor that continues, null at the end."""

    investments: list[Investment]
    next: str | None


class InvestorNotice(TypedDict):
    """What was told to an investor about an offer, by which law, and when its mail went out."""

    id: str
    code: str
    sentence: str
    citation: str
    is_required: bool
    status: str
    written_at: str
    sent_at: str | None


class InvestorNotices(TypedDict):
    """Notices, the newest first."""

    notices: list[InvestorNotice]


class CancellationRight(TypedDict):
    """Until when an investor may cancel without anybody's consent; ``rule`` is null where there is none."""

    investment: str
    rule: str | None
    status: str
    ends_at: str | None
    is_last_word: bool
    is_open: bool


class Closing(TypedDict):
    """A closing, with the digests of its set and of its certificate once there is one."""

    id: str
    offer: str
    ordinal: int
    status: str
    proposed_by: str
    set_sha256: str | None
    certificate_sha256: str | None
    version: str


class Closings(TypedDict):
    """Closings by number."""

    closings: list[Closing]


class Candidate(TypedDict):
    """Who would be in a closing, and what it lacks."""

    investment: str
    units: str
    amount: Amount
    missing: list[Condition]


class ClosingDryRun(TypedDict):
    """What a closing would take now; a closing names this ``version``."""

    offer: str
    candidates: list[Candidate]
    ready: int
    version: str


class ClosingCase(TypedDict):
    """An investment that a closing left out for want of a countersignature, and what was decided on it."""

    id: str
    investment: str
    closing: str
    status: str
    opened_at: str
    decided_by: str | None
    evidence_sha256: str | None
    version: str


class ClosingCases(TypedDict):
    """Cases, the oldest first."""

    closing_cases: list[ClosingCase]


class Units(TypedDict):
    """Units of an offer: reserved, allocated and free ones sum to the total."""

    offer: str
    policy: str
    hold_minutes: int | None
    total: str
    reserved: str
    allocated: str
    free: str
    oversubscribed: str
    waiting: str


class WaitlistEntry(TypedDict):
    """Who waits for units, and the investment that came of it."""

    id: str
    place: int
    investor: str
    units: str
    status: str
    investment: str | None
    because: str | None
    version: str


class Waitlist(TypedDict):
    """Who waits or waited, in order."""

    waitlist: list[WaitlistEntry]


class AllotmentLine(TypedDict):
    """How many units an order gets, and why; ``units`` is null where none can be said yet."""

    investment: str
    ordered: str
    units: str | None
    because: str


class DecidedLine(AllotmentLine):
    """A line of a list that was decided, by whom and in which capacity."""

    allotment_id: str
    ordinal: int
    policy: str
    decided_by: str
    capacity: str
    reason: str


class Allotments(TypedDict):
    """The lines of the decided lists."""

    lines: list[DecidedLine]


class AllotmentDryRun(TypedDict):
    """Who would get how many units; a decision names this ``version``."""

    offer: str
    lines: list[AllotmentLine]
    version: str


class AmendmentAnswers(TypedDict):
    """How many investors were asked, and how they answered."""

    asked: int
    reconfirmed: int
    declined: int
    lapsed: int


class Amendment(TypedDict):
    """A change of an offer, the rule of its window, and how the investors have answered."""

    id: str
    ordinal: int
    status: str
    is_material: bool
    sentence: str
    proposed_by: str
    decided_by: str | None
    because: str | None
    rule: str | None
    due_at: str | None
    answers: AmendmentAnswers
    version: str


class Amendments(TypedDict):
    """Amendments by number."""

    amendments: list[Amendment]


class Reconfirmation(TypedDict):
    """What an investor was asked after a material change, and until when."""

    id: str
    amendment: str
    status: str
    due_at: str
    version: str


class Reconfirmations(TypedDict):
    """Questions to one investor."""

    reconfirmations: list[Reconfirmation]


class Event(TypedDict):
    """One change of state: who made it, why, when it happened and when it was recorded.

    There is no payload where the text of the event is damaged.
    """

    seq: int
    kind: str
    scope: str
    subject: str
    version: int
    keeper: str
    actor: str
    request: str
    caused_by: str | None
    occurred_at: str
    recorded_at: str
    payload: dict[str, Any] | None
    hash: str


class Events(TypedDict):
    """Events in the one order of the feed; ``next`` is what to send as ``after``."""

    events: list[Event]
    next: int


class Change(TypedDict):
    """What a field said before a change and after it; null where it said nothing."""

    before: Any
    after: Any


class RecordVersion(TypedDict):
    """One version of a record: who made it, why, when it happened and when it was recorded."""

    version: int
    kind: str
    keeper: str
    actor: str
    request: str
    caused_by: str | None
    occurred_at: str
    recorded_at: str
    changed: dict[str, Change]
    hash: str


class Recorded(TypedDict):
    """A record at a version, and every version of it; ``withheld`` names what its events leave out."""

    id: str
    scope: str
    machine: str
    version: int
    fields: dict[str, Any]
    withheld: list[str]
    late: list[int]
    versions: list[RecordVersion]


class Resource(TypedDict):
    """The API as a resource of an OAuth authorization server (RFC 9728, 2)."""

    resource: str
    authorization_servers: list[str]
    bearer_methods_supported: list[str]
    scopes_supported: list[str]


class Alive(TypedDict):
    """The process answers."""

    status: str


class Ready(TypedDict):
    """The database answers; how many events wait for the feed, since when; how many emergencies stand."""

    status: str
    events_waiting: int
    oldest_since: str | None
    emergencies: int


class Release(TypedDict):
    """The release that answers."""

    version: str


def hexed(raw: bytes | None) -> str | None:
    """Write a digest in hex, or nothing."""
    return None if raw is None else bytes(raw).hex()
