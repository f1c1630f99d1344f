"""What every scheme of signed messages checks alike: size, headers, age, secrets, signature."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bookrunner.adapters.identity import BODY_BYTES_MAX, VerifiedMessage, WebhookRefused, WebhookRule
from bookrunner.core.errors import ConfigurationError

WINDOW_SECONDS: Final = 300
SECRET_BYTES_MIN: Final = 24


def check_body(body: bytes) -> None:
    """Refuse ``body_fits_limit`` for more than 1 MiB."""
    if len(body) > BODY_BYTES_MAX:
        raise WebhookRefused(WebhookRule.BODY_FITS_LIMIT, "more than 1 MiB")


def check_secrets(secrets: Iterable[bytes]) -> None:
    """Raise ConfigurationError unless there is a secret and each has 24 bytes."""
    lengths = [len(secret) for secret in secrets]
    if not lengths or min(lengths) < SECRET_BYTES_MIN:
        raise ConfigurationError("webhooks need at least one secret, each of 24 bytes or more")


def check_age(timestamp: int, now: datetime) -> None:
    """Refuse ``timestamp_is_recent`` for a message that was signed more than 300 seconds from now."""
    if abs(seconds(now) - timestamp) > WINDOW_SECONDS:
        raise WebhookRefused(WebhookRule.TIMESTAMP_IS_RECENT, "more than 300 seconds away")


def seconds(now: datetime) -> int:
    """Return the seconds since 1970; raises ConfigurationError for a time without its zone."""
    if now.utcoffset() is None:
        raise ConfigurationError("a webhook is checked against a time with its zone")
    return int(now.timestamp())


def read_headers(headers: Iterable[tuple[str, str]], grammars: Mapping[str, re.Pattern[str]]) -> list[str]:
    """Return the values of the headers with these lower-case names, in their order.

    Refuses ``headers_are_complete``, ``headers_stand_once`` and ``headers_follow_grammar``, in this order.
    """
    values: dict[str, list[str]] = {name: [] for name in grammars}
    for name, value in headers:
        if name.lower() in values:
            values[name.lower()].append(value)
    for name, given in values.items():
        if not given:
            raise WebhookRefused(WebhookRule.HEADERS_ARE_COMPLETE, name)
    for name, given in values.items():
        if len(given) > 1:
            raise WebhookRefused(WebhookRule.HEADERS_STAND_ONCE, name)
    for name, grammar in grammars.items():
        if grammar.fullmatch(values[name][0]) is None:
            raise WebhookRefused(WebhookRule.HEADERS_FOLLOW_GRAMMAR, name)
    return [given[0] for given in values.values()]


def signer_of(candidates: Sequence[tuple[str, str]], tokens: Iterable[str]) -> tuple[str, str]:
    """Return key id and token of the signature that fits; ``candidates`` are (key id, expected signature).

    Every candidate meets every token: the time taken tells nothing about which one fits. Refuses
    ``signature_matches``.
    """
    signer: tuple[str, str] | None = None
    given = list(tokens)
    for key_id, expected in candidates:
        for token in given:
            if hmac.compare_digest(expected.encode(), token.encode()):
                signer = signer or (key_id, token)
    if signer is None:
        raise WebhookRefused(WebhookRule.SIGNATURE_MATCHES, "no active secret made it")
    return signer


def verified(message_id: str, signer: tuple[str, str], body: bytes) -> VerifiedMessage:
    """Return what the inbox keeps of a message whose signature fits."""
    return VerifiedMessage(
        id=message_id,
        key_id=signer[0],
        signature_digest=hashlib.sha256(signer[1].encode()).hexdigest(),
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the members of a JSON object; refuses ``event_keys_are_unique``. A hook for `json.loads`."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WebhookRefused(WebhookRule.EVENT_KEYS_ARE_UNIQUE, "a member stands twice")
    return members
