"""The objects of an Open Cap Table package that a register needs, each with its own shape.

Shapes follow version 1.2.1 of the format by the Open Cap Table Coalition; a field that a shape does not know
makes its object invalid, as the format says. Other objects of a package are named and left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

OCF_VERSION: Final = "1.2.1-alpha+main"

Text = Annotated[str, StringConstraints(min_length=1)]
Numeric = Annotated[str, StringConstraints(pattern=r"^[+-]?[0-9]+(\.[0-9]{1,10})?$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Object(_Shape):
    id: Text
    comments: list[str] = []


class Monetary(_Shape):
    """An amount as decimal text, with its currency."""

    amount: Numeric
    currency: Currency


class Name(_Shape):
    """The name of a person or entity."""

    legal_name: Text
    first_name: str | None = None
    last_name: str | None = None


class Exemption(_Shape):
    """The rule under which a security was sold without registration."""

    description: Text
    jurisdiction: Text


class Issuer(_Object):
    """The company whose units a register holds."""

    object_type: Literal["ISSUER"]
    legal_name: Text
    formation_date: Annotated[date, Field(strict=False)]
    country_of_formation: Country
    country_subdivision_of_formation: str | None = None


class Stakeholder(_Object):
    """One holder."""

    object_type: Literal["STAKEHOLDER"]
    name: Name
    stakeholder_type: Literal["INDIVIDUAL", "INSTITUTION"]
    issuer_assigned_id: str | None = None
    current_relationship: str | None = None
    current_relationships: list[str] | None = None
    current_status: str | None = None


class StockClass(_Object):
    """The class that an offer sells."""

    object_type: Literal["STOCK_CLASS"]
    name: Text
    class_type: Literal["COMMON", "PREFERRED"]
    default_id_prefix: str
    initial_shares_authorized: Numeric | Literal["UNLIMITED", "NOT APPLICABLE"]
    votes_per_share: Numeric
    seniority: Numeric
    par_value: Monetary | None = None
    price_per_share: Monetary | None = None
    board_approval_date: Annotated[date | None, Field(strict=False)] = None
    stockholder_approval_date: Annotated[date | None, Field(strict=False)] = None


class Legend(_Object):
    """The words that a restricted security bears."""

    object_type: Literal["STOCK_LEGEND_TEMPLATE"]
    name: Text
    text: Text


class _Transaction(_Object):
    date: Annotated[date, Field(strict=False)]


class Issuance(_Transaction):
    """One security, as long as nothing ends it."""

    object_type: Literal["TX_STOCK_ISSUANCE"]
    security_id: Text
    custom_id: str
    stakeholder_id: Text
    stock_class_id: Text
    share_price: Monetary
    quantity: Numeric
    stock_legend_ids: list[str]
    security_law_exemptions: list[Exemption]
    consideration_text: str | None = None
    cost_basis: Monetary | None = None
    issuance_type: str | None = None
    board_approval_date: Annotated[date | None, Field(strict=False)] = None
    stockholder_approval_date: Annotated[date | None, Field(strict=False)] = None


class Transfer(_Transaction):
    """The end of one security; others and perhaps a balance come from it."""

    object_type: Literal["TX_STOCK_TRANSFER"]
    security_id: Text
    quantity: Numeric
    resulting_security_ids: list[str]
    balance_security_id: str | None = None
    consideration_text: str | None = None


class Reissuance(_Transaction):
    """The end of one security by a split, and those that stand in its place."""

    object_type: Literal["TX_STOCK_REISSUANCE"]
    security_id: Text
    resulting_security_ids: list[str]
    split_transaction_id: str | None = None
    reason_text: str | None = None


class Cancellation(_Transaction):
    """The end of one security without another."""

    object_type: Literal["TX_STOCK_CANCELLATION"]
    security_id: Text
    quantity: Numeric
    reason_text: Text
    balance_security_id: str | None = None


class Repurchase(_Transaction):
    """The end of one security that its issuer bought, whole or in part; a balance stands for the rest."""

    object_type: Literal["TX_STOCK_REPURCHASE"]
    security_id: Text
    price: Monetary
    quantity: Numeric
    consideration_text: str | None = None
    balance_security_id: str | None = None


class Authorised(_Transaction):
    """A change of the authorised units of a class."""

    object_type: Literal["TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT"]
    stock_class_id: Text
    new_shares_authorized: Numeric
    board_approval_date: Annotated[date | None, Field(strict=False)] = None
    stockholder_approval_date: Annotated[date | None, Field(strict=False)] = None


_SHAPES: Final[Mapping[str, type[_Object]]] = {
    "ISSUER": Issuer,
    "STAKEHOLDER": Stakeholder,
    "STOCK_CLASS": StockClass,
    "STOCK_LEGEND_TEMPLATE": Legend,
    "TX_STOCK_ISSUANCE": Issuance,
    "TX_STOCK_TRANSFER": Transfer,
    "TX_STOCK_REISSUANCE": Reissuance,
    "TX_STOCK_CANCELLATION": Cancellation,
    "TX_STOCK_REPURCHASE": Repurchase,
    "TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT": Authorised,
}

ENDINGS: Final = frozenset(
    {"TX_STOCK_TRANSFER", "TX_STOCK_REISSUANCE", "TX_STOCK_CANCELLATION", "TX_STOCK_REPURCHASE"}
)
"""The objects that end a security."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one object of a package: where it is, which rule it breaks, and how."""

    place: str
    object_id: str
    rule: str
    detail: str


def check_object(place: str, said: object) -> list[Fault]:
    """Return the faults of one object: ``object_is_of_a_known_type`` or ``object_has_its_shape``."""
    given = said if isinstance(said, dict) else {}
    named, kind = str(given.get("id", "")), str(given.get("object_type", ""))
    if kind not in _SHAPES:
        return [Fault(place, named, "object_is_of_a_known_type", kind or "no object_type")]
    try:
        _SHAPES[kind].model_validate(given)
    except ValidationError as fault:
        return [
            Fault(place, named, "object_has_its_shape", f"{'.'.join(map(str, e['loc']))}: {e['msg']}")
            for e in fault.errors(include_input=False, include_url=False)
        ]
    return []
