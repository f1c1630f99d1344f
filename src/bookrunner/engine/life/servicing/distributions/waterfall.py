"""The arithmetic of a distribution: tiers in their order, exact to the minor unit, each with its working.

Units of one class are alike, so the tiers run over the class; what its holders get is split by units after.
Amounts are minor units, shares and rates are exact fractions. Only the IRR hurdle needs a root: it is taken
with sixty digits and rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from typing import Final

from bookrunner.core.errors import Refused
from bookrunner.core.money import grouped

WHOLE: Final = 10_000
"""Basis points of a whole."""
_DIGITS: Final = 60
_YEAR_DAYS: Final = 365
_MONTH: Final = 30
_FEBRUARY: Final = 2
_LEAP_DAY: Final = 29


class DayCount(StrEnum):
    """How much of a year lies between two days (2006 ISDA Definitions, section 4.16)."""

    ACTUAL_360 = "actual/360"
    """The days between, of 360: 4.16(e)."""
    ACTUAL_365 = "actual/365"
    """The days between, of 365: 4.16(d)."""
    THIRTY_360 = "30/360"
    """Months of thirty days, of 360; bond basis: 4.16(f)."""


class TierKind(StrEnum):
    """What a tier pays until."""

    CATCH_UP = "catch_up"
    """Until the sponsor has its target share of all profit."""
    HURDLE = "hurdle"
    """Until the holders' internal rate of return is the rate (days of 365, compounded yearly)."""
    PREFERRED_RETURN = "preferred_return"
    """Until what has accrued on capital that is not returned is paid."""
    RETURN_OF_CAPITAL = "return_of_capital"
    """Until what the holders paid in is back."""
    SPLIT = "split"
    """Whatever is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of the way down; ``holders`` is the holders' share of it, the sponsor has the rest.

    ``rate`` is yearly, of a preferred return or a hurdle; ``target`` is the sponsor's share of all profit
    that a catch-up leads to. With ``compounds`` what is unpaid on an anniversary of the first money earns.
    """

    kind: TierKind
    holders: Fraction = Fraction(1)
    rate: Fraction = Fraction(0)
    target: Fraction = Fraction(0)
    day_count: DayCount = DayCount.ACTUAL_365
    compounds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What moved between the holders, the sponsor and the offer on a day, in minor units."""

    on: date
    contributed: int = 0
    returned: int = 0
    preferred: int = 0
    further: int = 0
    sponsor: int = 0

    @property
    def received(self) -> int:
        """What the holders got."""
        return self.returned + self.preferred + self.further


@dataclass(frozen=True, slots=True)
class Step:
    """What one tier paid: ``due`` is its limit, None without one; ``left`` goes on to the next."""

    tier: Tier
    due: int | None
    holders: int
    sponsor: int
    left: int
    working: tuple[str, ...]

    @property
    def amount(self) -> int:
        """What the tier took of the money."""
        return self.holders + self.sponsor


@dataclass(frozen=True, slots=True)
class Run:
    """A distribution on a day: what is there, and what moved before."""

    distributable: int
    on: date
    history: Sequence[Flow] = ()
    currency: str = "USD"

    def money(self, minor: int) -> str:
        """Write an amount of this run for people."""
        return grouped(minor, self.currency)


def run_tiers(run: Run, tiers: Iterable[Tier]) -> list[Step]:
    """Pay the tiers in their order; the steps sum to the distributable amount.

    Refuses ``tiers_sum_to_the_distributable_amount`` where something is left after the last tier, and
    ``catch_up_gets_more_than_its_target`` where a catch-up never gets there.
    """
    steps: list[Step] = []
    left = run.distributable
    for tier in tiers:
        due, working = _due(run, tier, _so_far(run, steps))
        amount = left if due is None else min(left, due)
        holders = _half_even(amount * tier.holders)
        left -= amount
        shares = _shares(run, tier, amount, holders)
        steps.append(Step(tier, due, holders, amount - holders, left, (*working, *shares)))
    if left:
        raise Refused(
            "tiers_sum_to_the_distributable_amount", f"{run.money(left)} is left after the last tier"
        )
    return steps


def year_fraction(start: date, end: date, count: DayCount) -> Fraction:
    """Return the part of a year between two days by a day count; of several years, more than one."""
    return Fraction(day_number(start, end, count), _YEAR_DAYS if count is DayCount.ACTUAL_365 else 360)


def day_number(start: date, end: date, count: DayCount) -> int:
    """Return the days between two days as a day count has them."""
    if count is not DayCount.THIRTY_360:
        return (end - start).days
    first = min(start.day, _MONTH)
    last = _MONTH if first == _MONTH and end.day > _MONTH else end.day
    return 360 * (end.year - start.year) + _MONTH * (end.month - start.month) + last - first


def read_tier(row: Mapping[str, object]) -> Tier:
    """Return the tier that a row of data defines; shares and rates in basis points.

    Refuses ``tier_is_defined`` for a kind, a day count or a number that there is not, or a share or rate
    outside 0 to 10,000, and ``hurdle_pays_the_holders`` for a hurdle that leaves them nothing.
    """
    try:
        tier = Tier(
            kind=TierKind(str(row["kind"])),
            holders=Fraction(_points(row, "holders_bp", WHOLE), WHOLE),
            rate=Fraction(_points(row, "rate_bp", 0), WHOLE),
            target=Fraction(_points(row, "target_bp", 0), WHOLE),
            day_count=DayCount(str(row.get("day_count") or DayCount.ACTUAL_365)),
            compounds=row.get("compounds") is True,
        )
    except (KeyError, ValueError) as fault:
        raise Refused("tier_is_defined", str(fault)) from None
    if tier.kind is TierKind.HURDLE and not tier.holders:
        raise Refused("hurdle_pays_the_holders", "a hurdle is what the holders get; give them a share")
    return tier


def _points(row: Mapping[str, object], name: str, otherwise: int) -> int:
    found = row.get(name)
    if found is None:
        return otherwise
    if type(found) is not int:
        raise ValueError(f"{name} is a whole number of basis points")
    if not 0 <= found <= WHOLE:
        raise ValueError(f"{name} is between 0 and {WHOLE}")
    return found


def _so_far(run: Run, steps: Sequence[Step]) -> list[Flow]:
    """Return what moved before, and as a last flow what the tiers above paid in this run."""
    paid: dict[TierKind, int] = {}
    for step in steps:
        paid[step.tier.kind] = paid.get(step.tier.kind, 0) + step.holders
    returned = paid.pop(TierKind.RETURN_OF_CAPITAL, 0)
    preferred = paid.pop(TierKind.PREFERRED_RETURN, 0)
    today = Flow(
        on=run.on,
        returned=returned,
        preferred=preferred,
        further=sum(paid.values()),
        sponsor=sum(step.sponsor for step in steps),
    )
    return [*sorted(run.history, key=lambda flow: flow.on), today]


def _due(run: Run, tier: Tier, flows: Sequence[Flow]) -> tuple[int | None, tuple[str, ...]]:
    match tier.kind:
        case TierKind.RETURN_OF_CAPITAL:
            return _capital_due(run, flows)
        case TierKind.PREFERRED_RETURN:
            return _preferred_due(run, tier, flows)
        case TierKind.CATCH_UP:
            return _catch_up_due(run, tier, flows)
        case TierKind.HURDLE:
            return _hurdle_due(run, tier, flows)
        case TierKind.SPLIT:
            return None, ("whatever is left",)


def _capital_due(run: Run, flows: Sequence[Flow]) -> tuple[int, tuple[str, ...]]:
    paid_in, back = sum(flow.contributed for flow in flows), sum(flow.returned for flow in flows)
    due = max(paid_in - back, 0)
    return due, (f"paid in {run.money(paid_in)} - returned {run.money(back)} = {run.money(due)}",)


def _preferred_due(run: Run, tier: Tier, flows: Sequence[Flow]) -> tuple[int, tuple[str, ...]]:
    """Let the preferred return accrue from flow to flow and from anniversary to anniversary."""
    capital, unpaid, earning = 0, Fraction(0), Fraction(0)
    working: list[str] = []
    since = flows[0].on
    for day, moved in _turns(flows, tier):
        base = capital + earning
        accrued = base * tier.rate * year_fraction(since, day, tier.day_count)
        if accrued:
            days = day_number(since, day, tier.day_count)
            working.append(
                f"{since} to {day}: {run.money(_half_even(base))} x {_percent(tier.rate)} x {days} days"
                f" by {tier.day_count} = {run.money(_half_even(accrued))}"
            )
        unpaid, since = unpaid + accrued, day
        if moved is None:
            earning = unpaid
            continue
        capital += moved.contributed - moved.returned
        unpaid -= moved.preferred
        earning = min(earning, max(unpaid, Fraction(0)))
    due = max(_half_even(unpaid), 0)
    paid = sum(flow.preferred for flow in flows)
    return due, (*working, f"accrued less {run.money(paid)} paid before = {run.money(due)}")


def _turns(flows: Sequence[Flow], tier: Tier) -> list[tuple[date, Flow | None]]:
    """Return the flows in order; where it compounds, each anniversary of the first before its day's."""
    turns: list[tuple[date, Flow | None]] = [(flow.on, flow) for flow in flows]
    if tier.compounds:
        first, last = flows[0].on, flows[-1].on
        years = range(1, last.year - first.year + 1)
        turns += [(day, None) for years_on in years if (day := _anniversary(first, years_on)) <= last]
    return sorted(turns, key=lambda turn: (turn[0], turn[1] is not None))


def _anniversary(day: date, years: int) -> date:
    if (day.month, day.day) == (_FEBRUARY, _LEAP_DAY):
        day = day.replace(day=_LEAP_DAY - 1)
    return day.replace(year=day.year + years)


def _catch_up_due(run: Run, tier: Tier, flows: Sequence[Flow]) -> tuple[int, tuple[str, ...]]:
    """Solve ``sponsor + share * x = target * (holders + sponsor + x)`` for x, over all profit so far."""
    share = 1 - tier.holders
    if share <= tier.target:
        raise Refused("catch_up_gets_more_than_its_target", "the share of the tier is above the target")
    holders = sum(flow.preferred + flow.further for flow in flows)
    sponsor = sum(flow.sponsor for flow in flows)
    due = max(_half_even((tier.target * (holders + sponsor) - sponsor) / (share - tier.target)), 0)
    profit = f"profit so far: holders {run.money(holders)}, sponsor {run.money(sponsor)}"
    missing = f"{_percent(tier.target)} x {run.money(holders + sponsor)} - {run.money(sponsor)}"
    return due, (profit, f"({missing}) / ({_percent(share)} - {_percent(tier.target)}) = {run.money(due)}")


def _hurdle_due(run: Run, tier: Tier, flows: Sequence[Flow]) -> tuple[int, tuple[str, ...]]:
    """Return what lifts the holders' internal rate of return to the rate, with the sponsor's part of it."""
    with localcontext() as context:
        context.prec = _DIGITS
        growth = 1 + Decimal(tier.rate.numerator) / Decimal(tier.rate.denominator)
        years = [Decimal((run.on - flow.on).days) / _YEAR_DAYS for flow in flows]
        worth = sum(
            (
                (flow.contributed - flow.received) * growth**since
                for flow, since in zip(flows, years, strict=True)
            ),
            Decimal(0),
        )
        missing = max(int(worth.quantize(Decimal(1), ROUND_HALF_EVEN)), 0)
    due = -(-missing * tier.holders.denominator // tier.holders.numerator) if missing else 0
    worked = f"all flows at {_percent(tier.rate)} a year come to {run.money(missing)} on {run.on}"
    return due, (f"{worked}, which the holders' {_percent(tier.holders)} of {run.money(due)} pays",)


def _shares(run: Run, tier: Tier, amount: int, holders: int) -> tuple[str, ...]:
    if tier.holders == 1 or not amount:
        return ()
    whole = f"{_percent(tier.holders)} of {run.money(amount)}"
    return (f"{whole} = {run.money(holders)} to the holders, {run.money(amount - holders)} to the sponsor",)


def _half_even(value: Fraction | int) -> int:
    return round(value)


def _percent(share: Fraction) -> str:
    points = round(share * WHOLE)
    return f"{points // 100}.{points % 100:02} %"
