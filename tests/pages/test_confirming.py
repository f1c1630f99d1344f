"""What the database refuses of a confirmation, whoever holds the login of accounts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

import psycopg
import pytest

from bookrunner.adapters.chain.keys import LocalKey
from tests.attack.world import CHAIN, PRICE, Connect, World, digest, proof

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


@dataclass(frozen=True)
class Weighty:
    """A decision that waits: act and subject, login and statement that make it, what comes of it."""

    act: str
    subject: str
    login: str
    statement: str
    arguments: tuple[object, ...]
    outcome: str


def a_release(world: World) -> Weighty:
    """Propose the release of a closing."""
    world.build("registered")
    payee = hashlib.sha256(b"payee").digest()
    world.call("treasury.propose_release", world.offering, "rel_two", world.closing, payee)
    release = "select treasury.approve_release(%s, 'req_1', 'ofr_two', 'rel_two', %s, 300000)"
    told = "select status <> 'proposed' from treasury.release where release_id = 'rel_two'"
    return Weighty("release", "rel_two", "treasury", release, (payee,), told)


def a_countersignature(world: World) -> Weighty:
    """Let an investor sign."""
    world.build("acknowledged")
    agreement = world.id("agr", 1)
    on = [world.offering, agreement]
    world.call("subscription.send_agreement", *on, world.id("inv", 1), 1, PRICE, world.document)
    world.call("subscription.sign", *on, proof(world.document))
    signed = json.dumps(proof(hashlib.sha256(world.document + b"\x22" * 64).digest()))
    countersign = "select subscription.countersign(%s, 'req_1', 'ofr_two', %s, %s)"
    told = "select status = 'countersigned' from subscription.agreement where offering_id = 'ofr_two'"
    return Weighty("countersignature", agreement, "subscription", countersign, (agreement, signed), told)


def a_control_action(world: World) -> Weighty:
    """Ask for a pause of the token."""
    world.build("registered")
    asked = {"kind": "pause", "because": "the order says so"}
    world.call("registry.ask_control", world.offering, "cta_two", asked)
    decide = "select registry.decide_control(%s, 'req_1', 'ofr_two', 'cta_two', true, '')"
    told = "select status = 'approved' from registry.control_action"
    return Weighty("control_action", "cta_two", "registry", decide, (), told)


def a_wallet_link(world: World) -> Weighty:
    """Have the issuer agree to a wallet."""
    world.build("funded")
    mapping, address = world.id("wmp", 1), world.address(1)
    named = [world.id("ivr", 1), CHAIN, address, f"{world.id('wlc', 1)}@1", "key"]
    world.call("registry.open_mapping", world.offering, mapping, *named)
    world.call("registry.mark_screened", world.offering, mapping, f"{world.id('scr', 1)}@1")
    world.call("registry.approve_wallet", world.offering, mapping)
    link = "select registry.link_wallet(%s, 'req_1', 'ofr_two', %s)"
    told = "select status = 'linked' from registry.wallet_mapping where offering_id = 'ofr_two'"
    return Weighty("wallet_link", mapping, "registry", link, (mapping,), told)


@pytest.mark.parametrize("waiting", [a_release, a_countersignature, a_control_action, a_wallet_link])
def test_a_weighty_decision_is_made_when_its_passkey_has_signed_it(
    connect: Connect, waiting: Callable[[World], Weighty]
) -> None:
    one = waiting(World(connect, "two"))
    access, raw = enter(connect, "tess"), connect(one.login)
    decide = partial(raw.execute, one.statement.encode(), ["tess", *one.arguments])
    assert refused(decide) == "decision_is_confirmed_by_passkey"
    confirm_as(access, one.act, "ofr_two", one.subject)
    decide()
    assert connect("owner").execute(one.outcome.encode()).fetchall() == [(True,)]
    used = connect("owner").execute(b"select offering_id, subject from api.used_confirmation").fetchall()
    assert used == [("ofr_two", one.subject)]


WALLS = b"""
select tgrelid::regclass::text, tgname from pg_trigger
where tgfoid = 'api.decision_is_confirmed'::regproc and tgenabled = 'A' order by 2
"""


def test_every_weighty_decision_has_its_wall(connect: Connect) -> None:
    assert connect("admin").execute(WALLS).fetchall() == [
        ("engine.closing", "closing_is_confirmed"),
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


ANOTHER = b"""select api.enroll('tess', 'req_6', 'acc_tess', %s, %s, '{"kind": "passkey", "passkey_id": "aa",
    "public_key": "00", "sign_count": 0}', '{}')"""


def confirm_as(access: psycopg.Connection, act: str, offering: str, subject: str, *, number: int = 1) -> None:
    """Confirm an act of tess in the session that goes on from one confirmation to the next."""
    token = b"tess" if number == 1 else b"next%d" % (number - 1)
    row = access.execute(
        b"select items, decision_sha256 from api.decision(sha256(%s), %s, %s, array[%s])",
        [token, act, offering, subject],
    ).fetchone()
    assert row is not None
    said = {"act": act, "items": row[0], "credential": "crd_tess"}
    said |= {"confirmation": f"cnf_{number}", "session": f"ses_next{number}"}
    access.execute(
        b"select api.confirm('req_5', sha256(%s), %s, %s, sha256(%s), sha256(%s))",
        [token, json.dumps(said), row[1], b"assertion%d" % number, b"next%d" % number],
    )


def test_another_passkey_is_made_when_one_in_force_answers_anew(connect: Connect) -> None:
    access = enter(connect, "tess")
    enter(connect, "theo")
    wall = "decision_is_confirmed_by_passkey"
    assert refused(partial(access.execute, ANOTHER, ["ses_tess", "crd_more"])) == wall
    # What was confirmed for another account makes no passkey of one's own.
    confirm_as(access, "passkey", "", "acc_theo")
    assert refused(partial(access.execute, ANOTHER, ["ses_next1", "crd_more"])) == wall
    confirm_as(access, "passkey", "", "acc_tess", number=2)
    access.execute(ANOTHER, ["ses_next2", "crd_more"])
    third = partial(access.execute, ANOTHER.replace(b"aa", b"bb"), ["ses_next2", "crd_third"])
    assert refused(third) == wall


END = b"select api.end_credential('tess', 'req_6', 'acc_tess', %s, %s)"
WITH_WORD = b"""select api.enroll('tess', 'req_6', 'acc_tess', %s, 'crd_word', '{"kind": "password",
    "secret": "246172676f6e32696424"}', '{}')"""
WITH_CODES = b"""select api.enroll('tess', 'req_6', 'acc_tess', %s, 'crd_codes',
    '{"kind": "recovery_codes"}', '{}')"""


def test_a_session_that_is_left_open_changes_nothing_that_signs_in(connect: Connect) -> None:
    access = enter(connect, "tess")
    wall = "decision_is_confirmed_by_passkey"
    for change in (WITH_WORD, WITH_CODES):
        assert refused(partial(access.execute, change, ["ses_tess"])) == wall
    assert refused(partial(access.execute, END, ["ses_tess", "crd_tess"])) == wall
    confirm_as(access, "passkey", "", "acc_tess")
    access.execute(WITH_WORD, ["ses_next1"])
    # Neither is ended to make room for another: each end is asked for anew.
    for held in ("crd_word", "crd_tess"):
        assert refused(partial(access.execute, END, ["ses_next1", held])) == wall
    confirm_as(access, "passkey", "", "acc_tess", number=2)
    access.execute(END, ["ses_next2", "crd_word"])
    confirm_as(access, "passkey", "", "acc_tess", number=3)
    assert refused(partial(access.execute, END, ["ses_next3", "crd_tess"])) == "account_keeps_a_way_in"


def test_nobody_ends_a_credential_of_another(connect: Connect) -> None:
    access = enter(connect, "tess")
    call = partial(access.execute, END.replace(b"'tess'", b"'theo'"), ["ses_tess", "crd_tess"])
    assert refused(call) == "credential_is_kept_by_its_own_person"


FREEZE = b"select engine.freeze_closing(%s, 'req_1', 'ofr_two', 'cls_two', null)"


def test_a_closing_is_frozen_by_a_passkey_over_the_terms_of_now(connect: Connect) -> None:
    World(connect, "two").build("linked")
    access, raw = enter(connect, "tess"), connect("engine")
    wall = "decision_is_confirmed_by_passkey"
    for actor in ("tess", "key:tess", "key:tess~program"):
        assert refused(partial(raw.execute, FREEZE, [actor])) == wall
    # The sandbox and programs whose name is nobody's account freeze as before, here in a transaction undone.
    for actor in ("operator:console", "key:engine-one"):
        with raw.transaction(force_rollback=True):
            raw.execute(FREEZE, [actor])
    confirm_as(access, "closing", "ofr_two", "ofr_two")
    with raw.transaction(force_rollback=True):
        raw.execute(FREEZE, ["tess"])
    owner = connect("admin")
    owner.execute(b"alter table engine.offer disable trigger all")
    owner.execute(b"update engine.offer set version = version + 1 where offering_id = 'ofr_two'")
    assert refused(partial(raw.execute, FREEZE, ["tess"])) == wall


def test_challenges_that_nobody_answers_do_not_pile_up(connect: Connect) -> None:
    access, owner = connect("access"), connect("admin")
    ask = b"select api.ask(sha256(%s), 'sign-in', sha256(%s))"
    access.execute(ask, [b"mine", b"here"])
    for number in range(40):
        access.execute(ask, [b"%d" % number, b"there"])
    count = b"select count(*), count(distinct network_sha256) from api.challenge"
    assert owner.execute(count).fetchone() == (33, 2)
    # A flood from one network takes no challenge of another; the newest of each is answered.
    for challenge in (b"mine", b"39"):
        access.execute(b"select api.answered(sha256(%s), 'sign-in')", [challenge])
    owner.execute(
        b"""insert into api.challenge (challenge_sha256, purpose, network_sha256)
        select sha256(convert_to('old' || n, 'UTF8')), 'sign-in', sha256(convert_to('net' || n, 'UTF8'))
        from generate_series(1, 17000) n"""
    )
    access.execute(ask, [b"last", b"here"])
    assert owner.execute(b"select count(*) from api.challenge").fetchone() == (16384,)


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
