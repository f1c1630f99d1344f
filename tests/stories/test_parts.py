"""The parts of other people are played in the sandbox alone, and only where they are due."""

from __future__ import annotations

import pytest

from bookrunner.cli import main
from bookrunner.core.errors import Refused
from bookrunner.sandbox.entering import offers
from bookrunner.sandbox.story import Story


@pytest.mark.parametrize("part", ["equip", "link", "pay"])
@pytest.mark.parametrize(
    "elsewhere",
    [
        ("BOOKRUNNER_DATABASE_URL", "postgresql://x@127.0.0.1:1/books"),
        ("BOOKRUNNER_RPC_URL", "http://127.0.0.1:1"),
    ],
)
def test_no_part_is_played_outside_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str, elsewhere: tuple[str, str]
) -> None:
    monkeypatch.setenv(*elsewhere)
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", part, "ofr_1"])
    assert ended.value.code == 1
    assert "in the sandbox alone" in capsys.readouterr().out


@pytest.mark.chain
def test_an_offer_is_equipped_once_and_where_nothing_is_due_nobody_pays(published: Story) -> None:
    app, offering = published.app, published.offering
    with pytest.raises(Refused, match="equipped_offer_is_legally_accepted"):
        offers.equip(app, offering, lambda: None)
    assert offers.pay(app, offering) == 0
    assert offers.link_wallets(app, offering) == 0
