"""Endpoints over the API: who may, what is kept of a secret, rotation, issuers apart, raw SQL included."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import psycopg
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bookrunner.api.hooks.kinds import ISSUER_MACHINES
from bookrunner.core import clock
from bookrunner.core.credentials import digest
from tests.attack.world import Connect, World
from tests.hooks.conftest import Hooks, issuer_key
from tests.hooks.test_sending import checked, checked_by_key, signatures

PATH = "/v1/webhooks/endpoints"


def verifies(hooks: Hooks, secret: str) -> bool:
    """Whether the last message verifies under a secret."""
    message = hooks.receiver.came[-1]
    try:
        Webhook(secret).verify(message.body, message.headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.fixture
def others(hooks: Hooks, connect: Connect) -> Hooks:
    """Add an offer of a second issuer, and a key of each issuer."""
    owner = connect("owner")
    (first,) = owner.execute("select issuer_id from engine.offer").fetchone()
    world = World(connect, "two")
    world.terms = {"issuer_id": "iss_two"}
    world.build("allocated")
    issuer_key(hooks, first, "staff.one")
    issuer_key(hooks, "iss_two", "staff.two")
    return hooks


def test_a_secret_is_shown_once_and_kept_sealed(hooks: Hooks) -> None:
    body = {"url": hooks.receiver.url("/in?word=private")}
    first = hooks.calls.post(PATH, body, request="once")
    again = hooks.calls.post(PATH, body, request="once")
    assert first.json()["id"] == again.json()["id"]
    assert (again.headers["idempotent-replayed"], again.json()["secret"]) == ("true", None)
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    (told,) = hooks.endpoint(first.json()["id"])["secrets"]
    assert (told["state"], told["public_key"]) == ("active", first.json()["public_key"])
    assert told["last_used_at"] is None
    dump = "\n".join(
        str(row)
        for table in ("api.webhook_secret", "audit.request", "audit.event", "engine.webhook_endpoint")
        for row in hooks.calls.world.login("owner").execute(f"select t::text from {table} t".encode())  # noqa: S608
    )
    assert secret.removeprefix("whsec_") not in dump
    assert Webhook(secret)._whsecret.hex() not in dump
    events = hooks.calls.world.login("owner").execute(
        "select canonical from audit.event where kind like 'webhook_endpoint.%'"
    )
    assert not [text for (text,) in events if "private" in text]


def test_both_secrets_sign_while_one_replaces_the_other(hooks: Hooks) -> None:
    made = hooks.register(kinds=["webhook_endpoint.parked"])
    path = f"{PATH}/{made['id']}"
    turned = hooks.calls.post(f"{path}/rotations", {"overlap_hours": 24}, seen=f'"{made["version"]}"')
    assert turned.status_code == 201
    new = turned.json()
    assert [each["state"] for each in hooks.endpoint(made["id"])["secrets"]] == ["active", "retiring"]
    hooks.calls.post(f"{path}/tests")
    hooks.send()
    assert len(signatures(hooks.receiver.came[-1], "v1")) == 2
    checked(hooks.receiver.came[-1], made["secret"])
    checked(hooks.receiver.came[-1], new["secret"])
    for public in (made["public_key"], new["public_key"]):
        checked_by_key(hooks.receiver.came[-1], public)
    used = hooks.endpoint(made["id"])["secrets"]
    assert all(each["last_used_at"] is not None for each in used)
    hooks.calls.post(f"{path}/tests")
    hooks.send(hours=25)
    assert len(signatures(hooks.receiver.came[-1], "v1")) == 1
    early = hooks.calls.post(f"{path}/rotations", {}, seen=f'"{made["version"]}"')
    assert early.status_code == 412


def test_an_overlap_of_nothing_ends_the_earlier_secret_now(hooks: Hooks) -> None:
    made = hooks.register(kinds=["webhook_endpoint.parked"])
    path = f"{PATH}/{made['id']}"
    new = hooks.calls.post(f"{path}/rotations", {"overlap_hours": 0}, seen=f'"{made["version"]}"').json()
    hooks.calls.post(f"{path}/tests")
    hooks.send()
    assert verifies(hooks, new["secret"])
    assert not verifies(hooks, made["secret"])


def test_a_next_secret_signs_from_its_beginning_on(hooks: Hooks) -> None:
    made = hooks.register(kinds=["webhook_endpoint.parked"])
    path = f"{PATH}/{made['id']}"
    starts = (clock.now() + timedelta(days=1)).isoformat()
    new = hooks.calls.post(f"{path}/rotations", {"starts_at": starts}, seen=f'"{made["version"]}"').json()
    assert [each["state"] for each in hooks.endpoint(made["id"])["secrets"]] == ["next", "active"]
    hooks.calls.post(f"{path}/tests")
    hooks.send()
    assert verifies(hooks, made["secret"])
    assert not verifies(hooks, new["secret"])
    again = hooks.calls.post(f"{path}/rotations", {}, seen=f'"{new["version"]}"')
    assert (again.status_code, again.json()["code"]) == (409, "webhook_secret_comes_after_the_next")
    hooks.calls.post(f"{path}/tests")
    hooks.send(hours=25)
    assert len(signatures(hooks.receiver.came[-1], "v1")) == 2
    hooks.calls.post(f"{path}/tests")
    hooks.send(hours=48)
    assert len(signatures(hooks.receiver.came[-1], "v1")) == 1


@pytest.mark.parametrize("keeper", ["portal", "compliance", "subscription", "treasury", "registry", "audit"])
def test_a_key_of_another_keeper_registers_nothing(hooks: Hooks, keeper: str) -> None:
    answer = hooks.calls.post(PATH, {"url": hooks.receiver.url()}, keeper=keeper)
    assert (answer.status_code, answer.json()["code"]) == (403, "key_serves_this_keeper")
    assert hooks.calls.get(PATH, keeper).status_code == (200 if keeper == "audit" else 403)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"url": "http://hooks.example.org/"}, 422, "webhook_url_is_plain"),
        ({"url": "https://169.254.169.254/"}, 422, "webhook_host_is_a_public_name"),
        ({"url": "https://localhost/"}, 422, "webhook_host_is_a_public_name"),
        ({"url": "https://hooks.example.org:22/"}, 422, "webhook_port_is_443_or_from_1024"),
        ({"kinds": ["investment.invented"]}, 409, "webhook_kind_is_told"),
        ({"kinds": ["suspicion.opened"]}, 409, "webhook_kind_is_told"),
        ({"kinds": ["screening.hit"]}, 409, "webhook_kind_is_told"),
        ({"offers": ["ofr_nobody"]}, 404, "offer_exists"),
        ({"form": "xml"}, 422, "request_has_the_agreed_shape"),
        ({"secret": "mine"}, 422, "request_has_the_agreed_shape"),
    ],
)
def test_a_registration_that_breaks_a_rule_leaves_nothing(
    hooks: Hooks, said: dict[str, object], status: int, code: str
) -> None:
    answer = hooks.calls.post(PATH, {"url": "https://hooks.example.org/in", **said})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert hooks.calls.get(PATH).json() == {"endpoints": [], "next": None}


def test_endpoints_are_listed_in_pages_and_are_at_most_twenty(hooks: Hooks) -> None:
    made = sorted(hooks.register()["id"] for _ in range(20))
    most = hooks.calls.post(PATH, {"url": hooks.receiver.url()})
    assert (most.status_code, most.json()["code"]) == (409, "webhook_endpoints_are_at_most_twenty")
    first = hooks.calls.get(f"{PATH}?limit=15").json()
    rest = hooks.calls.get(f"{PATH}?limit=15&after={first['next']}").json()
    assert [each["id"] for each in (*first["endpoints"], *rest["endpoints"])] == made
    assert rest["next"] is None
    assert hooks.calls.get(f"{PATH}/whe_none").status_code == 404
    assert hooks.calls.get(f"{PATH}/{made[0]}/deliveries/whd_none").status_code == 404
    assert hooks.calls.post(f"{PATH}/{made[0]}/deliveries/whd_none/resends").status_code == 404
    off = hooks.calls.post(f"{PATH}/{made[0]}/disablements", {"because": "it moves"}, seen='"1"')
    hooks.register()
    again = hooks.calls.post(f"{PATH}/{off.json()['id']}/enablements", seen=off.headers["etag"])
    assert (again.status_code, again.json()["code"]) == (409, "webhook_endpoints_are_at_most_twenty")


def test_of_two_at_once_one_is_the_twentieth_endpoint(hooks: Hooks, connect: Connect) -> None:
    for _ in range(19):
        hooks.register()
    said = json.dumps({"url": hooks.receiver.url(), "kinds": [], "offers": [], "form": "thin"})
    secret = {"wrapped": "00" * 41, "sealed": "00" * 65, "public_key": "00" * 32}

    def registered(login: psycopg.Connection, number: int) -> None:
        login.execute(
            "select api.register_webhook('key:engine-one', %s, '\\x00', %s, %s, %s)",
            [f"req_{number}", f"whe_{number}", said, json.dumps({**secret, "id": f"whs_{number}"})],
        )

    with ThreadPoolExecutor(1) as pool:
        with connect("engine").transaction() as first:
            registered(first.connection, 1)
            second = pool.submit(registered, connect("engine"), 2)
            while not connect("admin").execute(b"select from pg_locks where not granted").fetchall():
                wait([second], timeout=0.02)
                assert not second.done(), "the second does not wait for the first"
        with pytest.raises(psycopg.Error) as refused:
            second.result(30)
    assert refused.value.diag.constraint_name == "webhook_endpoints_are_at_most_twenty"


def test_an_issuer_hears_of_its_own_offers_alone(others: Hooks) -> None:
    one, two = (
        others.register("issuer", f"staff.{name}", after=0, url=others.receiver.url(f"/{name}"))
        for name in ("one", "two")
    )
    other = {"url": others.receiver.url(), "offers": ["ofr_two"]}
    refused = others.calls.post(PATH, other, keeper="issuer", name="staff.one")
    assert (refused.status_code, refused.json()["code"]) == (404, "offer_exists")
    kind = {"url": others.receiver.url(), "kinds": ["receipt.matched"]}
    refused = others.calls.post(PATH, kind, keeper="issuer", name="staff.one")
    assert refused.json()["code"] == "webhook_kind_is_told"
    others.happen()
    others.send()
    for name in ("one", "two"):
        came = [json.loads(m.body) for m in others.receiver.came if m.path == f"/{name}"]
        assert {said["data"]["scope"] for said in came} == {f"ofr_{name}"}
        assert {said["type"].partition(".")[0] for said in came} <= ISSUER_MACHINES
    for act in ("tests", "resends"):
        body = {"first": 1, "last": 2} if act == "resends" else None
        away = others.calls.post(f"{PATH}/{two['id']}/{act}", body, keeper="issuer", name="staff.one")
        assert (away.status_code, away.json()["code"]) == (404, "webhook_endpoint_exists")
    off = {"because": "mine"}
    path = f"{PATH}/{two['id']}/disablements"
    assert others.calls.post(path, off, keeper="issuer", name="staff.one", seen='"1"').status_code == 404
    assert one["id"] != two["id"]


def test_the_login_of_issuers_sees_its_own_and_no_secret(others: Hooks, connect: Connect) -> None:
    ids = {name: others.register("issuer", f"staff.{name}", after=0)["id"] for name in ("one", "two")}
    others.register()
    others.send()
    login = connect("issuer")
    for table in ("standing", "progress", "delivery"):
        for name, own in ids.items():
            with login.transaction(force_rollback=True):
                login.execute("select issuer.enter(%s)", [digest(others.calls.keys[f"staff.{name}"])])
                rows = login.execute(f"select distinct endpoint_id from api.webhook_{table}".encode())  # noqa: S608
                assert rows.fetchall() == [(own,)], table
                tries = login.execute(
                    b"select count(*), count(d.*) from api.webhook_attempt a"
                    b" left join api.webhook_delivery d using (delivery_id)"
                ).fetchone()
                assert tries is not None
                assert tries[0] == tries[1] > 0
        assert login.execute(f"select * from api.webhook_{table}".encode()).fetchall() == []  # noqa: S608
    for keeper in ("issuer", "engine", "audit"):
        for column in ("wrapped", "sealed"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connect(keeper).execute(f"select {column} from api.webhook_secret".encode())  # noqa: S608


REFUSED = [
    ("engine", "update engine.webhook_endpoint set url = 'https://evil.example.org/'", "42501"),
    ("engine", "insert into api.webhook_attempt values ('whd_x', 1, now(), 1, 'accepted', 200)", "42501"),
    ("engine", "update api.webhook_progress set last_seq = 0", "42501"),
    ("engine", "delete from api.webhook_delivery", "42501"),
    ("issuer", "select api.fan_out_webhooks(1)", "42501"),
    ("issuer", "select * from api.take_webhooks(now(), 1, 1)", "42501"),
    ("audit", "select * from api.take_webhooks(now(), 1, 1)", "42501"),
    ("engine", "select api.issuer_behind('key:staff')", "42501"),
    ("owner", "update api.webhook_attempt set status_code = 200", "BR003"),
    ("owner", "delete from engine.webhook_endpoint", "BR003"),
    ("owner", "update engine.webhook_endpoint set status = 'disabled'", "BR001"),
    ("owner", "update api.webhook_pause set pause = '1 second'", "BR003"),
]


def test_a_statement_past_the_verbs_is_refused(hooks: Hooks, connect: Connect) -> None:
    hooks.register(kinds=["investment.confirmed"])
    hooks.happen()
    hooks.send()
    for login, statement, state in REFUSED:
        with pytest.raises(psycopg.Error) as caught:
            connect(login).execute(statement.encode())
        assert caught.value.sqlstate == state, statement


ATTEMPT = "insert into api.webhook_attempt select delivery_id, {}, now(), 1, {} from api.webhook_delivery"
SECRET = "wrapped, sealed, public_key, made_by, valid_from from api.webhook_secret"
DELIVERY = "endpoint_id, seq, kind, scope, subject, version, occurred_at, status, due_at"
AGAIN = (
    f"insert into api.webhook_delivery (delivery_id, {DELIVERY})"  # noqa: S608
    f" select 'whd_two', {DELIVERY} from api.webhook_delivery"
)
BROKEN = [
    ("update api.webhook_secret set valid_until = '-infinity'", "webhook_secret_ends_after_it_begins"),
    ("update api.webhook_secret set secret_id = 'x y'", "webhook_secret_id_is_plain"),
    (
        f"insert into api.webhook_secret select 'whs_two', endpoint_id, {SECRET}",
        "one_webhook_secret_has_no_end",
    ),
    ("update api.webhook_delivery set delivery_id = 'x'", "webhook_delivery_id_is_plain"),
    ("update api.webhook_delivery set status = 'sent'", "webhook_delivery_is_in_a_known_state"),
    (
        AGAIN,
        "one_webhook_delivery_for_an_event",
    ),
    (ATTEMPT.format(2, "'invented', 500"), "webhook_outcome_is_known"),
    (ATTEMPT.format(2, "'accepted', 500"), "accepted_webhook_has_its_status"),
    (ATTEMPT.format(1, "'accepted', 200"), "webhook_attempt_pkey"),
]


def test_the_database_keeps_no_message_secret_or_try_that_breaks_its_rule(
    hooks: Hooks, connect: Connect
) -> None:
    hooks.register(kinds=["investment.confirmed"])
    hooks.happen()
    hooks.send()
    owner = connect("owner")
    for statement, rule in BROKEN:
        with pytest.raises(psycopg.errors.IntegrityError) as caught:
            owner.execute(statement.encode())
        assert caught.value.diag.constraint_name == rule, statement


@pytest.mark.parametrize(
    ("name", "changed", "rule"),
    [
        ("other_x", {}, "webhook_endpoint_id_is_plain"),
        ("whe_x", {"form": "xml"}, "webhook_form_is_known"),
    ],
)
def test_the_database_registers_no_endpoint_that_breaks_its_rule(
    hooks: Hooks, name: str, changed: dict[str, str], rule: str
) -> None:
    hooks.calls.key("engine")
    said = {"url": "https://hooks.example.org/", "kinds": [], "offers": [], "form": "thin", **changed}
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        hooks.calls.world.login("engine").execute(
            "select api.register_webhook('key:engine-one', 'req_x', '\\x00', %s, %s, '{}')",
            [name, json.dumps(said)],
        )
    assert caught.value.diag.constraint_name == rule


def test_an_endpoint_is_disabled_for_a_reason(hooks: Hooks) -> None:
    made = hooks.register()
    path = f"{PATH}/{made['id']}/disablements"
    blank = hooks.calls.post(path, {"because": " "}, seen=f'"{made["version"]}"')
    assert (blank.status_code, blank.json()["code"]) == (422, "request_has_the_agreed_shape")
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        hooks.calls.world.login("engine").execute(
            "select api.switch_webhook('key:engine-one', 'req_x', '\\x00', %s, %s, ' ')",
            [made["id"], made["version"]],
        )
    assert caught.value.diag.constraint_name == "disabled_webhook_endpoint_says_why"
    on = hooks.calls.post(f"{PATH}/{made['id']}/enablements", seen=f'"{made["version"]}"')
    assert (on.status_code, on.json()["code"]) == (409, "webhook_endpoint_is_in_the_other_state")


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/", "https://u@hooks.example.org/", "https://A.example.org/"]
)
def test_the_database_takes_no_address_without_tls(hooks: Hooks, connect: Connect, url: str) -> None:
    key = hooks.calls.key("engine")
    assert key
    said = json.dumps({"url": url, "kinds": [], "offers": [], "form": "thin"})
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        connect("engine").execute(
            "select api.register_webhook('key:engine-one', 'req_x', '\\x00', 'whe_x', %s, '{}')", [said]
        )
    assert caught.value.diag.constraint_name == "webhook_goes_over_tls"


def test_what_no_key_stands_behind_registers_nothing(connect: Connect) -> None:
    with pytest.raises(psycopg.Error) as caught:
        connect("engine").execute(
            "select api.register_webhook('process', 'req_x', '\\x00', 'whe_x', '{}', '{}')"
        )
    assert caught.value.diag.constraint_name == "webhook_endpoint_has_a_key_behind_it"
