"""The embedded server: started, attached to, killed, stopped, and never open without a password."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bookrunner.core.errors import ConfigurationError
from bookrunner.db import Server, default_state, diagnose, start_embedded
from bookrunner.db.embedded.account import check_reach, find_account
from bookrunner.db.embedded.binaries import Binaries, Kind, choose, system_binaries, wheel_binaries
from bookrunner.db.embedded.cluster import memory_limits, share
from bookrunner.db.embedded.process import running
from tests.conftest import server_account

ACCOUNT = server_account()
AS_ROOT = os.geteuid() == 0
INSTALLED: dict[Kind, Binaries | None] = {"system": system_binaries(), "wheel": wheel_binaries()}
KINDS = [kind for kind, found in INSTALLED.items() if found is not None]

START = """
import sys, time
from pathlib import Path
from bookrunner.db import start_embedded
server = start_embedded(Path(sys.argv[1]), account=sys.argv[2])
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module", params=KINDS)
def stopped(request: pytest.FixtureRequest, state_root: Path) -> Path:
    """Return a state whose server was started once and stopped, one for each set of programs."""
    state = state_root / f"own_{request.param}"
    start_embedded(state, request.param, account=ACCOUNT).stop()
    return state


@pytest.fixture
def started(stopped: Path) -> Iterator[Server]:
    """Return the restarted server."""
    server = start_embedded(stopped, account=ACCOUNT)
    yield server
    server.stop()


def ask(server: Server, question: str) -> object:
    """Return the one value that the administrator reads."""
    with psycopg.connect(server.endpoint.admin_dsn()) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def test_durability_is_on_and_no_port_is_open(started: Server) -> None:
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert ask(started, f"show {name}") == "on"
    assert ask(started, "show listen_addresses") == ""
    assert ask(started, "show max_connections") == "200"


def test_the_server_shares_its_part_of_the_memory(started: Server) -> None:
    question = "select setting::bigint * 8192 from pg_settings where name = 'shared_buffers'"
    assert ask(started, question) == share(memory_limits())


@pytest.mark.parametrize(
    ("machine", "shared"),
    [(256, 128), (512, 128), (1024, 256), (4096, 1024), (8192, 2048), (65536, 2048)],
)
def test_the_part_is_a_quarter_and_no_more_than_two_gibibytes(machine: int, shared: int) -> None:
    assert share([machine * 2**20]) == shared * 2**20


def test_the_limit_of_a_container_counts_where_it_is_smaller(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    machine = memory_limits(limit)
    assert machine == [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    limit.write_text("max\n")
    assert memory_limits(limit) == machine
    limit.write_text(f"{2**30}\n")
    assert memory_limits(limit) == [*machine, 2**30]
    assert share([2**36, 2**30]) == 2**28


def test_data_collation_does_not_depend_on_the_host(started: Server) -> None:
    question = "select to_jsonb(d) from pg_database as d where datname = 'bookrunner'"
    column = "datlocale" if started.cluster.binaries.major >= 17 else "datcollate"
    answer = ask(started, question)
    assert isinstance(answer, dict)
    assert answer[column] == "C.UTF-8"
    assert ask(started, "show server_encoding") == "UTF8"


def test_nobody_enters_without_a_password(started: Server) -> None:
    parts = conninfo_to_dict(started.endpoint.admin_dsn())
    for password in (None, "", "guess"):
        attempt = {**parts, "password": password, "passfile": "/nonexistent", "connect_timeout": 5}
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(make_conninfo("", **{k: v for k, v in attempt.items() if v is not None}))
    assert "trust" not in (started.cluster.data / "pg_hba.conf").read_text().split("TYPE")[-1]


def test_server_with_a_trust_line_is_refused(stopped: Path) -> None:
    server = start_embedded(stopped, account=ACCOUNT)
    rules = server.cluster.data / "pg_hba.conf"
    kept = rules.read_text()
    server.stop()
    rules.write_text(kept + "\nlocal all portal trust\n")
    with pytest.raises(ConfigurationError, match="without a scram password"):
        start_embedded(stopped, account=ACCOUNT)
    rules.write_text(kept)
    assert running(server.cluster.data) is None


def test_settings_file_cannot_turn_durability_off(stopped: Path) -> None:
    server = start_embedded(stopped, account=ACCOUNT)
    with psycopg.connect(server.endpoint.admin_dsn(), autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
    server.stop()
    server = start_embedded(stopped, account=ACCOUNT)
    assert ask(server, "show fsync") == "on"
    with psycopg.connect(server.endpoint.admin_dsn(), autocommit=True) as connection:
        connection.execute("alter system reset fsync")
    server.stop()


def test_secrets_and_data_are_private(started: Server) -> None:
    state = started.cluster.state
    assert (state / "secrets").stat().st_mode & 0o777 == 0o700
    for secret in (state / "secrets").iterdir():
        assert secret.stat().st_mode & 0o777 == 0o600
        assert len(secret.read_text()) >= 43
    assert started.cluster.data.stat().st_mode & 0o777 == 0o700
    assert started.cluster.socket_directory().stat().st_mode & 0o777 == 0o700
    assert (started.cluster.socket_directory() / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700


def test_secrets_are_in_no_argument_log_or_representation(started: Server) -> None:
    password = (started.cluster.state / "secrets" / "bookrunner_admin").read_text()
    command = subprocess.run(
        ["/bin/ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout
    logs = "".join(path.read_text() for path in (started.cluster.data / "log").iterdir())
    assert password not in command + logs + started.cluster.log.read_text() + repr(started)


def test_second_start_is_a_guest_that_cannot_stop_the_server(started: Server) -> None:
    guest = start_embedded(started.cluster.state, account=ACCOUNT)
    assert (guest.pid, guest.supervises) == (started.pid, False)
    guest.stop()
    assert ask(started, "select 1") == 1


def test_server_outlives_a_killed_supervisor_and_is_adopted(stopped: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", START, str(stopped), ACCOUNT], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    adopted = start_embedded(stopped, account=ACCOUNT)
    assert (adopted.pid, adopted.supervises) == (pid, True)
    assert ask(adopted, "select 1") == 1
    adopted.stop()
    assert running(adopted.cluster.data) is None


def test_stop_does_not_wait_for_clients(stopped: Path) -> None:
    server = start_embedded(stopped, account=ACCOUNT)
    with closing(psycopg.connect(server.endpoint.admin_dsn())) as client:
        client.execute("select 1")
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 3


def test_start_after_a_killed_postmaster_keeps_committed_rows(stopped: Path) -> None:
    server = start_embedded(stopped, account=ACCOUNT)
    with psycopg.connect(server.endpoint.admin_dsn(), autocommit=True) as connection:
        connection.execute("create table if not exists public.kept (n int)")
        connection.execute("insert into public.kept values (1)")
        os.kill(server.pid, signal.SIGKILL)
    server._forget_child()
    os.close(server._lock or -1)
    again = start_embedded(stopped, account=ACCOUNT)
    assert ask(again, "select count(*) >= 1 from public.kept") is True
    again.stop()


def test_start_does_not_wait_for_what_a_killed_postmaster_left_at_work(stopped: Path) -> None:
    server = start_embedded(stopped, account=ACCOUNT)
    with psycopg.connect(server.endpoint.admin_dsn()) as connection, ThreadPoolExecutor(1) as aside:
        busy = aside.submit(
            connection.execute,
            "do $$ begin while clock_timestamp() < now() + interval '30 s' loop end loop; end $$",
        )
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGKILL)
        server._forget_child()
        os.close(server._lock or -1)
        begun = time.monotonic()
        again = start_embedded(stopped, account=ACCOUNT)
        assert time.monotonic() - begun < 15
        assert isinstance(busy.exception(), psycopg.OperationalError)
    assert ask(again, "select 1") == 1
    again.stop()


def test_stale_pid_of_a_stranger_does_not_block_the_start(stopped: Path) -> None:
    server = start_embedded(stopped, account=ACCOUNT)
    data, runner = server.cluster.data, server.cluster.account
    server.stop()
    identity = {"user": runner.uid, "group": runner.gid, "extra_groups": []} if runner.drop else {}
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **identity)  # type: ignore[call-overload]
    lines = [
        str(stranger.pid),
        str(data),
        "1",
        "5432",
        str(server.cluster.socket_directory()),
        "",
        "0",
        "ready",
    ]
    (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    os.chown(data / "postmaster.pid", runner.uid, runner.gid)
    assert any(str(stranger.pid) in finding for finding in diagnose(stopped, account=ACCOUNT))
    again = start_embedded(stopped, account=ACCOUNT)
    assert again.pid != stranger.pid
    assert stranger.poll() is None
    again.stop()
    stranger.kill()
    stranger.wait()


def test_killed_first_start_leaves_no_half_cluster(state_root: Path) -> None:
    state = state_root / "half"
    (state / "pg" / "15.new").mkdir(parents=True)
    (state / "pg" / "18.new").mkdir()
    for folder in (state, state / "pg"):
        folder.chmod(0o711)
    (state / "pg" / "15.new" / "PG_VERSION").write_text("15\n")
    server = start_embedded(state, account=ACCOUNT)
    assert ask(server, "select 1") == 1
    server.stop()


def test_recorded_choice_binds(stopped: Path) -> None:
    first = json.loads((stopped / "pg" / "choice.json").read_text())
    for prefer in KINDS:
        assert choose(stopped, prefer).kind == first["kind"]


def test_recorded_programs_that_are_gone_are_refused(state_root: Path) -> None:
    state = state_root / "gone"
    (state / "pg" / "15").mkdir(parents=True)
    record = {"kind": "system", "major": 15, "version": "15.1", "directory": str(state / "nowhere")}
    (state / "pg" / "choice.json").write_text(json.dumps(record))
    with pytest.raises(ConfigurationError, match=r"15\.1 \(system\), whose programs in .*nowhere are gone"):
        choose(state, None)
    assert any("are gone" in finding for finding in diagnose(state, account=ACCOUNT))


def test_long_state_path_gets_a_short_socket_directory(state_root: Path) -> None:
    state = state_root / ("x" * 60) / ("y" * 60)
    server = start_embedded(state, account=ACCOUNT)
    assert ask(server, "select 1") == 1
    sockets = server.cluster.socket_directory()
    assert len(str(sockets)) < 60
    server.stop()
    shutil.rmtree(sockets)


@pytest.mark.skipif(not AS_ROOT, reason="only root drops to another account")
def test_root_without_the_account_is_told_how_to_make_it() -> None:
    with pytest.raises(ConfigurationError, match="make it with: useradd --system"):
        find_account("no-such-account")


@pytest.mark.skipif(not AS_ROOT, reason="only root drops to another account")
def test_closed_parent_directory_is_named(state_root: Path) -> None:
    closed = state_root / "closed"
    (closed / "state").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(ConfigurationError, match=f"may not enter {closed}"):
        check_reach(find_account(ACCOUNT), closed / "state")


@pytest.mark.skipif(not AS_ROOT, reason="only root drops to another account")
def test_state_is_elsewhere_when_root_works_in_a_closed_folder(
    state_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(state_root)
    assert default_state(ACCOUNT) == Path(".state")
    home = state_root / "home"
    (home / "clone").mkdir(parents=True)
    home.chmod(0o700)
    monkeypatch.chdir(home / "clone")
    assert default_state(ACCOUNT) == Path("/var/lib/bookrunner")


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another account")
def test_state_of_another_account_is_refused(stopped: Path) -> None:
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(ConfigurationError, match="belongs to another account"):
            start_embedded(stopped)
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not AS_ROOT, reason="only root drops to another account")
def test_server_runs_as_the_account_without_groups(started: Server) -> None:
    status = Path(f"/proc/{started.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == [str(started.cluster.account.uid)] * 4
    assert fields["Groups"].split() == []


def test_diagnosis_is_empty_for_a_healthy_server_and_speaks_when_it_is_down(stopped: Path) -> None:
    assert "the server is not running" in diagnose(stopped, account=ACCOUNT)
    server = start_embedded(stopped, account=ACCOUNT)
    assert diagnose(stopped, account=ACCOUNT) == []
    server.stop()
    assert diagnose(stopped / "never", account=ACCOUNT)[0].endswith("the server was never started")


def test_two_processes_may_start_a_new_state_at_once(state_root: Path) -> None:
    state = state_root / "both"
    parents = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(state), ACCOUNT], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    pids = set()
    for parent in parents:
        assert parent.stdout is not None
        pids.add(int(parent.stdout.readline()))
        parent.stdout.close()
    assert len(pids) == 1
    for parent in parents:
        parent.kill()
        parent.wait()
    start_embedded(state, account=ACCOUNT).stop()
