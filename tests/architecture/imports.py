"""Import rules that are no layers: who may use which library, and by which door a package is entered."""

from __future__ import annotations

from collections.abc import Iterator

import grimp

ROOT = "bookrunner"

_WEB_EDGE = ("api", "pages", "cli", "app")
_CHAIN = ("adapters.chain", "sandbox")
# The migration lets the workflow library make its own tables.
_DURABLE = ("engine.process.workflow", "app", "db.migrations")

LIBRARY_HOMES: dict[str, tuple[str, ...]] = {
    "aiosql": ("db",),
    "alembic": ("db",),
    "asn1crypto": ("adapters.signing",),
    "coincurve": _CHAIN,
    "dbos": _DURABLE,
    "eth_abi": _CHAIN,
    "eth_account": _CHAIN,
    "eth_hash": _CHAIN,
    "eth_keys": _CHAIN,
    "eth_utils": _CHAIN,
    "fastapi": _WEB_EDGE,
    "granian": _WEB_EDGE,
    "jinja2": _WEB_EDGE,
    "jsonschema": ("adapters.documents",),
    "mcp": ("cli.programs",),
    "mcp_types": ("cli.programs",),
    "opentelemetry": ("core.log", "app"),
    "psycopg": ("db",),
    "psycopg_pool": ("db",),
    "pyhanko": ("adapters.signing",),
    "pyhanko_certvalidator": ("adapters.signing",),
    "pypdf": ("adapters.documents",),
    "sqlalchemy": _DURABLE,
    "starlette": _WEB_EDGE,
    "typer": ("cli",),
    "typst": ("adapters.documents",),
    "uvicorn": _WEB_EDGE,
}
IMPLEMENTATIONS_PICKED_BY = ("app", "sandbox")
GATES = "engine.gates"
NOT_IN_GATES = ("db", "adapters")
LIBRARIES_NOT_IN_GATES = ("psycopg", "httpx", "dbos")


def graph_of(package: str) -> grimp.ImportGraph:
    """Build the graph of who imports whom, libraries included."""
    return grimp.build_graph(package, include_external_packages=True, cache_dir=None)


def _below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _importers(graph: grimp.ImportGraph, module: str) -> Iterator[tuple[str, int]]:
    for importer in sorted(graph.find_modules_that_directly_import(module)):
        details = graph.get_import_details(importer=importer, imported=module)
        yield importer, details[0]["line_number"] if details else 0


def libraries_away_from_home(graph: grimp.ImportGraph, root: str) -> Iterator[str]:
    """Name each import of a library outside the packages that may use it."""
    for library, homes in LIBRARY_HOMES.items():
        if library not in graph.modules:
            continue
        for importer, line in _importers(graph, library):
            if not any(_below(importer, f"{root}.{home}") for home in homes):
                yield f"{importer}:{line} imports {library}, which belongs to {', '.join(homes)}"


def impure_gates(graph: grimp.ImportGraph, root: str) -> Iterator[str]:
    """Name each I/O package that a gate reaches, even through others."""
    forbidden = (*(f"{root}.{name}" for name in NOT_IN_GATES), *LIBRARIES_NOT_IN_GATES)
    for gate in sorted(module for module in graph.modules if _below(module, f"{root}.{GATES}")):
        for reached in sorted(graph.find_upstream_modules(gate)):
            if any(_below(reached, name) for name in forbidden):
                yield f"{gate} reaches {reached}"


def side_doors(graph: grimp.ImportGraph, root: str) -> Iterator[str]:
    """Name each import of a book's inner module from outside that book."""
    for module in sorted(graph.modules):
        parts = module.removeprefix(f"{root}.books.").split(".")
        if not module.startswith(f"{root}.books.") or len(parts) == 1:
            continue
        for importer, line in _importers(graph, module):
            if not _below(importer, f"{root}.books.{parts[0]}"):
                yield f"{importer}:{line} enters {module} by a side door"


def picked_adapters(graph: grimp.ImportGraph, root: str) -> Iterator[str]:
    """Name each import of an adapter's implementation outside the composition root."""
    for module in sorted(graph.modules):
        parts = module.removeprefix(f"{root}.adapters.").split(".")
        if not module.startswith(f"{root}.adapters.") or len(parts) == 1:
            continue
        allowed = (f"{root}.adapters", *(f"{root}.{name}" for name in IMPLEMENTATIONS_PICKED_BY))
        for importer, line in _importers(graph, module):
            if not any(_below(importer, package) for package in allowed):
                yield f"{importer}:{line} picks the adapter {module}"


RULES = (libraries_away_from_home, impure_gates, side_doors, picked_adapters)
