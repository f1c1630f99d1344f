"""Webhooks: which addresses may be asked, how one is signed and sent; trades in those of venues."""

from bookrunner.adapters.webhooks.address import (
    AddressRefused,
    AddressRule,
    Target,
    check_address,
    parse_target,
)
from bookrunner.adapters.webhooks.sender import Answer, Names, Outcome, Sender, resolve
from bookrunner.adapters.webhooks.signature import SecretKeys, make_secret, public_text, sign
from bookrunner.adapters.webhooks.trades import ExecutedTrade

__all__ = [
    "AddressRefused",
    "AddressRule",
    "Answer",
    "ExecutedTrade",
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
