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
    _no_tax_year_without_payments(here, offer)
    _a_payee_is_proposed_and_declined(here, world, offer, tmp_path)
    _a_coupon_is_worked_out(here, offer, tmp_path)
    _an_instalment_is_drafted(here, offer, tmp_path)


def _a_coupon_is_worked_out(here: Run, offer: str, folder: Path) -> None:
    said = {"kind": "floating", "rate_bp": 100, "index": "SOFR", "principal": "1000.00", "months": 6}
    dated = {"day_count": "actual/actual", "starts_on": "2026-01-01", "ends_on": "2027-01-01"}
    terms = folder / "coupons.json"
    terms.write_text("{}", encoding="utf-8")
    schedule = ("coupon", "schedule", offer, str(terms), "--actor", "fund.flo")
    assert "coupon_terms_are_readable" in refusal(here(*schedule))
    terms.write_text(json.dumps(said | dated), encoding="utf-8")
    made = str(_answer(here, *schedule)["schedule"])
    assert here("coupon", "agree", offer, made, "--actor", "fund.gus")[0] == 0
    day = (clock.today() - timedelta(days=1)).isoformat()
    work = ("coupon", "work", offer, "1", "--record-on", day)
    assert "coupon_has_its_fixing" in refusal(here(*work))
    draft = ("coupon", "draft", offer, "1", "--record-on", day, "--actor", "fund.flo")
    assert "coupon_has_its_fixing" in refusal(here(*draft))
    fix = ("coupon", "fix", offer, "SOFR", "2026-01-01", "4.25", "--source", "its publisher")
    fixed = str(_answer(here, *fix, "--actor", "fund.flo")["fixing"])
    assert here("coupon", "agree", offer, fixed, "--actor", "fund.gus")[0] == 0
    assert "actual/actual" in str(_answer(here, *work))
    assert "4.25" in str(_answer(here, "coupon", "list", offer))


def _an_instalment_is_drafted(here: Run, offer: str, folder: Path) -> None:
    terms, day = folder / "principal.json", (clock.today() - timedelta(days=1)).isoformat()
    schedule = ("principal", "schedule", offer, str(terms), "--actor", "fund.flo")
    assert "principal_terms_are_readable" in refusal(here(*schedule))
    due = [{"due_on": day, "part": "400.00"}, {"due_on": "2099-01-01", "part": "600.00"}]
    terms.write_text(json.dumps({"principal": "1000.00", "instalments": due[:1]}), encoding="utf-8")
    assert "instalments_sum_to_the_principal" in refusal(here(*schedule))
    terms.write_text(json.dumps({"principal": "1000.00", "instalments": due}), encoding="utf-8")
    named = [str(_answer(here, *schedule)["amortisation"]) for _ in range(2)]
    agree = ("principal", "agree", offer)
    assert "amortisation_needs_two_people" in refusal(here(*agree, named[0], "--actor", "fund.flo"))
    assert "declined" in str(_answer(here, *agree, named[0], "--decline", "--actor", "fund.gus"))
    assert here(*agree, named[1], "--actor", "fund.gus")[0] == 0
    days = ("--record-on", day, "--pay-on", day)
    late = refusal(here("principal", "draft", offer, "3", *days, "--actor", "fund.flo"))
    assert "instalment_exists" in late
    assert "400.00" in str(_answer(here, "principal", "list", offer))


def _no_tax_year_without_payments(here: Run, offer: str) -> None:
    assert "tax_year_has_its_forms" in refusal(here("tax", "draft", offer, "2025", "--actor", "fund.flo"))
    assert "0.00 USD withheld" in str(_answer(here, "remittance", "list", offer))
    propose = ("remittance", "propose", offer, "1.00", "OFFICE1", "--form", "1042", "--year", "2025")
    made = str(_answer(here, *propose, "--actor", "fund.flo")["remittance"])
    agree = ("remittance", "agree", offer, made, "--actor", "fund.gus")
    assert "remittance_is_within_what_is_withheld" in refusal(here(*agree))
    over = ("remittance", "give-up", offer, made, "--because", "a wrong account", "--actor", "fund.gus")
    assert "given_up_remittance_is_set_apart" in refusal(here(*over))
    assert "declined" in str(_answer(here, *agree, "--decline"))


def _a_payee_is_proposed_and_declined(here: Run, world: World, offer: str, folder: Path) -> None:
    paper = folder / "order.txt"
    paper.write_text("pay my lender", encoding="utf-8")
    with session(world.endpoint.admin_dsn()) as admin:
        rows = admin.execute("select min(investor_id) from registry.holding where offering_id = %s", [offer])
        ((holder,),) = rows.fetchall()
    said = ("--because", "its lender", "--actor", "agent.theo")
    made = str(_answer(here, "payee", "propose", offer, holder, "ivr_lender", str(paper), *said)["mandate"])
    assert "proposed" in str(_answer(here, "payee", "list", offer))
    decide = ("payee", "decide", offer, made, "--actor")
    assert refusal(here(*decide, "agent.theo"))
    assert "declined" in str(_answer(here, *decide, "agent.tess", "--decline"))
    account = ("distribution", "new-account", "ivr_lender", "LENDER-1", str(paper), *said)
    named = str(_answer(here, *account)["account"])
    assert "declined" in str(
        _answer(here, "distribution", "agree", "ivr_lender", named, "--decline", "--actor", "fund.gus")
    )


def _accept_coin(world: World, offer: str) -> None:
    treasury = world.application.desk.treasury
    terms = {"chain_id": 1, "token": "11" * 20, "valid_from": "2026-01-01", "currency": "USD", "decimals": 6}
    depth = {"minor_decimals": 2, "dust_minor": 1, "received_after": 1, "cleared_after": 2}
    named = {"offering": offer, "coin": "coi_paying"}
    treasury.propose_coin(actor="fund.flo", **named, terms=json.dumps({**terms, **depth}))
    treasury.decide_coin(actor="fund.gus", **named, is_accepted=True, seen=1)


def test_a_paying_wallet_from_its_proposal_to_its_loss(here: Run, world: World, closed: str) -> None:
    offer, flo, gus = closed, ("--actor", "fund.flo"), ("--actor", "fund.gus")
    propose = ("distribution", "paying-wallet", offer, *flo)
    assert "paying_wallet_pays_in_an_accepted_coin" in refusal(here(*propose))
    _accept_coin(world, offer)
    wallet = str(_answer(here, *propose)["wallet"])
    agree = ("distribution", "agree-wallet", offer, wallet)
    assert "paying_wallet_needs_two_people" in refusal(here(*agree, *flo))
    lost = ("distribution", "lost-wallet", offer, wallet, "--because", "the signing service burned", *flo)
    assert "lost_wallet_is_in_force" in refusal(here(*lost))
    assert here(*agree, *gus)[0] == 0
    losses = ("distribution", "losses", offer)
    loss = str(_answer(here, *lost)["loss"])
    assert "wallet_is_lost_once" in refusal(here(*lost))
    assert "proposed" in str(_answer(here, *losses))
    declare = ("distribution", "agree-loss", offer, loss, "--because", "looked for it")
    assert "lost_wallet_needs_two_people" in refusal(here(*declare, *flo))
    assert "wallet_loss_exists" in refusal(here(*declare[:3], "wls_none", *declare[4:], *gus))
    assert "declined" in str(_answer(here, *declare, "--decline", *gus))
    loss = str(_answer(here, *lost)["loss"])
    assert here(*declare[:3], loss, *declare[4:], *gus)[0] == 0
    shown = str(_answer(here, *losses))
    # Nothing was in it.
    assert "made_good" in shown
    assert "declined" in shown
    good = ("distribution", "make-good", offer, loss, "dis_none", "rcp_none", *flo)
    assert "decided_record_exists" in refusal(here(*good))
    # The key of this installation is the lost one.
    assert "lost_wallet_pays_no_more" in refusal(here(*propose))


def test_a_payment_in_tokens_that_nobody_ordered_is_not_closed(here: Run, closed: str) -> None:
    offer, flo = closed, ("--actor", "fund.flo")
    assert _answer(here, "distribution", "findings", offer)["tables"][0]["rows"] == []  # type: ignore[index]
    close = ("distribution", "close-payment", offer, "pyo_none", "--because", "it moved nothing", *flo)
    assert "payment_exists" in refusal(here(*close))
    agree = ("distribution", "agree-finding", offer, "pfd_none", "--because", "seen", *flo)
    assert "finding_exists" in refusal(here(*agree))


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
