"""How long a whole closing takes: from the frozen set to the last registered holding."""

from __future__ import annotations

from bench.stage import scratch
from bookrunner.sandbox.simulation import simulate

SEED = 7
SMALL = 310
LARGE = 10_000


def run(full: bool) -> dict[str, object]:
    """Play an offering of 310 investors, in full also one of 10,000, each on a new server.

    Returns the seconds of each closing, of each set-up beside it, and the largest size of this process.
    """
    measured: dict[str, object] = {"name": "close"}
    for investors in (SMALL, LARGE) if full else (SMALL,):
        with scratch() as state:
            report = simulate(state, investors, SEED)
        print(
            f"{investors:>6} investors: closed in {report.close_seconds:.1f} s,"
            f" {report.issued} issued, set up in {report.setup_seconds:.1f} s",
            flush=True,
        )
        measured[f"close_{investors}_s"] = round(report.close_seconds, 2)
        measured[f"setup_{investors}_s"] = round(report.setup_seconds, 1)
        measured["peak_mib"] = report.peak_mib
    return measured
