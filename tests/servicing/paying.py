"""A registered offer that pays its holders: short names for what the people of a distribution do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.distributions import Distributions, Terms
from tests.attack.world import CHAIN
from tests.treasury.escrow import DAY, Escrow, digest, refused

SPONSOR = "ivr_sponsor"
POOL = 1_000_00


class Payer(Escrow):
    """Three holders with one, two and three units of 500.00, compared with the chain today."""

    def hold(self) -> None:
        """Build the offer up to a register that stands since yesterday, and compare it."""
        self.build("registered")
        self.post_earlier("interval '1 day'")
        self.compare()

    def post_earlier(self, by: str) -> None:
        """Let every posting of the register be older; triggers look away for that."""
        admin = self.login("admin")
        for statement in (
            "alter table registry.posting disable trigger user",
            f"update registry.posting set posted_at = posted_at - {by}",  # noqa: S608
            "alter table registry.posting enable trigger user",
        ):
            admin.execute(statement.encode())

    def compare(self, run: str = "run_one", *, missing: int = 0) -> None:
        """Compare all books with a chain that has every wallet's units, or some fewer of the first."""
        lines = {self.address(n).hex(): n - missing * (n == 1) for n in self.numbers}
        delivered = sum(self.numbers)
        self.call("reconciliation.run", self.offering, run, {"lines": lines, "delivered": delivered})

    def screen(self) -> None:
        """Answer for everybody who waits for the one list of these worlds."""
        waiting = "select distinct subject_id from compliance.rescreening where done_at is null order by 1"
        for (subject,) in self.ask(waiting):
            self._requests += 1
            self.call("compliance.record_screening", subject, f"scr_again{self._requests}", "list-1", None)

    def form(self, n: int, **detail: object) -> None:
        """Let one holder state a tax form for its investment."""
        self._requests += 1
        name = f"ptc_{self.label}{self._requests}"
        self.call("subscription.state_particular", self.offering, name, self.id("inv", n), "tax_form", detail)

    def fund(self, distribution: str, amount: int = POOL, name: str = "issuer") -> None:
        """Let the issuer's money arrive and become the money of a distribution."""
        entry = self.entry(
            9,
            id=f"rcp_{name}",
            key=f"key-{name}",
            amount=amount,
            reference=None,
            fingerprint=digest(name).hex(),
            marks=[f"e2e-{name}"],
        )
        self.pay(name, entry)
        self.call(
            "treasury.fund_distribution", self.offering, distribution, f"rcp_{name}", self.version(name)
        )

    def version(self, name: str) -> int:
        """Return the version of the issuer's receipt."""
        rows = self.ask("select version from treasury.receipt where receipt_id = %s", f"rcp_{name}")
        return int(rows[0][0])

    def unfund(self, name: str = "issuer", proposal: str = "prp_unfund") -> None:
        """Let two people take the issuer's money back from its distribution."""
        said = [proposal, "undo", f"rcp_{name}", None, "for the wrong offer", self.version(name)]
        self.call("treasury.propose_act", self.offering, *said)
        decided = [proposal, True, None, 1]
        with refused("proposal_needs_two_people"):
            self.call("treasury.decide_act", self.offering, *decided)
        self.call("treasury.decide_act", self.offering, *decided, actor="usr_second")

    def approve(self, distribution: str, actor: str = "usr_second") -> None:
        """Let another person approve what it sees."""
        ((seen,),) = self.ask(
            "select version from engine.distribution where distribution_id = %s", distribution
        )
        self.call("engine.approve_distribution", self.offering, distribution, seen, actor=actor)

    def ready(self, runs: Distributions, terms: Terms | None = None) -> str:
        """Draft, screen, approve and fund a distribution; return its id."""
        chosen = pool() if terms is None else terms
        distribution = runs.draft(self.offering, chosen, actor="usr_first")
        self.screen()
        self.approve(distribution)
        self.fund(distribution, chosen.available_minor - sum(amount for _, amount in chosen.reserves))
        return distribution

    def open_coins(self) -> None:
        """Let two people accept a token and the wallet that the offer pays from, in the books alone."""
        token, wallet = digest("token")[:20], digest("paying wallet")[:20]
        terms = {
            "chain_id": CHAIN,
            "token": token.hex(),
            "valid_from": "2026-01-01",
            "currency": "USD",
            "decimals": 6,
            "minor_decimals": 2,
            "dust_minor": 100,
            "received_after": 1,
            "cleared_after": 2,
        }
        self.call("treasury.propose_coin", self.offering, "cin_1", terms)
        self.call("treasury.decide_coin", self.offering, "cin_1", "true", 1, actor="usr_second")
        self.call("treasury.propose_paying_wallet", self.offering, "pwl_1", "cin_1", wallet)
        self.call("treasury.decide_paying_wallet", self.offering, "pwl_1", "true", 1, actor="usr_second")

    def name_coins(self, payee: str) -> None:
        """Let two people say that a payee is paid in tokens, and answer for its wallet."""
        said = [payee, f"pac_{payee}", "stablecoin", None, "asked in writing"]
        self.call("treasury.propose_payee_account", *said)
        self.call("treasury.decide_payee_account", payee, f"pac_{payee}", "true", 1, actor="usr_second")
        asked = "select address from registry.wallet_standing where investor_id = %s and status = 'linked'"
        for (address,) in self.ask(asked, payee):
            self._requests += 1
            subject, screening = f"wallet:{bytes(address).hex()}", f"scr_wallet{self._requests}"
            self.call("compliance.record_screening", subject, screening, "list-1", None)

    def states(self) -> dict[str, str]:
        """Return the state of each payee's line, by investor."""
        return dict(self.ask("select investor_id, status from treasury.disbursement order by 1"))

    def send(self, distribution: str, payout: str = "pyo_1") -> list[str]:
        """Order what may be paid now; return the lines of the order."""
        with self.login("treasury").transaction():
            taken = self.call("treasury.take_disbursements", self.offering, distribution, 100)
            lines = [line["refund"] for line in taken or []]
            if lines:
                self.call("treasury.store_disbursements", self.offering, payout, payout.encode(), lines)
                self.call("treasury.mark_handed_over", self.offering, payout, "ack")
        return lines

    def line(self, n: int) -> str:
        """Return the line of one holder."""
        rows = self.ask(
            "select line_id from engine.distribution_line where investor_id = %s", self.id("ivr", n)
        )
        return str(rows[-1][0])


def payer(connect: object, database: Database) -> tuple[Payer, Distributions]:
    """Build the offer up to its register, as it was yesterday, and compare it."""
    world = Payer(connect)  # type: ignore[arg-type]
    world.hold()
    return world, distributions(database)


def yesterday() -> date:
    """Return the last day that is over."""
    return (datetime.now(UTC) - timedelta(days=1)).date()


def distributions(database: Database) -> Distributions:
    """Return what runs distributions on a database."""
    return Distributions(Desk(database))


def pool(
    available: int = POOL,
    reserves: Sequence[tuple[str, int]] = (),
    tiers: Sequence[Mapping[str, object]] = ({"kind": "split"},),
    sponsor: str | None = None,
) -> Terms:
    """Return terms of yesterday, the last day that is over."""
    return Terms(
        record_on=yesterday(),
        pay_on=yesterday(),
        available_minor=available,
        reserves=reserves,
        tiers=tiers,
        sponsor=sponsor,
    )


__all__ = ["DAY", "POOL", "SPONSOR", "Payer", "distributions", "payer", "pool", "yesterday"]
