"""A packet over the API, from the first consent to the executed file behind a link."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO

import httpx
import pytest
from pypdf import PdfReader

from bookrunner.api import Signing, api, issue
from bookrunner.core.ids import new_id
from bookrunner.db import Endpoint
from bookrunner.sandbox.entering.papers import INTENT, ITEMS, detail
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.patience import PATIENT
from tests.serving import serving
from tests.subscription.conftest import Tell, agreement

OFFICER = "officer-iris"
FOREIGN = ("audit", "portal", "engine")


@cache
def issued(endpoint: Endpoint) -> dict[str, str]:
    """Return the keys of one installation, issued once."""
    own = {
        name: issue(endpoint, name, "subscription", actor="usr_admin")
        for name in ("portal-backend", "reviewer-rosa", OFFICER)
    }
    return own | {name: issue(endpoint, f"{name}-program", name, actor="usr_admin") for name in FOREIGN}


class Calls:
    """Calls of the API under the keys of the subscription book."""

    def __init__(self, world: World, url: str) -> None:
        self.url = url
        self.keys = issued(world.endpoint)

    def headers(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def get(self, path: str, name: str = "portal-backend") -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers(name), timeout=PATIENT)

    def post(
        self, path: str, body: object, name: str = "portal-backend", seen: str | None = None
    ) -> httpx.Response:
        """Write once; ``seen`` is the ETag that the decision is made on."""
        said = self.headers(name) | {"Idempotency-Key": new_id("req")}
        if seen is not None:
            said["If-Match"] = seen
        return httpx.post(self.url + path, json=body, headers=said, timeout=30)


@pytest.fixture(scope="module")
def calls(world: World) -> Iterator[Calls]:
    app = world.application
    with serving(api(app.database, signing=Signing(lambda: app.signing, app.consents))) as url:
        yield Calls(world, url)


def authorised(story: Story) -> Story:
    """Let counsel authorise the officer behind the key."""
    paper = story.desk.subscription.archive(actor="x", content=b"Resolution", media_type="text/plain")
    said = {"name": "Iris Example", "capacity": "Manager", "authority": "Resolution of 2026-01-15"}
    story.desk.packets.authorise_signatory(
        actor="counsel.carl",
        offering=story.offering,
        signatory=f"key:{OFFICER}",
        said=said,
        authority_sha256=paper,
    )
    return story


def printed_code(content: bytes) -> str:
    """Return the code that a reader finds in a sample record: the last thing on its page."""
    return "".join(PdfReader(BytesIO(content)).pages[0].extract_text().split())[-8:]


def consent(calls: Calls, base: str) -> None:
    """Take a sample record, read its code in the file, enter it."""
    sample = calls.post(f"{base}/consent_samples", {}).json()["id"]
    file = httpx.get(
        f"{calls.url}{base}/consent_samples/{sample}",
        headers=calls.headers("portal-backend"),
        timeout=PATIENT,
    )
    assert file.headers["content-type"] == "application/pdf"
    code = printed_code(file.content)
    wrong = calls.post(f"{base}/consents", {"sample": sample, "code": code[::-1]})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "code_is_the_printed_one")
    assert code not in wrong.text
    assert "4 tries left" in wrong.json()["detail"]
    given = calls.post(f"{base}/consents", {"sample": sample, "code": f" {code[:4].lower()}-{code[4:]} "})
    assert given.status_code == 201, given.text


def test_a_repeated_wrong_code_is_counted_once(calls: Calls, tell: Tell) -> None:
    base = f"/v1/investments/{tell('cleared').people[0].investment}"
    sample = calls.post(f"{base}/consent_samples", {}).json()["id"]
    said = calls.headers("portal-backend") | {"Idempotency-Key": new_id("req")}
    left = []
    for code in ("WRNGCDE2", "WRNGCDE2", "WRNGCDE3"):
        body = {"sample": sample, "code": code}
        answer = httpx.post(f"{calls.url}{base}/consents", json=body, headers=said, timeout=30)
        left.append((answer.json()["code"], answer.json()["detail"][:12]))
    assert [rule for rule, _ in left] == ["code_is_the_printed_one"] * 2 + ["request_key_has_one_body"]
    assert left[0] == left[1]
    other = calls.post(f"{base}/consents", {"sample": sample, "code": "WRNGCDE3"})
    assert "3 tries left" in other.json()["detail"]


def apply(calls: Calls, story: Story) -> None:
    """Let the first investor do everything that its agreement needs."""
    person = story.people[0]
    base = f"/v1/investments/{person.investment}"
    early = calls.post(f"{base}/applications", {})
    assert (early.status_code, early.json()["code"]) == (409, "application_is_complete")
    consent(calls, base)
    for kind in ("tax_form", "authority", "ownership"):
        stated = calls.post(f"{base}/particulars", {"kind": kind, "detail": detail(person, kind)})
        assert stated.status_code == 201, stated.text
    for kind, code, _ in ITEMS:
        said = calls.post(f"{base}/acknowledgments", {"kind": kind, "code": code, "version": 1})
        assert said.status_code == 201, said.text
    assert said.json()["lacks"] == []
    assert calls.post(f"{base}/applications", {}).status_code == 201


def test_a_packet_over_the_api(world: World, tell: Tell, calls: Calls) -> None:
    story = authorised(tell("cleared"))
    apply(calls, story)
    world.application.process.drain()
    path = f"/v1/agreements/{agreement(story)}"

    def act(name: str, verb: str, body: object) -> httpx.Response:
        return calls.post(f"{path}/{verb}", body, name=name, seen=calls.get(path).headers["etag"])

    assert act("portal-backend", "sign", {"intent": INTENT}).json()["status"] == "investor_signed"
    assert calls.get(path).json()["signatures"] == {"required": ["investor", "issuer"], "made": ["investor"]}
    again = act("portal-backend", "sign", {"intent": INTENT})
    assert (again.status_code, again.json()["code"]) == (409, "agreement_is_open_for_signature")
    early = act(OFFICER, "countersign", {"intent": INTENT})
    assert (early.status_code, early.json()["code"]) == (409, "packet_is_in_good_order")
    seen = calls.get(path).json()["files"]["signed_sha256"]
    unseen = act("reviewer-rosa", "release", {"seen_sha256": "0" * 64})
    assert unseen.json()["code"] == "reviewed_file_is_the_signed_one"
    assert act("reviewer-rosa", "release", {"seen_sha256": seen}).status_code == 200
    preview = calls.get(f"/v1/offers/{story.offering}/countersignatures", OFFICER).json()
    assert [row["hindrance"] for row in preview["countersignatures"]] == [None]
    foreign = act("portal-backend", "countersign", {"intent": INTENT})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "signatory_has_recorded_authority")
    assert act(OFFICER, "countersign", {"intent": INTENT}).json()["status"] == "countersigned"
    found = calls.get(path).json()
    link = calls.post(f"{path}/links", {"file": "executed", "reader": "ivr_ann", "minutes": 5}).json()["path"]
    file = httpx.get(calls.url + link, timeout=PATIENT)
    assert file.headers["content-type"] == "application/pdf"
    assert hashlib.sha256(file.content).hexdigest() == found["files"]["executed_sha256"]
    forged = httpx.get(calls.url + link.replace("ivr_ann", "ivr_bob"), timeout=PATIENT)
    assert (forged.status_code, forged.json()["code"]) == (403, "document_link_is_ours")


def test_a_repeated_signature_returns_its_answer(tell: Tell, calls: Calls) -> None:
    story = tell("sent")
    path = f"/v1/agreements/{agreement(story)}"
    headers = calls.headers("portal-backend") | {"Idempotency-Key": f"again-{agreement(story)}"}
    headers["If-Match"] = calls.get(path).headers["etag"]
    first, second = (
        httpx.post(f"{calls.url}{path}/sign", json={"intent": INTENT}, headers=headers, timeout=30)
        for _ in range(2)
    )
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"


def test_a_returned_packet_over_the_api(tell: Tell, calls: Calls) -> None:
    story = tell("signed")
    path, base = f"/v1/agreements/{agreement(story)}", f"/v1/investments/{story.people[0].investment}"
    seen = calls.get(path)
    fault = {"page": 4, "field": "tax", "reason": "inconsistent", "words": "The form names another person."}
    body = {"seen_sha256": seen.json()["files"]["signed_sha256"], "deficiencies": [fault]}
    assert calls.post(f"{path}/return", body, "reviewer-rosa", seen.headers["etag"]).status_code == 200
    assert calls.get(path).json()["status"] == "voided"
    (found,) = calls.get(f"{base}/deficiencies").json()["deficiencies"]
    assert {key: found[key] for key in fault} == fault
    refused = calls.post(f"{base}/applications", {})
    assert refused.json()["code"] == "application_is_complete"
    assert found["id"] in refused.json()["detail"]
    answer = {"deficiency": found["id"], "answer": "Corrected."}
    other = f"/v1/investments/{story.people[1].investment}/deficiency_answers"
    wrong = calls.post(other, answer)
    assert (wrong.status_code, wrong.json()["code"]) == (404, "deficiency_exists")
    assert calls.post(f"{base}/deficiency_answers", answer).status_code == 201
    (read,) = calls.get(f"{base}/deficiencies", "audit").json()["deficiencies"]
    assert set(read) == {"id", "deficiency_id", "agreement_id", "status", "page", "field", "reason"}
    assert calls.post(f"{base}/applications", {}).status_code == 201
    assert calls.post(f"{base}/consent_withdrawals", {}).status_code == 201


def test_keys_of_other_keepers_sign_nothing_and_see_no_preview(tell: Tell, calls: Calls) -> None:
    story = tell("signed")
    path = f"/v1/agreements/{agreement(story)}"
    seen = calls.get(path).headers["etag"]
    for keeper in FOREIGN:
        preview = calls.get(f"/v1/offers/{story.offering}/countersignatures", keeper)
        acts = [
            calls.post(f"{path}/{verb}", {"intent": INTENT}, keeper, seen) for verb in ("sign", "countersign")
        ]
        for answer in (preview, *acts):
            assert (answer.status_code, answer.json()["code"]) == (403, "key_serves_this_keeper")


def test_links_are_made_by_the_book_and_the_engine(tell: Tell, calls: Calls) -> None:
    story = tell("signed")
    path = f"/v1/agreements/{agreement(story)}/links"
    body = {"file": "signed", "reader": "ivr_ann", "minutes": 5}
    assert calls.post(path, body, "engine").status_code == 200
    for keeper in ("audit", "portal"):
        refused = calls.post(path, body, keeper)
        assert (refused.status_code, refused.json()["code"]) == (403, "key_serves_this_keeper")
    unnamed = calls.post(path, body | {"reader": "process"})
    assert (unnamed.status_code, unnamed.json()["code"]) == (409, "document_link_names_its_reader")


def test_a_file_is_not_served_without_a_link(tell: Tell, calls: Calls) -> None:
    story = tell("sent")
    files = calls.get(f"/v1/agreements/{agreement(story)}").json()["files"]
    assert (
        httpx.get(f"{calls.url}/v1/documents/{files['document_sha256']}", timeout=PATIENT).status_code == 422
    )
    assert httpx.get(f"{calls.url}/v1/agreements/{agreement(story)}", timeout=PATIENT).status_code == 401
