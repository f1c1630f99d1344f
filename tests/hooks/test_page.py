"""The code of docs/webhooks.md verifies real messages and refuses every other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.conftest import Hooks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
Verify = Callable[..., bool]


@pytest.fixture
def verify() -> Verify:
    """Return the function of the page."""
    (code,) = re.findall(
        r"<!-- example -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    place: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), place)  # noqa: S102 - the page's own code
    found: Verify = place["verify"]
    return found


def test_the_example_of_the_page_takes_a_message_once_inside_its_window(hooks: Hooks, verify: Verify) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    hooks.happen()
    hooks.send()
    (message,) = hooks.receiver.came
    sent = int(message.headers["webhook-timestamp"])
    seen: set[str] = set()
    secrets = ["whsec_" + "A" * 43 + "=", made["secret"]]
    asked = {"secrets": secrets, "now": sent, "seen": seen}
    assert verify(message.headers, message.body, **asked)
    assert not verify(message.headers, message.body, **asked)
    for off in (-300, 300):
        assert verify(message.headers, message.body, **{**asked, "now": sent + off, "seen": set()})
    for off in (-301, 301):
        with pytest.raises(ValueError, match="too old or too new"):
            verify(message.headers, message.body, **{**asked, "now": sent + off})
    wrong: list[tuple[dict[str, str], bytes]] = [
        ({}, message.body + b" "),
        ({"webhook-id": "whd_other"}, message.body),
        ({"webhook-timestamp": str(sent + 1)}, message.body),
        ({"webhook-signature": ""}, message.body),
        ({"webhook-signature": "v1," + "A" * 43 + "="}, message.body),
        ({"webhook-signature": message.headers["webhook-signature"].replace("v1,", "v2,")}, message.body),
        ({"webhook-timestamp": f"{sent}.0"}, message.body),
        ({"webhook-timestamp": f" {sent}"}, message.body),
        ({"webhook-id": ""}, message.body),
        ({"webhook-id": "a.b"}, message.body),
    ]
    for changed, body in wrong:
        with pytest.raises(ValueError, match=r"agreed|signed"):
            verify({**message.headers, **changed}, body, **{**asked, "seen": set()})
    with pytest.raises(ValueError, match="signed"):
        verify(message.headers, message.body, **{**asked, "secrets": secrets[:1], "seen": set()})
