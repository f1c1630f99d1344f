"""Webhooks that go out: which addresses may be asked, how a message is signed, and one try of sending it."""

from bookrunner.adapters.webhooks.address import (
    AddressRefused,
    AddressRule,
    Target,
    check_address,
    parse_target,
)
from bookrunner.adapters.webhooks.sender import Answer, Names, Outcome, Sender, resolve
from bookrunner.adapters.webhooks.signature import SecretKeys, make_secret, public_text, sign

__all__ = [
    "AddressRefused",
    "AddressRule",
    "Answer",
    "Names",
    "Outcome",
    "SecretKeys",
    "Sender",
    "Target",
    "check_address",
    "make_secret",
    "parse_target",
    "public_text",
    "resolve",
    "sign",
]
