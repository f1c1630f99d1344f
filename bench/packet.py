"""How long 310 packets take to be executed and verified, by the ceremony alone and through the book."""

from __future__ import annotations

import os
import resource
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bench.packet_book import through_the_book
from bench.stage import scratch
from bookrunner.adapters.documents import Typesetter, load_template, render_packet
from bookrunner.adapters.signing import (
    Ceremony,
    Expected,
    SandboxAuthority,
    SandboxTimeStamper,
    envelope_for,
    verify_executed,
)
from tests.documents import samples

INVESTORS = 310
SMALL = 24
VERIFIED = 4
INTENT = "I agree to be bound by this subscription agreement and its schedules."


@dataclass(frozen=True, slots=True)
class Share:
    """What one process did: packets, seconds of rendering, signing and verifying, peak memory in KiB."""

    packets: int
    wall_seconds: float
    render_seconds: float
    sign_seconds: float
    one_verify_seconds: float
    cpu_seconds: float
    peak_kib: int


def run(full: bool) -> dict[str, object]:
    """Make packets in one process for each core, all 310 in full, else a sample that is scaled.

    Then as many go through the verbs of the book, in one process. Each packet is rendered and read back,
    signed, checked, checked again, countersigned and verified as executed; the rate of signatures includes
    these checks. The start of the processes and a first packet in each are not counted; verification of
    files from outside is measured apart, on the last packets.
    """
    processes = os.cpu_count() or 1
    packets = INVESTORS if full else SMALL
    shares = [packets // processes + (n < packets % processes) for n in range(processes)]
    context = get_context("spawn")
    with scratch() as state, ProcessPoolExecutor(processes, mp_context=context) as pool:
        SandboxAuthority.open(state / "pki")
        gate = context.Manager().Barrier(processes)
        work = [pool.submit(_work, state, number, count, gate) for number, count in enumerate(shares)]
        done = [item.result() for item in work]
    wall = max(share.wall_seconds for share in done)
    scaled = wall * INVESTORS / packets
    cpu = sum(share.cpu_seconds for share in done) / packets
    print(f"{packets} packets in {wall:.1f} s on {processes} processes, {cpu:.2f} s of CPU each", flush=True)
    return {
        "name": "packet",
        "packet_310_s": round(scaled, 1),
        "documents_per_s": round(sum(s.packets / s.render_seconds for s in done), 1),
        "signatures_per_s": round(sum(2 * s.packets / s.sign_seconds for s in done), 1),
        "verifications_per_s": round(sum(1 / s.one_verify_seconds for s in done), 1),
        "cpu_s_per_packet": round(cpu, 3),
        "peak_rss_mb": round(max(share.peak_kib for share in done) / 1024),
        "sample": packets,
        "processes": processes,
        **through_the_book(packets, INVESTORS),
    }


def _work(state: Path, number: int, packets: int, gate: object) -> Share:
    authority = SandboxAuthority.open(state / "pki")
    template = load_template("subscription_packet", "1.1.0")
    spent = [0.0, 0.0]
    with Typesetter() as press:
        ceremony = Ceremony(authority, SandboxTimeStamper(authority.time_stamps), press)

        def make(index: int) -> tuple[bytes, Expected]:
            marks = [time.monotonic()]
            data = samples.named(f"Investor {number} Example-{index}")
            data["document_id"] = f"doc_{number}_{index}"
            rendered = render_packet(template, data, press)
            marks.append(time.monotonic())
            envelope = envelope_for(f"env_{number}_{index}", rendered, data)
            signed = ceremony.sign(envelope, intent=INTENT)
            before = ceremony.expected(envelope, investor=signed.serial, sha256=signed.sha256)
            executed = ceremony.countersign(envelope, signed.content, investor=before, intent=INTENT)
            marks.append(time.monotonic())
            for part in range(2):
                spent[part] += marks[part + 1] - marks[part]
            outside = ceremony.expected(envelope, investor=signed.serial, issuer=executed.serial)
            return executed.content, outside

        make(-1)
        spent[:] = [0.0, 0.0]
        gate.wait()  # type: ignore[attr-defined]
        began = time.process_time()
        started = time.monotonic()
        made = deque((make(index) for index in range(packets)), maxlen=VERIFIED)
        wall = time.monotonic() - started
        cpu = time.process_time() - began
        started = time.monotonic()
        for content, expected in made:
            verify_executed(content, expected)
        verified = (time.monotonic() - started) / len(made)
    cpu += resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Share(packets, wall, *spent, verified, cpu, peak)
