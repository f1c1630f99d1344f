"""The words of an investor's stages."""

from __future__ import annotations

import pytest

from bookrunner.pages.investment.tracker import sentence

OPEN = {"status": "legally_confirmed", "missing": [], "issuance_state": "open", "holding_is_held": False}
WALLET = {"condition": "wallet_is_linked", "keeper": "registry"}
CLEARED = {"condition": "funds_are_cleared", "keeper": "treasury"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "Everything is confirmed"),
        ({"missing": [WALLET]}, "wallet is linked; this needs you."),
        ({"missing": [CLEARED, WALLET]}, "treasury decides, and 1 more after it."),
        ({"issuance_state": "submitted"}, "are being issued"),
        ({"issuance_state": "registered"}, "are registered in the master securityholder file"),
        ({"issuance_state": "registered", "holding_is_held": True}, "under a hold"),
        ({"status": "cancelled_by_investor", "missing": [CLEARED]}, "You cancelled"),
    ],
)
def test_one_sentence_says_where_it_stands(change: dict[str, object], says: str) -> None:
    assert says in sentence({**OPEN, **change})
