"""How long an exported history takes to verify, beside reading its lines and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

from bench.stage import BenchFailed, scratch
from bookrunner.audit import standalone, verify_export
from tests.audit.histories import write

EVENTS_PER_SUBJECT = 10
SMALL = 100_000
LARGE = 1_000_000


def run(full: bool) -> dict[str, object]:
    """Verify 100,000 events, in full 1,000,000; seconds are scaled to a million.

    ``ratio_read`` is how many times as long as reading the same file line by line it takes; ``alone`` is the
    verifier of one file. Raises BenchFailed unless every event was checked by both.
    """
    events = LARGE if full else SMALL
    with scratch() as folder:
        subjects = events // EVENTS_PER_SUBJECT
        path = write(
            folder / "history.jsonl",
            [("ofr_1", f"inv_{number:07}", EVENTS_PER_SUBJECT) for number in range(subjects)],
        )
        read = _read(path)
        began = time.monotonic()
        verdict = verify_export(path)
        verified = time.monotonic() - began
        check, began = standalone.Check(), time.monotonic()
        check.read(path)
        alone = time.monotonic() - began
    if not verdict.ok or check.faults or (verdict.events, check.events) != (events, events):
        raise BenchFailed(f"{verdict.events} of {events} events were checked")
    print(
        f"{events} events: read in {read:.2f} s, verified in {verified:.2f} s, alone in {alone:.2f} s",
        flush=True,
    )
    return {
        "name": "verify",
        "seconds_per_1m": round(verified * 1_000_000 / events, 2),
        "seconds_per_1m_alone": round(alone * 1_000_000 / events, 2),
        "ratio_read": round(verified / read, 1),
        "events": events,
    }


def _read(path: Path) -> float:
    began = time.monotonic()
    with path.open("rb") as lines:
        for _ in lines:
            pass
    return time.monotonic() - began
