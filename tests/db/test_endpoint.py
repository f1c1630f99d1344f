"""Connection strings, passwords and URLs."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bookrunner.core.errors import ConfigurationError
from bookrunner.db import LOGINS, Endpoint, Secrets, catalog, from_url


def test_url_of_another_server_keeps_its_place_and_swaps_the_person(tmp_path: Path) -> None:
    endpoint = from_url("postgresql://boss:p%40ss@db.example:6432/raise?sslmode=verify-full", tmp_path)
    parts = conninfo_to_dict(endpoint.dsn("treasury"))
    assert (parts["host"], parts["port"], parts["dbname"]) == ("db.example", "6432", "raise")
    assert (parts["user"], parts["sslmode"]) == ("treasury", "verify-full")
    assert parts["password"] == (tmp_path / "secrets" / "treasury").read_text()
    assert "p@ss" not in endpoint.dsn("treasury")
    assert not endpoint.embedded


def test_admin_certificate_is_not_lent_to_logins(tmp_path: Path) -> None:
    endpoint = from_url("host=db user=boss sslcert=/c sslkey=/k options='-c role=boss'", tmp_path)
    assert not {"sslcert", "sslkey", "options"} & set(conninfo_to_dict(endpoint.dsn("portal")))


def test_unreadable_url_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        from_url("postgresql//secret-word", tmp_path)
    assert "secret-word" not in str(caught.value)


def test_unknown_login_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not one of the logins"):
        from_url("postgresql://boss@db/raise", tmp_path).dsn("postgres")


def test_representation_shows_no_password(tmp_path: Path) -> None:
    assert "hidden" not in repr(from_url("postgresql://boss:hidden@db/raise", tmp_path))


def test_two_first_uses_get_one_password(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(Secrets(tmp_path).obtain("portal"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["portal"]


@pytest.mark.parametrize("login", LOGINS)
def test_string_and_url_lead_to_the_same_session(endpoint: Endpoint, login: str) -> None:
    for way in (endpoint.dsn(login), endpoint.url(login)):
        with psycopg.connect(way) as connection:
            row = connection.execute("select session_user, current_database()").fetchone()
        assert row == (login, endpoint.database)


def test_owner_string_acts_as_the_owner_under_limits(endpoint: Endpoint) -> None:
    for way in (endpoint.owner_dsn(), endpoint.owner_url()):
        with psycopg.connect(way) as connection:
            row = connection.execute("select current_user, current_setting('lock_timeout')").fetchone()
        assert row == ("bookrunner_owner", "5s")


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("", []),
        ("-c log_min_messages=warning", ["log_destination"]),
        ("-c log_error_verbosity=default", ["log_error_verbosity", "log_destination"]),
        (
            "-c log_parameter_max_length_on_error=-1",
            ["log_parameter_max_length_on_error", "log_destination"],
        ),
        ("-c log_min_messages=log -c log_error_verbosity=default", []),
        ("-c log_min_messages=log -c log_statement=mod", ["log_parameter_max_length"]),
        ("-c log_min_messages=log -c log_min_duration_statement=5", ["log_parameter_max_length"]),
        ("-c log_min_messages=log -c log_min_duration_statement=5 -c log_parameter_max_length=0", []),
    ],
)
def test_settings_by_which_a_log_quotes_rows_are_named(
    endpoint: Endpoint, said: str, named: list[str]
) -> None:
    dsn = make_conninfo(endpoint.admin_dsn(), options=said) if said else endpoint.admin_dsn()
    assert [sentence.partition(" ")[0] for sentence in catalog.telling_settings(dsn)] == named
