"""An act on a record that does not exist says so, by the one class that every edge answers as not found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bookrunner.app import Application
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.status import status_of

ACTS: dict[str, Callable[[Application], object]] = {
    "offer_exists": lambda app: app.dry_run("ofr_none"),
    "investment_exists": lambda app: app.open_agreement("ofr_none", "inv_none"),
    "closing_exists": lambda app: app.run_closing("ofr_none", "cls_none"),
}


@pytest.mark.parametrize("rule", ACTS)
def test_what_does_not_exist_is_not_found(application: Application, rule: str) -> None:
    with pytest.raises(UnknownRecord) as refused:
        ACTS[rule](application)
    assert refused.value.rule == rule
    assert status_of(refused.value) == 404
