"""A server of tests that ends before it is up is a failure, at once and by name."""

from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from tests.serving import serving


async def _fails(_: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "it does not start"})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_ended_before_it_was_up_is_told() -> None:
    with pytest.raises(AssertionError, match="ended before it was up"), serving(_fails):
        pass
