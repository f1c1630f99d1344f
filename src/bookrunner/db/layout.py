"""The SQL files that make the database, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from bookrunner.core.errors import ConfigurationError

_BOOKS = ("portal", "compliance", "subscription", "treasury", "registry")
# A function in the standard SQL form names what stands before it.
_COMPLIANCE = ("parties", "risk")
_SCREENING = ("lists", "policies", "subjects", "results", "hits")
_CASES = ("ownership", "identity", "accreditation")
_DESK = ("sealed", "suspicion", "examined", "suitability", "stated_owners")
_REGISTRY = ("transactions", "issuance")
_HOLDERS = ("wallets", "custody")
_TRANSFERS = ("rules", "movement", "requests", "refusals", "posting")
_CONVERSIONS = ("working", "verbs", "acts")
_ACTIONS = ("buybacks", "splits", "conversions", "reinvestment", "votes")
_REINVESTMENT = "bookrunner.books.registry.transfers.actions.reinvestment"
_MARKET = ("board", "venues", "hearing")
_RESTRAINT = ("facts", "control", "execution", "refusals")
_AUTHORITY = ("schema", "rows", "clients", "admission", "emergency")
_COMPARISONS = ("identity", "subscriptions", "payments", "wallets", "holdings", "inner", "history")
_DISBURSEMENTS = (
    "schema",
    "accounts",
    "verbs",
    "redeemed",
    "remittances",
    "ach",
    "coins",
    "findings",
    "losses",
    "lieu",
)
_FILINGS = ("clocks", "schema", "items", "owed", "packs", "verbs")
_PACKETS = ("guards", "archive", "evidence", "verbs", "review")

SCHEMA_FILES: tuple[tuple[str, str], ...] = (
    ("bookrunner.audit", "schema.sql"),
    ("bookrunner.engine", "schema.sql"),
    ("bookrunner.engine.allocation", "schema.sql"),
    ("bookrunner.engine.machines", "machines.sql"),
    ("bookrunner.engine.machines", "states.sql"),
    ("bookrunner.engine.machines", "states_of_proof.sql"),
    ("bookrunner.engine.machines", "transitions.sql"),
    ("bookrunner.engine.machines", "treasury.sql"),
    ("bookrunner.engine.machines", "register.sql"),
    ("bookrunner.engine.machines", "market.sql"),
    ("bookrunner.engine.machines", "servicing.sql"),
    ("bookrunner.engine.machines", "answering.sql"),
    ("bookrunner.engine.gates", "position.sql"),
    ("bookrunner.engine.gates", "gates.sql"),
    ("bookrunner.engine.gates", "parties.sql"),
    ("bookrunner.engine.life", "schema.sql"),
    ("bookrunner.engine.life.servicing.distributions", "schema.sql"),
    ("bookrunner.engine.life.servicing.buybacks", "schema.sql"),
    ("bookrunner.engine.life.servicing.reinvestment", "schema.sql"),
    *((f"bookrunner.books.{book}", "schema.sql") for book in _BOOKS),
    ("bookrunner.books.registry.transfers.actions", "schema.sql"),
    ("bookrunner.books.registry.transfers.actions.buybacks", "schema.sql"),
    ("bookrunner.engine.life.servicing.buybacks", "released.sql"),
    ("bookrunner.books.registry.transfers.actions.conversions", "schema.sql"),
    (_REINVESTMENT, "schema.sql"),
    ("bookrunner.books.compliance.programme", "rules.sql"),
    *(("bookrunner.books.compliance", f"{noun}.sql") for noun in _COMPLIANCE),
    ("bookrunner.books.compliance.privacy", "files.sql"),
    *(("bookrunner.books.compliance.screening", f"{noun}.sql") for noun in _SCREENING),
    *(("bookrunner.books.compliance", f"{noun}.sql") for noun in _CASES),
    ("bookrunner.books.compliance.privacy", "erasure.sql"),
    ("bookrunner.books.compliance.programme", "versions.sql"),
    *(("bookrunner.books.compliance.desk", f"{part}.sql") for part in _DESK),
    ("bookrunner.books.subscription.packets", "schema.sql"),
    ("bookrunner.books.treasury", "ledger.sql"),
    ("bookrunner.books.treasury", "rules.sql"),
    ("bookrunner.books.treasury.rails", "coins.sql"),
    ("bookrunner.books.treasury.desk", "schema.sql"),
    *(
        ("bookrunner.books.treasury.desk", f"{part}.sql")
        for part in ("escrow", "unidentified", "fees", "settlement")
    ),
    *(("bookrunner.books.treasury.rails.exchange", f"{part}.sql") for part in ("rates", "snapshots")),
    *((f"bookrunner.books.{book}", "verbs.sql") for book in _BOOKS),
    ("bookrunner.books.compliance.programme", "record.sql"),
    ("bookrunner.books.subscription", "representations.sql"),
    *(("bookrunner.books.subscription.packets", f"{part}.sql") for part in _PACKETS),
    ("bookrunner.books.subscription", "offered.sql"),
    ("bookrunner.books.subscription.consent", "consent.sql"),
    ("bookrunner.books.subscription", "reconfirmation.sql"),
    ("bookrunner.books.portal", "personal.sql"),
    ("bookrunner.books.portal", "suitability.sql"),
    ("bookrunner.books.portal", "ownership.sql"),
    ("bookrunner.books.portal", "delegation.sql"),
    *(("bookrunner.books.registry", f"{part}.sql") for part in _REGISTRY),
    *(("bookrunner.books.registry.holders", f"{part}.sql") for part in _HOLDERS),
    ("bookrunner.books.registry.turnaround", "turnaround.sql"),
    *(("bookrunner.books.registry.transfers", f"{part}.sql") for part in _TRANSFERS),
    ("bookrunner.books.registry", "control.sql"),
    ("bookrunner.books.registry.statements", "register.sql"),
    ("bookrunner.books.registry.transfers.market", "settlements.sql"),
    ("bookrunner.books.registry.transfers", "observed.sql"),
    ("bookrunner.books.registry.transfers.market", "parting.sql"),
    ("bookrunner.books.registry.statements", "imports.sql"),
    *(("bookrunner.books.registry.holders", f"{part}.sql") for part in ("changes", "lost", "payees")),
    *(("bookrunner.books.registry.restraint", f"{part}.sql") for part in _RESTRAINT),
    *(("bookrunner.books.registry.transfers", f"{part}.sql") for part in ("rescission", "fees")),
    ("bookrunner.engine.life.servicing", "charges.sql"),
    ("bookrunner.books.treasury.desk", "charges.sql"),
    *(("bookrunner.books.registry.transfers.market", f"{part}.sql") for part in _MARKET),
    (_REINVESTMENT, "promised.sql"),
    ("bookrunner.books.registry.transfers.actions", "rest.sql"),
    ("bookrunner.books.registry.transfers.actions", "verbs.sql"),
    *(
        ("bookrunner.books.registry.transfers.actions.buybacks", f"{part}.sql")
        for part in ("verbs", "burning", "releases")
    ),
    *(("bookrunner.books.registry.transfers.actions.conversions", f"{part}.sql") for part in _CONVERSIONS),
    *((_REINVESTMENT, f"{part}.sql") for part in ("verbs", "issuing")),
    ("bookrunner.books.registry.transfers.actions", "lieu.sql"),
    ("bookrunner.engine.life.servicing", "owed.sql"),
    ("bookrunner.books.treasury.rails", "notices.sql"),
    ("bookrunner.books.treasury.rails", "entries.sql"),
    ("bookrunner.books.treasury", "matching.sql"),
    ("bookrunner.books.treasury.rails", "stored.sql"),
    ("bookrunner.books.treasury.rails", "debits.sql"),
    ("bookrunner.books.treasury.rails", "retries.sql"),
    ("bookrunner.books.treasury", "clearing.sql"),
    ("bookrunner.books.treasury.rails", "deposits.sql"),
    ("bookrunner.books.treasury", "refunds.sql"),
    ("bookrunner.books.treasury.rails", "returned.sql"),
    ("bookrunner.books.treasury", "release.sql"),
    *(("bookrunner.books.treasury.rails.disbursements", f"{part}.sql") for part in _DISBURSEMENTS),
    ("bookrunner.books.treasury", "standing.sql"),
    ("bookrunner.books.treasury.desk", "verbs.sql"),
    ("bookrunner.engine", "verbs.sql"),
    ("bookrunner.engine.allocation", "orders.sql"),
    ("bookrunner.engine.allocation", "allotment.sql"),
    ("bookrunner.engine.allocation", "amendment.sql"),
    ("bookrunner.engine.allocation", "institutional.sql"),
    ("bookrunner.engine.allocation.capital", "rules.sql"),
    ("bookrunner.engine.allocation.capital", "intake.sql"),
    ("bookrunner.engine.life", "terms.sql"),
    ("bookrunner.engine.life", "offers.sql"),
    ("bookrunner.engine.life", "cancellation.sql"),
    ("bookrunner.engine.life", "changes.sql"),
    ("bookrunner.engine.life", "notices.sql"),
    ("bookrunner.engine.life", "closing.sql"),
    ("bookrunner.engine.life.issuer", "record.sql"),
    ("bookrunner.engine.issuance", "cases.sql"),
    ("bookrunner.engine.issuance", "closing.sql"),
    *(("bookrunner.engine.life.servicing.filings", f"{part}.sql") for part in _FILINGS),
    ("bookrunner.engine.life.servicing.actions", "votes.sql"),
    ("bookrunner.engine.life.servicing.actions", "splits.sql"),
    ("bookrunner.engine.life.servicing.distributions", "verbs.sql"),
    ("bookrunner.engine.life.servicing.reinvestment", "working.sql"),
    ("bookrunner.engine.life.servicing.buybacks", "verbs.sql"),
    ("bookrunner.engine.life.servicing.coupons", "amortisation.sql"),
    ("bookrunner.engine.life.servicing.distributions", "coins.sql"),
    ("bookrunner.engine.life.servicing.taxes", "schema.sql"),
    ("bookrunner.engine.life.servicing.taxes", "verbs.sql"),
    ("bookrunner.engine.life.servicing.coupons", "schema.sql"),
    ("bookrunner.engine.life.servicing.coupons", "verbs.sql"),
    ("bookrunner.engine.life.servicing", "watch.sql"),
    ("bookrunner.audit", "verbs.sql"),
    ("bookrunner.reconciliation", "schema.sql"),
    ("bookrunner.reconciliation", "kinds.sql"),
    *(("bookrunner.reconciliation.comparisons", f"{name}.sql") for name in _COMPARISONS),
    *(
        ("bookrunner.reconciliation", f"{part}.sql")
        for part in ("cadence", "looks", "verbs", "breaks", "touched")
    ),
    ("bookrunner.engine.life.servicing.actions", "exit.sql"),
    ("bookrunner.engine.machines", "people.sql"),
    ("bookrunner.api.access.people", "accounts.sql"),
    ("bookrunner.api.access", "schema.sql"),
    ("bookrunner.api.access", "sessions.sql"),
    *(
        ("bookrunner.api.access.people", f"{part}.sql")
        for part in ("sessions", "verbs", "recovery", "decisions")
    ),
    ("bookrunner.api.access", "proposals.sql"),
    *(("bookrunner.api.access.authority", f"{part}.sql") for part in _AUTHORITY),
    ("bookrunner.books.subscription", "readers.sql"),
    ("bookrunner.api.writes", "verbs.sql"),
    ("bookrunner.api.writes", "offers.sql"),
    ("bookrunner.api.writes", "packets.sql"),
    ("bookrunner.api.writes", "statements.sql"),
    ("bookrunner.api.writes", "institutions.sql"),
    ("bookrunner.api.writes", "suitability.sql"),
    ("bookrunner.api.writes", "closings.sql"),
    ("bookrunner.api.writes", "allocation.sql"),
    ("bookrunner.api.writes", "wallets.sql"),
    ("bookrunner.api.writes", "transfers.sql"),
    ("bookrunner.api.writes", "checks.sql"),
    ("bookrunner.api.writes", "profiles.sql"),
    ("bookrunner.engine.process", "turns.sql"),
    ("bookrunner.engine.life.issuer", "reach.sql"),
    *((f"bookrunner.engine.life.servicing.{part}", "reach.sql") for part in ("filings", "actions")),
    *(("bookrunner.api.hooks", f"{part}.sql") for part in ("schema", "verbs", "deliveries")),
    ("bookrunner.api.desks", "receipts.sql"),
    ("bookrunner.api.desks.servicing", "filings.sql"),
    ("bookrunner.engine.machines", "proof.sql"),
    ("bookrunner.audit.record", "schema.sql"),
    ("bookrunner.audit.record", "access.sql"),
    ("bookrunner.audit.record", "timeline.sql"),
    ("bookrunner.audit.record", "anchors.sql"),
    ("bookrunner.api.access.people", "providers.sql"),
    ("bookrunner.api.desks", "decisions.sql"),
    ("bookrunner.api.access.people", "reading.sql"),
    *(("bookrunner.api.desks.servicing", f"{part}.sql") for part in ("distributions", "payments")),
    ("bookrunner.api.desks.servicing.debt", "debt.sql"),
    *(("bookrunner.api.desks.servicing.actions", f"{part}.sql") for part in _ACTIONS),
    ("bookrunner.db", "grants.sql"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one SQL file; ``name`` says its place in the order and its package."""

    name: str
    text: str


def sources() -> Sequence[Source]:
    """Return the files of SCHEMA_FILES with their texts; a missing one raises ConfigurationError."""
    found = []
    for place, (package, filename) in enumerate(SCHEMA_FILES, start=1):
        try:
            text = read(package, filename)
        except FileNotFoundError:
            raise ConfigurationError(f"{filename} is missing from {package}") from None
        short = package.removeprefix("bookrunner.").replace(".", "_")
        found.append(Source(f"{place:03}_{short}_{filename}", text))
    return found


def read(package: str, filename: str) -> str:
    """Return the text of a file inside a package of bookrunner, without importing that package.

    An import would run code of layers above this one. A missing file raises FileNotFoundError.
    """
    root, *folders = package.split(".")
    return files(root).joinpath(*folders, filename).read_text(encoding="utf-8")
