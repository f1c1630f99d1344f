"""What is sent and what comes back: frozen records, exact money, versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, PrivateAttr

from bookrunner.core.errors import Refused, VersionNotNamed
from bookrunner.core.money import Money, parse

_STRONG: Final = re.compile(r'"[0-9a-f.]{1,64}"', re.ASCII)


@dataclass(frozen=True, slots=True)
class ETag:
    """The version of a record as a header carries it, such as ``"3"`` with its quotes.

    Refuses ``if_match_is_one_strong_etag``.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse what no record of ours has as its version."""
        if not _STRONG.fullmatch(self.text):
            raise Refused("if_match_is_one_strong_etag", "take it from a record")

    @classmethod
    def of(cls, version: str) -> ETag:
        """Return the ETag of a version as the field ``version`` of a record writes it."""
        return cls(f'"{version}"')


def _read_money(value: object) -> Money:
    if isinstance(value, Money):
        return value
    if isinstance(value, dict) and isinstance(value.get("amount"), str):
        return parse(value["amount"], str(value.get("currency")))
    raise ValueError("expected an amount and a currency")


def _write_money(value: Money) -> dict[str, str]:
    return {"amount": value.format(), "currency": value.currency.code}


Exact = Annotated[Money, PlainValidator(_read_money), PlainSerializer(_write_money)]


class Sent(BaseModel):
    """What a call sends: only the fields that were given, because an absent field is no default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Record(BaseModel):
    """What a call answers; fields that a later server adds are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    _etag: ETag | None = PrivateAttr(default=None)
    _replayed: bool = PrivateAttr(default=False)

    @property
    def etag(self) -> ETag:
        """The version to decide on: that of the answer, else the record's own field.

        Raises VersionNotNamed for a record that has none.
        """
        if self._etag is not None:
            return self._etag
        version = getattr(self, "version", None)
        if not isinstance(version, str):
            raise VersionNotNamed("decision_names_its_version", f"{type(self).__name__} has no version")
        return ETag.of(version)

    @property
    def is_replayed(self) -> bool:
        """Whether this is the stored answer of a call that was made before."""
        return self._replayed
