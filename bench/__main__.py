"""``python -m bench [NAME]``: one benchmark, small; without a name all of them, in full."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from bench import api, http, ledger, pages, receipts, reconciliation, transitions, verify


def close(full: bool) -> dict[str, object]:
    """Run the closing, which brings the whole sandbox with it."""
    from bench.close import run

    return run(full)


def distribution(full: bool) -> dict[str, object]:
    """Run the distribution, which brings the matcher and the payment files with it."""
    from bench.distribution import run

    return run(full)


def issuance(full: bool) -> dict[str, object]:
    """Run the issuance, which brings the whole sandbox with it."""
    from bench.issuance import run

    return run(full)


def packet(full: bool) -> dict[str, object]:
    """Run the packets, which bring the sandbox and the typesetter with them."""
    from bench.packet import run

    return run(full)


def raises(full: bool) -> dict[str, object]:
    """Run the raises, which bring the sandbox with them."""
    from bench.raises import run

    return run(full)


def screening(full: bool) -> dict[str, object]:
    """Run the screening, which brings the numerical libraries with it."""
    from bench.screening import run

    return run(full)


BENCHMARKS: dict[str, Callable[[bool], dict[str, object]]] = {
    "api": api.run,
    "close": close,
    "distribution": distribution,
    "http": http.run,
    "issuance": issuance,
    "packet": packet,
    "pages": pages.run,
    "raises": raises,
    "screening": screening,
    "ledger": ledger.run,
    "receipts": receipts.run,
    "reconciliation": reconciliation.run,
    "transitions": transitions.run,
    "verify": verify.run,
}


def main(arguments: list[str]) -> int:
    """Run what the arguments name; the last line of each benchmark is one JSON object."""
    unknown = [name for name in arguments if name not in BENCHMARKS]
    if unknown:
        print(
            f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}",
            file=sys.stderr,
        )
        return 2
    for name in arguments or BENCHMARKS:
        print(json.dumps(BENCHMARKS[name](not arguments)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
