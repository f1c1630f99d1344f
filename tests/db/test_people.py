"""Two people are two people by whatever credential they act: no rule compares the bare actors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest

Connect = Callable[[str], psycopg.Connection]
CHECKS = b"""
select c.conname, pg_get_constraintdef(c.oid), array_agg(a.attname)
from pg_constraint c join pg_namespace n on n.oid = c.connamespace
join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
where c.contype = 'c' and a.atttypid in ('text'::regtype, 'text[]'::regtype)
    and (a.attname like '%\\_by' or a.attname in ('author', 'actor'))
    and n.nspname in ('audit', 'portal', 'compliance', 'subscription', 'treasury',
        'registry', 'engine', 'reconciliation', 'api')
group by c.oid having count(*) > 1
"""
FUNCTIONS = b"""
select n.nspname || '.' || p.proname, coalesce(nullif(p.prosrc, ''), pg_get_functiondef(p.oid))
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('audit', 'portal', 'compliance', 'subscription', 'treasury',
        'registry', 'engine', 'reconciliation', 'api')
"""
ACTOR = r"(?:\w+\.)?(?:\w+_by|author|p_actor|actor)\b"
BETWEEN = r"(?:=|<>|is distinct from|is not distinct from)"
COMPARED = re.compile(
    rf"\b(?:if|when|and|or|where|not|elsif)\s+\(?({ACTOR})\s*{BETWEEN}\s*(?:any \()?\(?({ACTOR})",
    re.IGNORECASE,
)
# An actor's own: its idempotency key, what it claimed for five minutes, what it stated in this transaction.
OF_ONE = {
    ("api.is_made", "r.actor"),
    ("audit.claim_request", "r.actor"),
    ("compliance.claimed_subjects", "r.claimed_by"),
    ("compliance.record_decision", "s.stated_by"),
}
PERSON = re.compile(r"audit\.person_of\(\(?[a-z_.]+(?:::text)?\)?\)")


def compared(rows: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield function and left side of each comparison of actors; a column with itself is a change of it."""
    for name, source in rows:
        for left, right in COMPARED.findall(source):
            if left.rpartition(".")[2] != right.rpartition(".")[2]:
                yield name, left


def test_no_constraint_compares_bare_actors(connect: Connect) -> None:
    found = connect("admin").execute(CHECKS).fetchall()
    assert len(found) > 20
    bare = []
    for name, definition, columns in found:
        rest = PERSON.sub("person", definition)
        sides = "|".join(map(re.escape, columns))
        if re.search(rf"\b({sides})\b\)* (<>|=|IS (NOT )?DISTINCT FROM) \(*({sides})\b", rest):
            bare.append(name)
    assert bare == []


def test_no_function_compares_bare_actors(connect: Connect) -> None:
    rows = connect("admin").execute(FUNCTIONS).fetchall()
    assert set(compared(rows)) == OF_ONE


@pytest.mark.parametrize(
    ("actor", "person"),
    [("ada", "ada"), ("key:ada", "ada"), ("key:ada~laptop", "ada"), ("key:a.b-c", "a.b-c"), (None, None)],
)
def test_every_credential_of_a_person_is_that_person(
    connect: Connect, actor: str | None, person: str | None
) -> None:
    assert connect("owner").execute(b"select audit.person_of(%s)", [actor]).fetchone() == (person,)


@pytest.mark.parametrize(
    ("proposer", "approver"), [("ada", "key:ada"), ("key:ada~a", "key:ada~b"), ("key:ada", "ada")]
)
def test_changing_the_credential_is_no_second_person(connect: Connect, proposer: str, approver: str) -> None:
    owner = connect("owner")
    policy = b"""insert into treasury.clearing_policy
        (rail, valid_from, hold_days, counted_in, source, proposed_by, approved_by)
        values ('wire', '2031-01-01', 1, 'banking_days', 'x', %s, %s)"""
    rule = b"""insert into treasury.payment_term (valid_from, banking_days, proposed_by, approved_by)
        values ('2031-01-01', 3, %s, %s)"""
    for statement, name in ((policy, "policy_needs_two_people"), (rule, "payment_term_needs_two_people")):
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            owner.execute(statement, [proposer, approver])
        assert refused.value.diag.constraint_name == name
