"""What a packet may state: letters, shapes, and values that agree with each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

import rfc8785
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from bookrunner.adapters.documents.template import Template
from bookrunner.adapters.documents.words import amount_in_words
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money, currency

Snapshot = Mapping[str, Any]

_WHOLE: Final = 10_000
_FEWEST_JOINT: Final = 2
# Private use, unassigned, surrogates, controls and invisible format characters, bidirectional ones included.
_UNPRINTABLE: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class SnapshotRule(StrEnum):
    """What the data of a packet must keep, in the order in which a breach is reported."""

    PRINTABLE = "text_has_only_printable_letters"
    PLAIN_SPACES = "text_has_single_plain_spaces"
    NFC = "text_is_in_normal_form"
    REQUIRED = "required_fields_are_present"
    KNOWN = "fields_are_known_to_the_schema"
    LENGTH = "text_fits_its_field"
    COUNT = "list_has_an_allowed_length"
    SHAPE = "field_has_its_shape"
    TIMES = "recorded_times_precede_the_document"
    ONCE = "items_are_listed_once"
    PRODUCT = "amount_is_units_times_price"
    WORDS = "amount_in_words_equals_the_digits"
    SIGNER = "an_individual_signs_in_its_own_name"
    OWNERS_SIGN = "every_joint_owner_signs"
    SIGNERS_ONCE = "each_signer_signs_once"
    ENOUGH = "signers_are_as_many_as_the_authority_requires"
    TAX_NAME = "tax_form_is_in_the_legal_name"
    SHARES = "owner_shares_fit_the_whole"
    CONSENT = "consent_precedes_the_first_document"
    MADE = "required_representations_are_made"


_KEYWORDS: Final = {
    "required": SnapshotRule.REQUIRED,
    "additionalProperties": SnapshotRule.KNOWN,
    "minLength": SnapshotRule.LENGTH,
    "maxLength": SnapshotRule.LENGTH,
    "minItems": SnapshotRule.COUNT,
    "maxItems": SnapshotRule.COUNT,
}


def check_letters(data: object) -> None:
    """Refuse text that prints as something else than it is, whatever field it stands in.

    Refuses controls, bidirectional and other invisible characters, any blank but single inner spaces, and
    text that is not in Unicode normal form C. The detail is a JSON pointer and code points, never the text.
    """
    for where, text in _texts(data, ""):
        bad = next((letter for letter in text if unicodedata.category(letter) in _UNPRINTABLE), None)
        if bad is not None:
            raise Refused(SnapshotRule.PRINTABLE, f"{where} has U+{ord(bad):04X}")
        if text != " ".join(text.split(" ")).strip() or "  " in text or _odd_blank(text):
            raise Refused(SnapshotRule.PLAIN_SPACES, where)
        if not unicodedata.is_normalized("NFC", text):
            raise Refused(SnapshotRule.NFC, where)


def check_shape(template: Template, data: Snapshot) -> None:
    """Refuse data that the template's JSON Schema does not allow; the detail is a JSON pointer."""
    faults = sorted(_validator(template).iter_errors(data), key=_rank)
    if faults:
        raise Refused(_rule_of(faults[0]), f"{_pointer(faults[0])} ({faults[0].validator})")
    try:
        rfc8785.dumps(dict(data))
    except rfc8785.CanonicalizationError as fault:
        raise Refused(SnapshotRule.SHAPE, str(fault)) from None


def check_packet(template: Template, data: Snapshot) -> None:
    """Refuse a subscription packet whose values contradict each other."""
    _check_times(data)
    _check_once(data)
    offer, investment = data["offer"], data["investment"]
    amount = Money(investment["amount_minor"], currency(offer["currency"]))
    if amount.minor != investment["units"] * offer["price_minor"]:
        raise Refused(SnapshotRule.PRODUCT, "/investment/amount_minor")
    if investment["amount_in_words"] != amount_in_words(amount):
        raise Refused(SnapshotRule.WORDS, "/investment/amount_in_words")
    _check_people(data)
    required = set(template.about["required_representations"])
    made = {item["code"] for item in data["representations"] if item["made"]}
    missing = sorted((required | {item["code"] for item in data["representations"]}) - made)
    if missing:
        raise Refused(SnapshotRule.MADE, ", ".join(missing))


def moment(text: str) -> datetime:
    """Return the instant of a stated UTC time; refuses ``field_has_its_shape``."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(SnapshotRule.SHAPE, "a time that no calendar has") from None


def _check_people(data: Snapshot) -> None:
    investor = data["investor"]
    _check_signers(data)
    if data["tax"]["name"] != investor["legal_name"]:
        raise Refused(SnapshotRule.TAX_NAME, "/tax/name")
    held: dict[str, int] = {}
    for owner in data["owners"]:
        held[owner["relation"]] = held.get(owner["relation"], 0) + owner["basis_points"]
    if any(total > _WHOLE for total in held.values()):
        raise Refused(SnapshotRule.SHARES, "/owners")
    consent = data["consent"]
    if moment(consent["given_at"]) < moment(consent["format_opened_at"]):
        raise Refused(SnapshotRule.CONSENT, "/consent/format_opened_at")
    if any(moment(item["received_at"]) < moment(consent["given_at"]) for item in data["materials"]):
        raise Refused(SnapshotRule.CONSENT, "/consent/given_at")


def _check_signers(data: Snapshot) -> None:
    kind, names = data["investor"]["kind"], [signer["name"] for signer in data["signers"]]
    if kind == "individual" and names != [data["investor"]["legal_name"]]:
        raise Refused(SnapshotRule.SIGNER, "/signers")
    if kind == "joint":
        owners = [owner["name"] for owner in data["owners"] if owner["relation"] == "joint owner"]
        if len(owners) < _FEWEST_JOINT or sorted(owners) != sorted(names):
            raise Refused(SnapshotRule.OWNERS_SIGN, "/owners")
    parties = [signer["party_id"] for signer in (*data["signers"], data["countersigner"])]
    if len(set(names)) < len(names) or len(set(parties)) < len(parties):
        raise Refused(SnapshotRule.SIGNERS_ONCE, "/signers")
    if len(names) < data["signatures_required"]:
        raise Refused(SnapshotRule.ENOUGH, "/signatures_required")


def _check_times(data: Snapshot) -> None:
    made = moment(data["as_of"])
    for where, text in _texts(data, ""):
        if where.endswith("_at") and moment(text) > made:
            raise Refused(SnapshotRule.TIMES, where)


def _check_once(data: Snapshot) -> None:
    for group in ("risks", "representations", "materials"):
        codes = [item["code"] for item in data[group]]
        if len(codes) != len(set(codes)):
            raise Refused(SnapshotRule.ONCE, f"/{group}")


def _texts(value: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{where}/{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{where}/{number}")


def _odd_blank(text: str) -> bool:
    return any(letter != " " and unicodedata.category(letter) == "Zs" for letter in text)


@cache
def _validator(template: Template) -> Draft202012Validator:
    return Draft202012Validator(template.schema)


def _rule_of(fault: ValidationError) -> SnapshotRule:
    return _KEYWORDS.get(str(fault.validator), SnapshotRule.SHAPE)


def _rank(fault: ValidationError) -> tuple[int, str]:
    return list(SnapshotRule).index(_rule_of(fault)), _pointer(fault)


def _pointer(fault: ValidationError) -> str:
    return "".join(f"/{part}" for part in fault.absolute_path) or "/"
