"""The commands that share out units and amend an offer, on the installation that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.stories.conftest import publish
from tests.stories.test_command_line import Run, here, refusal, run

__all__ = ["here", "run"]

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def empty(world: World) -> Story:
    """Publish an offer that nobody has ordered."""
    return publish(world, seed=7)


def told(answer: tuple[int, list[str]]) -> list[str]:
    """Return the lines of a command that succeeded."""
    status, lines = answer
    assert status == 0, lines
    return lines


def test_a_list_is_shown_and_then_decided_on_that_book(here: Run, empty: Story) -> None:
    offer, engine = empty.offering, empty.desk.engine
    assert told(here("policy", offer, "first_come", "--hold-minutes", "60")) == [f"{offer}: first_come"]
    for name in ("a", "b"):
        ids = {"investment": f"inv_{name}", "investor": f"ivr_{name}"}
        engine.open_investment(actor="usr_1", offering=offer, units=500, **ids)
    assert "policy_is_named_before_the_first_order" in refusal(here("policy", offer, "pro_rata"))
    *lines, units, decide = told(here("allocate", offer, "--dry-run"))
    assert lines == [f"inv_{name} 500 of 500: reservation_stands" for name in ("a", "b")]
    assert re.search("1,000 reserved, 0 allocated, .* free, 0 oversubscribed, 0 waiting$", units)
    book = decide.split()[-1]
    assert "book_is_the_one_that_was_seen" in refusal(here("allocate", offer, "--book", "0" * 32))
    # Nobody has confirmed: there is nothing to decide.
    assert "list_names_every_order_once" in refusal(here("allocate", offer, "--book", book))
    wrong = here("allocate", offer, "--book", book, "--give", "inv_a")
    assert "units_are_named_by_investment" in refusal(wrong)
    assert "approver_is_issuer_or_agent" in refusal(here("allocate", offer, "--book", book, "--as", "friend"))


def test_an_amendment_takes_two_people(here: Run, empty: Story, tmp_path: Path) -> None:
    offer = empty.offering
    document = tmp_path / "supplement.txt"
    propose = ("amend", offer, str(document), "--saying", "The date moves.", "--actor", "issuer.iris")
    assert "there is no file" in refusal(here(*propose))
    document.write_text("The closing date moves to March.", encoding="utf-8")
    for flags, becomes in (((), "recorded"), (("--material",), "put_to_investors")):
        (line,) = told(here(*propose, *flags))
        amendment = line.split()[0]
        decide = ("accept", offer, amendment, "--because", "agreed", "--actor")
        assert "amendment_needs_two_people" in refusal(here(*decide, "issuer.iris"))
        (line,) = told(here(*decide, "issuer.ivan"))
        assert line.startswith(f"{amendment}: {becomes}")
        assert ("investors answer until" in line) == bool(flags)
    (line,) = told(here(*propose))
    declined = here(
        "accept", offer, line.split()[0], "--decline", "--because", "no", "--actor", "issuer.ivan"
    )
    assert told(declined)[-1].endswith(": declined")
    assert "there is no amendment" in refusal(
        here("accept", offer, "amd_x", "--because", "x", "--actor", "a")
    )
