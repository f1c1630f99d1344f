"""Every step of an application in a language that marks its sentences: no word stands outside of them."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from bookrunner.api import issue
from bookrunner.pages import web
from bookrunner.sandbox.entering.papers import ITEMS
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.pages.marked import bare, marked
from tests.pages.test_languages import GERMAN
from tests.serving import serving
from tests.subscription.conftest import Tell
from tests.subscription.test_api import printed_code

pytestmark = pytest.mark.timeout(240)


class Walk:
    """An investor on its way through the steps, who keeps each page that it saw."""

    def __init__(self, client: httpx.Client, story: Story) -> None:
        self.client = client
        self.home = f"/investments/{story.people[0].investment}/apply"
        self.signer = story.people[0].detail.get("representative", story.people[0].detail["legal_name"])
        self.ends = story.people[0].detail["tax_id"][-4:]
        self.pages: dict[str, str] = {}

    def look(self, name: str, path: str = "") -> str:
        """Open a page and keep it."""
        answer = self.client.get(f"{self.home}/{path or name}")
        assert answer.status_code == 200, (name, answer.headers.get("location"))
        self.pages[name] = answer.text
        return answer.text

    def post(self, step: str, refused: str = "", **form: str) -> None:
        """Send a form; one that is to be refused gives another page to keep."""
        answer = self.client.post(f"{self.home}/{step}", data=form)
        assert answer.status_code == (409 if refused else 303), (step, answer.text[-3000:])
        if refused:
            self.pages[f"{step} {refused}"] = answer.text

    def items(self) -> None:
        """Receive, acknowledge and represent what is asked for, one after another."""
        for _ in ITEMS:
            page = self.look("documents")
            asked = dict(re.findall(r'name="(kind|code|version)" value="([^"]+)"', page))
            found = re.search(r'href="([^"]*/documents/\w+)"', page)
            assert found is not None
            assert self.client.get(found[1]).status_code == 200
            self.post("documents", **asked, agree="yes")

    def to_the_signature(self, drain: Callable[[], object]) -> None:
        """Go from the amount to the signed file."""
        self.look("amount")
        self.look("profile")
        self.post("profile")
        self.look("consent")
        self.post("consent", "without a tick", code="x")
        code = printed_code(self.client.get(f"{self.home}/sample.pdf").content)
        self.post("consent", code=code, agree="yes")
        self.look("consented", "consent")
        self.items()
        self.look("documents done", "documents")
        self.look("tax_form")
        for form in ("W-9", "W-8BEN"):
            self.look(f"tax form {form}", f"tax_form?form={form}")
        self.post("tax_form", "unanswered", form="W-9", classification="Partnership")
        tax = {"form": "W-9", "classification": "Partnership", "number_kind": "EIN", "number_ends": self.ends}
        self.post("tax_form", **tax, backup_withholding="no")
        self.look("authority")
        self.post("authority", "in one part", signers=self.signer, required="1")
        self.post("authority", signers=f"{self.signer}; Manager; Resolution 1", required="1")
        self.look("ownership")
        self.post("ownership", owners=f"{self.signer}; control person; 0")
        self.look("review")
        self.post("review")
        self.look("sign", "sign")
        drain()
        party = re.search(r'name="party" value="(\w+)"', self.look("sign made", "sign"))
        assert party is not None
        self.post("sign", party=party[1], agree="yes")
        self.look("file")


def test_no_sentence_of_an_application_is_left_out_of_the_catalogue(world: World, tell: Tell) -> None:
    story, app = tell("cleared"), web(world.application, offered=marked())
    person = story.people[0]
    key = issue(world.endpoint, person.investor, "portal", actor="usr_admin")
    with serving(app) as url:
        headers = {**GERMAN, "Origin": url}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            assert client.post("/sign-in", data={"key": key}).status_code == 303
            walk = Walk(client, story)
            walk.to_the_signature(world.application.process.drain)
        app.state.hints.closing = True
    offer = world.application.desk.offer(story.offering)
    data = frozenset(
        {
            *(sentence for _, _, sentence in ITEMS),
            *(code.replace("_", " ") for _, code, _ in ITEMS),
            *(str(value) for value in person.detail.values() if value),
            offer["name"],
            *("records@harbor.example", "nothing"),
            "Partnership",
            "Manager",
        }
    )
    left = {name: found for name, page in walk.pages.items() if (found := bare(page, data))}
    assert left == {}
