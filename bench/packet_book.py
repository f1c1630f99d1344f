"""How long packets take through the book: rendered, signed, reviewed, countersigned, verified, certified."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench.stage import scratch
from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.books.subscription import PacketDesk
from bookrunner.sandbox.entering.papers import EVIDENCE, INTENT, Papers
from bookrunner.sandbox.people import Person
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import opened

OFFICER = "issuer.iris"
_SEED = 310


def through_the_book(packets: int, investors: int) -> dict[str, object]:
    """Carry packets through the verbs of one installation; return seconds scaled to ``investors``.

    One process and its threads, beside a server with fsync on. The first packet of the installation and the
    acknowledgments before the application are not counted.
    """
    with scratch() as state:
        folder = state / "installation"
        folder.mkdir(mode=0o711)
        with opened(Settings(state_dir=folder)) as world:
            raised = _Raise(world.application, packets + 1)
            raised.lead()
            began = _cpu_seconds()
            spent = raised.run()
            used = (_cpu_seconds() - began) / packets
    scaled = {name: seconds * investors / packets for name, seconds in spent.items()}
    certify = scaled.pop("certify")
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    phases = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in scaled.items())
    print(f"through the book, for {investors}: {phases}, certify {certify:.1f} s", flush=True)
    return {
        "packet_book_310_s": round(sum(scaled.values()), 1),
        "certificates_310_s": round(certify, 1),
        "book_cpu_s_per_packet": round(used, 3),
        "book_peak_rss_mb": round(peak / 1024),
        "book_sample": packets,
    }


class _Raise:
    """One offer whose investors have acknowledged everything; the first of them goes ahead of the others."""

    def __init__(self, app: Application, investors: int) -> None:
        self._app = app
        self._story = Story(app, investors=investors, seed=_SEED, packets=True)
        chain_id = app.chain.chain_id()
        self._story.publish(
            lambda: app.desk.engine.name_token(
                actor="agent.theo",
                offering=self._story.offering,
                chain_id=chain_id,
                token=b"\x11" * 20,
                treasury=b"\x22" * 20,
            )
        )
        self._story.enter()
        self._story.verify_identities()
        self._papers = Papers(app, self._story.offering)
        self._threads = ThreadPoolExecutor(os.cpu_count())

    def lead(self) -> None:
        """Carry the first investor's packet, which opens what is opened at the first use."""
        self._carry(self._story.people[:1])

    def run(self) -> dict[str, float]:
        """Return the seconds of each phase for everybody but the first investor."""
        return self._carry(self._story.people[1:])

    def _carry(self, group: Sequence[Person]) -> dict[str, float]:
        items = self._app.desk.subscription.requirements(offering=self._story.offering)
        self._papers.apply(group, items)
        spent: dict[str, float] = {}
        _timed(spent, "render", self._app.process.drain)
        names = self._agreements(group)
        signing = self._app.signing
        _timed(spent, "sign", partial(self._each, names, partial(_sign, signing, self._story.offering)))
        _timed(spent, "release", partial(self._papers.release, names))
        countersign = partial(_countersign, signing, self._story.offering)
        _timed(spent, "countersign", partial(self._each, names, countersign))
        _timed(spent, "verify", partial(self._each, names, partial(_verify, signing, self._story.offering)))
        _timed(spent, "certify", self._app.answer)
        return spent

    def _agreements(self, group: Sequence[Person]) -> list[str]:
        found = self._app.desk.engine.agreements_in_force(
            offering=self._story.offering, investments=sorted(person.investment for person in group)
        )
        return [row["agreement_id"] for row in found]

    def _each(self, names: Sequence[str], act: Callable[[str], None]) -> None:
        for _ in self._threads.map(act, names):
            pass


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process alone: its server and its press are others."""
    return time.process_time()


def _timed(spent: dict[str, float], phase: str, act: Callable[[], object]) -> None:
    started = time.monotonic()
    act()
    spent[phase] = time.monotonic() - started


def _sign(signing: PacketDesk, offering: str, name: str) -> None:
    for field in signing.awaited(offering, name):
        signing.sign(offering, name, actor="signing", intent=INTENT, evidence=EVIDENCE, field=field)


def _countersign(signing: PacketDesk, offering: str, name: str) -> None:
    signing.countersign(offering, name, officer=OFFICER, evidence=EVIDENCE)


def _verify(signing: PacketDesk, offering: str, name: str) -> None:
    signing.verify(offering, name, actor="auditor.ann")
