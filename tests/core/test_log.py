"""The log has no field in which personal data could stand, and hides text that is no identifier."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO

import pytest
import structlog

from bookrunner.core.errors import Refused
from bookrunner.core.identity import name
from bookrunner.core.log import FIELDS, configure, place_of, tell, warn


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_is_json_with_its_moment(capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=True)
    tell("a closing is frozen", closing="cls_1", issued=3)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("recorded_at").endswith("+00:00")
    assert line == {"closing": "cls_1", "event": "a closing is frozen", "issued": 3, "level": "info"}


def test_a_field_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(KeyError, match="legal_name"):
        tell("a profile came", legal_name="Ada Example")


def test_a_field_that_another_library_adds_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=True)
    structlog.get_logger().info("a profile came", tax_id="123456789", subject="inv_1")
    assert "123456789" not in capsys.readouterr().err


def test_text_that_is_no_identifier_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=True)
    tell("a profile came", subject="Ada Example, 1 Main Street")
    assert json.loads(capsys.readouterr().err)["subject"] == "(hidden)"


def test_people_see_only_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    configure(as_json=False)
    tell("a closing is frozen", closing="cls_1")
    assert capsys.readouterr().err == ""
    warn("a reaction is refused", rule="gate_is_closed")
    assert "event='a reaction is refused'" in capsys.readouterr().err


def test_the_vocabulary_names_nobody() -> None:
    assert not FIELDS & {"name", "legal_name", "email", "address", "tax_id", "birth_date", "iban", "payer"}


def test_without_a_configuration_it_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    warn("a reaction is refused", rule="gate_is_closed")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


def test_it_writes_to_standard_error_as_it_is_now() -> None:
    with redirect_stderr(StringIO()) as before:
        configure(as_json=False)
    before.close()
    with redirect_stderr(StringIO()) as now:
        warn("a reaction is refused", rule="gate_is_closed")
    assert "gate_is_closed" in now.getvalue()


def test_the_place_of_a_fault_is_its_innermost_frame_of_ours() -> None:
    with pytest.raises(Refused) as caught:
        name("123")
    assert re.fullmatch(r"bookrunner\.core\.identity:[0-9]+", place_of(caught.value))
    assert place_of(ValueError("Ada Example")) == "elsewhere"
