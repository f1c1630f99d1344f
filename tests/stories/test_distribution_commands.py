"""What follows a close on the command line: a distribution up to its money, a vote up to its count."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bookrunner.core import clock
from bookrunner.db.catalog import session
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.pages.test_filings import paper as pdf
from tests.stories.test_command_line import Run, here, refusal, run

__all__ = ["here", "run"]

pytestmark = pytest.mark.chain

EARLIER = (
    "alter table registry.posting disable trigger user",
    "update registry.posting set posted_at = posted_at - interval '1 day'",
    "alter table registry.posting enable trigger user",
)
"""The register stands since yesterday, the last day that is over."""


def _answer(run: Run, *arguments: str) -> dict[str, object]:
    status, lines = run(*arguments, "--json")
    assert status == 0, lines
    told: dict[str, object] = json.loads("\n".join(lines))
    return told


@pytest.fixture(scope="module")
def closed(world: World, raised: Story) -> str:
    """Return the offer, closed, with holders since yesterday."""
    application = world.application
    application.screening.drain()
    closing = application.close_offer(raised.offering, actor="issuer.iris", ready=True)
    application.run_closing(raised.offering, closing, lambda *_: None)
    with session(world.endpoint.admin_dsn()) as admin:
        for statement in EARLIER:
            admin.execute(statement.encode())
    return raised.offering


def test_a_distribution_from_draft_to_its_end(here: Run, world: World, closed: str, tmp_path: Path) -> None:
    offer = closed
    assert here("reconcile", offer)[0] == 0
    day = (clock.today() - timedelta(days=1)).isoformat()
    terms = tmp_path / "terms.json"
    terms.write_text("{}", encoding="utf-8")
    assert "distribution_terms_are_readable" in refusal(
        here("distribution", "draft", offer, str(terms), "--actor", "a")
    )
    said = {
        "record_on": day,
        "pay_on": day,
        "available": "1000.00",
        "reserves": [{"name": "roof", "amount": "99.99"}],
    }
    terms.write_text(json.dumps(said), encoding="utf-8")
    draft = ("distribution", "draft", offer, str(terms))
    assert "nothing is written" in str(_answer(here, *draft, "--dry-run", "--actor", "fund.flo"))
    made = str(_answer(here, *draft, "--actor", "fund.flo")["distribution"])
    assert "draft" in str(_answer(here, "distribution", "list", offer))
    shown = str(_answer(here, "distribution", "show", offer, made, "--lines", "all"))
    assert "900.01 USD" in shown
    assert "entitled" in shown
    approve = ("distribution", "approve", offer, made, "--seen")
    assert "distribution_needs_two_people" in refusal(here(*approve, "1", "--actor", "fund.flo"))
    assert here(*approve, "1", "--actor", "fund.gus")[0] == 0
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("name,number,bank\nExample Escrow,ESCROW1,021000021\n", encoding="utf-8")
    pay = ("distribution", "pay", offer, made, "--accounts", str(accounts), "--actor", "fund.flo")
    assert "orders_go_to_one_place" in refusal(here(*pay))
    to = ("--folder", str(tmp_path / "orders"))
    assert "distribution_is_funded_before_it_is_paid" in refusal(here(*pay, *to))
    assert refusal(here("distribution", "fund", offer, made, "rcp_none", "--actor", "fund.flo"))
    end = ("distribution", "cancel", offer, made, "--because", "wrong day", "--actor", "fund.flo", "--seen")
    assert here(*end, "2")[0] == 0
    assert "decision_is_on_the_version_seen" in refusal(here(*end, "2"))
    assert world.application.distributions.standing(offer, made)["status"] == "cancelled"


def test_a_vote_from_proposal_to_its_count(here: Run, closed: str, tmp_path: Path) -> None:
    offer, paper, day = closed, tmp_path / "resolution.pdf", clock.today() - timedelta(days=1)
    paper.write_bytes(pdf())
    ends = f"{clock.today() + timedelta(days=30)}T17:00"
    asked = ("vote", "propose", offer, str(paper), "--resolution", "The fund may lend.", "--ends", ends)
    asked = (*asked, "--record-date", day.isoformat(), "--actor", "issuer.iris", "--majority")
    assert "needed_part_is_a_fraction" in refusal(here(*asked, "a-few"))
    name = str(_answer(here, *asked, "two-thirds")["vote"])
    on = (offer, name)
    assert "vote_needs_two_people" in refusal(
        here("vote", "open", *on, "--seen", "1", "--actor", "issuer.iris")
    )
    assert here("vote", "open", *on, "--seen", "1", "--actor", "issuer.ivan")[0] == 0
    counted = _answer(here, "vote", "tally", *on)
    assert (counted["status"], counted["count"]["ballots"]) == ("open", 0)  # type: ignore[index]
    first, second = (row["holder"] for row in counted["tables"][0]["rows"][:2])  # type: ignore[index]
    for choice in ("against", "for"):
        assert here("vote", "cast", *on, first, choice, "--actor", first)[0] == 0
    cast = ("vote", "cast", *on, second, "for", "--as", first, "--actor", first)
    assert "delegate_has_a_proxy" in refusal(here(*cast))
    assert here("vote", "proxy", *on, second, first, "--actor", second)[0] == 0
    assert here(*cast)[0] == 0
    count = _answer(here, "vote", "tally", *on)["count"]
    assert (count["ballots"], count["for"], count["against"]) == (2, count["voted"], 0)  # type: ignore[index]
    assert "vote_exists" in refusal(here("vote", "tally", offer, "vot_none"))
    end = ("vote", "cancel", *on, "--because", "asked too early", "--seen", "2", "--actor", "issuer.ivan")
    assert here(*end)[0] == 0
    assert "cancelled" in str(_answer(here, "vote", "list", offer))
