"""Read the one notice in a verified body, and find the secrets of its provider."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bookrunner.adapters.identity import WebhookRefused, WebhookRule
from bookrunner.adapters.identity.webhook import decode_secret
from bookrunner.adapters.payments import NoticeStatus, PaymentNotice
from bookrunner.core.errors import UnknownRecord

_PROVIDER: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_LARGEST: Final = 2**53

_Id = Annotated[str, Field(pattern=r"\A[A-Za-z0-9_.-]{1,128}\z")]
_Ended: Final = frozenset({"returned", "failed"})


class _Notice(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    offering: _Id
    payment: _Id
    status: Annotated[str, Field(pattern=r"\A(?:failed|pending|returned|settled)\z")]
    amount_minor: Annotated[int, Field(gt=0, le=_LARGEST)]
    currency: Annotated[str, Field(pattern=r"\A[A-Z]{3}\z")]
    rail: Annotated[str, Field(pattern=r"\A[a-z_]{1,32}\z")] | None = None
    code: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_]{1,32}\z")] | None = None
    happened_at: AwareDatetime

    @model_validator(mode="after")
    def _ends_for_a_reason(self) -> Self:
        if self.status in _Ended and (self.rail is None or self.code is None):
            raise ValueError("an end without its reason")
        return self


def parse_payment_notice(body: bytes) -> PaymentNotice:
    """Return the notice of a verified body; amounts are whole minor units.

    Refuses ``event_has_its_shape`` and ``event_keys_are_unique``; members that are not read may stand beside
    the known ones. No text of the body enters an error.
    """
    try:
        notice = _Notice.model_validate_json(body)
    except ValidationError as error:
        places = {str(part["loc"][0]) if part["loc"] else "body" for part in error.errors()}
        known = sorted(places & {*_Notice.model_fields, "body"})
        raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, ", ".join(known)) from None
    json.loads(body, object_pairs_hook=_unique)
    return PaymentNotice(
        offering=notice.offering,
        payment=notice.payment,
        status=NoticeStatus(notice.status),
        amount_minor=notice.amount_minor,
        currency=notice.currency,
        rail=notice.rail,
        code=notice.code,
        happened_at=notice.happened_at,
    )


def active_secrets(folder: Path, provider: str) -> Mapping[str, bytes]:
    """Return the active secrets of a provider by key id: one file each in the folder of its name.

    A new key is a new file and a retired one is removed; both hold from the next message on. Refuses
    ``provider_is_known``; raises ConfigurationError for a file that holds no secret.
    """
    home = folder / provider
    if _PROVIDER.fullmatch(provider) is None or not home.is_dir():
        raise UnknownRecord("provider_is_known", "no payment provider has that name")
    return {
        file.name: decode_secret(file.read_text(encoding="ascii").strip())
        for file in sorted(home.iterdir())
        if _KEY.fullmatch(file.name)
    }


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WebhookRefused(WebhookRule.EVENT_KEYS_ARE_UNIQUE, "a member stands twice")
    return members
