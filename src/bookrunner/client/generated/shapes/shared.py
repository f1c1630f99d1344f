# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: what several resources share."""

from __future__ import annotations

from bookrunner.client.records import Record


class Acted(Record):
    """A record of an offer after an act."""

    id: str
    offer: str
    status: str
    version: str


class Condition(Record):
    """A condition that does not hold, whose it is, since when."""

    condition: str
    keeper: str
    since: str


class DistributionActed(Record):
    """A distribution after an act on it."""

    id: str
    offer: str
    status: str
    version: str


class InvestmentActed(Record):
    """A record of an investment after an act."""

    id: str
    investment: str
    offer: str
    status: str
    version: str


class InvestorActed(Record):
    """A record of an investor after an act."""

    id: str
    investor: str
    status: str
    version: str


class OfferActed(Record):
    """An offer after an act."""

    id: str
    status: str
    version: str


class ServicingActed(Record):
    """What was acted on, as it stands after the act."""

    id: str
    status: str
    version: str
