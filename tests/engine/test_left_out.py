"""Who was not countersigned when a set froze is a case: nobody is added to a later set silently."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import psycopg
import pytest

from bookrunner.api import api, issue
from bookrunner.app import Application
from bookrunner.core.errors import Refused
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED, rolled_back
from tests.pages.world import OFFERING, World
from tests.patience import PATIENT
from tests.serving import serving

STAGES = ("nothing", "countersignature", "countersignature", "nothing", "clearance")
LATE, OTHER = "inv_0002", "inv_0003"


class Closings:
    """A small offer of which two investors wait for the issuer, and one closing of it."""

    def __init__(self, application: Application) -> None:
        self.app = application
        self.world = World(application, STAGES)
        self.world.build()

    def freeze(self, *, ready: bool = True) -> str:
        return self.app.close_offer(OFFERING, actor="op", ready=ready)

    def rows(self) -> dict[str, Mapping[str, object]]:
        found = self.app.desk.engine.closing_cases(offering=OFFERING)
        return {row["investment_id"]: row for row in found}

    def decide(self, investment: str, status: str, because: str = "x", file: bytes | None = None) -> None:
        case = self.rows()[investment]
        self.app.desk.engine.decide_case(
            actor="issuer.iris",
            offering=OFFERING,
            case=case["case_id"],
            status=status,
            because=because,
            evidence_sha256=file,
            seen=case["version"],
        )

    def states(self) -> dict[str, object]:
        return {investment: row["status"] for investment, row in self.rows().items()}

    def end(self, closing: str) -> None:
        """Let everybody leave a frozen set, so that the next closing can begin."""
        with self.app.database.transaction("engine") as transaction:
            said = ["op", "req_end", OFFERING, closing, ["inv_0001", "inv_0004"], "the test ends it"]
            transaction.execute("select engine.leave_closing(%s, %s, %s, %s, %s, %s)", said)
            transaction.execute("select engine.mark_issued('op', 'req_end2', %s, %s)", [OFFERING, closing])

    def countersign(self, number: str) -> None:
        document = self.app.desk.subscription.archive(
            actor="desk", content=f"agreement {number}".encode(), media_type="text/plain"
        )
        self.world.countersign(number, bytes(document))


@pytest.fixture
def closings(application: Application) -> Closings:
    return Closings(application)


def rule(act: object) -> str:
    with pytest.raises(Refused) as refused:
        act()  # type: ignore[operator]
    return refused.value.rule


def test_a_frozen_set_makes_a_case_of_each_that_the_issuer_has_not_signed(closings: Closings) -> None:
    closings.freeze()
    assert closings.states() == {LATE: "open", OTHER: "open"}


def test_nobody_comes_in_without_a_decision(closings: Closings) -> None:
    closings.end(closings.freeze())
    closings.countersign("0002")
    listed = {row["investment_id"] for row in closings.app.dry_run(OFFERING)}
    assert LATE not in listed
    freeze = lambda: closings.app.desk.engine.freeze_closing(  # noqa: E731
        actor="op", offering=OFFERING, closing="cls_named", investments=[LATE]
    )
    assert rule(freeze) == "left_out_investment_is_included_by_decision"
    closings.decide(LATE, "to_be_included", "the signatory was ill")
    assert LATE in {row["investment_id"] for row in closings.app.dry_run(OFFERING)}
    assert rule(freeze) == "gate_is_closed"


def test_one_that_is_left_out_again_waits_again(closings: Closings) -> None:
    closings.end(closings.freeze())
    first = closings.rows()[LATE]
    closings.decide(LATE, "to_be_included")
    second = closings.freeze()
    again = closings.rows()[LATE]
    assert (again["status"], again["closing_id"]) == ("open", second)
    assert again["opened_at"] == first["opened_at"]
    assert again["decided_by"] is None


def test_one_that_is_ready_is_included_by_the_decision(closings: Closings) -> None:
    closings.end(closings.freeze())
    closings.countersign("0002")
    closings.world.complete("0002")
    closings.decide(LATE, "to_be_included", "the signatory was ill")
    closings.freeze()
    assert closings.states() == {LATE: "included", OTHER: "open"}


def test_who_is_in_a_frozen_set_is_no_candidate(closings: Closings) -> None:
    assert {row["investment_id"] for row in closings.app.dry_run(OFFERING)} >= {"inv_0001", "inv_0004"}
    closings.freeze()
    listed = {row["investment_id"] for row in closings.app.dry_run(OFFERING)}
    assert listed == {"inv_0005"}


def test_a_refund_ends_the_investment(closings: Closings) -> None:
    closings.freeze()
    closings.decide(LATE, "to_be_refunded", "the issuer declines")
    assert closings.states()[LATE] == "to_be_refunded"
    with closings.app.database.transaction("engine") as transaction:
        (status,) = transaction.execute(
            "select status from engine.investment where investment_id = %s", [LATE]
        ).fetchone() or ("",)
    assert status == "cancelled_by_manager"
    assert rule(lambda: closings.decide(LATE, "to_be_included")) == "transition_is_listed_for_the_keeper"


def test_counsel_decides_with_a_file(closings: Closings) -> None:
    closings.freeze()
    assert rule(lambda: closings.decide(LATE, "decided_by_counsel")) == "decision_of_counsel_has_its_file"
    unknown = lambda: closings.decide(LATE, "decided_by_counsel", file=b"\x01" * 32)  # noqa: E731
    assert rule(unknown) == "evidence_of_a_decision_is_archived"
    file = closings.app.desk.subscription.archive(actor="x", content=b"Opinion", media_type="text/plain")
    closings.decide(LATE, "decided_by_counsel", "an opinion of 2026-03-01", bytes(file))
    closings.decide(LATE, "to_be_included", "as counsel says")
    assert closings.rows()[LATE]["evidence_sha256"] == bytes(file).hex()


def test_a_decision_is_on_the_version_that_was_seen(closings: Closings) -> None:
    closings.freeze()
    case = closings.rows()[LATE]
    closings.decide(LATE, "to_be_included")
    late = lambda: closings.app.desk.engine.decide_case(  # noqa: E731
        actor="x",
        offering=OFFERING,
        case=case["case_id"],
        status="to_be_refunded",
        because="x",
        evidence_sha256=None,
        seen=case["version"],
    )
    assert rule(late) == "decision_is_on_the_version_seen"
    assert rule(lambda: closings.decide(OTHER, "to_be_included", " ")) == "decided_case_says_by_whom_and_why"


def test_a_case_is_decided_over_the_api(closings: Closings) -> None:
    closings.freeze()
    app = closings.app
    key = issue(app.endpoint, "issuer-desk", "engine", actor="usr_admin")
    portal = issue(app.endpoint, "some-portal", "portal", actor="usr_admin")
    with serving(api(app.database)) as url:
        path = f"{url}/v1/offers/{OFFERING}/closing_cases"
        assert (
            httpx.get(path, headers={"Authorization": f"Bearer {portal}"}, timeout=PATIENT).status_code == 403
        )
        said = {"Authorization": f"Bearer {key}", "Idempotency-Key": "req_case", "If-Match": '"1"'}
        cases = httpx.get(path, headers=said, timeout=PATIENT).json()["closing_cases"]
        assert [case["investment"] for case in cases] == [LATE, OTHER]
        decide = f"{path}/{cases[0]['id']}/decisions"
        body = {"status": "to_be_included", "because": "the signatory was ill"}
        done, again = (httpx.post(decide, json=body, headers=said, timeout=PATIENT) for _ in range(2))
        assert (done.status_code, done.json()["status"], done.json()["version"]) == (
            200,
            "to_be_included",
            "2",
        )
        assert again.headers["idempotent-replayed"] == "true"
        late = httpx.post(decide, json=body, headers=said | {"Idempotency-Key": "req_late"}, timeout=PATIENT)
        assert late.status_code == 412
    assert closings.rows()[LATE]["decided_by"] == "key:issuer-desk"


RAW = {
    "left_out_investment_is_included_by_decision": """
        insert into engine.closing_member (offering_id, closing_id, investment_id, status, units,
            amount_minor, facts, facts_sha256, member_id)
        select c.offering_id, c.closing_id, c.investment_id, 'frozen', 1, 1, '{}', sha256('x'), 'mbr_x'
        from engine.closing_case c""",
    "closing_case_keeps_its_subject": """
        update engine.closing_case set opened_at = now(), status = 'to_be_included'""",
    "refunded_investment_has_ended": """
        update engine.closing_case set status = 'to_be_refunded', decided_by = 'x', decided_because = 'x'""",
    "decided_case_says_by_whom_and_why": "update engine.closing_case set status = 'to_be_included'",
    "decision_of_counsel_has_its_file": """
        update engine.closing_case set status = 'decided_by_counsel', decided_by = 'x',
            decided_because = 'x'""",
    "evidence_of_a_decision_is_archived": """
        update engine.closing_case set status = 'decided_by_counsel', decided_by = 'x', decided_because = 'x',
            evidence_sha256 = sha256('nowhere')""",
    "one_closing_case_is_undecided": """
        insert into engine.closing_case (offering_id, case_id, investment_id, closing_id, status)
        select offering_id, 'ccs_x', investment_id, closing_id, 'open' from engine.closing_case""",
    "records_are_never_deleted": "delete from engine.closing_case",
    "transition_is_listed_for_the_keeper": """
        update engine.closing_case set status = 'included', decided_by = 'x', decided_because = 'x'""",
}


def test_raw_statements_are_refused(closings: Closings) -> None:
    closings.freeze()
    for broken, statement in RAW.items():
        with (
            psycopg.connect(closings.app.endpoint.admin_dsn()) as connection,
            rolled_back(connection),
        ):
            connection.execute(NAMED.encode())
            connection.execute(EVERY_RIGHT.format("engine").encode())
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(statement.encode())
        assert caught.value.diag.constraint_name == broken, caught.value
