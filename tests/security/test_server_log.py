"""What the embedded database writes: lines of JSON, and nothing of a row that broke a rule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from bookrunner.db import Endpoint, Server
from bookrunner.db.endpoint import LOGINS
from tests.attack.world import Connect

MARKER = "Zephyrine Quillfeather of 9 Larkspur Alley"
CHECK = b"select portal.name_delegate('ivr_one', 'req_1', 'ivr_one', 'dgn_1', %s)"
TERMS = json.dumps({"delegate": MARKER, "scope": "see", "until": "2999-01-01T00:00:00Z"})
# Made by each login for itself: what breaks is a rule of a table whose row has the marker.
OWN = b"create temporary table told (name text primary key check (length(name) < 60), told_to text not null)"


def logs(server: Server) -> Sequence[Path]:
    """Return the files that the server writes to, and what it wrote before."""
    return [*sorted((server.cluster.data / "log").iterdir()), server.cluster.log]


def written(server: Server, mark: str) -> str:
    """Return all that the server has written, once it has come to a mark."""
    while True:
        said = "".join(path.read_text(encoding="utf-8") for path in logs(server))
        if mark in said:
            return said


def break_rules(login: psycopg.Connection) -> None:
    """Break a unique key, a check and a column that is not null, with the marker in each row."""
    login.execute(OWN)
    login.execute("insert into told values (%s, 'one')", [MARKER])
    for values in ((MARKER, "two"), (MARKER * 3, "three"), (f"{MARKER} once more", None)):
        with pytest.raises(psycopg.errors.IntegrityError) as caught:
            login.execute("insert into told values (%s, %s)", values)
        # Whoever asked hears all of it; this is not about what the wire says.
        assert MARKER in (caught.value.diag.message_detail or "")


@pytest.mark.parametrize("who", ["keeper", "owner", "admin"])
def test_a_broken_rule_leaves_nothing_of_its_row_in_the_log(
    server: Server, connect: Connect, endpoint: Endpoint, who: str
) -> None:
    admin = connect("admin")
    if who != "admin":
        role = "portal" if who == "keeper" else "bookrunner_owner"
        admin.execute(f'grant temporary on database "{endpoint.database}" to {role}'.encode())
    if who == "keeper":
        with pytest.raises(psycopg.errors.CheckViolation):
            connect("portal").execute(CHECK, [TERMS])
    break_rules(connect("portal" if who == "keeper" else who))
    mark = f"the end of {endpoint.database} {who}"
    admin.execute(f"do $$ begin raise log '{mark}'; end $$".encode())
    said = written(server, mark)
    assert "Quillfeather" not in said
    assert "Larkspur" not in said


def test_each_line_is_json_with_its_moment_and_login(
    server: Server, connect: Connect, endpoint: Endpoint
) -> None:
    mark = f"a line of {endpoint.database}"
    connect("admin").execute(f"do $$ begin raise log '{mark}'; end $$".encode())
    written(server, mark)
    lines = [
        json.loads(line)
        for path in logs(server)
        if path.suffix == ".json"
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    (told,) = [line for line in lines if line["message"] == mark]
    assert (told["user"], told["dbname"], told["error_severity"]) == (
        "bookrunner_admin",
        endpoint.database,
        "LOG",
    )
    assert told["timestamp"].endswith("UTC")


@pytest.mark.parametrize("login", LOGINS)
def test_no_login_can_let_the_log_hear_of_its_errors(connect: Connect, login: str) -> None:
    raw = connect(login)
    assert raw.execute("select current_setting('log_min_messages')").fetchone() == ("log",)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute("set log_min_messages = 'warning'")
