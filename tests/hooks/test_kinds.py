"""Every kind that the database can write and tells outside has a published schema, and no other has one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
from jsonschema import Draft202012Validator

from bookrunner.api.hooks.kinds import described, kinds, schema_of

Connect = Callable[[str], psycopg.Connection]
TOLD = json.loads((Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
COMPLIANCE = """
select m.machine || '.' || t.trigger from engine.machine m join engine.transition t using (machine)
where m.keeper = 'compliance' and m.machine <> 'clearance'
"""


def test_python_and_the_database_know_the_same_kinds(connect: Connect) -> None:
    rows = connect("owner").execute("select kind, issuer_hears from api.webhook_kind").fetchall()
    assert dict(rows) == {name: kind.issuer_hears for name, kind in kinds().items()}
    assert len(rows) > 200


def test_every_move_that_the_database_lists_is_in_the_schema_of_its_kind(connect: Connect) -> None:
    rows = connect("owner").execute(
        "select machine || '.' || trigger, from_state, to_state from engine.transition"
    )
    for kind, before, after in rows:
        if kind in kinds():
            assert (before, after) in kinds()[kind].moves


def test_no_case_of_compliance_is_told(connect: Connect) -> None:
    withheld = {kind for (kind,) in connect("owner").execute(COMPLIANCE.encode())}
    assert {"suspicion.opened", "screening.hit", "hit.opened"} & withheld
    assert not withheld & kinds().keys()


def test_each_kind_is_published_with_schema_example_and_version() -> None:
    assert TOLD["webhooks"].keys() == described().keys() == kinds().keys() | {"webhook_endpoint.tested"}
    for name, item in TOLD["webhooks"].items():
        operation = item["post"]
        content = operation["requestBody"]["content"]["application/json"]
        assert content["schema"] == schema_of(name)
        assert operation["x-schema-version"] == "1"
        whole = {**content["schema"], "components": TOLD["components"]}
        checker = Draft202012Validator(whole)
        checker.validate(content["example"])
        assert not checker.is_valid({**content["example"], "type": "other.kind"})
        assert not checker.is_valid({**content["example"], "name": "Example Person"})
