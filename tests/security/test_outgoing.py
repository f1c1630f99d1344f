"""What leaves: to whom it may go, and what cannot be put into it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bookrunner.adapters.mail import Letter
from bookrunner.adapters.mail.smtp import SmtpPost
from bookrunner.adapters.payments.dispatch import Dispatch
from bookrunner.adapters.payments.remote import RemoteBank
from bookrunner.core.errors import ConfigurationError

SOURCE = Path(__file__).resolve().parents[2] / "src" / "bookrunner"
INSECURE = {"md5": "adapters/captable/package.py"}


@pytest.mark.parametrize(
    "address",
    [
        "http://bank.example",
        "ftp://bank.example",
        "file:///etc",
        "https://u:p@bank.example",
        "http://[::1].bank",
    ],
)
def test_orders_of_payment_leave_over_tls_alone(address: str) -> None:
    with pytest.raises(ConfigurationError):
        RemoteBank(address)


def test_an_installation_does_not_start_with_a_bank_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Dispatch(tmp_path, "http://bank.example", str.encode)
    for place in ("https://bank.example", "http://127.0.0.1:8361", str(tmp_path)):
        Dispatch(tmp_path, place, str.encode)


@pytest.mark.parametrize("place", ["a@b.example\nBcc: c@d.example", "a@b.example\r\nSubject: x"])
def test_no_line_is_put_into_the_head_of_a_letter(place: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        SmtpPost("smtp://127.0.0.1:9", "notices@localhost").send(Letter("n", place, "A notice", "Look."))


def test_no_call_of_ours_follows_a_redirect_or_trusts_any_certificate() -> None:
    calls = [
        (path, call)
        for path in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
    ]
    given = {
        (str(path.relative_to(SOURCE)), word.arg, ast.unparse(word.value))
        for path, call in calls
        for word in call.keywords
        if word.arg in {"follow_redirects", "verify", "shell", "check_hostname"}
    }
    assert {each for each in given if each[2] in {"True", "False"} and each[1:] not in SOUND} == set()


SOUND = {("follow_redirects", "False"), ("shell", "False")}


def test_nothing_runs_text_as_code_or_reads_objects_from_bytes() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _names(node)
        if name in {"eval", "exec", "pickle", "marshal", "shelve", "yaml", "os.system", "cPickle", "dill"}
    }
    assert not found


def test_weak_digests_stand_only_where_a_format_asks_for_them() -> None:
    found = {
        (name, str(path.relative_to(SOURCE)))
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _names(node)
        if name.rpartition(".")[2] in {"md5", "sha1", "MD5", "SHA1", "ECB", "PKCS1v15", "ARC4", "TripleDES"}
    }
    assert found <= {("hashlib.md5", INSECURE["md5"])}


@pytest.mark.parametrize(
    "script", sorted((SOURCE / "pages" / "static").glob("*.js")), ids=lambda path: path.name
)
def test_no_script_keeps_anything_in_the_browser(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not [
        each for each in ("localStorage", "sessionStorage", "indexedDB", "document.cookie") if each in text
    ]


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [ast.unparse(node.func)] if isinstance(node, ast.Call) else []
