"""The server of the pages stops while somebody looks."""

from __future__ import annotations

import logging
import socket
import threading
import time

import httpx
import pytest

from bookrunner.app import Application
from bookrunner.cli.site import GRACE_SECONDS, serving


def test_the_server_stops_while_a_stream_is_open(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream comes to its own end: it is not cut off when the time of grace is over."""
    ends: list[str] = []

    def follow(url: str, is_open: threading.Event) -> None:
        with httpx.stream("GET", url, timeout=20) as answer:
            for line in answer.iter_lines():
                is_open.set()
                ends.append(line)
        ends.append("the end")

    bound = socket.create_server(("127.0.0.1", 0))
    is_open = threading.Event()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/live/ofr_1"
    reader = threading.Thread(target=follow, args=(url, is_open))
    with caplog.at_level(logging.ERROR, "uvicorn.error"), serving(application, bound):
        reader.start()
        assert is_open.wait(10)
        asked = time.monotonic()
    reader.join(10)
    assert ends[-1] == "the end"
    assert time.monotonic() - asked < GRACE_SECONDS
    assert not caplog.records
    assert not [each for each in threading.enumerate() if each.name == "pages"]
