"""Look wallet addresses up among those that OFAC lists.

Keyed by normalised address, never by ticker: the list names some EVM addresses under USDT only,
some under two tickers, most in mixed case. An EVM address that is listed is listed on every chain.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from bookrunner.adapters.screening.model import (
    ChainFamily,
    ListedWallet,
    ListVersion,
    SanctionsList,
    WalletScreening,
)
from bookrunner.core.errors import Refused

_EVM_BYTES: Final = 20
_LINE: Final = re.compile(r"(?:([A-Z0-9]{2,8}),)?([A-Za-z0-9:]{20,128})", re.ASCII)
_EVM: Final = re.compile(r"0x[0-9a-f]{40}", re.IGNORECASE)
_BECH32: Final = re.compile(r"(?:bc1|ltc1|tb1)[a-z0-9]{11,}", re.IGNORECASE)
_FAMILIES: Final = (
    (ChainFamily.EVM, re.compile(r"0x[0-9a-f]{40}")),
    (ChainFamily.TRON, re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}")),
    (ChainFamily.RIPPLE, re.compile(r"r[1-9A-HJ-NP-Za-km-z]{24,34}")),
    (ChainFamily.MONERO, re.compile(r"[48][1-9A-HJ-NP-Za-km-z]{94}")),
    (
        ChainFamily.BITCOIN,
        re.compile(r"[13LMXtDG][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1|ltc1|tb1)[a-z0-9]{11,87}"),
    ),
    (ChainFamily.BITCOIN, re.compile(r"[qp][a-z0-9]{41}")),
)
_CASHADDR: Final = re.compile(r"(?:bitcoincash:)?([qp][a-z0-9]{41})", re.IGNORECASE)


class ListedWallets:
    """One version of the list of wallets, held in memory."""

    def __init__(self, wallets: Mapping[str, ListedWallet], version: ListVersion) -> None:
        self._wallets = dict(wallets)
        self.version = version

    def __len__(self) -> int:
        """Return the number of different addresses."""
        return len(self._wallets)

    def __iter__(self) -> Iterator[ListedWallet]:
        """Yield each address once."""
        return iter(self._wallets.values())

    @classmethod
    def load(cls, files: Mapping[str, bytes], *, published_on: date) -> ListedWallets:
        """Read files by ticker, of one address a line, or of ``TICKER,address`` under any name.

        ``#`` starts a line that is no entry. The version's digest covers names and bytes and not
        the order of ``files``. Refuses ``list_line_is_an_address`` (with the file and the line,
        so that a changed format stops) and ``list_is_not_empty``.
        """
        digest = hashlib.sha256()
        tickers: dict[str, set[str]] = {}
        for name in sorted(files):
            digest.update(f"{name}:{len(files[name])}:".encode() + files[name])
            for ticker, address in read_addresses(name, files[name]):
                tickers.setdefault(address, set()).add(ticker)
        if not tickers:
            raise Refused("list_is_not_empty", "no address in the files")
        wallets = {address: _wallet(address, names, ()) for address, names in tickers.items()}
        return cls(wallets, ListVersion(digest.hexdigest(), published_on))

    @classmethod
    def of_list(cls, listed: SanctionsList) -> ListedWallets:
        """Take the wallets of a whole list, each with the entries that name it; there may be none.

        Refuses ``list_line_is_an_address``, with the entry, for one that no chain could have.
        """
        tickers: dict[str, set[str]] = defaultdict(set)
        entries: dict[str, set[str]] = defaultdict(set)
        for entry in listed.entries.values():
            for ticker, written in entry.wallets:
                if _LINE.fullmatch(written) is None or "," in written:
                    raise Refused("list_line_is_an_address", entry.entry_id)
                address = normalise(written)
                tickers[address].add(ticker)
                entries[address].add(entry.entry_id)
        return cls({a: _wallet(a, tickers[a], entries[a]) for a in tickers}, listed.version)

    def screen(self, address: bytes) -> WalletScreening:
        """Look up an EVM address of 20 bytes; refuses ``address_has_twenty_bytes``."""
        if len(address) != _EVM_BYTES:
            raise Refused("address_has_twenty_bytes", f"{len(address)} bytes")
        return self.screen_text("0x" + address.hex())

    def screen_text(self, address: str) -> WalletScreening:
        """Look up an address of any chain as written there; refuses ``address_is_plausible``."""
        if _LINE.fullmatch(address) is None or "," in address:
            raise Refused("address_is_plausible", "expected 20 to 128 letters and digits")
        matched = self._wallets.get(normalise(address))
        return WalletScreening(matched is not None, self.version, matched)


def family_of(address: str) -> ChainFamily:
    """Return the chains on which an address in normal form can hold funds, by its shape."""
    return next((family for family, shape in _FAMILIES if shape.fullmatch(address)), ChainFamily.OTHER)


def normalise(address: str) -> str:
    """Return one form for each address: lower case where case carries nothing but a checksum.

    EVM, bech32 and Bitcoin Cash addresses are lowered, the latter without their prefix; the case
    of base 58 addresses distinguishes them and stays.
    """
    if _EVM.fullmatch(address) or _BECH32.fullmatch(address):
        return address.lower()
    cash = _CASHADDR.fullmatch(address)
    return cash[1].lower() if cash else address


def _wallet(address: str, tickers: Iterable[str], entries: Iterable[str]) -> ListedWallet:
    return ListedWallet(address, tuple(sorted(tickers)), family_of(address), tuple(sorted(entries)))


def read_addresses(name: str, raw: bytes) -> list[tuple[str, str]]:
    """Return ticker and address of each line; ``name`` is the ticker where a line has none.

    Refuses ``list_line_is_an_address``.
    """
    try:
        lines = raw.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise Refused("list_line_is_an_address", f"{name}: not ASCII") from None
    found = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise Refused("list_line_is_an_address", f"{name}, line {number}")
        found.append((match[1] or name, normalise(match[2])))
    return found
