"""Messages reach a real receiver over TLS, signed twice, at least once, and wait as the schedule says."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema import Draft202012Validator
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bookrunner.api.hooks.kinds import hint_schemas, kinds
from bookrunner.api.hooks.messages import BODY_BYTES_MAX
from bookrunner.audit import advance_feed
from tests.hooks.conftest import Hooks, Message

PAUSES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
DIGEST_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def signatures(message: Message, scheme: str) -> list[str]:
    """Return the signatures of one scheme of a message."""
    parts = (part.split(",") for part in message.headers["webhook-signature"].split(" "))
    return [text for name, text in parts if name == scheme]


def checked(message: Message, secret: str) -> object:
    """Return the body, after a second tool has verified it under a secret."""
    return Webhook(secret).verify(message.body, message.headers)


def checked_by_key(message: Message, public: str) -> None:
    """Verify a message under a public key; raises InvalidSignature."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    head = f"{message.headers['webhook-id']}.{message.headers['webhook-timestamp']}.".encode()
    faults = 0
    for text in signatures(message, "v1a"):
        try:
            key.verify(base64.b64decode(text), head + message.body)
        except InvalidSignature:
            faults += 1
    if faults == len(signatures(message, "v1a")):
        raise InvalidSignature


def test_a_message_is_thin_signed_twice_and_has_the_schema_of_its_kind(hooks: Hooks) -> None:
    made = hooks.register()
    hooks.happen()
    hooks.calls.get("/v1/events")
    assert hooks.send() > 0
    found = [m for m in hooks.receiver.came if json.loads(m.body)["type"] == "investment.confirmed"]
    (message,) = found
    assert checked(message, made["secret"]) == json.loads(message.body)
    checked_by_key(message, made["public_key"])
    body = json.loads(message.body)
    assert set(body) == {"type", "timestamp", "data"}
    assert body["data"]["scope"] == "ofr_one"
    assert len(message.body) < BODY_BYTES_MAX
    event = hooks.calls.get(f"/v1/events?after={body['data']['sequence'] - 1}&limit=1").json()["events"][0]
    assert (event["kind"], event["subject"], event["version"]) == (
        body["type"],
        body["data"]["subject"],
        body["data"]["version"],
    )
    for each in hooks.receiver.came:
        said = json.loads(each.body)
        assert said["type"] in kinds()
        Draft202012Validator(hint_schemas()["EventHint"]).validate(said)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"0" * 32).decode()).verify(message.body, message.headers)
    with pytest.raises(InvalidSignature):
        checked_by_key(message, "whpk_" + base64.b64encode(bytes(31) + b"\x01").decode())


def test_cloud_events_are_a_form_that_a_subscriber_asks_for(hooks: Hooks) -> None:
    made = hooks.register(form="cloudevents", kinds=["investment.confirmed"])
    hooks.happen()
    assert hooks.send() == 1
    (message,) = hooks.receiver.came
    checked(message, made["secret"])
    said = json.loads(message.body)
    assert message.headers["content-type"] == "application/cloudevents+json"
    Draft202012Validator(hint_schemas()["EventHintCloudEvent"]).validate(said)
    assert said["id"] == message.headers["webhook-id"]
    assert int(said["sequence"]) == said["data"]["sequence"]


def test_an_endpoint_hears_each_event_that_it_asked_for_once(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed", "offer.published"], after=0)
    hooks.happen()
    hooks.happen()
    hooks.send()
    heard = [json.loads(m.body)["type"] for m in hooks.receiver.came]
    assert sorted(heard) == ["investment.confirmed", "investment.confirmed", "offer.published"]
    assert hooks.send() == 0
    ids = [m.headers["webhook-id"] for m in hooks.receiver.came]
    assert len(set(ids)) == 3
    told = hooks.endpoint(made["id"])
    feed = hooks.calls.get("/v1/events?after=0&limit=200").json()
    assert (told["waiting"], told["parked"]) == (0, 0)
    assert told["told_until"] >= feed["next"]


def test_what_fails_is_tried_ten_times_in_three_days_and_parked_with_a_notice(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    other = hooks.register(kinds=["webhook_endpoint.parked"])
    hooks.receiver.says = lambda m: (503, {}, b"") if b"investment" in m.body else (204, {}, b"")
    hooks.happen()
    begun = hooks.moment
    assert hooks.send() == 1
    for number, pause in enumerate(PAUSES, 1):
        (waits,) = hooks.deliveries(made["id"])
        assert (waits["status"], waits["tries"]) == ("waiting", number)
        assert hooks.send(seconds=pause - 1) == 0, pause
        assert hooks.send(seconds=2 + pause // 10) == 1, pause
    assert timedelta(days=3) < hooks.moment - begun < timedelta(days=4)
    (parked,) = hooks.deliveries(made["id"])
    assert (parked["status"], parked["tries"], parked["due_at"]) == ("parked", 10, None)
    assert parked["attempts"][0]["status_code"] == 503
    whole = hooks.calls.get(f"/v1/webhooks/endpoints/{made['id']}/deliveries/{parked['id']}").json()
    assert [each["attempt"] for each in whole["attempts"]] == list(range(1, 11))
    assert {each["answer_sha256"] for each in whole["attempts"]} == {DIGEST_OF_NOTHING}
    ids = {m.headers["webhook-id"] for m in hooks.receiver.came}
    stamps = {m.headers["webhook-timestamp"] for m in hooks.receiver.came}
    assert ids == {parked["id"]}
    assert len(stamps) == 10
    assert hooks.endpoint(made["id"])["status"] == "failing"
    notice = hooks.calls.world.login("owner").execute(
        "select offering_id, recipient, status from engine.notice where code = 'webhook_parked'"
    )
    assert notice.fetchall() == [("ofr_one", "role:administrator", "written")]
    hooks.send(days=1)
    assert [m for m in hooks.receiver.came if b"webhook_endpoint.parked" in m.body]
    assert hooks.endpoint(other["id"])["status"] == "enabled"


def test_a_parked_message_is_sent_again_under_its_id_and_the_endpoint_recovers(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    hooks.receiver.says = lambda _: (500, {}, b"")
    hooks.happen()
    hooks.send()
    for pause in PAUSES:
        hooks.send(seconds=2 + pause + pause // 10)
    (parked,) = hooks.deliveries(made["id"])
    hooks.receiver.says = lambda _: (200, {}, b"thanks")
    path = f"/v1/webhooks/endpoints/{made['id']}/deliveries/{parked['id']}/resends"
    answer = hooks.calls.post(path)
    assert answer.json()["sent"] == 1
    assert hooks.send() == 1
    (again,) = hooks.deliveries(made["id"])
    assert (again["id"], again["status"]) == (parked["id"], "delivered")
    assert hooks.receiver.came[-1].headers["webhook-id"] == parked["id"]
    assert hooks.endpoint(made["id"])["status"] == "enabled"
    assert hooks.calls.events(made["id"]) == [
        "webhook_endpoint.registered",
        "webhook_endpoint.parked",
        "webhook_endpoint.recovered",
    ]


def test_five_days_of_failures_disable_an_endpoint_and_nothing_more_is_sent(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    hooks.receiver.says = lambda _: (500, {}, b"")
    hooks.happen()
    hooks.send()
    hooks.happen()
    hooks.send(days=4)
    assert hooks.endpoint(made["id"])["status"] == "enabled"
    hooks.send(days=1)
    told = hooks.endpoint(made["id"])
    assert (told["status"], told["disabled_because"]) == ("disabled", "nothing came through for five days")
    tried = len(hooks.receiver.came)
    hooks.happen()
    assert hooks.send(days=9) == 0
    assert len(hooks.receiver.came) == tried
    notice = hooks.calls.world.login("owner").execute(
        "select recipient from engine.notice where code = 'webhook_disabled'"
    )
    assert notice.fetchall() == [("role:administrator",)]


def test_who_says_that_it_is_gone_is_believed(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    hooks.receiver.says = lambda _: (410, {}, b"")
    hooks.happen()
    hooks.send()
    assert hooks.endpoint(made["id"])["disabled_because"] == "it answered 410 Gone"


def test_enabled_again_it_goes_on_at_the_end_and_a_range_brings_what_it_missed(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    path = f"/v1/webhooks/endpoints/{made['id']}"
    off = hooks.calls.post(f"{path}/disablements", {"because": "it moves"}, seen=f'"{made["version"]}"')
    assert off.json()["status"] == "disabled"
    stale = hooks.calls.post(f"{path}/enablements", seen='"1"')
    assert stale.status_code == 412
    assert hooks.calls.post(f"{path}/tests").json()["code"] == "webhook_endpoint_is_enabled"
    hooks.happen()
    assert hooks.send() == 0
    on = hooks.calls.post(f"{path}/enablements", seen=off.headers["etag"])
    assert on.json()["status"] == "enabled"
    assert hooks.send() == 0
    end = hooks.endpoint(made["id"])["told_until"]
    sent = hooks.calls.post(f"{path}/resends", {"first": max(1, end - 500), "last": end})
    assert sent.json()["sent"] == 1
    assert hooks.send() == 1
    wide = hooks.calls.post(f"{path}/resends", {"first": 1, "last": 1001})
    assert (wide.status_code, wide.json()["code"]) == (422, "resend_spans_at_most_a_thousand_events")


def test_a_test_is_no_event_and_is_signed_as_one(hooks: Hooks) -> None:
    made = hooks.register()
    answer = hooks.calls.post(f"/v1/webhooks/endpoints/{made['id']}/tests")
    assert answer.status_code == 201
    hooks.send()
    (message,) = (m for m in hooks.receiver.came if m.headers["webhook-id"] == answer.json()["id"])
    said = checked(message, made["secret"])
    assert isinstance(said, dict)
    assert (said["type"], said["data"]["sequence"]) == ("webhook_endpoint.tested", None)


def test_the_feed_is_told_up_to_its_end_however_long_it_is(hooks: Hooks) -> None:
    made = hooks.register(after=0, kinds=["offer.opened"])
    advance_feed(hooks.database)
    steps = 0
    owner = hooks.calls.world.login("engine")
    while (owner.execute("select api.fan_out_webhooks(7)").fetchone() or (0,))[0]:
        steps += 1
    assert steps > 3
    assert hooks.send() == 1
    assert hooks.deliveries(made["id"])[0]["status"] == "delivered"


def test_what_waits_at_a_disabled_endpoint_goes_out_when_it_is_enabled_and_others_go_on(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    other = hooks.register(url=hooks.receiver.url("/other"), kinds=["investment.confirmed"])
    hooks.receiver.says = lambda m: (503 if m.path == "/in" else 204, {}, b"")
    hooks.happen()
    hooks.happen()
    assert hooks.send() == 4
    path = f"/v1/webhooks/endpoints/{made['id']}"
    off = hooks.calls.post(f"{path}/disablements", {"because": "it moves"}, seen=f'"{made["version"]}"')
    hooks.happen()
    assert hooks.send(hours=1) == 1, "the other endpoint alone"
    told = hooks.endpoint(made["id"])
    assert (told["status"], told["waiting"]) == ("disabled", 2)
    hooks.receiver.says = lambda _: (204, {}, b"")
    hooks.calls.post(f"{path}/enablements", seen=off.headers["etag"])
    assert hooks.send() == 2, "the two that wait, and not the one that it missed"
    assert [each["status"] for each in hooks.deliveries(made["id"])] == ["delivered", "delivered"]
    assert len(hooks.deliveries(other["id"])) == 3
    ids = [m.headers["webhook-id"] for m in hooks.receiver.came if m.path == "/in"]
    assert sorted(ids[:2]) == sorted(ids[2:])
