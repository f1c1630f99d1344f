"""Bad input from a first investment to a legal close: refused by name, nothing left behind."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from bookrunner.adapters.chain import checksum
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.identity.webhook import sign
from bookrunner.app.custody import embed_wallet
from bookrunner.core import clock
from bookrunner.core.errors import GateClosed
from bookrunner.core.ids import new_id
from bookrunner.sandbox.people import Person
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.stories.conftest import NO_TOKEN, Refusal

pytestmark = pytest.mark.chain

SECRET = b"a secret of thirty-two bytes 123"
DOMAIN = "sandbox.example.test"
Headers = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def entered(published: Story) -> Story:
    """Let every investor enter."""
    published.enter(lambda *_: None)
    return published


@pytest.fixture(scope="module")
def verified(entered: Story) -> Story:
    """Let the identity provider verify every investor, and all but the last one sign and confirm."""
    entered.verify_identities()
    everybody, entered.people = entered.people, entered.people[:-1]
    entered.sign_and_confirm()
    entered.people = everybody
    return entered


def message(person: Person, story: Story, *, identity: str = "msg_story", **changed: object) -> bytes:
    """Return the body of a message about a person's profile, some members changed."""
    (profile,) = story.desk.engine.profiles(investors=[person.investor])
    event = {
        "event_id": identity,
        "kind": "identity.completed",
        "subject": f"{person.investor}-{bytes(profile['detail_digest']).hex()}",
        "outcome": "in_review",
        "evidence_sha256": hashlib.sha256(b"evidence").hexdigest(),
        "occurred_at": clock.now().isoformat(),
    }
    return json.dumps(event | changed).encode()


def signed(body: bytes, *, identity: str = "msg_story", age: int = 0, secret: bytes = SECRET) -> Headers:
    return sign(identity, body, now=clock.now() - timedelta(seconds=age), secrets=[secret])


@pytest.mark.parametrize(
    ("units", "rule"),
    [
        (9, "units_reach_the_minimum"),
        (0, "units_reach_the_minimum"),
        (-10, "units_reach_the_minimum"),
        (10**6, "units_are_left"),
        (2**63 - 1, "units_are_left"),
        (2**63, "number_fits_its_field"),
    ],
)
def test_an_amount_outside_the_terms(published: Story, refused: Refusal, units: int, rule: str) -> None:
    with refused(rule):
        published.desk.engine.open_investment(
            actor="ivr_1",
            offering=published.offering,
            investment=new_id("inv"),
            investor="ivr_1",
            units=units,
        )


def test_an_offer_that_does_not_exist(world: World, published: Story, refused: Refusal) -> None:
    app = world.application
    acts = (
        lambda: published.desk.engine.open_investment(
            actor="ivr_1", offering="ofr_none", investment="inv_1", investor="ivr_1", units=10
        ),
        lambda: published.desk.engine.move_offer(actor="a", offering="ofr_none", status="published"),
        lambda: app.close_offer("ofr_none", actor="operator.otto", ready=False),
        lambda: app.close_offer("ofr_none", actor="operator.otto", ready=True),
        lambda: app.dry_run("ofr_none"),
        lambda: app.reconcile("ofr_none", actor="reconciliation"),
        lambda: app.totals("ofr_none"),
        lambda: app.wallet_challenge("ofr_none", "ivr_1", "0x" + "11" * 20, domain=DOMAIN),
    )
    for act in acts:
        with refused("offer_exists"):
            act()


def test_an_investment_that_does_not_exist(world: World, published: Story, refused: Refusal) -> None:
    desk, where = published.desk, {"actor": "a", "offering": published.offering}
    acts = (
        lambda: desk.engine.confirm(investment="inv_none", **where),
        lambda: desk.subscription.acknowledge(investment="inv_none", items=[], **where),
        lambda: world.application.open_agreement(published.offering, "inv_none"),
    )
    for act in acts:
        with refused("investment_exists"):
            act()
    with refused("agreement_exists"):
        desk.subscription.void_agreement(agreement="agr_none", because="none", **where)
    with refused("allocation_exists"):
        desk.subscription.approve_allocation(approval="alc_none", **where)
    with refused("decided_record_exists"):
        desk.treasury.propose_act(
            proposal="prp_1",
            act="match",
            receipt="rcp_none",
            investment="inv_none",
            because="b",
            seen=1,
            **where,
        )


def test_then_every_investor_enters(entered: Story) -> None:
    counts = entered.desk.engine.five_counts(offering=entered.offering)
    assert (counts["investments"], counts["profile"]) == (6, 6)


def test_a_wallet_with_a_mistyped_letter(world: World, entered: Story, refused: Refusal) -> None:
    app, person, offering = world.application, entered.people[0], entered.offering
    key = LocalKey(b"\x07" * 32, chain_id=app.chain.chain_id())
    written = checksum(key.address)
    letter = next(i for i, sign_ in enumerate(written[2:], start=2) if sign_.isalpha())
    bad = {
        written[:letter] + written[letter].swapcase() + written[letter + 1 :]: "wallet_checksum_is_valid",
        written[:-1]: "wallet_address_is_well_formed",
        "0x" + "00" * 20: "wallet_is_not_zero",
        "0x" + NO_TOKEN.hex(): "wallet_is_not_reserved",
        "0x" + app.keys.treasury.address.hex(): "wallet_is_not_reserved",
    }
    for text, rule in bad.items():
        with refused(rule):
            app.wallet_challenge(offering, person.investor, text, domain=DOMAIN)
    challenge, text = app.wallet_challenge(offering, person.investor, written, domain=DOMAIN)
    stranger = LocalKey(b"\x08" * 32, chain_id=app.chain.chain_id())
    with refused("wallet_proof_is_valid"):
        app.claim_wallet(offering, person.investor, challenge, stranger.sign_text(text))
    signature = key.sign_text(text)
    with refused("challenge_names_investor_and_offer"):
        app.claim_wallet(offering, entered.people[1].investor, challenge, signature)
    claim = app.claim_wallet(offering, person.investor, challenge, signature)
    assert claim.startswith("wcl_")
    with refused("one_proof_serves_once"):
        app.claim_wallet(offering, person.investor, challenge, signature)


def test_an_investor_without_a_wallet_gets_one(
    world: World, entered: Story, refused: Refusal, tmp_path: Path
) -> None:
    app, person, offering = world.application, entered.people[4], entered.offering
    on = (offering, person.investor)
    with refused("local_key_serves_the_embedded_chain_only"):
        embed_wallet(app, (tmp_path, False), on, domain=DOMAIN)
    embed_wallet(app, (tmp_path, True), on, domain=DOMAIN)
    app.answer()
    had = app.desk.registry.wallet_history(offering=offering, investor=person.investor, address=None)
    assert had[-1]["controller"] == "platform"
    kept = tmp_path / f"holder-{person.investor}.json"
    assert kept.stat().st_mode & 0o077 == 0


def test_a_webhook_that_nobody_can_vouch_for(world: World, entered: Story, refused: Refusal) -> None:
    app, person = world.application, entered.people[5]
    body = message(person, entered)
    secrets = {"sandbox-1": SECRET}
    bad = (
        ("signature_matches", signed(body, secret=b"another secret of thirty-two byte"), body),
        ("signature_matches", signed(body), body.replace(b"in_review", b"approved")),
        ("timestamp_is_recent", signed(body, age=310), body),
        ("timestamp_is_recent", signed(body, age=-310), body),
        ("headers_are_complete", signed(body)[:2], body),
        ("headers_stand_once", (*signed(body), signed(body)[0]), body),
    )
    for rule, headers, sent in bad:
        with refused(rule):
            app.receive_identity(headers, sent, secrets)
    digest = "0" * 64
    wrong: dict[str, tuple[str, dict[str, object]]] = {
        "no digest": ("identity_subject_names_its_profile", {"subject": person.investor}),
        "no hexadecimal": (
            "identity_subject_names_its_profile",
            {"subject": f"{person.investor}-{'z' * 64}"},
        ),
        "nobody": ("identity_case_exists", {"subject": f"ivr_nobody-{digest}"}),
        "future": ("identity_event_has_happened", {"occurred_at": "9999-12-31T23:59:59+00:00"}),
        "no time": ("event_has_its_shape", {"occurred_at": "yesterday"}),
    }
    for rule, changed in wrong.values():
        sent = message(person, entered, **changed)
        with refused(rule):
            app.receive_identity(signed(sent), sent, secrets)
    assert app.receive_identity(signed(body), body, secrets)


def test_a_webhook_that_came_before(world: World, verified: Story, refused: Refusal) -> None:
    app, secrets = world.application, {"sandbox-1": SECRET}
    body = message(verified.people[0], verified, identity="msg_twice", outcome="approved")
    assert app.receive_identity(signed(body, identity="msg_twice"), body, secrets)
    before = verified.desk.engine.stage(investment=verified.people[0].investment)
    assert not app.receive_identity(signed(body, identity="msg_twice", age=60), body, secrets)
    assert verified.desk.engine.stage(investment=verified.people[0].investment) == before
    other = message(verified.people[0], verified, identity="msg_twice", outcome="declined")
    with refused("message_id_has_one_body"):
        app.receive_identity(signed(other, identity="msg_twice"), other, secrets)


def test_a_closed_offer_takes_no_commitment(world: World, verified: Story, refused: Refusal) -> None:
    desk, last, offering = verified.desk, verified.people[-1], verified.offering
    with pytest.raises(GateClosed, match="agreement_is_signed"):
        desk.engine.confirm(actor=last.investor, offering=offering, investment=last.investment)
    verified.people, everybody = verified.people[-1:], verified.people
    items = desk.subscription.requirements(offering=offering)
    said = [
        {"id": new_id("ack"), "kind": i["kind"], "code": i["code"], "version": i["item_version"]}
        for i in items
    ]
    desk.subscription.acknowledge(
        actor=last.investor, offering=offering, investment=last.investment, items=said
    )
    verified.sign([last])
    verified.people = everybody
    desk.engine.move_offer(actor="issuer.iris", offering=offering, status="legally_closed")
    with refused("offer_is_open_to_new_money"):
        desk.engine.confirm(actor=last.investor, offering=offering, investment=last.investment)
    with refused("offer_is_open_to_new_money"):
        desk.engine.open_investment(
            actor="ivr_1", offering=offering, investment=new_id("inv"), investor="ivr_1", units=10
        )
    with refused("transition_is_listed_for_the_keeper"):
        desk.engine.move_offer(actor="issuer.iris", offering=offering, status="published")
    stages = {p.investment: desk.engine.stage(investment=p.investment)["status"] for p in everybody}
    assert sorted(stages.values()) == ["confirmed"] * 5 + ["new"]
    assert world.application.dry_run(offering)
