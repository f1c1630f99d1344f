"""Who owns an entity in the end, and whether blocked persons own half of it; exact fractions throughout."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from bookrunner.core.errors import Refused

BENEFICIAL: Final = Fraction(1, 4)
BLOCKING: Final = Fraction(1, 2)
MOST_PATHS: Final = 10_000
_PERCENT: Final = re.compile(r"(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,12}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stake:
    """What one owner holds of one entity; ``share`` is a fraction of the whole, or None when unknown."""

    owner: str
    owned: str
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class OwnedPath:
    """One way from an owner down to the entity; ``share`` is the product along it, None when unknown."""

    parties: tuple[str, ...]
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class UltimateOwner:
    """An owner above whom the chart names nobody.

    ``share`` adds the known paths; it is a floor when ``is_complete`` is false, because the share of some
    path is not known.
    """

    owner: str
    share: Fraction
    paths: tuple[OwnedPath, ...]
    is_complete: bool

    def reaches(self, threshold: Fraction = BENEFICIAL) -> bool:
        """Whether the known paths alone reach a threshold (31 CFR 1010.230: 25 percent or more)."""
        return self.share >= threshold


@dataclass(frozen=True, slots=True)
class BlockedEntity:
    """An entity that blocked persons own half or more of in sum, and the paths that they own it by."""

    entity: str
    share: Fraction
    paths: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class OpenEntity:
    """An entity that may be blocked: ``unknown`` stakes, or a ``loop`` of owners, leave it open."""

    entity: str
    known: Fraction
    unknown: tuple[Stake, ...]
    loop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockedThroughOwnership:
    """What ownership by blocked persons amounts to; whoever is in neither list is not blocked by it."""

    blocked: tuple[BlockedEntity, ...]
    undetermined: tuple[OpenEntity, ...]


def percent(text: str) -> Fraction:
    """Return an exact share of a percentage such as ``33.3333``.

    Refuses ``share_is_percentage`` for anything but digits and one point, and ``share_is_positive``
    and ``share_is_at_most_whole`` outside of 0 to 100.
    """
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise Refused("share_is_percentage", "expected digits and at most one point")
    share = Fraction(text) / 100
    _check_share(share)
    return share


def ultimate_owners(stakes: Iterable[Stake], entity: str) -> tuple[UltimateOwner, ...]:
    """Return who owns an entity in the end: shares multiply along a path and add over paths.

    The largest first. Refuses what a chart cannot hold, ``ownership_has_no_cycle`` with the loop, and
    ``ownership_is_readable`` beyond 10,000 paths.
    """
    above = _owners(stakes)
    paths: dict[str, list[OwnedPath]] = defaultdict(list)
    count = 0
    rest: list[tuple[tuple[str, ...], Fraction | None]] = [((entity,), Fraction(1))]
    while rest:
        parties, share = rest.pop()
        owners = above.get(parties[0], ())
        if not owners and len(parties) > 1:
            paths[parties[0]].append(OwnedPath(parties, share))
            count += 1
        if count + len(rest) > MOST_PATHS:
            raise Refused("ownership_is_readable", f"more than {MOST_PATHS} paths lead to {entity}")
        for stake in owners:
            if stake.owner in parties:
                loop = parties[: parties.index(stake.owner) + 1]
                raise Refused("ownership_has_no_cycle", " > ".join((stake.owner, *loop)))
            product = None if share is None or stake.share is None else share * stake.share
            rest.append(((stake.owner, *parties), product))
    found = [_ultimate(owner, ways) for owner, ways in paths.items()]
    return tuple(sorted(found, key=lambda one: (-one.share, one.owner)))


def _ultimate(owner: str, ways: Sequence[OwnedPath]) -> UltimateOwner:
    known = [way.share for way in ways if way.share is not None]
    ordered = tuple(sorted(ways, key=lambda way: way.parties))
    return UltimateOwner(owner, sum(known, Fraction()), ordered, len(known) == len(ways))


def blocked_through_ownership(stakes: Iterable[Stake], blocked: Collection[str]) -> BlockedThroughOwnership:
    """Return the entities that blocked persons own half or more of, in sum, through any number of layers.

    A blocked entity passes on its whole stake, so shares are not multiplied (OFAC FAQ 398 to 402). What an
    unknown share or a loop leaves open is reported and never guessed. Refuses what a chart cannot hold.
    """
    above = _owners(stakes)
    reasons = _surely_blocked(above, frozenset(blocked))
    possible = _possibly_blocked(above, frozenset(blocked))
    found = [_blocked(entity, above[entity], blocked, reasons) for entity in reasons]
    left = [
        OpenEntity(entity, _known(above[entity], blocked, reasons), _unknown(above[entity], possible),
                   _loop(entity, above, possible))
        for entity in sorted(possible - reasons.keys() - frozenset(blocked))
    ]  # fmt: skip
    return BlockedThroughOwnership(tuple(sorted(found, key=lambda one: one.entity)), tuple(left))


def _owners(stakes: Iterable[Stake]) -> Mapping[str, tuple[Stake, ...]]:
    """Return the stakes by what is owned.

    Refuses ``owner_is_not_the_entity_itself``, ``stake_stands_once``, ``share_is_positive``,
    ``share_is_at_most_whole`` and ``ownership_is_at_most_whole``.
    """
    above: dict[str, dict[str, Stake]] = defaultdict(dict)
    for stake in stakes:
        if stake.owner == stake.owned:
            raise Refused("owner_is_not_the_entity_itself", stake.owner)
        if stake.owner in above[stake.owned]:
            raise Refused("stake_stands_once", f"{stake.owner} in {stake.owned}")
        if stake.share is not None:
            _check_share(stake.share)
        above[stake.owned][stake.owner] = stake
    for owned, owners in above.items():
        if (total := _sum(owners.values())) > 1:
            raise Refused("ownership_is_at_most_whole", f"{owned}: {total * 100} percent")
    return {owned: tuple(owners[name] for name in sorted(owners)) for owned, owners in above.items()}


def _check_share(share: Fraction) -> None:
    if type(share) is not Fraction or share <= 0:
        raise Refused("share_is_positive", "a share is an exact fraction above zero")
    if share > 1:
        raise Refused("share_is_at_most_whole", f"{share * 100} percent")


def _sum(stakes: Iterable[Stake]) -> Fraction:
    return sum((stake.share for stake in stakes if stake.share is not None), Fraction())


def _surely_blocked(
    above: Mapping[str, Sequence[Stake]], blocked: frozenset[str]
) -> dict[str, tuple[Stake, ...]]:
    """Grow the blocked set until nothing is added; each entity with the stakes that blocked it."""
    reasons: dict[str, tuple[Stake, ...]] = {}
    grown = True
    while grown:
        grown = False
        for entity in sorted(above.keys() - reasons.keys() - blocked):
            used = tuple(s for s in above[entity] if s.owner in blocked or s.owner in reasons)
            if _sum(used) >= BLOCKING:
                reasons[entity] = used
                grown = True
    return reasons


def _possibly_blocked(above: Mapping[str, Sequence[Stake]], blocked: frozenset[str]) -> frozenset[str]:
    """Shrink the set of entities that blocked persons reach until each could be half theirs."""
    reached = set(blocked)
    while more := {e for e in above if e not in reached and any(s.owner in reached for s in above[e])}:
        reached |= more
    shrunk = True
    while shrunk:
        gone = {e for e in reached - blocked if _at_most(above[e], reached) < BLOCKING}
        reached -= gone
        shrunk = bool(gone)
    return frozenset(reached)


def _at_most(stakes: Sequence[Stake], suspects: Collection[str]) -> Fraction:
    """Return the most that suspects can own: what is not known to be another's, where a share is unknown."""
    if any(s.share is None and s.owner in suspects for s in stakes):
        return 1 - _sum(s for s in stakes if s.owner not in suspects)
    return _sum(s for s in stakes if s.owner in suspects)


def _blocked(
    entity: str, stakes: Sequence[Stake], blocked: Collection[str], reasons: Mapping[str, Sequence[Stake]]
) -> BlockedEntity:
    used = [s for s in stakes if s.owner in blocked or s.owner in reasons]
    paths = [(*_path(s.owner, reasons), entity) for s in used]
    # What the entity owns of its own owner adds to the share but is no path from a blocked person.
    return BlockedEntity(entity, _sum(used), tuple(path for path in paths if path.count(entity) == 1))


def _known(stakes: Sequence[Stake], blocked: Collection[str], reasons: Collection[str]) -> Fraction:
    return _sum(s for s in stakes if s.owner in blocked or s.owner in reasons)


def _unknown(stakes: Sequence[Stake], possible: Collection[str]) -> tuple[Stake, ...]:
    return tuple(s for s in stakes if s.share is None and s.owner in possible)


def _path(party: str, reasons: Mapping[str, Sequence[Stake]]) -> tuple[str, ...]:
    """Return one path from a blocked person down to a party; the reasons were found in that order."""
    path = [party]
    while path[0] in reasons:
        path.insert(0, reasons[path[0]][0].owner)
    return tuple(path)


def _loop(entity: str, above: Mapping[str, Sequence[Stake]], possible: Collection[str]) -> tuple[str, ...]:
    """Return the owners on the way from an entity back to itself, or nothing."""
    rest: list[tuple[str, ...]] = [(entity,)]
    seen: set[str] = set()
    while rest:
        way = rest.pop()
        for stake in above.get(way[-1], ()):
            if stake.owner == entity:
                return (*way, entity)
            if stake.owner in possible and stake.owner not in seen:
                seen.add(stake.owner)
                rest.append((*way, stake.owner))
    return ()
