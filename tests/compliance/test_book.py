"""What the compliance book computes: people behind an entity, hits, exemptions, limits, expiry, notices."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from tests.attack.world import World, digest
from tests.compliance.conftest import every_right, play, rolled_back

CLEAR = [
    "record_accreditation('ivr_book1', 'acr_1', 'income', sha256('a'), 'infinity')",
    "record_screening('ivr_book1', 'scr_1', 'list-1', null)",
    "record_identity('ivr_book1', 'approved', sha256('e'), sha256('p'), null)",
]
OPEN = [
    "open_case('ivr_book1', 'kyc_1', '{kind}')",
    "open_clearance('ofr_book', 'clr_1', 'ivr_book1')",
]


def lacks(connection: psycopg.Connection) -> set[str]:
    """Return what the clearance of the first investor lacks, which its position repeats."""
    row = connection.execute(
        "select lacks, status from compliance.clearance where investor_id = 'ivr_book1'"
    ).fetchone()
    assert row is not None
    assert (row[1] == "clear") == (row[0] == [])
    return set(row[0])


def opened(kind: str) -> list[str]:
    return [statement.format(kind=kind) for statement in OPEN]


def test_an_individual_is_cleared_by_its_checks_alone(world: World) -> None:
    with rolled_back(world) as connection:
        play(connection, opened("individual"))
        assert lacks(connection) == {
            "identity_is_verified",
            "sanctions_are_screened",
            "accreditation_is_verified",
        }
        play(connection, CLEAR, 10)
        assert lacks(connection) == set()


@pytest.mark.parametrize(
    ("kind", "parties", "documents"),
    [
        ("joint", {"joint_holder": 2}, set()),
        ("entity", {"representative": 1}, {"formation"}),
        ("trust", {"trustee": 1}, {"trust_agreement"}),
        ("retirement", {"custodian": 1}, {"custodial_agreement"}),
        ("nominee", {"representative": 1}, {"holder_statement"}),
    ],
)
def test_each_kind_names_its_people_and_papers(
    world: World, kind: str, parties: dict[str, int], documents: set[str]
) -> None:
    with rolled_back(world) as connection:
        play(connection, opened(kind))
        rows = connection.execute(
            "select what, code, missing from compliance.open_requirements('ivr_book1')"
        ).fetchall()
        assert {code: missing for what, code, missing in rows if what == "party"} == parties
        assert {code for what, code, _ in rows if what == "document"} == documents
        expected = {"required_parties_are_verified"} | (
            {"required_documents_are_on_file"} if documents else set()
        )
        assert expected <= lacks(connection)


def test_a_representative_acts_within_scope_and_dates(world: World) -> None:
    authority = '{"account": "acc_9", "scope": ["sign"], "document_sha256": "00"%s}'
    other, later = authority.replace("acc_9", "acc_8"), ', "valid_from": "2999-01-01"'
    with rolled_back(world) as connection:
        play(
            connection,
            [
                f"record_party('ivr_book1', 'pty_1', 'representative', '{authority % ''}')",
                f"record_party('ivr_book1', 'pty_2', 'representative', '{other % later}')",
                "verify_party('ivr_book1', 'pty_2', sha256('e'), 1)",
            ],
        )

        def may(account: str, scope: str) -> bool:
            row = connection.execute(
                "select compliance.may_act('ivr_book1', %s, %s)", [account, scope]
            ).fetchone()
            assert row is not None
            return bool(row[0])

        assert not may("acc_9", "sign")
        play(connection, ["verify_party('ivr_book1', 'pty_1', sha256('e'), 1)"], 10)
        assert may("acc_9", "sign")
        assert not may("acc_9", "fund")
        assert not may("acc_8", "sign")


def test_several_accounts_act_for_one_profile_and_one_account_for_several(world: World) -> None:
    said = '{"account": "%s", "scope": ["%s"], "document_sha256": "00"}'
    named = (("pty_1", "ivr_book1", "acc_ana", "sign"), ("pty_2", "ivr_book1", "acc_ben", "fund"))
    named += (("pty_3", "ivr_book2", "acc_ana", "sign"),)
    with rolled_back(world) as connection:
        for party, investor, account, scope in named:
            authority = said % (account, scope)
            steps = [
                f"record_party('{investor}', '{party}', 'representative', '{authority}')",
                f"verify_party('{investor}', '{party}', sha256('e'), 1)",
            ]
            play(connection, steps)
        may = {
            (account, investor, scope)
            for account in ("acc_ana", "acc_ben", "acc_cid")
            for investor in ("ivr_book1", "ivr_book2")
            for scope in ("sign", "fund")
            if connection.execute(
                "select compliance.may_act(%s, %s, %s)", [investor, account, scope]
            ).fetchall()
            == [(True,)]
        }
        assert may == {(account, investor, scope) for _, investor, account, scope in named}
        play(connection, ["end_party('ivr_book1', 'pty_1', 'left', 2)"], 20)
        left = connection.execute(
            "select compliance.may_act('ivr_book1', 'acc_ana', 'sign'),"
            " compliance.may_act('ivr_book2', 'acc_ana', 'sign')"
        ).fetchall()
        assert left == [(False, True)]


LAYER_OWNERS = [("a", 9000), ("b", 0), ("c", 0)]
LAYERS = [
    "declare_owner('ivr_book1', 'ent_h', 5000, false, true, 'entity')",
    "declare_owner('ivr_book1', 'ent_k', 5000, false, true, 'entity')",
    "declare_owner('ivr_book1', 'own_ana', 0, false, true)",
    "declare_owner('ivr_book1', 'own_ben', 0, true, false)",
    "declare_owner('ivr_book1', 'own_cid', 0, false, true)",
    "declare_share('ivr_book1', 'shr_1', 'ent_h', 'own_ana', 3333)",
    "declare_share('ivr_book1', 'shr_2', 'ent_k', 'own_ana', 1667)",
    "declare_share('ivr_book1', 'shr_3', 'ent_h', 'own_ben', 1000)",
    "declare_share('ivr_book1', 'shr_4', 'ent_k', 'own_cid', 4999)",
]


def test_shares_multiply_along_a_path_and_add_over_paths(world: World) -> None:
    """Ana reaches 25 % to the basis point over two paths; Cid misses it by a twentieth of one."""
    with rolled_back(world) as connection:
        play(connection, opened("entity") + LAYERS)
        shares = connection.execute("select * from compliance.effective_shares('ivr_book1')").fetchall()
        assert {who: str(bp) for who, bp in shares} == {
            "ent_h": "5000",
            "ent_k": "5000",
            "own_ana": "2500",
            "own_ben": "500",
            "own_cid": "2499.5",
        }
        behind = connection.execute(
            "select owner_id, lacks from compliance.people_behind('ivr_book1')"
        ).fetchall()
        assert dict(behind) == {
            "ent_h": ["verified", "screened"],
            "ent_k": ["verified", "screened"],
            "own_ana": ["verified", "screened"],
            "own_ben": ["identified", "verified", "screened"],
        }
        assert {"beneficial_owners_are_verified", "control_person_is_verified"} <= lacks(connection)


def test_one_of_four_people_keeps_an_entity_from_being_clear(world: World) -> None:
    authority = '{"scope": ["sign"], "document_sha256": "00"}'
    people = ["ent_h", "ent_k", "own_ana", "own_ben"]
    verified = [f"verify_owner('ivr_book1', '{who}', sha256('e'), 1)" for who in people]
    screened = [f"record_screening('{who}', 'scr_{who}', 'list-1', null)" for who in people]
    papers = [
        f"record_party('ivr_book1', 'pty_1', 'representative', '{authority}')",
        "verify_party('ivr_book1', 'pty_1', sha256('e'), 1)",
        "record_screening('pty_1', 'scr_p', 'list-1', null)",
        "file_document('ivr_book1', 'doc_1', 'formation', sha256('a'), null, null)",
    ]
    with rolled_back(world) as connection:
        play(
            connection,
            opened("entity") + LAYERS + CLEAR[1:] + papers + verified[:3] + verified[3:] + screened[:3],
        )
        play(
            connection,
            ["record_accreditation('ivr_book1', 'acr_1', 'entity_assets', sha256('a'), 'infinity')"],
            50,
        )
        assert lacks(connection) == {"sanctions_are_screened"}
        row = connection.execute("select * from compliance.people_missing('ivr_book1')").fetchone()
        assert row == (1, 4)
        play(connection, screened[3:], 60)
        assert lacks(connection) == set()
        play(connection, ["record_screening('own_ana', 'scr_late', 'list-1', 'sdn-7')"], 70)
        assert lacks(connection) == {"sanctions_are_clear"}


def result(entry: str, *, subject: str = "one", listed: str = "one", matcher: str = "2.1") -> str:
    """Return a screening with one candidate."""
    return (
        f'{{"source": "us.ofac.sdn", "list_version": "list-1", "matcher_version": "{matcher}",'
        f' "subject_digest": "{digest(subject).hex()}", "threshold_bp": 8000, "candidates": [{{"entry_id":'
        f' "{entry}", "entry_digest": "{digest(listed).hex()}", "score_bp": 9100, "parts": {{}}}}]}}'
    )


@pytest.mark.parametrize(
    ("again", "returns"),
    [
        (result("sdn-1"), False),
        (result("sdn-1", matcher="2.9"), False),
        (result("sdn-1", subject="two"), True),
        (result("sdn-1", listed="two"), True),
        (result("sdn-1", matcher="3.0"), True),
        (result("sdn-2"), True),
    ],
    ids=["the same pair", "a small matcher change", "the subject", "the entry", "the matcher", "another"],
)
def test_a_dismissed_pair_returns_when_a_side_changes(world: World, again: str, *, returns: bool) -> None:
    with rolled_back(world) as connection:
        play(
            connection,
            opened("individual")
            + CLEAR
            + [
                f"record_result('ivr_book1', 'scr_2', '{result('sdn-1')}')",
                "decide_hit('ivr_book1', :hit1, 'no_match', 'another birth date', 1)",
            ],
        )
        assert lacks(connection) == set()
        play(connection, [f"record_result('ivr_book1', 'scr_3', '{again}')"], 20)
        assert lacks(connection) == ({"sanctions_are_clear"} if returns else set())


def test_a_confirmed_payer_stops_the_investor_and_prepares_the_report(world: World) -> None:
    with rolled_back(world) as connection:
        play(
            connection,
            opened("individual")
            + CLEAR
            + [
                "concern_investor('payer:7', 'ivr_book1', 'payer')",
                "record_screening('payer:7', 'scr_7', 'list-1', 'sdn-1')",
                "decide_hit('payer:7', :hit1, 'confirmed', 'the same account', 1)",
                "second_hit@officer.two('payer:7', :hit1, true, 'the same account', 2)",
            ],
        )
        assert lacks(connection) == {"sanctions_are_clear"}
        report = connection.execute(
            "select investor_id, kind, due_on, compliance.business_day_after('us_federal_business',"
            " happened_on, 10), keep_until > happened_on + 3650 from compliance.sanctions_report"
        ).fetchone()
        assert report is not None
        assert report[:2] == ("ivr_book1", "rejected")
        assert report[2] == report[3]
        assert report[4]


def test_ten_business_days_leave_out_thanksgiving(world: World) -> None:
    row = (
        world.login("compliance")
        .execute(
            "select compliance.business_day_after('us_federal_business', date '2026-11-20', 10),"
            " compliance.business_day_after('us_federal_business', date '2026-12-10', 15)"
        )
        .fetchone()
    )
    assert row == (date(2026, 12, 7), date(2027, 1, 4))


def test_a_new_list_makes_work_that_is_claimed_once_and_closes_late_subjects(world: World) -> None:
    with rolled_back(world) as connection:
        play(
            connection,
            opened("individual")
            + CLEAR
            + [
                "record_screening('ivr_book2', 'scr_2', 'list-1', null)",
                "import_list('us.ofac.sdn', 'list-2', sha256('l2'), date '2026-04-01', 1010, 'reader.1')",
                "activate_list('us.ofac.sdn', 'list-2', null)",
            ],
        )
        claim = "select * from compliance.claim_rescreening('worker', 'req_c', 'us.ofac.sdn', 1)"
        first, second = connection.execute(claim).fetchall(), connection.execute(claim).fetchall()
        assert [first, second, connection.execute(claim).fetchall()] == [
            [("ivr_book1", "list-2", "list-1")],
            [("ivr_book2", "list-2", "list-1")],
            [],
        ]
        play(connection, ["record_unchanged('us.ofac.sdn', 'list-2', '2.1', '{ivr_book2}')"], 20)
        assert lacks(connection) == set()


def test_a_change_of_a_rule_leaves_what_was_judged_before(world: World) -> None:
    at = "select compliance.rule_value('us.regcf.limit.floor', %s::timestamptz)"
    floor = "'us.regcf.limit.floor', 'rch_1'"
    with rolled_back(world) as connection:
        play(
            connection,
            [
                f"propose_rule({floor}, 300000, current_date + 3, '91 FR 1', 'adjusted')",
                f"decide_rule@officer.two({floor}, true, 'read', 1)",
            ],
        )
        found = [
            connection.execute(at.encode(), [moment]).fetchone()
            for moment in ("2022-09-19 12:00Z", "2022-09-20 12:00Z", "now", "2999-01-01 00:00Z")
        ]
        assert found == [(220_000,), (250_000,), (250_000,), (300_000,)]


def test_work_that_is_not_done_in_time_closes_the_clearance(world: World) -> None:
    with rolled_back(world) as connection:
        play(
            connection,
            opened("individual")
            + CLEAR
            + [
                "import_list('us.ofac.sdn', 'list-2', sha256('l2'), date '2026-04-01', 1010, 'reader.1')",
                "activate_list('us.ofac.sdn', 'list-2', null)",
                "expire_due()",
            ],
        )
        assert lacks(connection) == set()
    late = ":every update compliance.rescreening set due_at = clock_timestamp()"
    with every_right(world) as connection:
        play(
            connection,
            opened("individual")
            + CLEAR
            + [
                "import_list('us.ofac.sdn', 'list-2', sha256('l2'), date '2026-04-01', 1010, 'reader.1')",
                "activate_list('us.ofac.sdn', 'list-2', null)",
                late,
                "expire_due()",
            ],
        )
        assert lacks(connection) == {"sanctions_are_screened"}
        play(connection, ["record_screening('ivr_book1', 'scr_9', 'list-2', null)"], 30)
        assert lacks(connection) == set()


@pytest.mark.parametrize(
    ("income", "worth", "limit"),
    [
        (60_000_00, 80_000_00, 4_000_00),
        (40_000_00, 20_000_00, 2_500_00),
        (50_000_00, 49_999_00, 2_500_00),
        (123_999_99, 900_000_00, 45_000_00),
        (124_000_00, 900_000_00, 90_000_00),
        (124_000_00, 124_000_00, 12_400_00),
        (180_000_00, 640_000_00, 64_000_00),
        (180_000_00, 6_400_000_00, 124_000_00),
    ],
)
def test_the_crowdfunding_limit_is_that_of_the_rule(
    world: World, income: int, worth: int, limit: int
) -> None:
    """Amounts in cents, 17 CFR 227.100(a)(2); the last row is capped at the threshold."""
    row = (
        world.login("compliance")
        .execute("select compliance.crowdfunding_limit(%s, %s, '2026-11-21')", [income, worth])
        .fetchone()
    )
    assert row == (limit,)


def test_a_lapse_closes_the_clearance_and_is_noticed_before(world: World) -> None:
    soon = "clock_timestamp() + interval '6 days'"
    with rolled_back(world) as connection:
        play(
            connection,
            [
                *opened("individual"),
                *CLEAR[:2],
                f"record_identity('ivr_book1', 'approved', sha256('e'), sha256('p'), {soon})",
                "expire_due()",
                "expire_due()",
            ],
        )
        noticed = connection.execute(
            "select about, stage from compliance.notice where investor_id = 'ivr_book1' order by 1, 2"
        ).fetchall()
        assert noticed == [("identity", "first"), ("identity", "last")]
        row = connection.execute(
            "select valid_until < clock_timestamp() + interval '7 days' from compliance.clearance"
        ).fetchone()
        assert row == (True,)
        play(connection, ["send_notice('ivr_book1', 'identity', 'kyc_1', 'first')"], 30)


def test_a_high_tier_waits_for_diligence_by_two(world: World) -> None:
    with rolled_back(world) as connection:
        play(connection, opened("individual") + CLEAR)
        assert lacks(connection) == set()
        play(connection, ["""rate_investor('ivr_book1', '{"source_of_funds": "unexplained"}')"""], 20)
        assert lacks(connection) == {"enhanced_due_diligence_is_complete"}
        row = connection.execute("select tier, reasons from compliance.risk_rating").fetchone()
        assert row == ("high", ["funds.unexplained"])
        play(
            connection,
            [
                "complete_diligence('ivr_book1', :diligence, sha256('f'), 1)",
                "decide_diligence@officer.two('ivr_book1', :diligence, true, 'complete', 2)",
            ],
            30,
        )
        assert lacks(connection) == set()


def test_the_information_used_to_verify_stays(world: World) -> None:
    verification = """{"method": "documentary", "documents": ["doc_1"], "evidence_sha256": "01",
        "elements": ["name", "birth_date", "address", "identification_number"], "verified_digest": "02"}"""
    with rolled_back(world) as connection:
        play(
            connection,
            [
                "open_case('ivr_book1', 'kyc_1', 'individual')",
                "file_document('ivr_book1', 'doc_1', 'passport', sha256('a'), null, null)",
                f"verify_identity('ivr_book1', 2, '{verification}')",
                "record_identity@provider:identity('ivr_book1', 'approved', sha256('e'), sha256('p'), null)",
            ],
        )
        rows = connection.execute(
            "select snapshot_no, method, documents, sources from compliance.identity_snapshot order by 1"
        ).fetchall()
        assert rows == [
            (1, "documentary", ["doc_1"], []),
            (2, "provider", [], ["provider:identity"]),
        ]


def test_country_and_layers_raise_the_tier_with_their_reasons(world: World) -> None:
    deep = [
        f"declare_owner('ivr_book1', 'ent_{name}', {bp}, false, true, 'entity')" for name, bp in LAYER_OWNERS
    ]
    shares = [
        "declare_share('ivr_book1', 'shr_1', 'ent_a', 'ent_b', 9000)",
        "declare_share('ivr_book1', 'shr_2', 'ent_b', 'ent_c', 9000)",
    ]
    rated = "select tier, reasons, facts ->> 'country' from compliance.risk_rating"
    with rolled_back(world) as connection:
        play(connection, opened("entity") + deep + shares[:1])
        assert connection.execute(rated.encode()).fetchone() == ("standard", ["kind.entity"], "US")
        play(connection, shares[1:], 20)
        assert connection.execute(rated.encode()).fetchone() == (
            "high",
            ["kind.entity", "ownership.complex"],
            "US",
        )
        play(connection, ["""rate_investor('ivr_book1', '{"country": "KP"}')"""], 30)
        row = connection.execute(rated.encode()).fetchone()
        assert row == ("high", ["country.KP", "kind.entity", "ownership.complex"], "KP")
