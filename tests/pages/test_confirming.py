"""What the database refuses of a confirmation, whoever holds the login of accounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import psycopg
import pytest

from bookrunner.adapters.chain.keys import LocalKey
from tests.attack.world import CHAIN, Connect, World, digest

pytestmark = pytest.mark.usefixtures("register")

APPROVE = b"select registry.approve_wallet(%s, 'req_raw', 'ofr_one', 'wmp_new1')"


def enter(connect: Connect, name: str) -> psycopg.Connection:
    """Make an account with one passkey and one open session, both named after it; return its login."""
    access = connect("access")
    account = f"acc_{name}"
    passkey = {"kind": "passkey", "passkey_id": name.encode().hex(), "public_key": "00", "sign_count": 0}
    for call, arguments in (
        (b"select api.propose_account('usr_one', 'req_1', %s, %s, 'registry', null)", [account, name]),
        (b"select api.invite('usr_two', 'req_2', %s, sha256(%s))", [account, name.encode()]),
        (
            b"select api.accept('req_3', sha256(%s), %s, %s)",
            [name.encode(), f"crd_{name}", json.dumps(passkey)],
        ),
        (
            b"select api.sign_in('req_4', %s, %s, %s, sha256(%s), 'passkey', null)",
            [account, f"crd_{name}", f"ses_{name}", name.encode()],
        ),
    ):
        access.execute(call, arguments)
    return access


def decision(access: psycopg.Connection, name: str, act: str = "wallet_approval") -> tuple[object, bytes]:
    """Return the items and the digest of the decision about the new wallet."""
    row = access.execute(
        b"select items, decision_sha256 from api.decision(sha256(%s), %s, 'ofr_one', '{wmp_new1}')",
        [name.encode(), act],
    ).fetchone()
    assert row is not None
    return row[0], bytes(row[1])


def confirm(access: psycopg.Connection, name: str, **other: object) -> None:
    """Confirm the decision about the new wallet, or what the arguments put in its place."""
    items, signed = decision(access, name)
    said = {
        "act": "wallet_approval",
        "items": items,
        "credential": f"crd_{name}",
        "confirmation": "cnf_1",
        "session": "ses_next",
        **{key: value for key, value in other.items() if key not in {"signed", "assertion"}},
    }
    access.execute(
        b"select api.confirm('req_5', sha256(%s), %s, %s, sha256(%s), sha256('next'))",
        [name.encode(), json.dumps(said), other.get("signed", signed), other.get("assertion", b"assertion")],
    )


def refused(work: Callable[[], object]) -> str | None:
    """Return the rule by which the database refuses."""
    with pytest.raises(psycopg.Error) as caught:
        work()
    return caught.value.diag.constraint_name


@pytest.fixture
def register(connect: Connect) -> World:
    """Return a register with a screened wallet that waits for its approval."""
    register = World(connect).build("registered")
    where = [register.offering, "wmp_new1"]
    key = LocalKey(digest("new 1"), chain_id=CHAIN)
    register.claim_wallet("wlc_new1", register.id("ivr", 1), key.address, key.sign_text)
    named = [register.id("ivr", 1), CHAIN, key.address, "wlc_new1@1", "key"]
    register.call("registry.open_mapping", *where, *named)
    register.call("registry.mark_screened", *where, "scr_new@1")
    return register


def test_a_confirmation_serves_one_decision_once(connect: Connect) -> None:
    access, raw = enter(connect, "tess"), connect("registry")
    assert refused(lambda: raw.execute(APPROVE, ["tess"])) == "decision_is_confirmed_by_passkey"
    confirm(access, "tess")
    for other in ("key:theo", "theo"):
        # Nobody else has an account here: a program's key decides as before, in a transaction that is undone.
        with raw.transaction(force_rollback=True):
            raw.execute(APPROVE, [other])
    raw.execute(APPROVE, ["tess"])
    assert (
        refused(
            lambda: connect("owner").execute(
                b"insert into api.used_confirmation (confirmation_id, offering_id, subject) "
                b"values ('cnf_1', 'ofr_one', 'wmp_new1')"
            )
        )
        == "confirmation_serves_once"
    )


def test_another_persons_confirmation_is_none(connect: Connect) -> None:
    confirm(enter(connect, "tess"), "tess")
    enter(connect, "theo")
    raw = connect("registry")
    assert refused(lambda: raw.execute(APPROVE, ["theo"])) == "decision_is_confirmed_by_passkey"


def test_a_confirmation_is_of_the_version_that_was_seen(connect: Connect) -> None:
    access = enter(connect, "tess")
    items, _ = decision(access, "tess")
    assert isinstance(items, list)
    confirm(access, "tess")
    owner = connect("admin")
    owner.execute(b"alter table api.confirmation disable trigger all")
    owner.execute(b"update api.confirmation set items = jsonb_set(items, '{0,version}', '99')")
    owner.execute(b"alter table api.confirmation enable always trigger zz_guard")
    raw = connect("registry")
    assert refused(lambda: raw.execute(APPROVE, ["tess"])) == "decision_is_confirmed_by_passkey"


def test_a_confirmation_is_over_after_five_minutes(connect: Connect) -> None:
    confirm(enter(connect, "tess"), "tess")
    owner = connect("admin")
    owner.execute(b"alter table api.confirmation disable trigger all")
    owner.execute(b"update api.confirmation set given_at = given_at - interval '6 minutes'")
    owner.execute(b"alter table api.confirmation enable always trigger zz_guard")
    raw = connect("registry")
    assert refused(lambda: raw.execute(APPROVE, ["tess"])) == "decision_is_confirmed_by_passkey"


def test_what_was_signed_for_another_decision_confirms_nothing(connect: Connect) -> None:
    access = enter(connect, "tess")
    _, linking = decision(access, "tess", "wallet_link")
    assert refused(lambda: confirm(access, "tess", signed=linking)) == "assertion_is_over_this_decision"
    enter(connect, "theo")
    _, foreign = decision(access, "theo")
    assert refused(lambda: confirm(access, "tess", signed=foreign)) == "assertion_is_over_this_decision"
    theirs = {"credential": "crd_theo"}
    assert refused(lambda: confirm(access, "tess", **theirs)) == "passkey_is_of_the_account"


def test_an_assertion_is_kept_once(connect: Connect) -> None:
    access = enter(connect, "tess")
    confirm(access, "tess")
    # The session went on under another token; the old one confirms nothing more.
    assert refused(lambda: decision(access, "tess")) == "decision_is_of_a_session_and_a_subject"
    enter(connect, "theo")
    again = {"confirmation": "cnf_2", "session": "ses_more"}
    assert refused(lambda: confirm(access, "theo", **again)) == "assertion_confirms_one_decision"


def test_no_login_of_a_keeper_confirms(connect: Connect) -> None:
    for login in ("portal", "compliance", "subscription", "treasury", "registry", "engine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(login).execute(
                b"select api.confirm('r', sha256('x'), '{}', sha256('x'), sha256('x'), sha256('x'))"
            )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(login).execute(b"insert into api.confirmation (confirmation_id) values ('cnf_x')")


def test_escrow_is_released_by_a_passkey_alone(connect: Connect) -> None:
    done = World(connect, "done").build("registered")
    payee = connect("owner").execute(b"select sha256('payee')").fetchone()
    assert payee is not None
    done.call("treasury.propose_release", done.offering, "rel_done", done.closing, payee[0])
    enter(connect, "tess")
    release = b"select treasury.approve_release(%s, 'req_1', 'ofr_done', 'rel_done', sha256('payee'), 300000)"
    raw = connect("treasury")
    for actor in ("tess", "key:tess", "key:tess~program"):
        assert refused(partial(raw.execute, release, [actor])) == "decision_is_confirmed_by_passkey"


WALLS = b"""
select tgrelid::regclass::text, tgname from pg_trigger
where tgfoid = 'api.decision_is_confirmed'::regproc and tgenabled = 'A' order by 2
"""


def test_every_weighty_decision_has_its_wall(connect: Connect) -> None:
    assert connect("admin").execute(WALLS).fetchall() == [
        ("registry.control_action", "control_action_is_confirmed"),
        ("subscription.agreement", "countersignature_is_confirmed"),
        ("treasury.release", "release_is_confirmed"),
        ("registry.wallet_mapping", "wallet_approval_is_confirmed"),
        ("registry.wallet_mapping", "wallet_link_is_confirmed"),
    ]


def test_a_password_neither_makes_nor_ends_a_passkey(connect: Connect) -> None:
    access = enter(connect, "tess")
    sign_in = (
        b"select api.sign_in('req_9', 'acc_tess', 'crd_tess', 'ses_word', sha256('word'), 'password', null)"
    )
    access.execute(sign_in)
    for call in (
        b"""select api.enroll('tess', 'req_6', 'acc_tess', 'ses_word', 'crd_thief', '{"kind": "passkey",
            "passkey_id": "aa", "public_key": "00", "sign_count": 0}', '{}')""",
        b"""select api.enroll('tess', 'req_7', 'acc_tess', 'ses_word', 'crd_codes',
            '{"kind": "recovery_codes"}', '{}')""",
        b"select api.end_credential('tess', 'req_8', 'acc_tess', 'ses_word', 'crd_tess')",
    ):
        assert refused(partial(access.execute, call)) == "passkey_changes_what_signs_in"
    assert (
        refused(partial(access.execute, sign_in.replace(b"crd_tess", b"crd_none")))
        == "credential_is_in_force"
    )


def test_a_session_that_is_locked_out_has_no_successor(connect: Connect) -> None:
    access, other = enter(connect, "tess"), connect("access")
    with ThreadPoolExecutor(1) as pool:
        with access.transaction():
            confirm(access, "tess")
            lock = b"select api.move_account('usr_two', 'req_6', 'acc_tess', 'locked', 'a thief')"
            locked = pool.submit(other.execute, lock)
            while not connect("admin").execute(b"select from pg_locks where not granted").fetchall():
                wait([locked], timeout=0.02)
                assert not locked.done(), "the lock does not wait for the session that goes on"
        locked.result(30)
    question = b"select count(*) from api.account_session where status = 'open'"
    assert access.execute(question).fetchone() == (0,)


def test_nobody_but_its_holder_takes_an_invitation_up(connect: Connect) -> None:
    access = connect("access")
    access.execute(b"select api.propose_account('usr_one', 'req_1', 'acc_new', 'new', 'registry', null)")
    access.execute(b"select api.invite('usr_two', 'req_2', 'acc_new', sha256('new'))")
    for status in ("active", "locked", "deactivated"):
        call = partial(
            access.execute, b"select api.move_account('usr_one', 'req_3', 'acc_new', %s, 'so')", [status]
        )
        assert refused(call) == "account_is_in_a_state_for_this"
