"""Read the one executed trade in a verified body of a venue."""

from __future__ import annotations

import json
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bookrunner.adapters.identity import WebhookRefused, WebhookRule
from bookrunner.adapters.identity.scheme import unique_members

_LARGEST: Final = 2**53
_Id = Annotated[str, Field(pattern=r"\A[A-Za-z0-9_]{1,80}\z")]
_Whole = Annotated[int, Field(gt=0, le=_LARGEST)]


class ExecutedTrade(BaseModel):
    """What a venue says of one trade: its own number, both holders, whole units and the price of all of them.

    ``price_minor`` is in minor units of ``currency``. ``offering`` binds the signature to one offer.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    offering: _Id
    trade: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_.-]{1,64}\z")]
    seller: _Id
    buyer: _Id
    units: _Whole
    price_minor: _Whole
    currency: Annotated[str, Field(pattern=r"\A[A-Z]{3}\z")]
    executed_at: AwareDatetime


def parse_trade(body: bytes) -> ExecutedTrade:
    """Return the trade of a verified body.

    Refuses ``event_has_its_shape`` and ``event_keys_are_unique``; members that are not read may stand beside
    the known ones. No text of the body enters an error.
    """
    try:
        told = ExecutedTrade.model_validate_json(body)
    except ValidationError as error:
        places = {str(part["loc"][0]) if part["loc"] else "body" for part in error.errors()}
        known = sorted(places & {*ExecutedTrade.model_fields, "body"})
        raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, ", ".join(known)) from None
    json.loads(body, object_pairs_hook=unique_members)
    return told
