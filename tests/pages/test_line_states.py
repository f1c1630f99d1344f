"""Each state of a line, and each reason that holds one, has its words on the pages that show lines."""

from __future__ import annotations

import re

from bookrunner.pages.investment.own.servicing import distributions as own
from bookrunner.pages.treasury import payouts
from tests.attack.world import Connect

# What a line is before it is owed, and when its buy-back let it go.
BESIDE_ITS_PAYMENT = {"entitled", "released"}


def test_pages_know_every_state_of_a_line(connect: Connect) -> None:
    rows = connect("admin").execute(
        "select distinct to_state from engine.transition where machine = 'disbursement'"
    )
    states = {row[0] for row in rows} | BESIDE_ITS_PAYMENT
    assert states >= {"owed", "held", "paid", "entitled", "released"}
    assert states <= own.STATES.keys()
    assert states <= payouts.MARKS.keys()


def test_the_investor_is_told_of_every_reason_that_holds_a_line(connect: Connect) -> None:
    ((says,),) = connect("admin").execute(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'hold_has_a_known_reason'"
    )
    reasons = set(re.findall(r"'(\w+)'", says))
    assert "match_with_a_list" in reasons
    assert reasons <= own.BECAUSE.keys()
