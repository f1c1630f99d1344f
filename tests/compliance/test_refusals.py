"""Every refusal of the compliance book, each tried by one script."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import bookrunner
from tests.attack.world import World
from tests.compliance.conftest import every_right, play, scripts

SCRIPTS = scripts("refusals.txt")
BOOK = Path(bookrunner.__file__).parent / "books" / "compliance"
RULE = re.compile(
    r"constraint = '([a-z0-9_]+)'|\bconstraint ([a-z0-9_]+)\s+(?:check|unique|foreign key)"
    r"|create unique index ([a-z0-9_]+)"
)
# Tried by the tables of attacks or on offers of other exemptions, or out of reach behind another rule.
ELSEWHERE = {
    "a_hit_names_its_entry",
    "acceptance_says_why",
    "approved_accreditation_has_evidence",
    "approved_identity_has_evidence",
    "calendar_names_its_source",
    "clear_means_nothing_lacks",
    "commitment_is_within_the_limit",
    "decided_discrepancy_has_its_reason",
    "decided_hit_has_its_reason",
    "identity_outcome_is_known",
    "investor_states_income_and_net_worth",
    "one_clearance_per_investor_and_offer",
    "one_list_version_in_force",
    "owners_stated_before_are_ended",
    "party_ends_for_a_reason",
    "rejected_document_has_its_reason",
    "rule_is_in_force",
    "rule_needs_two_people",
    "rule_unit_is_known",
    "withdrawn_acceptance_says_why",
}


@pytest.mark.parametrize(
    ("rule", "statements"),
    [(rule, body) for rule, _, body in SCRIPTS],
    ids=[sentence for _, sentence, _ in SCRIPTS],
)
def test_it_is_refused(world: World, rule: str, statements: list[str]) -> None:
    with every_right(world) as connection:
        play(connection, statements[:-1])
        with pytest.raises(psycopg.Error) as caught:
            play(connection, statements[-1:], len(statements))
    assert caught.value.diag.constraint_name == rule, caught.value


def test_no_rule_of_the_book_is_forgotten() -> None:
    found = {
        name
        for path in BOOK.rglob("*.sql")
        for names in RULE.findall(path.read_text(encoding="utf-8"))
        for name in names
        if name
    }
    assert found - {rule for rule, _, _ in SCRIPTS} == ELSEWHERE
