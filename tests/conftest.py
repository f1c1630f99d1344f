"""One embedded server for the session, and a fresh database for each test that asks for one."""

from __future__ import annotations

import gc
import os
import pwd
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.db import (
    Database,
    Endpoint,
    Server,
    install,
    make_workflow_tables,
    set_passwords,
    start_embedded,
)
from bookrunner.db.catalog import ensure_database
from bookrunner.db.embedded.binaries import Kind
from bookrunner.engine.issuance import Keys
from tests.attack.rights import GIVEN_TO_ATTACKERS
from tests.browsing import axe, browser
from tests.copies import Copies, fresh, opening
from tests.stages import STAGES, built, install_at, worked

__all__ = ["axe", "browser", "built", "install_at", "worked"]

TEMPLATE = "template_of_tests"
DISK = Path("/tmp")  # noqa: S108 - a directory of our own is made in it
MEMORY = Path("/dev/shm")  # noqa: S108 - as above
ROOM_BYTES = 4 * 2**30

Connect = Callable[[str], psycopg.Connection]


def pytest_configure() -> None:
    """Trust no authority but those that a test names: reading the usual ones takes each client 25 ms.

    A file that the machine names would be read in place of the directory.
    """
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)
    # Nearly nothing that collecting makes is garbage, and looking for it takes a third of that time.
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of few tests: they take longest, and whoever has the last file works alone."""
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: sizes[item.path])


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was collected: it lives as long as the session."""
    gc.collect()
    gc.freeze()
    gc.enable()


def server_account() -> str:
    """Return the account for servers started by root: the dedicated one, else one that every system has."""
    try:
        return pwd.getpwnam("bookrunner").pw_name
    except KeyError:
        return "nobody"


def _roomy() -> Path:
    try:
        has_room = shutil.disk_usage(MEMORY).free > ROOM_BYTES and os.access(MEMORY, os.W_OK | os.X_OK)
    except OSError:
        has_room = False
    return MEMORY if has_room else DISK


@pytest.fixture(scope="session")
def state_root() -> Iterator[Path]:
    """Return a short directory that the server's own account can pass through; removed at the end.

    It lies in memory where there is room: most tests copy a database, and a disk takes ten times as long.
    """
    folder = Path(tempfile.mkdtemp(prefix="bkr-", dir=_roomy()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(state_root: Path) -> Iterator[Server]:
    """Return the session's running server, with the programs that a first start would choose.

    ``BOOKRUNNER_TEST_POSTGRES=wheel`` runs the same tests on the wheel's PostgreSQL.
    """
    prefer: Kind | None = "wheel" if os.environ.get("BOOKRUNNER_TEST_POSTGRES") == "wheel" else None
    running = start_embedded(state_root / "session", prefer, account=server_account())
    with psycopg.connect(running.endpoint.of("postgres").admin_dsn(), autocommit=True) as admin:
        # A copy is gone before it would be its turn, and each stage would be visited for nothing.
        admin.execute(b"alter system set autovacuum = off")
        admin.execute(b"select pg_reload_conf()")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def template(server: Server) -> Endpoint:
    """Return the endpoint of a database with the whole schema; never connect to it, only copy it."""
    ensure_database(server.endpoint.of("postgres").admin_dsn(), TEMPLATE)
    endpoint = server.endpoint.of(TEMPLATE)
    install(endpoint.admin_dsn())
    make_workflow_tables(endpoint)
    set_passwords(endpoint)
    with psycopg.connect(endpoint.admin_dsn(), autocommit=True) as admin:
        admin.execute(GIVEN_TO_ATTACKERS.encode())
    return endpoint


@pytest.fixture(scope="session")
def copies() -> Copies:
    """Return the stages that the session's databases may start from."""
    return Copies()


@pytest.fixture
def endpoint(template: Endpoint, request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """Return the endpoint of a fresh copy: of a stage where the test asks for one, else of the template."""
    asked = [stage for stage in STAGES if stage in request.fixturenames]
    with fresh(request.getfixturevalue(asked[0]).endpoint if asked else template) as made:
        yield made


@pytest.fixture
def database(endpoint: Endpoint) -> Iterator[Database]:
    """Return the pools of a fresh database."""
    opened = Database(endpoint, max_size=4)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Return a pair of signing keys; making one and opening it are slow on purpose."""
    return open_keys(tmp_path_factory.mktemp("signing") / "keys", 31337, embedded=True)


@pytest.fixture
def application(endpoint: Endpoint, signing_keys: Keys) -> Iterator[Application]:
    """Return the application over a fresh database; its node is gone, so no act may need the chain."""
    with EvmChain("http://127.0.0.1:1") as chain:
        opened = Application(endpoint, chain, signing_keys, pause=lambda: None)
        yield opened
        opened.close()


@pytest.fixture
def connect(endpoint: Endpoint, copies: Copies) -> Iterator[Connect]:
    """Return a function that opens a raw autocommit connection as a login, ``owner`` or ``admin``."""
    with opening(endpoint, copies) as opener:
        yield opener
