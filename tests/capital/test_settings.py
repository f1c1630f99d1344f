"""What the lifecycle reaches is checked at the start: what is wrong stops it, what is not set is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bookrunner.adapters.scoring import FACTS, Facts
from bookrunner.adapters.scoring.prompt import SCHEMA
from bookrunner.app.settings import Outside, Settings, diagnose_capital
from bookrunner.core.errors import ConfigurationError

SECRET = "whsec_" + "A" * 43 + "="
SCORER = {"url": "https://models.example/v1", "key": "sk-secret", "model": "m"}
TOKENS = {"issuer": "https://login.example", "audience": "bookrunner"}
WRONG = {
    "scorer": {**SCORER, "url": "http://models.example/v1"},
    "scorer with a name in its address": {**SCORER, "url": "https://u:p@models.example/v1"},
    "scorer at a port that is none": {**SCORER, "url": "https://models.example:99999/v1"},
    "scorer at a port in letters": {**SCORER, "url": "https://models.example:abc/v1"},
    "scorer at half an address": {**SCORER, "url": "https://[::1/v1"},
    "scorer with a fragment": {**SCORER, "url": "https://models.example/v1#x"},
    "scorer at no name": {**SCORER, "url": "https://xn--/v1"},
    "scorer with a NUL in its address": {**SCORER, "url": "https://models.example/v1\0"},
    "scorer with a line in its key": {**SCORER, "key": "k\nx"},
    "tokens at a port that is none": {**TOKENS, "issuer": "https://login.example:99999"},
    "scorer without a key": {**SCORER, "key": " "},
    "scorer without a model": {**SCORER, "model": ""},
    "tokens": {**TOKENS, "issuer": "http://login.example"},
    "tokens without an audience": {**TOKENS, "audience": " "},
    "settlement_secrets": {"key-1": "short"},
    "settlement_secrets of too few bytes": {"key-1": "whsec_AAAA"},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_stops_the_start_by_its_name(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"BOOKRUNNER_{case.split(' ', maxsplit=1)[0].upper()}"
    monkeypatch.setenv(name, json.dumps(WRONG[case]))
    settings = Settings(state_dir=tmp_path)
    wrong, _ = diagnose_capital(settings)
    assert [sentence.partition(":")[0] for sentence in wrong] == [name]
    with pytest.raises(ConfigurationError, match=name) as caught:
        Outside.of(settings, tmp_path, embedded=True)
    assert "sk-secret" not in str(caught.value)


def test_what_is_not_set_is_said(tmp_path: Path) -> None:
    wrong, closed = diagnose_capital(Settings(state_dir=tmp_path))
    assert wrong == []
    assert [sentence.partition(" is not set")[0] for sentence in closed] == [
        "BOOKRUNNER_SCORER",
        "BOOKRUNNER_TOKENS",
        "BOOKRUNNER_SETTLEMENT_SECRETS",
    ]


def test_what_is_set_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKRUNNER_SCORER", json.dumps(SCORER))
    monkeypatch.setenv("BOOKRUNNER_TOKENS", json.dumps(TOKENS))
    monkeypatch.setenv("BOOKRUNNER_SETTLEMENT_SECRETS", json.dumps({"key-1": SECRET, "key-2": SECRET}))
    settings = Settings(state_dir=tmp_path)
    assert diagnose_capital(settings) == ([], [])
    assert set(Outside.of(settings, tmp_path, embedded=True).capital.secrets) == {"key-1", "key-2"}
    assert "sk-secret" not in repr(settings)


def test_the_facts_that_may_leave_are_those_that_a_score_may_name() -> None:
    assert sorted(Facts.__dataclass_fields__) == sorted(FACTS)
    assert SCHEMA["properties"]["facts_used"]["items"]["enum"] == list(FACTS)
