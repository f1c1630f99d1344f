"""Wallets of a whole list are known by their entries, whatever the ticker and the chain of a family."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bookrunner.adapters.screening import ChainFamily, SanctionsList
from bookrunner.adapters.screening.wallets import ListedWallets, family_of, normalise
from bookrunner.core.errors import Refused


def test_a_wallet_names_its_entries(csl: SanctionsList) -> None:
    listed = ListedWallets.of_list(csl)
    assert len(listed) == len({normalise(a) for e in csl.entries.values() for _, a in e.wallets})
    matched = listed.screen_text("0x8576ACC5C05D6CE88F4E49BF65BDF0C62F91353C").matched
    assert matched is not None
    assert matched.family is ChainFamily.EVM
    assert all(csl.entries[key].wallets for key in matched.entry_ids)
    assert matched.entry_ids
    assert listed.version == csl.version


def test_every_wallet_of_a_list_is_hit(csl: SanctionsList) -> None:
    listed = ListedWallets.of_list(csl)
    for entry in csl.entries.values():
        for _, address in entry.wallets:
            matched = listed.screen_text(address).matched
            assert matched is not None
            assert entry.entry_id in matched.entry_ids


def test_a_list_without_wallets_hits_nothing(csl: SanctionsList) -> None:
    empty = ListedWallets.of_list(replace(csl, entries={}))
    assert not empty.screen(b"\x11" * 20).hit


def test_what_is_no_address_is_refused_with_its_entry(csl: SanctionsList) -> None:
    entry = replace(csl.entries["us_csl:30291"], wallets=(("ETH", "see annex"),))
    with pytest.raises(Refused, match="list_line_is_an_address: us_csl:30291"):
        ListedWallets.of_list(replace(csl, entries={entry.entry_id: entry}))


@pytest.mark.parametrize(
    ("address", "family"),
    [
        ("0x8576acc5c05d6ce88f4e49bf65bdf0c62f91353c", ChainFamily.EVM),
        ("12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h", ChainFamily.BITCOIN),
        ("bc1q05aktddf9ce4p7hh3stgsf253m4vweu7nkhtmw", ChainFamily.BITCOIN),
        ("qpf2cphc5dkuclkqur7lhj2yuqq9pk3hmukle77vhq", ChainFamily.BITCOIN),
        ("LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb", ChainFamily.BITCOIN),
        ("TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre", ChainFamily.TRON),
        ("rnXyVQzgxZe7TR1EPzTkGj2jxH4LMJYh66", ChainFamily.RIPPLE),
        (
            "49HqitRzdnhYjgTEAhgGpCfsjdTeMbUTU6cyR4JV1R7k2Eej9rGT8JpFiYDa4tZM6RZiFrHmMzgSrhHEqpDYKBe5B2ufNsL",
            ChainFamily.MONERO,
        ),
        ("5be5543ff73456ab9f2d207887e2af87322c651ea1a873c5b25b7ffae456c320", ChainFamily.OTHER),
    ],
)
def test_an_address_belongs_to_a_family(address: str, family: ChainFamily) -> None:
    assert family_of(normalise(address)) is family
