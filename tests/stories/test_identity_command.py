"""An identity provider is asked at the terminal: its answer is recorded once, a silent one is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from bookrunner.core import clock
from bookrunner.sandbox.entering.provider import conclude, configure
from bookrunner.sandbox.story import Story
from tests.identity.inquiries import running
from tests.stories.test_command_line import Run, here, refusal, run

__all__ = ["here", "run"]

pytestmark = pytest.mark.chain

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


def test_a_provider_is_asked_by_command(
    here: Run, raised: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    investor = raised.people[0].investor
    (profile,) = raised.desk.engine.profiles(investors=[investor])
    subject = f"{investor}-{bytes(profile['detail_digest']).hex()}"
    event = {
        "event_id": "evt_asked",
        "kind": "identity.progress",
        "subject": subject,
        "outcome": "in_progress",
        "evidence_sha256": "ab" * 32,
        "occurred_at": clock.now().isoformat(),
    }
    configure(tmp_path, secret=SECRET, credential="ours")
    asked = ("identity", "ask", investor, "--provider", "standard")
    assert refusal(here(*asked)).startswith("identity_provider_is_known")
    with running(tmp_path) as url:
        standard = {"url": url, "credential": "ours"}
        monkeypatch.setenv("BOOKRUNNER_IDENTITY_INQUIRIES", json.dumps({"standard": standard}))
        monkeypatch.setenv("BOOKRUNNER_IDENTITY_SECRETS", json.dumps({"standard": {"one": SECRET}}))
        assert refusal(here(*asked)).startswith("inquiry_exists")
        conclude(tmp_path, {subject: event})
        said = [here(*asked) for _ in range(2)]
    assert [status for status, _ in said] == [0, 0]
    assert "its answer is recorded" in said[0][1][0]
    assert "it says nothing new" in said[1][1][0]
    assert refusal(here(*asked)).startswith("identity_provider_answers")
