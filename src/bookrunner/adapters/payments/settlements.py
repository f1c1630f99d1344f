"""Read the one settlement in a verified body: the money of an institution's escrow has settled."""

from __future__ import annotations

import json
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bookrunner.adapters.identity import WebhookRefused, WebhookRule
from bookrunner.adapters.identity.scheme import unique_members
from bookrunner.adapters.payments import SettlementNotice

_LARGEST: Final = 2**53
_Id = Annotated[str, Field(pattern=r"\A[A-Za-z0-9_]{1,80}\z")]


class _Settlement(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    offering: _Id
    allocation: _Id
    amount_minor: Annotated[int, Field(gt=0, le=_LARGEST)]
    currency: Annotated[str, Field(pattern=r"\A[A-Z]{3}\z")]
    settled_at: AwareDatetime


def parse_settlement(body: bytes) -> SettlementNotice:
    """Return the settlement of a verified body.

    Refuses ``event_has_its_shape`` and ``event_keys_are_unique``; members that are not read may stand beside
    the known ones. No text of the body enters an error.
    """
    try:
        told = _Settlement.model_validate_json(body)
    except ValidationError as error:
        places = {str(part["loc"][0]) if part["loc"] else "body" for part in error.errors()}
        known = sorted(places & {*_Settlement.model_fields, "body"})
        raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, ", ".join(known)) from None
    json.loads(body, object_pairs_hook=unique_members)
    return SettlementNotice(**told.model_dump())
